// ANCHOR: pool
use std::{
    sync::{
        mpsc::{self, TrySendError},
        Arc, Mutex,
    },
    thread,
};

pub struct ThreadPool {
    size: usize,
    workers: Mutex<Vec<Worker>>,
    sender: Option<mpsc::SyncSender<Job>>,
    receiver: Arc<Mutex<mpsc::Receiver<Job>>>,
}

type Job = Box<dyn FnOnce() + Send + 'static>;

impl ThreadPool {
    /// Starts a pool of up to `size` worker threads: one now, the others when they are needed.
    pub fn new(size: usize) -> ThreadPool {
        assert!(size > 0, "a pool needs at least one worker");

        let (sender, receiver) = mpsc::sync_channel(1);
        let receiver = Arc::new(Mutex::new(receiver));
        let first = Worker::new(0, None, Arc::clone(&receiver));

        ThreadPool {
            size,
            workers: Mutex::new(vec![first]),
            sender: Some(sender),
            receiver,
        }
    }

    /// Hands a job to an idle worker. If there is none, one more is started for it, up to the
    /// pool's size. After that, waits until one is idle.
    pub fn execute<F: FnOnce() + Send + 'static>(&self, f: F) {
        let sender = self.sender.as_ref().unwrap();
        let Err(TrySendError::Full(job)) = sender.try_send(Box::new(f)) else {
            return;
        };

        let mut workers = self.workers.lock().unwrap();
        if workers.len() < self.size {
            let receiver = Arc::clone(&self.receiver);
            let worker = Worker::new(workers.len(), Some(job), receiver);
            workers.push(worker);
        } else {
            drop(workers);
            sender.send(job).unwrap();
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        drop(self.sender.take());

        for worker in self.workers.get_mut().unwrap().drain(..) {
            println!("Shutting down worker {}", worker.id);
            worker.thread.join().unwrap();
        }
    }
}

struct Worker {
    id: usize,
    thread: thread::JoinHandle<()>,
}

impl Worker {
    fn new(id: usize, first: Option<Job>, receiver: Arc<Mutex<mpsc::Receiver<Job>>>) -> Worker {
        let thread = thread::spawn(move || {
            let mut next = first.or_else(|| receiver.lock().unwrap().recv().ok());
            while let Some(job) = next {
                println!("Worker {id} got a job; executing.");
                job();
                next = receiver.lock().unwrap().recv().ok();
            }
            println!("Worker {id} disconnected; shutting down.");
        });

        Worker { id, thread }
    }
}
// ANCHOR_END: pool
