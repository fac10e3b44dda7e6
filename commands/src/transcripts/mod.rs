//! The terminal transcripts that the book shows: recorded from real runs, and checked.
//!
//! Each scenario is a pair in `src/transcripts/`: `NAME.toml`, written by hand,
//! holds the script and the rules (see [`Scenario`]); `NAME.txt` holds what the
//! terminals showed when [`record`] ran the script (see [`Transcript`]).
//! The rules hold for every run, the recorded one and any fresh one: they say
//! which lines are shown, how often, and what comes before what.

mod port;
mod rules;
mod scenario;
mod transcript;
mod working_copy;

#[cfg(unix)]
mod play;
#[cfg(unix)]
mod terminal;

pub use rules::Rules;
pub use scenario::Scenario;
pub use transcript::{typed, Transcript};

use anyhow::{anyhow, bail, Context, Result};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

/// The folder of the transcripts in the book at `root`.
pub fn folder(root: &Path) -> PathBuf {
    root.join("src").join("transcripts")
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

/// Records the named scenarios of the book at `root` anew, or all when none is named.
///
/// A text is written only when it obeys the scenario's rules.
///
/// # Errors
///
/// When a name is unknown, and when a run fails or breaks a rule.
pub fn record(root: &Path, chosen: &[String]) -> Result<ExitCode> {
    let known = names(root)?;
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        bail!(
            "there is no transcript `{unknown}`; there are:\n  {}",
            known.join("\n  ")
        );
    }
    let chosen = if chosen.is_empty() { &known } else { chosen };
    for name in chosen {
        let start = Instant::now();
        let scenario = Scenario::load(root, name)?;
        let fresh = play(root, &scenario, &root.join("target").join("transcripts"))?;
        check_rules(&scenario, &fresh, None)?;
        fresh.write(&Transcript::file(root, name))?;
        println!("recorded {name} in {:.1} s", start.elapsed().as_secs_f32());
    }
    Ok(ExitCode::SUCCESS)
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

/// Runs the scenario `name` afresh, in a folder under `scratch`, and checks
/// that what its terminals show obeys its rules.
///
/// # Errors
///
/// When the run fails, and when it breaks a rule; shows what the terminals showed.
pub fn check_fresh(root: &Path, name: &str, scratch: &Path) -> Result<()> {
    let scenario = Scenario::load(root, name)?;
    let recorded = Transcript::read(root, name)?;
    let fresh = play(root, &scenario, scratch)?;
    check_rules(&scenario, &fresh, Some(&recorded))
}

#[cfg(unix)]
fn play(root: &Path, scenario: &Scenario, scratch: &Path) -> Result<Transcript> {
    play::play(root, scenario, scratch)
}

#[cfg(not(unix))]
fn play(_root: &Path, scenario: &Scenario, _scratch: &Path) -> Result<Transcript> {
    bail!(
        "`{}` cannot be run here: transcripts are recorded in a Unix terminal",
        scenario.name
    )
}

fn check_rules(
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
