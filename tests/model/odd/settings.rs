//! Whatever is set for cargo, the program that is run is that of the crate as it is now.

use super::super::EXPLORE;
use super::{good, manifest, odd, output, said, Pool, Said::Good};
use book::root;
use book_commands::search;
use libtest_mimic::Failed;
use std::env;
use std::path::Path;
use std::process::Command;

/// The argument that makes this program search the crate in a folder, with what is set around it.
pub const SEARCH: &str = "search:";

/// What is built is in the book's folder, wherever the reader has what cargo builds.
pub fn check() -> Result<(), Failed> {
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
    let folder = odd.write()?.to_string_lossy().into_owned();
    let words = [folder, "1".into(), "1".into(), "0".into()];
    let said = match search::replay_command(&root(), &words) {
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
