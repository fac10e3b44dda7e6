//! Copies a step of the book out, for a reader to work on: `cargo book step STEP FOLDER`.

use anyhow::{bail, ensure, Context, Result};
use book::step::{self, files, names};
use site::said::print;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Writes the step to a new folder. What is there already is never touched.
///
/// # Errors
///
/// When there is no such step, when `folder` exists, when it would lie inside the book (cargo would
/// take it for a part of the book's workspace), and when it cannot be written.
pub fn write(root: &Path, name: &str, folder: &Path) -> Result<()> {
    let known = names(root)?;
    ensure!(
        known.iter().any(|step| step == name),
        "there is no step `{name}`; there are:\n  {}",
        known.join("\n  ")
    );
    let files = files(root, name)?;

    let parent = match folder.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let parent = fs::canonicalize(parent)
        .with_context(|| format!("there is no folder {} to put it in", parent.display()))?;
    ensure!(
        !parent.starts_with(fs::canonicalize(root)?),
        "{} is inside the book, and cargo would take it for a part of it; \
         choose a place outside, such as ../hello",
        folder.display()
    );
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} exists already, and nothing in it was changed; choose another name",
            folder.display()
        ),
        made => made.with_context(|| format!("cannot make {}", folder.display()))?,
    }
    step::write(folder, &files)
}

/// Makes `folder` a copy of the step, as [`write()`] does, but for what was built in it. It is a folder
/// of the tests: a second time, cargo has nothing to build there that has not changed.
///
/// # Errors
///
/// When there is no such step, and when it cannot be written.
pub fn update(root: &Path, name: &str, folder: &Path) -> Result<()> {
    step::write(folder, &files(root, name)?)
}

/// Write a step to a new folder, to work on it
#[derive(clap::Args)]
#[command(after_help = "Example: cargo book step 20-24 ../hello")]
pub struct Arguments {
    /// The step, by the number of its listing
    #[arg(value_parser = crate::command::one_of(names(&book::root())))]
    step: String,
    /// A folder that does not exist yet, outside the book
    folder: PathBuf,
}

/// Runs `cargo book step`.
///
/// # Errors
///
/// As [`write()`].
pub fn run(root: &Path, arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { step, folder } = arguments;
    write(root, step, folder)?;
    let folder = folder.display();
    print(&format!(
        "{step} is in {folder}. Now:\n\n    cd {folder}\n    cargo run\n    cargo test\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process};

    /// A folder outside the book, which does not exist yet.
    fn new_folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("book-step-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_step_is_written_without_the_marks_of_the_book() {
        let root = book::root();
        let folder = new_folder("written");

        write(&root, "listing-20-24", &folder).unwrap();

        let listing = fs::read_to_string(root.join("listings/listing-20-24/src/lib.rs")).unwrap();
        let copy = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(listing.contains("ANCHOR") && !copy.contains("ANCHOR"));
        let unmarked: Vec<_> = listing.lines().filter(|l| !l.contains("ANCHOR")).collect();
        assert_eq!(copy.lines().collect::<Vec<_>>(), unmarked);
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            "hello.html",
            "tests/common/mod.rs",
        ] {
            assert!(folder.join(file).is_file(), "{file}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_there_is_not_touched() {
        let folder = new_folder("there");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("mine"), "mine").unwrap();

        let error = write(&book::root(), "starting-point", &folder).unwrap_err();

        assert!(error.to_string().contains("exists already"), "{error}");
        let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_known_ones() {
        let folder = new_folder("unknown");

        let error = write(&book::root(), "listing-9-9", &folder).unwrap_err();

        let error = error.to_string();
        assert!(error.contains("there is no step `listing-9-9`"), "{error}");
        assert!(
            error.contains("\n  starting-point\n  listing-20-23\n"),
            "{error}"
        );
        assert!(!folder.exists());
    }

    #[test]
    fn a_place_inside_the_book_is_refused() {
        let folder = book::root().join("hello");

        let error = write(&book::root(), "starting-point", &folder).unwrap_err();

        assert!(error.to_string().contains("inside the book"), "{error}");
        assert!(!folder.exists());
    }
}
