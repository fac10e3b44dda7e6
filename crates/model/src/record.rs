//! Writes down what each thread of a searched pool does, step by step, with its line.

use crate::{run_jobs_and_drop, Case, Pool};
use shuttle::scheduler::{RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{current, Runner};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Display};
use std::panic::{self, AssertUnwindSafe, Location, PanicHookInfo};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a thread does. Threads are numbered from 0 on, the main thread; a lock and a channel are
/// told from others by a number of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Starts(usize),
    Wants(usize),
    /// Gets the lock: poisoned, if it is so.
    Holds(usize, bool),
    Releases(usize),
    /// Waits at a condition variable, without the lock.
    Sleeps(usize),
    Wakes(&'static str),
    Opens {
        channel: usize,
        /// What it carries are jobs.
        jobs: bool,
    },
    Sends(usize, bool),
    ClonesSender(usize),
    DropsSender(usize),
    Receives(usize),
    Received(usize, bool),
    FindsEmpty(usize),
    Joins(usize),
    Joined(usize),
    Prints(String),
    Begins(usize),
    Meets(usize),
    HasRun(usize),
    Reads(String),
    Writes(String),
    Changes(&'static str, String),
    Ends,
    Panics(String),
    /// The main thread, behind the drop.
    IsDone,
    /// No thread can go on.
    Stuck,
}

/// A step of a recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// 0 is the main thread, 1 is worker 0. Where no thread can go on, it is none's step.
    pub thread: Option<usize>,
    /// Its line in the file of the pool, from 1 on.
    pub line: Option<u32>,
    /// What it is, in a word or two, for a program that reads it: `holds 1`, `gets 0`.
    pub what: String,
    /// The same in a sentence.
    pub said: String,
}

impl Display for Step {
    /// `worker 0 | 67 | wants 1 | Worker 0 asks for the lock.`
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let thread = self.thread.map_or("nobody".to_owned(), name);
        let line = self.line.map_or("-".to_owned(), |line| line.to_string());
        write!(f, "{thread} | {line} | {} | {}", self.what, self.said)
    }
}

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Finish,
    Deadlock,
    Panic,
}

/// A run of the program with a pool: which thread was chosen at each point where there was a choice,
/// and what came of it.
#[derive(Clone, Debug)]
pub struct Recording {
    pub schedule: Vec<usize>,
    pub steps: Vec<Step>,
    pub ending: Ending,
}

/// The schedule as a text: a digit for each choice, `a` for thread 10.
pub fn written(schedule: &[usize]) -> String {
    let digit = |&thread: &usize| {
        u32::try_from(thread)
            .ok()
            .and_then(|n| char::from_digit(n, 36))
    };
    schedule
        .iter()
        .map(|thread| digit(thread).unwrap_or('?'))
        .collect()
}

/// Reads what [`written`] has written.
///
/// # Errors
///
/// Names the character that is none of it.
pub fn read(schedule: &str) -> Result<Vec<usize>, String> {
    let thread = |digit: char| match digit.to_digit(36) {
        Some(thread) => Ok(thread as usize),
        None => Err(format!("`{digit}` is no thread of a schedule")),
    };
    schedule.chars().map(thread).collect()
}

/// How often a schedule goes from one thread to another.
pub fn switches(schedule: &[usize]) -> usize {
    schedule
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count()
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
    static CHANNELS: Cell<usize> = const { Cell::new(0) };
}

struct Recorder {
    /// The end of the path of the pool's file, if lines are wanted.
    file: Option<String>,
    events: Vec<(Option<usize>, Option<u32>, What)>,
    /// How many of them are worth a step.
    steps: usize,
    teller: Teller,
    /// What threads do when they are chosen next.
    to_come: Vec<(usize, Option<u32>, What)>,
    /// What is to be said in this order, and how much of it has been.
    wanted: Vec<String>,
    reached: usize,
    /// Something was said before its turn.
    missed: bool,
}

/// A number for a new channel.
pub(crate) fn channel_id() -> usize {
    CHANNELS.replace(CHANNELS.get() + 1)
}

pub(crate) fn is_on() -> bool {
    RECORDER.with_borrow(Option::is_some)
}

/// How many steps of this run there have been.
pub(crate) fn steps() -> usize {
    RECORDER.with_borrow(|recorder| recorder.as_ref().map_or(0, |recorder| recorder.steps))
}

/// Notes what the current thread does, if it is recorded. The line is that of the caller, or else
/// the innermost one on the stack that is in the pool's file.
#[track_caller]
pub(crate) fn note(what: impl FnOnce() -> What) {
    if is_on() {
        let thread = current::get_current_task().map(usize::from);
        add(thread, Some(Location::caller()), what());
    }
}

/// For the panic hook: a thread panics.
pub(crate) fn note_panic(info: &PanicHookInfo) {
    let text = crate::text(info.payload());
    if is_on() && !text.starts_with("deadlock!") {
        let thread = current::get_current_task().map(usize::from);
        add(thread, info.location(), What::Panics(text.to_owned()));
    }
}

/// As [`note`], for what comes after the next point at which threads can be switched, and before
/// any other thread does anything.
#[track_caller]
pub(crate) fn note_when_chosen(what: impl FnOnce() -> What) {
    if is_on() {
        let thread = usize::from(current::me());
        let line = line(Some(Location::caller()));
        RECORDER.with_borrow_mut(|recorder| {
            let Some(recorder) = recorder else { return };
            recorder.to_come.push((thread, line, what()));
        });
    }
}

fn add(thread: Option<usize>, caller: Option<&Location>, what: What) {
    let line = line(caller);
    RECORDER.with_borrow_mut(|recorder| {
        let Some(recorder) = recorder else { return };
        recorder.add(thread, line, what);
    });
}

/// The line in the pool's file.
fn line(caller: Option<&Location>) -> Option<u32> {
    let file = RECORDER.with_borrow(|recorder| recorder.as_ref()?.file.clone())?;
    match caller {
        Some(caller) if caller.file().ends_with(&file) => Some(caller.line()),
        _ => line_on_stack(&file),
    }
}

impl Recorder {
    fn add(&mut self, thread: Option<usize>, line: Option<u32>, what: What) {
        if let Some((_, said)) = self.teller.tell(thread, &what) {
            self.steps += 1;
            let wanted = &self.wanted[self.reached..];
            match wanted.iter().position(|wanted| *wanted == said) {
                Some(0) => self.reached += 1,
                Some(_) => self.missed = true,
                None => {}
            }
        }
        self.events.push((thread, line, what));
    }

    fn chosen(&mut self, thread: usize) {
        if let Some(index) = self.to_come.iter().position(|(of, ..)| *of == thread) {
            let (thread, line, what) = self.to_come.remove(index);
            self.add(Some(thread), line, what);
        }
    }
}

/// The line of the innermost frame that is in the file. std shows frames as text only.
fn line_on_stack(file: &str) -> Option<u32> {
    let stack = Backtrace::force_capture().to_string();
    stack.lines().find_map(|frame| {
        let (_, place) = frame.trim_start().strip_prefix("at ")?.rsplit_once(file)?;
        let mut place = place.strip_prefix(':')?.split(':');
        place.next()?.parse().ok()
    })
}

/// What a thread is called.
pub(crate) fn name(thread: usize) -> String {
    match thread {
        0 => "main".to_owned(),
        worker => format!("worker {}", worker - 1),
    }
}

/// Tells what happens in sentences, which need to know what has happened before.
#[derive(Clone, Debug, Default)]
struct Teller {
    /// With more than one lock, they are told apart by numbers.
    several_locks: bool,
    locks: Vec<(usize, Option<usize>)>,
    channels: Vec<Channel>,
    waits: Vec<(usize, String)>,
    panicked: Vec<usize>,
    ended: Vec<usize>,
    /// Locks, by their numbers.
    poisoned: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Channel {
    id: usize,
    jobs: bool,
    senders: usize,
    sent: usize,
    received: usize,
}

impl Teller {
    /// A word or two, and a sentence. Not everything is worth them.
    fn tell(&mut self, thread: Option<usize>, what: &What) -> Option<(String, String)> {
        let Some(thread) = thread else {
            let waits: Vec<_> = self
                .waits
                .iter()
                .map(|(thread, why)| format!("{} {why}", name(*thread)))
                .collect();
            return Some((
                "stuck".into(),
                format!("Nobody can go on: {}.", waits.join(", ")),
            ));
        };
        let who = match name(thread) {
            main if thread == 0 => main.replace('m', "M"),
            worker => worker.replace('w', "W"),
        };
        let waited = self.waits.iter().any(|(waiting, _)| *waiting == thread);
        self.waits.retain(|(waiting, _)| *waiting != thread);
        let (word, said) = match what {
            What::Starts(started) => (
                format!("starts {started}"),
                format!("starts {}", name(*started)),
            ),
            What::Wants(id) => {
                let (number, lock) = self.lock(*id);
                let wait = match self.locks[number - 1].1 {
                    Some(holder) if holder == thread => ", which it holds itself".to_owned(),
                    Some(holder) => format!(", and waits: {} holds it", name(holder)),
                    None => String::new(),
                };
                self.waits.push((thread, format!("waits for {lock}")));
                let word = if wait.is_empty() { "wants" } else { "awaits" };
                (format!("{word} {number}"), format!("asks for {lock}{wait}"))
            }
            What::Holds(id, poisoned) => {
                let (number, lock) = self.lock(*id);
                self.locks[number - 1].1 = Some(thread);
                match poisoned {
                    false => (format!("holds {number}"), format!("gets {lock}")),
                    true => (
                        format!("holds {number} poisoned"),
                        format!("gets {lock}, inside an error: it is poisoned"),
                    ),
                }
            }
            What::Releases(id) => {
                let (number, lock) = self.lock(*id);
                self.locks[number - 1].1 = None;
                if !self.panicked.contains(&thread) {
                    (format!("releases {number}"), format!("gives {lock} back"))
                } else {
                    let how = match self.poisoned.contains(&number) {
                        true => "; it stays poisoned",
                        false => ", which poisons it",
                    };
                    self.poisoned.push(number);
                    (
                        format!("releases {number} poisoned"),
                        format!("gives {lock} back as it unwinds{how}"),
                    )
                }
            }
            What::Sleeps(id) => {
                let (number, lock) = self.lock(*id);
                self.locks[number - 1].1 = None;
                self.waits
                    .push((thread, "waits at the condition variable".into()));
                (
                    format!("sleeps {number}"),
                    format!("waits at the condition variable, and gives {lock} back"),
                )
            }
            What::Wakes(whom) => {
                let asleep = self
                    .waits
                    .iter()
                    .filter(|(_, why)| why.ends_with("variable"))
                    .count();
                let nobody = if asleep == 0 {
                    ", but nobody waits there"
                } else {
                    ""
                };
                let whom = if *whom == "one" {
                    "one that waits"
                } else {
                    "all that wait"
                };
                (
                    "wakes".into(),
                    format!("wakes {whom} at the condition variable{nobody}"),
                )
            }
            What::Opens { channel, jobs } => {
                self.channels.push(Channel {
                    id: *channel,
                    jobs: *jobs,
                    senders: 1,
                    sent: 0,
                    received: 0,
                });
                return None;
            }
            What::Sends(id, true) => {
                let channel = self.channel(*id)?;
                channel.sent += 1;
                let (kind, number) = (channel.kind(), channel.sent);
                (format!("sends {number}"), format!("sends {kind} {number}"))
            }
            What::Sends(_, false) => (
                "fails-to-send".into(),
                "cannot send: the receiver is gone".into(),
            ),
            What::ClonesSender(id) => {
                self.channel(*id)?.senders += 1;
                ("clones-sender".into(), "makes one more sender".into())
            }
            What::DropsSender(id) => {
                let channel = self.channel(*id)?;
                channel.senders -= 1;
                let left = channel.senders;
                let said = match left {
                    0 => "drops the sender".to_owned(),
                    1 => "drops a sender; one is left".to_owned(),
                    _ => format!("drops a sender; {left} are left"),
                };
                (format!("drops-sender {left}"), said)
            }
            What::Receives(id) => {
                let channel = self.channel(*id)?;
                let waits = channel.sent == channel.received && channel.senders > 0;
                if waits {
                    self.waits.push((thread, "waits in recv".into()));
                }
                match waits {
                    true => (
                        "awaits-message".into(),
                        "calls recv, and waits: the queue is empty".into(),
                    ),
                    false => ("receives".into(), "calls recv".into()),
                }
            }
            What::Received(id, true) => {
                let channel = self.channel(*id)?;
                channel.received += 1;
                let (kind, number) = (channel.kind(), channel.received);
                (format!("gets {number}"), format!("gets {kind} {number}"))
            }
            What::Received(_, false) => (
                "gets-error".into(),
                "gets an error: the queue is empty, and the sender is gone".into(),
            ),
            What::FindsEmpty(_) => ("finds-empty".into(), "finds the queue empty".into()),
            What::Joins(other) => {
                if self.ended.contains(other) {
                    return None; // it is told of together with its end
                }
                let why = format!("waits for the end of {}", name(*other));
                self.waits.push((thread, why));
                (
                    format!("awaits-end {other}"),
                    format!("joins {}, and waits for its end", name(*other)),
                )
            }
            What::Joined(other) => {
                let name = name(*other);
                let how = match (waited, self.panicked.contains(other)) {
                    (_, true) => format!("hears from join that {name} has panicked"),
                    (true, false) => format!("has joined {name}"),
                    (false, false) => format!("joins {name}, which has ended"),
                };
                (format!("joined {other}"), how)
            }
            What::Prints(text) => ("prints".into(), format!("prints “{text}”")),
            What::Begins(job) => (format!("begins {job}"), format!("begins job {job}")),
            What::Meets(job) => {
                self.waits.push((thread, format!("waits inside job {job}")));
                (
                    format!("meets {job}"),
                    format!("waits inside job {job} until every job has begun"),
                )
            }
            What::HasRun(job) => (format!("has-run {job}"), format!("has run job {job}")),
            What::Reads(value) => ("reads".into(), format!("loads {value} from an atomic")),
            What::Writes(value) => ("writes".into(), format!("stores {value} in an atomic")),
            What::Changes(how, old) => ("changes".into(), format!("calls {how}, and gets {old}")),
            What::Ends => {
                self.ended.push(thread);
                let how = match self.panicked.contains(&thread) {
                    true => "ends with its panic",
                    false => "ends",
                };
                ("ends".into(), how.into())
            }
            What::Panics(text) => {
                self.panicked.push(thread);
                ("panics".into(), format!("panics: {text}"))
            }
            What::IsDone => (
                "is-done".into(),
                "is done: the drop has returned, and every job has run".into(),
            ),
            What::Stuck => return None,
        };
        let stop = if said.ends_with(".”") { "" } else { "." };
        Some((word, format!("{who} {said}{stop}")))
    }

    /// The how manieth lock it is, and what it is called.
    fn lock(&mut self, id: usize) -> (usize, String) {
        let index = self.locks.iter().position(|(known, _)| *known == id);
        let index = index.unwrap_or_else(|| {
            self.locks.push((id, None));
            self.locks.len() - 1
        });
        let name = match self.several_locks {
            true => format!("lock {}", index + 1),
            false => "the lock".to_owned(),
        };
        (index + 1, name)
    }

    fn channel(&mut self, id: usize) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }
}

impl Channel {
    fn kind(&self) -> &'static str {
        match self.jobs {
            true => "job",
            false => "message",
        }
    }
}

/// Runs the program of the case once, with this schedule. `file` is the end of the path of the
/// pool's file: the lines are lines of it. Where the schedule ends before the run does, the thread
/// that ran last goes on as long as it can, and then the first that can.
///
/// A panic is what it is to std: the end of one thread.
///
/// # Errors
///
/// When the schedule does not fit: a thread that it names cannot go on at that point, or the run is
/// over before.
pub fn replay<P: Pool>(case: Case, file: &str, schedule: &[usize]) -> Result<Recording, String> {
    let (schedule, given) = (schedule.to_vec(), schedule.len());
    let mut place = 0;
    let wrong = Arc::new(Mutex::new(None));
    let says_wrong = Arc::clone(&wrong);
    let recording = run::<P>(case, Some(file), &[], move |runnable, current| {
        let next = schedule
            .get(place)
            .copied()
            .or(current.filter(|last| runnable.contains(last)));
        let next = next.unwrap_or(runnable[0]);
        place += 1;
        if runnable.contains(&next) {
            return Some(next);
        }
        let says = format!(
            "the schedule does not fit: at its place {place}, {} cannot go on",
            name(next)
        );
        *says_wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(says);
        None
    });
    if let Some(wrong) = wrong.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(wrong);
    }
    let recording = recording.0;
    match recording.schedule.len() {
        taken if taken < given => Err(format!(
            "the schedule does not fit: the run ends after {taken} of its {given} choices"
        )),
        _ => Ok(recording),
    }
}

/// Looks for a run that ends so, and in which these sentences are said in this order, none of them
/// before its turn: that of `tries` random ones that goes from thread to thread most seldom, and of
/// those the shortest. The same call finds the same one.
pub fn find<P: Pool>(
    case: Case,
    ending: Ending,
    wanted: &[&str],
    tries: u64,
) -> Option<Vec<usize>> {
    let mut best: Option<Vec<usize>> = None;
    let mut random = RandomScheduler::new_from_seed(20, usize::MAX);
    random.new_execution();
    let random = Arc::new(Mutex::new(random));
    let wanted: Vec<String> = wanted.iter().map(|&said| said.to_owned()).collect();
    let subjects: Vec<_> = wanted.iter().map(|said| subject(said)).collect();
    for _ in 0..tries {
        let (random, subjects) = (Arc::clone(&random), subjects.clone());
        let (recording, reached) = run::<P>(case, None, &wanted, move |runnable, current| {
            let (reached, missed) = RECORDER.with_borrow(|recorder| {
                let recorder = recorder.as_ref()?;
                Some((recorder.reached, recorder.missed))
            })?;
            if missed {
                return None;
            }
            let current = current.filter(|last| runnable.contains(last));
            let Some(&next) = subjects.get(reached) else {
                return Some(current.unwrap_or(runnable[0]));
            };
            // Most often the one whose turn it is goes on, else the one that ran last, else any.
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            let any = |number: u64| runnable[usize::try_from(number).unwrap_or(0) % runnable.len()];
            Some(match random.next_u64() % 8 {
                0..4 if runnable.contains(&next) => next,
                0..7 => current.unwrap_or_else(|| any(random.next_u64() >> 8)),
                _ => any(random.next_u64() >> 8),
            })
        });
        let cost = |schedule: &[usize]| (switches(schedule), schedule.len());
        let found = reached == wanted.len() && recording.ending == ending;
        if found
            && best
                .as_ref()
                .is_none_or(|best| cost(&recording.schedule) < cost(best))
        {
            best = Some(recording.schedule);
        }
    }
    best
}

/// The thread that a sentence is about: its first words name it.
fn subject(said: &str) -> usize {
    let worker = said
        .strip_prefix("Worker ")
        .and_then(|rest| rest.split(' ').next());
    worker
        .and_then(|number| number.parse::<usize>().ok())
        .map_or(0, |number| number + 1)
}

/// Runs the program once, as `choose` decides: which of the threads that can go on does, with the one
/// that ran last. `None` ends the run. Returns how many of the sentences were said in their order.
pub(crate) fn run<P: Pool>(
    case: Case,
    file: Option<&str>,
    wanted: &[String],
    choose: impl FnMut(&[usize], Option<usize>) -> Option<usize> + Send + 'static,
) -> (Recording, usize) {
    let mut config = crate::config();
    if file.is_some() {
        config.stack_size = 1 << 20; // to look up lines takes room
    }

    let recorder = Recorder {
        file: file.map(str::to_owned),
        events: Vec::new(),
        steps: 0,
        teller: Teller::default(),
        to_come: Vec::new(),
        wanted: wanted.to_vec(),
        reached: 0,
        missed: false,
    };
    let chosen = Arc::new(Mutex::new(Vec::new()));
    let scheduler = Once {
        choose,
        chosen: Arc::clone(&chosen),
        begun: false,
    };
    // A run that ends while a panic is under way leaves its thread panicking. So each has its own.
    let whole = move || {
        RECORDER.set(Some(recorder));
        let runner = Runner::new(scheduler, config);
        let run = panic::catch_unwind(AssertUnwindSafe(|| {
            runner.run(move || run_jobs_and_drop::<P>(case))
        }));
        let ending = match run {
            Ok(_) => Ending::Finish,
            Err(payload) if crate::text(&*payload).starts_with("deadlock!") => Ending::Deadlock,
            Err(_) => Ending::Panic,
        };
        let recorder = RECORDER.take().expect("it was set above");
        (recorder, ending)
    };
    let (mut recorder, ending) = thread::spawn(whole).join().expect("its panics are caught");
    if ending == Ending::Deadlock {
        recorder.events.push((None, None, What::Stuck));
    }
    let mut teller = Teller {
        several_locks: recorder.teller.locks.len() > 1,
        ..Teller::default()
    };
    let steps = recorder
        .events
        .into_iter()
        .filter_map(|(thread, line, what)| {
            let (what, said) = teller.tell(thread, &what)?;
            Some(Step {
                thread,
                line,
                what,
                said,
            })
        });
    let steps = steps.collect();
    let schedule = std::mem::take(&mut *chosen.lock().unwrap_or_else(PoisonError::into_inner));
    (
        Recording {
            schedule,
            steps,
            ending,
        },
        recorder.reached,
    )
}

/// One run, as a function decides.
struct Once<F> {
    choose: F,
    chosen: Arc<Mutex<Vec<usize>>>,
    begun: bool,
}

impl<F: FnMut(&[usize], Option<usize>) -> Option<usize> + Send> Scheduler for Once<F> {
    fn new_execution(&mut self) -> Option<Schedule> {
        let first = !std::mem::replace(&mut self.begun, true);
        first.then(|| Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _: bool,
    ) -> Option<TaskId> {
        let runnable: Vec<_> = runnable.iter().map(|task| usize::from(task.id())).collect();
        let next = (self.choose)(&runnable, current.map(usize::from))?;
        RECORDER
            .with_borrow_mut(|recorder| recorder.as_mut().map(|recorder| recorder.chosen(next)));
        self.chosen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(next);
        Some(next.into())
    }

    fn next_u64(&mut self) -> u64 {
        0 // no pool of the book asks for a random number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modeled::sync::mpsc;
    use crate::modeled::thread;

    type Job = Box<dyn FnOnce() + Send>;

    /// A single worker, which owns the receiver.
    struct OneWorker {
        sender: Option<mpsc::Sender<Job>>,
        worker: Option<thread::JoinHandle<()>>,
    }

    impl Pool for OneWorker {
        fn new(_: usize) -> OneWorker {
            let (sender, receiver) = mpsc::channel::<Job>();
            let worker = thread::spawn(move || receiver.into_iter().for_each(|job| job()));
            let (sender, worker) = (Some(sender), Some(worker));
            OneWorker { sender, worker }
        }

        fn execute(&self, job: impl FnOnce() + Send + 'static) {
            let sender = self.sender.as_ref().unwrap();
            sender.send(Box::new(job)).unwrap();
        }
    }

    impl Drop for OneWorker {
        fn drop(&mut self) {
            drop(self.sender.take());
            self.worker.take().unwrap().join().unwrap();
        }
    }

    const CASE: Case = Case {
        workers: 1,
        jobs: 1,
        meet: false,
        pause: false,
    };

    #[test]
    fn a_run_is_told_with_its_lines_and_the_same_again_from_its_schedule() {
        let first = replay::<OneWorker>(CASE, file!(), &[]).unwrap();
        assert_eq!(first.ending, Ending::Finish);
        let sends = first.steps.iter().find(|step| step.what == "sends 1");
        let sends = sends.expect("it sends its job");
        assert_eq!(sends.said, "Main sends job 1.");
        let line = usize::try_from(sends.line.expect("it has a line")).unwrap();
        let line = include_str!("record.rs").lines().nth(line - 1).unwrap();
        assert_eq!(line.trim(), "sender.send(Box::new(job)).unwrap();");

        let again = replay::<OneWorker>(CASE, file!(), &first.schedule).unwrap();
        assert_eq!(again.steps, first.steps);
    }

    #[test]
    fn a_schedule_that_does_not_fit_is_refused() {
        let error = |schedule: &[usize]| replay::<OneWorker>(CASE, file!(), schedule).unwrap_err();
        assert_eq!(
            error(&[0, 7]),
            "the schedule does not fit: at its place 2, worker 6 cannot go on"
        );
        let mut schedule = replay::<OneWorker>(CASE, file!(), &[]).unwrap().schedule;
        let whole = schedule.len();
        schedule.push(0);
        assert_eq!(
            error(&schedule),
            format!(
                "the schedule does not fit: the run ends after {whole} of its {} choices",
                whole + 1
            )
        );
    }

    #[test]
    fn a_run_is_found_in_which_something_is_said() {
        let wanted = [
            "Worker 0 calls recv, and waits: the queue is empty.",
            "Main drops the sender.",
            "Worker 0 gets job 1.",
        ];
        let found = find::<OneWorker>(CASE, Ending::Finish, &wanted, 500).expect("there is one");
        let steps = replay::<OneWorker>(CASE, file!(), &found).unwrap().steps;
        let mut said = steps.iter().map(|step| step.said.as_str());
        assert!(wanted.iter().all(|wanted| said.any(|said| said == *wanted)));

        let never = ["Main drops the sender.", "Main sends job 1."];
        assert_eq!(find::<OneWorker>(CASE, Ending::Finish, &never, 500), None);
    }

    #[test]
    fn a_schedule_is_written_and_read() {
        let schedule = vec![0, 1, 10, 35];
        assert_eq!(written(&schedule), "01az");
        assert_eq!(read("01az"), Ok(schedule));
        assert_eq!(read("0-"), Err("`-` is no thread of a schedule".to_owned()));
    }
}
