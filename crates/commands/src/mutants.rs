//! Who tests the tests: `cargo book mutants` has cargo-mutants change the pool of a step in small
//! ways, and records which changes the step's tests do not catch.

use crate::progress;
use anyhow::{bail, ensure, Context, Result};
use book::step;
use site::said::print;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The step whose tests are tested, and the files that the outcome depends on.
const STEP: &str = "listing-20-27";
const FILES: [&str; 2] = ["src/lib.rs", "tests/library.rs"];

/// The version whose outcome is recorded.
const VERSION: &str = "27.1.0";

/// Where the outcome is recorded in the book at `root`.
pub fn file(root: &Path) -> PathBuf {
    root.join("recorded").join("mutants.txt")
}

/// Runs cargo-mutants, and records what it says.
///
/// # Errors
///
/// When cargo-mutants is missing or of another version, when the step's tests fail without any
/// change, and when the outcome cannot be written.
pub fn record(root: &Path) -> Result<ExitCode> {
    let version = crate::cargo().args(["mutants", "--version"]).output()?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    ensure!(
        version == format!("cargo-mutants {VERSION}"),
        "this needs cargo-mutants {VERSION}, and there is {}; install it with\n  \
         cargo install cargo-mutants --version {VERSION} --locked",
        if version.is_empty() { "none" } else { &version }
    );

    let out = root.join("target").join("mutants");
    fs::create_dir_all(&out)?;
    let shown = progress::begin()?;
    progress::part(&format!("mutants of {STEP}"));
    let mut mutants = crate::cargo();
    mutants
        .args(["mutants", "--colors", "never", "--no-times", "--no-shuffle"])
        .args(["--caught", "--unviable", "--timeout", "60"])
        .args(["--file", "src/lib.rs", "--output"])
        .arg(&out)
        .args(["--", "--lib", "--test", "library"])
        .current_dir(root.join("listings").join(STEP));
    let mut tried = Tried::default();
    let output = progress::output(&mut mutants, |line| tried.hear(line));
    let output = output.context("cannot run cargo-mutants")?;
    drop(shown);
    let said = String::from_utf8_lossy(&output.stdout);
    // 2: some were missed; 3: some did not end in time. Both are outcomes.
    if !matches!(output.status.code(), Some(0 | 2 | 3)) {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!(
            "cargo-mutants ended with {}:\n{said}{errors}",
            output.status
        );
    }
    let text = format!(
        "{}\n\n# ANCHOR: outcome\n{}# ANCHOR_END: outcome\n",
        title(root)?,
        said
    );
    fs::write(file(root), text)?;
    print(&said)?;
    Ok(ExitCode::SUCCESS)
}

/// How many mutants were tried of how many, by what cargo-mutants says.
#[derive(Default)]
struct Tried {
    done: u64,
    all: Option<u64>,
}

impl Tried {
    fn hear(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Found"), Some(all)) => self.all = all.parse().ok(),
            (Some("caught" | "MISSED" | "TIMEOUT" | "unviable"), _) => self.done += 1,
            _ => return,
        }
        if let Some(all) = self.all {
            progress::tell(&format!("{} of {all} tried", self.done));
            progress::count(self.done, all);
        }
    }
}

/// The first line of the record. It changes with the files that the outcome depends on.
///
/// # Errors
///
/// When the step cannot be read.
pub fn title(root: &Path) -> Result<String> {
    let files = step::files(root, STEP)?;
    let mut checksum = crc32fast::Hasher::new();
    for file in FILES {
        let content = files.get(Path::new(file));
        checksum.update(content.with_context(|| format!("listings/{STEP} has no {file}"))?);
    }
    Ok(format!(
        "Recorded by `cargo book mutants` with cargo-mutants {VERSION}, from {STEP} ({:08x}).",
        checksum.finalize()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mutants_that_were_tried_are_counted() {
        let mut tried = Tried::default();
        for line in [
            "Found 4 mutants to test\n",
            "ok       Unmutated baseline\n",
            "caught   src/lib.rs:161:9: replace ThreadPool::execute with ()\n",
            "MISSED   src/lib.rs:169:9: replace drop with ()\n",
            "TIMEOUT  src/lib.rs:170:9: replace drop with ()\n",
        ] {
            tried.hear(line);
        }
        assert_eq!((tried.done, tried.all), (3, Some(4)));
    }
}
