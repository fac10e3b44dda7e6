use super::MutexGuard;
use crate::record::{note, note_when_chosen, What};
use shuttle::sync::LockResult;

/// As `std::sync::Condvar`, but it never wakes without reason: shuttle's does not.
#[derive(Debug, Default)]
pub struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar(shuttle::sync::Condvar::new())
    }

    #[track_caller]
    pub fn wait<'m, T>(&self, guard: MutexGuard<'m, T>) -> LockResult<MutexGuard<'m, T>> {
        let (mutex, guard) = guard.into_parts();
        // It gives the lock back and begins to wait in one step, but not yet.
        note_when_chosen(|| What::Sleeps(mutex.id()));
        let result = self.0.wait(guard);
        mutex.taken(result)
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
    pub fn notify_one(&self) {
        self.0.notify_one();
        note(|| What::Wakes("one"));
    }

    #[track_caller]
    pub fn notify_all(&self) {
        self.0.notify_all();
        note(|| What::Wakes("all"));
    }
}
