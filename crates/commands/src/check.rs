//! Checks a reader's own solution of an exercise: `cargo book check 20-26 FOLDER`.

use crate::readers::{self, Package};
use crate::step::write_files;
use anyhow::{bail, ensure, Context, Result};
use book::step;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode},
};

/// What counts as done: a test of the step, which is run against the reader's crate.
const CHECK: &str = "tests/check.rs";

/// The names of the steps that are exercises: those that have a check.
///
/// # Errors
///
/// When the folder of the listings cannot be read.
pub fn exercises(root: &Path) -> Result<Vec<String>> {
    let mut names = step::names(root)?;
    names.retain(|name| root.join("listings").join(name).join(CHECK).is_file());
    Ok(names)
}

/// Runs `cargo book check NAME FOLDER`: the check of an exercise against the crate in `folder`.
///
/// # Errors
///
/// As [`command`]; without both arguments, the error says how to call it and which exercises there
/// are.
pub fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let [name, folder] = arguments else {
        bail!(
            "call it with an exercise and the folder of your crate: cargo book check 20-26 ../hello\n\
             The exercises are:\n  {}",
            exercises(root)?.join("\n  ")
        );
    };
    let scratch = env::temp_dir().join(format!("hello-check-{}", process::id()));
    let name = step::full_name(root, name)?;
    let result = command(root, &name, Path::new(folder), &scratch).and_then(|mut command| {
        let status = command.status().context("cannot run cargo")?;
        Ok(crate::exit_code(status))
    });
    let _ = fs::remove_dir_all(&scratch);
    result
}

/// Makes a copy of the crate in `folder` with the check of the step `name` in it, in the new folder
/// `scratch`, and returns the command that runs the check there. The crate itself is not touched.
///
/// # Errors
///
/// When there is no such exercise, when there is no package `hello` in `folder`, and when the copy
/// cannot be made.
pub fn command(root: &Path, name: &str, folder: &Path, scratch: &Path) -> Result<Command> {
    let known = exercises(root)?;
    ensure!(
        known.iter().any(|exercise| exercise == name),
        "`{name}` is not an exercise; these are:\n  {}",
        known.join("\n  ")
    );
    let package = Package::read(folder)?;
    ensure!(
        package.name == "hello",
        "this is for a package `hello`, and {} holds `{}`; begin with a copy of a step: \
         cargo book step 20-25 ../hello",
        folder.display(),
        package.name
    );

    let mut files = readers::files(folder)?;
    // Outside of its workspace, it has what it takes from there.
    let manifest = toml::to_string(&package.manifest)?.into_bytes();
    files.insert(PathBuf::from("Cargo.toml"), manifest);
    let solution = step::files(root, name)?;
    let checks = |path: &&PathBuf| *path == Path::new(CHECK) || path.starts_with("tests/common");
    for path in solution.keys().filter(checks) {
        files.insert(path.clone(), solution[path].clone());
    }
    write_files(scratch, &files)?;

    let mut command = crate::cargo();
    command
        .args(["test", "--test", "check"])
        .current_dir(scratch)
        // To cargo, a copy of one step is the same package as a copy of another.
        .env(
            "CARGO_TARGET_DIR",
            root.join("target").join("check").join(name),
        );
    Ok(command)
}
