//! A pool whose queue has a limit, and which is not dropped before all that it has taken has run: a
//! drop wakes every worker, and here, only the jobs do. What it gives back, `main` runs, so that each
//! job runs once: in a worker, or after it was given back.

use super::programs::{Refused, WithLimit};
use pool_model::modeled::sync::mpsc;
use pool_model::reduced::Exploration;
use pool_model::{Case, Endings, Left, Pool};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Bounded<const LIMIT: usize> {
    pool: WithLimit,
    /// As many jobs it may have at a time.
    most: usize,
    taken: Cell<usize>,
    /// Of those that were taken, how many are known to have run.
    ran: Cell<usize>,
    has_run: mpsc::Sender<()>,
    run: mpsc::Receiver<()>,
}

/// How many jobs were given back, in all runs of a case.
static GIVEN_BACK: AtomicUsize = AtomicUsize::new(0);

impl<const LIMIT: usize> Pool for Bounded<LIMIT> {
    fn new(size: usize) -> Self {
        let (has_run, run) = mpsc::channel();
        Bounded {
            pool: WithLimit::bounded(size, LIMIT).unwrap(),
            most: size + LIMIT,
            taken: Cell::new(0),
            ran: Cell::new(0),
            has_run,
            run,
        }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let has_run = self.has_run.clone();
        let queued = self.pool.try_execute(move || {
            job();
            has_run.send(()).unwrap();
        });
        match queued {
            Ok(()) => {
                self.taken.set(self.taken.get() + 1);
                self.ran.set(self.ran.get() + self.run.try_iter().count());
                let there = self.taken.get() - self.ran.get();
                assert!(there <= self.most, "it has more jobs than its limit");
            }
            Err(Refused::Full(job)) => {
                assert!(self.taken.get() >= self.most, "it is not full");
                GIVEN_BACK.fetch_add(1, Ordering::Relaxed);
                job();
                self.run.recv().unwrap();
            }
            Err(Refused::Closed(_)) => panic!("it is not closed"),
        }
    }

    fn end(self) -> Left {
        for _ in self.ran.get()..self.taken.get() {
            self.run.recv().unwrap();
        }
        drop(self.pool);
        Left::default()
    }
}

/// What is not so: each row of `rows` says what a search by classes finds.
pub fn problems() -> String {
    let rows = [
        row::<0>(1, 1, 36, false),
        row::<0>(1, 2, 396, true),
        row::<0>(1, 3, 4_305, true),
        row::<0>(2, 1, 3_466, false),
        row::<1>(1, 1, 36, false),
        row::<1>(1, 2, 528, false),
        row::<1>(1, 3, 8_253, true),
    ];
    rows.concat()
}

fn row<const LIMIT: usize>(
    workers: usize,
    jobs: usize,
    all: usize,
    some_come_back: bool,
) -> String {
    let case = Case {
        workers,
        jobs,
        meet: false,
        pause: false,
    };
    GIVEN_BACK.store(0, Ordering::Relaxed);
    let found = pool_model::explore_case::<Bounded<LIMIT>>(Exploration::classes(usize::MAX), case);
    let given_back = GIVEN_BACK.load(Ordering::Relaxed);
    let all_finish = Endings {
        finish: all,
        ..Endings::default()
    };
    match found.endings == all_finish && (given_back > 0) == some_come_back {
        true => String::new(),
        false => {
            let endings = found.endings;
            format!("limit {LIMIT}, {case}: {endings:?}, {given_back} given back\n")
        }
    }
}
