use crate::modeled::run;
use crate::record::{note, What};
use crate::reduced::{self, Identity, Object, Operation};
use shuttle::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

/// As `std::sync::Mutex`.
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    used: run::Once,
    poisoned: AtomicBool,
    object: Identity,
    mutex: shuttle::sync::Mutex<T>,
}

/// As `std::sync::MutexGuard`.
pub struct MutexGuard<'m, T: ?Sized> {
    /// There until the guard is dropped, or taken apart.
    guard: Option<shuttle::sync::MutexGuard<'m, T>>,
    mutex: &'m Mutex<T>,
    /// A panic that was under way before the lock was taken does not poison it.
    was_panicking: bool,
}

const HELD: &str = "a guard that can be used holds its lock";

impl<T> Mutex<T> {
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            used: run::Once::new(),
            poisoned: AtomicBool::new(false),
            object: Identity::new(),
            mutex: shuttle::sync::Mutex::new(value),
        }
    }

    #[allow(clippy::missing_errors_doc)]
    pub fn into_inner(self) -> LockResult<T> {
        self.mutex.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// What tells this lock from others.
    pub(super) fn id(&self) -> usize {
        std::ptr::from_ref(&self.mutex).cast::<()>().addr()
    }

    /// Its number in a search that does not repeat itself.
    pub(super) fn object(&self) -> usize {
        self.object.get(|| Object::Lock { held: false })
    }

    /// Takes it, as a waiter that has been notified: it is free.
    pub(super) fn take_again(&self) -> LockResult<shuttle::sync::MutexGuard<'_, T>> {
        self.mutex.lock()
    }

    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.used.used();
        note(|| What::Wants(self.id()));
        let lock = || Operation::Lock(self.object());
        let result = reduced::operate(lock, || self.mutex.lock());
        self.taken(result)
    }

    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        self.used.used();
        // Who tries again and again lets others go on.
        run::asks();
        let lock = || Operation::TryLock(self.object());
        match reduced::operate(lock, || self.mutex.try_lock()) {
            Ok(guard) => Ok(self.taken(Ok(guard))?),
            Err(TryLockError::Poisoned(poisoned)) => Ok(self.taken(Err(poisoned))?),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    #[track_caller]
    pub(super) fn taken<'m>(
        &'m self,
        result: LockResult<shuttle::sync::MutexGuard<'m, T>>,
    ) -> LockResult<MutexGuard<'m, T>> {
        note(|| What::Holds(self.id(), result.is_err()));
        self.poisoned.store(result.is_err(), Ordering::Relaxed);
        let guard = |guard| MutexGuard {
            guard: Some(guard),
            mutex: self,
            was_panicking: std::thread::panicking(),
        };
        match result {
            Ok(free) => Ok(guard(free)),
            Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
        }
    }

    #[allow(clippy::missing_errors_doc)]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.mutex.get_mut()
    }

    #[track_caller]
    pub fn clear_poison(&self) {
        self.used.used();
        run::point();
        self.poisoned.store(false, Ordering::Relaxed);
        self.mutex.clear_poison();
    }

    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        self.used.used();
        run::point();
        self.poisoned.load(Ordering::Relaxed)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.mutex.fmt(f)
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<'m, T: ?Sized> MutexGuard<'m, T> {
    /// Its lock, still held, and what holds it.
    pub(super) fn into_parts(mut self) -> (&'m Mutex<T>, shuttle::sync::MutexGuard<'m, T>) {
        (self.mutex, self.guard.take().expect(HELD))
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            let unlock = || Operation::Unlock(self.mutex.object());
            reduced::operate(unlock, || drop(guard));
            if std::thread::panicking() && !self.was_panicking {
                self.mutex.poisoned.store(true, Ordering::Relaxed);
            }
            note(|| What::Releases(self.mutex.id()));
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.guard.as_ref().expect(HELD)
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect(HELD)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).fmt(f)
    }
}
