//! A run with a schedule that there is already.

use super::{name, record, Recording};
use crate::search::{lock, program_of, Program};
use crate::{Case, Pool};
use std::sync::{Arc, Mutex};

/// Runs the program of the case once, with this schedule. `file` is the end of the path of the
/// pool's file: the lines are lines of it. Where the schedule ends before the run does, the thread
/// that ran last goes on as long as it can, and then the first that can.
///
/// A panic is what it is to std: the end of one thread.
///
/// # Errors
///
/// When the schedule does not fit: a thread that it names cannot go on at that point, or the run is
/// over before.
pub fn replay<P: Pool>(case: Case, file: &str, schedule: &[usize]) -> Result<Recording, String> {
    replay_program(program_of::<P>(case), file, schedule)
}

fn replay_program(program: Program, file: &str, schedule: &[usize]) -> Result<Recording, String> {
    let (schedule, given) = (schedule.to_vec(), schedule.len());
    let mut place = 0;
    let wrong = Arc::new(Mutex::new(None));
    let says_wrong = Arc::clone(&wrong);
    let choose = move |runnable: &[usize], current: Option<usize>| {
        let next = schedule
            .get(place)
            .copied()
            .or(current.filter(|last| runnable.contains(last)));
        let next = next.unwrap_or(runnable[0]);
        place += 1;
        if runnable.contains(&next) {
            return Some(next);
        }
        let says = format!(
            "the schedule does not fit: at its place {place}, {} cannot go on",
            name(next)
        );
        *lock(&says_wrong) = Some(says);
        None
    };
    let recording = record(program, Some(file), &[], Box::new(choose));
    if let Some(wrong) = lock(&wrong).take() {
        return Err(wrong);
    }
    fits(recording.0, given)
}

/// The recording, if the run has not ended before its schedule did.
pub(super) fn fits(recording: Recording, given: usize) -> Result<Recording, String> {
    match recording.schedule.len() {
        taken if taken < given => Err(format!(
            "the schedule does not fit: the run ends after {taken} of its {given} choices"
        )),
        _ => Ok(recording),
    }
}
