//! Writes down what each thread of a searched pool does, step by step, with its line.

mod class;
mod find;
mod replay;
mod run;
mod schedule;
mod telling;

#[cfg(test)]
mod tests;

pub use class::{classes, replay_class};
pub use find::find;
pub use replay::replay;
pub(crate) use run::record;
pub use schedule::{read, switches, written};
pub(crate) use telling::name;

use shuttle::current;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Display};
use std::panic::{Location, PanicHookInfo};
use telling::Teller;

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
        /// What its messages are called: those with jobs are told from others.
        carries: &'static str,
    },
    Sends(usize, bool),
    ClonesSender(usize),
    DropsSender(usize),
    Receives(usize),
    Received(usize, bool),
    FindsEmpty(usize),
    TimeIsUp,
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
    /// The main thread is told how many jobs still run, and how many never will.
    HasLeft(usize, usize),
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
    /// Of a pool with several files, which one: its path in the folder of the crate.
    pub file: Option<String>,
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

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
    static CHANNELS: Cell<usize> = const { Cell::new(0) };
}

struct Recorder {
    /// The end of the path of the pool's file, or its folder, if lines are wanted.
    file: Option<String>,
    events: Vec<(Option<usize>, Place, What)>,
    /// How many of them are worth a step.
    steps: usize,
    teller: Teller,
    /// What threads do when they are chosen next.
    to_come: Vec<(usize, Place, What)>,
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

/// The thread is chosen: what it was to do then, it does now.
pub(crate) fn chosen(thread: usize) {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            recorder.chosen(thread);
        }
    });
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
    let text = crate::search::text(info.payload());
    if is_on() && !crate::search::is_deadlock(text) {
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

/// A line, and of a pool with several files which one.
type Place = Option<(u32, Option<String>)>;

/// The line in the pool's file.
fn line(caller: Option<&Location>) -> Place {
    let file = RECORDER.with_borrow(|recorder| recorder.as_ref()?.file.clone())?;
    let of_caller = caller.and_then(|caller| {
        let name = in_pool(caller.file(), &file)?;
        Some((caller.line(), name))
    });
    of_caller.or_else(|| line_on_stack(&file))
}

/// Whether this is the path of the pool's file: `Some(None)`, or with its name in the pool's folder.
fn in_pool(path: &str, file: &str) -> Option<Option<String>> {
    if !file.ends_with('/') {
        return path.ends_with(file).then_some(None);
    }
    let (_, name) = path.rsplit_once(file)?;
    Some((name != LIBRARY).then(|| name.to_owned()))
}

/// Where a pool is in the folder of its crate.
const LIBRARY: &str = "src/lib.rs";

impl Recorder {
    fn new(file: Option<&str>, wanted: &[String]) -> Recorder {
        Recorder {
            file: file.map(str::to_owned),
            events: Vec::new(),
            steps: 0,
            teller: Teller::default(),
            to_come: Vec::new(),
            wanted: wanted.to_vec(),
            reached: 0,
            missed: false,
        }
    }

    fn add(&mut self, thread: Option<usize>, line: Place, what: What) {
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

    /// What has happened, as steps.
    fn told(&self) -> Vec<Step> {
        let mut teller = self.teller.anew();
        let steps = self.events.iter().filter_map(|(thread, line, what)| {
            let thread = *thread;
            let (line, file) = line.clone().unzip();
            let file = file.flatten();
            let (what, said) = teller.tell(thread, what)?;
            Some(Step {
                thread,
                line,
                file,
                what,
                said,
            })
        });
        steps.collect()
    }
}

/// Whether this program knows the lines of its stack, which lines of drops are read from. It does not
/// where it was built without debug info.
pub fn knows_lines() -> bool {
    line_on_stack(file!()).is_some()
}

/// The line of the innermost frame that is in the file. std shows frames as text only.
fn line_on_stack(file: &str) -> Place {
    let stack = Backtrace::force_capture().to_string();
    stack.lines().find_map(|frame| {
        let place = frame.trim_start().strip_prefix("at ")?;
        let (place, _column) = place.rsplit_once(':')?;
        let (path, line) = place.rsplit_once(':')?;
        Some((line.parse().ok()?, in_pool(path, file)?))
    })
}
