//! A scenario as it is written, in its file.

use super::{Action, Edit, Ending, Exit, Scenario, Step};
use crate::proposals::Proposal;
use crate::transcripts::rules::RawRules;
use anyhow::{bail, ensure, Context, Result};
use regex::Regex;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// How long a step may take, in seconds, unless it says with `within` that it has to be quicker: a step
/// that builds does so on a busy machine, too.
const LONGEST_DEADLINE: u64 = 120;

/// The scenario as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenario {
    listing: String,
    #[serde(default)]
    port: bool,
    #[serde(default = "yes")]
    prebuild: bool,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default, rename = "edit")]
    edits: Vec<RawEdit>,
    #[serde(rename = "step")]
    steps: Vec<RawStep>,
    #[serde(rename = "terminal")]
    terminals: BTreeMap<String, RawRules>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "an edit has `file`, `from` and `to`, or a `proposal`"
)]
enum RawEdit {
    Written(Edit),
    Proposed(Proposed),
}

/// An edit that a page shows: the scenario names it, and has no second copy of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    proposal: String,
}

impl RawEdit {
    fn parse(self, listing: &str, proposed: &Find) -> Result<Edit> {
        let name = match self {
            RawEdit::Written(edit) => return Ok(edit),
            RawEdit::Proposed(Proposed { proposal }) => proposal,
        };
        let proposal = proposed(&name)?;
        ensure!(
            proposal.listing == listing,
            "`{name}` changes {}, and this is run in {listing}",
            proposal.listing
        );
        Ok(Edit {
            file: "src/lib.rs".to_owned(),
            from: proposal.from,
            to: proposal.to,
        })
    }
}

/// Finds the change of that name on the pages.
pub(super) type Find<'a> = dyn Fn(&str) -> Result<Proposal> + 'a;

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    terminal: String,
    run: Option<String>,
    #[serde(default)]
    background: bool,
    #[serde(default)]
    retry: bool,
    until: Option<String>,
    pause: Option<u64>,
    accepted: Option<usize>,
    press: Option<String>,
    exit: Option<Ending>,
    within: Option<u64>,
}

impl RawScenario {
    pub(super) fn parse(self, name: &str, proposed: &Find) -> Result<Scenario> {
        let edits = self.edits.into_iter();
        let edits = edits.map(|edit| edit.parse(&self.listing, proposed));
        let edits = edits.collect::<Result<_>>()?;
        let mut steps = Vec::new();
        for (number, step) in (1..).zip(self.steps) {
            steps.push(step.parse().with_context(|| format!("step {number}"))?);
        }
        let mut rules = BTreeMap::new();
        for (terminal, raw) in self.terminals {
            let parsed = raw.parse();
            let parsed = parsed.with_context(|| format!("the rules of terminal `{terminal}`"))?;
            rules.insert(terminal, parsed);
        }
        Ok(Scenario {
            name: name.to_owned(),
            listing: self.listing,
            rules,
            port: self.port,
            prebuild: self.prebuild,
            files: self.files,
            edits,
            steps,
        })
    }
}

impl RawStep {
    fn parse(self) -> Result<Step> {
        let within = self.within.unwrap_or(LONGEST_DEADLINE);
        let longest = within.max(self.pause.unwrap_or(0));
        ensure!(
            longest <= LONGEST_DEADLINE,
            "a step takes {LONGEST_DEADLINE} s at most, not {longest}"
        );
        ensure!(
            self.run.is_some() || !(self.background || self.retry),
            "`background` and `retry` go with `run`"
        );
        if let Some(ending) = &self.exit {
            ensure!(
                !ending.exits().is_empty(),
                "an empty list allows no end: name a status in `exit`"
            );
        }
        let waits = (self.until, self.pause, self.accepted);
        let action = match (self.run, waits, self.press, self.exit) {
            (Some(command), (None, None, None), None, exit) => Action::Run {
                command,
                retry: self.retry,
                expected: match (self.background, exit) {
                    (false, exit) => Some(exit.unwrap_or(Ending::Only(Exit::Status(0)))),
                    (true, None) => None,
                    (true, Some(_)) => {
                        bail!("a background command's `exit` is a step of its own")
                    }
                },
            },
            (None, (Some(pattern), None, None), None, None) => {
                Action::Until(Regex::new(&pattern)?)
            }
            (None, (None, Some(seconds), None), None, None) => {
                Action::Pause(Duration::from_secs(seconds))
            }
            (None, (None, None, Some(number)), None, None) => Action::Accepted(number),
            (None, (None, None, None), Some(key), None) => {
                ensure!(
                    key == "Ctrl-C",
                    "`press` knows \"Ctrl-C\" only, not {key:?}"
                );
                Action::CtrlC
            }
            (None, (None, None, None), None, Some(exit)) => Action::Exit(exit),
            _ => bail!("a step has exactly one of `run`, `until`, `pause`, `accepted`, `press` and `exit`; only `run` may have an `exit` too"),
        };
        Ok(Step {
            terminal: self.terminal,
            action,
            deadline: Duration::from_secs(within),
        })
    }
}
