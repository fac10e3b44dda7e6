// ANCHOR: pool
use std::{
    sync::{mpsc, Arc, Mutex},
    thread,
};

pub struct ThreadPool {
    workers: Vec<Worker>,
    sender: Option<mpsc::Sender<Job>>,
    counts: Arc<Counts>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;

/// How many jobs wait for a worker, and how many have one.
#[derive(Default)]
struct Counts {
    queued: Mutex<usize>,
    running: Mutex<usize>,
}

impl ThreadPool {
    /// Starts a pool of `size` worker threads, all idle.
    pub fn new(size: usize) -> ThreadPool {
        assert!(size > 0, "a pool needs at least one worker");

        let (sender, receiver) = mpsc::channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let counts = Arc::new(Counts::default());

        let workers = (0..size)
            .map(|id| Worker::new(id, Arc::clone(&receiver), Arc::clone(&counts)))
            .collect();

        ThreadPool {
            workers,
            sender: Some(sender),
            counts,
        }
    }

    /// Queues a job. The first worker that is free runs it.
    pub fn execute<F: FnOnce() + Send + 'static>(&self, f: F) {
        *self.counts.queued.lock().unwrap() += 1;
        self.sender.as_ref().unwrap().send(Box::new(f)).unwrap();
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        println!(
            "{} jobs are running, {} are queued",
            self.counts.running.lock().unwrap(),
            self.counts.queued.lock().unwrap(),
        );
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
    fn new(id: usize, receiver: Arc<Mutex<mpsc::Receiver<Job>>>, counts: Arc<Counts>) -> Worker {
        let thread = thread::spawn(move || loop {
            let message = receiver.lock().unwrap().recv();
            let Ok(job) = message else {
                println!("Worker {id} disconnected; shutting down.");
                break;
            };
            // The job leaves one count and joins the other in one step: nobody sees it in neither.
            let mut queued = counts.queued.lock().unwrap();
            *counts.running.lock().unwrap() += 1;
            *queued -= 1;
            drop(queued);

            println!("Worker {id} got a job; executing.");
            job();
            *counts.running.lock().unwrap() -= 1;
        });

        Worker {
            id,
            thread: Some(thread),
        }
    }
}
// ANCHOR_END: pool
