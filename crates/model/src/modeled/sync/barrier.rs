use crate::modeled::run;
pub use shuttle::sync::BarrierWaitResult;
use std::fmt;
use std::sync::OnceLock;

/// As `std::sync::Barrier`.
pub struct Barrier {
    threads: usize,
    /// shuttle's cannot be made for a `static`.
    barrier: OnceLock<shuttle::sync::Barrier>,
    used: run::Once,
}

impl Barrier {
    #[track_caller]
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
        let new = || shuttle::sync::Barrier::new(self.threads);
        self.barrier.get_or_init(new).wait()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
