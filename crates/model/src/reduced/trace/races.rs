//! Where another order is to be tried: source-DPOR.

use super::{bit, Clock, End, Event, Orders, Thread, Threads, Trace, Use};
use crate::reduced::operation::{conflict, reversible, Access, Footprint, Kind, Operation};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

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
            after,
            footprint,
            clock,
            ..
        } = &self.events[index];
        self.levels[index].footprint.join(footprint);
        if self.orders == Orders::Classes {
            let mut before =
                previous.map_or_else(Clock::default, |event| self.events[event].clock.clone());
            before.join(after);
            let step = Step {
                thread: *thread,
                before,
                clock: clock.clone(),
                end: index,
            };
            let footprint = footprint.clone();
            self.find_races(&step, &footprint);
        }
    }

    /// The run is over: finds the races of steps that have not come any more, of the threads that are
    /// wanted.
    fn last_races(&mut self, wanted: fn(&Trace, usize, Operation) -> bool) {
        if self.orders == Orders::All {
            return;
        }
        for thread in 0..self.threads.len() {
            let Some(operation) = self.threads[thread].next else {
                continue;
            };
            if !wanted(self, thread, operation) {
                continue;
            }
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
            // Who cannot go on may be kept from it by a step that came before its own.
            End::Redundant => {
                self.close_step();
                self.last_races(|trace, thread, next| !trace.objects.enabled(thread, next));
            }
            End::Finish if !self.threads.iter().any(is_left) => self.close_step(),
            End::Deadlock => {
                self.close_step();
                self.last_races(|_, _, _| true);
            }
            // The last step has ended the run: whatever else could have come would have come before it.
            End::Panic | End::Finish => {
                self.stands_alone();
                self.close_step();
                self.last_races(|_, _, _| true);
            }
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
