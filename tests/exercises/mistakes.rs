//! The check of an exercise fails with a mistake, where its page says so.

use crate::support::cargo::{building, copies, isolate, DEADLINE};
use crate::support::{run, told, turns::turn};
use book::root;
use book_commands::{check, step::update};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::Path;

/// What can be done wrong in a solution.
struct Mistake {
    name: &'static str,
    right: &'static str,
    wrong: &'static str,
    /// The test of the check that is run. With the mistake, it does not end, or not for minutes.
    test: &'static str,
}

/// The exercise, and the file in which the mistakes are made.
const EXERCISE: &str = "listing-20-30";
const FILE: &str = "examples/mandelbrot/main.rs";

const MISTAKES: [Mistake; 2] = [
    Mistake {
        name: "the sender that is kept",
        right: "    drop(sender);\n",
        wrong: "",
        test: "the_picture_is_whole_and_the_same_with_any_number_of_workers",
    },
    Mistake {
        name: "a flag that is looked at once",
        right: "        if stop.load(Ordering::Relaxed) {\n            return None;",
        wrong:
            "        if y == tile.top && stop.load(Ordering::Relaxed) {\n            return None;",
        test: "a_stop_is_noticed_within_a_tile",
    },
];

/// How long the check waits, as the page says, and how long it waits in the copy that is run here: a
/// solution with one of these mistakes is no nearer to its end after the one than after the other.
const WAITS: &str = "DEADLINE: Duration = Duration::from_secs(20);";
const WAITS_HERE: &str = "DEADLINE: Duration = Duration::from_secs(1);";

/// Changes what stands in the file once.
fn replace(file: &Path, from: &str, to: &str) -> Result<(), Failed> {
    let text = fs::read_to_string(file)?;
    if text.matches(from).count() != 1 {
        return Err(format!("{} does not say {from:?} once", file.display()).into());
    }
    Ok(fs::write(file, text.replace(from, to))?)
}

/// One after the other, in one folder: what is built for the first need not be built again.
fn are_found() -> Result<(), Failed> {
    let folder = copies().join("mistakes");
    MISTAKES
        .iter()
        .try_for_each(|mistake| is_found(mistake, &folder))
}

fn is_found(mistake: &Mistake, folder: &Path) -> Result<(), Failed> {
    let (mine, copy) = (folder.join("mine"), folder.join("copy"));

    let _working = turn();
    update(&root(), EXERCISE, &mine).map_err(told)?;
    replace(&mine.join(FILE), mistake.right, mistake.wrong)?;
    let mut command = check::command(&root(), EXERCISE, &mine, &copy).map_err(told)?;
    replace(&copy.join("tests/common/mod.rs"), WAITS, WAITS_HERE)?;
    let target = folder.join("target");
    command.arg(mistake.test);
    isolate(&mut command, &target);

    let said = format!("{} FAILED: not done after 1s", mistake.test);
    match building(&mine, &target, || run(command, DEADLINE)) {
        Err(printed) if printed.contains(&said) => Ok(()),
        Err(printed) => Err(format!("fails, but does not say {said:?}: {printed}")),
        Ok(()) => Err(format!("{} passes with the mistake", mistake.test)),
    }
    .map_err(|why| format!("{EXERCISE}, {}: {why}", mistake.name).into())
}

pub fn trials() -> impl Iterator<Item = Trial> {
    let title = format!("{EXERCISE}::exercises::mistakes");
    [Trial::test(title, are_found)].into_iter()
}
