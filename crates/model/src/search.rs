//! Tries the orders in which the threads of a case can run.

use crate::fair::Fair;
use crate::modeled::run;
use crate::progress::Teller;
use crate::record::{self, note, What};
use crate::reduced::{self, Exploration, Found};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::sync::Barrier;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is searched: a pool that runs jobs and waits for them when it is dropped.
pub trait Pool: 'static {
    /// It is ended with a deadline, and may leave jobs behind.
    const HAS_DEADLINE: bool = false;

    fn new(size: usize) -> Self;
    fn execute(&self, job: impl FnOnce() + Send + 'static);

    /// Ends it, and says what it has left behind.
    fn end(self) -> Left
    where
        Self: Sized,
    {
        drop(self);
        Left::default()
    }
}

/// What a pool says that it has left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// So many jobs had begun, and were not done.
    pub running: usize,
    /// So many had not begun, and never will.
    pub never_begun: usize,
}

/// Implements [`Pool`] for a type that has its two functions already, as every pool of the book does.
#[macro_export]
macro_rules! implement_pool {
    ($pool:ty) => {
        impl $crate::Pool for $pool {
            fn new(size: usize) -> Self {
                <$pool>::new(size)
            }
            fn execute(&self, job: impl FnOnce() + Send + 'static) {
                <$pool>::execute(self, job);
            }
        }
    };
}

/// A bounded case of a pool's life: it is started, is handed the jobs, and is dropped.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub workers: usize,
    pub jobs: usize,
    /// Every job waits until the others have begun too.
    pub meet: bool,
    /// Every job has a point in its middle at which another thread can come first.
    pub pause: bool,
}

impl fmt::Display for Case {
    /// `2 workers, 1 job`
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let Case { workers, jobs, .. } = *self;
        let meet = if self.meet { " that meet" } else { "" };
        let (some, others) = (plural(workers), plural(jobs));
        write!(f, "{workers} worker{some}, {jobs} job{others}{meet}")
    }
}

/// How many interleavings end in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    pub finish: usize,
    pub deadlock: usize,
    pub panic: usize,
}

impl Endings {
    pub fn all(self) -> usize {
        self.finish + self.deadlock + self.panic
    }
}

/// An interleaving that does not finish.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The how manieth interleaving of the search it is, from 1 on.
    pub number: usize,
    /// Every thread that is left waits for another. Otherwise, one of them has panicked.
    pub deadlock: bool,
    /// Which threads wait, or what one has panicked with.
    pub message: String,
    /// Which thread was chosen at each point where there was a choice.
    pub schedule: Vec<usize>,
}

impl Failure {
    /// Puts it in the place of the shortest so far, if there is less to read in it: it has fewer
    /// choices, or as many, and goes from thread to thread less often.
    pub fn keep_shortest(&self, so_far: &mut Option<Failure>) {
        let length = |failure: &Failure| {
            let schedule = &failure.schedule;
            (schedule.len(), record::switches(schedule))
        };
        if so_far
            .as_ref()
            .is_none_or(|so_far| length(self) < length(so_far))
        {
            *so_far = Some(self.clone());
        }
    }
}

/// A schedule with more steps than this is cut off: a thread spins, or the case is too large.
const MOST_STEPS: usize = 10_000;

/// Searches every interleaving of the case, past those that fail, and counts how each one ends.
///
/// `on_failure` is told of each failure, and ends the search where it breaks.
///
/// # Errors
///
/// When `on_failure` has ended the search, and when there are more than `most` interleavings: what
/// was counted until then.
pub fn search<P: Pool>(
    case: Case,
    most: usize,
    on_failure: impl FnMut(&Failure) -> ControlFlow<()>,
) -> Result<Endings, Endings> {
    search_telling::<P>(case, most, None, on_failure)
}

pub(crate) fn search_telling<P: Pool>(
    case: Case,
    most: usize,
    teller: Option<Teller>,
    mut on_failure: impl FnMut(&Failure) -> ControlFlow<()>,
) -> Result<Endings, Endings> {
    search_through(program_of::<P>(case), most, teller, &mut on_failure)
}

/// As [`search`], of any program on the threads of the model.
#[allow(clippy::missing_errors_doc)]
pub fn search_any(
    program: impl Fn() + Send + Sync + Clone + 'static,
    most: usize,
    mut on_failure: impl FnMut(&Failure) -> ControlFlow<()>,
) -> Result<Endings, Endings> {
    let begun = move || {
        run::begin();
        program();
    };
    search_through(Arc::new(begun), most, None, &mut on_failure)
}

fn search_through(
    program: Program,
    most: usize,
    teller: Option<Teller>,
    on_failure: &mut dyn FnMut(&Failure) -> ControlFlow<()>,
) -> Result<Endings, Endings> {
    let search = Search::new(Way::All(Tree::default()), most, teller);
    let mut found = Endings::default();
    while !search.with(|progress| progress.complete) {
        let before = search.with(|progress| progress.begun);
        let run = run_through(Arc::clone(&program), &search);
        let begun = search.with(|progress| progress.begun);
        found.finish += begun - before - usize::from(run.is_err());
        if let Err(failure) = run {
            match failure.deadlock {
                true => found.deadlock += 1,
                false => found.panic += 1,
            }
            if on_failure(&failure).is_break() {
                return Err(found);
            }
        } else if !search.with(|progress| progress.complete) {
            return Err(found);
        }
    }
    Ok(found)
}

/// Which interleavings are tried where there are too many for all of them.
#[derive(Clone, Copy, Debug)]
pub enum Sampling {
    /// At each point, any thread that can go on, each as likely as the others.
    Random,
    /// Probabilistic concurrency testing (Burckhardt et al., "A Randomized Scheduler with
    /// Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): the threads have priorities, drawn
    /// anew for each run, and at a few points, drawn as well, the one that runs loses its own. In the
    /// paper, what needs few such points is found with a chance that has a lower bound; shuttle's
    /// algorithm differs slightly.
    Pct,
}

/// The points at which a thread loses its priority, and one more.
const PCT_DEPTH: usize = 3;

/// Tries so many interleavings of the case, and returns the first one that fails. The same seed tries
/// the same ones.
pub fn sample<P: Pool>(case: Case, sampling: Sampling, seed: u64, tries: usize) -> Option<Failure> {
    sample_telling::<P>(case, sampling, seed, tries, None)
}

pub(crate) fn sample_telling<P: Pool>(
    case: Case,
    sampling: Sampling,
    seed: u64,
    tries: usize,
    teller: Option<Teller>,
) -> Option<Failure> {
    sample_through(program_of::<P>(case), sampling, seed, tries, teller)
}

fn sample_through(
    program: Program,
    sampling: Sampling,
    seed: u64,
    tries: usize,
    teller: Option<Teller>,
) -> Option<Failure> {
    let scheduler: Box<dyn Scheduler + Send> = match sampling {
        Sampling::Random => Box::new(RandomScheduler::new_from_seed(seed, usize::MAX)),
        Sampling::Pct => Box::new(PctScheduler::new_from_seed(seed, PCT_DEPTH, usize::MAX)),
    };
    let search = Search::new(Way::Some(scheduler), tries, teller);
    run_through(program, &search).err()
}

/// What is run again and again. It is no parameter of a type, so that all around it is compiled once,
/// and with this crate, which is optimized.
pub(crate) type Program = Arc<dyn Fn() + Send + Sync>;

/// The program that is run of a case.
pub(crate) fn program_of<P: Pool>(case: Case) -> Program {
    let start = |size| Box::new(P::new(size)) as Box<dyn AnyPool>;
    Arc::new(move || run_jobs_and_drop(start, P::HAS_DEADLINE, case))
}

/// A pool that is no parameter of a type, for the same reason.
trait AnyPool {
    fn execute(&self, job: Box<dyn FnOnce() + Send>);
    fn end(self: Box<Self>) -> Left;
}

impl<P: Pool> AnyPool for P {
    fn execute(&self, job: Box<dyn FnOnce() + Send>) {
        Pool::execute(self, job);
    }

    fn end(self: Box<Self>) -> Left {
        Pool::end(*self)
    }
}

/// How shuttle runs a program.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    // It would say that it takes every ordering for SeqCst. The page says so, too.
    config.silence_warnings = true;
    config
}

/// Runs the program until the search ends, or a run fails.
fn run_through(program: Program, search: &Search) -> Result<(), Failure> {
    // A run that ends while a panic is under way leaves its thread panicking. So whatever comes after
    // one has a thread of its own.
    let its = search.clone();
    let run = thread::spawn(move || self::run(its, config(), program)).join();
    let run = run.unwrap_or_else(|payload| panic::resume_unwind(payload));
    run.map_err(|message| Failure {
        number: search.with(|progress| progress.begun),
        deadlock: is_deadlock(&message),
        message,
        schedule: search.with(|progress| progress.chosen.clone()),
    })
}

/// Runs the program as often as the scheduler wants.
///
/// # Errors
///
/// When a run fails: what is said with its panic. Of a deadlock, shuttle says who waits.
pub(crate) fn run(
    scheduler: impl Scheduler + 'static,
    config: Config,
    program: Program,
) -> Result<(), String> {
    let runner = Runner::new(scheduler, config);
    panic::catch_unwind(AssertUnwindSafe(|| runner.run(move || program())))
        .map(drop)
        .map_err(|payload| text(&*payload).to_owned())
}

/// Whether the panic with this message is shuttle's, as no thread can go on.
pub(crate) fn is_deadlock(message: &str) -> bool {
    message.starts_with("deadlock!")
}

/// What was said with a panic.
pub(crate) fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message")
}

/// Silences what shuttle and the failing interleavings print: they are looked for, and there can be
/// hundreds of thousands.
pub fn silence() {
    // shuttle sets its own panic hook once, on top of the one there is.
    shuttle::check_dfs(|| {}, None);
    panic::set_hook(Box::new(record::note_panic));
}

/// The program that is searched.
fn run_jobs_and_drop(start: fn(usize) -> Box<dyn AnyPool>, has_deadline: bool, case: Case) {
    run::begin();
    let ran: Arc<Vec<AtomicUsize>> = Arc::new((0..case.jobs).map(|_| 0.into()).collect());
    let barrier = Arc::new(Barrier::new(case.jobs));
    let meeting = reduced::barrier(case.jobs);
    let places: Vec<_> = (0..case.jobs).map(|_| reduced::place()).collect();
    let (job_lives, all_gone) = shuttle::sync::mpsc::channel::<()>();

    let pool = start(case.workers);
    for job in 0..case.jobs {
        let (ran, barrier) = (Arc::clone(&ran), Arc::clone(&barrier));
        let place = places[job];
        let lives = has_deadline.then(|| job_lives.clone());
        pool.execute(Box::new(move || {
            let _lives = lives;
            note(|| What::Begins(job + 1));
            if case.meet {
                note(|| What::Meets(job + 1));
                match meeting {
                    Some(meeting) => reduced::meet(meeting),
                    None => drop(barrier.wait()),
                }
            }
            if case.pause || has_deadline {
                reduced::operate(
                    || reduced::Operation::Pause,
                    || shuttle::thread::sleep(Duration::ZERO),
                );
            }
            ran[job].fetch_add(1, Ordering::Relaxed);
            reduced::touch(place, true);
            note(|| What::HasRun(job + 1));
        }));
    }
    let left = pool.end();

    // What was started last may run before this.
    reduced::operate(|| reduced::Operation::Pause, || {});
    let runs = || -> Vec<_> {
        for place in &places {
            reduced::touch(*place, false);
        }
        ran.iter().map(|n| n.load(Ordering::Relaxed)).collect()
    };
    if !has_deadline {
        let ran = runs();
        assert!(
            ran.iter().all(|&n| n == 1),
            "the drop returned, but the jobs had run this often each: {ran:?}"
        );
        return note(|| What::IsDone);
    }

    let Left {
        running,
        never_begun,
    } = left;
    note(|| What::HasLeft(running, never_begun));
    let done = |ran: &[usize]| ran.iter().filter(|&&n| n > 0).count();
    let at_once = runs();
    assert!(
        running <= case.workers && done(&at_once) + running + never_begun >= case.jobs,
        "it says {left:?}, but the jobs had run this often each: {at_once:?}"
    );
    // Those that still ran go on. When they are done, each job has run, or was one of the others.
    drop(job_lives);
    if running > 0 {
        let _ = all_gone.recv();
    }
    let ran = runs();
    assert!(
        ran.iter().all(|&n| n <= 1) && done(&ran) + never_begun == case.jobs,
        "it said {left:?}, but in the end the jobs had run this often each: {ran:?}"
    );
}

/// A search that outlives a failed schedule, so that the ones after it are searched.
#[derive(Clone)]
struct Search(Arc<Mutex<Progress>>);

struct Progress {
    way: Way,
    fair: Fair,
    most: usize,
    begun: usize,
    complete: bool,
    chosen: Vec<usize>,
    teller: Option<Teller>,
}

impl Search {
    fn new(way: Way, most: usize, teller: Option<Teller>) -> Search {
        Search(Arc::new(Mutex::new(Progress {
            way,
            fair: Fair::default(),
            most,
            begun: 0,
            complete: false,
            chosen: Vec::new(),
            teller,
        })))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Progress) -> T) -> T {
        f(&mut lock(&self.0))
    }
}

impl Scheduler for Search {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.with(|progress| {
            if progress.begun == progress.most {
                return None;
            }
            let next = progress.way.new_execution();
            progress.fair = Fair::default();
            progress.chosen.clear();
            progress.begun += usize::from(next.is_some());
            if let Some(teller) = &mut progress.teller {
                teller.count(progress.begun);
            }
            progress.complete = next.is_none();
            next
        })
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.with(|progress| {
            let (has_got, asks) = run::stopped();
            if let Some(current) = current {
                progress.fair.stopped(current.into(), has_got, asks);
            }
            let (fair, _) = progress.fair.of(runnable);
            let next = progress.way.next_task(&fair, current, asks || is_yielding);
            progress.chosen.extend(next.map(usize::from));
            next
        })
    }

    fn next_u64(&mut self) -> u64 {
        self.with(|progress| {
            let chosen = progress.way.choose(&run::options());
            progress.chosen.push(chosen);
            chosen as u64
        })
    }
}

/// The guard of a lock. What a search keeps behind one is never left half changed: a poisoned lock is
/// as good as any.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one interleaving of each class of the case, or all of them.
pub fn explore_case<P: Pool>(exploration: Exploration, case: Case) -> Found {
    reduced::explore_telling(exploration, None, program_of::<P>(case))
}

/// Which orders are tried.
enum Way {
    All(Tree),
    Some(Box<dyn Scheduler + Send>),
}

impl Way {
    fn new_execution(&mut self) -> Option<Schedule> {
        match self {
            Way::All(tree) => tree.begin().then(|| Schedule::new(0)),
            Way::Some(scheduler) => scheduler.new_execution(),
        }
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        match self {
            Way::All(tree) => {
                let threads: Vec<_> = runnable.iter().map(|task| task.id().into()).collect();
                Some(tree.choose(&threads).into())
            }
            Way::Some(scheduler) => scheduler.next_task(runnable, current, is_yielding),
        }
    }

    /// One of these ways to go on with the same thread.
    fn choose(&mut self, options: &[usize]) -> usize {
        match self {
            Way::All(tree) => tree.choose(options),
            Way::Some(scheduler) => {
                let any = usize::try_from(scheduler.next_u64() >> 1).unwrap_or(0);
                options[any % options.len()]
            }
        }
    }
}

/// A point of the last run.
struct Level {
    chosen: usize,
    /// It was the last option there.
    is_last: bool,
    /// What tells the options from others.
    options: u64,
}

/// All of them, depth first. As shuttle's own search of this kind, it takes the first option first;
/// other than that one, it also chooses what is no thread.
#[derive(Default)]
struct Tree {
    levels: Vec<Level>,
    depth: usize,
    begun: bool,
}

impl Tree {
    /// Whether there is one more run.
    fn begin(&mut self) -> bool {
        self.depth = 0;
        if std::mem::replace(&mut self.begun, true) {
            // The next run goes the same way up to the last point with an option left.
            while self.levels.pop_if(|level| level.is_last).is_some() {}
            return !self.levels.is_empty();
        }
        true
    }

    fn choose(&mut self, options: &[usize]) -> usize {
        let told = tell_apart(options);
        let known = self.levels.get(self.depth);
        if known.is_some_and(|level| level.options != told) {
            run::refuse_all(
                "two runs in which the same choices were made did not go the same way: what your \
                 pool does depends on something that is no choice of a thread, such as the order \
                 in a `HashMap` (use a `BTreeMap`), a random number, or a file",
            );
        }
        let is_turn = self.depth + 1 >= self.levels.len();
        let index = known.map_or(0, |level| {
            let index = options.iter().position(|option| *option == level.chosen);
            index.map_or(0, |index| index + usize::from(is_turn))
        });
        if is_turn {
            self.levels.truncate(self.depth);
            self.levels.push(Level {
                chosen: options[index],
                is_last: index + 1 == options.len(),
                options: told,
            });
        }
        self.depth += 1;
        options[index]
    }
}

/// A number that tells the options at a point from others.
fn tell_apart(options: &[usize]) -> u64 {
    // FNV-1a, which is quick for the few that there are.
    options.iter().fold(0xcbf2_9ce4_8422_2325, |told, option| {
        (told ^ (*option as u64 + 1)).wrapping_mul(0x100_0000_01b3)
    })
}
