//! Turns at the processor: few tests work at a time, while any number waits.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// As many tests are under way at a time, most of them waiting.
pub const MOST_THREADS: usize = 48;

static WORKING: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// The right to work, until this is dropped.
pub struct Turn(());

/// Waits for a turn at the processor. Who has one must not wait for another.
///
/// There are three for each core: what works also waits now and then, for a disk or a process that it
/// has started, and where others are busy, who does more at a time gets a larger share.
pub fn turn() -> Turn {
    let most = 3 * thread::available_parallelism().map_or(1, usize::from);
    let working = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut working = GIVEN_BACK
        .wait_while(working, |working| *working >= most)
        .unwrap_or_else(PoisonError::into_inner);
    *working += 1;
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        *WORKING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        GIVEN_BACK.notify_one();
    }
}
