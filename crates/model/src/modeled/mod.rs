//! `std`, with shuttle's threads and what they share in the place of its own, which tell a recorder
//! what they do.
//!
//! None of them adds a point at which shuttle may switch threads: whether a run is recorded or not,
//! it has the same interleavings. shuttle switches *before* an operation. So what is noted right
//! after one returns is noted before any other thread does anything.

pub mod sync;
pub mod thread;

pub use std::*;

/// A line of a pool goes to the recorder, not to the terminal: a search would print millions.
#[macro_export]
macro_rules! recorded_println {
    ($($text:tt)*) => { $crate::modeled::print(format_args!($($text)*)) };
}

/// What [`recorded_println!`](crate::recorded_println!) does in the code of a pool.
#[track_caller]
pub fn print(text: std::fmt::Arguments) {
    use crate::record::{note, What};
    note(|| What::Prints(text.to_string()));
}
