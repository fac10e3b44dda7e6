//! Every terminal transcript in the book was recorded from a real run, and a
//! fresh run obeys the same rules: which lines, how often, in what order.
//!
//! Where there is no `curl` or no `haproxy`, the runs that need it are counted as ignored, and that is
//! said; in CI they fail. Those in which a program is process 1 are ignored where that is not allowed, and
//! the one with systemd's socket where its program is not installed.
//!
//! `recorded/transcripts/NAME.toml` holds a scenario's script and rules, `NAME.txt`
//! what its terminals showed. `cargo book record NAME` records it again.

use crate::support::{
    cargo::copies,
    network::{asked_for, with_port},
    told,
    turns::turn,
};
use book::root;
use book::transcripts::{check_recorded, names, Scenario};
use book_commands::transcripts::{check_fresh, prepare};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longer than the steps of a scenario may take together.
const DEADLINE: Duration = Duration::from_secs(600);

pub fn trials() -> Result<Vec<Trial>, Failed> {
    // Also refuses a text without a scenario.
    let mut names = names(&root()).map_err(told)?;
    // In a process for one of them, the others need not be read.
    if let Some(test) = asked_for() {
        names.retain(|name| test.contains(&format!("::transcripts::{name}::")));
    }
    let mut alone = BTreeMap::new();
    let mut trials = Vec::new();
    // The last listings have the most dependencies, which are then there for the others.
    for name in names.into_iter().rev() {
        trials.extend(of_scenario(name, &mut alone));
    }
    Ok(trials)
}

/// What is tested of one scenario, under the name of the listing that it runs. `alone` has a lock for
/// each listing: what is built of it for one scenario, the next one finds.
fn of_scenario(name: String, alone: &mut BTreeMap<String, Arc<Mutex<()>>>) -> [Trial; 2] {
    let (listing, port, lacks, lacks_other) = match Scenario::load(&root(), &name) {
        Ok(scenario) => (
            scenario.listing.clone(),
            scenario.port,
            scenario.lacks(),
            scenario.lacks_process_1() || scenario.lacks_systemd(),
        ),
        // The tests load it again, and tell.
        Err(_) => ("unreadable".to_owned(), false, None, false),
    };
    let lacks = lacks.filter(|_| std::env::var_os("CI").is_none());
    if let Some(tool) = lacks {
        eprintln!("transcript `{name}` is not run: install {tool} for that");
    }
    let skip = lacks.is_some() || lacks_other;
    let recorded = Trial::test(format!("{listing}::transcripts::{name}::recorded"), {
        let name = name.clone();
        move || check_recorded(&root(), &name).map_err(told)
    });
    let title = format!("{listing}::transcripts::{name}::fresh");
    let alone = Arc::clone(alone.entry(listing).or_default());
    let fresh = Trial::test(title.clone(), move || {
        let scratch = copies();
        let alone = alone.lock().unwrap_or_else(PoisonError::into_inner);
        let working = turn();
        prepare(&root(), &name, &scratch).map_err(told)?;
        drop((working, alone));
        let check = || check_fresh(&root(), &name, &scratch).map_err(told);
        match port {
            true => with_port(&title, DEADLINE, check),
            false => check(),
        }
    });
    [recorded, fresh.with_ignored_flag(skip)]
}
