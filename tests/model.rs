//! The promise: what a page says of a step (it hangs, it panics, it always finishes) holds in
//! every interleaving of the bounded cases in the page's table, and the table's numbers are right.
//!
//! `build.rs` has made a copy of each listing's `src/lib.rs` on shuttle's threads, mutex and
//! channel, and the same of each change to a listing that a page proposes. A row of a table names
//! a listing or a change, a number of workers and the jobs; the search goes
//! through every schedule of that case, past failures too, and counts how each one ends.

use book_commands::tables::{self, Endings, Row as Case};
use libtest_mimic::{Arguments, Failed, Trial};
use shuttle::scheduler::{DfsScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::sync::Barrier;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// The models say nothing: hundreds of thousands of schedules would print millions of lines.
macro_rules! println {
    ($($text:tt)*) => {{ let _ = format_args!($($text)*); }};
}

/// Gives the pools of all listings one interface, and finds a case's program by listing name.
macro_rules! models {
    ($($listing:literal => $module:ident,)*) => {
        $(impl Pool for $module::ThreadPool {
            fn new(size: usize) -> Self {
                $module::ThreadPool::new(size)
            }
            fn execute(&self, job: impl FnOnce() + Send + 'static) {
                $module::ThreadPool::execute(self, job);
            }
        })*

        fn program(listing: &str) -> Option<fn(&Case)> {
            match listing {
                $($listing => Some(run_jobs_and_drop::<$module::ThreadPool>),)*
                _ => None,
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

trait Pool {
    fn new(size: usize) -> Self;
    fn execute(&self, job: impl FnOnce() + Send + 'static);
}

/// The program that is explored: start a pool, hand it the jobs, drop it.
fn run_jobs_and_drop<P: Pool>(case: &Case) {
    let ran: Arc<Vec<AtomicUsize>> = Arc::new((0..case.jobs).map(|_| 0.into()).collect());
    let barrier = Arc::new(Barrier::new(case.jobs));

    let pool = P::new(case.workers);
    for job in 0..case.jobs {
        let (ran, barrier, meet) = (Arc::clone(&ran), Arc::clone(&barrier), case.meet);
        pool.execute(move || {
            if meet {
                barrier.wait();
            }
            ran[job].fetch_add(1, Ordering::Relaxed);
        });
    }
    drop(pool);

    let ran: Vec<_> = ran.iter().map(|n| n.load(Ordering::Relaxed)).collect();
    assert!(ran.iter().all(|&n| n == 1), "{JOBS_WRONG}: {ran:?}");
}

const JOBS_WRONG: &str = "the drop returned, but the jobs had run this often each";

/// More schedules than any case on a page has: a search that gets there has gone wrong.
const MOST_INTERLEAVINGS: usize = 1_000_000;
/// A schedule with more steps than this does not end: a thread spins.
const MOST_STEPS: usize = 10_000;

/// A depth-first search that outlives a failed schedule, so that the ones after it are explored.
#[derive(Clone)]
struct Search(Arc<Mutex<Progress>>);

struct Progress {
    dfs: DfsScheduler,
    begun: usize,
    complete: bool,
}

impl Search {
    fn new() -> Search {
        Search(Arc::new(Mutex::new(Progress {
            dfs: DfsScheduler::new(None, false),
            begun: 0,
            complete: false,
        })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Progress) -> T) -> T {
        // The scheduler is never left half changed: a poisoned lock is as good as any.
        f(&mut self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Scheduler for Search {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.with(|progress| {
            let next = progress.dfs.new_execution();
            progress.begun += usize::from(next.is_some());
            progress.complete = next.is_none();
            next.filter(|_| progress.begun <= MOST_INTERLEAVINGS)
        })
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.with(|progress| progress.dfs.next_task(runnable, current, is_yielding))
    }

    fn next_u64(&mut self) -> u64 {
        self.with(|progress| progress.dfs.next_u64())
    }
}

/// Runs the case in every interleaving and counts the endings. Stops early, with an error, at an
/// ending that the page says does not occur.
fn explore(case: &Case) -> Result<Endings, String> {
    let program = program(&case.listing)
        .ok_or_else(|| format!("there is no listing and no change `{}`", case.listing))?;
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    config.silence_warnings = true;

    let search = Search::new();
    let mut found = Endings::default();
    while !search.with(|progress| progress.complete) {
        let before = search.with(|progress| progress.begun);
        let run = {
            let (case, runner) = (case.clone(), Runner::new(search.clone(), config.clone()));
            panic::catch_unwind(AssertUnwindSafe(|| runner.run(move || program(&case))))
        };
        let begun = search.with(|progress| progress.begun);
        if begun > MOST_INTERLEAVINGS {
            return Err(format!("more than {MOST_INTERLEAVINGS} interleavings"));
        }
        // A run ends with the search, or with the first schedule that fails.
        found.finish += begun - before - usize::from(run.is_err());
        let Err(payload) = run else { continue };

        let message = (payload.downcast_ref::<String>().map(String::as_str))
            .or(payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        let (count, expected) = if message.starts_with("deadlock!") {
            (&mut found.deadlock, case.said.deadlock > 0)
        } else {
            let known = ["RecvError", "PoisonError"]
                .iter()
                .any(|known| message.contains(known));
            (&mut found.panic, case.said.panic > 0 && known)
        };
        *count += 1;
        if !expected {
            return Err(format!(
                "interleaving {begun} ends in a way that the page does not name: {message}"
            ));
        }
    }
    Ok(found)
}

/// Explores the case in a process of its own, which can be ended when it takes too long, and whose
/// standard error, a line from shuttle for each deadlock, is of no interest.
fn check(case: &Case) -> Result<(), Failed> {
    let (place, listing, said) = (&case.place, &case.listing, case.said);
    if said.finish + said.deadlock + said.panic != case.interleavings {
        return Err(format!("{place}: the endings do not add up to the interleavings").into());
    }
    let mut child = Command::new(env::current_exe()?)
        .args([EXPLORE, place])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > DEADLINE {
            child.kill()?;
            return Err(
                format!("{place}: {listing}: no end of the search after {DEADLINE:?}").into(),
            );
        }
        thread::sleep(Duration::from_millis(10));
    }
    let found = String::from_utf8(child.wait_with_output()?.stdout)?;
    let said = format!("{said:?}");
    if found != said {
        return Err(
            format!("{place}: {listing}: the page says {said}, the search found: {found}").into(),
        );
    }
    Ok(())
}

/// The argument that makes this program explore one case and print what it found.
const EXPLORE: &str = "--explore";
const DEADLINE: Duration = Duration::from_secs(60);

fn explore_and_print(cases: &[Case], place: &str) {
    // shuttle sets its own panic hook once, on top of the one there is. A schedule that fails is
    // what is looked for here, thousands of times: after that first time, no message for each.
    shuttle::check_dfs(|| {}, None);
    panic::set_hook(Box::new(|_| {}));
    let case = cases
        .iter()
        .find(|case| case.place == place)
        .expect("a case of the tables");
    match explore(case) {
        Ok(found) => print!("{found:?}"),
        Err(error) => print!("{error}"),
    }
}

/// The cases of every page, and for each row that cannot be read, what is wrong.
fn all_cases() -> std::io::Result<(Vec<Case>, Vec<String>)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(&source)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let page = path.file_name().unwrap_or_default().to_string_lossy();
            match tables::rows(&page, &fs::read_to_string(&path)?) {
                Ok(cases) => all.extend(cases),
                Err(error) => errors.push(error),
            }
        }
    }
    all.sort_by(|a, b| a.place.cmp(&b.place));
    Ok((all, errors))
}

fn main() -> std::io::Result<()> {
    let (cases, errors) = all_cases()?;
    let arguments: Vec<_> = env::args().collect();
    if let [_, first, place] = &arguments[..] {
        if first == EXPLORE {
            explore_and_print(&cases, place);
            return Ok(());
        }
    }

    let unreadable = errors
        .into_iter()
        .map(|error| Trial::test("model::tables", move || Err(error.into())));
    let trials = cases.into_iter().map(|case| {
        let (listing, workers, jobs) = (&case.listing, case.workers, case.jobs);
        let meet = if case.meet { "_that_meet" } else { "" };
        let name = format!("{listing}::model::{workers}_workers_{jobs}_jobs{meet}");
        Trial::test(name, move || check(&case))
    });
    let trials = unreadable.chain(trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}
