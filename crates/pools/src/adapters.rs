//! The book's pool and four published ones, each as a [`Pool`].
//!
//! Every pool is used as it comes: nothing is set but the number of workers.

use crate::{Pool, Refused, Spawn, TryExecute};
use futures_util::task::SpawnExt;

#[allow(dead_code)]
#[path = "../../../listings/listing-20-28/src/lib.rs"]
mod listing;

/// The book's pool. It prints what it does to standard output.
pub type Book = listing::ThreadPool;

impl Pool for Book {
    const NAME: &'static str = "book";

    const CLOSE: Option<fn(&mut Self)> = Some(Book::close);

    const TRY_EXECUTE: Option<TryExecute<Self>> =
        Some(|pool, job| pool.try_execute(job).map_err(|listing::Closed| Refused));

    fn new(workers: usize) -> Self {
        Book::new(workers)
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        Book::execute(self, job);
    }
}

#[allow(dead_code, missing_docs, unused_imports)]
mod queue {
    include!(concat!(env!("OUT_DIR"), "/queue.rs"));
}

/// The book's pool from Listing 20-35 on, whose queue may have a limit.
pub type Bounded = queue::ThreadPool;

impl Pool for Bounded {
    const NAME: &'static str = "book-20-35";

    const CLOSE: Option<fn(&mut Self)> = Some(Bounded::close);

    const TRY_EXECUTE: Option<TryExecute<Self>> =
        Some(|pool, job| pool.try_execute(job).map_err(|_| Refused));

    const BOUNDED: Option<fn(usize, usize) -> Self> = Some(|workers, limit| {
        Bounded::bounded(workers, limit).expect("the threads can be started")
    });

    fn new(workers: usize) -> Self {
        Bounded::new(workers)
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        Bounded::execute(self, job);
    }
}

impl Pool for threadpool::ThreadPool {
    const NAME: &'static str = "threadpool";

    const JOIN: Option<fn(&Self)> = Some(Self::join);

    fn new(workers: usize) -> Self {
        Self::new(workers)
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        Self::execute(self, job);
    }
}

/// Without a `panic_handler`, a job that panics aborts the process.
impl Pool for rayon::ThreadPool {
    const NAME: &'static str = "rayon";

    fn new(workers: usize) -> Self {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(workers);
        builder.build().expect("the threads can be started")
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn(job);
    }
}

/// The pool of `futures`. It runs futures: a job is one that is ready when first polled.
///
/// A job that is queued with a handle is kept from unwinding into its worker.
impl Pool for futures_executor::ThreadPool {
    const NAME: &'static str = "futures";

    const SPAWN: Option<Spawn<Self>> = Some(|pool, task| {
        let handle = pool.spawn_with_handle(async move { task() });
        let handle = handle.expect("this pool takes every job");
        Box::new(|| Ok(futures_executor::block_on(handle)))
    });

    fn new(workers: usize) -> Self {
        let mut builder = futures_executor::ThreadPoolBuilder::new();
        let pool = builder.pool_size(workers).create();
        pool.expect("the threads can be started")
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn_ok(async move { job() });
    }
}

/// The threads that tokio keeps for blocking calls. It starts each of them when there is a
/// job for it.
impl Pool for tokio::runtime::Runtime {
    const NAME: &'static str = "tokio";

    const SPAWN: Option<Spawn<Self>> = Some(|pool, task| {
        let runtime = pool.handle().clone();
        let handle = pool.spawn_blocking(task);
        Box::new(move || {
            let result = runtime.block_on(handle);
            result.map_err(|error| match error.try_into_panic() {
                Ok(payload) => payload,
                Err(canceled) => Box::new(canceled),
            })
        })
    });

    fn new(workers: usize) -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(workers).build();
        runtime.expect("a runtime without drivers needs nothing that can fail")
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.spawn_blocking(job);
    }
}
