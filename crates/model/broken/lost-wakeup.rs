use std::{
    collections::VecDeque,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc, Condvar, Mutex,
    },
    thread,
};

pub struct ThreadPool {
    workers: Vec<thread::JoinHandle<()>>,
    shared: Arc<Shared>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;

// ANCHOR: shared
#[derive(Default)]
struct Shared {
    queue: Mutex<VecDeque<Job>>,
    /// Wakes the workers: there is a job, or the pool is closed.
    changed: Condvar,
    closed: AtomicBool,
}
// ANCHOR_END: shared

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
        self.shared.queue.lock().unwrap().push_back(Box::new(f));
        self.shared.changed.notify_one();
    }
}

// ANCHOR: drop
impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();

        for (id, worker) in self.workers.drain(..).enumerate() {
            println!("Shutting down worker {id}");
            worker.join().unwrap();
        }
    }
}
// ANCHOR_END: drop

impl Shared {
    fn work(&self, id: usize) {
        while let Some(job) = self.next_job() {
            println!("Worker {id} got a job; executing.");
            job();
        }
        println!("Worker {id} disconnected; shutting down.");
    }

    // ANCHOR: next_job
    /// Waits for a job. There is none once the pool is closed and its queue is empty.
    fn next_job(&self) -> Option<Job> {
        let mut queue = self.queue.lock().unwrap();
        while queue.is_empty() && !self.closed.load(Ordering::SeqCst) {
            queue = self.changed.wait(queue).unwrap();
        }
        queue.pop_front()
    }
    // ANCHOR_END: next_job
}
