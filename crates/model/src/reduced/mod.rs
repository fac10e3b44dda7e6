//! A search that does not repeat itself.
//!
//! Two runs that differ only in the order of steps that have nothing to do with each other are the same
//! run: whoever reads one has read the other. Such runs are a *class* (a Mazurkiewicz trace), and this
//! search runs one of each class, where [`search`](crate::search) runs all.
//!
//! How it works: each operation of the model says what it is about to do (`point`) before the
//! scheduler chooses a thread. So the search knows what every thread would do next, and whether it
//! could. A step is one operation, and whatever its thread does up to the next one. What a step uses of
//! what threads share is a set of cells (`objects`); two steps without a common cell commute, and of
//! two uses of one cell `operation::conflict` says whether they do. From that follows which step of a
//! run *happened before* which (vector clocks, in `trace`). Where two steps of a run do not commute,
//! and neither is there because of the other, the search goes back to the first, and tries the second
//! before it. Where a thread's step was tried already, and nothing that has happened since makes a
//! difference to it, it *sleeps*: to try it once more would be to repeat a run.
//!
//! The idea is that of Flanagan and Godefroid ("Dynamic partial-order reduction for model checking
//! software", POPL 2005), the sets of threads to try and those that sleep are those of Abdulla,
//! Aronis, Jonsson, and Sagonas ("Optimal dynamic partial order reduction", POPL 2014: the algorithm
//! that they call source-DPOR).
//!
//! Why it is right: of two runs in one class, either both fail, or neither does, as each thread reads
//! the same in both. That only one order of a class is tried therefore hides nothing, as long as steps
//! that are said to commute do. What nobody has declared is taken to depend on everything: that is
//! slower, and never wrong. The tests compare the classes with those of a search through all orders
//! ([`Orders::All`]), and how the runs end with shuttle's own search, on thousands of random programs.
//!
//! What it cannot see: which thread drops the last `Arc` of a value, where no operation of the model
//! tells; and what a thread sees of another while a panic unwinds that one's stack, if it is caught
//! there: all destructors are one step.

mod objects;
mod operation;
mod rules;
mod trace;

pub(crate) use objects::Object;
pub(crate) use operation::Operation;
pub use rules::{Rule, RULES};
pub use trace::Orders;

use crate::modeled::run::{self, REFUSED};
use crate::progress::Teller;
use crate::record::{self, name, Ending};
use crate::search::{config, is_deadlock, text, Fair};
use crate::Failure;
use operation::Kind;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, Runner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use trace::{End, Trace, MOST_THREADS};

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub finish: usize,
    pub deadlock: usize,
    pub panic: usize,
    /// Runs that were cut off, as they would have repeated another.
    pub redundant: usize,
    /// All there are were tried.
    pub complete: bool,
    /// The program uses what cannot be searched: the one failure says it.
    pub refused: bool,
    /// The class of each run.
    pub classes: BTreeSet<u64>,
    /// The shortest run that ended in a deadlock, and the shortest that panicked.
    pub failures: [Option<Failure>; 2],
}

impl Found {
    /// How many runs came to an end.
    pub fn runs(&self) -> usize {
        self.finish + self.deadlock + self.panic
    }
}

struct Engine {
    trace: Trace,
    fair: Fair,
    /// The thread that runs is within an operation that it has declared: where shuttle switches there
    /// is no point.
    inside: bool,
    /// The threads that have ended.
    ended: Vec<bool>,
    running: usize,
    most: usize,
    /// A run is under way.
    begun: bool,
    end: Option<End>,
    /// What the run that is under way has panicked with.
    message: String,
    teller: Option<Teller>,
    /// What was chosen in the last run.
    taken: Vec<usize>,
    found: Found,
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

fn with<T>(f: impl FnOnce(&mut Engine) -> T) -> Option<T> {
    match ON.get() {
        true => ENGINE.with_borrow_mut(|engine| engine.as_mut().map(f)),
        false => None,
    }
}

/// What tells an object from others in a run: a number that it gets when it is used first.
#[derive(Debug, Default)]
pub(crate) struct Identity(AtomicU64);

impl Identity {
    pub(crate) const fn new() -> Identity {
        Identity(AtomicU64::new(0))
    }

    /// Its number in this run. `new` says what it is.
    pub(crate) fn get(&self, new: impl FnOnce() -> Object) -> usize {
        let run = run::number() << 32;
        let known = self.0.load(Ordering::Relaxed);
        if known & !0xFFFF_FFFF == run && known & 0xFFFF_FFFF != 0 {
            return (known & 0xFFFF_FFFF) as usize - 1;
        }
        let Some(number) = with(|engine| engine.trace.add(new())) else {
            return 0;
        };
        self.0.store(run | (number as u64 + 1), Ordering::Relaxed);
        number
    }
}

/// Declares what the thread does next, and lets any thread that can go on come first.
pub(crate) fn point(operation: Operation) {
    if !is_on() {
        return;
    }
    if std::thread::panicking() {
        // No thread comes between the destructors of one that panics.
        with(|engine| engine.trace.perform(operation));
        return;
    }
    with(|engine| {
        engine.inside = false;
        engine.trace.declare(engine.running, operation);
    });
    shuttle::thread::sleep(Duration::ZERO);
}

/// The operation is done. From here on, where shuttle switches and nothing was declared, the step
/// depends on everything.
pub(crate) fn done() {
    with(|engine| engine.inside = false);
}

/// As [`point`], around what shuttle does for the operation.
pub(crate) fn operate<T>(operation: impl FnOnce() -> Operation, act: impl FnOnce() -> T) -> T {
    if !is_on() {
        return act();
    }
    point(operation());
    let result = act();
    done();
    result
}

/// What shuttle does here is no point.
pub(crate) fn quietly<T>(act: impl FnOnce() -> T) -> T {
    let was = with(|engine| std::mem::replace(&mut engine.inside, true));
    let result = act();
    if let Some(was) = was {
        with(|engine| engine.inside = was);
    }
    result
}

/// The step that is under way has started a thread.
pub(crate) fn spawned() {
    with(|engine| {
        engine.trace.spawn();
        engine.ended.push(false);
        assert!(
            engine.ended.len() <= MOST_THREADS,
            "this search knows {MOST_THREADS} threads at most"
        );
    });
}

/// The thread that runs has ended.
pub(crate) fn ended() {
    with(|engine| {
        let thread = engine.running;
        engine.ended[thread] = true;
        engine.trace.end_thread(thread);
    });
}

/// The object of a thread, for who joins it.
pub(crate) fn of_thread(thread: usize) -> usize {
    with(|engine| engine.trace.object_of(thread)).unwrap_or(0)
}

/// The step that is under way depends on everything.
pub(crate) fn alone() {
    with(|engine| engine.trace.stands_alone());
}

/// One more sender of the channel.
pub(crate) fn sender_added(channel: usize) {
    with(|engine| {
        if let Object::Channel { senders, .. } = engine.trace.objects.get_mut(channel) {
            *senders += 1;
        }
    });
}

/// Whether the thread that has ended its waiting was notified.
pub(crate) fn was_notified() -> bool {
    with(|engine| engine.trace.objects.was_notified).unwrap_or(false)
}

/// A place in memory that the model does not watch by itself.
pub(crate) fn place() -> usize {
    with(|engine| engine.trace.add(Object::Plain)).unwrap_or(0)
}

/// The step that is under way reads, or writes, the place.
pub(crate) fn touch(place: usize, writes: bool) {
    let (what, kind) = match writes {
        true => ("write", Kind::Write),
        false => ("read", Kind::Read),
    };
    with(|engine| engine.trace.uses_also(what, place, kind));
}

/// A barrier for so many, of which none is told that it was the last to come.
pub(crate) fn barrier(size: usize) -> Option<usize> {
    with(|engine| engine.trace.add(Object::Barrier { size, arrived: 0 }))
}

/// Waits at the barrier for the others.
pub(crate) fn meet(barrier: usize) {
    with(|engine| engine.trace.arrive(barrier));
    point(Operation::Depart(barrier));
    done();
}

impl Engine {
    fn new(orders: Orders, most: usize) -> Engine {
        Engine {
            trace: Trace::new(orders),
            fair: Fair::default(),
            inside: false,
            ended: Vec::new(),
            running: 0,
            most,
            begun: false,
            end: None,
            message: String::new(),
            teller: None,
            taken: Vec::new(),
            found: Found::default(),
        }
    }

    /// Ends the run that is under way, and says whether there is another.
    fn next_run(&mut self, end: End) -> bool {
        if std::mem::take(&mut self.begun) {
            let end = self.end.take().unwrap_or(end);
            let left = self.trace.left();
            self.taken = self.trace.schedule();
            self.trace.finish(end);
            match end {
                End::Finish => self.found.finish += 1,
                End::Deadlock => self.found.deadlock += 1,
                End::Panic => self.found.panic += 1,
                End::Redundant => self.found.redundant += 1,
            }
            if end != End::Redundant {
                self.found.classes.insert(self.trace.class(end));
            }
            let number = self.found.runs();
            if let Some(teller) = &mut self.teller {
                teller.count(number);
            }
            if matches!(end, End::Deadlock | End::Panic) {
                let failure = Failure {
                    number,
                    deadlock: end == End::Deadlock,
                    message: match end {
                        End::Deadlock => left.into_iter().map(name).collect::<Vec<_>>().join(", "),
                        _ => std::mem::take(&mut self.message),
                    },
                    schedule: self.taken.clone(),
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
        goes_on && self.found.runs() + self.found.redundant < self.most
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
    fn next(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        yields: bool,
    ) -> Option<TaskId> {
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
        let fair = self.fair.of(&can_go_on, current, yields);
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
        let task = TaskId::from(chosen);
        self.fair.chosen(task);
        Some(task)
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

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let yields = run::has_yielded() || is_yielding;
        let next = with(|engine| {
            if yields {
                engine.trace.stands_alone();
            }
            engine.next(runnable, current, yields)
        })
        .flatten();
        if let Some(next) = next {
            record::chosen(next.into());
        }
        if next.is_none() {
            ON.set(false); // what is left of the run is to drop what is on its stacks
        } else if next != current {
            run::switched();
        }
        next
    }

    fn next_u64(&mut self) -> u64 {
        let options = run::options().len();
        // Between the choice and what has led to it, no thread comes.
        with(|engine| {
            engine.trace.stands_alone();
            engine.trace.way(options)
        })
        .unwrap_or(0) as u64
    }
}

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Exploration {
    pub orders: Orders,
    /// It ends after so many runs.
    pub most: usize,
    /// A fault, for tests that the rule is needed: what it says is not seen.
    pub without: Option<Rule>,
}

impl Exploration {
    /// One run of each class.
    pub fn classes(most: usize) -> Exploration {
        Exploration {
            orders: Orders::Classes,
            most,
            without: None,
        }
    }

    /// All orders.
    pub fn all(most: usize) -> Exploration {
        Exploration {
            orders: Orders::All,
            ..Exploration::classes(most)
        }
    }
}

/// Runs the program once for each class of orders in which its threads can run, or for each order.
///
/// # Panics
///
/// When the program does something else although its threads come in the same order.
pub fn explore(exploration: Exploration, program: impl Fn() + Send + Sync + 'static) -> Found {
    explore_telling(exploration, None, program)
}

pub(crate) fn explore_telling(
    exploration: Exploration,
    teller: Option<Teller>,
    program: impl Fn() + Send + Sync + 'static,
) -> Found {
    let Exploration {
        orders,
        most,
        without,
    } = exploration;
    let program = Arc::new(program);
    let mut engine = Engine::new(orders, most);
    engine.trace.omitted = without.map(|rule| (rule.operation, rule.part));
    engine.teller = teller;
    loop {
        // A run that ends while a panic is under way leaves its thread panicking. So whatever comes
        // after one has a thread of its own.
        let program = Arc::clone(&program);
        let runs = thread::spawn(move || engine.run(program)).join();
        let failed;
        (engine, failed) = match runs {
            Ok(done) => done,
            Err(payload) => panic::resume_unwind(payload),
        };
        if !failed {
            return engine.found;
        }
    }
}

impl Engine {
    /// Runs the program until a run panics, or there is no other.
    fn run(self, program: Arc<impl Fn() + Send + Sync + 'static>) -> (Engine, bool) {
        ENGINE.set(Some(self));
        let runner = Runner::new(Reducing, config());
        let runs = panic::catch_unwind(AssertUnwindSafe(|| {
            runner.run(move || {
                program();
                ended();
            })
        }));
        ON.set(false);
        let mut engine = ENGINE.take().expect("it was set above");
        let Err(payload) = runs else {
            return (engine, false);
        };
        let message = text(&*payload);
        let seen = match is_deadlock(message) {
            true => End::Deadlock,
            false => End::Panic,
        };
        engine.end.get_or_insert(seen);
        message.clone_into(&mut engine.message);
        (engine, true)
    }
}

/// Runs the program once, with the schedule of a run that [`explore`] has found: after it, each thread
/// goes on as long as it can. Returns the schedule that was taken, and how the run ended; `None` if the
/// schedule does not fit. To run in a thread of its own, which may be left panicking.
pub(crate) fn follow(
    schedule: Vec<usize>,
    config: Config,
    program: impl Fn() + Send + Sync + 'static,
) -> (Vec<usize>, Option<Ending>) {
    let mut engine = Engine::new(Orders::Classes, 1);
    engine.trace.follow = schedule.into();
    ENGINE.set(Some(engine));
    let runner = Runner::new(Reducing, config);
    let run = panic::catch_unwind(AssertUnwindSafe(|| {
        runner.run(move || {
            program();
            ended();
        })
    }));
    ON.set(false);
    let mut engine = ENGINE.take().expect("it was set above");
    if engine.begun {
        engine.taken = engine.trace.schedule(); // a panic has ended it
    }
    let ending = match (run, engine.found.redundant, engine.found.deadlock) {
        (Err(_), ..) => Some(Ending::Panic),
        (Ok(_), 0, 0) => Some(Ending::Finish),
        (Ok(_), 0, _) => Some(Ending::Deadlock),
        _ => None,
    };
    (engine.taken, ending)
}
