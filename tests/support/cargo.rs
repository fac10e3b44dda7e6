//! Runs cargo on a listing, as a reader would.

use super::run;
use book_commands::built::{begin, Other};
use std::path::Path;
use std::process::Command;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fs, io};

/// Longer than a listing's tests wait for the port.
pub const DEADLINE: Duration = Duration::from_secs(25 * 60);

/// Removes what was built for these tests where the book's folder was before: a program knows the paths
/// of others, and cargo does not build it again for that.
pub fn forget_what_was_moved() -> io::Result<()> {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let file = Path::new(folder).join("built-in");
    if fs::read_to_string(&file).is_ok_and(|built| built == folder) {
        return Ok(());
    }
    if Path::new(folder).exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::write(file, folder)
}

/// Makes a command and what it starts see nothing of what the cargo that runs these tests has set, or
/// of what its user has.
fn without_cargos_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let mine = ["CARGO_HOME", "RUSTUP_", "CARGO_NET_", "CARGO_HTTP_"];
        let cargos = [
            "CARGO",
            "RUST",
            "LD_LIBRARY_PATH",
            "DYLD_FALLBACK_LIBRARY_PATH",
        ];
        if cargos.iter().any(|prefix| name.starts_with(prefix))
            && !mine.iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
}

/// Has a cargo build in this folder, on its own, and for nobody but these tests.
pub fn isolate(command: &mut Command, target: &Path) {
    without_cargos_variables(command);
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TERM_COLOR", "never")
        // What is built here is run and forgotten: nothing is kept for a debugger or the next edit.
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
}

/// Runs cargo on the crate in `folder`.
pub fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(folder);
    isolate(&mut command, target);
    run(command, DEADLINE).map_err(|error| {
        format!(
            "`cargo {}` in {}: {error}",
            arguments.join(" "),
            folder.display()
        )
    })
}

/// For what an isolated cargo compiles, and for what it checks: one is of no use for the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Built {
    ToRun,
    ToCheck,
}

/// The target folders in which these tests build, or have built.
static TARGETS: Mutex<Vec<(Built, Other)>> = Mutex::new(Vec::new());
static FINISHED: Condvar = Condvar::new();

/// A folder in which something is built, until this is dropped.
struct Unfinished<'t>(&'t Path);

impl Unfinished<'_> {
    /// What is in it helps whoever comes later.
    fn finish(self, built: Built, lock: String) {
        targets().push((built, other(self.0, lock, false)));
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        targets().retain(|(_, other)| !other.unfinished || other.target != self.0);
        FINISHED.notify_all();
    }
}

fn targets() -> MutexGuard<'static, Vec<(Built, Other)>> {
    TARGETS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn other(target: &Path, lock: String, unfinished: bool) -> Other {
    Other {
        target: target.to_owned(),
        lock,
        unfinished,
    }
}

/// Has `build` run an isolated cargo on the crate in `folder`. A target folder that is new begins with
/// what was compiled in the one whose package has most dependencies in common; if that one is being
/// built, this waits for it.
pub fn building(
    folder: &Path,
    target: &Path,
    built: Built,
    build: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let lock = fs::read_to_string(folder.join("Cargo.lock")).unwrap_or_default();
    let mut all = targets();
    while !target.exists() {
        let others = all.iter().filter(|(other, _)| *other == built);
        let others = others.map(|(_, other)| other.clone());
        if begin(target, &lock, others).map_err(|error| format!("{error:#}"))? {
            break;
        }
        all = FINISHED.wait(all).unwrap_or_else(PoisonError::into_inner);
    }
    all.push((built, other(target, lock.clone(), true)));
    drop(all);
    let unfinished = Unfinished(target);
    build()?;
    unfinished.finish(built, lock);
    Ok(())
}
