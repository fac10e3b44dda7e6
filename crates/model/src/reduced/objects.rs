//! What threads share, as far as it decides who can go on, and what each operation uses of it.

use super::operation::{Access, Cell, Kind, Operation, Part};

/// The state of an object.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    /// An atomic: whoever wants to, can go on.
    Plain,
    Lock {
        held: bool,
    },
    Channel {
        /// How many messages it holds at most.
        bound: Option<usize>,
        sent: usize,
        received: usize,
        senders: usize,
        receiver: bool,
    },
    Condvar {
        waiting: Vec<usize>,
        notified: Vec<usize>,
    },
    Barrier {
        size: usize,
        arrived: usize,
    },
    Thread {
        ended: bool,
    },
}

impl Object {
    pub(crate) fn channel(bound: Option<usize>) -> Object {
        Object::Channel {
            bound,
            sent: 0,
            received: 0,
            senders: 1,
            receiver: true,
        }
    }
}

/// The object of all threads: how many there are.
const THREADS: usize = 0;
pub(super) const CLOCK: usize = 1;

/// The objects of a run, by their numbers.
#[derive(Default)]
pub(super) struct Objects {
    all: Vec<Object>,
    /// Whether who has ended its waiting last was notified.
    pub was_notified: bool,
}

/// Is told of each use.
pub(super) type Used<'u> = &'u mut dyn FnMut(Access);

impl Objects {
    pub fn clear(&mut self) {
        self.all.clear();
    }

    pub fn get_mut(&mut self, object: usize) -> &mut Object {
        &mut self.all[object]
    }

    pub fn add(&mut self, object: Object) -> usize {
        self.all.push(object);
        self.all.len() - 1
    }

    /// Whether the thread could do this now.
    pub fn enabled(&self, thread: usize, operation: Operation) -> bool {
        let free = |lock: usize| matches!(self.all[lock], Object::Lock { held: false });
        match operation {
            Operation::Lock(lock) => free(lock),
            Operation::Wake { condvar, mutex } => {
                let woken = match &self.all[condvar] {
                    Object::Condvar { notified, .. } => notified.contains(&thread),
                    _ => false,
                };
                woken && free(mutex)
            }
            Operation::Send(channel) => match self.all[channel] {
                Object::Channel {
                    bound,
                    sent,
                    received,
                    receiver,
                    ..
                } => !receiver || bound.is_none_or(|bound| sent - received < bound),
                _ => true,
            },
            Operation::Receive(channel) => match self.all[channel] {
                Object::Channel {
                    sent,
                    received,
                    senders,
                    ..
                } => sent > received || senders == 0,
                _ => true,
            },
            Operation::Depart(barrier) => {
                matches!(self.all[barrier], Object::Barrier { size, arrived } if arrived >= size)
            }
            Operation::Join(of) => matches!(self.all[of], Object::Thread { ended: true }),
            _ => true,
        }
    }

    /// The thread does it. Says of each cell how it is used.
    pub fn perform(
        &mut self,
        thread: usize,
        operation: Operation,
        used: Used,
        choose: &mut dyn FnMut(usize) -> usize,
    ) {
        let mut uses = |object: usize, part: Part, kind: Kind| {
            used(Access {
                cell: Cell { object, part },
                kind,
                competes: false,
            });
        };
        match operation {
            Operation::Start | Operation::Pause | Operation::Undeclared => {}
            Operation::Lock(lock) => {
                uses(lock, Part::Whole, Kind::Take);
                self.all[lock] = Object::Lock { held: true };
            }
            Operation::TryLock(lock) => {
                let is_free = matches!(self.all[lock], Object::Lock { held: false });
                uses(
                    lock,
                    Part::Whole,
                    if is_free { Kind::Write } else { Kind::Read },
                );
                if is_free {
                    self.all[lock] = Object::Lock { held: true };
                }
            }
            Operation::Unlock(lock) => {
                uses(lock, Part::Whole, Kind::Give);
                self.all[lock] = Object::Lock { held: false };
            }
            Operation::Load(atomic) => uses(atomic, Part::Whole, Kind::Read),
            Operation::Store(atomic) => uses(atomic, Part::Whole, Kind::Write),
            Operation::Depart(barrier) => uses(barrier, Part::Whole, Kind::Need),
            Operation::Join(of) => uses(of, Part::Whole, Kind::Need),
            Operation::Spawn => uses(THREADS, Part::Whole, Kind::Write),
            Operation::Wait { condvar, mutex } => {
                uses(condvar, Part::Whole, Kind::Write);
                uses(mutex, Part::Whole, Kind::Give);
                self.all[mutex] = Object::Lock { held: false };
                if let Object::Condvar { waiting, .. } = &mut self.all[condvar] {
                    waiting.push(thread);
                }
            }
            Operation::Wake { condvar, mutex } => {
                uses(condvar, Part::Notified(thread), Kind::Need);
                uses(mutex, Part::Whole, Kind::Take);
                if let Object::Condvar { notified, .. } = &mut self.all[condvar] {
                    notified.retain(|of| *of != thread);
                }
                self.all[mutex] = Object::Lock { held: true };
            }
            Operation::EndWait(condvar) => {
                uses(condvar, Part::Notified(thread), Kind::Read);
                let Object::Condvar { waiting, notified } = &mut self.all[condvar] else {
                    return;
                };
                self.was_notified = notified.contains(&thread);
                if !self.was_notified {
                    uses(condvar, Part::Whole, Kind::Add);
                    waiting.retain(|of| *of != thread);
                }
                notified.retain(|of| *of != thread);
            }
            Operation::NotifyOne(condvar) | Operation::NotifyAll(condvar) => {
                let Object::Condvar { waiting, notified } = &mut self.all[condvar] else {
                    return;
                };
                // Whoever comes to wait later is not notified by it.
                let nobody = waiting.is_empty();
                uses(
                    condvar,
                    Part::Whole,
                    if nobody { Kind::Read } else { Kind::Write },
                );
                let these = match (operation, nobody) {
                    (Operation::NotifyOne(_), false) => {
                        waiting.sort_unstable();
                        vec![waiting.remove(choose(waiting.len()))]
                    }
                    _ => std::mem::take(waiting),
                };
                for of in these {
                    uses(condvar, Part::Notified(of), Kind::Write);
                    notified.push(of);
                }
            }
            Operation::Send(channel)
            | Operation::TrySend(channel)
            | Operation::Receive(channel)
            | Operation::TryReceive(channel)
            | Operation::DropSender(channel)
            | Operation::DropReceiver(channel) => self.carry(channel, operation, used),
        }
    }

    /// Of channels.
    fn carry(&mut self, channel: usize, operation: Operation, used: Used) {
        let Object::Channel {
            bound,
            sent,
            received,
            senders,
            receiver,
        } = &mut self.all[channel]
        else {
            return;
        };
        let mut uses = |part: Part, kind: Kind, competes: bool| {
            used(Access {
                cell: Cell {
                    object: channel,
                    part,
                },
                kind,
                competes,
            });
        };
        let waits = matches!(operation, Operation::Send(_) | Operation::Receive(_));
        let (wanted, next) = match waits {
            true => (Kind::Need, Kind::Next),
            false => (Kind::Read, Kind::Write),
        };
        match operation {
            Operation::DropSender(_) => {
                uses(Part::Senders, Kind::Add, false);
                *senders -= 1;
            }
            Operation::DropReceiver(_) => {
                uses(Part::Receiver, Kind::Write, false);
                *receiver = false;
            }
            Operation::Send(_) | Operation::TrySend(_) => {
                let is_full = bound.is_some_and(|bound| *sent - *received >= bound);
                // Who waits for room goes on when the receiver is gone, too.
                let gone = if is_full && waits {
                    Kind::Need
                } else {
                    Kind::Read
                };
                uses(Part::Receiver, gone, false);
                if !*receiver {
                    if is_full && waits {
                        uses(Part::Tail, Kind::Read, true); // before the other, there was room
                    }
                    return;
                }
                if let Some(before) = bound.and_then(|bound| sent.checked_sub(bound)) {
                    uses(Part::Room(before), wanted, false);
                }
                if is_full {
                    return uses(Part::Tail, Kind::Read, true);
                }
                uses(Part::Tail, next, true);
                uses(Part::Message(*sent), Kind::Write, false);
                *sent += 1;
            }
            _ if *sent > *received => {
                uses(Part::Message(*received), wanted, false);
                if bound.is_some() {
                    uses(Part::Room(*received), Kind::Write, false);
                }
                *received += 1;
            }
            // There is none: all senders are gone, or it was only tried.
            _ => {
                uses(Part::Senders, wanted, false);
                if !waits {
                    uses(Part::Message(*received), Kind::Read, false);
                }
            }
        }
    }

    /// What the thread would use if it could go on: it races with whoever keeps it from that.
    pub fn wanted(&self, thread: usize, operation: Operation) -> Vec<Access> {
        let uses = |object: usize, part: Part, kind: Kind| Access {
            cell: Cell { object, part },
            kind,
            competes: true,
        };
        match operation {
            Operation::Lock(lock) => vec![uses(lock, Part::Whole, Kind::Take)],
            Operation::Wake { condvar, mutex } => vec![
                uses(condvar, Part::Notified(thread), Kind::Need),
                uses(mutex, Part::Whole, Kind::Take),
            ],
            Operation::Send(channel) => vec![uses(channel, Part::Tail, Kind::Next)],
            _ => Vec::new(),
        }
    }
}
