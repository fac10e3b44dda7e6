// ANCHOR: pool
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex},
    thread,
};

pub struct ThreadPool {
    workers: Vec<thread::JoinHandle<()>>,
    shared: Arc<Shared>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// A worker waits here until there is a job, or the queue is closed.
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl ThreadPool {
    /// Starts a pool of `size` worker threads, all idle.
    ///
    /// # Panics
    ///
    /// Panics if `size` is zero: such a pool could take jobs but never run one.
    pub fn new(size: usize) -> ThreadPool {
        assert!(size > 0, "a pool needs at least one worker");

        let shared = Arc::new(Shared::default());
        let workers = (0..size).map(|id| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.work(id))
        });

        ThreadPool {
            workers: workers.collect(),
            shared,
        }
    }

    /// Queues a job. The first worker that is free runs it.
    pub fn execute<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.shared
            .change(|queue| queue.jobs.push_back(Box::new(f)));
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.change(|queue| queue.closed = true);

        for (id, worker) in self.workers.drain(..).enumerate() {
            println!("Shutting down worker {id}");
            worker.join().unwrap();
        }
    }
}

impl Shared {
    /// Changes the queue, and lets a waiting worker see to it.
    fn change(&self, change: impl FnOnce(&mut Queue)) {
        change(&mut self.queue.lock().unwrap());
        self.changed.notify_one();
    }

    fn work(&self, id: usize) {
        while let Some(job) = self.next_job() {
            println!("Worker {id} got a job; executing.");
            job();
        }
        println!("Worker {id} disconnected; shutting down.");
    }

    /// Waits for a job. There is none once the queue is closed and empty.
    fn next_job(&self) -> Option<Job> {
        let mut queue = self.queue.lock().unwrap();
        while queue.jobs.is_empty() && !queue.closed {
            queue = self.changed.wait(queue).unwrap();
        }
        queue.jobs.pop_front()
    }
}
// ANCHOR_END: pool
