//! Records the terminal transcripts that the book shows, and runs their scenarios afresh (see
//! [`book::transcripts`]).

mod port;
mod working_copy;

#[cfg(unix)]
mod beginning;
#[cfg(unix)]
mod play;
#[cfg(unix)]
mod terminal;
#[cfg(all(test, unix))]
mod watched;

pub use port::Port;
#[cfg(unix)]
pub(crate) use working_copy::sync;

use crate::progress;
#[cfg(not(unix))]
use anyhow::bail;
use anyhow::Result;
use book::transcripts::{check_rules, names, Scenario, Transcript};
use site::said::print;
use std::{path::Path, process::ExitCode, time::Instant};

/// Record what the book's terminals show, again
#[derive(clap::Args)]
#[command(after_help = "Example: cargo book record 20-24-drop")]
pub struct Arguments {
    /// What to record, by the names of the files in `recorded/transcripts` [default: all]
    #[arg(value_name = "NAME", value_parser = crate::command::one_of(names(&book::root())))]
    names: Vec<String>,
}

/// Records the named scenarios of the book at `root` anew, or all when none is named.
///
/// A text is written only when it obeys the scenario's rules.
///
/// # Errors
///
/// When a run fails or breaks a rule.
pub fn record(root: &Path, arguments: &Arguments) -> Result<ExitCode> {
    let known = names(root)?;
    let chosen = &arguments.names;
    let chosen = if chosen.is_empty() { &known } else { chosen };
    let _shown = progress::begin()?;
    for (number, name) in (1..).zip(chosen) {
        let all = chosen.len() as u64;
        progress::part_of(number - 1, all, &format!("{number} of {all}, {name}"));
        let start = Instant::now();
        let scenario = Scenario::load(root, name)?;
        let fresh = play(root, &scenario, &root.join("target").join("transcripts"))?;
        check_rules(&scenario, &fresh, None)?;
        fresh.write(&Transcript::file(root, name))?;
        let elapsed = start.elapsed().as_secs_f32();
        progress::aside(|| print(&format!("recorded {name} in {elapsed:.1} s\n")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the working copy of the scenario `name` in a folder under `scratch`, and builds what it runs.
///
/// # Errors
///
/// When there is no such scenario, and when its listing cannot be copied or built.
pub fn prepare(root: &Path, name: &str, scratch: &Path) -> Result<()> {
    let scenario = Scenario::load(root, name)?;
    #[cfg(unix)]
    play::prepare(root, &scenario, scratch)?;
    Ok(())
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
