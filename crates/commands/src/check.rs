//! Checks a reader's own solution of an exercise: `cargo book check 20-26 FOLDER`.

use crate::readers::{self, Package};
use anyhow::{ensure, Context, Result};
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

/// Check your own solution of an exercise
#[derive(clap::Args)]
#[command(after_help = "\
The exercise's tests are run on a copy of your crate. The status is 0 if they pass, and 1 if not.

Example: cargo book check 20-26 ../hello")]
pub struct Arguments {
    /// The exercise, by the number of its listing
    #[arg(value_parser = crate::command::one_of(exercises(&book::root())))]
    exercise: String,
    /// The folder of your crate, which is not changed
    folder: PathBuf,
}

/// Runs `cargo book check`: the check of an exercise against the reader's crate.
///
/// # Errors
///
/// As [`command`].
pub fn run(root: &Path, arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { exercise, folder } = arguments;
    let scratch = env::temp_dir().join(format!("hello-check-{}", process::id()));
    let result = command(root, exercise, folder, &scratch).and_then(|mut command| {
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
    step::write(scratch, &files)?;

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
