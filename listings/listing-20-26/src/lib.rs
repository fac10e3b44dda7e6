// ANCHOR: crate
//! A thread pool that finishes its queue before it stops.
//!
//! [`ThreadPool::new`] starts a number of threads, the pool's *workers*.
//! [`ThreadPool::execute`] queues a closure, a *job*, and the first worker that
//! is free runs it. Dropping the pool waits until every job has run;
//! [`ThreadPool`] says what becomes of jobs that panic.
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
//! The workers print what they do to standard output: this pool is made to be
//! watched.

#![warn(missing_docs)]
// ANCHOR_END: crate

use std::{
    sync::{mpsc, Arc, Mutex},
    thread,
};

// ANCHOR: types
/// A fixed number of worker threads, and a queue of jobs for them.
///
/// Jobs are taken from the queue in the order in which they were put there, and
/// run at the same time on as many threads as there are workers. The queue has
/// no limit: jobs that come faster than they are run pile up in memory.
///
/// # Dropping the pool
///
/// The drop closes the queue, and then waits for every worker to end. A worker
/// ends when the queue is empty, so every job that was queued has run when the
/// drop returns.
///
/// - A job that never ends keeps the drop waiting without end.
/// - A job must not drop the pool that runs it: the drop would wait for its own
///   thread. A job that shares the pool, for instance in an [`Arc`], must not
///   be the last to hold it.
///
/// # Panics
///
/// A job that panics ends its worker, and whoever queued the job is not told.
/// The other workers go on. If the last one is lost, the jobs still in the
/// queue never run.
///
/// Dropping the pool panics when it comes to a worker that was lost, and does
/// not wait for the ones after it. If the thread that drops the pool is
/// panicking already, this second panic ends the process.
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
    sender: Option<mpsc::Sender<Job>>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;
// ANCHOR_END: types

// ANCHOR: pool
impl ThreadPool {
    /// Starts a pool of `size` workers, which wait for jobs.
    ///
    /// The number stays as it is: no worker is added, and one that is lost is
    /// not replaced.
    ///
    /// # Panics
    ///
    /// If `size` is zero, since such a pool could take jobs but never run one;
    /// and if the operating system refuses to start a thread.
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
    pub fn new(size: usize) -> ThreadPool {
        assert!(size > 0, "a pool needs at least one worker");

        let (sender, receiver) = mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));

        let workers = (0..size)
            .map(|id| Worker::new(id, Arc::clone(&receiver)))
            .collect();

        ThreadPool {
            workers,
            sender: Some(sender),
        }
    }

    /// Queues a job, and returns at once.
    ///
    /// The first worker that is free runs the job, once. What the job returns
    /// has to leave it by some other way, such as a channel.
    ///
    /// # Panics
    ///
    /// If no worker is left, because each of them has been lost to a job that
    /// panicked.
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
    pub fn execute<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.sender.as_ref().unwrap().send(Box::new(f)).unwrap();
    }
}
// ANCHOR_END: pool

// ANCHOR: drop
impl Drop for ThreadPool {
    fn drop(&mut self) {
        drop(self.sender.take());

        for worker in &mut self.workers {
            println!("Shutting down worker {}", worker.id);

            if let Some(thread) = worker.thread.take() {
                thread.join().unwrap();
            }
        }
    }
}
// ANCHOR_END: drop

// ANCHOR: worker
struct Worker {
    id: usize,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    fn new(id: usize, receiver: Arc<Mutex<mpsc::Receiver<Job>>>) -> Worker {
        let thread = thread::spawn(move || loop {
            let message = receiver.lock().unwrap().recv();

            match message {
                Ok(job) => {
                    println!("Worker {id} got a job; executing.");

                    job();
                }
                Err(_) => {
                    println!("Worker {id} disconnected; shutting down.");
                    break;
                }
            }
        });

        Worker {
            id,
            thread: Some(thread),
        }
    }
}
// ANCHOR_END: worker
