//! What `cargo book search` does with a pool where no case is named: it hunts, and then it proves.

use super::{explored, replays, report_found};
use crate::modeled::run;
use crate::progress::Teller;
use crate::reduced::{Exploration, Found};
use crate::search::{sample_telling, silence};
use crate::{Case, Pool, Sampling};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// As many workers as the book's server has, and as many jobs.
const MOST_WORKERS: usize = 4;
const MOST_JOBS: usize = 4;
/// So many runs are drawn in each of two ways in each of two cases, which takes about a second.
const TRIES: usize = 2_500;
/// With more classes, it is not finished, and of a smaller case with more than `FEW`. Nor is it after a
/// time: where runs are short, the numbers come first, so that two searches say the same.
const MANY: usize = 100_000;
const LONG: Duration = Duration::from_secs(30);
const FEW: usize = 20_000;
const SHORT: Duration = Duration::from_secs(3);

/// Draws runs of a pool with four workers and four jobs, and of one whose jobs meet. If one fails, says
/// in which small case that shows. If none does, runs one of each class. Where there are too many, says
/// of which smaller cases there are not.
pub(crate) fn report_prove<P: Pool>(pool: &str) -> ExitCode {
    silence();
    run::watch();
    let whole = [false, true].map(|meet| case(MOST_WORKERS, MOST_JOBS, meet));
    let hunted = whole.iter().find_map(|&case| hunted::<P>(pool, case));
    ExitCode::from(hunted.unwrap_or_else(|| proved::<P>(pool, whole)))
}

fn case(workers: usize, jobs: usize, meet: bool) -> Case {
    Case {
        workers,
        jobs,
        meet,
        pause: false,
    }
}

/// Draws runs of the case, and reports the first that fails. It hunts: what shows in a run of a dozen
/// may be in the last of a million classes.
fn hunted<P: Pool>(pool: &str, case: Case) -> Option<u8> {
    for (sampling, how) in [(Sampling::Random, "at random"), (Sampling::Pct, "by PCT")] {
        let teller = Teller::begin(case, Some(TRIES));
        let Some(failure) = sample_telling::<P>(case, sampling, 1, TRIES, teller) else {
            continue;
        };
        if let Some(why) = failure.refused() {
            println!("error: {why}");
            return Some(2);
        }
        let number = failure.number;
        println!("{case}: run {number} of those drawn {how} fails");
        return smallest::<P>(pool).or_else(|| {
            println!("  a {}", failure.told());
            println!("  {}", replays(pool, case, &failure, ""));
            Some(1)
        });
    }
    None
}

/// Runs one of each class of the cases, if there are not too many.
fn proved<P: Pool>(pool: &str, cases: [Case; 2]) -> u8 {
    let mut worst = 0;
    for case in cases {
        let found = explored::<P>(case, within(MANY, LONG));
        let status = report_found(pool, case, &found, MORE);
        if found.failures.iter().any(Option::is_some) {
            return smallest::<P>(pool).unwrap_or(status);
        }
        worst = worst.max(status);
    }
    if worst > 0 {
        println!("searched completely:");
        for (case, found) in &largest::<P>() {
            report_found(pool, *case, found, MORE);
        }
    }
    worst
}

const MORE: &str = "and there are more, which were not run";

fn within(most: usize, time: Duration) -> Exploration {
    Exploration {
        until: Some(Instant::now() + time),
        ..Exploration::classes(most)
    }
}

/// All cases up to the largest, from the smallest on.
fn cases() -> impl Iterator<Item = Case> {
    let sizes = 1..=MOST_WORKERS + MOST_JOBS;
    let cases = sizes.flat_map(|size| (1..=MOST_WORKERS.min(size)).map(move |w| (w, size - w)));
    let cases = cases.filter(|(_, jobs)| *jobs <= MOST_JOBS);
    cases.flat_map(|(workers, jobs)| {
        let can_meet = 2 <= jobs && jobs <= workers;
        let meet = can_meet.then(|| case(workers, jobs, true));
        [Some(case(workers, jobs, false)), meet]
            .into_iter()
            .flatten()
    })
}

/// Reports the smallest case of which a run fails.
fn smallest<P: Pool>(pool: &str) -> Option<u8> {
    cases().find_map(|case| {
        let found = explored::<P>(case, within(FEW, SHORT));
        let fails = found.failures.iter().any(Option::is_some);
        fails.then(|| {
            println!("the smallest case in which one fails:");
            report_found(pool, case, &found, MORE);
            1
        })
    })
}

/// The cases of which each class is run, without those that are smaller than another of them.
fn largest<P: Pool>() -> Vec<(Case, Found)> {
    let is_within = |small: &Case, large: &Case| {
        small.meet == large.meet && small.workers <= large.workers && small.jobs <= large.jobs
    };
    let (mut complete, mut too_large): (Vec<(Case, Found)>, Vec<Case>) = Default::default();
    for case in cases() {
        if too_large.iter().any(|other| is_within(other, &case)) {
            continue;
        }
        let found = explored::<P>(case, within(FEW, SHORT));
        if found.complete {
            complete.retain(|(other, _)| !is_within(other, &case));
            complete.push((case, found));
        } else {
            too_large.push(case);
        }
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_come_from_the_smallest_on_and_end_with_the_whole() {
        let cases: Vec<_> = cases().map(|case| case.to_string()).collect();
        assert_eq!(
            cases[..9],
            [
                "1 worker, 0 jobs",
                "1 worker, 1 job",
                "2 workers, 0 jobs",
                "1 worker, 2 jobs",
                "2 workers, 1 job",
                "3 workers, 0 jobs",
                "1 worker, 3 jobs",
                "2 workers, 2 jobs",
                "2 workers, 2 jobs that meet",
            ]
        );
        // 4 times 5 cases, and those in which from 2 to 4 jobs meet.
        assert_eq!(cases.len(), 4 * 5 + 3 + 2 + 1);
        assert_eq!(cases[cases.len() - 1], "4 workers, 4 jobs that meet");
    }
}
