//! Runs that stand for their class.

use super::replay::fits;
use super::{Ending, Recorder, Recording, Step, What, RECORDER};
use crate::reduced::{self, Exploration, Found};
use crate::search::{config, lock, program_of, Program};
use crate::{Case, Pool};
use std::sync::{Arc, Mutex};
use std::thread;

/// The search of all classes of the case, `most` at most, and the steps of each run that has finished.
/// All are kept: it is for cases that have few.
pub fn classes<P: Pool>(case: Case, most: usize) -> (Found, Vec<Vec<Step>>) {
    classes_of(program_of::<P>(case), most)
}

fn classes_of(program: Program, most: usize) -> (Found, Vec<Vec<Step>>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let finished = Arc::clone(&all);
    let found = reduced::explore(Exploration::classes(most), move || {
        RECORDER.set(Some(Recorder::new(None, &[])));
        program();
        if let Some(recorder) = RECORDER.take() {
            lock(&finished).push(recorder.told());
        }
    });
    let all = std::mem::take(&mut *lock(&all));
    (found, all)
}

/// As [`replay`](super::replay), of a schedule that a search of classes has found.
///
/// # Errors
///
/// When the schedule does not fit: a thread that it names cannot go on at that point, or the run is
/// over before.
pub fn replay_class<P: Pool>(
    case: Case,
    file: &str,
    schedule: &[usize],
) -> Result<Recording, String> {
    replay_program(program_of::<P>(case), file, schedule)
}

fn replay_program(program: Program, file: &str, schedule: &[usize]) -> Result<Recording, String> {
    let recorder = Recorder::new(Some(file), &[]);
    let mut config = config();
    config.stack_size = 1 << 20; // to look up lines takes room
    let given = schedule.to_vec();
    // A run that ends while a panic is under way leaves its thread panicking. So it has its own.
    let whole = move || {
        RECORDER.set(Some(recorder));
        let run = reduced::follow(given, config, program);
        let recorder = RECORDER.take().expect("it was set above");
        (run, recorder)
    };
    let ((taken, ending), mut recorder) =
        thread::spawn(whole).join().expect("its panics are caught");
    let Some(ending) = ending else {
        let place = taken.len() + 1;
        return Err(format!(
            "the schedule does not fit: who is chosen at its place {place} cannot go on"
        ));
    };
    if ending == Ending::Deadlock {
        recorder.events.push((None, None, What::Stuck));
    }
    let recording = Recording {
        schedule: taken,
        steps: recorder.told(),
        ending,
    };
    fits(recording, schedule.len())
}
