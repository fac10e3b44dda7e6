//! Whatever is set for cargo, the program that is run is that of the crate as it is now.

use super::super::EXPLORE;
use super::{good, manifest, odd, output, said, Pool, Said::Good};
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
