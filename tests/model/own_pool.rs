//! Jobs with a handle of their own pool: one that may drop the last of its handles, and one that
//! queues another job and waits for it. The table on the page says how many interleavings end in which
//! way. Where there are too many for all of them, some are drawn.

use super::programs::OutlivesJobs;
use super::tables::{below, with_commas};
use libtest_mimic::Failed;
use pool_model::modeled::sync::{mpsc, Arc};
use pool_model::{Case, Endings, Pool, Sampling};
use std::fs;
use std::ops::ControlFlow;

const PAGE: &str = "src/errors-instead-of-panics.md";
const HEAD: &str = "| Jobs | Workers | Searched | Runs | finish | deadlock | panic |";
/// More than any of these cases has.
const MOST: usize = 1_000_000;
/// Of the cases with more, so many are drawn.
const DRAWN: usize = 1_000;

/// The first job drops a handle of the pool, and so does `main`, in either order. When both drops
/// have returned, every job has to have run.
struct DroppedInAJob {
    pool: Option<Arc<OutlivesJobs>>,
    /// Closed when the drop in the job has returned.
    is_past: mpsc::Receiver<()>,
}

impl Pool for DroppedInAJob {
    fn new(workers: usize) -> Self {
        let pool = Arc::new(OutlivesJobs::new(workers));
        let shared = Arc::clone(&pool);
        let (past, is_past) = mpsc::channel::<()>();
        pool.execute(move || {
            drop(shared);
            drop(past);
        });
        let pool = Some(pool);
        DroppedInAJob { pool, is_past }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.pool.as_ref().unwrap().execute(job);
    }
}

impl Drop for DroppedInAJob {
    fn drop(&mut self) {
        self.pool = None;
        let _ = self.is_past.recv();
    }
}

/// Each job is queued by another one, which waits until it has run.
struct QueuedByAJob {
    pool: Arc<OutlivesJobs>,
    /// What tells that the last of them is done: nobody is left to send.
    done: Option<mpsc::Sender<()>>,
    all_done: mpsc::Receiver<()>,
}

impl Pool for QueuedByAJob {
    fn new(workers: usize) -> Self {
        let (done, all_done) = mpsc::channel();
        QueuedByAJob {
            pool: Arc::new(OutlivesJobs::new(workers)),
            done: Some(done),
            all_done,
        }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let (pool, done) = (Arc::clone(&self.pool), self.done.clone());
        self.pool.execute(move || {
            let (has_run, wait) = mpsc::channel();
            pool.execute(move || {
                job();
                has_run.send(()).unwrap();
            });
            wait.recv().unwrap();
            drop(done);
        });
    }
}

impl Drop for QueuedByAJob {
    fn drop(&mut self) {
        self.done = None;
        let _ = self.all_done.recv();
    }
}

/// The rows of the table, as the search finds them, and a row for each statement below it that is not
/// so.
pub fn explore() -> String {
    let deadlocks = |workers, jobs| {
        let case = case(workers, jobs);
        let failure = pool_model::sample::<QueuedByAJob>(case, Sampling::Random, 1, DRAWN);
        failure.is_some_and(|failure| failure.deadlock)
    };
    let fails = |workers, jobs| {
        let case = case(workers, jobs);
        pool_model::sample::<DroppedInAJob>(case, Sampling::Random, 1, DRAWN).is_some()
    };
    let statements = [
        (!deadlocks(2, 1), "two workers, one that waits: a deadlock"),
        (deadlocks(2, 2), "two workers, two that wait: no deadlock"),
        (
            !fails(2, 3),
            "two workers, one that drops its pool, three more: fails",
        ),
    ];
    let wrong = statements.iter().filter(|(holds, _)| !holds);
    let wrong = wrong.map(|(_, found)| format!("{found}\n"));
    let rows = [
        row::<DroppedInAJob>("one that drops its pool, and one more", 1, 1),
        row::<DroppedInAJob>("one that drops its pool", 2, 0),
        row::<QueuedByAJob>("one that queues another and waits for it", 1, 1),
    ];
    rows.into_iter().chain(wrong).collect()
}

fn case(workers: usize, jobs: usize) -> Case {
    Case {
        workers,
        jobs,
        meet: false,
        pause: false,
    }
}

fn row<P: Pool>(what: &str, workers: usize, jobs: usize) -> String {
    let mut panicked = String::new();
    let found = pool_model::search::<P>(case(workers, jobs), MOST, |failure| {
        if !failure.deadlock {
            panicked = format!("\n{}", failure.message);
        }
        ControlFlow::Continue(())
    });
    let Ok(found) = found else {
        return format!("{what}: more than {MOST} interleavings\n");
    };
    let Endings {
        finish,
        deadlock,
        panic,
    } = found;
    let all = finish + deadlock + panic;
    let [all, finish, deadlock, panic] = [all, finish, deadlock, panic].map(with_commas);
    format!("| {what} | {workers} | orders | {all} | {finish} | {deadlock} | {panic} |{panicked}\n")
}

/// The page has the rows that were found, and no others.
pub fn check(found: &str) -> Result<(), Failed> {
    let page = fs::read_to_string(book::root().join(PAGE))?;
    let rows = below(&page, HEAD).into_iter();
    let said: String = rows.map(|(_, row)| format!("{row}\n")).collect();
    match said == found {
        true => Ok(()),
        false => Err(format!(
            "{PAGE}: the rows below `{HEAD}` are\n{said}and the search found\n{found}"
        )
        .into()),
    }
}
