//! WORKERS JOBS: starts a pool, hands it the jobs and drops it, again and again. Each batch of runs
//! is a process of its own, which ends where a run hangs.

#[allow(dead_code)]
mod pool;

use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, sync::Arc, thread, time::Duration};

const BATCHES: usize = 100;
const RUNS: usize = 1000;
/// A run takes about a millisecond. One that takes this long hangs.
const DEADLINE: Duration = Duration::from_secs(10);
/// The status of a batch with a run that hangs.
const HANGS: i32 = 3;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let number = |n: usize| arguments[n].parse::<usize>().expect("WORKERS JOBS");
    let (workers, jobs) = (number(0), number(1));
    if arguments.len() > 2 {
        return run_batch(workers, jobs);
    }

    let passed = (0..BATCHES).filter(|_| {
        let mut batch = Command::new(env::current_exe().unwrap());
        batch.args(&arguments).arg("batch").stdout(Stdio::null());
        let status = batch.status().unwrap();
        assert!(status.success() || status.code() == Some(HANGS), "{status}");
        status.success()
    });
    let passed = passed.count();
    println!("{passed} of {BATCHES} batches of {RUNS} runs passed without a hang");
}

fn run_batch(workers: usize, jobs: usize) {
    static RUN: AtomicUsize = AtomicUsize::new(0);

    thread::spawn(|| loop {
        let before = RUN.load(Ordering::SeqCst);
        thread::sleep(DEADLINE);
        if RUN.load(Ordering::SeqCst) == before {
            process::exit(HANGS);
        }
    });

    for _ in 0..RUNS {
        RUN.fetch_add(1, Ordering::SeqCst);
        let ran = Arc::new(AtomicUsize::new(0));
        let pool = pool::ThreadPool::new(workers);
        for _ in 0..jobs {
            let ran = Arc::clone(&ran);
            pool.execute(move || {
                ran.fetch_add(1, Ordering::SeqCst);
            });
        }
        drop(pool);
        assert_eq!(ran.load(Ordering::SeqCst), jobs, "a job is lost");
    }
}
