//! The promise: which two steps commute is as the page's table says. Each row is a program, and the
//! search by classes finds as many as stand in the row.

use crate::support::report;
use book::tables;
use libtest_mimic::Failed;
use pool_model::reduced::{explore, Exploration};
use pool_model::sync::atomic::{AtomicBool, Ordering};
use pool_model::sync::{mpsc, Arc, Condvar, Mutex};
use pool_model::thread;
use std::fs;

const PAGE: &str = "src/prove-a-shutdown.md";
const HEAD: &str = "| One thread | The other | Classes |";
/// More than any of them has.
const MOST: usize = 100;

type Step = Box<dyn FnOnce() + Send + 'static>;
/// What makes the steps of two threads.
type Make = fn() -> (Step, Step);

/// The first two cells of each row, and what makes their steps.
const ROWS: &[(&str, &str, Make)] = &[
    ("takes a lock", "takes another lock", || {
        let (one, other) = (Mutex::new(()), Mutex::new(()));
        steps(move || drop(one.lock()), move || drop(other.lock()))
    }),
    ("takes a lock", "takes the same lock", || {
        let (one, other) = shared(Mutex::new(()));
        steps(move || drop(one.lock()), move || drop(other.lock()))
    }),
    ("reads a flag", "reads the same flag", || {
        let (one, other) = shared(AtomicBool::new(false));
        steps(
            move || _ = one.load(Ordering::SeqCst),
            move || _ = other.load(Ordering::SeqCst),
        )
    }),
    ("reads a flag", "stores it", || {
        let (one, other) = shared(AtomicBool::new(false));
        steps(
            move || _ = one.load(Ordering::SeqCst),
            move || other.store(true, Ordering::SeqCst),
        )
    }),
    ("sends a second message", "receives the first one", || {
        let (sender, receiver) = mpsc::channel();
        sender.send(()).unwrap();
        steps(
            kept(sender, |sender| sender.send(()).unwrap()),
            kept(receiver, |receiver| receiver.recv().unwrap()),
        )
    }),
    (
        "sends a message",
        "sends another one into the same channel",
        || {
            let (sender, receiver) = mpsc::channel();
            std::mem::forget(receiver);
            let senders = [sender.clone(), sender];
            let [one, other] =
                senders.map(|sender| kept(sender, |sender| sender.send(()).unwrap()));
            steps(one, other)
        },
    ),
    ("sends the only message", "receives it", || {
        let (sender, receiver) = mpsc::channel();
        steps(
            kept(sender, |sender| sender.send(()).unwrap()),
            kept(receiver, |receiver| receiver.recv().unwrap()),
        )
    }),
    (
        "wakes all at a condition variable",
        "goes to sleep there",
        || {
            let (one, other) = shared((Mutex::new(()), Condvar::new()));
            steps(
                move || one.1.notify_all(),
                move || {
                    let guard = other.0.lock().unwrap();
                    drop(other.1.wait(guard));
                },
            )
        },
    ),
];

fn steps(
    one: impl FnOnce() + Send + 'static,
    other: impl FnOnce() + Send + 'static,
) -> (Step, Step) {
    (Box::new(one), Box::new(other))
}

fn shared<T>(thing: T) -> (Arc<T>, Arc<T>) {
    let one = Arc::new(thing);
    (Arc::clone(&one), one)
}

/// Does something, and drops nothing: that would be a step as well.
fn kept<T: Send + 'static>(thing: T, does: fn(&T)) -> impl FnOnce() + Send + 'static {
    move || {
        does(&thing);
        std::mem::forget(thing);
    }
}

/// The rows of the table are these, and each says how many classes there are.
pub fn check() -> Result<(), Failed> {
    let page = fs::read_to_string(book::root().join(PAGE))?;
    let rows = tables::below(&page, HEAD).into_iter().map(|(_, row)| row);
    let rows: Vec<_> = rows.collect();
    let found = ROWS.iter().map(|(one, other, make)| {
        let make = *make;
        let found = explore(Exploration::classes(MOST), move || {
            let (one, other) = make();
            let threads = [thread::spawn(one), thread::spawn(other)];
            for thread in threads {
                drop(thread.join());
            }
        });
        format!("| {one} | {other} | {} |", found.classes.len())
    });
    let found: Vec<_> = found.collect();
    match rows == found {
        true => Ok(()),
        false => report(vec![format!(
            "{PAGE}: the table headed {HEAD} says\n{}\nand it is\n{}",
            rows.join("\n"),
            found.join("\n")
        )]),
    }
}
