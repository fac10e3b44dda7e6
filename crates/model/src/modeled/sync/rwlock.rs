use crate::modeled::run;
use crate::search::lock;
use shuttle::future::batch_semaphore::{BatchSemaphore, Fairness};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, Mutex as StdMutex, PoisonError, TryLockError, TryLockResult};

/// More than read at the same time.
const ALL: usize = 1 << 20;

/// As `std::sync::RwLock`. shuttle's own loses a reader for ever when a thread that reads tries to
/// read once more.
///
/// A thread that reads and calls `read` again is taken to wait for itself: std's may block or panic
/// there. `try_read` lets it in.
pub struct RwLock<T: ?Sized> {
    used: run::Once,
    /// Who reads has one of them, who writes all.
    permits: BatchSemaphore,
    /// Threads that have a guard, once for each.
    holders: StdMutex<Vec<usize>>,
    /// Nobody ever waits for it: who comes here has the permits.
    lock: std::sync::RwLock<T>,
}

impl<T> RwLock<T> {
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            used: run::Once::new(),
            permits: BatchSemaphore::const_new(ALL, Fairness::Unfair),
            holders: StdMutex::new(Vec::new()),
            lock: std::sync::RwLock::new(value),
        }
    }

    #[allow(clippy::missing_errors_doc)]
    pub fn into_inner(self) -> LockResult<T> {
        self.lock.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.wait_for(1);
        self.reads()
    }

    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.wait_for(ALL);
        self.writes()
    }

    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        match self.is_free(1) {
            true => Ok(self.reads()?),
            false => Err(TryLockError::WouldBlock),
        }
    }

    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        match self.is_free(ALL) {
            true => Ok(self.writes()?),
            false => Err(TryLockError::WouldBlock),
        }
    }

    #[track_caller]
    fn wait_for(&self, permits: usize) {
        self.used.used();
        // As shuttle says it of its own locks.
        assert!(
            !lock(&self.holders).contains(&run::thread()),
            "deadlock! task {} tried to acquire a RwLock it already holds",
            run::thread()
        );
        let _ = self.permits.acquire_blocking(permits);
    }

    #[track_caller]
    fn is_free(&self, permits: usize) -> bool {
        self.used.used();
        // Who tries again and again lets others go on.
        run::asks();
        self.permits.try_acquire(permits).is_ok()
    }

    fn holds(&self, permits: usize) -> Hold<'_> {
        lock(&self.holders).push(run::thread());
        Hold {
            thread: run::thread(),
            holders: &self.holders,
            free: &self.permits,
            permits,
        }
    }

    fn reads(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let hold = self.holds(1);
        match self.lock.read() {
            Ok(value) => Ok(RwLockReadGuard { hold, value }),
            Err(poisoned) => Err(PoisonError::new(RwLockReadGuard {
                hold,
                value: poisoned.into_inner(),
            })),
        }
    }

    fn writes(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let hold = self.holds(ALL);
        match self.lock.write() {
            Ok(value) => Ok(RwLockWriteGuard { hold, value }),
            Err(poisoned) => Err(PoisonError::new(RwLockWriteGuard {
                hold,
                value: poisoned.into_inner(),
            })),
        }
    }

    #[allow(clippy::missing_errors_doc)]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.lock.get_mut()
    }

    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        self.used.used();
        run::point();
        self.lock.is_poisoned()
    }

    #[track_caller]
    pub fn clear_poison(&self) {
        self.used.used();
        run::point();
        self.lock.clear_poison();
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.lock.fmt(f)
    }
}

impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

/// That a thread has the lock.
struct Hold<'l> {
    thread: usize,
    holders: &'l StdMutex<Vec<usize>>,
    free: &'l BatchSemaphore,
    permits: usize,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.free.release(self.permits);
        let mut holders = lock(self.holders);
        if let Some(place) = holders.iter().position(|thread| *thread == self.thread) {
            holders.swap_remove(place);
        }
    }
}

// In both, the value's own guard is dropped after the hold, and nobody comes between.

/// As `std::sync::RwLockReadGuard`.
pub struct RwLockReadGuard<'l, T: ?Sized> {
    #[allow(dead_code)]
    hold: Hold<'l>,
    value: std::sync::RwLockReadGuard<'l, T>,
}

/// As `std::sync::RwLockWriteGuard`.
pub struct RwLockWriteGuard<'l, T: ?Sized> {
    #[allow(dead_code)]
    hold: Hold<'l>,
    value: std::sync::RwLockWriteGuard<'l, T>,
}

macro_rules! guard {
    ($name:ident) => {
        impl<T: ?Sized> Deref for $name<'_, T> {
            type Target = T;
            fn deref(&self) -> &T {
                &self.value
            }
        }

        impl<T: ?Sized + fmt::Debug> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

guard!(RwLockReadGuard);
guard!(RwLockWriteGuard);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
