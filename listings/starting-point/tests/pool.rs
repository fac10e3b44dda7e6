//! The pool as the book describes it at this step, its flaw included.

mod common;

use common::{within, DEADLINE};
use hello::ThreadPool;
use std::{sync::mpsc, thread, time::Duration};

#[test]
fn every_job_runs() {
    let pool = ThreadPool::new(2);
    let (sender, receiver) = mpsc::channel();

    for job in 0..10 {
        let sender = sender.clone();
        pool.execute(move || sender.send(job).unwrap());
    }

    let mut ran: Vec<_> = (0..10)
        .map(|_| receiver.recv_timeout(DEADLINE).expect("a job did not run"))
        .collect();
    ran.sort();
    assert_eq!(ran, (0..10).collect::<Vec<_>>());

    std::mem::forget(pool); // dropping it would block: see below
}

#[test]
#[should_panic(expected = "a pool needs at least one worker")]
fn zero_workers_are_refused() {
    ThreadPool::new(0);
}

#[test]
fn dropping_the_pool_blocks() {
    let drop_pool = || drop(ThreadPool::new(2));

    assert!(
        within(Duration::from_secs(1), drop_pool).is_none(),
        "the drop returned, but this step says that it blocks"
    );
}

#[test]
fn a_panic_hangs_in_the_drop_as_well() {
    let serve = || {
        let _pool = ThreadPool::new(2);
        panic!("a connection failed (this panic is part of the test)");
    };

    assert!(
        within::<()>(Duration::from_secs(1), serve).is_none(),
        "the panic got past the drop, but this step says that it hangs there"
    );
}

#[test]
fn queued_jobs_run_but_the_drop_still_hangs() {
    let (sender, receiver) = mpsc::channel();
    let pool = ThreadPool::new(2);
    for _ in 0..20 {
        let sender = sender.clone();
        pool.execute(move || {
            thread::sleep(Duration::from_millis(5));
            sender.send(()).unwrap();
        });
    }

    let drop_pool = || drop(pool);
    assert!(within(Duration::from_secs(1), drop_pool).is_none());
    for _ in 0..20 {
        receiver.recv_timeout(DEADLINE).expect("a job did not run");
    }
}
