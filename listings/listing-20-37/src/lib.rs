// ANCHOR: crate
//! A server that stops when it is asked to, and its thread pool, which finishes its
//! queue before it stops.
//!
//! A [`Server`] listens and answers until it is asked to stop. It answers everyone
//! who is connected by then, if it can be done in time: no client, and no number of
//! them, makes it wait longer than its [`Limits`] say.
//!
//! [`ThreadPool::new`] starts a number of threads, the pool's *workers*.
//! [`ThreadPool::execute`] queues a closure, a *job*, and the first worker that
//! is free runs it. Dropping the pool waits until every job has run;
//! [`ThreadPool::shutdown`] waits no longer than you say. [`ThreadPool`] says what
//! becomes of jobs that panic. [`ThreadPool::bounded`] has a queue with a limit, and gives back
//! the jobs that find it full.
//!
//! ```
//! use hello::ThreadPool;
//! use std::sync::mpsc;
//!
//! let (sender, receiver) = mpsc::channel();
//!
//! let pool = ThreadPool::new(4);
//! for number in 1..=3 {
//!     let sender = sender.clone();
//!     pool.execute(move || sender.send(number * number).unwrap());
//! }
//! drop(pool); // returns once all three jobs have run
//!
//! let mut squares: Vec<i32> = receiver.try_iter().collect();
//! squares.sort();
//! assert_eq!(squares, [1, 4, 9]);
//! ```
//!
//! A worker prints a line to standard output when a job panics, and when it ends. Of
//! each job it prints nothing: to print can take longer than the job, and where nobody
//! reads what is printed, it takes without end.

#![warn(missing_docs)]

mod accept;
mod connection;
mod content_type;
mod conversation;
mod errors;
mod event_loop;
mod files;
mod lender;
mod names;
mod part;
mod range;
mod request;
mod response;
mod server;
mod status;
mod version;

pub use errors::{report, tell, ServerError};
pub use files::Files;
pub use part::Part;
pub use request::Request;
pub use response::{Body, Response};
pub use server::{Draining, Limits, Ready, Server};
// ANCHOR_END: crate

// ANCHOR: uses
use std::{
    any::Any,
    collections::VecDeque,
    error, fmt, io, mem,
    panic::{self, AssertUnwindSafe},
};
use std::{
    sync::{
        mpsc::{self, RecvTimeoutError},
        Arc, Condvar, Mutex, MutexGuard,
    },
    thread,
    time::Instant,
};
// ANCHOR_END: uses

// ANCHOR: types
/// A fixed number of worker threads, and a queue of jobs for them.
///
/// Jobs are taken from the queue in the order in which they were put there, and
/// run at the same time on as many threads as there are workers.
///
/// # The limit of the queue
///
/// The queue of [`new`](ThreadPool::new) and [`build`](ThreadPool::build) has no
/// limit: jobs that come faster than they are run pile up in memory. With
/// [`bounded`](ThreadPool::bounded), only so many jobs wait while every worker is
/// busy. One more is not taken: [`try_execute`](ThreadPool::try_execute) gives it
/// back, and [`execute`](ThreadPool::execute) panics. Neither waits for room.
///
/// # Dropping the pool
///
/// The drop closes the queue, and then waits for every worker to end. It does
/// not panic. A worker ends when the queue is empty, so every job that was
/// queued has run when the drop returns.
///
/// - A job that never ends keeps the drop waiting without end. To wait for a time
///   only, call [`shutdown`](ThreadPool::shutdown).
/// - Of a pool in an [`Arc`], only the last handle's drop is the pool's. The
///   others wait for nothing, and if `main` returns after one of them, the process
///   ends, whatever is still queued.
/// - A job may drop the pool that runs it, if it has the last handle. Its worker
///   cannot wait for itself, so the drop does that worker's work: it runs the jobs
///   that are still queued. When it returns, every job has run, but for the one
///   that it is part of. A job that waits for that one keeps it waiting without
///   end.
///
/// # Jobs that queue jobs
///
/// A job with an `Arc` of its pool may queue another job, but should not wait for
/// it: when every worker waits, none is left to run what they wait for. For the
/// same reason, nobody waits for room in a queue that is full.
///
/// # Panicking jobs
///
/// A job that panics costs nothing but itself: its worker catches the panic,
/// says so, and goes on. Whoever queued the job is not told.
///
/// # Examples
///
/// Jobs that are still in the queue run before the drop returns:
///
/// ```
/// use hello::ThreadPool;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::sync::Arc;
///
/// let done = Arc::new(AtomicU32::new(0));
///
/// let pool = ThreadPool::new(1);
/// for _ in 0..10 {
///     let done = Arc::clone(&done);
///     pool.execute(move || {
///         done.fetch_add(1, Ordering::Relaxed);
///     });
/// }
/// drop(pool);
///
/// assert_eq!(done.load(Ordering::Relaxed), 10);
/// ```
pub struct ThreadPool {
    workers: Vec<Worker>,
    queue: Arc<Queue>,
    /// Each worker has a sender of this channel, and drops it when it ends.
    /// Nobody locks the `Mutex`: a pool may be shared, and a receiver may not.
    ended: Mutex<mpsc::Receiver<()>>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;
// ANCHOR_END: types

impl ThreadPool {
    // ANCHOR: new
    /// Starts a pool of `size` workers, which wait for jobs. Its queue has no limit.
    ///
    /// The number stays as it is: no worker is added, and one that is lost is
    /// not replaced.
    ///
    /// # Panics
    ///
    /// If `size` is zero, or if the operating system refuses to start a thread.
    /// [`build`](ThreadPool::build) returns these as errors.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::ThreadPool;
    /// use std::thread;
    ///
    /// // As many workers as this machine can run threads at once.
    /// let size = thread::available_parallelism().map_or(1, |cores| cores.get());
    /// let pool = ThreadPool::new(size);
    /// ```
    #[track_caller]
    pub fn new(size: usize) -> ThreadPool {
        match ThreadPool::build(size) {
            Ok(pool) => pool,
            Err(BuildError::Spawn(cause)) => panic!("a worker could not be started: {cause}"),
            Err(error) => panic!("{error}"),
        }
    }
    // ANCHOR_END: new

    // ANCHOR: build
    /// Starts a pool of `size` workers, or says why there can be none. Its queue has
    /// no limit.
    ///
    /// # Errors
    ///
    /// [`NoWorkers`](BuildError::NoWorkers) if `size` is zero, since such a
    /// pool could take jobs but never run one. [`Spawn`](BuildError::Spawn) if
    /// the operating system refuses to start a thread; the workers that were
    /// started before it have ended when this returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::{BuildError, ThreadPool};
    ///
    /// assert!(ThreadPool::build(4).is_ok());
    /// assert!(matches!(ThreadPool::build(0), Err(BuildError::NoWorkers)));
    /// ```
    pub fn build(size: usize) -> Result<ThreadPool, BuildError> {
        ThreadPool::bounded(size, usize::MAX)
    }

    /// Starts a pool of `size` workers, in whose queue no more than `limit` jobs wait
    /// for one that is free.
    ///
    /// So the pool has at most `size + limit` jobs at a time: one for each worker, and
    /// those that wait. A job that a worker is about to take does not count as one that
    /// waits: as long as a worker is free, no job is refused, even if `limit` is zero.
    /// A worker is free when its job has ended *and* it has said so to the pool: who has the
    /// result of a job may be quicker than that, and still find the pool full.
    ///
    /// # Errors
    ///
    /// As [`build`](ThreadPool::build).
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::{Refused, ThreadPool};
    /// use std::sync::mpsc;
    ///
    /// let pool = ThreadPool::bounded(1, 1)?;
    /// let (end, wait) = mpsc::channel::<()>();
    ///
    /// // One job runs until `end` is dropped, and one waits. A third finds no room.
    /// pool.execute(move || wait.recv().unwrap_or_default());
    /// pool.execute(|| println!("This waits for the first."));
    /// let refused = pool.try_execute(|| println!("This is given back."));
    /// assert!(matches!(refused, Err(Refused::Full(_))));
    /// # drop(end);
    /// # Ok::<(), hello::BuildError>(())
    /// ```
    pub fn bounded(size: usize, limit: usize) -> Result<ThreadPool, BuildError> {
        if size == 0 {
            return Err(BuildError::NoWorkers);
        }

        let (lives, ended) = mpsc::channel();

        let mut pool = ThreadPool {
            workers: Vec::new(),
            queue: Arc::new(Queue::new(size.saturating_add(limit))),
            ended: Mutex::new(ended),
        };
        for id in 0..size {
            let worker = Worker::new(id, Arc::clone(&pool.queue), lives.clone());
            // On an error, the pool is dropped here, with the workers that it has.
            pool.workers.push(worker.map_err(BuildError::Spawn)?);
        }
        Ok(pool)
    }
    // ANCHOR_END: build

    // ANCHOR: execute
    /// Queues a job, and returns at once.
    ///
    /// The first worker that is free runs the job, once. What the job returns
    /// has to leave it by some other way, such as a channel.
    ///
    /// # Panics
    ///
    /// If the pool is closed, or its queue is full. It does not wait for room: a job
    /// that queues another one in its own pool would wait for what only it can end.
    /// [`try_execute`](ThreadPool::try_execute) gives the job back instead. A pool of
    /// [`new`](ThreadPool::new) or [`build`](ThreadPool::build) is never full.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::ThreadPool;
    /// use std::sync::mpsc;
    ///
    /// let pool = ThreadPool::new(2);
    /// let (sender, receiver) = mpsc::channel();
    ///
    /// pool.execute(move || sender.send("done").unwrap());
    ///
    /// assert_eq!(receiver.recv(), Ok("done"));
    /// ```
    #[track_caller]
    pub fn execute<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        if let Err(refused) = self.try_execute(f) {
            let why = refused.to_string();
            drop(refused); // not during the panic: if that panicked as well, all would end
            panic!("{why}");
        }
    }
    // ANCHOR_END: execute

    // ANCHOR: try
    /// Queues a job, or gives it back, if the pool does not take it. Returns at once.
    ///
    /// # Errors
    ///
    /// [`Full`](Refused::Full) if every worker has a job, and as many as the queue may
    /// hold wait. [`Closed`](Refused::Closed) after [`close`](ThreadPool::close), also
    /// if the queue is full. In both is the job, which has not run.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::{Refused, ThreadPool};
    ///
    /// let mut pool = ThreadPool::new(2);
    /// assert!(pool.try_execute(|| println!("A worker runs this.")).is_ok());
    ///
    /// pool.close();
    /// match pool.try_execute(|| println!("We run this ourselves.")) {
    ///     Err(Refused::Closed(job)) => job(),
    ///     _ => unreachable!("the pool is closed"),
    /// }
    /// ```
    pub fn try_execute<F>(&self, f: F) -> Result<(), Refused<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        self.queue.put(f)
    }

    /// Takes no more jobs. The ones that are queued still run; this does not
    /// wait for them.
    ///
    /// Closing a closed pool does nothing. A pool that is shared cannot be closed
    /// like this: it takes jobs until its last handle is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut pool = hello::ThreadPool::new(2);
    /// pool.execute(|| println!("This runs."));
    /// pool.close();
    /// ```
    pub fn close(&mut self) {
        self.queue.close();
    }
    // ANCHOR_END: try

    // ANCHOR: shutdown
    /// Takes no more jobs, and waits until every job has run, but no longer than until
    /// `deadline`.
    ///
    /// From then on, no job leaves the queue: those that are still there are dropped.
    /// A job that a worker has taken is not ended, since no thread can be ended from
    /// outside. It goes on, nobody waits for it, and its worker ends after it.
    ///
    /// The deadline is a point in time, so that what a program does before it stops,
    /// and this, can have the same one.
    ///
    /// # Errors
    ///
    /// [`Unfinished`] if there are jobs that have not run to their end. It counts them.
    ///
    /// - A job that calls this, on a pool of which it has the last handle, is one that
    ///   still runs: this waits for it in vain, until the deadline.
    /// - To drop a job is to drop what it has captured. That is not hurried.
    /// - What a job has left in a variable of its thread (`thread_local!`) is dropped
    ///   when its worker ends. That is not hurried, either.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::{ThreadPool, Unfinished};
    /// use std::sync::mpsc;
    /// use std::time::{Duration, Instant};
    ///
    /// let pool = ThreadPool::new(1);
    /// let (begins, has_begun) = mpsc::channel();
    /// let (end, wait) = mpsc::channel::<()>();
    /// pool.execute(move || {
    ///     begins.send(()).unwrap();
    ///     let _ = wait.recv(); // until `end` is dropped
    /// });
    /// pool.execute(|| println!("This one waits for the first."));
    /// has_begun.recv().unwrap();
    ///
    /// let deadline = Instant::now() + Duration::from_millis(20);
    /// let unfinished = pool.shutdown(deadline).unwrap_err();
    ///
    /// assert_eq!(unfinished.running, 1);
    /// assert_eq!(unfinished.never_begun, 1);
    /// # drop(end);
    /// ```
    pub fn shutdown(mut self, deadline: Instant) -> Result<(), Unfinished> {
        self.close();

        let left = deadline.saturating_duration_since(Instant::now());
        let ended = self
            .ended
            .get_mut()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        // Nobody sends. So either the last worker ends, or the time does.
        if ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
            // The drop, which comes next, is to wait for nobody: let them go.
            self.workers.clear();
        }

        let (running, rest) = self.queue.end();
        let never_begun = rest.len();
        for job in rest {
            if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(|| drop(job))) {
                discard(payload);
            }
        }
        match (running, never_begun) {
            (0, 0) => Ok(()),
            _ => Err(Unfinished {
                running,
                never_begun,
            }),
        }
    }
    // ANCHOR_END: shutdown
}

// ANCHOR: errors
/// Why a pool could not be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool of no workers was asked for.
    NoWorkers,
    /// The operating system did not start a thread.
    Spawn(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            BuildError::NoWorkers => write!(f, "a pool needs at least one worker"),
            BuildError::Spawn(_) => write!(f, "a worker could not be started"),
        }
    }
}

impl error::Error for BuildError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            BuildError::NoWorkers => None,
            BuildError::Spawn(error) => Some(error),
        }
    }
}

/// Why a pool has not taken a job, and the job.
pub enum Refused<F> {
    /// Every worker has a job, and the queue is as long as it may be.
    Full(F),
    /// The pool takes no more jobs.
    Closed(F),
}

// Not derived: a closure cannot be printed, and this says what matters without it.
impl<F> fmt::Debug for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refused::Full(_) => write!(f, "Full(..)"),
            Refused::Closed(_) => write!(f, "Closed(..)"),
        }
    }
}

impl<F> fmt::Display for Refused<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refused::Full(_) => write!(f, "the pool's queue is full"),
            Refused::Closed(_) => write!(f, "the pool is closed and takes no more jobs"),
        }
    }
}

impl<F> error::Error for Refused<F> {}

/// The time was over before every job had run.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// The jobs that workers had taken from the queue, and were not done with.
    pub running: usize,
    /// The jobs that were still in the queue. They are never run.
    pub never_begun: usize,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Unfinished {
            running,
            never_begun,
        } = self;
        write!(
            f,
            "out of time: jobs still running: {running}, never begun: {never_begun}"
        )
    }
}

impl error::Error for Unfinished {}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let workers = self.workers.len();
        let mut pool = f.debug_struct("ThreadPool");
        pool.field("workers", &workers).finish_non_exhaustive()
    }
}
// ANCHOR_END: errors

// ANCHOR: drop
impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.close();

        let this_thread = thread::current().id();
        for worker in &mut self.workers {
            say(format_args!("Shutting down worker {}", worker.id));

            if let Some(thread) = worker.thread.take() {
                if thread.thread().id() == this_thread {
                    // A job drops its own pool. This worker cannot wait for itself, so it works.
                    work(worker.id, &self.queue);
                } else if thread.join().is_err() {
                    say(format_args!("Worker {} was lost.", worker.id));
                }
            }
        }
    }
}
// ANCHOR_END: drop

// ANCHOR: quietly
/// Prints a line if it can be printed. `println!` alone would panic.
fn say(line: fmt::Arguments) {
    let _ = panic::catch_unwind(AssertUnwindSafe(|| println!("{line}")));
}

/// Drops what a job has panicked with. If that panics as well, what it panics with is forgotten.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
}
// ANCHOR_END: quietly

// ANCHOR: queue
/// What the pool and its workers share.
struct Queue {
    state: Mutex<State>,
    /// Workers wait here until there is a job for them, or the queue is closed.
    changed: Condvar,
    /// How many jobs there may be at a time, with those that run.
    most: usize,
}

struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    /// How many jobs have been taken, and are not done.
    running: usize,
    /// How many workers wait, or were woken and do not have the lock yet.
    waiting: usize,
}

impl Queue {
    fn new(most: usize) -> Queue {
        Queue {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                closed: false,
                running: 0,
                waiting: 0,
            }),
            changed: Condvar::new(),
            most,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.state.lock();
        state.unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts a job at the end, or gives it back.
    fn put<F>(&self, f: F) -> Result<(), Refused<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        let job = Box::new(f);
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed(*job));
        }
        if state.running + state.jobs.len() >= self.most {
            return Err(Refused::Full(*job));
        }
        state.jobs.push_back(job);
        // Each job that was there has woken one of those who wait. Is anybody left?
        let wake = state.jobs.len() <= state.waiting;
        // First the lock: whoever wakes wants it.
        drop(state);
        if wake {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Waits for the next job, and takes it. There is none once the queue is
    /// closed and empty.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        if state.jobs.is_empty() && !state.closed {
            // Before it sleeps, others run once: perhaps one of them brings a job.
            drop(state);
            thread::yield_now();
            state = self.lock();
        }
        state.waiting += 1;
        // Gives the lock back while it waits. Who wakes looks again: another worker, who did
        // not have to wait, may have been quicker.
        let state = self
            .changed
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed);
        let mut state = state.unwrap_or_else(|poisoned| poisoned.into_inner());
        state.waiting -= 1;

        let job = state.jobs.pop_front()?;
        // With the same lock: whoever has it finds each job in the queue, or counted.
        state.running += 1;
        Some(job)
    }

    /// Says that a job that was taken is done.
    fn done(&self) {
        self.lock().running -= 1;
    }

    /// From now on, no job is put into the queue. Who waits for one need not wait for more.
    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Of a closed queue: how many jobs are running, and those that never will,
    /// since nobody can take them any more.
    fn end(&self) -> (usize, VecDeque<Job>) {
        let mut state = self.lock();
        (state.running, mem::take(&mut state.jobs))
    }
}
// ANCHOR_END: queue

// ANCHOR: worker
struct Worker {
    id: usize,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts a worker. It drops `lives` when it ends, also if that is by a panic.
    fn new(id: usize, queue: Arc<Queue>, lives: mpsc::Sender<()>) -> io::Result<Worker> {
        let thread = thread::Builder::new().spawn(move || {
            let _lives = lives;
            work(id, &queue);
            say(format_args!("Worker {id} disconnected; shutting down."));
        })?;

        Ok(Worker {
            id,
            thread: Some(thread),
        })
    }
}
// ANCHOR_END: worker

// ANCHOR: work
/// Runs one job after the other, until the queue is closed and empty.
fn work(id: usize, queue: &Queue) {
    while let Some(job) = queue.take() {
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(job)) {
            discard(payload);
            say(format_args!("Worker {id}: the job panicked; going on."));
        }
        queue.done();
    }
}
// ANCHOR_END: work

// ANCHOR: tests
#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process::Command, time::Duration};

    #[test]
    fn a_worker_ends_once_its_queue_is_closed_and_empty() {
        let queue = Arc::new(Queue::new(1));
        let (lives, _) = mpsc::channel();
        let worker = Worker::new(7, Arc::clone(&queue), lives).unwrap();
        assert_eq!(worker.id, 7);

        queue.close();

        // `join` has no deadline; `recv_timeout` has.
        let (ended, has_ended) = mpsc::channel();
        thread::spawn(move || ended.send(worker.thread.unwrap().join().is_ok()));
        assert_eq!(has_ended.recv_timeout(Duration::from_secs(5)), Ok(true));
    }

    #[test]
    fn a_lost_worker_costs_the_drop_no_more_than_a_line() {
        // A job cannot cost a worker its life, so this one is lost from the start.
        let pool = ThreadPool {
            workers: vec![Worker {
                id: 7,
                thread: Some(thread::spawn(|| panic!("lost on purpose"))),
            }],
            queue: Arc::new(Queue::new(1)),
            ended: Mutex::new(mpsc::channel().1),
        };

        let (dropped, is_dropped) = mpsc::channel();
        thread::spawn(move || {
            drop(pool);
            dropped.send(())
        });
        assert_eq!(is_dropped.recv_timeout(Duration::from_secs(20)), Ok(()));

        // The line can be seen by another process only: this one's output is captured.
        if env::var_os("IN_CHILD").is_none() {
            let (_crate, module) = module_path!().split_once("::").unwrap();
            let name = format!("{module}::a_lost_worker_costs_the_drop_no_more_than_a_line");
            let mut child = Command::new(env::current_exe().unwrap());
            child.args(["--exact", &name, "--nocapture"]);
            let output = child.env("IN_CHILD", "yes").output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(printed.contains("\nWorker 7 was lost.\n"), "{output:?}");
        }
    }
}
// ANCHOR_END: tests
