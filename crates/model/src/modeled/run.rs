//! What belongs to one run of a search: its number, and choices that are not of threads.

use super::{clock, thread};
use shuttle::current;
use shuttle::rand::RngCore;
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the message of a panic begins that is not the pool's, but says why it cannot be searched.
pub(crate) const REFUSED: &str = "cannot be searched: ";

/// The folder that holds a reader's crate, or what it needs: what comes behind it is the reader's own
/// name for a file.
pub const FOLDER: &str = "readers-crate/";

static RUNS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static OPTIONS: Cell<usize> = const { Cell::new(0) };
    static HAS_GOT: Cell<bool> = const { Cell::new(false) };
    static ASKS: Cell<bool> = const { Cell::new(false) };
}

/// A run begins.
pub(crate) fn begin() {
    NUMBER.set(RUNS.fetch_add(1, Ordering::Relaxed));
    stopped();
    clock::begin();
    thread::begin();
}

/// The number of the run.
pub(crate) fn number() -> u64 {
    NUMBER.get()
}

/// Ends the search: it cannot go on in a way that means something.
#[track_caller]
pub(crate) fn refuse(why: &str) -> ! {
    let place = Location::caller();
    let file = place.file();
    let file = file.rsplit_once(FOLDER).map_or(file, |(_, file)| file);
    panic!("{REFUSED}{file}:{}: {why}", place.line());
}

/// As [`refuse`], for what no line can be named.
pub(crate) fn refuse_all(why: &str) -> ! {
    panic!("{REFUSED}{why}");
}

/// What was made in one run, and must not be used in another.
#[derive(Debug, Default)]
pub(crate) struct Once(AtomicU64);

impl Once {
    pub(crate) const fn new() -> Once {
        Once(AtomicU64::new(0))
    }

    /// It is used now.
    #[track_caller]
    pub(crate) fn used(&self) {
        let number = NUMBER.get();
        match self.0.load(Ordering::Relaxed) {
            0 => self.0.store(number, Ordering::Relaxed),
            known if known == number || std::thread::panicking() => {}
            _ => refuse(
                "this is a `static`, which keeps from one interleaving to the next what threads \
                 share through it: make it a field of the pool, behind an `Arc`",
            ),
        }
    }
}

/// One of so many ways in which the run can go on, each of which is searched.
pub(crate) fn choose(options: usize) -> usize {
    OPTIONS.set(options);
    let chosen = shuttle::rand::thread_rng().next_u64();
    usize::try_from(chosen).unwrap_or(0)
}

/// How many ways there are, for the scheduler that is asked for a number.
pub(crate) fn options() -> Vec<usize> {
    (0..OPTIONS.replace(0).max(1)).collect()
}

/// The thread that runs goes round, or waits for time to pass. If it does so too often, others come
/// first (`fair`). Right before the point at which it asks.
pub(crate) fn asks() {
    ASKS.set(true);
}

/// The thread that runs has got what it has asked for, or waited for.
pub(crate) fn got() {
    HAS_GOT.set(true);
    clock::got();
}

/// For the scheduler, of the thread that has run so far: whether it has got something, and whether
/// it is about to ask.
pub(crate) fn stopped() -> (bool, bool) {
    (HAS_GOT.take(), ASKS.take())
}

/// The number of the thread that runs.
pub(crate) fn thread() -> usize {
    current::get_current_task().map_or(0, usize::from)
}

/// A point at which another thread can come first.
pub(crate) fn point() {
    shuttle::thread::sleep(std::time::Duration::ZERO);
}
