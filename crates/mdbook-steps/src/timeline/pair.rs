//! Two runs that are the same, side by side: each thread does the same in both, only the turns differ.

use super::{caption, events};
use crate::render::inline_code;
use anyhow::{ensure, Context, Result};
use book::schedules::{Recorded, Run, Step};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The figure of the two. A step has the same number in both, that of the first run.
///
/// # Errors
///
/// When a thread does something else in one than in the other.
pub(super) fn figure(name: &str, runs: [(&Run, &Recorded); 2]) -> Result<String> {
    let [(_, first), (_, second)] = runs;
    let numbers = numbers(&first.steps, &second.steps)?;
    let in_order: Vec<_> = (1..=first.steps.len()).collect();
    let mut lists = String::new();
    for ((run, recorded), numbers) in runs.into_iter().zip([&in_order, &numbers]) {
        let title = inline_code(&run.title);
        let events = events(run, &recorded.steps, numbers)?;
        writeln!(lists, "<div class=\"run\"><p>{title}</p>{events}</div>")?;
    }
    let caption = caption(&[runs[0].0], &lists);
    let steps = first.steps.len();
    Ok(format!(
        "<figure class=\"timeline\" id=\"timeline-{name}\">\n{caption}\
         <same-runs style=\"--steps: {steps}\">\n{lists}</same-runs>\n</figure>\n\n"
    ))
}

/// Which step of the first run each of the second is.
fn numbers(first: &[Step], second: &[Step]) -> Result<Vec<usize>> {
    let mut to_come: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (index, step) in first.iter().enumerate().rev() {
        let of_thread = to_come.entry(step.thread).or_default();
        of_thread.push((index + 1, (&step.what, &step.said)));
    }
    let numbers = second.iter().map(|step| {
        let next = to_come.get_mut(&step.thread).and_then(Vec::pop);
        let (number, does) = next.with_context(|| format!("only in one run: {}", step.said))?;
        let (what, said) = does;
        ensure!(
            (what, said) == (&step.what, &step.said),
            "not the same in both: {said} {}",
            step.said
        );
        Ok(number)
    });
    let numbers = numbers.collect::<Result<Vec<_>>>()?;
    ensure!(numbers.len() == first.len(), "one run is longer");
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(does: &[(usize, &str)]) -> Vec<Step> {
        let step = |&(thread, what): &(usize, &str)| Step {
            thread: Some(thread),
            line: None,
            what: what.to_owned(),
            said: what.to_owned(),
        };
        does.iter().map(step).collect()
    }

    #[test]
    fn a_step_has_the_number_that_it_has_in_the_first_run() {
        let first = steps(&[(0, "a"), (1, "b"), (0, "c"), (1, "b")]);
        let second = steps(&[(1, "b"), (0, "a"), (1, "b"), (0, "c")]);
        assert_eq!(numbers(&first, &second).unwrap(), [2, 1, 4, 3]);
    }

    #[test]
    fn runs_in_which_a_thread_does_something_else_are_refused() {
        let first = steps(&[(0, "a"), (1, "b")]);
        for (second, why) in [
            (steps(&[(1, "a"), (0, "b")]), "not the same in both: b a"),
            (steps(&[(0, "a")]), "one run is longer"),
            (steps(&[(0, "a"), (0, "b"), (1, "b")]), "only in one run: b"),
        ] {
            let error = numbers(&first, &second).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
    }
}
