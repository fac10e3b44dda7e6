//! A thread that waits for others lets them go on.

use shuttle::scheduler::{Task, TaskId};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Keeps a thread that goes round, as it waits for something, from doing so for ever while another
/// could do that something: such a run is no bug of the pool's, as no machine goes on so. After the
/// fair scheduler of CHESS (Musuvathi and Qadeer, "Fair Stateless Model Checking", PLDI 2008). A
/// thread that never yields is not affected.
#[derive(Default)]
pub(crate) struct Fair {
    windows: BTreeMap<usize, Window>,
    runnable: BTreeSet<usize>,
}

/// What has happened since a thread has yielded last.
#[derive(Default)]
struct Window {
    /// They could have gone on all the time.
    enabled: BTreeSet<usize>,
    /// They could have, until this thread went on.
    disabled: BTreeSet<usize>,
    scheduled: BTreeSet<usize>,
    /// The thread does not go on as long as one of these can.
    after: BTreeSet<usize>,
}

impl Fair {
    /// Which of the threads that can go on may do so.
    pub(crate) fn of<'t, 'r>(
        &mut self,
        runnable: &'r [&'t Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Cow<'r, [&'t Task]> {
        if self.windows.is_empty() && !is_yielding {
            return Cow::Borrowed(runnable);
        }
        let can: BTreeSet<usize> = runnable.iter().map(|task| task.id().into()).collect();
        let current = current.map(usize::from);
        for (thread, window) in &mut self.windows {
            window.enabled.retain(|other| can.contains(other));
            if Some(*thread) == current {
                window.disabled.extend(self.runnable.difference(&can));
            }
        }
        if let Some(current) = current.filter(|_| is_yielding) {
            let known = self.windows.contains_key(&current);
            let window = self.windows.entry(current).or_default();
            if known {
                let could = window.enabled.union(&window.disabled);
                let kept_waiting = could.filter(|other| !window.scheduled.contains(other));
                let kept_waiting: Vec<_> = kept_waiting.copied().collect();
                window.after.extend(kept_waiting);
            }
            window.enabled = can.clone();
            window.enabled.remove(&current);
            window.disabled.clear();
            window.scheduled.clear();
        }
        let may = |task: &&Task| match self.windows.get(&task.id().into()) {
            Some(window) => window.after.is_disjoint(&can),
            None => true,
        };
        let mut fair: Vec<_> = runnable.to_vec();
        fair.retain(may);
        self.runnable = can;
        match fair.is_empty() {
            true => Cow::Borrowed(runnable),
            false => Cow::Owned(fair),
        }
    }

    pub(crate) fn chosen(&mut self, thread: TaskId) {
        let thread = usize::from(thread);
        for window in self.windows.values_mut() {
            window.after.remove(&thread);
            window.scheduled.insert(thread);
        }
    }
}
