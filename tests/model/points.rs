//! The promise: the page on how the book checks itself names the points at which a search can switch
//! threads, and *Proving a shutdown* what others notice although it is none.

use crate::support::report;
use libtest_mimic::Failed;
use pool_model::modeled::sync::atomic::AtomicBool;
use pool_model::modeled::sync::{mpsc, Barrier, Condvar, Mutex, RwLock};
use pool_model::modeled::thread;
use std::sync::atomic::{self, Ordering};
use std::sync::Arc;
use std::time::Duration;
use std::{cell::RefCell, fs};

const PAGE: &str = "src/how-it-is-checked.md";
const EXCEPTIONS: &str = "src/prove-a-shutdown.md";

/// Does something, and calls `mark` right before and right after it.
type Operation = fn(mark: &dyn Fn());

/// What the page says, and what it says it of.
const POINTS: &[(&str, &[Operation])] = &[
    ("starts a thread", &[start]),
    ("waits for its end", &[join]),
    ("takes a lock", &[lock, read, write]),
    ("gives it back", &[unlock]),
    ("sends", &[send, send_within_bounds]),
    ("receives", &[receive]),
    ("drops a sender", &[drop_sender]),
    (
        "or a receiver that could still get something",
        &[drop_receiver],
    ),
    ("reads an atomic", &[load]),
    ("or changes it", &[store, swap]),
    ("comes to a barrier", &[meet]),
    ("sleeps,", &[sleep]),
    ("yields", &[yield_now]),
    ("parks or", &[park]),
    ("unparks another", &[unpark]),
    ("sleeps at a condition variable", &[wait]),
    ("wakes who sleeps there", &[wake_one, wake_all]),
];

/// What is none: nobody else can notice when it happens.
const NO_POINTS: &[(&str, Operation)] = &[
    ("making a lock", |mark| {
        mark();
        let lock = Mutex::new(());
        mark();
        drop(lock);
    }),
    ("opening a channel", |mark| {
        mark();
        let ends = mpsc::channel::<()>();
        mark();
        drop(ends);
    }),
    ("dropping a receiver to which nobody can send", |mark| {
        let (sender, receiver) = mpsc::channel::<()>();
        drop(sender);
        mark();
        drop(receiver);
        mark();
    }),
];

/// What is none, although others can notice when it happens: so another page says.
const NOTICED: &[(&str, Operation)] = &[("the counts of an `Arc`", |mark| {
    let pointer = Arc::new(());
    mark();
    let another = Arc::clone(&pointer);
    drop((pointer, another));
    mark();
})];

fn start(mark: &dyn Fn()) {
    mark();
    let thread = thread::spawn(|| ());
    mark();
    thread.join().unwrap();
}

fn join(mark: &dyn Fn()) {
    let thread = thread::spawn(|| ());
    mark();
    thread.join().unwrap();
    mark();
}

fn lock(mark: &dyn Fn()) {
    let lock = Mutex::new(());
    mark();
    let guard = lock.lock();
    mark();
    drop(guard);
}

fn read(mark: &dyn Fn()) {
    let lock = RwLock::new(());
    mark();
    let guard = lock.read();
    mark();
    drop(guard);
}

fn write(mark: &dyn Fn()) {
    let lock = RwLock::new(());
    mark();
    let guard = lock.write();
    mark();
    drop(guard);
}

fn unlock(mark: &dyn Fn()) {
    let lock = Mutex::new(());
    let guard = lock.lock();
    mark();
    drop(guard);
    mark();
}

fn send(mark: &dyn Fn()) {
    let (sender, _receiver) = mpsc::channel();
    mark();
    sender.send(()).unwrap();
    mark();
}

fn send_within_bounds(mark: &dyn Fn()) {
    let (sender, _receiver) = mpsc::sync_channel(1);
    mark();
    sender.send(()).unwrap();
    mark();
}

fn receive(mark: &dyn Fn()) {
    let (sender, receiver) = mpsc::channel();
    sender.send(()).unwrap();
    mark();
    receiver.recv().unwrap();
    mark();
}

fn drop_sender(mark: &dyn Fn()) {
    let (sender, _receiver) = mpsc::channel::<()>();
    mark();
    drop(sender);
    mark();
}

fn drop_receiver(mark: &dyn Fn()) {
    let (_sender, receiver) = mpsc::channel::<()>();
    mark();
    drop(receiver);
    mark();
}

fn load(mark: &dyn Fn()) {
    let flag = AtomicBool::new(false);
    mark();
    flag.load(Ordering::SeqCst);
    mark();
}

fn store(mark: &dyn Fn()) {
    let flag = AtomicBool::new(false);
    mark();
    flag.store(true, Ordering::SeqCst);
    mark();
}

fn swap(mark: &dyn Fn()) {
    let flag = AtomicBool::new(false);
    mark();
    flag.swap(true, Ordering::SeqCst);
    mark();
}

fn meet(mark: &dyn Fn()) {
    let barrier = Barrier::new(1);
    mark();
    barrier.wait();
    mark();
}

fn sleep(mark: &dyn Fn()) {
    mark();
    thread::sleep(Duration::from_millis(1));
    mark();
}

fn yield_now(mark: &dyn Fn()) {
    mark();
    thread::yield_now();
    mark();
}

fn park(mark: &dyn Fn()) {
    let waits = thread::current();
    let thread = thread::spawn(move || waits.unpark());
    mark();
    thread::park();
    mark();
    thread.join().unwrap();
}

fn unpark(mark: &dyn Fn()) {
    let this = thread::current();
    mark();
    this.unpark();
    mark();
}

fn wait(mark: &dyn Fn()) {
    let shared = Arc::new((Mutex::new(false), Condvar::new()));
    let theirs = Arc::clone(&shared);
    let guard = shared.0.lock().unwrap();
    let thread = thread::spawn(move || {
        *theirs.0.lock().unwrap() = true;
        theirs.1.notify_one();
    });
    mark();
    // It holds the lock from before the thread starts, so the call comes after this.
    let guard = shared.1.wait(guard).unwrap();
    mark();
    drop(guard);
    thread.join().unwrap();
}

fn wake_one(mark: &dyn Fn()) {
    let condvar = Condvar::new();
    mark();
    condvar.notify_one();
    mark();
}

fn wake_all(mark: &dyn Fn()) {
    let condvar = Condvar::new();
    mark();
    condvar.notify_all();
    mark();
}

/// Whether another thread can come between the two marks.
fn is_point(operation: Operation) -> bool {
    let point = Arc::new(atomic::AtomicBool::new(false));
    let found = Arc::clone(&point);
    let run = move || {
        // std's, of which the model knows nothing: what is asked is not changed by asking.
        let came = Arc::new(atomic::AtomicBool::new(false));
        let other = Arc::clone(&came);
        let thread = thread::spawn(move || other.store(true, Ordering::SeqCst));
        let marks = RefCell::new(Vec::new());
        operation(&|| marks.borrow_mut().push(came.load(Ordering::SeqCst)));
        thread.join().unwrap();
        if marks.into_inner() == [false, true] {
            found.store(true, Ordering::SeqCst);
        }
    };
    let found = pool_model::search_any(run, usize::MAX, |failure| panic!("{failure:?}"));
    found.expect("there is no limit");
    point.load(Ordering::SeqCst)
}

/// A page as one line.
fn in_one_line(page: &str) -> Result<String, Failed> {
    let page = fs::read_to_string(book::root().join(page))?;
    let page: Vec<&str> = page.split_whitespace().collect();
    Ok(page.join(" "))
}

/// Each point that the page names is one, and what is not named is none.
pub fn check() -> Result<(), Failed> {
    let page = in_one_line(PAGE)?;
    let mut problems = Vec::new();
    for (words, operations) in POINTS {
        for operation in *operations {
            if !is_point(*operation) {
                problems.push(format!("{PAGE}: {words:?} is no point to switch at"));
            }
        }
        if !page.contains(words) {
            problems.push(format!("{PAGE}: does not say that a thread {words:?}"));
        }
    }
    for (words, operation) in NO_POINTS {
        if is_point(*operation) {
            problems.push(format!(
                "{PAGE}: does not name {words}, where threads are switched"
            ));
        }
    }
    let exceptions = in_one_line(EXCEPTIONS)?;
    for (words, operation) in NOTICED {
        if is_point(*operation) || !exceptions.contains(words) {
            problems.push(format!(
                "{EXCEPTIONS}: others notice {words}, where threads are not switched, and the page \
                 does not say so, or they are switched there"
            ));
        }
    }
    report(problems)
}
