//! What counts as done: `cargo book check 20-28 FOLDER` runs this against a crate of your own.

mod common;

use common::{in_time, DEADLINE};
use hello::{BuildError, Closed, ThreadPool};
use std::{
    env,
    error::Error,
    panic,
    process::Command,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc, Arc,
    },
    thread,
    time::Duration,
};

#[test]
fn a_pool_of_no_workers_is_an_error() {
    let error = ThreadPool::build(0).expect_err("a pool of no workers");

    assert!(matches!(error, BuildError::NoWorkers), "{error:?}");
    assert!(!error.to_string().is_empty());
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
    common::wait_until("the workers have ended", || threads() <= before);
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
        let refused = pool.try_execute(move || sender.send(99).unwrap());
        assert!(matches!(refused, Err(Closed)), "a closed pool takes a job");

        let mut ran: Vec<_> = receiver.iter().collect();
        ran.sort();
        assert!(ran.into_iter().eq(0..10));
    })
    .expect("the drop panicked");
}

#[test]
fn errors_can_be_passed_on_to_another_thread() {
    fn is_an_error<T: Error + Send + Sync + 'static>() {}

    is_an_error::<BuildError>();
    is_an_error::<Closed>();
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
#[cfg(target_os = "linux")]
fn what_cannot_be_printed_costs_no_job_and_no_drop() {
    let mut command = Command::new("sh");
    let script = "exec \"$0\" >/dev/full"; // as a disk without room
    command
        .args(["-c", script])
        .arg(common::hello().get_program());
    let mut server = common::Server::start_as(command);

    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 NOT FOUND"));

    // `main` panics over a line of its own. If the drop did as well, that would end the process with
    // a signal.
    let (status, _) = server.ended();
    assert!(status.code().is_some(), "{status}");
}
