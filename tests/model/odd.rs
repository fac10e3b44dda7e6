//! Crates as readers have them, each with what `cargo book search` says of it. They are made of a
//! listing whose pool always finishes.

use super::output;
use book::{root, step};
use book_commands::search::{self, Search};
use libtest_mimic::Failed;
use std::fs;
use std::path::Path;

const GOOD: &str = "all of them finish";

/// What is odd, the edition, what the manifest has besides, how the library is changed, and what is
/// said.
type Odd = (
    &'static str,
    &'static str,
    &'static str,
    fn(&str) -> String,
    &'static str,
);

/// The drop, below a module of tests.
fn below_tests(source: &str) -> String {
    let drop = source.find("impl Drop for").unwrap_or(0);
    let end = source[drop..]
        .find("\n}\n")
        .map_or(source.len(), |end| drop + end + 3);
    let (before, after) = (&source[..drop], &source[end..]);
    format!(
        "{before}{after}\n#[cfg(test)]\nmod tests {{}}\n{}",
        &source[drop..end]
    )
}

fn with(source: &str, more: &str) -> String {
    format!("{source}\n{more}\n")
}

const ODD: &[Odd] = &[
    ("below-tests", "2024", "", |source| below_tests(source), GOOD),
    ("windows", "2018", "", |source| format!("\u{feff}//! A.\n{source}").replace('\n', "\r\n"), GOOD),
    ("default", "2021", "", |source| with(source, "impl Default for ThreadPool { fn default() -> Self { \
        Self::new(::std::thread::available_parallelism().unwrap().get()) } }"), GOOD),
    ("old", "2015", "", |source| source.to_owned(), "is of the edition 2015"),
    ("clock", "2021", "", |source| with(source, "pub fn now() -> std::time::SystemTime { todo!() }"),
        "the search does not know `std::time::SystemTime`; use `std::time::Instant`"),
    ("past-std", "2021", "", |source| with(source, "pub use core::sync::atomic::AtomicBool;"),
        "the search does not see `core::sync`"),
    ("channel", "2021", "[dependencies]\nflume = \"0.11\"\n", |source| with(source, "use flume::Sender;"),
        "Cargo.toml:6: the search does not see into `flume`, which your library uses; use `std::sync::mpsc`"),
    ("impatient", "2021", "", |source| source.replace(".recv()", ".recv_timeout(std::time::Duration::from_secs(60))"),
        "on an `Err` value: SendError"),
    ("polls", "2021", "", |source| source.replace("receiver.lock().unwrap().recv();", "loop { \
        match receiver.lock().unwrap().recv_timeout(std::time::Duration::from_secs(60)) { \
        Err(mpsc::RecvTimeoutError::Timeout) => continue, other => break other } };"), GOOD),
    ("static", "2021", "", |source| with(&source.replace("println!(\"Worker {id} got", "COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst); println!(\"Worker {id} got"), "static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);"), "this is a `static`"),
    ("no-pool", "2021", "", |source| source.replace("ThreadPool", "Pool"), "needs a `pub struct ThreadPool`"),
];

/// Each says what it should.
pub fn check() -> Result<(), Failed> {
    let files = step::files(&root(), "listing-20-24").map_err(|error| format!("{error:#}"))?;
    let source = String::from_utf8_lossy(&files[Path::new("src/lib.rs")]);
    let mut problems = Vec::new();
    for (name, edition, more, change, expected) in ODD {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("odd")
            .join(name);
        let manifest = format!(
            "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n{more}"
        );
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest + "[workspace]\n")?;
        fs::write(folder.join("src/lib.rs"), change(&source))?;
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink("nobody@nowhere", folder.join("src/.#lib.rs"));
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink("..", folder.join("src/up"));
        let said = match search::command(&root(), &Search::of(&folder, 1, 1)) {
            Ok(mut command) => output(&mut command)?.replace(", 0 deadlock, 0 panic", GOOD),
            Err(error) => format!("{error:#}"),
        };
        if !said.contains(expected) {
            problems.push(format!(
                "{name}: expected {expected:?}, and it says: {said}"
            ));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("\n").into()),
    }
}
