//! The pool as the book describes this variant: it stops, but runs one job at a time.

mod common;

use common::{in_time, wait_until, within};
use hello::ThreadPool;
use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    sync::{mpsc, Arc, Barrier},
    time::Duration,
};

#[test]
fn the_drop_returns_once_every_queued_job_has_run() {
    let (sender, receiver) = mpsc::channel();

    in_time(|| {
        let pool = ThreadPool::new(2);
        for job in 0..20 {
            let sender = sender.clone();
            pool.execute(move || sender.send(job).unwrap());
        }
        drop(sender);
    })
    .expect("the drop panicked");

    let mut ran: Vec<_> = receiver.try_iter().collect();
    ran.sort();
    assert_eq!(ran, (0..20).collect::<Vec<_>>());
}

#[test]
fn two_jobs_never_run_at_the_same_time() {
    let meet = || {
        let pool = ThreadPool::new(2);
        let barrier = Arc::new(Barrier::new(2));
        for _ in 0..2 {
            let barrier = Arc::clone(&barrier);
            // Neither job can end before the other has begun.
            pool.execute(move || {
                barrier.wait();
            });
        }
    };

    assert!(
        within(Duration::from_secs(1), meet).is_none(),
        "the jobs met, but the lock should be held while a job runs"
    );
}

#[test]
fn the_first_job_that_panics_ends_all_the_workers() {
    in_time(|| {
        let pool = ThreadPool::new(4);
        pool.execute(|| panic!("this job fails"));

        let (sender, receiver) = mpsc::channel();
        // What is queued while a worker is left never runs.
        wait_until("no worker is left", || {
            let sender = sender.clone();
            let queue = || pool.execute(move || sender.send("a job has run").unwrap());
            catch_unwind(AssertUnwindSafe(queue)).is_err()
        });
        assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));

        assert!(catch_unwind(AssertUnwindSafe(|| drop(pool))).is_err());
    })
    .expect("the test failed");
}
