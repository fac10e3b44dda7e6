use crate::modeled::run;
pub use shuttle::sync::BarrierWaitResult;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;

/// As `std::sync::Barrier`. Whoever comes last is the leader: to shuttle, it is no point to switch at
/// when one comes that waits, so that only some could be the last.
pub struct Barrier {
    threads: usize,
    /// shuttle's cannot be made for a `static`.
    barrier: OnceLock<shuttle::sync::Barrier>,
    used: run::Once,
}

impl Barrier {
    #[track_caller]
    #[must_use]
    pub const fn new(threads: usize) -> Barrier {
        Barrier {
            threads,
            barrier: OnceLock::new(),
            used: run::Once::new(),
        }
    }

    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        self.used.used();
        run::point();
        let new = || shuttle::sync::Barrier::new(self.threads);
        self.barrier.get_or_init(new).wait()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

// shuttle's is neither, and std's is both: there is nothing in it that a panic could leave half done.
impl UnwindSafe for Barrier {}
impl RefUnwindSafe for Barrier {}
