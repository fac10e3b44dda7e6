use super::{Mutex, MutexGuard};
use crate::modeled::{clock, run};
use crate::record::{note, note_when_chosen, What};
use crate::reduced::{self, Identity, Object, Operation};
use shuttle::sync::{LockResult, PoisonError};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

/// As `std::sync::Condvar`, but no thread that waits without a deadline wakes without reason:
/// shuttle's do not.
#[derive(Default)]
pub struct Condvar {
    condvar: shuttle::sync::Condvar,
    /// How many wait without a deadline, and were not notified.
    untimed: AtomicUsize,
    /// Who waits with a deadline, and whether it was notified. These can always go on: to go on
    /// without having been notified is what it is that the time is up.
    timed: StdMutex<Vec<Arc<AtomicBool>>>,
    used: run::Once,
    object: Identity,
}

/// As `std::sync::WaitTimeoutResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar {
            condvar: shuttle::sync::Condvar::new(),
            untimed: AtomicUsize::new(0),
            timed: StdMutex::new(Vec::new()),
            used: run::Once::new(),
            object: Identity::new(),
        }
    }

    #[track_caller]
    pub fn wait<'m, T>(&self, guard: MutexGuard<'m, T>) -> LockResult<MutexGuard<'m, T>> {
        self.used.used();
        let (mutex, guard) = guard.into_parts();
        if reduced::is_on() {
            let (condvar, mutex_of_it) = self.begin_to_wait(mutex, guard);
            let wake = || Operation::Wake {
                condvar,
                mutex: mutex_of_it,
            };
            let result = reduced::operate(wake, || mutex.take_again());
            run::got();
            return mutex.taken(result);
        }
        // It gives the lock back and begins to wait in one step, but not yet.
        note_when_chosen(|| What::Sleeps(mutex.id()));
        self.untimed.fetch_add(1, Ordering::Relaxed);
        let result = self.condvar.wait(guard);
        run::got();
        mutex.taken(result)
    }

    /// In a search by classes: gives the lock back and waits from then on, in one step. Returns the
    /// numbers of the condition variable and of the lock.
    #[track_caller]
    fn begin_to_wait<'m, T>(
        &self,
        mutex: &'m Mutex<T>,
        guard: shuttle::sync::MutexGuard<'m, T>,
    ) -> (usize, usize) {
        let (condvar, of_it) = (self.object(), mutex.object());
        let wait = || Operation::Wait {
            condvar,
            mutex: of_it,
        };
        note_when_chosen(|| What::Sleeps(mutex.id()));
        reduced::operate(wait, || drop(guard));
        (condvar, of_it)
    }

    #[track_caller]
    pub fn wait_while<'m, T>(
        &self,
        mut guard: MutexGuard<'m, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'m, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    #[track_caller]
    pub fn wait_timeout<'m, T>(
        &self,
        guard: MutexGuard<'m, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'m, T>, WaitTimeoutResult)> {
        self.wait_until(guard, clock::deadline(time))
    }

    #[track_caller]
    fn wait_until<'m, T>(
        &self,
        guard: MutexGuard<'m, T>,
        deadline: Option<Duration>,
    ) -> LockResult<(MutexGuard<'m, T>, WaitTimeoutResult)> {
        let Some(deadline) = deadline else {
            return with(self.wait(guard), WaitTimeoutResult(false));
        };
        self.used.used();
        let (mutex, guard) = guard.into_parts();
        if reduced::is_on() {
            let (condvar, _) = self.begin_to_wait(mutex, guard);
            run::asks();
            let notified = reduced::operate(|| Operation::EndWait(condvar), reduced::was_notified);
            match notified {
                true => run::got(),
                false => {
                    clock::pass(deadline);
                    note(|| What::TimeIsUp);
                }
            }
            let result = WaitTimeoutResult(!notified);
            return with(mutex.lock(), result);
        }
        let notified = Arc::new(AtomicBool::new(false));
        note_when_chosen(|| What::Sleeps(mutex.id()));
        drop(guard); // nobody comes between this and the next line
        crate::search::lock(&self.timed).push(Arc::clone(&notified));
        run::asks();
        run::point();
        crate::search::lock(&self.timed).retain(|waits| !Arc::ptr_eq(waits, &notified));
        let timed_out = !notified.load(Ordering::Relaxed);
        match timed_out {
            false => run::got(),
            true => {
                clock::pass(deadline);
                note(|| What::TimeIsUp);
            }
        }
        let result = WaitTimeoutResult(timed_out);
        with(mutex.lock(), result)
    }

    #[track_caller]
    pub fn wait_timeout_while<'m, T>(
        &self,
        mut guard: MutexGuard<'m, T>,
        time: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'m, T>, WaitTimeoutResult)> {
        let deadline = clock::deadline(time);
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if deadline.is_some_and(clock::has_passed) {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            (guard, _) = self.wait_until(guard, deadline)?;
        }
    }

    fn object(&self) -> usize {
        self.object.get(|| Object::Condvar {
            waiting: Vec::new(),
            notified: Vec::new(),
        })
    }

    #[track_caller]
    pub fn notify_one(&self) {
        self.used.used();
        if reduced::is_on() {
            reduced::operate(|| Operation::NotifyOne(self.object()), || {});
            note(|| What::Wakes("one"));
            return;
        }
        if crate::search::lock(&self.timed).is_empty() {
            let untimed = self.notify_untimed();
            if untimed == 0 {
                self.notify_any(); // one that came to wait with a deadline before this thread went on
            }
        } else {
            run::point();
            self.notify_any();
        }
        note(|| What::Wakes("one"));
    }

    /// Each of those that wait may be the one.
    fn notify_any(&self) {
        let timed = crate::search::lock(&self.timed).clone();
        let waiting: Vec<_> = timed
            .iter()
            .filter(|waits| !waits.load(Ordering::Relaxed))
            .collect();
        let others = usize::from(self.untimed.load(Ordering::Relaxed) > 0);
        let chosen = match waiting.len() + others {
            0 => return,
            1 => 0,
            several => run::choose(several),
        };
        match waiting.get(chosen) {
            Some(notified) => notified.store(true, Ordering::Relaxed),
            None => {
                self.notify_untimed();
            }
        }
    }

    /// Returns how many waited.
    fn notify_untimed(&self) -> usize {
        self.condvar.notify_one(); // nobody comes between this and the next line
        let one_less = |waiting: usize| Some(waiting.saturating_sub(1));
        let waited = self
            .untimed
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        waited.unwrap_or(0)
    }

    #[track_caller]
    pub fn notify_all(&self) {
        self.used.used();
        if reduced::is_on() {
            reduced::operate(|| Operation::NotifyAll(self.object()), || {});
            note(|| What::Wakes("all"));
            return;
        }
        self.condvar.notify_all();
        self.untimed.store(0, Ordering::Relaxed);
        for notified in &*crate::search::lock(&self.timed) {
            notified.store(true, Ordering::Relaxed);
        }
        note(|| What::Wakes("all"));
    }
}

/// The guard, and how the waiting has ended.
fn with<G>(guard: LockResult<G>, result: WaitTimeoutResult) -> LockResult<(G, WaitTimeoutResult)> {
    match guard {
        Ok(guard) => Ok((guard, result)),
        Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), result))),
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

// shuttle's is neither, and std's is both: there is nothing in it that a panic could leave half done.
impl UnwindSafe for Condvar {}
impl RefUnwindSafe for Condvar {}
