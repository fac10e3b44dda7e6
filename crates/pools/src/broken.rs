//! Pools with one fault each, to show that the questions find it.
//!
//! All of them are one hand-written pool. Each fault is a condition on `FAULT`.

use crate::{Job, Pool, Refused, TryExecute};
use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What is wrong with a [`HandWritten`] pool.
#[allow(missing_docs)]
pub mod fault {
    pub const NONE: usize = 0;
    pub const DROPPED_JOB: usize = 1;
    pub const REPEATED_JOB: usize = 2;
    pub const DROP_DOES_NOT_WAIT: usize = 3;
    pub const DROP_HANGS: usize = 4;
    pub const LOCK_HELD: usize = 5;
    pub const LOST_WORKER: usize = 6;
    pub const DISCARDED_QUEUE: usize = 7;
    pub const ONE_WORKER: usize = 8;
    pub const DISCARDED_BY_IDLE: usize = 9;
    pub const DROP_PANICS: usize = 10;
}
use fault::*;

const NAMES: [&str; 11] = [
    "no-fault",
    "dropped-job",
    "repeated-job",
    "drop-does-not-wait",
    "drop-hangs",
    "lock-held",
    "lost-worker",
    "discarded-queue",
    "one-worker",
    "discarded-by-idle",
    "drop-panics",
];

/// A pool with a bounded queue, and with the fault that the number names.
pub struct HandWritten<const FAULT: usize> {
    sender: Option<mpsc::SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    /// Keeps the queue when all workers are lost.
    _receiver: Arc<Mutex<mpsc::Receiver<Job>>>,
    closing: Arc<AtomicBool>,
    queued: AtomicUsize,
}

impl<const FAULT: usize> HandWritten<FAULT> {
    fn bounded(workers: usize, capacity: usize) -> Self {
        let (sender, receiver) = mpsc::sync_channel(capacity);
        let receiver = Arc::new(Mutex::new(receiver));
        let closing = Arc::new(AtomicBool::new(false));

        let started = if FAULT == ONE_WORKER { 1 } else { workers };
        let workers = (0..started).map(|_| {
            let (receiver, closing) = (Arc::clone(&receiver), Arc::clone(&closing));
            thread::spawn(move || work::<FAULT>(&receiver, &closing))
        });
        let workers = workers.collect();
        HandWritten {
            sender: Some(sender),
            workers,
            _receiver: receiver,
            closing,
            queued: AtomicUsize::new(0),
        }
    }

    fn try_execute(&self, job: Job) -> Result<(), Refused> {
        let sender = self.sender.as_ref().ok_or(Refused)?;
        sender.try_send(job).map_err(|_| Refused)
    }
}

impl<const FAULT: usize> Pool for HandWritten<FAULT> {
    const NAME: &'static str = NAMES[FAULT];

    const CLOSE: Option<fn(&mut Self)> = Some(|pool| pool.sender = None);

    const TRY_EXECUTE: Option<TryExecute<Self>> = Some(Self::try_execute);

    const BOUNDED: Option<fn(usize, usize) -> Self> = Some(Self::bounded);

    fn new(workers: usize) -> Self {
        HandWritten::bounded(workers, 10_000)
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let number = self.queued.fetch_add(1, Ordering::Relaxed);
        if FAULT == DROPPED_JOB && number == 500 {
            return;
        }

        let mut job = Some(job);
        let job: Job =
            match (&mut job as &mut dyn Any).downcast_mut::<Option<Box<dyn Fn() + Send>>>() {
                // An `FnOnce` cannot be called twice. An `Fn` can.
                Some(repeatable) if FAULT == REPEATED_JOB && number == 500 => {
                    let job = repeatable.take().expect("nothing has taken the job");
                    Box::new(move || [(), ()].iter().for_each(|()| job()))
                }
                _ => Box::new(job.take().expect("nothing has taken the job")),
            };
        self.try_execute(job)
            .expect("the pool is open and its queue is long enough");
    }
}

fn work<const FAULT: usize>(receiver: &Mutex<mpsc::Receiver<Job>>, closing: &AtomicBool) {
    loop {
        let receiver = receiver
            .lock()
            .expect("no job panics while the lock is held");
        let queued = receiver.try_recv();
        let was_idle = queued.is_err();
        let Ok(job) = queued.or_else(|_| receiver.recv()) else {
            break;
        };

        if FAULT != LOCK_HELD {
            drop(receiver);
        }
        if FAULT == DISCARDED_QUEUE && closing.load(Ordering::Relaxed) {
            continue;
        }
        if FAULT == DISCARDED_BY_IDLE && was_idle && closing.load(Ordering::Relaxed) {
            continue;
        }
        let has_panicked = panic::catch_unwind(AssertUnwindSafe(job)).is_err();
        if FAULT == LOST_WORKER && has_panicked {
            break;
        }
        if FAULT == DROP_PANICS && has_panicked {
            panic!("a job has panicked");
        }
    }
}

impl<const FAULT: usize> Drop for HandWritten<FAULT> {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        let open_sender = self.sender.take();
        if FAULT != DROP_HANGS {
            drop(open_sender);
        }
        for worker in self.workers.drain(..) {
            if FAULT != DROP_DOES_NOT_WAIT && worker.thread().id() != thread::current().id() {
                let joined = worker.join();
                if FAULT == DROP_PANICS {
                    joined.expect("no worker has panicked");
                }
            }
        }
    }
}
