//! A run as the steps that it was made of, which of them depend on each other, and where another order
//! is to be tried.

mod clock;
mod races;

use super::objects::{Object, Objects};
use super::operation::{conflict, Access, Cell, Footprint, Kind, Operation, Part};
use clock::Clock;
use std::collections::{BTreeSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

/// Which threads: a bit for each.
pub(super) type Threads = u64;
pub(super) const MOST_THREADS: usize = Threads::BITS as usize;

const fn bit(thread: usize) -> Threads {
    1 << thread
}

/// A step of a thread: its operation, and what it does by itself up to the next one.
struct Event {
    thread: usize,
    operation: Operation,
    /// The how manieth of its thread, from 1 on.
    number: u32,
    /// The step of its thread before it, or that which has spawned its thread.
    previous: Option<usize>,
    /// What happened before it as it waited for all others.
    after: Clock,
    clock: Clock,
    footprint: Footprint,
    /// What was chosen in it, where that was no thread.
    choices: Vec<usize>,
}

/// The last use of a cell of this kind by this thread.
#[derive(Clone, Copy)]
struct Use {
    thread: usize,
    kind: Kind,
    event: usize,
}

/// A thread, as far as the run has come.
struct Thread {
    /// What it does when it is chosen next.
    next: Option<Operation>,
    /// Its last step, or that in which it was spawned.
    last: Option<usize>,
    steps: u32,
    /// It has waited for all others: this comes before its next step.
    after: Clock,
    /// Its object, which tells that it has ended.
    object: usize,
}

/// A point at which a thread was chosen. What is here outlives the run.
struct Level {
    enabled: Threads,
    chosen: usize,
    /// Threads to be tried here.
    backtrack: Threads,
    /// Those that have been.
    done: Threads,
    /// Threads whose next step was tried before, and nothing that has happened since makes a
    /// difference to it: to try it here would be to repeat a run.
    asleep: Vec<(usize, Arc<Footprint>)>,
    /// What the step of the chosen thread has used, whatever was chosen in it.
    footprint: Footprint,
    /// How many ways there were at each choice in this step, and which is tried.
    choices: Vec<(usize, usize)>,
}

impl Level {
    fn asleep(&self) -> Threads {
        let threads = self.asleep.iter().map(|(thread, _)| bit(*thread));
        threads.fold(0, |all, thread| all | thread)
    }
}

/// Which orders are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// One of each class.
    Classes,
    /// Every thread that can go on, at every point: the judge of the other.
    All,
}

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Finish,
    Deadlock,
    Panic,
    /// All that could go on would have repeated another run.
    Redundant,
}

pub(super) struct Trace {
    orders: Orders,
    /// What is chosen first, in a run that is to be repeated.
    pub follow: VecDeque<usize>,
    /// For the tests: this is not seen, of which operation and part.
    pub omitted: Option<(&'static str, &'static str)>,
    pub objects: Objects,
    uses: Vec<Vec<Vec<Use>>>,
    threads: Vec<Thread>,
    events: Vec<Event>,
    /// The last step that depends on everything.
    alone: Option<usize>,
    levels: Vec<Level>,
    /// From this step on, the run is another than the one before.
    fresh: usize,
}

impl Trace {
    pub fn new(orders: Orders) -> Trace {
        Trace {
            orders,
            follow: VecDeque::new(),
            omitted: None,
            objects: Objects::default(),
            uses: Vec::new(),
            threads: Vec::new(),
            events: Vec::new(),
            alone: None,
            levels: Vec::new(),
            fresh: 0,
        }
    }

    /// No run was there yet.
    pub fn forget(&mut self) {
        let omitted = self.omitted;
        *self = Trace::new(self.orders);
        self.omitted = omitted;
    }

    /// A run begins, with the main thread.
    pub fn begin(&mut self) {
        self.objects.clear();
        self.uses.clear();
        self.threads.clear();
        self.events.clear();
        self.alone = None;
        self.add(Object::Plain); // that of all threads
        self.add(Object::Plain); // the clock
        self.spawn();
    }

    pub fn add(&mut self, object: Object) -> usize {
        self.uses.push(Vec::new());
        self.objects.add(object)
    }

    /// The step that is under way starts a thread.
    pub fn spawn(&mut self) -> usize {
        let object = self.add(Object::Thread { ended: false });
        self.threads.push(Thread {
            next: Some(Operation::Start),
            last: self.events.len().checked_sub(1),
            steps: 0,
            after: Clock::default(),
            object,
        });
        self.threads.len() - 1
    }

    /// The step that is under way ends its thread.
    pub fn end_thread(&mut self, thread: usize) {
        let object = self.threads[thread].object;
        *self.objects.get_mut(object) = Object::Thread { ended: true };
        self.uses_also("end", object, Kind::Write);
    }

    /// The step that is under way comes to the barrier.
    pub fn arrive(&mut self, barrier: usize) {
        self.uses_also("arrive", barrier, Kind::Add);
        if let Object::Barrier { arrived, .. } = self.objects.get_mut(barrier) {
            *arrived += 1;
        }
    }

    fn has_just_started(&self) -> bool {
        self.operation() == Operation::Start
    }

    /// What the thread that runs does.
    pub fn operation(&self) -> Operation {
        self.events
            .last()
            .map_or(Operation::Start, |event| event.operation)
    }

    pub fn object_of(&self, thread: usize) -> usize {
        self.threads[thread].object
    }

    pub fn next(&self, thread: usize) -> Option<Operation> {
        self.threads[thread].next
    }

    pub fn declare(&mut self, thread: usize, operation: Operation) {
        self.threads[thread].next = Some(operation);
    }

    pub fn has_begun(&self) -> bool {
        !self.events.is_empty()
    }

    /// Who runs: the thread of the step that is under way.
    pub fn running(&self) -> usize {
        self.events.last().map_or(0, |event| event.thread)
    }

    /// Which of these threads goes on, and does what it has declared. `None`: each would repeat a run.
    pub fn choose(&mut self, enabled: Threads) -> Option<usize> {
        let depth = self.events.len();
        if let Some(level) = self.levels.get(depth) {
            assert!(
                level.enabled == enabled,
                "the same choices have led elsewhere, at step {depth}: what is searched depends on \
                 more than the order of its threads"
            );
            let chosen = level.chosen;
            self.step(chosen);
            return Some(chosen);
        }
        let asleep: Vec<_> = match (self.levels.last(), self.events.last()) {
            (Some(level), Some(event)) => {
                let of_others = level.asleep.iter().filter(|(t, _)| *t != event.thread);
                let stay = of_others.filter(|(_, of)| of.commutes(&event.footprint));
                stay.cloned().collect()
            }
            _ => Vec::new(),
        };
        let mut level = Level {
            enabled,
            chosen: 0,
            backtrack: 0,
            done: 0,
            asleep,
            footprint: Footprint::default(),
            choices: Vec::new(),
        };
        let awake = enabled & !level.asleep();
        if awake == 0 {
            return None;
        }
        let followed = self.follow.pop_front();
        if followed.is_some_and(|thread| thread >= self.threads.len() || enabled & bit(thread) == 0)
        {
            return None;
        }
        // The same thread, to switch less. But a new one runs up to its first operation at once, and
        // whoever has started it goes on.
        let starts = |&thread: &usize| {
            awake & bit(thread) != 0 && self.threads[thread].next == Some(Operation::Start)
        };
        level.chosen = match followed.or((0..self.threads.len()).find(starts)) {
            Some(thread) => thread,
            None if awake & bit(self.running()) != 0 && !self.has_just_started() => self.running(),
            None => awake.trailing_zeros() as usize,
        };
        level.backtrack = match self.orders {
            Orders::Classes => bit(level.chosen),
            Orders::All => enabled,
        };
        let chosen = level.chosen;
        self.levels.push(level);
        self.step(chosen);
        Some(chosen)
    }

    /// One of so many ways in which the step that is under way can go on.
    pub fn way(&mut self, options: usize) -> usize {
        let index = self.events.len().wrapping_sub(1);
        let (Some(event), true) = (self.events.get_mut(index), options > 1) else {
            return 0;
        };
        let level = &mut self.levels[index];
        let place = event.choices.len();
        if level.choices.len() == place {
            let chosen = self.follow.pop_front().unwrap_or(0);
            level.choices.push((options, chosen));
        }
        let (known, chosen) = level.choices[place];
        assert!(known == options, "the same choices have led elsewhere");
        event.choices.push(chosen);
        chosen
    }

    fn step(&mut self, thread: usize) {
        let operation = self.threads[thread].next.take();
        let operation = operation.expect("a thread that is chosen has declared what it does");
        let mut clock = self.clock(thread);
        let state = &mut self.threads[thread];
        let previous = state.last;
        let after = std::mem::take(&mut state.after);
        state.steps += 1;
        clock.set(thread, state.steps);
        state.last = Some(self.events.len());
        let number = state.steps;
        self.events.push(Event {
            thread,
            operation,
            number,
            previous,
            after,
            clock,
            footprint: Footprint::default(),
            choices: Vec::new(),
        });
        if let Some(alone) = self.alone {
            self.comes_after(alone);
        }
        if operation == Operation::Undeclared {
            self.stands_alone();
        }
        self.perform(operation);
    }

    /// The step that is under way does this, first or as well.
    pub fn perform(&mut self, operation: Operation) {
        let thread = self.running();
        let mut objects = std::mem::take(&mut self.objects);
        let mut used = Vec::new();
        let mut way = |options| self.way(options);
        objects.perform(thread, operation, &mut |access| used.push(access), &mut way);
        self.objects = objects;
        for access in used {
            let Cell { object, part } = access.cell;
            if self.omitted != Some(operation.rule(object, part)) {
                self.access(access);
            }
        }
    }

    /// The step that is under way also uses this.
    pub fn uses_also(&mut self, what: &'static str, object: usize, kind: Kind) {
        let part = Part::Whole;
        if self.omitted == Some((what, "whole")) {
            return;
        }
        let cell = Cell { object, part };
        self.access(Access {
            cell,
            kind,
            competes: false,
        });
    }

    /// The step that is under way depends on everything.
    pub fn stands_alone(&mut self) {
        let Some(index) = self.events.len().checked_sub(1) else {
            return;
        };
        self.events[index].footprint.alone = true;
        let last: Vec<_> = self.threads.iter().filter_map(|of| of.last).collect();
        for event in last {
            if event != index {
                self.comes_after(event);
            }
        }
        self.alone = Some(index);
    }

    /// The next step of each of these threads comes after all that has happened so far.
    pub fn come_after_all(&mut self, threads: BTreeSet<usize>) {
        let mut all = Clock::default();
        if !threads.is_empty() {
            let last = self.threads.iter().filter_map(|of| of.last);
            last.for_each(|event| all.join(&self.events[event].clock));
        }
        for thread in threads {
            self.threads[thread].after = all.clone();
        }
    }

    fn access(&mut self, access: Access) {
        let Some(index) = self.events.len().checked_sub(1) else {
            return;
        };
        let thread = self.events[index].thread;
        let Access { cell, kind, .. } = access;
        self.events[index].footprint.add(access);
        let cells = &mut self.uses[cell.object];
        if cells.len() <= cell.part.place() {
            cells.resize_with(cell.part.place() + 1, Vec::new);
        }
        let mut uses = std::mem::take(&mut cells[cell.part.place()]);
        for of in &uses {
            if of.thread != thread && conflict(of.kind, kind) {
                self.comes_after(of.event);
            }
        }
        let known = uses
            .iter_mut()
            .find(|of| (of.thread, of.kind) == (thread, kind));
        match known {
            Some(of) => of.event = index,
            None => uses.push(Use {
                thread,
                kind,
                event: index,
            }),
        }
        self.uses[cell.object][cell.part.place()] = uses;
    }

    /// The step that is under way depends on this one.
    fn comes_after(&mut self, event: usize) {
        let (before, rest) = self.events.split_at_mut(event + 1);
        if let (Some(before), Some(last)) = (before.last(), rest.last_mut()) {
            last.clock.join(&before.clock);
        }
    }

    /// What the thread knows before its next step.
    fn clock(&self, thread: usize) -> Clock {
        let last = self.threads[thread].last;
        let mut clock = last.map_or_else(Clock::default, |event| self.events[event].clock.clone());
        clock.join(&self.threads[thread].after);
        clock
    }

    fn happened_before(&self, event: usize, clock: &Clock) -> bool {
        let Event { thread, number, .. } = self.events[event];
        clock.of(thread) >= number
    }
}
