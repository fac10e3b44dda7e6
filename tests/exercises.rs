//! The promise: what `cargo book check` asks of an exercise fails on the step before it; where its
//! page says so, each of its tests does. (That it passes on the solution, `tests/listings` shows: the
//! check is one of the solution's own tests.) And what a page says that a single test catches, it
//! catches.

mod mistakes;

use crate::support::cargo::{building, copies, isolate, DEADLINE};
use crate::support::{network::with_port, run, told, turns::turn};
use book::{root, step};
use book_commands::{check, step::update};
use libtest_mimic::{Failed, Trial};
use std::fs;

/// The exercises of which no test passes on the step before.
const EACH_TEST_FAILS: [&str; 1] = ["listing-20-29"];

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let exercises = check::exercises(&root()).map_err(told)?;
    let trials = exercises.into_iter().map(|name| {
        let title = format!("{name}::exercises");
        Trial::test(title.clone(), move || {
            fails_on_the_step_before(&title, &name)
        })
    });
    let alone = Trial::test("listing-20-27::exercises::one_test_alone", one_test_alone);
    Ok(trials.chain([alone]).chain(mistakes::trials()).collect())
}

/// What the test `every_job_runs_once` of Listing 20-27 catches alone, and what it misses, whatever
/// the order: the first answer on the page. The other three mistakes are left to chance.
fn one_test_alone() -> Result<(), Failed> {
    const NAME: &str = "listing-20-27";
    const CAUGHT: [&str; 3] = [
        "a closed channel is taken for a failure",
        "the channel is not closed",
        "the loop is not left",
    ];
    const MISSED: [&str; 3] = [
        "zero workers are taken",
        "one worker, however many are asked for",
        "the lock is held while a job runs",
    ];
    let folder = copies().join("exercise-alone");
    let (mine, copy) = (folder.join("mine"), folder.join("copy"));

    let _working = turn();
    update(&root(), NAME, &mine).map_err(told)?;
    for (file, rest) in [
        ("tests/library.rs", "// ANCHOR_END: once"),
        ("src/lib.rs", "#[cfg(test)]"),
    ] {
        let whole = fs::read_to_string(root().join("listings").join(NAME).join(file))?;
        let (kept, _) = whole
            .split_once(rest)
            .ok_or("cannot tell the tests apart")?;
        fs::write(mine.join(file), kept)?;
    }
    let mut command = check::command(&root(), NAME, &mine, &copy).map_err(told)?;
    let target = folder.join("target");
    isolate(&mut command, &target);
    let printed = building(&mine, &target, || run(command, DEADLINE));
    let printed = printed.err().unwrap_or_default();
    let says = |line: String| printed.lines().any(|printed| printed == line);
    let as_said = CAUGHT.iter().all(|name| says(format!("caught: {name}")))
        && MISSED
            .iter()
            .all(|name| says(format!("not caught: {name}")));
    match as_said {
        true => Ok(()),
        false => Err(format!("not what src/test-the-library.md says: {printed}").into()),
    }
}

fn fails_on_the_step_before(title: &str, name: &str) -> Result<(), Failed> {
    let names = step::names(&root()).map_err(told)?;
    let before = step::predecessor(&names, name).ok_or("it follows no step")?;
    let folder = copies().join(format!("exercise-{name}"));
    let (mine, copy) = (folder.join("mine"), folder.join("copy"));
    let target = folder.join("target");
    let command = || -> Result<_, Failed> {
        let mut command = check::command(&root(), name, &mine, &copy).map_err(told)?;
        isolate(&mut command, &target);
        Ok(command)
    };

    let working = turn();
    update(&root(), before, &mine).map_err(told)?;
    let mut build = command()?;
    build.arg("--no-run");
    let built = building(&mine, &target, || run(build, DEADLINE));
    drop(working);
    // What the exercise asks for is not there.
    if built.is_err_and(|printed| printed.contains("could not compile `hello` (test \"check\")")) {
        return Ok(());
    }

    with_port(title, DEADLINE, || {
        let failed = match EACH_TEST_FAILS.contains(&name) {
            true => "test result: FAILED. 0 passed;",
            false => "test result: FAILED.",
        };
        let why = match run(command()?, DEADLINE) {
            Err(printed) if printed.contains(failed) => return Ok(()),
            Err(printed) => format!("has not run, or one of its tests passes: {printed}"),
            Ok(()) => "passes, and nothing is solved".to_owned(),
        };
        Err(format!("the check of {name}, run against {before}, {why}").into())
    })
}
