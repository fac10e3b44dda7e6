//! The promise: how many runs it takes to find a fault, sampled and by classes, is as the page says.

use super::{classes, programs::program};
use book::tables;
use libtest_mimic::Failed;
use pool_model::Sampling;
use std::fs;

/// The page that compares the ways to sample, and the head of its table.
pub const PAGE: &str = "src/where-a-search-ends.md";
const HEAD: &str = "| Pool | Workers | Jobs | Random | PCT | Classes |";
/// Each way is tried with so many seeds, of which the table has the median.
const SEEDS: u64 = 101;
/// With one seed, no more than these.
const MOST_TRIES: usize = 1_000;
/// By classes, no more than these.
const MOST_CLASSES: usize = 10_000;

/// What is wrong in the rows of the table. To be looked for in a process of its own, as shuttle says
/// something of each failure.
pub fn problems() -> Result<(), Failed> {
    let page = fs::read_to_string(book::root().join(PAGE))?;
    let rows = tables::below(&page, HEAD);
    if rows.is_empty() {
        return Err(format!("{PAGE} has no table headed {HEAD}").into());
    }
    let mut problems = Vec::new();
    for (number, row) in rows {
        let cells = tables::cells(row);
        let found = sampled(&cells).ok_or_else(|| format!("{PAGE}:{number}: cannot read {row}"))?;
        if found != cells[3..] {
            problems.push(format!(
                "{PAGE}:{number}: it is {}: {row}",
                found.join(" | ")
            ));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("\n").into()),
    }
}

/// The last three cells of a row, from the first three.
fn sampled(cells: &[&str]) -> Option<[String; 3]> {
    let program = program(cells.first()?.trim_matches('`'))?;
    let (workers, jobs) = (cells.get(1)?.parse().ok()?, cells.get(2)?.parse().ok()?);
    let case = pool_model::Case {
        workers,
        jobs,
        meet: false,
        pause: false,
    };
    let told = |number: Option<usize>, most| match number {
        Some(number) => tables::with_commas(number),
        None => format!("more than {}", tables::with_commas(most)),
    };
    let [random, pct] = [Sampling::Random, Sampling::Pct].map(|sampling| {
        let runs = (1..=SEEDS).map(|seed| (program.sample)(case, sampling, seed, MOST_TRIES));
        let mut runs: Vec<_> = runs
            .map(|failure| failure.map_or(usize::MAX, |failure| failure.number))
            .collect();
        runs.sort_unstable();
        let median = runs[runs.len() / 2];
        told((median < usize::MAX).then_some(median), MOST_TRIES)
    });
    let classes = classes::first_failure(&program, case, MOST_CLASSES);
    Some([random, pct, told(classes, MOST_CLASSES)])
}
