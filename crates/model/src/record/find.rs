//! A run in which what is wanted happens.

use super::{record, switches, Ending, RECORDER};
use crate::search::{lock, program_of, Program};
use crate::{Case, Pool};
use shuttle::scheduler::{RandomScheduler, Scheduler};
use std::sync::{Arc, Mutex};

/// Looks for a run that ends so, and in which these sentences are said in this order, none of them
/// before its turn: that of `tries` random ones that goes from thread to thread most seldom, and of
/// those the shortest. The same call finds the same one.
pub fn find<P: Pool>(
    case: Case,
    ending: Ending,
    wanted: &[&str],
    tries: u64,
) -> Option<Vec<usize>> {
    find_run(&program_of::<P>(case), ending, wanted, tries)
}

fn find_run(program: &Program, ending: Ending, wanted: &[&str], tries: u64) -> Option<Vec<usize>> {
    let mut best: Option<Vec<usize>> = None;
    let mut random = RandomScheduler::new_from_seed(20, usize::MAX);
    random.new_execution();
    let random = Arc::new(Mutex::new(random));
    let wanted: Vec<String> = wanted.iter().map(|&said| said.to_owned()).collect();
    let subjects: Vec<_> = wanted.iter().map(|said| subject(said)).collect();
    for _ in 0..tries {
        let (random, subjects) = (Arc::clone(&random), subjects.clone());
        let choose = move |runnable: &[usize], current: Option<usize>| {
            let (reached, missed) = RECORDER.with_borrow(|recorder| {
                let recorder = recorder.as_ref()?;
                Some((recorder.reached, recorder.missed))
            })?;
            if missed {
                return None;
            }
            let current = current.filter(|last| runnable.contains(last));
            let Some(&next) = subjects.get(reached) else {
                return Some(current.unwrap_or(runnable[0]));
            };
            // Most often the one whose turn it is goes on, else the one that ran last, else any.
            let mut random = lock(&random);
            let any = |number: u64| runnable[usize::try_from(number).unwrap_or(0) % runnable.len()];
            Some(match random.next_u64() % 8 {
                0..4 if runnable.contains(&next) => next,
                0..7 => current.unwrap_or_else(|| any(random.next_u64() >> 8)),
                _ => any(random.next_u64() >> 8),
            })
        };
        let (recording, reached) = record(Arc::clone(program), None, &wanted, Box::new(choose));
        let cost = |schedule: &[usize]| (switches(schedule), schedule.len());
        let found = reached == wanted.len() && recording.ending == ending;
        if found
            && best
                .as_ref()
                .is_none_or(|best| cost(&recording.schedule) < cost(best))
        {
            best = Some(recording.schedule);
        }
    }
    best
}

/// The thread that a sentence is about: its first words name it.
fn subject(said: &str) -> usize {
    let worker = said
        .strip_prefix("Worker ")
        .and_then(|rest| rest.split(' ').next());
    worker
        .and_then(|number| number.parse::<usize>().ok())
        .map_or(0, |number| number + 1)
}
