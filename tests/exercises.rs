//! The promise: what `cargo book check` asks of an exercise fails on the step before it; where its
//! page says so, each of its tests does; and it fails with each mistake of which its page says so.
//! (That it passes on the solution, `tests/listings` shows: the check is one of the solution's own
//! tests.)

use crate::support::{cargo::DEADLINE, network::with_port, run, told, turns::turn};
use book::{root, step};
use book_commands::{check, step::update};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::Path;

/// The exercises of which no test passes on the step before.
const EACH_TEST_FAILS: [&str; 1] = ["listing-20-29"];

/// What can be done wrong in a solution.
struct Mistake {
    name: &'static str,
    exercise: &'static str,
    file: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// The test of the check that is run, and what is printed then.
    test: &'static str,
    said: &'static str,
}

const MISTAKES: [Mistake; 2] = [
    Mistake {
        name: "the_sender_that_is_kept",
        exercise: "listing-20-30",
        file: "examples/mandelbrot/main.rs",
        right: "    drop(sender);\n",
        wrong: "",
        test: "the_picture_is_whole_and_the_same_with_any_number_of_workers",
        said: "FAILED: not done after 20s",
    },
    Mistake {
        name: "a_flag_that_is_looked_at_once",
        exercise: "listing-20-30",
        file: "examples/mandelbrot/main.rs",
        right: "        if stop.load(Ordering::Relaxed) {\n            return None;",
        wrong:
            "        if y == tile.top && stop.load(Ordering::Relaxed) {\n            return None;",
        test: "a_stop_is_noticed_within_a_tile",
        said: "a_stop_is_noticed_within_a_tile FAILED: not done after 20s",
    },
];

fn is_found(mistake: &Mistake) -> Result<(), Failed> {
    let Mistake { name, exercise, .. } = *mistake;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("mistakes")
        .join(name);
    let (mine, copy) = (folder.join("mine"), folder.join("copy"));
    let command = |argument: &str| -> Result<_, Failed> {
        let mut command = check::command(&root(), exercise, &mine, &copy).map_err(told)?;
        // What is built of one mistake must not be taken for another.
        command
            .arg(argument)
            .env("CARGO_TARGET_DIR", folder.join("target"));
        Ok(command)
    };

    let working = turn();
    update(&root(), exercise, &mine).map_err(told)?;
    let file = mine.join(mistake.file);
    let right = fs::read_to_string(&file)?;
    if right.matches(mistake.right).count() != 1 {
        let (file, right) = (mistake.file, mistake.right);
        return Err(format!("{exercise}: {file} does not say {right:?} once").into());
    }
    fs::write(&file, right.replace(mistake.right, mistake.wrong))?;
    run(command("--no-run")?, DEADLINE)?;
    drop(working);

    match run(command(mistake.test)?, DEADLINE) {
        Err(printed) if printed.contains(mistake.said) => Ok(()),
        Err(printed) => Err(format!(
            "fails, but does not say {:?}: {printed}",
            mistake.said
        )),
        Ok(()) => Err(format!("{} passes with the mistake", mistake.test)),
    }
    .map_err(|why| format!("{exercise}, {name}: {why}").into())
}

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let exercises = check::exercises(&root()).map_err(told)?;
    let trials = exercises.into_iter().map(|name| {
        let title = format!("{name}::exercises");
        Trial::test(title.clone(), move || {
            fails_on_the_step_before(&title, &name)
        })
    });
    let mistakes = MISTAKES.iter().map(|mistake| {
        let title = format!("{}::exercises::{}", mistake.exercise, mistake.name);
        Trial::test(title, move || is_found(mistake))
    });
    Ok(trials.chain(mistakes).collect())
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
