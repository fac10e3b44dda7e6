//! A search that does not repeat itself.
//!
//! Two runs that differ only in the order of steps that have nothing to do with each other are the same
//! run: whoever reads one has read the other. Such runs are a *class* (a Mazurkiewicz trace), and this
//! search runs one of each class, where [`search`](crate::search) runs all.
//!
//! How it works: each operation of the model says what it is about to do (`point`) before the
//! scheduler chooses a thread. So the search knows what every thread would do next, and whether it
//! could. A step is one operation, and whatever its thread does up to the next one. What a step uses of
//! what threads share is a set of cells (`objects`); two steps without a common cell commute, and of
//! two uses of one cell `operation::conflict` says whether they do. From that follows which step of a
//! run *happened before* which (vector clocks, in `trace`). Where two steps of a run do not commute,
//! and neither is there because of the other, the search goes back to the first, and tries the second
//! before it. Where a thread's step was tried already, and nothing that has happened since makes a
//! difference to it, it *sleeps*: to try it once more would be to repeat a run.
//!
//! The idea is that of Flanagan and Godefroid ("Dynamic partial-order reduction for model checking
//! software", POPL 2005), the sets of threads to try and those that sleep are those of Abdulla,
//! Aronis, Jonsson, and Sagonas ("Optimal dynamic partial order reduction", POPL 2014: the algorithm
//! that they call source-DPOR).
//!
//! Why it is right: of two runs in one class, either both fail, or neither does, as each thread reads
//! the same in both. That only one order of a class is tried therefore hides nothing, as long as steps
//! that are said to commute do. What nobody has declared is taken to depend on everything: that is
//! slower, and never wrong. The tests compare the classes with those of a search through all orders
//! ([`Orders::All`]), and how the runs end with shuttle's own search, on random programs: more than a
//! hundred in each run of the tests, and as many as `SEEDS` says. Of the first 28,000 seeds, 12,155 have
//! few enough orders, and none differed.
//!
//! Threads also share the clock: a wait that ends because its time is up moves it. But which of two
//! deadlines passes first makes no difference as long as nobody looks. So the clock counts for nothing
//! until somebody does, in any run; then all that was searched is searched anew, and it counts. If in
//! one run of each class nobody looks, nobody does in any other.
//!
//! What it cannot see: which thread drops the last `Arc` of a value, where no operation of the model
//! tells; and what a thread sees of another while a panic unwinds that one's stack, if it is caught
//! there: all destructors are one step. Where a thread asks again and again, runs are left out, the
//! same ones as in a search of all orders: `fair` says which, and why.

mod declare;
mod engine;
mod objects;
mod operation;
mod rules;
mod trace;

pub(crate) use declare::{
    alone, barrier, ended, meet, of_thread, operate, place, sender_added, spawn, spawned, touch,
    uses_clock, was_notified, Identity,
};
pub(crate) use engine::is_on;
pub(crate) use objects::Object;
pub(crate) use operation::Operation;
pub use rules::{Rule, RULES};
pub use trace::Orders;

use crate::progress::Teller;
use crate::record::Ending;
use crate::search::{config, Program};
use crate::{Endings, Failure};
use engine::Engine;
use shuttle::Config;
use std::collections::BTreeSet;
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How the runs ended that came to an end.
    pub endings: Endings,
    /// Runs that were cut off, as they would have repeated another.
    pub redundant: usize,
    /// All there are were tried.
    pub complete: bool,
    /// The program uses what cannot be searched: the one failure says it.
    pub refused: bool,
    /// The class of each run.
    pub classes: BTreeSet<u64>,
    /// In at least so many orders, the steps of the program come to one of these runs.
    ///
    /// Of a run of *n* steps, these are *n*! divided by a number for each step: how many steps happened
    /// before it, and 1 for itself. Why that is not too much: one of the steps that did not happen
    /// before any other is the last, and the others can come in as many orders as there are without
    /// it. If what is said is true of runs with a step less, there are in all at least this number times
    /// the sum of the numbers of those steps, divided by *n*. And as each step of the run is one of
    /// them, or happened before one of them, that sum is not less than *n*. Where the steps are cut into
    /// blocks that come one after the other, there are at least as many as the product for the blocks:
    /// of all ways to cut, the best is taken.
    pub orders: f64,
    /// The shortest run that ended in a deadlock, and the shortest that panicked.
    pub failures: [Option<Failure>; 2],
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Exploration {
    pub orders: Orders,
    /// It ends after so many runs.
    pub most: usize,
    /// And before a run that would begin later.
    pub until: Option<Instant>,
    /// A fault, for tests that the rule is needed: what it says is not seen.
    pub without: Option<Rule>,
}

impl Exploration {
    /// One run of each class.
    pub fn classes(most: usize) -> Exploration {
        Exploration {
            orders: Orders::Classes,
            most,
            until: None,
            without: None,
        }
    }

    /// All orders.
    pub fn all(most: usize) -> Exploration {
        Exploration {
            orders: Orders::All,
            ..Exploration::classes(most)
        }
    }
}

/// Runs the program once for each class of orders in which its threads can run, or for each order.
///
/// # Panics
///
/// When the program does something else although its threads come in the same order. A program with
/// more than 64 threads is refused.
pub fn explore(exploration: Exploration, program: impl Fn() + Send + Sync + 'static) -> Found {
    explore_telling(exploration, None, Arc::new(program))
}

pub(crate) fn explore_telling(
    exploration: Exploration,
    teller: Option<Teller>,
    program: Program,
) -> Found {
    let Exploration {
        orders,
        most,
        until,
        without,
    } = exploration;
    let mut engine = Engine::new(orders, most);
    engine.trace.omitted = without.map(|rule| (rule.operation, rule.part));
    engine.until = until;
    engine.teller = teller;
    loop {
        // A run that ends while a panic is under way leaves its thread panicking. So whatever comes
        // after one has a thread of its own.
        let program = Arc::clone(&program);
        let runs = thread::spawn(move || engine.run(config(), program)).join();
        let message;
        (engine, message) = runs.unwrap_or_else(|payload| panic::resume_unwind(payload));
        if message.is_none() {
            return engine.found;
        }
    }
}

/// Runs the program once, with the schedule of a run that [`explore`] has found: after it, each thread
/// goes on as long as it can. Returns the schedule that was taken, and how the run ended; `None` if the
/// schedule does not fit. To run in a thread of its own, which may be left panicking.
pub(crate) fn follow(
    schedule: Vec<usize>,
    config: Config,
    program: Program,
) -> (Vec<usize>, Option<Ending>) {
    let mut engine = Engine::new(Orders::Classes, 1);
    engine.trace.follow = schedule.into();
    engine.clock_is_seen = true;
    let (engine, message) = engine.run(config, program);
    let ending = match (
        message,
        engine.found.redundant,
        engine.found.endings.deadlock,
    ) {
        (Some(_), ..) => Some(Ending::Panic),
        (None, 0, 0) => Some(Ending::Finish),
        (None, 0, _) => Some(Ending::Deadlock),
        _ => None,
    };
    (engine.trace.schedule(), ending)
}
