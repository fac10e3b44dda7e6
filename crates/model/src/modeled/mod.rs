//! What stands in the place of std's modules: shuttle's threads and what they share, which tell a
//! recorder what they do.
//!
//! None of them adds a point at which shuttle may switch threads because a run is recorded: recorded
//! or not, it has the same interleavings. shuttle switches *before* an operation. So what is noted
//! right after one returns is noted before any other thread does anything.

mod clock;
pub mod hint;
mod macros;
pub mod prelude;
pub mod process;
pub mod run;
pub mod sync;
pub mod thread;
pub mod time;

pub use macros::{debug, print};
