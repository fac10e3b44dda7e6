//! The promise: what `cargo book check` asks of an exercise fails on the step before it; where its
//! page says so, each of its tests does. (That it passes on the solution, `tests/listings` shows: the
//! check is one of the solution's own tests.)

mod mistakes;

use crate::support::{cargo::DEADLINE, network::with_port, run, told, turns::turn};
use book::{root, step};
use book_commands::{check, step::update};
use libtest_mimic::{Failed, Trial};
use std::path::Path;

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
    Ok(trials.chain(mistakes::trials()).collect())
}

fn fails_on_the_step_before(title: &str, name: &str) -> Result<(), Failed> {
    let names = step::names(&root()).map_err(told)?;
    let before = step::predecessor(&names, name).ok_or("it follows no step")?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("exercises")
        .join(name);
    let (mine, copy) = (folder.join("mine"), folder.join("copy"));
    let command = || check::command(&root(), name, &mine, &copy).map_err(told);

    let working = turn();
    update(&root(), before, &mine).map_err(told)?;
    let mut build = command()?;
    build.arg("--no-run");
    let built = run(build, DEADLINE);
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
