//! What other tools find in what the model passes, and what they do not: `cargo book tools` runs
//! Miri, ThreadSanitizer, a stress run and the model's own search on a few programs, and records
//! what each one says.

mod nightly;
mod reports;
mod run;

use crate::progress;
use anyhow::{Context, Result};
use book::{anchors::unmarked, models::handover, schedules, step};
use nightly::{said, Nightly};
use reports::{miri_report, search_report, tsan_report};
use run::{Run, Runner, TSAN_FORMAT};
use site::said::print;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, ExitCode},
};

/// The step whose pool is run, and its files that the outcome depends on.
const STEP: &str = "listing-20-24";
const STEP_FILES: [&str; 2] = ["src/lib.rs", "examples/drop_pool.rs"];

/// A pool that the search finds a lost wakeup in.
const BROKEN: &str = "lost-wakeup";

/// Runs a pool again and again, and watches it.
const STRESS: &str = include_str!("stress.rs");

/// The section that holds how many interleavings the search has seen.
pub const SEARCH: &str = "handover-search";

/// Where it is recorded in the book at `root`.
pub fn file(root: &Path) -> PathBuf {
    root.join("recorded").join("tools.txt")
}

/// What the section of that name holds.
pub fn section<'r>(recorded: &'r str, name: &str) -> Option<&'r str> {
    let (_, rest) = recorded.split_once(&format!("# ANCHOR: {name}\n"))?;
    let (section, _) = rest.split_once(&format!("# ANCHOR_END: {name}\n"))?;
    Some(section)
}

/// What the first line of the record begins with. It changes with the programs that are run; what
/// follows it names the tools that have run them.
///
/// # Errors
///
/// When one of the programs cannot be read.
pub fn title(root: &Path) -> Result<String> {
    let mut checksum = crc32fast::Hasher::new();
    for text in Programs::read(root)?.0.values() {
        checksum.update(text.as_bytes());
    }
    Ok(format!(
        "Recorded by `cargo book tools` from {STEP}, {BROKEN} and handover.rs ({:08x})",
        checksum.finalize()
    ))
}

/// The programs' texts under their paths in the scratch folder, as a reader has them: a tool names
/// the lines that a page shows.
struct Programs(BTreeMap<PathBuf, String>);

impl Programs {
    fn read(root: &Path) -> Result<Programs> {
        let step = step::files(root, STEP)?;
        let of_step = |file: &str| {
            let content = step.get(Path::new(file));
            let content = content.with_context(|| format!("listings/{STEP} has no {file}"))?;
            Ok::<_, anyhow::Error>(String::from_utf8(content.clone())?)
        };

        let mut programs = BTreeMap::new();
        for file in STEP_FILES {
            programs.insert(Path::new("hello").join(file), of_step(file)?);
        }
        let path = handover(root);
        let handover = fs::read_to_string(&path);
        let handover = handover.with_context(|| format!("cannot read {}", path.display()))?;
        programs.insert("handover/src/main.rs".into(), unmarked(&handover));
        for name in [STEP, BROKEN] {
            let pool = schedules::source(root, name)?;
            let folder = Path::new("stress/src/bin").join(name);
            programs.insert(folder.join("main.rs"), STRESS.to_owned());
            programs.insert(folder.join("pool.rs"), pool);
        }
        Ok(Programs(programs))
    }

    /// Writes the programs to the new folder `scratch`, each with its manifest.
    fn write(&self, scratch: &Path) -> Result<()> {
        let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for (path, text) in &self.0 {
            files.insert(path.clone(), text.clone().into_bytes());
        }
        for package in ["hello", "handover", "stress"] {
            let manifest = format!(
                "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
                 [workspace]\n"
            );
            files.insert(Path::new(package).join("Cargo.toml"), manifest.into_bytes());
        }
        step::write(scratch, &files)
    }
}

/// Runs every tool, and records what each says.
///
/// # Errors
///
/// When a tool is missing, when one ends in another way than it is recorded for, and when that cannot
/// be written.
pub fn record(root: &Path) -> Result<ExitCode> {
    let nightly = Nightly::find()?;
    let stable = said(Command::new("rustc").arg("--version")).context("cannot run rustc")?;

    // Of what is run, not of what is there in some minutes.
    let title = title(root)?;
    let scratch = env::temp_dir().join(format!("book-tools-{}", process::id()));
    // ThreadSanitizer names files by their whole path, as rustc was given it.
    Programs::read(root)?.write(&scratch)?;
    let scratch = fs::canonicalize(scratch)?;
    let recorded = sections(root, &scratch, &nightly.host).with_context(|| {
        let scratch = scratch.display();
        format!("this was run in {scratch}, which is left there to be looked at")
    })?;
    let text = format!(
        "{title}, with {} and {} for Miri and ThreadSanitizer, {stable} for the rest.\n\n\
         The packages that the commands run in: hello is {STEP}; the others have these programs\n\
         as their src/main.rs: crates/model/handover.rs, and crates/commands/src/tools/stress.rs for each pool.\n\
         ThreadSanitizer runs with TSAN_OPTIONS=\"{TSAN_FORMAT} strip_path_prefix=...\",\n\
         so that a frame of a stack takes one short line. Lines are left out of the two reports of a\n\
         data race, and none is changed.\n{recorded}",
        nightly.rustc,
        nightly.miri
    );
    fs::write(file(root), text)?;
    fs::remove_dir_all(&scratch)?;
    Ok(ExitCode::SUCCESS)
}

/// Every section of the record.
fn sections(root: &Path, scratch: &Path, host: &str) -> Result<String> {
    let runner = Runner { root, scratch };
    let sanitized = format!(
        "RUSTFLAGS=-Zsanitizer=thread cargo +nightly run --quiet -Zbuild-std --target {host}"
    );
    let mut parts: Vec<(&str, Vec<Run>)> = Vec::new();
    let mut add = |name, commands: &[Run]| parts.push((name, commands.to_vec()));

    let hello = |command| Run::of("hello", command);
    add(
        "miri-pool",
        &[
            hello(
                "MIRIFLAGS=-Zmiri-many-seeds=0..64 cargo +nightly miri run --quiet \
                 --example drop_pool >runs.txt 2>&1",
            ),
            hello("grep -c 'Trying seed' runs.txt"),
            hello("grep -c 'The pool is gone.' runs.txt"),
        ],
    );
    add(
        "miri-handover",
        &[Run {
            finds: Some("Undefined Behavior: Data race detected"),
            shorten: miri_report,
            ..Run::of("handover", "cargo +nightly miri run --quiet --bin handover")
        }],
    );
    add(
        "tsan-pool",
        &[hello(&format!("{sanitized} --example drop_pool"))],
    );
    add(
        "tsan-handover",
        &[Run {
            finds: Some("WARNING: ThreadSanitizer: data race"),
            shorten: tsan_report,
            ..Run::of("handover", &format!("{sanitized} --bin handover"))
        }],
    );
    let stress = "cargo run --release --quiet --bin";
    add(
        "stress",
        &[
            Run::of("stress", &format!("{stress} {STEP} -- 4 8")),
            Run::of("stress", &format!("{stress} {BROKEN} -- 1 0")),
        ],
    );
    add(
        "handover",
        &[Run::of("handover", &format!("{stress} handover -- 100000"))],
    );
    let search = "cargo test --quiet --test promises -- --explore handover";
    add(
        SEARCH,
        &[Run {
            shorten: search_report,
            ..Run::of_book(search)
        }],
    );

    let _shown = progress::begin()?;
    let (mut number, mut recorded) = (0, String::new());
    let all = parts
        .iter()
        .map(|(_, commands)| commands.len() as u64)
        .sum();
    for (name, commands) in &parts {
        let mut text = String::new();
        for run in commands {
            let part = format!("{} of {all}, {}", number + 1, run.command);
            progress::part_of(number, all, &part);
            text += &runner.run(run)?;
            number += 1;
        }
        progress::aside(|| print(&text))?;
        recorded += &format!("\n# ANCHOR: {name}\n{text}# ANCHOR_END: {name}\n");
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_what_stands_between_its_marks() {
        let recorded =
            "title\n# ANCHOR: a\n$ a\n1\n# ANCHOR_END: a\n# ANCHOR: b\n# ANCHOR_END: b\n";
        assert_eq!(section(recorded, "a"), Some("$ a\n1\n"));
        assert_eq!(section(recorded, "b"), Some(""));
        assert_eq!(section(recorded, "c"), None);
    }
}
