//! What a thread does in one step, and which two steps do not commute.

/// What a thread is about to do. Each is declared before the scheduler chooses who does it, so that
/// the search knows what every thread would do next, and whether it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// A new thread runs up to its first operation.
    Start,
    /// A point at which any thread may come first, and nothing is done.
    Pause,
    /// Nobody has declared it: it depends on everything.
    Undeclared,
    Lock(usize),
    TryLock(usize),
    Unlock(usize),
    Send(usize),
    TrySend(usize),
    Receive(usize),
    TryReceive(usize),
    DropSender(usize),
    DropReceiver(usize),
    /// Gives the lock back, and waits from then on: one step.
    Wait {
        condvar: usize,
        mutex: usize,
    },
    /// Has been notified, and takes the lock again.
    Wake {
        condvar: usize,
        mutex: usize,
    },
    /// Goes on, notified or as its time is up, and does not have the lock yet.
    EndWait(usize),
    NotifyOne(usize),
    NotifyAll(usize),
    Load(usize),
    /// Any change of an atomic: a store, a swap, an addition.
    Store(usize),
    /// Goes on behind a barrier.
    Depart(usize),
    Join(usize),
    /// Starts a thread.
    Spawn,
}

/// A part of an object. Two steps that use no part in common commute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// A lock, an atomic, a barrier, the end of a thread, or who waits at a condition variable.
    Whole,
    /// Of a channel: which message is sent next. (Which is received next is nobody's concern: a
    /// receiver is for one thread at a time.)
    Tail,
    /// How many senders there are.
    Senders,
    /// Whether the receiver is there.
    Receiver,
    /// The message with this number.
    Message(usize),
    /// The place in a bounded channel that the message with this number leaves when it is received.
    Room(usize),
    /// Of a condition variable: that this thread has been notified.
    Notified(usize),
}

impl Part {
    /// Where it stands among the parts of its object.
    pub fn place(self) -> usize {
        match self {
            Part::Whole => 0,
            Part::Tail => 1,
            Part::Senders => 2,
            Part::Receiver => 3,
            Part::Message(number) => 4 + 2 * number,
            Part::Room(number) => 5 + 2 * number,
            Part::Notified(thread) => 1 + thread,
        }
    }
}

/// A part of one of a run's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub object: usize,
    pub part: Part,
}

/// How a step uses a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
    /// A change that comes to the same in any order with others of its kind: a sender less, one more
    /// at a barrier, one less that waits, a time that has come.
    Add,
    /// A read that has to wait until the cell is written.
    Need,
    /// The next place in a channel is taken, as soon as there is one.
    Next,
    /// A lock is taken, as soon as it is free.
    Take,
    /// A lock is given back.
    Give,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub cell: Cell,
    pub kind: Kind,
    /// Before the other step, this one would not need what it needs now: it would take the place that
    /// the other one has taken.
    pub competes: bool,
}

/// Whether the order of two uses of one cell makes a difference. All others commute:
///
/// - two that read (`Read`, `Need`) change nothing;
/// - two that `Add` come to the same in both orders, and neither sees the other.
pub(super) fn conflict(a: Kind, b: Kind) -> bool {
    use Kind::{Add, Need, Read};
    !matches!((a, b), (Read | Need, Read | Need) | (Add, Add))
}

/// Of two uses that do not commute, whether the later one could have come first. It could not where it
/// waits for the earlier one:
///
/// - what is needed is there only once it is written;
/// - a lock can be taken only once it is given back, and not where another has just found it taken;
/// - nor can the next place in a channel, where another has just found that there is none.
pub(super) fn reversible(first: Kind, then: Kind) -> bool {
    use Kind::{Give, Need, Next, Read, Take};
    let waits = matches!(
        (first, then),
        (_, Need) | (Give | Read, Take) | (Read, Next)
    );
    conflict(first, then) && !waits
}

/// All that a step has used.
#[derive(Clone, Debug, Default)]
pub(super) struct Footprint {
    pub accesses: Vec<Access>,
    /// It depends on everything: nobody has declared what it does, or it ends the run.
    pub alone: bool,
}

impl Footprint {
    pub fn add(&mut self, access: Access) {
        if !self.accesses.contains(&access) {
            self.accesses.push(access);
        }
    }

    /// Takes in what another outcome of the same step has used.
    pub fn join(&mut self, other: &Footprint) {
        self.alone |= other.alone;
        other.accesses.iter().for_each(|access| self.add(*access));
    }

    pub fn commutes(&self, other: &Footprint) -> bool {
        let conflicts = |a: &Access| {
            let mut others = other.accesses.iter();
            others.any(|b| a.cell == b.cell && conflict(a.kind, b.kind))
        };
        !self.alone && !other.alone && !self.accesses.iter().any(conflicts)
    }
}
