//! The pool as the book describes it at this step: what it has promised before, and a queue with a
//! limit.

mod common;

use common::{in_time, wait_until, DEADLINE};
use hello::{BuildError, Refused, ThreadPool, Unfinished};
use std::{
    env,
    error::Error,
    io::{self, prelude::*, BufReader},
    panic::{self, AssertUnwindSafe},
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc, Arc, Barrier, Mutex,
    },
    thread,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_millis(100);
/// Nobody waits for its end.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_pool_of_no_workers_is_an_error() {
    let error = ThreadPool::build(0).expect_err("a pool of no workers");

    assert!(matches!(error, BuildError::NoWorkers), "{error:?}");
    assert!(!error.to_string().is_empty());
    let error = ThreadPool::bounded(0, 10).expect_err("a pool of no workers");
    assert!(matches!(error, BuildError::NoWorkers), "{error:?}");
}

/// Runs the named test of this file in a process of its own, which has room for the stacks of a few
/// threads: each takes much of it, so that there is room for all else when there is none for a stack.
#[cfg(target_os = "linux")]
fn with_little_memory(test: &str) -> std::process::Output {
    let script = r#"ulimit -v 4000000 && exec "$0" --exact "$1" --nocapture --test-threads 1"#;
    let run = {
        let test = test.to_owned();
        move || {
            Command::new("sh")
                .args(["-c", script])
                .arg(env::current_exe().unwrap())
                .arg(test)
                .env("IN_CHILD", "yes")
                .env("RUST_MIN_STACK", "500000000")
                .output()
                .unwrap()
        }
    };
    common::within(Duration::from_secs(60), run)
        .expect("not done after 60 s")
        .unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_thread_that_does_not_start_is_an_error() {
    if env::var_os("IN_CHILD").is_none() {
        let output = with_little_memory("a_thread_that_does_not_start_is_an_error");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}{output:?}");
        return;
    }

    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    let error = ThreadPool::build(100_000).expect_err("that many threads");
    assert!(matches!(error, BuildError::Spawn(_)), "{error:?}");
    assert!(
        error.source().is_some(),
        "its source is not the `io::Error`"
    );
    // Those that had been started have ended. (The system may need a moment to see it.)
    wait_until("the workers have ended", || threads() <= before);
}

#[test]
fn a_panicking_job_costs_nothing_but_itself() {
    in_time(|| {
        let pool = ThreadPool::new(1);
        let (sender, receiver) = mpsc::channel();

        for job in 0..20 {
            let sender = sender.clone();
            pool.execute(move || {
                assert!(job % 2 == 0, "on purpose");
                sender.send(job).unwrap();
            });
        }
        drop(sender);

        assert!(receiver.iter().eq((0..20).filter(|job| job % 2 == 0)));
    })
    .expect("the drop panicked");
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("in the drop of what was panicked with");
    }
}

#[test]
fn a_job_may_panic_with_something_that_panics_when_dropped() {
    in_time(|| {
        let pool = ThreadPool::new(1);
        pool.execute(|| panic::panic_any(PanicsWhenDropped));

        let (sender, receiver) = mpsc::channel();
        pool.execute(move || sender.send("still here").unwrap());
        assert_eq!(receiver.recv(), Ok("still here"));
    })
    .expect("the drop panicked");
}

#[test]
fn a_closed_pool_runs_what_is_queued_and_refuses_the_rest() {
    in_time(|| {
        let (sender, receiver) = mpsc::channel();
        let mut pool = ThreadPool::new(2);
        for job in 0..10 {
            let sender = sender.clone();
            pool.execute(move || {
                thread::sleep(Duration::from_millis(5));
                sender.send(job).unwrap();
            });
        }

        pool.close();
        pool.close(); // does nothing
        let Err(Refused::Closed(job)) = pool.try_execute(move || sender.send(99).unwrap()) else {
            panic!("a closed pool takes a job, or does not give it back as closed");
        };
        job(); // it is still whole

        let mut ran: Vec<_> = receiver.iter().collect();
        ran.sort();
        assert!(ran.into_iter().eq((0..10).chain([99])));
    })
    .expect("the drop panicked");
}

#[test]
fn errors_can_be_passed_on_to_another_thread() {
    fn is_an_error<T: Error + Send + Sync + 'static>() {}

    is_an_error::<BuildError>();
    is_an_error::<Unfinished>();
    // Whatever the job is: nothing is asked of it but that it can go there as well.
    is_an_error::<Refused<Box<dyn FnOnce() + Send + Sync>>>();
}

/// The last handle of a pool goes in one of its jobs, and others are in the queue by then.
fn dropped_in_a_job(workers: usize, with: impl FnOnce(Arc<ThreadPool>) + Send + 'static) {
    let (past, is_past) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let ran = Arc::new(AtomicUsize::new(0));

    let pool = Arc::new(ThreadPool::new(workers));
    let (last, seen) = (Arc::clone(&pool), Arc::clone(&ran));
    pool.execute(move || {
        // Sent when this job ends, in whichever way, with what has run by then.
        let _past = OnDrop(|| past.send(seen.load(Ordering::Relaxed)).unwrap());
        wait.recv().unwrap();
        with(last);
    });
    for job in 0..10 {
        let ran = Arc::clone(&ran);
        pool.execute(move || {
            ran.fetch_add(1, Ordering::Relaxed);
            assert!(job % 2 == 0, "on purpose");
        });
    }
    drop(pool);
    go.send(()).unwrap();

    let has_run = is_past.recv_timeout(DEADLINE);
    assert_eq!(has_run, Ok(10), "with {workers} workers");
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_job_may_drop_its_own_pool() {
    dropped_in_a_job(1, drop);
    dropped_in_a_job(2, drop);
}

#[test]
fn a_job_that_drops_its_own_pool_may_panic() {
    let panics = |pool: Arc<ThreadPool>| {
        let _dropped_by_the_panic = pool;
        panic!("on purpose");
    };
    dropped_in_a_job(1, panics);
    dropped_in_a_job(2, panics);
}

#[test]
fn what_cannot_be_printed_costs_no_job_and_no_drop() {
    if env::var_os("IN_CHILD").is_none() {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "what_cannot_be_printed_costs_no_job_and_no_drop"])
            .arg("--nocapture")
            .env("IN_CHILD", "yes")
            .env("RUST_BACKTRACE", "0") // there are many panics, each with a line of its own
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Once nobody reads what it prints, to print is an error.
        let printed = BufReader::new(child.stdout.take().unwrap());
        let begun = move || printed.lines().any(|line| line.unwrap() == "begun");
        assert!(in_time(begun).unwrap());
        let ended = in_time(|| child.wait_with_output()).unwrap().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("all is well"), "{said}");
        return;
    }

    println!("\nbegun");
    wait_until("nothing can be printed", || writeln!(io::stdout()).is_err());
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    in_time(move || {
        let pool = ThreadPool::new(2);
        for job in 0..10 {
            let counted = Arc::clone(&counted);
            pool.execute(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                assert!(job % 2 == 0, "on purpose");
            });
        }
    })
    .expect("the drop panicked");
    assert_eq!(ran.load(Ordering::SeqCst), 10);
    eprintln!("all is well");
}

#[test]
fn who_does_not_read_what_is_printed_holds_up_no_job() {
    if env::var_os("IN_CHILD").is_none() {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "who_does_not_read_what_is_printed_holds_up_no_job",
            ])
            .arg("--nocapture")
            .env("IN_CHILD", "yes")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _unread = child.stdout.take();
        let ended = in_time(|| child.wait_with_output()).unwrap().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("all have run"), "{said}");
        return;
    }

    // With a line for each, these would be more bytes than a pipe takes.
    const JOBS: usize = 10_000;
    let ran = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ran);
    let run = move || {
        let pool = ThreadPool::new(2);
        for _ in 0..JOBS {
            let counted = Arc::clone(&counted);
            pool.execute(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            });
        }
    };
    in_time(run).expect("the drop panicked");
    assert_eq!(ran.load(Ordering::SeqCst), JOBS);
    eprintln!("all have run");
}

/// A pool of two workers, each with a job that lasts until `release` is dropped, and three jobs behind
/// them. Each sends its number when it is done.
struct Busy {
    pool: ThreadPool,
    release: mpsc::Sender<()>,
    done: mpsc::Receiver<usize>,
}

fn busy(pool: ThreadPool) -> Busy {
    let (done, all_done) = mpsc::channel();
    let (begins, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for job in 0..2 {
        let (done, begins, wait) = (done.clone(), begins.clone(), Arc::clone(&wait));
        pool.execute(move || {
            begins.send(()).unwrap();
            let _ = wait.lock().unwrap().recv();
            done.send(job).unwrap();
        });
    }
    for _ in 0..2 {
        begun.recv_timeout(DEADLINE).expect("both jobs begin");
    }
    for job in 2..5 {
        let done = done.clone();
        pool.execute(move || done.send(job).unwrap());
    }
    Busy {
        pool,
        release,
        done: all_done,
    }
}

#[track_caller]
fn has_left(ended: Result<(), Unfinished>, running: usize, never_begun: usize) {
    let left = ended.map_err(|left| (left.running, left.never_begun));
    assert_eq!(left, Err((running, never_begun)));
}

#[test]
fn a_shutdown_returns_when_every_job_has_run() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let ended = in_time(move || {
        let pool = ThreadPool::new(2);
        for _ in 0..10 {
            let counted = Arc::clone(&counted);
            pool.execute(move || {
                thread::sleep(Duration::from_millis(2));
                counted.fetch_add(1, Ordering::SeqCst);
            });
        }
        pool.shutdown(Instant::now() + LONG)
    });
    assert!(matches!(ended, Ok(Ok(()))));
    assert_eq!(runs.load(Ordering::SeqCst), 10);
}

#[test]
fn at_the_deadline_it_counts_what_runs_and_what_has_not_begun() {
    let Busy {
        pool,
        release,
        done,
    } = busy(ThreadPool::new(2));
    let (start, ended) = in_time(|| {
        let start = Instant::now();
        (start, pool.shutdown(start + SOON))
    })
    .expect("it panicked");
    assert!(start.elapsed() >= SOON, "it has not waited");
    has_left(ended, 2, 3);

    // The two go on, and those that had not begun never do: nobody has their senders any more.
    drop(release);
    let mut ran = Vec::new();
    while let Ok(job) = done.recv_timeout(DEADLINE) {
        ran.push(job);
    }
    ran.sort();
    assert_eq!(ran, [0, 1]);
}

#[test]
fn a_deadline_that_has_passed_is_not_waited_for() {
    let Busy {
        pool,
        release: _release,
        done: _done,
    } = busy(ThreadPool::new(2));
    let ended = in_time(|| pool.shutdown(Instant::now() - SOON));
    has_left(ended.expect("it panicked"), 2, 3);
}

#[test]
fn where_no_job_is_left_the_deadline_may_have_passed() {
    for round in 0..50 {
        let pool = ThreadPool::new(1 + round % 4);
        let (done, is_done) = mpsc::channel();
        pool.execute(move || done.send(()).unwrap());
        is_done.recv_timeout(DEADLINE).unwrap();
        // The job is done, but its worker may not have noted that yet.
        thread::sleep(Duration::from_millis(1));
        let ended = pool
            .shutdown(Instant::now())
            .map_err(|left| left.never_begun);
        assert!(matches!(ended, Ok(()) | Err(0)), "{ended:?}");
        assert!(ThreadPool::new(1 + round % 4)
            .shutdown(Instant::now())
            .is_ok());
    }
}

#[test]
fn a_job_that_panics_has_run_and_one_that_panics_late_harms_nobody() {
    let pool = ThreadPool::new(1);
    for _ in 0..3 {
        pool.execute(|| panic!("on purpose"));
    }
    let ended = in_time(|| pool.shutdown(Instant::now() + LONG));
    assert!(matches!(ended, Ok(Ok(()))));

    let pool = ThreadPool::new(1);
    let (begins, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let (lives, ended) = mpsc::channel::<()>();
    pool.execute(move || {
        let _lives = lives;
        begins.send(()).unwrap();
        let _ = wait.recv();
        panic!("on purpose");
    });
    begun.recv_timeout(DEADLINE).unwrap();
    has_left(pool.shutdown(Instant::now()), 1, 0);
    drop(release);
    assert!(ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Disconnected));
}

/// What a job has captured, and what panics when it is dropped.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[test]
fn what_a_job_that_never_begins_has_captured_is_dropped_whatever_that_does() {
    let Busy {
        pool,
        release: _release,
        done: _done,
    } = busy(ThreadPool::new(2));
    let (captured, is_dropped) = mpsc::channel::<()>();
    let panics = Panics;
    pool.execute(move || drop(panics));
    pool.execute(move || drop(captured));

    let ended = in_time(|| pool.shutdown(Instant::now())).expect("it panicked");
    has_left(ended, 2, 5);
    assert_eq!(is_dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

#[test]
fn a_job_may_shut_down_its_own_pool() {
    let pool = Arc::new(ThreadPool::new(1)); // it can still be shared
    let (left, is_left) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let shared = Arc::clone(&pool);
    pool.execute(move || {
        let _ = wait.recv(); // until this handle is the last
        let pool = Arc::into_inner(shared).expect("the last handle");
        left.send(pool.shutdown(Instant::now() + SOON)).unwrap();
    });
    pool.execute(|| {});
    drop(pool);
    drop(release);

    has_left(is_left.recv_timeout(DEADLINE).expect("it returns"), 1, 1);
}

// What is new: a queue with a limit.

/// A pool of one worker, with a job that lasts until what else this returns is dropped, and a queue
/// of this limit, which is full.
fn full(limit: usize) -> (ThreadPool, mpsc::Sender<()>) {
    let pool = ThreadPool::bounded(1, limit).unwrap();
    let (release, wait) = mpsc::channel::<()>();
    pool.execute(move || {
        let _ = wait.recv();
    });
    for _ in 0..limit {
        pool.execute(|| {});
    }
    (pool, release)
}

#[test]
fn a_job_that_finds_the_queue_full_is_given_back() {
    let Busy {
        pool,
        release,
        done,
    } = busy(ThreadPool::bounded(2, 3).unwrap());

    let (ran, has_run) = mpsc::channel();
    let Err(Refused::Full(job)) = pool.try_execute(move || ran.send("a sixth").unwrap()) else {
        panic!("two workers and a queue of three have a sixth job");
    };
    assert_eq!(has_run.try_recv(), Err(mpsc::TryRecvError::Empty));
    job(); // it is still whole
    assert_eq!(has_run.recv(), Ok("a sixth"));

    // The others have lost nothing by it.
    drop(release);
    let next = |_| done.recv_timeout(DEADLINE).expect("each runs");
    let mut ran: Vec<_> = (0..5).map(next).collect();
    ran.sort();
    assert_eq!(ran, [0, 1, 2, 3, 4]);
    in_time(|| drop(pool)).expect("the drop panicked");
}

#[test]
fn no_job_is_refused_while_a_worker_is_free() {
    // One that is free may still have to wake up, or to begin with. Over and over: it depends on
    // who is quicker.
    for round in 0..200 {
        let size = 1 + round % 4;
        let pool = ThreadPool::bounded(size, 0).unwrap();
        if round % 2 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        // Declared after the pool: a test that fails lets the jobs go, and then the pool.
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        for job in 0..size {
            let wait = Arc::clone(&wait);
            let taken = pool.try_execute(move || {
                let _ = wait.lock().unwrap().recv();
            });
            assert!(taken.is_ok(), "job {job} for {size} workers: {taken:?}");
        }
        let one_more = pool.try_execute(|| {});
        assert!(matches!(one_more, Err(Refused::Full(_))), "{one_more:?}");
        drop(release);
        in_time(|| drop(pool)).expect("the drop panicked");
    }
}

#[test]
fn there_is_room_again_when_a_job_is_done() {
    let (pool, release) = full(0);
    assert!(pool.try_execute(|| {}).is_err());
    drop(release);
    let (ran, has_run) = mpsc::channel();
    wait_until("there is room", || {
        let ran = ran.clone();
        pool.try_execute(move || ran.send(()).unwrap()).is_ok()
    });
    assert_eq!(has_run.recv_timeout(DEADLINE), Ok(()));
    // A job that has panicked is done, too.
    for _ in 0..20 {
        wait_until("there is room", || {
            pool.try_execute(|| panic!("on purpose")).is_ok()
        });
    }
    in_time(|| drop(pool)).expect("the drop panicked");
}

#[test]
fn without_a_limit_no_job_is_refused() {
    for pool in [
        ThreadPool::new(1),
        ThreadPool::build(1).unwrap(),
        ThreadPool::bounded(1, usize::MAX).unwrap(),
    ] {
        let (release, wait) = mpsc::channel::<()>();
        pool.execute(move || {
            let _ = wait.recv();
        });
        for _ in 0..10_000 {
            assert!(pool.try_execute(|| {}).is_ok());
        }
        drop(release);
        in_time(|| drop(pool)).expect("the drop panicked");
    }
}

#[test]
fn of_many_that_come_at_once_each_runs_once_or_is_given_back_once() {
    const THREADS: usize = 4;
    const JOBS: usize = 500;
    let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..THREADS * JOBS).map(|_| 0.into()).collect());
    let counted = Arc::clone(&runs);
    let given_back = in_time(move || {
        let pool = ThreadPool::bounded(2, 2).unwrap();
        let given_back = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (pool, counted, given_back) = (&pool, &counted, &given_back);
                scope.spawn(move || {
                    for job in thread * JOBS..(thread + 1) * JOBS {
                        let counted = Arc::clone(counted);
                        let run = move || {
                            counted[job].fetch_add(1, Ordering::SeqCst);
                        };
                        match pool.try_execute(run) {
                            Ok(()) => {}
                            Err(Refused::Full(_)) => given_back.lock().unwrap().push(job),
                            Err(Refused::Closed(_)) => panic!("it is not closed"),
                        }
                    }
                });
            }
        });
        drop(pool); // returns when each that was taken has run
        given_back.into_inner().unwrap()
    })
    .expect("it panicked");

    for (job, runs) in runs.iter().enumerate() {
        let given_back = given_back.iter().filter(|back| **back == job).count();
        assert_eq!(runs.load(Ordering::SeqCst) + given_back, 1, "job {job}");
    }
}

#[test]
fn a_pool_that_is_closed_and_full_says_that_it_is_closed() {
    let (mut pool, _release) = full(2);
    pool.close();
    let refused = pool.try_execute(|| {}).unwrap_err();
    assert!(matches!(refused, Refused::Closed(_)), "{refused:?}");
}

/// What `call` panics with, which is a text.
#[track_caller]
fn panics_with(call: impl FnOnce()) -> String {
    let payload = panic::catch_unwind(AssertUnwindSafe(call)).expect_err("it does not panic");
    *payload.downcast().expect("a text")
}

#[test]
fn execute_panics_where_the_queue_is_full() {
    let (pool, release) = full(1);
    let (captured, is_dropped) = mpsc::channel::<()>();
    let why = panics_with(|| pool.execute(move || drop(captured)));
    assert_eq!(why, "the pool's queue is full");
    assert_eq!(is_dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));

    drop(release);
    in_time(|| drop(pool)).expect("the drop panicked");
}

#[test]
fn a_job_that_finds_its_own_pool_full_does_not_wait_for_itself() {
    let pool = Arc::new(ThreadPool::bounded(1, 1).unwrap());
    let (own, (said, is_said)) = (Arc::clone(&pool), mpsc::channel());
    let (go, wait) = mpsc::channel::<()>();
    pool.execute(move || {
        let _ = wait.recv(); // until the queue is full
        said.send(own.try_execute(|| {}).is_err()).unwrap();
        own.execute(|| {}); // panics
    });
    let (ran, has_run) = mpsc::channel();
    pool.execute(move || ran.send("the one behind it").unwrap());
    drop(go);

    assert_eq!(is_said.recv_timeout(DEADLINE), Ok(true));
    assert_eq!(has_run.recv_timeout(DEADLINE), Ok("the one behind it"));
}

#[test]
fn what_a_refused_job_has_captured_may_panic_when_it_is_dropped() {
    let (mut pool, _release) = full(0);
    let panics = Panics;
    let why = panic::catch_unwind(AssertUnwindSafe(|| pool.execute(move || drop(panics))));
    assert!(why.is_err());
    pool.close();
    let panics = Panics;
    let why = panic::catch_unwind(AssertUnwindSafe(|| pool.execute(move || drop(panics))));
    // Had there been two panics at the same time, this process would be gone.
    assert!(why.is_err());
}

#[test]
fn a_refusal_can_be_printed_whatever_the_job_is() {
    let (mut pool, _release) = full(0);
    let full = pool.try_execute(|| {}).unwrap_err();
    assert_eq!(format!("{full:?}"), "Full(..)");
    assert_eq!(full.to_string(), "the pool's queue is full");
    pool.close();
    let closed = pool.try_execute(|| {}).unwrap_err();
    assert_eq!(format!("{closed:?}"), "Closed(..)");
    let why = "the pool is closed and takes no more jobs";
    assert_eq!(closed.to_string(), why);
    assert_eq!(panics_with(|| pool.execute(|| {})), why);
}

/// A drop, or a shutdown, wakes every worker. Here, only the jobs do.
#[test]
fn each_job_that_finds_idle_workers_wakes_one() {
    for size in 1..=4 {
        let pool = ThreadPool::new(size);
        for round in 0..100 {
            if round % 10 == 0 {
                thread::sleep(Duration::from_millis(1)); // until all of them wait
            }
            let all_are_here = Arc::new(Barrier::new(size));
            let (past, is_past) = mpsc::channel();
            for _ in 0..size {
                let (all_are_here, past) = (Arc::clone(&all_are_here), past.clone());
                // No job can end before the last one has begun.
                pool.execute(move || {
                    all_are_here.wait();
                    past.send(()).unwrap();
                });
            }
            for _ in 0..size {
                let past = is_past.recv_timeout(DEADLINE);
                assert_eq!(past, Ok(()), "{size} workers, round {round}");
            }
        }
        in_time(|| drop(pool)).expect("the drop panicked");
    }
}
