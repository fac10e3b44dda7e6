//! The promise: what a timeline shows has happened. Each is replayed from its schedule, and is what
//! its file in `src/schedules` says, thread by thread and line by line.
//!
//! `UPDATE=1 cargo test --test timelines` chooses the schedules anew, and records them.
//!
//! The pictures of searches are drawn anew as well, and compared.

mod pictures;

use book_commands::schedules::{self, Ends, Run};
use book_commands::tables;
use libtest_mimic::{Arguments, Failed, Trial};
use pool_model::record::{self, Ending, Recording};
use pool_model::{tree, Case, Endings, Failure, Pool};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::{env, fs};

/// What the models print goes to the recorder.
macro_rules! println {
    ($($text:tt)*) => { pool_model::recorded_println!($($text)*) };
}

/// What can be done with a pool.
struct Program {
    replay: fn(Case, &[usize], &str) -> Result<Recording, String>,
    choose: fn(&Run, Case) -> Option<Vec<usize>>,
}

macro_rules! models {
    ($($name:literal => $module:ident,)*) => {
        $(pool_model::implement_pool!($module::ThreadPool);)*

        fn program(pool: &str) -> Option<Program> {
            match pool {
                $($name => Some(Program {
                    replay: |case, schedule, file| {
                        record::replay::<$module::ThreadPool>(case, file, schedule)
                    },
                    choose: choose::<$module::ThreadPool>,
                }),)*
                _ => None,
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// Random runs among which one is chosen.
const TRIES: u64 = 20_000;

/// A schedule for the run: the best of many where something is to be said, else the shortest of all.
fn choose<P: Pool>(run: &Run, case: Case) -> Option<Vec<usize>> {
    let ending = ending(run.ends);
    if !run.said.is_empty() {
        let said: Vec<_> = run.said.iter().map(String::as_str).collect();
        return record::find::<P>(case, ending, &said, TRIES);
    }
    let mut shortest: Option<Failure> = None;
    let searched = pool_model::search::<P>(case, usize::MAX, |failure| {
        if failure.deadlock == (ending == Ending::Deadlock) {
            failure.keep_shortest(&mut shortest);
        }
        ControlFlow::Continue(())
    });
    searched.ok().and(shortest).map(|failure| failure.schedule)
}

fn ending(ends: Ends) -> Ending {
    match ends {
        Ends::Finish => Ending::Finish,
        Ends::Deadlock => Ending::Deadlock,
        Ends::Panic => Ending::Panic,
    }
}

fn text(recording: &Recording) -> String {
    let mut text = format!("schedule: {}\n", record::written(&recording.schedule));
    for step in &recording.steps {
        let _ = writeln!(text, "{step}");
    }
    text
}

fn check(root: &Path, name: &str, run: &Run, update: bool) -> Result<(), Failed> {
    let program = program(&run.pool).ok_or_else(|| {
        format!(
            "src/schedules.toml: {name}: there is no pool `{}`",
            run.pool
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
    let schedule = match update {
        true => (program.choose)(run, case).ok_or_else(|| {
            format!("src/schedules.toml: {name}: no run was found in which that is said")
        })?,
        false => record::read(&schedules::recorded(root, name)?.schedule)?,
    };
    let recording = (program.replay)(case, &schedule, &file)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let text = text(&recording);
    if update {
        fs::write(&path, &text)?;
    }
    let recorded = fs::read_to_string(&path)?;
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
    let paths = paths_of_search::<lost_wakeup::ThreadPool>(case, "models/lost-wakeup.rs")?;
    Ok(pictures::search_tree::draw(&paths)?)
}

/// More paths than a picture has room for.
const MOST_PATHS: usize = 100;

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

/// The page whose tables say how many interleavings there are with more workers and jobs.
const GROWTH: &str = "prove-a-shutdown.md";
const GROWS: &str = "listing-20-24";

fn growth(root: &Path) -> Result<String, Failed> {
    let path = root.join("src").join(GROWTH);
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rows = tables::rows(GROWTH, &page)?;
    rows.retain(|row| row.listing == GROWS && !row.meet);
    let drawn = pictures::growth::draw(&rows);
    Ok(drawn.map_err(|error| format!("src/{GROWTH}: {error}"))?)
}

/// A picture of the book that is drawn from searches.
struct Picture {
    trial: &'static str,
    file: &'static str,
    draw: fn(&Path) -> Result<String, Failed>,
}

const PICTURES: [Picture; 2] = [
    Picture {
        trial: "timelines::search_tree",
        file: "src/pictures/search-tree.svg",
        draw: search_tree,
    },
    Picture {
        trial: "timelines::growth",
        file: "src/pictures/interleavings.svg",
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
             UPDATE=1 cargo test --test timelines {trial}"
        )
        .into())
    }
}

fn main() {
    let root = book_commands::root();
    let update = env::var_os("UPDATE").is_some();
    pool_model::silence();
    let runs = schedules::runs(&root).expect("src/schedules.toml can be read");
    let mut trials = Vec::new();
    for (name, run) in runs {
        let root = root.clone();
        let title = format!("{}::timelines::{name}", run.pool);
        trials.push(Trial::test(title, move || {
            check(&root, &name, &run, update)
        }));
    }
    for picture in PICTURES {
        let root = root.clone();
        trials.push(Trial::test(picture.trial, move || {
            picture.check(&root, update)
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
