//! The pool as the book describes this variant: it stops, but runs one job at a time.

mod common;

use common::{in_time, within};
use hello::ThreadPool;
use std::{
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
