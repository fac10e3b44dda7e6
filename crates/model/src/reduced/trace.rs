//! A run as the steps that it was made of, which of them depend on each other, and where another order
//! is to be tried.

use super::objects::{Object, Objects};
use super::operation::{conflict, reversible, Access, Cell, Footprint, Kind, Operation, Part};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Which threads: a bit for each.
pub(super) type Threads = u64;
pub(super) const MOST_THREADS: usize = Threads::BITS as usize;

const fn bit(thread: usize) -> Threads {
    1 << thread
}

/// How many steps of each thread happened before. What is not there is 0.
#[derive(Clone, Debug, Default)]
struct Clock(Vec<u32>);

impl Clock {
    fn of(&self, thread: usize) -> u32 {
        self.0.get(thread).copied().unwrap_or(0)
    }

    fn set(&mut self, thread: usize, steps: u32) {
        if self.0.len() <= thread {
            self.0.resize(thread + 1, 0);
        }
        self.0[thread] = steps;
    }

    fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }
}

/// A step of a thread: its operation, and what it does by itself up to the next one.
struct Event {
    thread: usize,
    operation: Operation,
    /// The how manieth of its thread, from 1 on.
    number: u32,
    /// The step of its thread before it, or that which has spawned its thread.
    previous: Option<usize>,
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

    /// A run begins, with the main thread.
    pub fn begin(&mut self) {
        self.objects.clear();
        self.uses.clear();
        self.threads.clear();
        self.events.clear();
        self.alone = None;
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
        // The same thread, to switch less. But a new one runs up to its first operation at once.
        let starts = |&thread: &usize| {
            awake & bit(thread) != 0 && self.threads[thread].next == Some(Operation::Start)
        };
        level.chosen = match followed.or((0..self.threads.len()).find(starts)) {
            Some(thread) => thread,
            None if awake & bit(self.running()) != 0 => self.running(),
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
        state.steps += 1;
        clock.set(thread, state.steps);
        state.last = Some(self.events.len());
        let number = state.steps;
        self.events.push(Event {
            thread,
            operation,
            number,
            previous,
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
        last.map_or_else(Clock::default, |event| self.events[event].clock.clone())
    }

    fn happened_before(&self, event: usize, clock: &Clock) -> bool {
        let Event { thread, number, .. } = self.events[event];
        clock.of(thread) >= number
    }
}

/// Where another order is to be tried: source-DPOR.
impl Trace {
    /// The step that is under way is over, and all that it has used is known. Where it could have come
    /// before an earlier one with which it does not commute, that order is to be tried as well.
    pub fn close_step(&mut self) {
        let Some(index) = self.events.len().checked_sub(1) else {
            return;
        };
        if index < self.fresh {
            return; // as in the run before
        }
        let Event {
            thread,
            previous,
            footprint,
            clock,
            ..
        } = &self.events[index];
        self.levels[index].footprint.join(footprint);
        if self.orders == Orders::Classes {
            let step = Step {
                thread: *thread,
                before: previous
                    .map_or_else(Clock::default, |event| self.events[event].clock.clone()),
                clock: clock.clone(),
                end: index,
            };
            let footprint = footprint.clone();
            self.find_races(&step, &footprint);
        }
    }

    /// The run is over: finds the races of the steps that have not come any more.
    fn find_last_races(&mut self) {
        for thread in 0..self.threads.len() {
            let Some(operation) = self.threads[thread].next else {
                continue;
            };
            let footprint = Footprint {
                accesses: self.objects.wanted(thread, operation),
                alone: operation == Operation::Undeclared,
            };
            let step = Step {
                thread,
                before: self.clock(thread),
                clock: self.clock(thread),
                end: self.events.len(),
            };
            self.find_races(&step, &footprint);
        }
    }

    fn find_races(&mut self, step: &Step, footprint: &Footprint) {
        let Step { thread, before, .. } = step;
        let others = |of: &&Use| of.thread != *thread;
        let mut made_possible = before.clone();
        for access in footprint.accesses.iter().filter(|of| of.kind == Kind::Need) {
            for of in self.uses(access).iter().filter(others) {
                if conflict(of.kind, access.kind) {
                    made_possible.join(&self.events[of.event].clock);
                }
            }
        }
        let mut races = Vec::new();
        for access in &footprint.accesses {
            let known = match access.competes {
                true => before,
                false => &made_possible,
            };
            let uses = self.uses(access).iter().filter(others);
            let conflicting = uses.filter(|of| reversible(of.kind, access.kind));
            races.extend(self.last_of(conflicting.map(|of| of.event), known));
        }
        let of_others = |event: &usize| self.events[*event].thread != *thread;
        if footprint.alone {
            let last = self.threads.iter().filter_map(|of| of.last);
            races.extend(self.last_of(last.filter(of_others), before));
        } else if let Some(alone) = self.alone.filter(of_others) {
            if self.levels[alone].enabled & bit(*thread) != 0 {
                races.extend(self.last_of([alone].into_iter(), before));
            }
        }
        races.sort_unstable();
        races.dedup();
        for event in races {
            self.reverse(event, step);
        }
    }

    fn uses(&self, access: &Access) -> &[Use] {
        let cells = &self.uses[access.cell.object];
        cells
            .get(access.cell.part.place())
            .map_or(&[], Vec::as_slice)
    }

    /// Those that are not known, without those after which another of them came.
    fn last_of(&self, events: impl Iterator<Item = usize>, known: &Clock) -> Vec<usize> {
        let unknown: Vec<_> = events
            .filter(|event| !self.happened_before(*event, known))
            .collect();
        let is_last = |event: &usize| {
            let mut others = unknown.iter().filter(|other| *other != event);
            !others.any(|other| self.happened_before(*event, &self.events[*other].clock))
        };
        unknown.iter().copied().filter(is_last).collect()
    }

    /// Sees to it that an order is tried in which the step comes before that event. What has happened
    /// since, and does not depend on the event, may come first as well.
    fn reverse(&mut self, event: usize, step: &Step) {
        let level = &self.levels[event];
        let tried = level.backtrack | level.asleep();
        let mut between: Vec<usize> = Vec::new();
        let (mut seen, mut first): (Threads, Threads) = (0, 0);
        let comes_first = |between: &[usize], clock: &Clock| {
            let mut between = between.iter();
            !between.any(|other| self.happened_before(*other, clock))
        };
        for index in event + 1..step.end {
            let this = &self.events[index];
            if self.happened_before(event, &this.clock) {
                continue;
            }
            if seen & bit(this.thread) == 0 {
                seen |= bit(this.thread);
                if comes_first(&between, &this.clock) {
                    first |= bit(this.thread);
                }
            }
            between.push(index);
        }
        let me = bit(step.thread);
        if seen & me == 0 && comes_first(&between, &step.clock) {
            first |= me;
        }
        if tried & first != 0 {
            return;
        }
        let possible = first & level.enabled;
        let added = match possible {
            0 => level.enabled,
            _ if possible & me != 0 => me,
            _ => bit(possible.trailing_zeros() as usize),
        };
        self.levels[event].backtrack |= added;
    }

    /// The run is over.
    pub fn finish(&mut self, end: End) {
        let is_left = |of: &Thread| of.next.is_some();
        match end {
            End::Redundant => self.close_step(),
            End::Finish if !self.threads.iter().any(is_left) => self.close_step(),
            End::Deadlock => {
                self.close_step();
                self.last_races();
            }
            // The last step has ended the run: whatever else could have come would have come before it.
            End::Panic | End::Finish => {
                self.stands_alone();
                self.close_step();
                self.last_races();
            }
        }
    }

    fn last_races(&mut self) {
        if self.orders == Orders::Classes {
            self.find_last_races();
        }
    }

    /// Sets up the next run. There is none if all have been tried.
    pub fn go_back(&mut self) -> bool {
        while let Some(level) = self.levels.last_mut() {
            while let Some((options, way)) = level.choices.last_mut() {
                *way += 1;
                if *way < *options {
                    self.fresh = self.levels.len() - 1;
                    return true;
                }
                level.choices.pop();
            }
            level.done |= bit(level.chosen);
            if self.orders == Orders::Classes {
                let footprint = Arc::new(std::mem::take(&mut level.footprint));
                level.asleep.push((level.chosen, footprint));
            }
            let left = level.backtrack & !level.done & !level.asleep();
            if left != 0 {
                level.chosen = left.trailing_zeros() as usize;
                level.footprint = Footprint::default();
                self.fresh = self.levels.len() - 1;
                return true;
            }
            self.levels.pop();
        }
        false
    }

    /// Which thread was chosen at each step, and what else was chosen in it.
    pub fn schedule(&self) -> Vec<usize> {
        let chosen = |event: &Event| [&[event.thread], event.choices.as_slice()].concat();
        self.events.iter().flat_map(chosen).collect()
    }

    /// Who has not come to its end.
    pub fn left(&self) -> Vec<usize> {
        let left = |thread: &usize| self.threads[*thread].next.is_some();
        (0..self.threads.len()).filter(left).collect()
    }

    /// The same for all runs that differ only in the order of steps that commute.
    pub fn class(&self, end: End) -> u64 {
        let steps = self.events.iter().map(|event| {
            let mut hasher = DefaultHasher::new();
            let clock = &event.clock.0;
            let known = clock
                .iter()
                .rposition(|steps| *steps > 0)
                .map_or(0, |last| last + 1);
            (event.thread, event.number, &clock[..known], &event.choices).hash(&mut hasher);
            std::mem::discriminant(&event.operation).hash(&mut hasher);
            hasher.finish()
        });
        let mut hasher = DefaultHasher::new();
        (steps.fold(0, u64::wrapping_add), end).hash(&mut hasher);
        hasher.finish()
    }
}

/// A step whose races are looked for.
struct Step {
    thread: usize,
    /// What its thread knew before it.
    before: Clock,
    /// What happened before it.
    clock: Clock,
    /// Where it stands in the run.
    end: usize,
}
