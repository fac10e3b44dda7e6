//! The search that runs one interleaving of each class comes to the same verdicts as the one that runs
//! them all, in every case of the pages' tables.

use super::programs::{program, Program};
use super::{all_cases, is_expected, searched, Case};
use book::tables::Searched;
use libtest_mimic::Failed;
use pool_model::record::Ending;
use pool_model::reduced::Exploration;
use pool_model::Endings;
use std::fmt::Write;

/// No case of the tables has as many classes.
const MOST: usize = 100_000;

/// Runs one of each class, and replays the shortest of those that fail.
pub fn explore(case: &Case, program: &Program) -> Result<Endings, String> {
    let searched = searched(case);
    let found = (program.explore)(Exploration::classes(MOST), searched);
    for failure in found.failures.iter().flatten() {
        let replayed = (program.replay_class)(searched, "lib.rs", &failure.schedule);
        let ends = replayed.map(|run| run.ending != Ending::Finish);
        if ends != Ok(true) || !is_expected(case, failure) {
            return Err(format!(
                "the page does not name {failure:?}; replayed: {ends:?}"
            ));
        }
    }
    match found.complete && found.endings.all() == found.classes.len() {
        true => Ok(found.endings),
        false => Err(format!("not each class once: {found:?}")),
    }
}

/// Which run is the first to fail of the search by classes, if one of the first `most` does.
pub fn first_failure(program: &Program, case: pool_model::Case, most: usize) -> Option<usize> {
    let fails = |most| {
        let found = (program.explore)(Exploration::classes(most), case);
        found.failures.iter().any(Option::is_some)
    };
    // The first runs are the same, however many there are.
    let mut fail = fails(most).then_some(most)?;
    let mut finish = 0;
    while fail - finish > 1 {
        let middle = usize::midpoint(finish, fail);
        match fails(middle) {
            true => fail = middle,
            false => finish = middle,
        }
    }
    Some(fail)
}

/// What differs, a line for each case that is searched in all orders. It is to run in a process of its
/// own, as shuttle says something of each failure.
pub fn problems() -> Result<String, Failed> {
    let mut problems = String::new();
    for case in all_cases()?.0 {
        let (place, listing, said) = (&case.place, &case.listing, case.said);
        if case.searched == Searched::Classes {
            continue; // it has a test of its own
        }
        let program = program(listing).ok_or_else(|| format!("there is no {listing}"))?;
        let found = explore(&case, &program);
        let same = found.as_ref().is_ok_and(|found| {
            let said = [said.finish, said.deadlock, said.panic];
            said.map(|runs| runs > 0)
                == [found.finish, found.deadlock, found.panic].map(|runs| runs > 0)
        });
        if !same {
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
