//! What counts as done: `cargo book check 20-26 FOLDER` runs this against a crate of your own.

mod common;

use common::{in_time, within, DEADLINE};
use hello::ThreadPool;
use std::{
    env, fs,
    panic::{catch_unwind, AssertUnwindSafe},
    process::{Command, ExitStatus, Stdio},
    sync::{
        mpsc::{self, RecvTimeoutError},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

/// Runs cargo on this crate, in a target folder of its own; returns what it printed.
fn cargo(arguments: &'static [&str], rustdoc: &'static str) -> Result<String, String> {
    let run = move || {
        Command::new(env!("CARGO"))
            .args(arguments)
            .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
            .env_remove("CARGO_ENCODED_RUSTDOCFLAGS") // it would count for more than the next
            .env("RUSTDOCFLAGS", rustdoc)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_QUIET", "false")
            .output()
            .expect("cannot run cargo")
    };
    let output = within(Duration::from_secs(600), run).expect("cargo takes more than 600 s");
    let output = output.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(printed),
        false => Err(printed),
    }
}

#[test]
fn everything_public_is_documented_without_a_warning() {
    let documented = cargo(
        &["doc", "--lib", "--no-deps"],
        "-D warnings -D missing_docs",
    );

    if let Err(printed) = documented {
        panic!("{printed}");
    }
}

#[test]
fn the_crate_the_pool_and_both_methods_have_an_example_that_runs() {
    let tested = cargo(&["test", "--doc"], "");

    let printed = tested.unwrap_or_else(|printed| panic!("an example fails:\n{printed}"));
    for item in [
        "(line",
        "ThreadPool (line",
        "ThreadPool::new (line",
        "ThreadPool::execute (line",
    ] {
        let of_item = format!("test src/lib.rs - {item}");
        let mut tests = printed.lines().filter(|line| line.starts_with(&of_item));
        assert!(
            // `- compile ... ok`: it has not run.
            tests.any(|line| line.ends_with(") ... ok")),
            "no example runs for `{item} ...)`:\n{printed}"
        );
    }
}

#[test]
fn the_crate_warns_of_what_is_not_documented() {
    let library = fs::read_to_string("src/lib.rs").unwrap();

    assert!(
        library.contains("#![warn(missing_docs)]") || library.contains("#![deny(missing_docs)]"),
        "src/lib.rs has no `#![warn(missing_docs)]`"
    );
}

#[test]
fn the_docs_say_when_each_item_panics() {
    let library = fs::read_to_string("src/lib.rs").unwrap();

    // `new`, `execute`, and the drop of the pool.
    let said = library.matches("/// # Panics").count();
    assert!(
        said >= 3,
        "{said} items have a part `# Panics`, and 3 can panic"
    );
}

// What the docs say beyond the examples.

#[test]
fn one_worker_runs_jobs_in_the_order_in_which_they_were_queued() {
    let (sender, receiver) = mpsc::channel();

    in_time(move || {
        let pool = ThreadPool::new(1);
        for job in 0..100 {
            let sender = sender.clone();
            pool.execute(move || sender.send(job).unwrap());
        }
    })
    .expect("the drop panicked");

    assert!(receiver.try_iter().eq(0..100));
}

#[test]
fn a_panicking_job_costs_its_worker_and_the_drop_says_so() {
    in_time(|| {
        let pool = ThreadPool::new(2);
        pool.execute(|| panic!("on purpose"));

        // The other worker goes on.
        let (sender, receiver) = mpsc::channel();
        for job in 0..10 {
            let sender = sender.clone();
            pool.execute(move || sender.send(job).unwrap());
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), 10);

        assert!(catch_unwind(AssertUnwindSafe(|| drop(pool))).is_err());
    })
    .expect("a job was lost");
}

#[test]
fn execute_panics_when_no_worker_is_left() {
    in_time(|| {
        let pool = ThreadPool::new(1);
        pool.execute(|| panic!("on purpose"));

        // The worker is lost soon, and the receiver with it.
        let start = Instant::now();
        let refused = || catch_unwind(AssertUnwindSafe(|| pool.execute(|| {}))).is_err();
        while !refused() {
            assert!(start.elapsed() < DEADLINE / 2, "jobs are still taken");
            thread::sleep(Duration::from_millis(1)); // they would fill the memory
        }

        assert!(catch_unwind(AssertUnwindSafe(|| drop(pool))).is_err());
    })
    .expect("execute did not panic");
}

#[test]
fn a_job_that_drops_the_pool_does_not_get_past_the_drop() {
    let (go, wait) = mpsc::channel::<()>();
    let (past, is_past) = mpsc::channel::<()>();

    let pool = Arc::new(ThreadPool::new(2));
    let shared = Arc::clone(&pool);
    pool.execute(move || {
        wait.recv().unwrap();
        drop(shared); // now the last
        past.send(()).unwrap();
    });
    drop(pool);
    go.send(()).unwrap();

    // It waits for its own thread; where that is noticed, it panics instead.
    assert!(is_past.recv_timeout(Duration::from_secs(1)).is_err());
}

#[test]
fn jobs_that_are_queued_when_the_last_worker_is_lost_never_run() {
    let (sender, receiver) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();

    in_time(move || {
        let pool = ThreadPool::new(1);
        pool.execute(move || {
            let _ = wait.recv();
            panic!("on purpose");
        });
        for job in 0..5 {
            let sender = sender.clone();
            pool.execute(move || sender.send(job).unwrap());
        }
        drop(sender);
        drop(go);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(pool))).is_err());
    })
    .expect("a job was lost");

    assert_eq!(receiver.iter().count(), 0);
}

#[test]
fn the_drop_does_not_wait_for_workers_behind_a_lost_one() {
    // Whether the lost worker is the first of the two is chance: so again and again.
    let left_early = (0..100).any(|_| {
        in_time(|| {
            let pool = ThreadPool::new(2);
            let (end, ended) = mpsc::channel();
            pool.execute(|| panic!("on purpose"));
            pool.execute(move || {
                thread::sleep(Duration::from_millis(20));
                let _ = end.send(());
            });
            assert!(catch_unwind(AssertUnwindSafe(|| drop(pool))).is_err());
            ended.try_recv().is_err()
        })
        .expect("the drop did not panic")
    });

    assert!(left_early, "the drop always waited for the other worker");
}

#[test]
fn a_free_worker_takes_what_is_queued_behind_a_busy_one() {
    let (go, wait) = mpsc::channel::<()>();

    in_time(move || {
        let pool = ThreadPool::new(2);
        pool.execute(move || {
            let _ = wait.recv();
        });
        let (sender, receiver) = mpsc::channel();
        for job in 0..10 {
            let sender = sender.clone();
            pool.execute(move || sender.send(job).unwrap());
        }
        drop(sender);
        assert!(receiver.iter().eq(0..10));
        drop(go);
    })
    .expect("a job was lost");
}

#[test]
fn a_job_waits_while_every_worker_is_busy() {
    let (go, wait) = mpsc::channel::<()>();
    let (sender, receiver) = mpsc::channel();

    in_time(move || {
        let pool = ThreadPool::new(1);
        pool.execute(move || {
            let _ = wait.recv();
        });
        pool.execute(move || sender.send(()).unwrap());
        // No worker is added for it.
        let early = receiver.recv_timeout(Duration::from_millis(500));
        drop(go);
        assert!(early.is_err(), "a second worker has run it");
        assert!(receiver.recv().is_ok());
    })
    .expect("the job did not wait, or was lost");
}

#[test]
fn execute_does_not_wait_for_a_worker() {
    let (go, wait) = mpsc::channel::<()>();

    in_time(move || {
        let pool = ThreadPool::new(1);
        pool.execute(move || {
            let _ = wait.recv();
        });
        for _ in 0..10_000 {
            pool.execute(|| {});
        }
        drop(go); // if the queue had a limit, this would not be reached
    })
    .expect("the drop panicked");
}

#[test]
fn a_job_that_does_not_end_keeps_the_drop_waiting() {
    let (go, wait) = mpsc::channel::<()>();
    let (end, ended) = mpsc::channel();

    let dropping = thread::spawn(move || {
        let pool = ThreadPool::new(2);
        pool.execute(move || {
            let _ = wait.recv();
        });
        drop(pool);
        end.send(()).unwrap();
    });
    let early = ended.recv_timeout(Duration::from_secs(1));
    assert_eq!(early, Err(RecvTimeoutError::Timeout));

    drop(go);
    assert_eq!(ended.recv_timeout(DEADLINE), Ok(()));
    dropping.join().unwrap();
}

// What ends or limits a whole process is tried in one of its own.

const IN_CHILD: &str = "IN_CHILD";

/// Has `command`, which runs this file's program, run the named test; returns how it ended.
fn in_child(mut command: Command, test: &str) -> ExitStatus {
    let mut child = command
        .args(["--exact", test, "--test-threads", "1"])
        .env(IN_CHILD, "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the process of {test} hangs");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_second_panic_ends_the_process() {
    if env::var_os(IN_CHILD).is_some() {
        let pool = ThreadPool::new(1);
        pool.execute(|| panic!("on purpose"));
        panic!("with a pool that has lost its worker"); // now the drop panics, too
    }

    let program = Command::new(env::current_exe().unwrap());
    let status = in_child(program, "a_second_panic_ends_the_process");

    // A failed test would end the process with status 101.
    assert_ne!(status.code(), Some(101), "the process was not aborted");
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(status.signal(), Some(6), "SIGABRT");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn new_panics_if_a_thread_is_refused() {
    const PANICKED: i32 = 42; // as nothing else ends
    if env::var_os(IN_CHILD).is_some() {
        let panicked = catch_unwind(|| ThreadPool::new(100_000)).is_err();
        std::process::exit(if panicked { PANICKED } else { 1 });
    }

    // Room for the stacks of a few threads. Each takes much of it, so that there is room for all else
    // when there is none for a stack.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", r#"ulimit -v 4000000 && exec "$0" "$@""#])
        .arg(env::current_exe().unwrap())
        .env("RUST_MIN_STACK", "500000000");
    let status = in_child(limited, "new_panics_if_a_thread_is_refused");

    assert_eq!(status.code(), Some(PANICKED), "{status}");
}
