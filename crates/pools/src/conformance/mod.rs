//! The questions, and how each is answered by trying it.
//!
//! A question can hang or abort the process that asks it. So [`ask`] has it asked by a
//! child process, the binary `conformance`, and ends the child at a deadline.

mod answers;
mod asking;

pub use answers::answer;
pub use asking::{ask, ask_all, main, table, ASK};

use crate::broken::{fault, HandWritten};
use crate::{adapters, Pool};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $word] $variant,)* }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The words for it in the table.
            pub fn words(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// The one that is called `name`, as `Debug` prints it.
            pub fn from_name(name: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|one| format!("{one:?}") == name)
            }
        }
    };
}

words! {
    /// What is asked of every pool.
    Question {
        EveryJobOnce = "Does every job run exactly once?",
        AtOnce = "Do four workers run four jobs at once?",
        HeldUp = "Does a job that waits hold up the next one?",
        PanicCost = "What does a job that panics cost?",
        DropAfterPanic = "After that, what does the drop do?",
        DropWaits = "Does the drop wait for running jobs?",
        QueueAtDrop = "When do jobs run that are in the queue at the drop?",
        QueueOfIdle = "And if the workers had nothing to do when they were queued?",
        DropInside = "What does the drop do in one of the pool's own jobs?",
        Joins = "Can it be waited for without a drop?",
        JoinInside = "What does that wait do in one of the pool's own jobs?",
        Refuses = "Can it refuse a job while it lives?",
        Bounded = "Can its queue be bounded?",
        GivesBack = "What does queuing a job give back?",
    }
}

words! {
    /// What the answer is.
    Outcome {
        Yes = "yes",
        No = "no",
        Loses = "some never",
        Repeats = "some twice",
        Nothing = "nothing",
        Worker = "a worker",
        Process = "the process",
        Returns = "returns",
        Panics = "panics",
        Hangs = "hangs",
        Aborts = "the process is gone",
        Before = "before it returns",
        After = "after it has returned",
        Never = "never",
        Partly = "some of them, never",
        Late = "perhaps after it has returned",
        AfterClose = "yes, once closed",
        Absent = "no method for it",
        NotAsked = "–",
        ResultOrPanic = "a handle: the result, or the panic",
        ResultPanicking = "a handle: the result; the panic goes on there",
    }
}

/// A pool that can be asked by name.
pub struct Entry {
    /// Its [`Pool::NAME`].
    pub name: &'static str,
    /// Asks the pool in this process, which may hang or abort.
    pub answer: fn(Question) -> Outcome,
}

const fn entry<P: Pool>() -> Entry {
    Entry {
        name: P::NAME,
        answer: answer::<P>,
    }
}

/// The pools of the table.
pub const POOLS: &[Entry] = &[
    entry::<adapters::Book>(),
    entry::<threadpool::ThreadPool>(),
    entry::<rayon::ThreadPool>(),
    entry::<futures_executor::ThreadPool>(),
    entry::<tokio::runtime::Runtime>(),
];

/// The book's pool as later steps have it, which are not in the table.
pub const LATER: &[Entry] = &[entry::<adapters::Bounded>()];

/// The hand-written pools: the first is sound, the others have one fault each.
pub const BROKEN: &[Entry] = &[
    entry::<HandWritten<{ fault::NONE }>>(),
    entry::<HandWritten<{ fault::DROPPED_JOB }>>(),
    entry::<HandWritten<{ fault::REPEATED_JOB }>>(),
    entry::<HandWritten<{ fault::DROP_DOES_NOT_WAIT }>>(),
    entry::<HandWritten<{ fault::DROP_HANGS }>>(),
    entry::<HandWritten<{ fault::LOCK_HELD }>>(),
    entry::<HandWritten<{ fault::LOST_WORKER }>>(),
    entry::<HandWritten<{ fault::DISCARDED_QUEUE }>>(),
    entry::<HandWritten<{ fault::ONE_WORKER }>>(),
    entry::<HandWritten<{ fault::DISCARDED_BY_IDLE }>>(),
    entry::<HandWritten<{ fault::DROP_PANICS }>>(),
];
