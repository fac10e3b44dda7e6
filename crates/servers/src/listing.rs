//! Servers of the listings: copies of them with some changes, and built.

use book::{
    root,
    step::{self, Files},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// In a file of a listing, a text that is there once, and what comes in its place.
pub type Change = (&'static str, &'static str, &'static str);

/// A listing whose program is to be asked.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Its folder in `listings/`.
    pub folder: &'static str,
    /// What is changed so that it can be asked: where it listens, its pages and its limits.
    pub changes: &'static [Change],
    /// What is wrong with it on purpose.
    pub fault: Option<Change>,
    /// Files that are added.
    pub files: &'static [(&'static str, &'static str)],
}

/// One after the other: they share a target folder, which each Cargo locks.
static BUILDS: Mutex<()> = Mutex::new(());

/// Where copies, programs and pages are.
pub fn scratch() -> PathBuf {
    root().join("target/servers")
}

impl Listing {
    /// Copies the listing, with its changes, and builds it.
    ///
    /// # Errors
    ///
    /// If a text that is to be changed is not there once, or the server does not build.
    pub fn build(&self, name: &str) -> Result<(), String> {
        let copy = scratch().join("copies").join(name);
        let listing = root().join("listings").join(self.folder);
        let mut files = step::collect(&listing).map_err(|error| format!("{error:#}"))?;
        for (file, content) in self.files {
            files.insert(file.into(), content.as_bytes().to_vec());
        }
        rename(name, &mut files);
        for change in self.changes.iter().chain(&self.fault) {
            apply(change, &mut files).map_err(|error| format!("{name}: {error}"))?;
        }

        // Whatever happened to another build, this one can be tried.
        let _one = BUILDS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        step::write(&copy, &files).map_err(|error| format!("{error:#}"))?;
        let built = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--quiet", "--bin", &package(name)])
            .current_dir(&copy)
            .env("CARGO_TARGET_DIR", target())
            .env("CARGO_PROFILE_DEV_DEBUG", "none") // there are many, and each is built once
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTFLAGS", "--cap-lints=allow") // a fault leaves things that nobody uses
            .env_remove("CARGO_BUILD_TARGET") // whose folder would have another name
            .status();
        match built.is_ok_and(|status| status.success()) {
            true => Ok(()),
            false => Err(format!("{name} does not build")),
        }
    }
}

/// What the copies share is built once.
fn target() -> PathBuf {
    scratch().join("target")
}

/// The name of the package of a copy, and of its program. If all had the same name, Cargo would take
/// one for the other: it tells packages by their names, and not by their folders.
fn package(name: &str) -> String {
    format!("server-{name}")
}

/// The program of the copy of this name, once it is built.
pub fn program(name: &str) -> PathBuf {
    target().join("debug").join(package(name))
}

/// Gives the copy its name. Its library is called as it was.
fn rename(name: &str, files: &mut Files) {
    const NAME: &str = "name = \"hello\"\n";
    for (file, lib) in [
        ("Cargo.toml", "\n[lib]\nname = \"hello\"\n"),
        ("Cargo.lock", ""),
    ] {
        if let Some(content) = files.get_mut(Path::new(file)) {
            let text = String::from_utf8_lossy(content);
            let package = format!("name = \"{}\"\n", package(name));
            let text = text.replacen("default-run = \"hello\"\n", "", 1);
            *content = (text.replacen(NAME, &package, 1) + lib).into_bytes();
        }
    }
}

fn apply((file, from, to): &Change, files: &mut Files) -> Result<(), String> {
    let content = files.get_mut(Path::new(file));
    let content = content.ok_or_else(|| format!("there is no {file}"))?;
    let text = String::from_utf8_lossy(content).into_owned();
    match text.matches(from).count() {
        1 => *content = text.replacen(from, to, 1).into_bytes(),
        found => return Err(format!("{file} has this {found} times, not once:\n{from}")),
    }
    Ok(())
}
