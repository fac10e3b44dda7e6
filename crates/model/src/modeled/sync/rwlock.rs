use crate::modeled::run;
pub use shuttle::sync::{RwLockReadGuard, RwLockWriteGuard};
use std::sync::{LockResult, TryLockResult};

/// As `std::sync::RwLock`.
#[derive(Debug, Default)]
pub struct RwLock<T: ?Sized> {
    used: run::Once,
    lock: shuttle::sync::RwLock<T>,
}

impl<T> RwLock<T> {
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            used: run::Once::new(),
            lock: shuttle::sync::RwLock::new(value),
        }
    }

    #[allow(clippy::missing_errors_doc)]
    pub fn into_inner(self) -> LockResult<T> {
        self.lock.into_inner()
    }
}

#[allow(clippy::missing_errors_doc)]
impl<T: ?Sized> RwLock<T> {
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.used.used();
        self.lock.read()
    }

    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.used.used();
        self.lock.write()
    }

    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        self.used.used();
        // Who tries again and again lets others go on.
        run::yields();
        self.lock.try_read()
    }

    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        self.used.used();
        run::yields();
        self.lock.try_write()
    }

    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.lock.get_mut()
    }

    pub fn clear_poison(&self) {
        self.lock.clear_poison();
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}
