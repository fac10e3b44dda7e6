//! What a recorded run has come to, as its steps go on.

use anyhow::{ensure, Context, Result};
use book::schedules::{Run, Step};

/// What a timeline shows between its lanes, as its steps go on.
pub(super) struct State {
    /// How many there were so far.
    steps: usize,
    jobs: usize,
    pub(super) channel: bool,
    pub(super) queue: Vec<usize>,
    pub(super) closed: bool,
    pub(super) locks: Vec<Lock>,
    pub(super) threads: Vec<Thread>,
    /// How many jobs wait for the others.
    met: usize,
}

#[derive(Clone, Default)]
pub(super) struct Lock {
    pub(super) holder: Option<usize>,
    pub(super) poisoned: bool,
}

#[derive(Clone, Default)]
pub(super) struct Thread {
    pub(super) life: Life,
    waits: Waits,
    pub(super) in_job: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Life {
    #[default]
    NotBegun,
    Begins,
    Runs,
    Ends,
    Panics,
    Over,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Waits {
    #[default]
    No,
    Lock(usize),
    Message,
    End(usize),
    Woken,
    Jobs,
}

impl State {
    pub(super) fn new(run: &Run, steps: &[Step]) -> State {
        let lock_of = |step: &Step| match step.what.split_once(' ') {
            Some(("wants" | "awaits" | "holds", lock)) => lock.split(' ').next()?.parse().ok(),
            _ => None,
        };
        let locks = steps.iter().filter_map(lock_of).max().unwrap_or(0);
        let last = steps
            .iter()
            .filter_map(|step| step.thread)
            .max()
            .unwrap_or(0);
        let mut threads = vec![Thread::default(); last.max(run.workers) + 1];
        threads[0].life = Life::Begins;
        let channel = has_channel(steps);
        State {
            steps: 0,
            jobs: run.jobs,
            channel,
            queue: Vec::new(),
            closed: false,
            locks: vec![Lock::default(); locks],
            threads,
            met: 0,
        }
    }

    /// Takes in what happens.
    ///
    /// # Errors
    ///
    /// When it is not what `pool_model::record` writes.
    pub(super) fn take(&mut self, step: &Step) -> Result<()> {
        for (index, thread) in self.threads.iter_mut().enumerate() {
            thread.life = match thread.life {
                Life::Begins if index > 0 || self.steps > 0 => Life::Runs,
                Life::Panics => Life::Runs, // it unwinds
                Life::Ends => Life::Over,
                life => life,
            };
        }
        self.steps += 1;
        let Some(me) = step.thread else {
            return Ok(()); // nobody can go on
        };
        let (word, rest) = step.what.split_once(' ').unwrap_or((&step.what, ""));
        let number = || {
            let number = rest
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok());
            number.context("it lacks a number")
        };
        let waits = |state: &mut State, waits| state.threads[me].waits = waits;
        match word {
            "starts" => self.thread(number()?)?.life = Life::Begins,
            "wants" | "awaits" => waits(self, Waits::Lock(number()?)),
            "holds" => {
                waits(self, Waits::No);
                self.lock(number()?)?.holder = Some(me);
            }
            "releases" => {
                let poisons = rest.ends_with("poisoned");
                let lock = self.lock(number()?)?;
                lock.holder = None;
                lock.poisoned |= poisons;
            }
            "sleeps" => {
                self.lock(number()?)?.holder = None;
                waits(self, Waits::Woken);
            }
            "awaits-message" => waits(self, Waits::Message),
            "gets" => {
                waits(self, Waits::No);
                ensure!(!self.queue.is_empty(), "the queue is empty");
                self.queue.remove(0);
            }
            "awaits-other" => waits(self, Waits::Woken),
            "gets-error" | "gets-other" => waits(self, Waits::No),
            "sends" => self.queue.push(number()?),
            "drops-sender" => self.closed = number()? == 0,
            "awaits-end" => waits(self, Waits::End(number()?)),
            "joined" => waits(self, Waits::No),
            "begins" => self.threads[me].in_job = true,
            "meets" => {
                self.met += 1;
                waits(self, Waits::Jobs);
            }
            "has-run" => {
                waits(self, Waits::No);
                self.threads[me].in_job = false;
            }
            "ends" | "is-done" | "has-left" => self.threads[me].life = Life::Ends,
            "panics" => {
                self.threads[me].life = Life::Panics;
                self.threads[me].in_job = false;
                waits(self, Waits::No);
            }
            "wakes" if step.said.contains("all that wait") => {
                for thread in &mut self.threads {
                    if thread.waits == Waits::Woken {
                        thread.waits = Waits::Lock(1);
                    }
                }
            }
            "wakes" | "receives" | "finds-empty" | "fails-to-send" | "clones-sender" | "joins"
            | "prints" | "reads" | "writes" | "changes" | "clones-other" | "drops-other"
            | "sends-other" | "time-is-up" => {}
            _ => anyhow::bail!("no timeline shows that"),
        }
        Ok(())
    }

    fn thread(&mut self, number: usize) -> Result<&mut Thread> {
        self.threads
            .get_mut(number)
            .context("there are fewer threads")
    }

    fn lock(&mut self, number: usize) -> Result<&mut Lock> {
        let lock = number
            .checked_sub(1)
            .and_then(|index| self.locks.get_mut(index));
        lock.context("there are fewer locks")
    }

    /// Whether the thread cannot go on now.
    pub(super) fn waits(&self, thread: usize) -> bool {
        match self.threads[thread].waits {
            Waits::No => false,
            Waits::Lock(lock) => self.locks[lock - 1].holder.is_some(),
            Waits::Message => self.queue.is_empty() && !self.closed,
            Waits::End(other) => {
                let life = self.threads[other].life;
                !matches!(life, Life::Ends | Life::Over)
            }
            Waits::Woken => true,
            Waits::Jobs => self.met < self.jobs,
        }
    }
}

fn has_channel(steps: &[Step]) -> bool {
    let of_channel = |step: &Step| {
        let word = step.what.split(' ').next().unwrap_or_default();
        ["sends", "drops-sender"].contains(&word)
    };
    steps.iter().any(of_channel)
}
