use crate::modeled::run;
pub use shuttle::sync::BarrierWaitResult;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// As `std::sync::Barrier`. Whoever comes last is the leader: to shuttle, it is no point to switch at
/// when one comes that waits, so that only some could be the last.
#[derive(Debug)]
pub struct Barrier(shuttle::sync::Barrier);

impl Barrier {
    #[track_caller]
    #[must_use]
    pub fn new(threads: usize) -> Barrier {
        Barrier(shuttle::sync::Barrier::new(threads))
    }

    pub fn wait(&self) -> BarrierWaitResult {
        run::point();
        self.0.wait()
    }
}

// shuttle's is neither, and std's is both: there is nothing in it that a panic could leave half done.
impl UnwindSafe for Barrier {}
impl RefUnwindSafe for Barrier {}
