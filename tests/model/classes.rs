//! The search that runs one interleaving of each class comes to the same verdicts as the one that runs
//! them all, in every case of the pages' tables.

use super::{all_cases, programs::program};
use libtest_mimic::Failed;
use pool_model::record::Ending;
use pool_model::reduced::Exploration;
use std::fmt::Write;

/// No case of the tables has as many classes.
const MOST: usize = 20_000;

/// What differs, a line for each case. It is to run in a process of its own, as shuttle says something
/// of each failure.
pub fn problems() -> Result<String, Failed> {
    let mut problems = String::new();
    for case in all_cases()?.0 {
        let (place, listing, said) = (&case.place, &case.listing, case.said);
        let program = program(listing).ok_or_else(|| format!("there is no {listing}"))?;
        let searched = pool_model::Case {
            workers: case.workers,
            jobs: case.jobs,
            meet: case.meet,
            pause: false,
        };
        let found = (program.explore)(Exploration::classes(MOST), searched);
        for failure in found.failures.iter().flatten() {
            let replayed = (program.replay_class)(searched, "lib.rs", &failure.schedule);
            let ends = replayed.map(|run| run.ending != Ending::Finish);
            if ends != Ok(true) {
                writeln!(problems, "{place}: {listing}: {ends:?} of {failure:?}")?;
            }
        }
        let are = [
            found.endings.finish,
            found.endings.deadlock,
            found.endings.panic,
        ]
        .map(|runs| runs > 0);
        let as_said = [said.finish, said.deadlock, said.panic].map(|runs| runs > 0) == are;
        let once = found.endings.all() == found.classes.len();
        if !found.complete || !as_said || !once {
            writeln!(problems, "{place}: {listing}: {found:?}")?;
        }
    }
    problems += &tally()?;
    Ok(problems)
}

/// Who takes which job, and in which order the workers end: of Listing 20-24 with `w` workers and `j`
/// jobs, there are `w^j * w!` really different runs.
fn tally() -> Result<String, Failed> {
    let explore = program("listing-20-24")
        .ok_or("there is no Listing 20-24")?
        .explore;
    let mut problems = String::new();
    for (workers, jobs, classes) in [(1, 3, 1), (2, 2, 8), (3, 3, 162), (4, 2, 384)] {
        let case = pool_model::Case {
            workers,
            jobs,
            meet: false,
            pause: false,
        };
        let found = explore(Exploration::classes(MOST), case);
        if (found.endings.finish, found.endings.all(), found.redundant) != (classes, classes, 0) {
            writeln!(problems, "{workers} workers, {jobs} jobs: {found:?}")?;
        }
    }
    Ok(problems)
}
