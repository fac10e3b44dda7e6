//! Every terminal transcript in the book was recorded from a real run, and a
//! fresh run obeys the same rules: which lines, how often, in what order.
//!
//! Where there is no `curl`, the runs that need it are counted as ignored, and that is said; in CI
//! they fail.
//!
//! `src/transcripts/NAME.toml` holds a scenario's script and rules, `NAME.txt`
//! what its terminals showed. `cargo book record NAME` records it again.

use book_commands::{
    root,
    transcripts::{check_fresh, check_recorded, names, Scenario},
};
use libtest_mimic::{run, Arguments, Trial};
use std::path::Path;

fn main() {
    let mut arguments = Arguments::from_args();
    // They wait more than they work: for each other's port, or for a slow request.
    arguments.test_threads.get_or_insert(4);
    // Also refuses a text without a scenario.
    let names = names(&root()).unwrap_or_else(|error| panic!("{error:#}"));
    let trials = names.into_iter().flat_map(trials).collect();
    run(&arguments, trials).exit();
}

/// What is tested of one scenario, under the name of the listing that it runs.
fn trials(name: String) -> [Trial; 2] {
    let (listing, lacks_curl) = match Scenario::load(&root(), &name) {
        Ok(scenario) => (scenario.listing.clone(), scenario.lacks_curl()),
        // The tests load it again, and tell.
        Err(_) => ("unreadable".to_owned(), false),
    };
    let skip = lacks_curl && std::env::var_os("CI").is_none();
    if skip {
        eprintln!("transcript `{name}` is not run: install curl for that");
    }
    let recorded = {
        let name = name.clone();
        move || check_recorded(&root(), &name).map_err(|error| format!("{error:#}").into())
    };
    let fresh = {
        let name = name.clone();
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("transcripts");
        move || check_fresh(&root(), &name, &scratch).map_err(|error| format!("{error:#}").into())
    };
    [
        Trial::test(format!("{listing}::transcript::{name}::recorded"), recorded),
        Trial::test(format!("{listing}::transcript::{name}::fresh"), fresh).with_ignored_flag(skip),
    ]
}
