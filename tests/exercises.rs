//! The promise: what `cargo book check` asks of an exercise fails on the step before it; where its
//! page says so, each of its tests does. (That it passes on the solution, `tests/listings.rs` shows:
//! the check is one of the solution's own tests.)

mod support;

use book_commands::{check, root, step};
use libtest_mimic::{run, Arguments, Failed, Trial};
use std::time::Duration;

/// The exercises of which no test passes on the step before.
const EACH_TEST_FAILS: [&str; 1] = ["listing-20-29"];

/// Longer than a check takes, the building included.
const DEADLINE: Duration = Duration::from_secs(240);

fn main() -> Result<(), Failed> {
    let mut arguments = Arguments::from_args();
    // They wait more than they work: for what does not happen, and for each other's port.
    arguments.test_threads.get_or_insert(4);
    let exercises = check::exercises(&root()).map_err(|error| format!("{error:#}"))?;
    let trials = exercises.into_iter().map(|name| {
        let title = format!("{name}::exercise");
        Trial::test(title, move || fails_on_the_step_before(&name))
    });
    run(&arguments, trials.collect()).exit()
}

fn fails_on_the_step_before(name: &str) -> Result<(), Failed> {
    let report = |error| Failed::from(format!("{error:#}"));
    let names = step::names(&root()).map_err(report)?;
    let before = step::predecessor(&names, name).ok_or("it follows no step")?;
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path().join("mine");
    step::write(&root(), before, &folder).map_err(report)?;

    let copy = scratch.path().join("copy");
    let command = check::command(&root(), name, &folder, &copy).map_err(report)?;
    let failed = match EACH_TEST_FAILS.contains(&name) {
        true => "test result: FAILED. 0 passed;",
        false => "test result: FAILED.",
    };
    let why = match support::run(command, DEADLINE) {
        Err(printed) if printed.contains(failed) => return Ok(()),
        // What the exercise asks for is not there.
        Err(printed) if printed.contains("could not compile `hello` (test \"check\")") => {
            return Ok(())
        }
        Err(printed) => format!("has not run, or one of its tests passes: {printed}"),
        Ok(()) => "passes, and nothing is solved".to_owned(),
    };
    Err(format!("the check of {name}, run against {before}, {why}").into())
}
