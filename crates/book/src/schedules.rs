//! The schedules that the book shows step by step: each the record of a run under the model.
//!
//! `recorded/schedules.toml`, written by hand, says what is run and what is to happen in it (see [`Run`]).
//! `recorded/schedules/NAME.txt` holds which thread was chosen at each point, and what came of it. The
//! test `tests/timelines` chooses, records, and compares.

use crate::models::{LENDER, LENDS};
use anyhow::{ensure, Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A run of a pool that the book shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The listing whose pool it is, or a broken pool in `crates/model/broken`.
    pub pool: String,
    /// What it shows, in a line.
    pub title: String,
    pub workers: usize,
    pub jobs: usize,
    /// Every job waits until the others have begun too.
    #[serde(default)]
    pub meet: bool,
    /// The pool is shut down with a deadline, and not dropped.
    #[serde(default)]
    pub deadline: bool,
    /// How it ends.
    pub ends: Ends,
    /// Sentences of the account that come in this order. Without any, it is the shortest run that
    /// ends so, which a search has found: of all orders, or of classes.
    #[serde(default)]
    pub said: Vec<String>,
    #[serde(default)]
    pub classes: bool,
    /// Instead of both: the run with this number in a search of all orders.
    pub number: Option<usize>,
    /// What the reader is asked.
    #[serde(default)]
    pub ask: Vec<Ask>,
    /// The sentence of the step at which it opens: the first such step is meant. Without one, it opens
    /// at its beginning.
    pub open_at: Option<String>,
}

impl Run {
    /// The name of the program that it is a run of.
    pub fn program(&self) -> String {
        match self.deadline {
            true => crate::models::in_time_name(&self.pool),
            false => self.pool.clone(),
        }
    }
}

/// How a run ends.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Ends {
    Finish,
    Deadlock,
    Panic,
}

/// Before a step is shown, the reader is asked what comes next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The step's sentence: the first such step is meant.
    pub before: String,
    /// One or two sentences that could as well come next, and do not.
    pub or: Vec<String>,
}

/// A run as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// A digit for each choice: the thread that went on.
    pub schedule: String,
    pub steps: Vec<Step>,
}

/// A step of a recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// 0 is the main thread, 1 is worker 0. Where no thread can go on, it is none's step.
    pub thread: Option<usize>,
    /// Its line in the pool's file, from 1 on.
    pub line: Option<usize>,
    /// What it is, in a word or two: `holds 1`.
    pub what: String,
    /// The same in a sentence.
    pub said: String,
}

/// All runs of the book at `root`, under their names.
///
/// # Errors
///
/// When `recorded/schedules.toml` cannot be read.
pub fn runs(root: &Path) -> Result<BTreeMap<String, Run>> {
    let path = root.join("recorded/schedules.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
}

/// Where the run of that name is recorded.
pub fn file(root: &Path, name: &str) -> PathBuf {
    root.join("recorded/schedules").join(format!("{name}.txt"))
}

/// Reads what was recorded.
///
/// # Errors
///
/// When it was not, and with the line, when it cannot be read.
pub fn recorded(root: &Path, name: &str) -> Result<Recorded> {
    let path = file(root, name);
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "{} is not recorded: UPDATE=1 cargo test timelines",
            path.display()
        )
    })?;
    parse(&text).with_context(|| format!("cannot read {}", path.display()))
}

fn parse(text: &str) -> Result<Recorded> {
    let mut lines = (1..).zip(text.lines());
    let (_, first) = lines.next().context("it is empty")?;
    let schedule = first.strip_prefix("schedule: ");
    let schedule = schedule.context("line 1: no schedule")?.to_owned();
    let mut steps = Vec::new();
    for (number, line) in lines {
        steps.push(parse_step(line).with_context(|| format!("line {number}: no step: {line}"))?);
    }
    ensure!(!steps.is_empty(), "there is no step in it");
    Ok(Recorded { schedule, steps })
}

/// `worker 0 | 67 | wants 1 | Worker 0 asks for the lock.`
fn parse_step(line: &str) -> Option<Step> {
    let mut parts = line.splitn(4, " | ");
    let (thread, line, what, said) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let thread = match thread {
        "nobody" => None,
        "main" => Some(0),
        worker => Some(1 + worker.strip_prefix("worker ")?.parse::<usize>().ok()?),
    };
    let line = match line {
        "-" => None,
        line => Some(line.parse().ok()?),
    };
    let (what, said) = (what.to_owned(), said.to_owned());
    Some(Step {
        thread,
        line,
        what,
        said,
    })
}

/// The file of a pool that can be shown: a listing's library as its reader has it, or its lender, or a
/// broken pool.
///
/// # Errors
///
/// When there is none of that name.
pub fn source(root: &Path, pool: &str) -> Result<String> {
    let path = broken(root).join(format!("{pool}.rs"));
    if path.is_file() {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(crate::anchors::unmarked(&text));
    }
    let (listing, file) = match lends(pool) {
        Some(listing) => (listing, LENDER),
        None => (pool, "src/lib.rs"),
    };
    let files = crate::step::files(root, listing)?;
    let source = files.get(Path::new(file));
    let source = source.with_context(|| format!("listings/{listing} has no {file}"))?;
    Ok(String::from_utf8(source.clone())?)
}

/// Of a program that lends things to the workers of a listing's pool: which listing.
pub fn lends(program: &str) -> Option<&str> {
    program.strip_suffix(LENDS)
}

/// The folder of the pools with a fault.
pub fn broken(root: &Path) -> PathBuf {
    root.join("crates/model/broken")
}

/// Their names, in order.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn broken_names(root: &Path) -> Result<Vec<String>> {
    let folder = broken(root);
    let entries = fs::read_dir(&folder);
    let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default();
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_run_is_read_and_what_is_wrong_is_named_with_its_line() {
        let text = "schedule: 001\nworker 1 | 67 | holds 1 | Worker 1 gets the lock.\n\
                    nobody | - | stuck | Nobody can go on: | a.\n";
        let recorded = parse(text).unwrap();
        assert_eq!(recorded.schedule, "001");
        assert_eq!(recorded.steps[0].thread, Some(2));
        assert_eq!(recorded.steps[0].line, Some(67));
        assert_eq!(recorded.steps[1].thread, None);
        assert_eq!(recorded.steps[1].said, "Nobody can go on: | a.");

        let error = parse("schedule: 0\nwork 1 | 1 | a | b\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: no step: work 1 | 1 | a | b");
    }
}
