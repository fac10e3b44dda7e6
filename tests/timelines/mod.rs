//! The promise: what a timeline shows has happened. Each is replayed from its schedule, and is what
//! its file in `recorded/schedules` says, thread by thread and line by line.
//!
//! `UPDATE=1 cargo test timelines` chooses the schedules anew, and records them.
//!
//! The pictures of searches are drawn anew as well, and compared.

mod eight;
mod growth;
mod picture;
mod same;
mod search_tree;

use crate::model::programs::{ending, program, LostWakeup, MOST_PATHS};
use crate::support::{told, turns::turn};
use book::page::Page;
use book::schedules::{self, Run};
use book::tables;
use libtest_mimic::{Failed, Trial};
use pool_model::record::{self, Ending, Recording};
use pool_model::{tree, Case, Endings, Pool};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::{env, fs};

/// How a schedule begins that a search of classes has found.
const CLASS: &str = "class:";

fn text(recording: &Recording, kind: &str) -> String {
    let mut text = format!("schedule: {kind}{}\n", record::written(&recording.schedule));
    for step in &recording.steps {
        let _ = writeln!(text, "{step}");
    }
    text
}

/// A recording without the number of each step's line.
fn without_lines(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut parts: Vec<_> = line.split(" | ").collect();
        if parts.len() > 1 {
            parts[1] = "?";
        }
        lines.push(parts.join(" | "));
    }
    lines.join("\n")
}

fn check(root: &Path, name: &str, run: &Run, update: bool) -> Result<(), Failed> {
    let program = program(&run.program()).ok_or_else(|| {
        format!(
            "recorded/schedules.toml: {name}: there is no pool `{}`",
            run.program()
        )
    })?;
    let (workers, jobs, meet) = (run.workers, run.jobs, run.meet);
    // Jobs that take time, so that things can happen during one: where they wait for each other they
    // do so anyway, and the shortest run of all is to be the one that the search prints.
    let pause = !meet && !run.said.is_empty();
    let case = Case {
        workers,
        jobs,
        meet,
        pause,
    };
    let file = format!("models/{}.rs", run.pool);
    let path = schedules::file(root, name);
    let kind = if run.classes { CLASS } else { "" };
    // What is known by its number is looked up each time: it is to have that number.
    let schedule = match update || run.number.is_some() {
        true => (program.choose)(run, case).ok_or_else(|| {
            format!("recorded/schedules.toml: {name}: no run was found in which that is said")
        })?,
        false => {
            let recorded = schedules::recorded(root, name)?.schedule;
            let schedule = recorded.strip_prefix(kind);
            record::read(schedule.ok_or("not a schedule of this search")?)?
        }
    };
    let replayed = match run.classes {
        true => (program.replay_class)(case, &file, &schedule),
        false => (program.replay)(case, &schedule, &file),
    };
    let recording = replayed.map_err(|error| format!("{}: {error}", path.display()))?;
    let text = text(&recording, kind);
    if update {
        fs::write(&path, &text)?;
    }
    let recorded = fs::read_to_string(&path)?;
    let (text, recorded) = match record::knows_lines() {
        true => (text, recorded),
        false => (without_lines(&text), without_lines(&recorded)),
    };
    if text != recorded {
        return Err(format!(
            "{} says\n{recorded}\nbut this is what its schedule gives:\n{text}",
            path.display()
        )
        .into());
    }
    if recording.ending != ending(run.ends) {
        return Err(format!("{name} ends otherwise: {:?}", recording.ending).into());
    }
    let mut said = recording.steps.iter().map(|step| &step.said);
    for wanted in &run.said {
        if !said.any(|said| said == wanted) {
            return Err(format!("{}: not in this order: {wanted}", path.display()).into());
        }
    }
    Ok(())
}

/// A small search, whose tree the book shows: its paths are those that the search of the tables goes
/// through, in the same order, and with the same ends.
fn search_tree(_: &Path) -> Result<String, Failed> {
    let case = Case {
        workers: 1,
        jobs: 0,
        meet: false,
        pause: false,
    };
    let paths = paths_of_search::<LostWakeup>(case, "models/lost-wakeup.rs")?;
    let runs = paths.iter().map(|path| path.recording.steps.as_slice());
    let letters = same::letters(runs)?;
    // The search that runs one of each class finds as many.
    let (found, _) = record::classes::<LostWakeup>(case, MOST_PATHS);
    let classes: BTreeSet<_> = letters.iter().collect();
    if !found.complete || classes.len() != found.classes.len() {
        return Err(format!("{letters:?} are not the classes of {found:?}").into());
    }
    // "Number 1 and number 11 are both an a", "all of the twelve runs with an a".
    let first = letters.iter().filter(|letter| **letter == letters[0]);
    if (letters[0], letters[10], first.count()) != ('a', 'a', 12) {
        return Err(format!("{letters:?} are not the classes that {GROWTH} names").into());
    }
    Ok(search_tree::draw(&paths, &letters)?)
}

/// The runs of two workers and two jobs, one of each class.
fn eight(_: &Path) -> Result<String, Failed> {
    let case = Case {
        workers: 2,
        jobs: 2,
        meet: false,
        pause: false,
    };
    let classes = program(GROWS).ok_or("there is no pool")?.classes;
    let (found, runs) = classes(case, MOST_PATHS);
    if !found.complete || found.endings.all() != runs.len() {
        return Err(format!("not all of them finish: {found:?}").into());
    }
    Ok(eight::draw(&runs)?)
}

fn paths_of_search<P: Pool>(case: Case, file: &str) -> Result<Vec<tree::Path>, Failed> {
    let paths = tree::paths::<P>(case, file, MOST_PATHS);
    let paths = paths.ok_or("the tree has too many paths")?;
    let mut failures = Vec::new();
    let endings = pool_model::search::<P>(case, MOST_PATHS, |failure| {
        failures.push((failure.number, failure.schedule.clone()));
        ControlFlow::Continue(())
    });
    let with = |ending| {
        let ends_so = |path: &&tree::Path| path.recording.ending == ending;
        paths.iter().filter(ends_so).count()
    };
    let walked = Endings {
        finish: with(Ending::Finish),
        deadlock: with(Ending::Deadlock),
        panic: with(Ending::Panic),
    };
    let failing = (1..).zip(&paths);
    let failing = failing.filter(|(_, path)| path.recording.ending != Ending::Finish);
    let failing = failing.map(|(number, path)| (number, path.recording.schedule.clone()));
    let failing: Vec<_> = failing.collect();
    if endings != Ok(walked) || failing != failures {
        return Err(format!(
            "the search found {endings:?} and these failures: {failures:?}; the paths of the tree \
             are {walked:?}, and those that fail: {failing:?}"
        )
        .into());
    }
    Ok(paths)
}

/// The page whose tables say how many runs there are with more workers and jobs.
const GROWTH: &str = "src/prove-a-shutdown.md";
const GROWS: &str = "listing-20-24";

fn growth(root: &Path) -> Result<String, Failed> {
    let path = root.join(GROWTH);
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rows = tables::rows(&Page::parse(GROWTH, &page))?;
    rows.retain(|row| row.listing == GROWS && !row.meet);
    let drawn = growth::draw(&rows);
    Ok(drawn.map_err(|error| format!("{GROWTH}: {error}"))?)
}

/// A picture of the book that is drawn from searches.
struct Picture {
    trial: &'static str,
    file: &'static str,
    draw: fn(&Path) -> Result<String, Failed>,
}

const PICTURES: [Picture; 3] = [
    Picture {
        trial: "timelines::search_tree",
        file: "recorded/pictures/search-tree.svg",
        draw: search_tree,
    },
    Picture {
        trial: "timelines::eight",
        file: "recorded/pictures/eight-runs.svg",
        draw: eight,
    },
    Picture {
        trial: "timelines::growth",
        file: "recorded/pictures/interleavings.svg",
        draw: growth,
    },
];

impl Picture {
    /// It is in the book as it is drawn now.
    fn check(&self, root: &Path, update: bool) -> Result<(), Failed> {
        let Picture { trial, file, .. } = self;
        let path = root.join(file);
        let drawn = (self.draw)(root)?;
        if update {
            fs::write(&path, &drawn)?;
        }
        if fs::read_to_string(&path).is_ok_and(|there| there == drawn) {
            return Ok(());
        }
        Err(format!(
            "{file} is not what is drawn from the search now. Have it drawn, and look at it: \
             UPDATE=1 cargo test timelines {trial}"
        )
        .into())
    }
}

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let root = book::root();
    let update = env::var_os("UPDATE").is_some();
    let runs = schedules::runs(&root).map_err(told)?;
    if !record::knows_lines() {
        eprintln!(
            "timelines are compared without their lines: RUSTFLAGS, or the profile, leave out what \
             tells them"
        );
    }
    let mut trials = Vec::new();
    for (name, run) in runs {
        let root = root.clone();
        let title = format!("{}::timelines::{name}", run.pool);
        trials.push(Trial::test(title, move || {
            let _turn = turn();
            check(&root, &name, &run, update)
        }));
    }
    for picture in PICTURES {
        let root = root.clone();
        trials.push(Trial::test(picture.trial, move || {
            let _turn = turn();
            picture.check(&root, update)
        }));
    }
    Ok(trials)
}
