//! The programs that are searched, and what can be done with each. `build.rs` has made them of the
//! listings, of the pools with a fault, and of the changes that the pages propose.

use super::lending::{self, Lending, Thing};
use book::schedules::{Ends, Run};
use pool_model::modeled::time::{Duration, Instant};
use pool_model::record::{self, Ending, Recording, Step};
use pool_model::reduced::{Exploration, Found};
use pool_model::{tree, Case, Endings, Failure, Left, Pool, Sampling};
use std::ops::ControlFlow;

/// What they print goes to the recorder: hundreds of thousands of runs would print millions of lines.
macro_rules! println {
    ($($text:tt)*) => { pool_model::println!($($text)*) };
}

/// Is told of each failure of a search, and ends it where it breaks.
pub type OnFailure<'f> = &'f mut dyn FnMut(&Failure) -> ControlFlow<()>;

/// What can be done with a pool.
pub struct Program {
    pub search: fn(Case, usize, OnFailure) -> Result<Endings, Endings>,
    pub explore: fn(Exploration, Case) -> Found,
    pub sample: fn(Case, Sampling, u64, usize) -> Option<Failure>,
    pub replay: fn(Case, &[usize], &str) -> Result<Recording, String>,
    pub replay_class: fn(Case, &str, &[usize]) -> Result<Recording, String>,
    pub choose: fn(&Run, Case) -> Option<Vec<usize>>,
    pub classes: fn(Case, usize) -> Classes,
}

/// What a search by classes has found, and the steps of its runs.
pub type Classes = (Found, Vec<Vec<Step>>);

impl Program {
    fn of<P: Pool>() -> Program {
        Program {
            search: |case, most, on_failure| pool_model::search::<P>(case, most, on_failure),
            explore: pool_model::explore_case::<P>,
            sample: pool_model::sample::<P>,
            replay: |case, schedule, file| record::replay::<P>(case, file, schedule),
            replay_class: record::replay_class::<P>,
            choose: choose::<P>,
            classes: record::classes::<P>,
        }
    }
}

/// A pool that is not dropped, but shut down with a deadline.
struct InTime<P>(P);

/// Gives all pools one interface, and finds a program by its name. A pool that can be shut down with a
/// deadline has a second one, in which it is. So has what lends things to a pool's workers.
macro_rules! models {
    (
        $($name:literal => $module:ident,)*
        in time: $($in_time:literal => $pool:ident,)*
        lending: $($all_back:literal, $not_all:literal => $lender:ident,)*
    ) => {
        $(pool_model::implement_pool!($module::ThreadPool);)*
        $(impl Pool for InTime<$pool::ThreadPool> {
            const HAS_DEADLINE: bool = true;

            fn new(size: usize) -> Self {
                InTime($pool::ThreadPool::new(size))
            }

            fn execute(&self, job: impl FnOnce() + Send + 'static) {
                self.0.execute(job);
            }

            fn end(self) -> Left {
                let deadline = Instant::in_run(Duration::from_secs(1));
                let Err(left) = self.0.shutdown(deadline) else {
                    return Left::default();
                };
                assert!(left.running + left.never_begun > 0, "an error, but nothing is left");
                Left { running: left.running, never_begun: left.never_begun }
            }
        })*
        $(lending::implement_pool!($lender);)*

        /// What can be done with the pool of that name.
        pub fn program(name: &str) -> Option<Program> {
            match name {
                $($name => Some(Program::of::<$module::ThreadPool>()),)*
                $($in_time => Some(Program::of::<InTime<$pool::ThreadPool>>()),)*
                $($all_back => Some(Program::of::<Lending<$lender::Lender<Thing>, false>>()),)*
                $($not_all => Some(Program::of::<Lending<$lender::Lender<Thing>, true>>()),)*
                _ => None,
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The pool whose search the book shows as a tree, the program with a data race, the pool whose jobs
/// have a handle of it, and the one whose queue has a limit.
pub use {
    handover::hand_over, listing_20_28::ThreadPool as OutlivesJobs, listing_20_35::Refused,
    listing_20_35::ThreadPool as WithLimit, lost_wakeup::ThreadPool as LostWakeup,
};

/// Random runs among which one is chosen.
const TRIES: u64 = 20_000;

/// As many as a search that is drawn or numbered has at most.
pub const MOST_PATHS: usize = 100;

/// A schedule for the run: the best of many where something is to be said, else the shortest of all.
fn choose<P: Pool>(run: &Run, case: Case) -> Option<Vec<usize>> {
    let ending = ending(run.ends);
    if let Some(number) = run.number {
        let paths = tree::paths::<P>(case, "", MOST_PATHS)?;
        let path = paths.into_iter().nth(number.checked_sub(1)?)?;
        return Some(path.recording.schedule);
    }
    if run.classes {
        let found = pool_model::explore_case::<P>(Exploration::classes(usize::MAX), case);
        let mut failures = found.failures.into_iter().flatten();
        let failure = failures.find(|failure| failure.deadlock == (ending == Ending::Deadlock));
        return failure.map(|failure| failure.schedule);
    }
    if !run.said.is_empty() {
        let said: Vec<_> = run.said.iter().map(String::as_str).collect();
        return record::find::<P>(case, ending, &said, TRIES);
    }
    let mut shortest: Option<Failure> = None;
    let searched = pool_model::search::<P>(case, usize::MAX, |failure| {
        if failure.deadlock == (ending == Ending::Deadlock) {
            failure.keep_shortest(&mut shortest);
        }
        ControlFlow::Continue(())
    });
    searched.ok().and(shortest).map(|failure| failure.schedule)
}

pub fn ending(ends: Ends) -> Ending {
    match ends {
        Ends::Finish => Ending::Finish,
        Ends::Deadlock => Ending::Deadlock,
        Ends::Panic => Ending::Panic,
    }
}
