//! What the model's operations say of themselves to the search.

use super::engine::{is_on, with};
use super::objects::{Object, CLOCK};
use super::operation::{Kind, Operation};
use super::trace::MOST_THREADS;
use crate::modeled::run;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What tells an object from others in a run: a number that it gets when it is used first.
#[derive(Debug, Default)]
pub(crate) struct Identity(AtomicU64);

impl Identity {
    pub(crate) const fn new() -> Identity {
        Identity(AtomicU64::new(0))
    }

    /// Its number in this run. `new` says what it is.
    pub(crate) fn get(&self, new: impl FnOnce() -> Object) -> usize {
        let run = run::number() << 32;
        let known = self.0.load(Ordering::Relaxed);
        if known & !0xFFFF_FFFF == run && known & 0xFFFF_FFFF != 0 {
            return (known & 0xFFFF_FFFF) as usize - 1;
        }
        let Some(number) = with(|engine| engine.trace.add(new())) else {
            return 0;
        };
        self.0.store(run | (number as u64 + 1), Ordering::Relaxed);
        number
    }
}

/// Declares what the thread does next, and lets any thread that can go on come first.
pub(crate) fn point(operation: Operation) {
    if !is_on() {
        return;
    }
    if std::thread::panicking() {
        // No thread comes between the destructors of one that panics.
        with(|engine| engine.trace.perform(operation));
        return;
    }
    with(|engine| {
        engine.inside = false;
        engine.trace.declare(engine.running, operation);
    });
    shuttle::thread::sleep(Duration::ZERO);
}

/// The operation is done. From here on, where shuttle switches and nothing was declared, the step
/// depends on everything.
pub(crate) fn done() {
    with(|engine| engine.inside = false);
}

/// As [`point`], around what shuttle does for the operation.
pub(crate) fn operate<T>(operation: impl FnOnce() -> Operation, act: impl FnOnce() -> T) -> T {
    if !is_on() {
        return act();
    }
    point(operation());
    let result = act();
    done();
    result
}

/// Around what starts a thread in shuttle.
#[track_caller]
pub(crate) fn spawn<T>(act: impl FnOnce() -> T) -> T {
    if with(|engine| engine.ended.len()) == Some(MOST_THREADS) {
        run::refuse("the search by classes knows 64 threads at most");
    }
    operate(|| Operation::Spawn, act)
}

/// The step that is under way has started a thread.
pub(crate) fn spawned() {
    with(|engine| {
        engine.trace.spawn();
        engine.ended.push(false);
    });
}

/// The thread that runs has ended.
pub(crate) fn ended() {
    with(|engine| {
        let thread = engine.running;
        engine.ended[thread] = true;
        engine.trace.end_thread(thread);
    });
}

/// The object of a thread, for who joins it.
pub(crate) fn of_thread(thread: usize) -> usize {
    with(|engine| engine.trace.object_of(thread)).unwrap_or(0)
}

/// The step that is under way depends on everything.
pub(crate) fn alone() {
    with(|engine| engine.trace.stands_alone());
}

/// The step that is under way uses the clock (`modeled::clock`), as the rules call it.
pub(crate) fn uses_clock(what: &'static str) {
    let kind = match what {
        "look" => Kind::Write,
        "begin to wait" => Kind::Read,
        _ => Kind::Add, // of two times that come, the later one is shown
    };
    with(|engine| {
        if what == "look" {
            engine.looks_at_clock();
        }
        if engine.clock_is_seen {
            engine.trace.uses_also(what, CLOCK, kind);
        }
    });
}

/// One more sender of the channel.
pub(crate) fn sender_added(channel: usize) {
    with(|engine| {
        if let Object::Channel { senders, .. } = engine.trace.objects.get_mut(channel) {
            *senders += 1;
        }
    });
}

/// Whether the thread that has ended its waiting was notified.
pub(crate) fn was_notified() -> bool {
    with(|engine| engine.trace.objects.was_notified).unwrap_or(false)
}

/// A place in memory that the model does not watch by itself.
pub(crate) fn place() -> usize {
    with(|engine| engine.trace.add(Object::Plain)).unwrap_or(0)
}

/// The step that is under way reads, or writes, the place.
pub(crate) fn touch(place: usize, writes: bool) {
    let (what, kind) = match writes {
        true => ("write", Kind::Write),
        false => ("read", Kind::Read),
    };
    with(|engine| engine.trace.uses_also(what, place, kind));
}

/// A barrier for so many, of which none is told that it was the last to come.
pub(crate) fn barrier(size: usize) -> Option<usize> {
    with(|engine| engine.trace.add(Object::Barrier { size, arrived: 0 }))
}

/// Waits at the barrier for the others.
pub(crate) fn meet(barrier: usize) {
    with(|engine| engine.trace.arrive(barrier));
    point(Operation::Depart(barrier));
    done();
}
