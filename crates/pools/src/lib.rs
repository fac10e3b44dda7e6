//! One set of questions, asked of the book's thread pool and of published ones.
//!
//! [`Pool`] is what all of them have in common, [`adapters`] puts each of them behind
//! it, and [`conformance`] asks the questions. [`broken`] holds pools with one fault
//! each, which the questions must find.

#![warn(missing_docs)]

pub mod adapters;
pub mod broken;
pub mod conformance;

use std::thread;

/// A job in a box, for the functions that cannot be generic over it.
pub type Job = Box<dyn FnOnce() + Send>;

/// A job that returns a number.
pub type Task = Box<dyn FnOnce() -> u32 + Send>;

/// Waits for a [`Task`], and gives back what it returned or what it panicked with.
pub type Handle = Box<dyn FnOnce() -> thread::Result<u32>>;

/// Queues a job, or says that the pool `P` has not taken it.
pub type TryExecute<P> = fn(&P, Job) -> Result<(), Refused>;

/// Queues a task in the pool `P`, and returns a handle to it.
pub type Spawn<P> = fn(&P, Task) -> Handle;

/// The pool has not taken the job, and has dropped it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// A thread pool that runs closures.
///
/// What only some pools can do is an `Option`, and `None` for a pool that cannot.
pub trait Pool: Sized + Send + Sync + 'static {
    /// The name to show, and to give on the command line.
    const NAME: &'static str;

    /// Closes the pool while it lives on.
    const CLOSE: Option<fn(&mut Self)> = None;

    /// Queues a job if the pool takes it: not when it is closed, or its queue full.
    const TRY_EXECUTE: Option<TryExecute<Self>> = None;

    /// Makes a pool of some workers, whose queue holds no more jobs than the second number.
    const BOUNDED: Option<fn(usize, usize) -> Self> = None;

    /// Waits until every job has run, without ending the pool.
    const JOIN: Option<fn(&Self)> = None;

    /// Queues a task, whose result comes back through a handle.
    const SPAWN: Option<Spawn<Self>> = None;

    /// Makes a pool of `workers` threads.
    fn new(workers: usize) -> Self;

    /// Queues a job.
    fn execute(&self, job: impl FnOnce() + Send + 'static);
}
