// ANCHOR: uses
//! What is lent to a pool's workers, and comes back.

use crate::{ThreadPool, Unfinished};
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
        Arc,
    },
    time::Instant,
};
// ANCHOR_END: uses

// ANCHOR: lender
/// A pool, and the things that its workers have.
pub struct Lender<T> {
    pool: ThreadPool,
    /// How many are lent.
    lent: usize,
    returned: Receiver<T>,
    give_back: Sender<T>,
    wake: Arc<dyn Fn() + Send + Sync>,
    /// Since somebody has last looked for what has come back, it was woken.
    is_woken: Arc<AtomicBool>,
}

/// A thing that is lent. Whatever becomes of the job that has it, it goes back.
struct Loan<T> {
    thing: Option<T>,
    give_back: Sender<T>,
    wake: Arc<dyn Fn() + Send + Sync>,
}
// ANCHOR_END: lender

// ANCHOR: new
impl<T: Send + 'static> Lender<T> {
    /// After a return, `wake` is called, on the thread of a worker; and not again before
    /// `take_back` has looked for it.
    pub fn new(pool: ThreadPool, wake: impl Fn() + Send + Sync + 'static) -> Lender<T> {
        let (give_back, returned) = mpsc::channel();
        let is_woken = Arc::new(AtomicBool::new(false));
        let was_woken = Arc::clone(&is_woken);
        let wake = move || {
            if !was_woken.swap(true, Ordering::SeqCst) {
                wake();
            }
        };
        Lender {
            pool,
            lent: 0,
            returned,
            give_back,
            wake: Arc::new(wake),
            is_woken,
        }
    }
    // ANCHOR_END: new

    // ANCHOR: lend
    /// Lends `thing` to the first worker that is free, for this work. If the pool's
    /// queue is full, the thing comes back without it.
    pub fn lend(&mut self, thing: T, work: impl FnOnce(&mut T) + Send + 'static) {
        let mut loan = Loan {
            thing: Some(thing),
            give_back: self.give_back.clone(),
            wake: Arc::clone(&self.wake),
        };
        self.lent += 1;
        // A job that is refused is dropped, and its loan with it.
        let _ = self
            .pool
            .try_execute(move || loan.thing.as_mut().map_or((), work));
    }
    // ANCHOR_END: lend

    // ANCHOR: take_back
    /// Takes a thing that has come back. Does not wait for one.
    pub fn take_back(&mut self) -> Option<T> {
        // Before the look: whatever comes after it wakes once more.
        self.is_woken.store(false, Ordering::SeqCst);
        let thing = self.returned.try_recv().ok()?;
        self.lent -= 1;
        Some(thing)
    }

    pub fn lent(&self) -> usize {
        self.lent
    }

    /// Shuts the pool down, and takes what has come back by then. `running` are those that
    /// have not: their workers still have them.
    pub fn shutdown(self, deadline: Instant) -> (Unfinished, Vec<T>) {
        let never_begun = match self.pool.shutdown(deadline) {
            Ok(()) => 0,
            Err(unfinished) => unfinished.never_begun,
        };
        let returned: Vec<T> = self.returned.try_iter().collect();
        // To the pool, a job still runs when it has given its thing back.
        let running = self.lent - returned.len();
        let unfinished = Unfinished {
            running,
            never_begun,
        };
        (unfinished, returned)
    }
}
// ANCHOR_END: take_back

// ANCHOR: loan
impl<T> Drop for Loan<T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            // In this order: who is woken finds it. (If nobody wants it back, it ends here.)
            let _ = self.give_back.send(thing);
            (self.wake)();
        }
    }
}
// ANCHOR_END: loan
