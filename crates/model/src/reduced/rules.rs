//! What each operation uses of its object, and why.

use super::operation::{Operation, Part};

/// An operation uses a part of an object: left out, orders that differ would be taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    pub operation: &'static str,
    pub part: &'static str,
    pub why: &'static str,
}

const fn rule(operation: &'static str, part: &'static str, why: &'static str) -> Rule {
    Rule {
        operation,
        part,
        why,
    }
}

/// All of them. Some are used only in one of an operation's outcomes: `objects` says when.
pub const RULES: &[Rule] = &[
    rule(
        "lock",
        "whole",
        "of two threads that want a lock, one comes first",
    ),
    rule(
        "try_lock",
        "whole",
        "it sees whether the lock is free, and takes it if it is",
    ),
    rule(
        "unlock",
        "whole",
        "before it, `try_lock` fails, and `lock` waits",
    ),
    rule(
        "wait",
        "whole of the condition variable",
        "before it, a notification does not reach the thread",
    ),
    rule("wait", "whole of the lock", "it gives the lock back"),
    rule("wake", "notified", "it waits for the notification"),
    rule("wake", "whole of the lock", "it takes the lock again"),
    rule(
        "end_wait",
        "notified",
        "with a deadline, it sees whether the notification has come",
    ),
    rule("end_wait", "whole", "if its time is up, it no longer waits"),
    rule("notify", "whole", "it sees who waits"),
    rule("notify", "notified", "it lets a thread that waits go on"),
    rule("load", "whole", "it sees what was stored last"),
    rule(
        "store",
        "whole",
        "another store, or load, sees it, or does not",
    ),
    rule(
        "arrive",
        "whole",
        "those that wait at the barrier wait for it",
    ),
    rule("depart", "whole", "it waits for all that arrive"),
    rule(
        "spawn",
        "whole",
        "of two threads that start one, the first gives it the smaller number",
    ),
    rule("join", "whole", "it waits for the end of the thread"),
    rule("end", "whole", "whoever joins the thread waits for it"),
    rule("send", "tail", "of two messages, one is the first"),
    rule("send", "message", "whoever receives it waits for it"),
    rule("send", "receiver", "it sees whether there is one"),
    rule(
        "send",
        "room",
        "in a bounded channel, it waits for the place",
    ),
    rule(
        "try_send",
        "tail",
        "as `send`; where there is no room, it sees that",
    ),
    rule("try_send", "message", "as `send`"),
    rule("try_send", "receiver", "as `send`"),
    rule("try_send", "room", "it sees whether there is a place"),
    rule("receive", "message", "it waits for the message"),
    rule("receive", "room", "in a bounded channel, it leaves a place"),
    rule(
        "receive",
        "senders",
        "where there is no message, it waits until all senders are gone",
    ),
    rule("try_receive", "message", "it sees whether there is one"),
    rule("try_receive", "room", "as `receive`"),
    rule(
        "try_receive",
        "senders",
        "where there is no message, it sees whether one can come",
    ),
    rule(
        "drop_sender",
        "senders",
        "the last of them ends the waiting for messages",
    ),
    rule(
        "drop_receiver",
        "receiver",
        "before it, a message can be sent",
    ),
    rule(
        "begin to wait",
        "whole",
        "with a deadline, it ends so long after what the clock shows",
    ),
    rule("time is up", "whole", "the clock shows the deadline"),
    rule("look", "whole", "it sees the clock, and time passes"),
    rule("expect", "whole", "whoever looks may see this instant"),
    rule(
        "read",
        "whole",
        "a search reads, at the end, which jobs have run",
    ),
    rule("write", "whole", "a job has run"),
];

impl Operation {
    /// How [`RULES`] call it, and its part.
    pub(super) fn rule(self, object: usize, part: Part) -> (&'static str, &'static str) {
        let of_part = match part {
            Part::Whole => match self {
                Operation::Wait { condvar, .. } if object == condvar => {
                    "whole of the condition variable"
                }
                Operation::Wait { .. } | Operation::Wake { .. } => "whole of the lock",
                _ => "whole",
            },
            Part::Tail => "tail",
            Part::Senders => "senders",
            Part::Receiver => "receiver",
            Part::Message(_) => "message",
            Part::Room(_) => "room",
            Part::Notified(_) => "notified",
        };
        let name = match self {
            Operation::Start | Operation::Pause | Operation::Undeclared => "none",
            Operation::Lock(_) => "lock",
            Operation::TryLock(_) => "try_lock",
            Operation::Unlock(_) => "unlock",
            Operation::Send(_) => "send",
            Operation::TrySend(_) => "try_send",
            Operation::Receive(_) => "receive",
            Operation::TryReceive(_) => "try_receive",
            Operation::DropSender(_) => "drop_sender",
            Operation::DropReceiver(_) => "drop_receiver",
            Operation::Wait { .. } => "wait",
            Operation::Wake { .. } => "wake",
            Operation::EndWait(_) => "end_wait",
            Operation::NotifyOne(_) | Operation::NotifyAll(_) => "notify",
            Operation::Load(_) => "load",
            Operation::Store(_) => "store",
            Operation::Depart(_) => "depart",
            Operation::Join(_) => "join",
            Operation::Spawn => "spawn",
        };
        (name, of_part)
    }
}
