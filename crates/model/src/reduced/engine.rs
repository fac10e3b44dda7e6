//! Has shuttle run a program, one run after the other, as the trace wants it.

use super::operation::Operation;
use super::trace::{End, Orders, Trace};
use super::{declare, Found};
use crate::fair::Fair;
use crate::modeled::run::{self, REFUSED};
use crate::progress::Teller;
use crate::record::{self, name};
use crate::search::{is_deadlock, text, Program};
use crate::Failure;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, Runner};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

pub(super) struct Engine {
    pub trace: Trace,
    fair: Fair,
    /// The thread that runs is within an operation that it has declared: where shuttle switches there
    /// is no point.
    pub inside: bool,
    /// The threads that have ended.
    pub ended: Vec<bool>,
    pub running: usize,
    most: usize,
    pub until: Option<Instant>,
    /// A run is under way.
    begun: bool,
    /// Somebody has looked at the clock, in some run. As long as nobody has, it makes no difference
    /// which of two deadlines passes first.
    pub clock_is_seen: bool,
    /// What was searched before is to be searched anew.
    starts_anew: bool,
    end: Option<End>,
    /// What the run that is under way has panicked with.
    message: String,
    pub teller: Option<Teller>,
    pub found: Found,
}

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
    /// A run of this search is under way, and no more than its own steps.
    static ON: Cell<bool> = const { Cell::new(false) };
}

/// Whether this search is under way.
pub(crate) fn is_on() -> bool {
    ON.get()
}

/// Something with the search that is under way, if one is.
pub(super) fn with<T>(f: impl FnOnce(&mut Engine) -> T) -> Option<T> {
    match ON.get() {
        true => ENGINE.with_borrow_mut(|engine| engine.as_mut().map(f)),
        false => None,
    }
}

impl Engine {
    pub(super) fn new(orders: Orders, most: usize) -> Engine {
        Engine {
            trace: Trace::new(orders),
            fair: Fair::default(),
            inside: false,
            ended: Vec::new(),
            running: 0,
            most,
            until: None,
            begun: false,
            clock_is_seen: false,
            starts_anew: false,
            end: None,
            message: String::new(),
            teller: None,
            found: Found::default(),
        }
    }

    /// Somebody looks at the clock.
    pub(super) fn looks_at_clock(&mut self) {
        self.starts_anew |= !self.clock_is_seen;
        self.clock_is_seen = true;
    }

    /// Ends the run that is under way, and says whether there is another.
    fn next_run(&mut self, end: End) -> bool {
        if std::mem::take(&mut self.starts_anew) {
            self.trace.forget();
            self.found = Found::default();
            self.begun = false;
        }
        if std::mem::take(&mut self.begun) {
            let end = self.end.take().unwrap_or(end);
            let fails = matches!(end, End::Deadlock | End::Panic);
            let left = if fails { self.trace.left() } else { Vec::new() };
            self.trace.finish(end);
            match end {
                End::Finish => self.found.endings.finish += 1,
                End::Deadlock => self.found.endings.deadlock += 1,
                End::Panic => self.found.endings.panic += 1,
                End::Redundant => self.found.redundant += 1,
            }
            if end != End::Redundant && self.found.classes.insert(self.trace.class(end)) {
                self.found.orders += self.trace.orders();
            }
            let number = self.found.endings.all();
            if let Some(teller) = &mut self.teller {
                teller.count(number);
            }
            if fails {
                let failure = Failure {
                    number,
                    deadlock: end == End::Deadlock,
                    message: match end {
                        End::Deadlock => left.into_iter().map(name).collect::<Vec<_>>().join(", "),
                        _ => std::mem::take(&mut self.message),
                    },
                    schedule: self.trace.schedule(),
                };
                let place = usize::from(end == End::Panic);
                failure.keep_shortest(&mut self.found.failures[place]);
                self.found.refused |= failure.message.starts_with(REFUSED);
            }
            if !self.trace.go_back() {
                self.found.complete = true;
            }
        }
        let goes_on = !self.found.complete && !self.found.refused;
        let in_time = self.until.is_none_or(|until| Instant::now() < until);
        goes_on && in_time && self.found.endings.all() + self.found.redundant < self.most
    }

    fn begin(&mut self) {
        self.trace.begin();
        self.fair = Fair::default();
        self.inside = false;
        self.ended.clear();
        self.ended.push(false);
        self.running = 0;
        self.end = None;
        self.begun = true;
    }

    /// Who goes on.
    fn next(&mut self, runnable: &[&Task]) -> Option<TaskId> {
        let can_run = |thread: usize| runnable.iter().any(|task| usize::from(task.id()) == thread);
        let running = self.running;
        if std::thread::panicking() && can_run(running) {
            return Some(running.into()); // it unwinds its stack, and then the run is over
        }
        if self.trace.has_begun() && self.trace.next(running).is_none() && !self.ended[running] {
            if self.inside && can_run(running) {
                return Some(running.into());
            }
            assert!(
                !self.inside,
                "an operation that could be done has blocked its thread"
            );
            self.trace.declare(running, Operation::Undeclared);
        }
        if self.ended[running] && can_run(running) {
            return Some(running.into()); // its last steps in shuttle are nobody's concern
        }
        self.trace.close_step();
        let can_go_on = |task: &&&Task| {
            let thread = usize::from(task.id());
            let next = self.trace.next(thread);
            next.is_some_and(|next| self.trace.objects.enabled(thread, next))
        };
        let can_go_on: Vec<&Task> = runnable.iter().filter(can_go_on).copied().collect();
        let (has_got, asks) = run::stopped();
        self.fair.stopped(running, has_got, asks);
        let (fair, waited) = self.fair.of(&can_go_on);
        self.trace.come_after_all(waited);
        let enabled = fair
            .iter()
            .fold(0, |enabled, task| enabled | 1 << usize::from(task.id()));
        if enabled == 0 {
            self.end = Some(End::Deadlock);
            return None;
        }
        let Some(chosen) = self.trace.choose(enabled) else {
            self.end = Some(End::Redundant);
            return None;
        };
        self.inside = !matches!(
            self.trace.operation(),
            Operation::Start | Operation::Undeclared
        );
        self.running = chosen;
        Some(chosen.into())
    }

    /// Runs the program until a run panics, or there is no other. Says what was said with the panic.
    pub(super) fn run(self, config: Config, program: Program) -> (Engine, Option<String>) {
        ENGINE.set(Some(self));
        let runner = Runner::new(Reducing, config);
        let runs = panic::catch_unwind(AssertUnwindSafe(|| {
            runner.run(move || {
                program();
                declare::ended();
            })
        }));
        ON.set(false);
        let mut engine = ENGINE.take().expect("it was set above");
        let Err(payload) = runs else {
            return (engine, None);
        };
        let message = text(&*payload).to_owned();
        engine.end.get_or_insert(match is_deadlock(&message) {
            true => End::Deadlock,
            false => End::Panic,
        });
        engine.message.clone_from(&message);
        (engine, Some(message))
    }
}

/// shuttle asks this one; what it knows is the thread's.
struct Reducing;

impl Scheduler for Reducing {
    fn new_execution(&mut self) -> Option<Schedule> {
        ON.set(true);
        let goes_on = with(|engine| {
            let goes_on = engine.next_run(End::Finish);
            if goes_on {
                engine.begin();
            }
            goes_on
        });
        ON.set(goes_on == Some(true));
        run::begin();
        is_on().then(|| Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let next = with(|engine| engine.next(runnable)).flatten();
        match next {
            Some(next) => record::chosen(next.into()),
            None => ON.set(false), // what is left of the run is to drop what is on its stacks
        }
        next
    }

    fn next_u64(&mut self) -> u64 {
        let options = run::options().len();
        // Between the choice and what has led to it, no thread comes.
        with(|engine| engine.trace.way(options)).unwrap_or(0) as u64
    }
}
