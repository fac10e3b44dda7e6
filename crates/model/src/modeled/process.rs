//! `std::process`. What ends the process would end the search without a word.

use super::run::refuse;
pub use std::process::*;

/// As `std::process::exit`.
#[track_caller]
pub fn exit(_: i32) -> ! {
    refuse("`process::exit` ends the whole program, the search with it: return, or panic")
}

/// As `std::process::abort`.
#[track_caller]
pub fn abort() -> ! {
    refuse("`process::abort` ends the whole program, the search with it: return, or panic")
}
