// ANCHOR: program
use std::sync::atomic::{AtomicBool, Ordering};
use std::{cell::UnsafeCell, env, sync::Arc, thread};

// ANCHOR: handover
#[derive(Default)]
struct Outcome {
    result: UnsafeCell<u64>,
    done: AtomicBool,
}
// SAFETY: wrong on purpose. `done` has to be stored with Release and loaded with Acquire.
unsafe impl Sync for Outcome {}

/// Has a thread run a job, and asks for its result three times. Was it there in time?
pub fn hand_over() -> bool {
    let ours = Arc::new(Outcome::default());
    let theirs = Arc::clone(&ours);
    let job = thread::spawn(move || {
        // SAFETY: nobody reads the result before `done`.
        unsafe { *theirs.result.get() = 42 };
        theirs.done.store(true, Ordering::Relaxed);
    });
    let mut polls = (0..3).inspect(|_| thread::yield_now());
    let seen = polls.any(|_| ours.done.load(Ordering::Relaxed));
    if seen {
        // SAFETY: wrong on purpose. Relaxed promises nothing about the result.
        assert_eq!(unsafe { *ours.result.get() }, 42);
    }
    job.join().unwrap();
    seen
}
// ANCHOR_END: handover

fn main() {
    let runs = env::args().nth(1).map_or(1000, |n| n.parse().unwrap());
    let seen = (0..runs).filter(|_| hand_over()).count();
    println!("{seen} of {runs} runs saw the result, and it was 42");
}
// ANCHOR_END: program
