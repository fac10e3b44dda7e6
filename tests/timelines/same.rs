//! Which runs are the same: in them, the same threads do the same to each thing that they share, and
//! in the same order.

use pool_model::record::Step;
use std::collections::BTreeMap;

/// What is done to each thing that the threads share, in order: the thread, and what it does.
pub type Uses = BTreeMap<String, Vec<(usize, String)>>;

/// Of a run of a pool with locks, one atomic, and one condition variable.
///
/// # Errors
///
/// When a step uses something else.
pub fn uses(steps: &[Step]) -> Result<Uses, String> {
    let mut uses = Uses::new();
    for step in steps {
        let Some(thread) = step.thread else { continue };
        let (word, rest) = step.what.split_once(' ').unwrap_or((&step.what, ""));
        let lock = rest.split(' ').next().unwrap_or_default();
        let things = match word {
            "holds" | "releases" => vec![format!("lock {lock}")],
            "sleeps" => vec![format!("lock {lock}"), "condition variable".to_owned()],
            "wakes" => vec!["condition variable".to_owned()],
            "reads" | "writes" => vec!["flag".to_owned()],
            // Nobody minds what is printed, or who asks; an end is waited for.
            "wants" | "awaits" | "prints" | "starts" | "awaits-end" | "joined" | "begins"
            | "has-run" | "ends" | "is-done" => Vec::new(),
            _ => return Err(format!("what does this use: {step}")),
        };
        for thing in things {
            let use_ = (thread, step.said.clone());
            uses.entry(thing).or_default().push(use_);
        }
    }
    Ok(uses)
}

/// For each run, which of those before it is the first that is the same: a letter for each class.
///
/// # Errors
///
/// As [`uses`], and when there are more classes than letters.
pub fn letters<'r>(runs: impl Iterator<Item = &'r [Step]>) -> Result<Vec<char>, String> {
    let mut known: Vec<Uses> = Vec::new();
    let mut letters = Vec::new();
    for run in runs {
        let uses = uses(run)?;
        let place = known.iter().position(|known| *known == uses);
        let place = place.unwrap_or_else(|| {
            known.push(uses);
            known.len() - 1
        });
        let letter = ('a'..='z').nth(place);
        letters.push(letter.ok_or("more classes than letters")?);
    }
    Ok(letters)
}
