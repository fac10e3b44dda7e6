//! The terminal transcripts that the book shows: what is played, what was recorded, and the rules
//! that both obey.
//!
//! Each scenario is a pair in `recorded/transcripts/`: `NAME.toml`, written by hand, holds the
//! script and the rules (see [`Scenario`]); `NAME.txt` holds what the terminals showed when `cargo
//! book record` ran the script (see [`Transcript`]). The rules hold for every run, the recorded one
//! and any fresh one: they say which lines are shown, how often, and what comes before what.

mod rules;
mod scenario;
mod transcript;

pub use rules::Rules;
pub use scenario::{Action, Edit, Ending, Exit, Scenario, Signal, Step};
pub use transcript::{prompt, typed, Transcript};

use anyhow::{anyhow, bail, Context, Result};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The folder of the transcripts in the book at `root`.
pub fn folder(root: &Path) -> PathBuf {
    root.join("recorded").join("transcripts")
}

/// The names of all scenarios of the book at `root`, in order.
///
/// # Errors
///
/// When the folder cannot be read, and when a recorded text has no scenario.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let folder = folder(root);
    let mut scenarios = BTreeSet::new();
    let mut texts = BTreeSet::new();
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => scenarios.insert(stem.into_owned()),
            Some("txt") => texts.insert(stem.into_owned()),
            _ => bail!("{} is neither a .toml nor a .txt file", path.display()),
        };
    }
    if let Some(text) = texts.difference(&scenarios).next() {
        bail!(
            "{text}.txt has no {text}.toml in {}: remove it, or write its scenario",
            folder.display()
        );
    }
    Ok(scenarios.into_iter().collect())
}

/// Checks that the recorded text of `name` is there, shows the scenario's
/// commands, and obeys its rules.
///
/// # Errors
///
/// Says what is wrong with the text, and shows it.
pub fn check_recorded(root: &Path, name: &str) -> Result<()> {
    let scenario = Scenario::load(root, name)?;
    let recorded = Transcript::read(root, name)?;
    check_rules(&scenario, &recorded, Some(&recorded))
}

/// Checks that what a scenario's terminals show obeys its rules; `recorded` is what some of them
/// should be the same as.
///
/// # Errors
///
/// Names the terminal and the rule, and shows the text.
pub fn check_rules(
    scenario: &Scenario,
    shown: &Transcript,
    recorded: Option<&Transcript>,
) -> Result<()> {
    let name = &scenario.name;
    for terminal in shown.terminals() {
        if !scenario.rules.contains_key(terminal) {
            bail!("transcript `{name}` has a terminal `{terminal}`, which its scenario has not");
        }
    }
    for (terminal, rules) in &scenario.rules {
        let text = shown
            .text(terminal)
            .with_context(|| format!("transcript `{name}` lacks the terminal `{terminal}`"))?;
        let recorded = recorded.and_then(|recorded| recorded.text(terminal));
        check_commands(&scenario.commands(terminal), text)
            .and_then(|()| rules.check(text, recorded))
            .map_err(|problem| {
                anyhow!(
                    "transcript `{name}`, terminal `{terminal}`: {problem:#}\n\n\
                     The terminal shows:\n\n{text}"
                )
            })?;
    }
    Ok(())
}

/// The typed commands in a terminal's text are the scenario's, in its order.
fn check_commands(expected: &[&str], text: &str) -> Result<()> {
    let typed: Vec<&str> = text.lines().filter_map(transcript::typed).collect();
    if typed != expected {
        bail!(
            "the commands typed are {typed:?}, but the scenario's are {expected:?}: \
             record it again with `cargo book record`"
        );
    }
    Ok(())
}
