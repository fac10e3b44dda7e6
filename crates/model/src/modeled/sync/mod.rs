//! `std::sync`.

pub mod atomic;
mod condvar;
mod lazy;
pub mod mpsc;
mod mutex;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy::{LazyLock, OnceLock};
pub use mutex::{Mutex, MutexGuard};
pub use shuttle::sync::{Barrier, BarrierWaitResult, Once, OnceState};
pub use shuttle::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{Arc, Weak};
pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
