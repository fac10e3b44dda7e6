//! Who asks again and again lets others go on.
//!
//! A thread can ask for ever: with `try_recv` or `try_lock`, in a wait with a deadline that passes,
//! or with a sleep or a yield between two looks at an atomic. No machine lets it do so for ever while
//! another thread could go on and bring about what it asks for. A search that tried such runs would
//! have no end.
//!
//! *What is left out.* Who has asked [`MOST_ASKS`] times in a row, and got nothing that another
//! thread has made (a message, a wakeup, the end of a thread), does not ask once more as long as
//! another thread can go on. It waits until every other has ended, or waits for something, or has
//! asked as often. Then those that have asked so often go on, and may ask as often again. A lock that
//! is free is nothing that a thread has made: who takes it with `try_lock` may find the same behind
//! it every time.
//!
//! *What that hides.* Nothing of a thread that asks no more often in a row. Nor of one that asks
//! until it has its answer, does nothing else, and keeps no count: all but the last [`MOST_ASKS`] of
//! such questions can be taken out of a run, and what is left is a run that comes to the same. In it,
//! the thread has come later. What is hidden is how a thread goes on after more questions in a row
//! while others still can: of one that gives up after ten, that it gives up is seen only where no
//! other can go on. No deadlock is found that is none: when nobody else can go on, those who ask do.
//!
//! *Why it is the same in all orders of a class.* How often a thread has asked in vain follows from
//! what it has seen, which is the same in all of them. And a point at which nobody can go on but
//! those that wait for the others, is one that all of them come to, after the same steps. So to a
//! search, this is one more thing that a thread can wait for, as it does for a lock: what it does
//! next comes after all that was before, and could not have come earlier. No step of another thread
//! is counted. The fair scheduler of CHESS (Musuvathi and Qadeer, "Fair Stateless Model Checking",
//! PLDI 2008) needs no such number: it has a thread that yields for the second time wait for a step
//! of each that could have gone on since the first. But which threads could, and have not, is not the
//! same in all orders of a class.

use shuttle::scheduler::Task;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// So often a thread asks in a row, and gets nothing, while others can go on.
const MOST_ASKS: u32 = 3;

#[derive(Default)]
pub(crate) struct Fair {
    /// How often each thread has asked, or is about to, since it has got something.
    asked: BTreeMap<usize, u32>,
    /// Who does not ask once more as long as others can go on.
    waiting: BTreeSet<usize>,
}

impl Fair {
    /// The thread that has run so far has got something, or is about to ask, or both, in this order.
    pub(crate) fn stopped(&mut self, thread: usize, has_got: bool, asks: bool) {
        if has_got {
            self.asked.remove(&thread);
        }
        if asks {
            let asked = self.asked.entry(thread).or_default();
            *asked += 1;
            if *asked > MOST_ASKS {
                self.waiting.insert(thread);
            }
        }
    }

    /// Which of the threads that can go on may do so. With them, who may only because nobody else can.
    pub(crate) fn of<'t, 'r>(
        &mut self,
        can: &'r [&'t Task],
    ) -> (Cow<'r, [&'t Task]>, BTreeSet<usize>) {
        if self.waiting.is_empty() {
            return (Cow::Borrowed(can), BTreeSet::new());
        }
        let mut may = can.to_vec();
        may.retain(|task| !self.waiting.contains(&usize::from(task.id())));
        if !may.is_empty() {
            return (Cow::Owned(may), BTreeSet::new());
        }
        self.asked = self.waiting.iter().map(|thread| (*thread, 1)).collect();
        (Cow::Borrowed(can), std::mem::take(&mut self.waiting))
    }
}
