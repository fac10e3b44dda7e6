//! The pool as the book describes it at this step.

mod common;

use common::in_time;
use hello::ThreadPool;
use std::{
    sync::{mpsc, Arc, Barrier},
    thread,
    time::Duration,
};

#[test]
#[should_panic(expected = "a pool needs at least one worker")]
fn zero_workers_are_refused() {
    ThreadPool::new(0);
}

#[test]
fn dropping_an_idle_pool_returns() {
    let drop_pool = || drop(ThreadPool::new(4));

    in_time(drop_pool).expect("the drop panicked");
}

#[test]
fn the_drop_returns_once_every_queued_job_has_run() {
    let (sender, receiver) = mpsc::channel();

    in_time(|| {
        let pool = ThreadPool::new(2);
        for job in 0..20 {
            let sender = sender.clone();
            // Slow enough that most are still queued when the pool is dropped.
            pool.execute(move || {
                thread::sleep(Duration::from_millis(5));
                sender.send(job).unwrap();
            });
        }
        drop(sender);
    })
    .expect("the drop panicked");

    // `try_iter` does not wait: whatever has not run by now, did not run in time.
    let mut ran: Vec<_> = receiver.try_iter().collect();
    ran.sort();
    assert_eq!(ran, (0..20).collect::<Vec<_>>());
}

#[test]
fn two_jobs_run_at_the_same_time() {
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

    in_time(meet).expect("the drop panicked");
}
