//! Searches every interleaving of a thread pool: every order in which its threads can come to their
//! next lock, channel, or end.
//!
//! This crate stands in the place of `std` for the crate whose pool it is: there, it is a dependency of
//! that name, and its root has all that std's has. Threads and what they share are those of [shuttle](https://docs.rs/shuttle), which runs one of them at a time and
//! decides which. What is printed goes to a recorder. Whatever else the code uses is std's own.
//! [`known`] says of each item of std's that has to do with threads or time which of these it is.

pub use ::std::*;

// In their place: explicit names come before those of the glob.
pub use modeled::{hint, prelude, process, sync, thread, time};

mod fair;
pub mod known;
#[doc(hidden)]
pub mod modeled;
mod program;
pub mod progress;
pub mod record;
pub mod reduced;
mod report;
mod search;
pub mod tree;

pub use program::program;
pub use report::{report, report_replay, How};
pub use search::{
    explore_case, sample, search, search_any, silence, Case, Endings, Failure, Left, Pool, Sampling,
};
