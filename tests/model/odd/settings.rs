//! Whatever is set for cargo, the program that is run is that of the crate as it is now.

use super::super::EXPLORE;
use super::{good, manifest, odd, output, said, state, Odd, Pool, Said::Good};
use book::root;
use book_commands::{check, search};
use libtest_mimic::Failed;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The argument that makes this program search the crate in a folder, with what is set around it.
pub const SEARCH: &str = "search:";

/// What is built is in the book's folder, wherever the reader has what cargo builds.
pub fn check_folder() -> Result<(), Failed> {
    let elsewhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd-elsewhere");
    changes_with(|command| command.env("CARGO_TARGET_DIR", &elsewhere))?;
    match elsewhere.exists() {
        true => Err("the search has built somewhere else than in the book's folder".into()),
        false => Ok(()),
    }
}

/// The program is another file when the reader has a target for cargo, if only this machine. All that
/// it is made of has to be built for that.
pub fn check_target() -> Result<(), Failed> {
    let host = host()?;
    changes_with(|command| command.env("CARGO_BUILD_TARGET", &host))
}

/// The search says of each pool in turn what is so of that, with what is set there.
fn changes_with(set: impl Fn(&mut Command) -> &mut Command) -> Result<(), Failed> {
    let pool = Pool::read()?;
    let good = good()?;
    let never_ends = pool.whole.replace("drop(self.sender.take());", "");
    for (source, expected) in [
        (&pool.whole, good.as_str()),
        (&never_ends, ": 0 finish, "),
        (&pool.whole, good.as_str()),
    ] {
        let odd = odd("settings", &manifest("2021", ""), source.as_bytes(), Good);
        let search = format!("{SEARCH}{}", odd.write()?.display());
        let mut command = Command::new(env::current_exe()?);
        let said = output(set(command.args([EXPLORE, &search])))?;
        if !said.contains(expected) {
            return Err(format!("expected {expected:?}, and it says: {said}").into());
        }
    }
    Ok(())
}

/// A crate beside one pool is not taken for that of the same name beside another, which was built since.
pub fn check_neighbors() -> Result<(), Failed> {
    let pool = Pool::read()?;
    let good = good()?;
    let closes = "drop(self.sender.take());";
    let source = pool
        .whole
        .replace(closes, &format!("if helper::closes() {{ {closes} }}"));
    let search = |name, helper: &str, expected: &str| -> Result<(), Failed> {
        let manifest = manifest(
            "2021",
            "[dependencies]\nhelper = { path = \"../helper\" }\n",
        );
        let odd = odd(name, &manifest, source.as_bytes(), Good)
            .at("mine")
            .and(
                "../helper/Cargo.toml",
                "[package]\nname = \"helper\"\nedition = \"2021\"\n",
            )
            .and("../helper/src/lib.rs", helper);
        let said = said(&odd.write()?)?;
        match said.contains(expected) {
            true => Ok(()),
            false => Err(format!("{name}: expected {expected:?}, and it says: {said}").into()),
        }
    };
    let does = "pub fn closes() -> bool { true }\n";
    let does_not = "pub fn closes() -> bool { false }\n";
    search("one", does, &good)?;
    search("other", does_not, ": 0 finish, ")?;
    search(
        "one",
        &format!("{does}{does}").replacen("closes", "more", 1),
        &good,
    )?;
    search("other", does_not, ": 0 finish, ")
}

/// `cargo book check` takes such a crate, too: a member of a workspace, with links.
pub fn check_check() -> Result<(), Failed> {
    let pool = Pool::read()?;
    let manifest =
        "[package]\nname = \"hello\"\nversion.workspace = true\nedition.workspace = true\n";
    let workspace = "[workspace]\nmembers = [\"mine\"]\n[workspace.package]\nversion = \"3.0.0\"\nedition = \"2024\"\n";
    let odd = Odd {
        links: &[
            ("src/.#lib.rs", "nobody@nowhere"),
            ("round", "round"),
            ("src/up", ".."),
            ("all", "/usr"),
        ],
        ..odd("checked", manifest, pool.whole, Good)
            .at("mine")
            .and("../Cargo.toml", workspace)
            .and("target/debug/junk", "junk")
    };
    let folder = odd.write()?;
    let before = state(&odd.top())?;
    let scratch = tempfile::tempdir()?;
    let made = check::command(&root(), "listing-20-26", &folder, scratch.path());
    made.map_err(|error| format!("{error:#}"))?;
    let copied: Vec<_> = state(scratch.path())?.into_keys().collect();
    let of_reader = ["Cargo.toml", "src/lib.rs", "tests/check.rs"];
    let copied = copied
        .iter()
        .filter_map(|path| path.strip_prefix(scratch.path()).ok());
    let copied: Vec<_> = copied
        .filter(|path| !path.starts_with("tests/common"))
        .collect();
    let expected = of_reader
        .iter()
        .all(|path| copied.contains(&Path::new(path)));
    let junk = copied
        .iter()
        .any(|path| path.starts_with("target") || path.starts_with("all"));
    let manifest = fs::read_to_string(scratch.path().join("Cargo.toml"))?;
    if !expected || junk || !manifest.contains("edition = \"2024\"") {
        return Err(format!("the copy has {copied:?}, and its manifest says: {manifest}").into());
    }
    match before == state(&odd.top())? {
        true => Ok(()),
        false => Err("the check has changed the folder of the crate".into()),
    }
}

/// A replay names the reader's files, those in modules and of a crate beside it, too.
pub fn check_replay() -> Result<(), Failed> {
    let pool = Pool::read()?;
    let helper = pool.worker_in_module("crate::Job");
    let odd = odd(
        "replayed ä",
        &manifest(
            "2021",
            "[dependencies]\nhelper = { path = \"../helper\" }\n",
        ),
        format!(
            "use std::sync::{{mpsc, Arc, Mutex}};\nuse helper::{{Job, Worker}};\n{}",
            pool.pool
        )
        .replace("pub(crate) type", "type")
        .replace("type Job = Box<dyn FnOnce() + Send + 'static>;", ""),
        Good,
    )
    .at("mine")
    .and(
        "../helper/Cargo.toml",
        "[package]\nname = \"helper\"\nedition = \"2021\"\n",
    )
    .and(
        "../helper/src/lib.rs",
        "mod worker;\npub use worker::Worker;\npub type Job = Box<dyn FnOnce() + Send>;\n",
    )
    .and(
        "../helper/src/worker.rs",
        helper.replace("pub(crate)", "pub"),
    );
    let replay = search::Replay::of(&odd.write()?, 1, 1, "0");
    let said = match search::replay_command(&root(), &replay) {
        Ok(mut command) => output(&mut command)?,
        Err(error) => return Err(format!("{error:#}").into()),
    };
    let line = |source: &str, what: &str| {
        let line = source.lines().position(|line| line.contains(what));
        line.map_or(0, |line| line + 1)
    };
    let sends = line(&odd.text("src/lib.rs"), ".send(");
    let starts = line(&odd.text("../helper/src/worker.rs"), "thread::spawn");
    let expected = [
        format!("\n  {sends}  Main sends job 1"),
        format!("helper/src/worker.rs:{starts}  Main starts worker 0"),
    ];
    match expected.iter().find(|expected| !said.contains(*expected)) {
        Some(expected) => Err(format!("expected {expected:?}, and it says: {said}").into()),
        None => Ok(()),
    }
}

/// Prints what the search says of the crate in the folder.
pub fn search_and_print(folder: &str) -> Result<String, Failed> {
    Ok(said(Path::new(folder))?)
}

/// What this machine is to the compiler.
fn host() -> Result<String, Failed> {
    let version = Command::new("rustc").arg("-vV").output()?.stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host
        .ok_or("rustc does not say for what it builds")?
        .to_owned())
}
