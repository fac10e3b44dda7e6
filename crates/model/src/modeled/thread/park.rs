use crate::modeled::{clock, run};
use crate::reduced;
use shuttle::thread::ThreadId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// As `std::thread::Thread`.
#[derive(Clone, Debug)]
pub struct Thread(pub(super) shuttle::thread::Thread);

/// What a thread has that can be parked. shuttle has a token as well, but does not say whether it is
/// there, and keeps one for a thread that is unparked twice before it goes on.
#[derive(Default)]
struct Parking {
    token: bool,
    is_parked: bool,
    /// shuttle has a token for it that is none.
    is_stale: bool,
}

thread_local! {
    static PARKING: RefCell<BTreeMap<usize, Parking>> = RefCell::default();
}

/// A run begins.
pub(super) fn begin() {
    PARKING.take();
}

fn with<R>(thread: usize, f: impl FnOnce(&mut Parking) -> R) -> R {
    reduced::alone();
    PARKING.with_borrow_mut(|parking| f(parking.entry(thread).or_default()))
}

impl Thread {
    pub fn name(&self) -> Option<&str> {
        match usize::from(self.id()) {
            0 => Some("main"), // shuttle's is called otherwise
            _ => self.0.name(),
        }
    }

    pub fn id(&self) -> ThreadId {
        self.0.id()
    }

    #[track_caller]
    pub fn unpark(&self) {
        self.0.unpark(); // nobody comes between this and the next line
        with(self.id().into(), |parking| {
            parking.is_stale |= parking.is_parked && parking.token;
            parking.token = true;
        });
    }
}

/// As `std::thread::current`.
#[must_use]
pub fn current() -> Thread {
    Thread(shuttle::thread::current())
}

/// As `std::thread::park`. While others can go on, it may return without a reason, as std's may.
pub fn park() {
    if take_token() {
        return;
    }
    with(run::thread(), |parking| parking.is_parked = true);
    run::asks();
    shuttle::thread::park();
    let stale = with(run::thread(), |parking| {
        parking.is_parked = false;
        if std::mem::take(&mut parking.token) {
            run::got();
        }
        std::mem::take(&mut parking.is_stale)
    });
    if stale {
        shuttle::thread::park(); // does not block: it takes the token
    }
}

/// As `std::thread::park_timeout`: there is a token when the thread goes on, or its time is up.
#[track_caller]
pub fn park_timeout(time: Duration) {
    let Some(deadline) = clock::deadline(time) else {
        return park();
    };
    if take_token() {
        return;
    }
    run::asks();
    run::point();
    if !take_token() {
        clock::pass(deadline);
    }
}

/// Whether there was one.
fn take_token() -> bool {
    let token = with(run::thread(), |parking| std::mem::take(&mut parking.token));
    if token {
        run::got();
        shuttle::thread::park(); // does not block: it takes shuttle's
    }
    token
}
