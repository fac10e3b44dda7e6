//! `std::sync`.

pub mod atomic;
mod condvar;
pub mod mpsc;
mod mutex;

pub use condvar::Condvar;
pub use mutex::{Mutex, MutexGuard};
pub use shuttle::sync::*;
