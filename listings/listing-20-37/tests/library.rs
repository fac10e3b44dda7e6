//! What a user of the pool relies on.

use hello::ThreadPool;
use std::{
    io::{self, Write},
    panic, process,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
        Arc, Barrier,
    },
    thread,
    time::Duration,
};

// ANCHOR: in_time
/// Runs `f` on a thread of its own. If it is not done after five seconds, that ends all tests.
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _done = done; // dropped when `f` returns, and when it panics
        f()
    });

    if is_done.recv_timeout(Duration::from_secs(5)) == Err(RecvTimeoutError::Timeout) {
        // A thread cannot be ended, and this one may be printing without end. A process can.
        let test = thread::current();
        let test = test.name().unwrap_or("a test");
        let _ = writeln!(io::stderr(), "\n{test}: not done after 5 s");
        process::exit(101);
    }
    thread
        .join()
        .unwrap_or_else(|why| panic::resume_unwind(why))
}
// ANCHOR_END: in_time

// ANCHOR: once
#[test]
fn every_job_runs_once() {
    let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..1000).map(|_| 0.into()).collect());

    let counted = Arc::clone(&runs);
    in_time(move || {
        let pool = ThreadPool::new(4);
        for job in 0..counted.len() {
            let counted = Arc::clone(&counted);
            pool.execute(move || {
                counted[job].fetch_add(1, Ordering::Relaxed);
            });
        }
    });

    assert!(runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
}
// ANCHOR_END: once

// ANCHOR: order
#[test]
fn one_worker_runs_jobs_in_the_order_in_which_they_were_queued() {
    let (sender, receiver) = mpsc::channel();

    in_time(move || {
        let pool = ThreadPool::new(1);
        for job in 0..100 {
            let sender = sender.clone();
            pool.execute(move || sender.send(job).unwrap());
        }
    });

    assert!(receiver.iter().eq(0..100));
}
// ANCHOR_END: order

// ANCHOR: drop
#[test]
fn the_drop_waits_for_jobs_that_are_queued_and_for_those_that_run() {
    let done = Arc::new(AtomicUsize::new(0));

    let counted = Arc::clone(&done);
    in_time(move || {
        let pool = ThreadPool::new(2);
        for _ in 0..10 {
            let counted = Arc::clone(&counted);
            // Slow, so that two still run and the others still wait when the pool is dropped.
            pool.execute(move || {
                thread::sleep(Duration::from_millis(20));
                counted.fetch_add(1, Ordering::Relaxed);
            });
        }
    });

    assert_eq!(done.load(Ordering::Relaxed), 10);
}

#[test]
fn an_idle_pool_can_be_dropped() {
    in_time(|| drop(ThreadPool::new(4)));
}
// ANCHOR_END: drop

// ANCHOR: together
#[test]
fn as_many_jobs_run_at_the_same_time_as_there_are_workers() {
    for size in 1..=8 {
        in_time(move || {
            let pool = ThreadPool::new(size);
            let all_are_here = Arc::new(Barrier::new(size));
            for _ in 0..size {
                let all_are_here = Arc::clone(&all_are_here);
                // No job can end before the last one has begun.
                pool.execute(move || {
                    all_are_here.wait();
                });
            }
        });
    }
}

#[test]
fn a_job_that_waits_does_not_hold_up_the_next() {
    in_time(|| {
        let pool = ThreadPool::new(2);
        let (sender, receiver) = mpsc::channel();

        pool.execute(move || assert_eq!(receiver.recv(), Ok("from the second job")));
        pool.execute(move || sender.send("from the second job").unwrap());
    });
}
// ANCHOR_END: together

// ANCHOR: threads
#[test]
fn jobs_can_be_sent_from_many_threads() {
    let done = Arc::new(AtomicUsize::new(0));

    let counted = Arc::clone(&done);
    in_time(move || {
        let pool = ThreadPool::new(3);
        // Threads that may borrow the pool: they all end with the scope.
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let counted = Arc::clone(&counted);
                        pool.execute(move || {
                            counted.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
    });

    assert_eq!(done.load(Ordering::Relaxed), 800);
}
// ANCHOR_END: threads

// ANCHOR: refused
#[test]
#[should_panic(expected = "a pool needs at least one worker")]
fn zero_workers_are_refused() {
    ThreadPool::new(0);
}
// ANCHOR_END: refused

// ANCHOR: stress
#[test]
fn pools_of_any_size_start_and_stop_with_any_number_of_jobs() {
    for round in 0..200 {
        let (size, jobs) = (1 + round % 8, round % 11);
        let done = in_time(move || {
            let done = Arc::new(AtomicUsize::new(0));
            let pool = ThreadPool::new(size);
            for _ in 0..jobs {
                let done = Arc::clone(&done);
                pool.execute(move || {
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
            drop(pool);
            done.load(Ordering::Relaxed)
        });
        assert_eq!(done, jobs, "{size} workers");
    }
}
// ANCHOR_END: stress
