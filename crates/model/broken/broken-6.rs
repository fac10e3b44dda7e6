// ANCHOR: pool
use std::{
    iter::Enumerate,
    sync::{mpsc, Arc, Condvar, Mutex},
    thread,
};

pub struct ThreadPool {
    workers: Vec<Worker>,
    sender: Option<mpsc::Sender<Job>>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;

/// The queue, which numbers the jobs as they come out of it.
type Jobs = Enumerate<mpsc::IntoIter<Job>>;

/// Lets the jobs report in the order in which they were queued.
#[derive(Default)]
struct Turns {
    next: Mutex<usize>,
    changed: Condvar,
}

impl ThreadPool {
    /// Starts a pool of `size` worker threads, all idle.
    pub fn new(size: usize) -> ThreadPool {
        assert!(size > 0, "a pool needs at least one worker");

        let (sender, receiver) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(receiver.into_iter().enumerate()));
        let turns = Arc::new(Turns::default());

        let workers = (0..size)
            .map(|id| Worker::new(id, Arc::clone(&jobs), Arc::clone(&turns)))
            .collect();

        ThreadPool {
            workers,
            sender: Some(sender),
        }
    }

    /// Queues a job. The first worker that is free runs it.
    pub fn execute<F: FnOnce() + Send + 'static>(&self, f: F) {
        self.sender.as_ref().unwrap().send(Box::new(f)).unwrap();
    }
}

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

impl Turns {
    /// Says that the job is done, as soon as that was said of all jobs before it.
    fn report(&self, number: usize) {
        let mut next = self.next.lock().unwrap();
        while *next != number {
            next = self.changed.wait(next).unwrap();
        }
        println!("Job {} is done.", number + 1);
        *next += 1;
        self.changed.notify_one();
    }
}

struct Worker {
    id: usize,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    fn new(id: usize, jobs: Arc<Mutex<Jobs>>, turns: Arc<Turns>) -> Worker {
        let thread = thread::spawn(move || loop {
            // The closed channel ends it, once it is empty.
            let next = jobs.lock().unwrap().next();
            let Some((number, job)) = next else {
                println!("Worker {id} disconnected; shutting down.");
                break;
            };

            println!("Worker {id} got a job; executing.");
            job();
            turns.report(number);
        });

        Worker {
            id,
            thread: Some(thread),
        }
    }
}
// ANCHOR_END: pool
