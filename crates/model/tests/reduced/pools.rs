//! Pools for what no random program does.

use super::FEW;
use pool_model::reduced::{Exploration, Found, Rule};
use pool_model::{explore_case, thread, Case, Pool};

/// A pool that starts a thread for each job.
struct Threads(std::cell::RefCell<Vec<thread::JoinHandle<()>>>);

impl Pool for Threads {
    fn new(_: usize) -> Threads {
        Threads(Vec::new().into())
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.borrow_mut().push(thread::spawn(job));
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0
            .take()
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }
}

/// The same, and nobody waits for the threads.
struct Forgotten(Threads);

impl Pool for Forgotten {
    fn new(size: usize) -> Forgotten {
        Forgotten(Threads::new(size))
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.execute(job);
    }
}

impl Drop for Forgotten {
    fn drop(&mut self) {
        self.0 .0.take();
    }
}

/// The same, and each of the threads starts another for the job.
struct Nested(Threads);

impl Pool for Nested {
    fn new(size: usize) -> Nested {
        Nested(Threads::new(size))
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.execute(|| thread::spawn(job).join().unwrap());
    }
}

/// What a search finds of three pools, with or without a rule.
pub fn of_pools(without: Option<Rule>) -> Vec<Found> {
    let exploration = Exploration {
        without,
        ..Exploration::classes(FEW)
    };
    let cases = [(2, true), (1, false)].map(|(jobs, meet)| Case {
        workers: 1,
        jobs,
        meet,
        pause: false,
    });
    let found = |case| {
        [
            explore_case::<Threads>(exploration, case),
            explore_case::<Forgotten>(exploration, case),
            explore_case::<Nested>(exploration, case),
        ]
    };
    cases.into_iter().flat_map(found).collect()
}
