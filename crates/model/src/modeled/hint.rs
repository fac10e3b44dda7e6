//! `std::hint`.

pub use std::hint::*;

/// As `std::hint::spin_loop`: while a thread spins, others go on.
pub fn spin_loop() {
    crate::thread::yield_now();
}
