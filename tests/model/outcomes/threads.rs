// Threads.

use std::cell::{Cell, RefCell};
use the_std::sync::atomic::{AtomicUsize, Ordering};
use the_std::sync::{mpsc, Arc, Mutex};
use the_std::thread;
use the_std::thread_local;
use the_std::time::{Duration, Instant};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(1) };
    static NAMES: RefCell<Vec<&'static str>> = RefCell::new(vec!["first"]);
    static LEAVES: RefCell<Option<Leaves>> = const { RefCell::new(None) };
}

/// Says whether its own place is still there when its thread ends.
struct Leaves(Arc<Mutex<&'static str>>);

impl Drop for Leaves {
    fn drop(&mut self) {
        let gone: Result<(), thread::AccessError> = LEAVES.try_with(|_| ());
        *self.0.lock().unwrap() = if gone.is_err() { "gone" } else { "there" };
    }
}

pub const PROGRAMS: &[Program] = &[
    Program::of_both(
        "what a thread returns",
        &["thread::spawn", "thread::JoinHandle"],
        &["6"],
        || {
            let threads: Vec<_> = (1..=3)
                .map(|number| thread::spawn(move || number))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum::<usize>()
                .to_string()
        },
    ),
    Program::of_both(
        "names",
        &[
            "thread::Builder",
            "thread::Thread",
            "thread::ThreadId",
            "thread::current",
        ],
        &["worker, worker, none, others"],
        || {
            let builder = thread::Builder::new()
                .name("worker".into())
                .stack_size(1 << 16);
            let named = builder
                .spawn(|| thread::current().name().map(str::to_owned))
                .unwrap();
            let unnamed = thread::spawn(|| thread::current().name().map(str::to_owned));
            let from_outside = named.thread().name().map(str::to_owned);
            let ids = [
                named.thread().id(),
                unnamed.thread().id(),
                thread::current().id(),
            ];
            let others = ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2];
            let names = [from_outside, named.join().unwrap(), unnamed.join().unwrap()];
            let names = names.map(|name| name.unwrap_or_else(|| "none".into()));
            format!(
                "{}, {}",
                names.join(", "),
                if others { "others" } else { "the same" }
            )
        },
    ),
    Program::of_model(
        "the name of the first",
        &["thread::Thread", "thread::current"],
        &["main"],
        || thread::current().name().unwrap_or("none").into(),
    ),
    Program::of_both(
        "its own id",
        &["thread::ThreadId", "thread::current"],
        &["the same"],
        || {
            let thread = thread::spawn(|| thread::current().id());
            let id = thread.thread().id();
            if thread.join().unwrap() == id {
                "the same"
            } else {
                "another"
            }
            .into()
        },
    ),
    // What a thread has done last can be seen before it has ended, and its end when that was not.
    Program::of_both(
        "has it ended",
        &["thread::JoinHandle"],
        &["0, not yet", "0, ended", "1, not yet", "1, ended"],
        || {
            let last = Arc::new(AtomicUsize::new(0));
            let theirs = Arc::clone(&last);
            let thread = thread::spawn(move || theirs.store(1, Ordering::SeqCst));
            let seen = last.load(Ordering::SeqCst);
            let ended = if thread.is_finished() {
                "ended"
            } else {
                "not yet"
            };
            format!("{seen}, {ended}")
        },
    ),
    Program::of_both(
        "asking until it has ended",
        &["thread::JoinHandle"],
        &["1"],
        || {
            let thread = thread::spawn(|| 1);
            while !thread.is_finished() {}
            thread.join().unwrap().to_string()
        },
    ),
    Program::of_both(
        "parking",
        &["thread::park", "thread::Thread"],
        &["woken"],
        || {
            let main = thread::current();
            let done = Arc::new(AtomicUsize::new(0));
            let theirs = Arc::clone(&done);
            thread::spawn(move || {
                theirs.store(1, Ordering::SeqCst);
                main.unpark();
            });
            while done.load(Ordering::SeqCst) == 0 {
                thread::park();
            }
            "woken".into()
        },
    ),
    Program::of_both(
        "unparked before",
        &["thread::park", "thread::Thread"],
        &["awake"],
        || {
            thread::current().unpark();
            thread::park();
            "awake".into()
        },
    ),
    Program::of_model("nobody unparks", &["thread::park"], &["deadlock"], || {
        thread::park();
        "awake".into()
    }),
    // It may wake without a reason, as long as somebody else can go on.
    Program::of_model(
        "unparked by nobody",
        &["thread::park"],
        &["deadlock", "awake"],
        || {
            let other = thread::spawn(thread::yield_now);
            thread::park();
            other.join().unwrap();
            "awake".into()
        },
    ),
    Program::of_model(
        "unparked twice",
        &["thread::Thread", "thread::park"],
        &["deadlock"],
        || {
            let main = thread::current();
            main.unpark();
            main.unpark();
            thread::park();
            thread::park();
            "awake".into()
        },
    ),
    Program::of_model(
        "unparked twice by another",
        &["thread::Thread", "thread::park"],
        &["deadlock", "awake"],
        || {
            let main = thread::current();
            let other = thread::spawn(move || {
                main.unpark();
                main.unpark();
            });
            thread::park();
            other.join().unwrap();
            // There may be a token left, if it has gone on between them. Else there is none.
            thread::park();
            "awake".into()
        },
    ),
    Program::of_both(
        "parked for a time",
        &["thread::park_timeout"],
        &["unparked", "time is up", "both"],
        || {
            let main = thread::current();
            let done = Arc::new(AtomicUsize::new(0));
            let theirs = Arc::clone(&done);
            let start = Instant::now();
            thread::spawn(move || {
                theirs.store(1, Ordering::SeqCst);
                main.unpark();
            });
            thread::park_timeout(ms(5));
            let is_up = start.elapsed() >= ms(5);
            match (done.load(Ordering::SeqCst) == 1, is_up) {
                (true, false) => "unparked",
                (false, true) => "time is up",
                (true, true) => "both",
                (false, false) => "neither",
            }
            .into()
        },
    ),
    Program::of_both(
        "parked for a time, unparked before",
        &["thread::park_timeout"],
        &["at once", "late"],
        || {
            thread::current().unpark();
            let start = Instant::now();
            thread::park_timeout(ms(200));
            if start.elapsed() < ms(200) {
                "at once"
            } else {
                "late"
            }
            .into()
        },
    ),
    Program::of_model(
        "the time takes the token",
        &["thread::park_timeout", "thread::park"],
        &["deadlock"],
        || {
            thread::current().unpark();
            thread::park_timeout(ms(5));
            thread::park();
            "awake".into()
        },
    ),
    Program::of_both(
        "a token after the time",
        &["thread::park_timeout", "thread::park"],
        &["awake"],
        || {
            thread::park_timeout(ms(1));
            thread::current().unpark();
            thread::park();
            "awake".into()
        },
    ),
    Program::of_model(
        "parked without end",
        &["thread::park_timeout"],
        &["deadlock"],
        || {
            thread::park_timeout(Duration::MAX);
            "awake".into()
        },
    ),
    Program::of_model(
        "two processors",
        &["thread::available_parallelism"],
        &["2"],
        || thread::available_parallelism().unwrap().to_string(),
    ),
    Program::of_both(
        "each its own",
        &["thread::LocalKey"],
        &["2, 1, [\"first\", \"of main\"], [\"first\"]"],
        || {
            NUMBER.set(2);
            NAMES.with_borrow_mut(|names| names.push("of main"));
            let theirs = thread::spawn(|| (NUMBER.get(), NAMES.with_borrow(Vec::clone)));
            let (number, names) = theirs.join().unwrap();
            let said = format!(
                "{}, {number}, {:?}, {names:?}",
                NUMBER.get(),
                NAMES.with_borrow(Vec::clone)
            );
            // std has the same ones in the next run, if it is on the same thread.
            assert_eq!(NUMBER.replace(1), 2);
            assert_eq!(NAMES.replace(vec!["first"]).len(), 2);
            said
        },
    ),
    Program::of_both(
        "values of a thread that has ended",
        &["thread::LocalKey", "thread::AccessError"],
        &["gone"],
        || {
            let said = Arc::new(Mutex::new("still there"));
            let theirs = Arc::clone(&said);
            let thread = thread::spawn(move || LEAVES.set(Some(Leaves(theirs))));
            thread.join().unwrap();
            let said = *said.lock().unwrap();
            said.into()
        },
    ),
    Program::of_both(
        "borrowing",
        &["thread::scope", "thread::Scope", "thread::ScopedJoinHandle"],
        &["[1, 2], 3", "[2, 1], 3"],
        || {
            let order = Mutex::new(Vec::new());
            let sum = thread::scope(|scope| {
                let one = scope.spawn(|| {
                    order.lock().unwrap().push(1);
                    1
                });
                order.lock().unwrap().push(2);
                one.join().unwrap() + 2
            });
            format!("{:?}, {sum}", order.into_inner().unwrap())
        },
    ),
    Program::of_both(
        "not joined",
        &["thread::scope", "thread::Scope"],
        &["2"],
        || {
            let count = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| count.fetch_add(1, Ordering::SeqCst));
                }
            });
            count.into_inner().to_string()
        },
    ),
    Program::of_both(
        "has a scoped one ended",
        &["thread::ScopedJoinHandle"],
        &["0, not yet", "0, ended", "1, not yet", "1, ended"],
        || {
            let last = AtomicUsize::new(0);
            thread::scope(|scope| {
                let thread = scope.spawn(|| last.store(1, Ordering::SeqCst));
                let seen = last.load(Ordering::SeqCst);
                let ended = if thread.is_finished() {
                    "ended"
                } else {
                    "not yet"
                };
                format!("{seen}, {ended}")
            })
        },
    ),
    Program::of_both(
        "asking until a scoped one has ended",
        &["thread::ScopedJoinHandle"],
        &["1"],
        || {
            thread::scope(|scope| {
                let thread = scope.spawn(|| 1);
                while !thread.is_finished() {}
                thread.join().unwrap().to_string()
            })
        },
    ),
    // The end of the scoped thread wakes nobody who waits for something else.
    Program::of_both("waiting within a scope", &["thread::scope"], &["1"], || {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(1));
        thread::scope(|scope| {
            scope.spawn(|| ());
            receiver.recv().unwrap().to_string()
        })
    }),
    Program::of_both(
        "joining within a scope",
        &["thread::scope", "thread::ScopedJoinHandle"],
        &["3"],
        || {
            thread::scope(|scope| {
                let one = scope.spawn(|| 1);
                let two = scope.spawn(move || one.join().unwrap() + 2);
                two.join().unwrap().to_string()
            })
        },
    ),
    Program::of_both(
        "unparking a scoped thread",
        &["thread::ScopedJoinHandle", "thread::Thread"],
        &["awake"],
        || {
            thread::scope(|scope| {
                let go = AtomicUsize::new(0);
                thread::scope(|inner| {
                    let sleeper = inner.spawn(|| {
                        while go.load(Ordering::SeqCst) == 0 {
                            thread::park();
                        }
                        "awake"
                    });
                    go.store(1, Ordering::SeqCst);
                    sleeper.thread().unpark();
                    let _ = scope;
                    sleeper.join().unwrap().into()
                })
            })
        },
    ),
];
