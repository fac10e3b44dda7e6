//! The questions, and how each is answered by trying it.
//!
//! A question can hang or abort the process that asks it. So [`ask`] has it asked by a
//! child process, the binary `conformance`, and ends the child at a deadline.

use crate::broken::{fault, HandWritten};
use crate::{adapters, Pool, Refused};
use std::io::{BufRead, BufReader};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;
use std::{mem, thread};

/// How long to wait for what should happen. Only a pool at fault takes that long, and a machine that
/// has much else to do may.
const LONG: Duration = Duration::from_secs(5);

/// How long to wait for what should not happen.
const SHORT: Duration = Duration::from_millis(1500);

/// When a child that has not answered is taken to hang: later than it waits for several things that
/// do not happen.
const DEADLINE: Duration = Duration::from_secs(18);

/// What the line with a child's answer begins with. The book's pool prints lines, too.
const ANSWER: &str = "answer: ";

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $word] $variant,)* }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The words for it in the table.
            pub fn words(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// The one that is called `name`, as `Debug` prints it.
            pub fn from_name(name: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|one| format!("{one:?}") == name)
            }
        }
    };
}

words! {
    /// What is asked of every pool.
    Question {
        EveryJobOnce = "Does every job run exactly once?",
        AtOnce = "Do four workers run four jobs at once?",
        HeldUp = "Does a job that waits hold up the next one?",
        PanicCost = "What does a job that panics cost?",
        DropAfterPanic = "After that, what does the drop do?",
        DropWaits = "Does the drop wait for running jobs?",
        QueueAtDrop = "When do jobs run that are in the queue at the drop?",
        QueueOfIdle = "And if the workers had nothing to do when they were queued?",
        DropInside = "What does the drop do in one of the pool's own jobs?",
        Joins = "Can it be waited for without a drop?",
        JoinInside = "What does that wait do in one of the pool's own jobs?",
        Refuses = "Can it refuse a job while it lives?",
        Bounded = "Can its queue be bounded?",
        GivesBack = "What does queuing a job give back?",
    }
}

words! {
    /// What the answer is.
    Outcome {
        Yes = "yes",
        No = "no",
        Loses = "some never",
        Repeats = "some twice",
        Nothing = "nothing",
        Worker = "a worker",
        Process = "the process",
        Returns = "returns",
        Panics = "panics",
        Hangs = "hangs",
        Aborts = "the process is gone",
        Before = "before it returns",
        After = "after it has returned",
        Never = "never",
        Partly = "some of them, never",
        Late = "perhaps after it has returned",
        AfterClose = "yes, once closed",
        Absent = "no method for it",
        NotAsked = "–",
        ResultOrPanic = "a handle: the result, or the panic",
        ResultPanicking = "a handle: the result; the panic goes on there",
    }
}

/// A pool that can be asked by name.
pub struct Entry {
    /// Its [`Pool::NAME`].
    pub name: &'static str,
    /// Asks the pool in this process, which may hang or abort.
    pub answer: fn(Question) -> Outcome,
}

const fn entry<P: Pool>() -> Entry {
    Entry {
        name: P::NAME,
        answer: answer::<P>,
    }
}

/// The pools of the table.
pub const POOLS: &[Entry] = &[
    entry::<adapters::Book>(),
    entry::<threadpool::ThreadPool>(),
    entry::<rayon::ThreadPool>(),
    entry::<futures_executor::ThreadPool>(),
    entry::<tokio::runtime::Runtime>(),
];

/// The hand-written pools: the first is sound, the others have one fault each.
pub const BROKEN: &[Entry] = &[
    entry::<HandWritten<{ fault::NONE }>>(),
    entry::<HandWritten<{ fault::DROPPED_JOB }>>(),
    entry::<HandWritten<{ fault::REPEATED_JOB }>>(),
    entry::<HandWritten<{ fault::DROP_DOES_NOT_WAIT }>>(),
    entry::<HandWritten<{ fault::DROP_HANGS }>>(),
    entry::<HandWritten<{ fault::LOCK_HELD }>>(),
    entry::<HandWritten<{ fault::LOST_WORKER }>>(),
    entry::<HandWritten<{ fault::DISCARDED_QUEUE }>>(),
    entry::<HandWritten<{ fault::ONE_WORKER }>>(),
    entry::<HandWritten<{ fault::DISCARDED_BY_IDLE }>>(),
    entry::<HandWritten<{ fault::DROP_PANICS }>>(),
];

/// The argument that asks one pool one question.
pub const ASK: &str = "ask";

/// The answers of the pools with these names, as a table in Markdown.
///
/// `program` is the path of one that does [`main`] with its arguments.
pub fn table(program: &Path, pools: &[&str]) -> String {
    let answers: Vec<Vec<Outcome>> = thread::scope(|scope| {
        let asked = pools
            .iter()
            .map(|pool| scope.spawn(|| ask_all(program, pool)));
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(join).collect()
    });

    let mut table = format!("| Question | {} |\n", pools.join(" | "));
    table += &format!("|---|{}\n", "---|".repeat(pools.len()));
    for (row, question) in Question::ALL.iter().enumerate() {
        let cells = answers.iter().map(|answers| answers[row].words());
        let cells: Vec<&str> = cells.collect();
        table += &format!("| {} | {} |\n", question.words(), cells.join(" | "));
    }
    table
}

/// The answers of one pool, in the order of [`Question::ALL`].
pub fn ask_all(program: &Path, pool: &str) -> Vec<Outcome> {
    // At the same time: they wait more than they work.
    thread::scope(|scope| {
        let ask = |&question| scope.spawn(move || ask(program, pool, question));
        let asked: Vec<_> = Question::ALL.iter().map(ask).collect();
        asked.into_iter().map(join).collect()
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<T>) -> T {
    let result = thread.join();
    result.unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// Has a child process ask a pool, and waits for the answer.
///
/// # Panics
///
/// If the child cannot be run, or panics instead of answering.
pub fn ask(program: &Path, pool: &str, question: Question) -> Outcome {
    let mut child = Command::new(program)
        .args([ASK, pool, &format!("{question:?}")])
        // A backtrace can take a second, and holds up what the panic leads to.
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program can be run");
    let output = child.stdout.take().expect("the output is piped");

    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        sender.send(lines.find_map(|line| Outcome::from_name(line.strip_prefix(ANSWER)?)))
    });
    let answer = receiver.recv_timeout(DEADLINE);
    let _ = child.kill();
    let status = child.wait().expect("the child can be waited for");

    match answer {
        Ok(Some(outcome)) => outcome,
        Err(_) => Outcome::Hangs,
        Ok(None) if !aborted(status) => {
            panic!("{pool}, {question:?}: no answer, {status}")
        }
        Ok(None) if question == Question::PanicCost => Outcome::Process,
        Ok(None) => Outcome::Aborts,
    }
}

/// Whether a process has ended itself, as a panic does that cannot unwind.
fn aborted(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        const SIGABRT: i32 = 6;
        status.signal() == Some(SIGABRT)
    }
    #[cfg(not(unix))]
    {
        !matches!(status.code(), Some(0 | 2 | 101))
    }
}

/// Prints the table; or with the arguments [`ASK`], a pool and a question, the answer.
///
/// # Errors
///
/// When there is no such pool, or no such question.
pub fn main(program: &Path, arguments: &[String]) -> Result<(), String> {
    let [_, pool, question] = arguments else {
        let pools: Vec<&str> = POOLS.iter().map(|pool| pool.name).collect();
        print!("{}", table(program, &pools));
        return Ok(());
    };
    let mut entries = POOLS.iter().chain(BROKEN);
    let entry = entries
        .find(|entry| entry.name == pool)
        .ok_or("no such pool")?;
    let question = Question::from_name(question).ok_or("no such question")?;

    println!("{ANSWER}{:?}", (entry.answer)(question));
    Ok(())
}

/// Asks a pool in this process, which may hang or abort.
pub fn answer<P: Pool>(question: Question) -> Outcome {
    match question {
        Question::EveryJobOnce => every_job_once::<P>(),
        Question::AtOnce => {
            let pool = mem::ManuallyDrop::new(P::new(4));
            yes_or_no(at_once(&*pool, 4, || ()) == 4)
        }
        Question::HeldUp => held_up::<P>(),
        Question::PanicCost => panic_cost::<P>(),
        Question::DropAfterPanic => drop_after_panic::<P>(),
        Question::DropWaits => waits::<P>(drop),
        Question::QueueAtDrop => queue_at_drop::<P>(),
        Question::QueueOfIdle => queue_of_idle::<P>(),
        Question::DropInside => inside_a_job::<P>(drop),
        Question::Joins => P::JOIN.map_or(Outcome::Absent, |join| {
            waits::<P>(|pool| {
                join(&pool);
                mem::forget(pool);
            })
        }),
        Question::JoinInside => P::JOIN.map_or(Outcome::NotAsked, |join| {
            inside_a_job::<P>(move |pool| {
                join(&pool);
                mem::forget(pool);
            })
        }),
        Question::Refuses => refuses::<P>(),
        Question::Bounded => bounded::<P>(),
        Question::GivesBack => gives_back::<P>(),
    }
}

fn yes_or_no(yes: bool) -> Outcome {
    if yes {
        Outcome::Yes
    } else {
        Outcome::No
    }
}

fn panics(call: impl FnOnce()) -> bool {
    panic::catch_unwind(AssertUnwindSafe(call)).is_err()
}

/// Four threads queue 250 jobs each. A job that is lost is dropped, so the channel closes
/// in any case.
fn every_job_once<P: Pool>() -> Outcome {
    let pool = mem::ManuallyDrop::new(P::new(4));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for start in [0, 250, 500, 750] {
            let (pool, sender) = (&*pool, sender.clone());
            scope.spawn(move || {
                for number in start..start + 250 {
                    let sender = sender.clone();
                    // The type lets a pool call the job twice, which `FnOnce` would not.
                    let job: Box<dyn Fn() + Send> = Box::new(move || {
                        let _ = sender.send(number);
                    });
                    pool.execute(job);
                }
            });
        }
    });
    drop(sender);

    let mut runs = vec![0; 1000];
    receiver.iter().for_each(|number: usize| runs[number] += 1);
    match (runs.contains(&0), runs.iter().any(|&runs| runs > 1)) {
        (true, _) => Outcome::Loses,
        (false, true) => Outcome::Repeats,
        (false, false) => Outcome::Yes,
    }
}

/// How many of so many jobs are running at the same time, each of which ends with `end`.
fn at_once<P: Pool>(pool: &P, jobs: usize, end: fn()) -> usize {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let (sender, receiver) = mpsc::channel();
    for _ in 0..jobs {
        let (gate, sender) = (Arc::clone(&gate), sender.clone());
        pool.execute(move || {
            let _ = sender.send(());
            drop(gate.lock());
            end();
        });
    }
    let running = (0..jobs)
        .take_while(|_| receiver.recv_timeout(LONG).is_ok())
        .count();
    drop(closed);
    running
}

fn held_up<P: Pool>() -> Outcome {
    let pool = mem::ManuallyDrop::new(P::new(2));
    let (_end_first, first_may_end) = mpsc::channel::<()>();
    let (start_first, first_has_started) = mpsc::channel();
    let (run_second, second_has_run) = mpsc::channel();

    pool.execute(move || {
        let _ = start_first.send(());
        let _ = first_may_end.recv();
    });
    let _ = first_has_started.recv();
    pool.execute(move || {
        let _ = run_second.send(());
    });
    yes_or_no(second_has_run.recv_timeout(LONG).is_err())
}

/// Has jobs panic at the same time, one in each worker, and looks whether as many can run
/// at the same time after that.
fn panic_cost<P: Pool>() -> Outcome {
    for workers in [1, 4] {
        let pool = mem::ManuallyDrop::new(P::new(workers));
        let before = at_once(&*pool, workers, || panic!("a job panics"));
        if at_once(&*pool, before, || ()) < before {
            return Outcome::Worker;
        }
    }
    Outcome::Nothing
}

/// The second job shows that the panic is over, one way or another.
fn drop_after_panic<P: Pool>() -> Outcome {
    let pool = P::new(1);
    at_once(&pool, 1, || panic!("a job panics"));
    at_once(&pool, 1, || ());
    if panics(|| drop(pool)) {
        Outcome::Panics
    } else {
        Outcome::Returns
    }
}

/// Whether `wait` still waits while a job is running.
fn waits<P: Pool>(wait: impl FnOnce(P)) -> Outcome {
    let pool = P::new(2);
    let (start, has_started) = mpsc::channel();
    let (end_wait, wait_has_ended) = mpsc::channel();
    let (end, has_ended) = mpsc::channel();
    pool.execute(move || {
        let _ = start.send(());
        let _ = end.send(wait_has_ended.recv_timeout(SHORT).is_err());
    });
    let _ = has_started.recv();
    wait(pool);
    let _ = end_wait.send(());
    yes_or_no(has_ended.recv() == Ok(true))
}

/// Drops a pool of one worker, which is kept in a job until the drop has returned, or, if
/// it waits for that job, for a while. Ten jobs are in the queue behind it.
fn queue_at_drop<P: Pool>() -> Outcome {
    let pool = P::new(1);
    let (start, has_started) = mpsc::channel();
    let (end_drop, drop_has_ended) = mpsc::channel();
    let (run, runs) = mpsc::channel();
    pool.execute(move || {
        let _ = start.send(());
        let _ = drop_has_ended.recv_timeout(SHORT);
    });
    for _ in 0..10 {
        let run = run.clone();
        pool.execute(move || {
            let _ = run.send(());
        });
    }
    drop(run);

    let _ = has_started.recv();
    drop(pool);
    let before = runs.try_iter().count();
    let _ = end_drop.send(());
    // The channel closes once every job has run, or been dropped without being run.
    match (before, runs.iter().count()) {
        (10, 0) => Outcome::Before,
        (0, 10) => Outcome::After,
        (0, 0) => Outcome::Never,
        _ => Outcome::Partly,
    }
}

/// Drops a pool right after two jobs were queued for its two workers, which were idle: again and
/// again, since it depends on who is first.
fn queue_of_idle<P: Pool>() -> Outcome {
    let mut all_before = true;
    let workers = at_once(&*mem::ManuallyDrop::new(P::new(2)), 2, || ());
    for _ in 0..100 {
        let pool = P::new(2);
        at_once(&pool, workers, || ());
        // Until both wait for a job again.
        thread::sleep(Duration::from_millis(2));

        let (run, runs) = mpsc::channel();
        for _ in 0..2 {
            let run = run.clone();
            pool.execute(move || {
                let _ = run.send(());
            });
        }
        drop(run);
        drop(pool);
        let before = runs.try_iter().count();
        // The channel closes once both have run, or been dropped without being run.
        if before + runs.iter().count() < 2 {
            return Outcome::Partly;
        }
        all_before &= before == 2;
    }
    match all_before {
        true => Outcome::Before,
        false => Outcome::Late,
    }
}

/// Has a job call `last` on the pool that runs it, when nothing else holds the pool.
fn inside_a_job<P: Pool>(last: impl FnOnce(P) + Send + 'static) -> Outcome {
    let pool = Arc::new(P::new(2));
    let (release, is_released) = mpsc::channel();
    let (end, has_ended) = mpsc::channel();

    let own = Arc::clone(&pool);
    pool.execute(move || {
        let _ = is_released.recv();
        let own = Arc::into_inner(own).expect("the other reference has been dropped");
        let _ = end.send(panics(|| last(own)));
    });
    drop(pool);
    let _ = release.send(());
    match has_ended.recv() {
        Ok(false) => Outcome::Returns,
        _ => Outcome::Panics,
    }
}

fn refuses<P: Pool>() -> Outcome {
    let (Some(close), Some(try_execute)) = (P::CLOSE, P::TRY_EXECUTE) else {
        return Outcome::Absent;
    };
    let mut pool = P::new(1);
    close(&mut pool);
    let (sender, receiver) = mpsc::channel();
    let job = move || {
        let _ = sender.send(());
    };
    if try_execute(&pool, Box::new(job)) == Err(Refused) && receiver.recv().is_err() {
        Outcome::AfterClose
    } else {
        Outcome::No
    }
}

fn bounded<P: Pool>() -> Outcome {
    let (Some(bounded), Some(try_execute)) = (P::BOUNDED, P::TRY_EXECUTE) else {
        return Outcome::Absent;
    };
    let pool = mem::ManuallyDrop::new(bounded(1, 1));
    let (_end, may_end) = mpsc::channel::<()>();
    let (start, has_started) = mpsc::channel();
    pool.execute(move || {
        let _ = start.send(());
        let _ = may_end.recv();
    });
    let _ = has_started.recv();
    let fits = try_execute(&pool, Box::new(|| ()));
    yes_or_no(fits.is_ok() && try_execute(&pool, Box::new(|| ())).is_err())
}

fn gives_back<P: Pool>() -> Outcome {
    let Some(spawn) = P::SPAWN else {
        return Outcome::Nothing;
    };
    let pool = mem::ManuallyDrop::new(P::new(1));
    let result = spawn(&pool, Box::new(|| 42))();
    assert!(matches!(result, Ok(42)), "the handle gives back the result");

    let wait = spawn(&pool, Box::new(|| panic!("a task panics")));
    match panic::catch_unwind(AssertUnwindSafe(wait)) {
        Ok(Err(_)) => Outcome::ResultOrPanic,
        Err(_) => Outcome::ResultPanicking,
        Ok(Ok(_)) => unreachable!("the task returns nothing"),
    }
}
