// ANCHOR: pool
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc, Arc, Mutex,
    },
    thread,
};

pub struct ThreadPool {
    workers: Vec<Worker>,
    sender: Option<mpsc::Sender<Job>>,
    stopping: Arc<AtomicBool>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;

impl ThreadPool {
    /// Starts a pool of `size` worker threads, all idle.
    ///
    /// # Panics
    ///
    /// Panics if `size` is zero: such a pool could take jobs but never run one.
    pub fn new(size: usize) -> ThreadPool {
        assert!(size > 0, "a pool needs at least one worker");

        let (sender, receiver) = mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let stopping = Arc::new(AtomicBool::new(false));

        let workers = (0..size)
            .map(|id| Worker::new(id, Arc::clone(&receiver), Arc::clone(&stopping)))
            .collect();

        ThreadPool {
            workers,
            sender: Some(sender),
            stopping,
        }
    }

    /// Queues a job. The first worker that is free runs it.
    pub fn execute<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.sender.as_ref().unwrap().send(Box::new(f)).unwrap();
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // A busy worker sees the flag after its job. An idle one is woken by the closed channel.
        self.stopping.store(true, Ordering::SeqCst);
        drop(self.sender.take());

        for worker in &mut self.workers {
            println!("Shutting down worker {}", worker.id);

            if let Some(thread) = worker.thread.take() {
                thread.join().unwrap();
            }
        }
    }
}

struct Worker {
    id: usize,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    fn new(
        id: usize,
        receiver: Arc<Mutex<mpsc::Receiver<Job>>>,
        stopping: Arc<AtomicBool>,
    ) -> Worker {
        let thread = thread::spawn(move || {
            while !stopping.load(Ordering::SeqCst) {
                let message = receiver.lock().unwrap().recv();

                let Ok(job) = message else { break };
                println!("Worker {id} got a job; executing.");
                job();
            }
            println!("Worker {id} disconnected; shutting down.");
        });

        Worker {
            id,
            thread: Some(thread),
        }
    }
}
// ANCHOR_END: pool
