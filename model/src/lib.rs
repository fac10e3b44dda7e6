//! Searches every interleaving of a thread pool: every order in which its threads can come to their
//! next lock, channel, or end.
//!
//! The pool is the code of a listing, or a reader's, with each `std::` in it replaced by
//! `pool_model::modeled::`. There, threads and what they share are those of
//! [shuttle](https://docs.rs/shuttle), which runs one of them at a time and decides which. Whatever
//! else the code uses is std's.

use record::{note, What};
use shuttle::scheduler::{DfsScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::sync::Barrier;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub mod modeled;
pub mod record;

/// What is searched: a pool that runs jobs and waits for them when it is dropped.
pub trait Pool {
    fn new(size: usize) -> Self;
    fn execute(&self, job: impl FnOnce() + Send + 'static);
}

/// Implements [`Pool`] for a type that has its two functions already, as every pool of the book does.
#[macro_export]
macro_rules! implement_pool {
    ($pool:ty) => {
        impl $crate::Pool for $pool {
            fn new(size: usize) -> Self {
                <$pool>::new(size)
            }
            fn execute(&self, job: impl FnOnce() + Send + 'static) {
                <$pool>::execute(self, job);
            }
        }
    };
}

/// A bounded case of a pool's life: it is started, is handed the jobs, and is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub workers: usize,
    pub jobs: usize,
    /// Every job waits until the others have begun too.
    pub meet: bool,
    /// Every job has a point in its middle at which another thread can come first.
    pub pause: bool,
}

/// How many interleavings end in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    pub finish: usize,
    pub deadlock: usize,
    pub panic: usize,
}

/// An interleaving that does not finish.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The how manieth interleaving of the search it is, from 1 on.
    pub number: usize,
    /// Every thread that is left waits for another. Otherwise, one of them has panicked.
    pub deadlock: bool,
    /// Which threads wait, or what one has panicked with.
    pub message: String,
    /// Which thread was chosen at each point where there was a choice.
    pub schedule: Vec<usize>,
}

impl Failure {
    /// What has happened, in a line.
    fn told(&self) -> String {
        let Failure {
            number,
            deadlock,
            message,
            ..
        } = self;
        if !deadlock {
            return format!("number {number} panics: {message}");
        }
        // shuttle names each thread that waits: `main-thread(0)`, `main-thread(1)`.
        let threads = message.split("(task main-thread(").skip(1);
        let threads = threads.filter_map(|rest| rest.split_once(')'));
        let threads: Vec<_> = threads
            .map(|(number, _)| match number {
                "0" => "main".to_owned(),
                number => format!("thread {number}"),
            })
            .collect();
        format!("number {number} is a deadlock of {}", threads.join(", "))
    }
}

/// A schedule with more steps than this does not end: a thread spins.
const MOST_STEPS: usize = 10_000;

/// Searches every interleaving of the case, past those that fail, and counts how each one ends.
///
/// `on_failure` is told of each failure, and ends the search where it breaks.
///
/// # Errors
///
/// When `on_failure` has ended the search, and when there are more than `most` interleavings: what
/// was counted until then.
pub fn search<P: Pool>(
    case: Case,
    most: usize,
    mut on_failure: impl FnMut(&Failure) -> ControlFlow<()>,
) -> Result<Endings, Endings> {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    config.silence_warnings = true;

    let search = Search::new(most);
    let mut found = Endings::default();
    while !search.with(|progress| progress.complete) {
        let before = search.with(|progress| progress.begun);
        let runner = Runner::new(search.clone(), config.clone());
        // A run ends with the search, or with the first schedule that fails.
        let run = panic::catch_unwind(AssertUnwindSafe(|| {
            runner.run(move || run_jobs_and_drop::<P>(case))
        }));
        let begun = search.with(|progress| progress.begun);
        found.finish += begun - before - usize::from(run.is_err());
        if let Err(payload) = run {
            let message = text(&*payload).to_owned();
            let deadlock = message.starts_with("deadlock!");
            match deadlock {
                true => found.deadlock += 1,
                false => found.panic += 1,
            }
            let failure = Failure {
                number: begun,
                deadlock,
                message,
                schedule: search.with(|progress| progress.chosen.clone()),
            };
            if on_failure(&failure).is_break() {
                return Err(found);
            }
        } else if !search.with(|progress| progress.complete) {
            return Err(found);
        }
    }
    Ok(found)
}

/// What was said with a panic.
fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message")
}

/// Silences what shuttle and the failing interleavings print: they are looked for, and there can be
/// hundreds of thousands.
pub fn silence() {
    // shuttle sets its own panic hook once, on top of the one there is.
    shuttle::check_dfs(|| {}, None);
    panic::set_hook(Box::new(record::note_panic));
}

/// The program that is searched.
fn run_jobs_and_drop<P: Pool>(case: Case) {
    let ran: Arc<Vec<AtomicUsize>> = Arc::new((0..case.jobs).map(|_| 0.into()).collect());
    let barrier = Arc::new(Barrier::new(case.jobs));

    let pool = P::new(case.workers);
    for job in 0..case.jobs {
        let (ran, barrier) = (Arc::clone(&ran), Arc::clone(&barrier));
        pool.execute(move || {
            note(|| What::Begins(job + 1));
            if case.meet {
                note(|| What::Meets(job + 1));
                barrier.wait();
            }
            if case.pause {
                shuttle::thread::sleep(Duration::ZERO);
            }
            ran[job].fetch_add(1, Ordering::Relaxed);
            note(|| What::HasRun(job + 1));
        });
    }
    drop(pool);

    let ran: Vec<_> = ran.iter().map(|n| n.load(Ordering::Relaxed)).collect();
    assert!(
        ran.iter().all(|&n| n == 1),
        "the drop returned, but the jobs had run this often each: {ran:?}"
    );
    note(|| What::IsDone);
}

/// A depth-first search that outlives a failed schedule, so that the ones after it are searched.
#[derive(Clone)]
struct Search(Arc<Mutex<Progress>>);

struct Progress {
    dfs: DfsScheduler,
    most: usize,
    begun: usize,
    complete: bool,
    chosen: Vec<usize>,
}

impl Search {
    fn new(most: usize) -> Search {
        Search(Arc::new(Mutex::new(Progress {
            dfs: DfsScheduler::new(None, false),
            most,
            begun: 0,
            complete: false,
            chosen: Vec::new(),
        })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Progress) -> T) -> T {
        // The scheduler is never left half changed: a poisoned lock is as good as any.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Scheduler for Search {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.with(|progress| {
            if progress.begun == progress.most {
                return None;
            }
            let next = progress.dfs.new_execution();
            progress.chosen.clear();
            progress.begun += usize::from(next.is_some());
            progress.complete = next.is_none();
            next
        })
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.with(|progress| {
            let next = progress.dfs.next_task(runnable, current, is_yielding);
            progress.chosen.extend(next.map(usize::from));
            next
        })
    }

    fn next_u64(&mut self) -> u64 {
        self.with(|progress| progress.dfs.next_u64())
    }
}

/// Searches the cases, and says of each how its interleavings end. For `cargo book search`: the
/// status is 0 if all of them finish, 1 if one does not, and 2 if there were too many.
pub fn report<P: Pool>(cases: &[Case], most: usize) -> ExitCode {
    silence();
    let mut status = 0;
    for &case in cases {
        let Case { workers, jobs, .. } = case;
        let plural = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let meet = if case.meet { " that meet" } else { "" };
        let title = format!(
            "{}, {}{meet}",
            plural(workers, "worker"),
            plural(jobs, "job")
        );

        let mut firsts: [Option<Failure>; 2] = [None, None];
        let found = search::<P>(case, most, |failure| {
            firsts[usize::from(failure.deadlock)].get_or_insert_with(|| failure.clone());
            ControlFlow::Continue(())
        });
        let (Ok(endings) | Err(endings)) = found;
        let Endings {
            finish,
            deadlock,
            panic,
        } = endings;
        let all = finish + deadlock + panic;
        println!(
            "{title}: {all} interleavings: {finish} finish, {deadlock} deadlock, {panic} panic"
        );
        for failure in firsts.iter().flatten() {
            println!("  {}", failure.told());
            status = status.max(1);
        }
        if found.is_err() {
            println!("  and there are more: take fewer workers or jobs");
            status = 2;
        }
    }
    ExitCode::from(status)
}
