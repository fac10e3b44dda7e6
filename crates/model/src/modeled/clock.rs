//! The clock of a run.
//!
//! It stands still while threads run, and moves in two ways:
//!
//! - A wait with a deadline ends because its time is up. The clock then shows that deadline, or
//!   what it showed before, if that is later. A thread can wake late, never early: so of a wait for
//!   one second and one for five, either may be seen to end first, and whoever looks at the clock
//!   after the second finds that five seconds have passed.
//! - A thread looks at it. Then the clock stands still, or it shows the next of the instants that were
//!   made by adding to another, or one after that, or a time that is longer than any of them. Each of
//!   these is tried: between two deadlines lies a moment at which one has passed and the other has not.
//!
//! It never goes back. What a program compares with a `Duration`, as in `start.elapsed() > limit`, is
//! not known in advance: there, no time has passed, or that until a known instant, or a very long one.
//!
//! A deadline that is too late for an `Instant`, as `Duration::MAX` is, never passes, as in std.
//!
//! A thread that waits with a deadline again and again lets others go on, as one that asks again and
//! again (`fair`).

use super::run;
use crate::reduced;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// So long before the run, so that an instant can lie before its beginning.
pub(crate) const BEGIN: Duration = Duration::from_secs(1 << 40);
/// Longer than a pool waits for anything.
const LONG: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// A thread that looks at the clock more often, and gets nothing in between, waits for time to pass: it
/// sees the long time.
const MOST_LOOKS: u32 = 5;

#[derive(Default)]
struct Clock {
    /// Since [`BEGIN`].
    now: Duration,
    /// Instants that somebody has reckoned, and may wait for, in their order.
    to_come: Vec<Duration>,
    /// Somebody has looked at it: to whom time passes.
    was_seen: bool,
    /// How often each thread has looked at it, and not seen the long time, since it has got something.
    looks: BTreeMap<usize, u32>,
}

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::default();
}

/// A run begins.
pub(crate) fn begin() {
    CLOCK.take();
}

/// The thread that runs has got something: that is worth to look again.
pub(crate) fn got() {
    CLOCK.with_borrow_mut(|clock| clock.looks.remove(&run::thread()));
}

/// What it shows, to a thread that looks at it.
pub(crate) fn look() -> Duration {
    reduced::uses_clock("look");
    // Not within the borrow: to choose, the scheduler is asked.
    let options = CLOCK.with_borrow_mut(Clock::options);
    let chosen = match options.len() {
        1 => 0,
        several => run::choose(several),
    };
    let is_last = chosen + 1 == options.len();
    CLOCK.with_borrow_mut(|clock| clock.show(options[chosen], is_last))
}

/// Somebody may wait for this instant.
pub(crate) fn expect(instant: Duration) {
    reduced::uses_clock("expect");
    CLOCK.with_borrow_mut(|clock| {
        if clock.now + BEGIN < instant {
            if let Err(place) = clock.to_come.binary_search(&(instant - BEGIN)) {
                clock.to_come.insert(place, instant - BEGIN);
            }
        }
    });
}

/// When a wait ends that begins now. `None`: never.
pub(crate) fn deadline(time: Duration) -> Option<Duration> {
    reduced::uses_clock("begin to wait");
    CLOCK.with_borrow(|clock| (clock.now + BEGIN).checked_add(time))
}

/// Whether this instant is one that has passed.
pub(crate) fn has_passed(deadline: Duration) -> bool {
    reduced::uses_clock("look");
    CLOCK.with_borrow(|clock| deadline <= clock.now + BEGIN)
}

/// A wait ends because its time is up.
pub(crate) fn pass(deadline: Duration) {
    reduced::uses_clock("time is up");
    CLOCK.with_borrow_mut(|clock| clock.now = clock.now.max(deadline - BEGIN));
}

impl Clock {
    /// What it can show next. The last of them is the long time.
    fn options(&mut self) -> Vec<Duration> {
        let now = self.now;
        if !std::mem::replace(&mut self.was_seen, true) {
            return vec![now];
        }
        self.to_come.retain(|instant| *instant > now);
        let last = self.to_come.last().copied().unwrap_or(now);
        let long = last.saturating_add(LONG);
        let looks = self.looks.entry(run::thread()).or_default();
        if *looks == MOST_LOOKS {
            return vec![long];
        }
        let mut options = vec![now];
        options.extend_from_slice(&self.to_come);
        options.push(long);
        options
    }

    fn show(&mut self, time: Duration, is_last: bool) -> Duration {
        if is_last && time > self.now {
            self.looks.remove(&run::thread());
        } else {
            *self.looks.entry(run::thread()).or_default() += 1;
        }
        self.now = time;
        BEGIN + time
    }
}
