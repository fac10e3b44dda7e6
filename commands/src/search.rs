//! Searches every interleaving of a reader's own pool: `cargo book search FOLDER`.

use crate::step;
use anyhow::{bail, ensure, Context, Result};
use regex::Regex;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode, Stdio},
};

/// More interleavings than this take minutes.
const MOST: usize = 1_000_000;

/// What runs the search, beside the reader's pool.
const MAIN: &str = r#"// What a pool prints, it would print in each interleaving.
macro_rules! println {
    ($($text:tt)*) => { pool_model::recorded_println!($($text)*) };
}

#[allow(dead_code, unused)]
mod pool;

pool_model::implement_pool!(pool::ThreadPool);

fn main() -> std::process::ExitCode {
    pool_model::report::<pool::ThreadPool>(&[CASES], MOST)
}
"#;

/// Runs `cargo book search FOLDER [WORKERS JOBS [meet]]`. What the search finds, its exit code says.
///
/// # Errors
///
/// As [`command`].
pub fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let status = command(root, arguments)?
        .status()
        .context("cannot run the search")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Builds the search that the arguments ask for, and returns the command that runs it.
///
/// # Errors
///
/// When the arguments are not those of `cargo book search`, when there is no package `hello` with a
/// library in the folder, and when the search cannot be built.
pub fn command(root: &Path, arguments: &[String]) -> Result<Command> {
    let scratch = env::temp_dir().join(format!("hello-search-{}", process::id()));
    let target = root.join("target");
    let built = prepare(root, arguments, &scratch).and_then(|()| {
        let mut cargo = crate::cargo();
        cargo.args(["build", "--quiet"]).current_dir(&scratch);
        cargo.env("CARGO_TARGET_DIR", &target);
        cargo.status().context("cannot run cargo")
    });
    let _ = fs::remove_dir_all(&scratch);
    ensure!(built?.success(), "the search of this pool cannot be built");

    let mut command = Command::new(target.join("debug").join("search"));
    command.stderr(Stdio::null()); // a line from shuttle for each deadlock
    Ok(command)
}

/// Writes the search of the pool in a reader's crate to the new folder `scratch`. The crate itself
/// is not touched.
fn prepare(root: &Path, arguments: &[String], scratch: &Path) -> Result<()> {
    let case = |workers: usize, jobs: usize, meet: bool| {
        format!(
            "pool_model::Case {{ workers: {workers}, jobs: {jobs}, meet: {meet}, pause: false }}"
        )
    };
    let (folder, cases) = match arguments {
        [folder] => (folder, [case(2, 1, false), case(2, 2, true)].join(", ")),
        [folder, workers, jobs, meet @ ..] if meet.is_empty() || meet == ["meet"] => {
            let number = |text: &String, what| match text.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => bail!("`{text}` is no number of {what}"),
            };
            let (workers, jobs) = (number(workers, "workers")?, number(jobs, "jobs")?);
            ensure!(
                meet.is_empty() || jobs <= workers,
                "{jobs} jobs cannot meet on {workers} workers: each waits for all others to begin"
            );
            (folder, case(workers, jobs, !meet.is_empty()))
        }
        _ => bail!(
            "call it with the folder of your crate, and if you like with a number of workers and \
             of jobs, which can wait for each other: cargo book search ../hello 2 2 meet"
        ),
    };

    let folder = Path::new(folder);
    step::expect_hello(folder)?;
    let library = folder.join("src/lib.rs");
    let source = fs::read_to_string(&library)
        .with_context(|| format!("cannot read {}", library.display()))?;

    // Built as the book's own search is, so that the two share what they are built from.
    let book = root.join("Cargo.toml");
    let book: toml::Table = toml::from_str(&fs::read_to_string(book)?)?;
    let profile = book.get("profile").context("Cargo.toml has no profile")?;
    let profile = toml::Table::from_iter([("profile".to_owned(), profile.clone())]);
    let model = root.join("model");
    let manifest = format!(
        "[package]\nname = \"search\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dependencies]\npool-model = {{ path = {model:?} }}\n\n[workspace]\n\n{}",
        toml::to_string(&profile)?
    );
    let main = MAIN
        .replace("CASES", &cases)
        .replace("MOST", &MOST.to_string());
    // The versions that the book is tested with.
    let lock = fs::read(root.join("Cargo.lock"))?;
    let files = [
        ("Cargo.toml", manifest.into_bytes()),
        ("Cargo.lock", lock),
        ("src/main.rs", main.into_bytes()),
        ("src/pool.rs", modeled(&source).into_bytes()),
    ];
    let files = files.map(|(path, content)| (PathBuf::from(path), content));
    step::write_files(scratch, &files.into())
}

/// The code of a pool on the threads, locks and channels of the model. Its own tests are left out.
pub fn modeled(source: &str) -> String {
    let (code, _) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
    let std = Regex::new(r"(^|[^\w:]|\B::)std::").expect("it is a valid expression");
    let lines = code.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("//") => line.to_owned(),
        _ => std
            .replace_all(line, "${1}pool_model::modeled::")
            .into_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::modeled;

    #[test]
    fn what_comes_from_std_comes_from_the_model() {
        let source = "\
use std::sync::Mutex;
use std::{thread, time::Duration}; // std::time
/// See std::thread.
fn a() -> ::std::io::Result<()> {
    let my_std::a = std::thread::spawn(|| x::std::b);
}
#[cfg(test)]
mod tests;
";
        let expected = "\
use pool_model::modeled::sync::Mutex;
use pool_model::modeled::{thread, time::Duration}; // pool_model::modeled::time
/// See std::thread.
fn a() -> ::pool_model::modeled::io::Result<()> {
    let my_std::a = pool_model::modeled::thread::spawn(|| x::std::b);
}
";
        assert_eq!(modeled(source), expected);
    }
}
