//! The check of an exercise fails with a mistake, where its page says so.

use crate::support::{cargo::DEADLINE, run, told, turns::turn};
use book::root;
use book_commands::{check, step::update};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::Path;

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

pub fn trials() -> impl Iterator<Item = Trial> {
    MISTAKES.iter().map(|mistake| {
        let title = format!("{}::exercises::{}", mistake.exercise, mistake.name);
        Trial::test(title, move || is_found(mistake))
    })
}
