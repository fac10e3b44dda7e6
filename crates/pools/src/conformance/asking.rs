//! Asking: each question in a process of its own.

use super::{Outcome, Question, BROKEN, LATER, POOLS};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{panic, thread};

/// When a child is taken to hang that has neither answered nor said that it goes on.
const DEADLINE: Duration = Duration::from_secs(18);

/// What the line with a child's answer begins with. The book's pool prints lines, too.
const ANSWER: &str = "answer: ";

/// What a child prints that has come so far that its deadline begins anew.
const GOING_ON: &str = "going on";

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
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let answer = line.strip_prefix(ANSWER).and_then(Outcome::from_name);
            if answer.is_some() || line == GOING_ON {
                let _ = sender.send(answer);
            }
        }
    });
    let answer = loop {
        match receiver.recv_timeout(DEADLINE) {
            Ok(None) => {}
            answer => break answer,
        }
    };
    let _ = child.kill();
    let status = child.wait().expect("the child can be waited for");

    match answer {
        Ok(Some(outcome)) => outcome,
        Err(RecvTimeoutError::Timeout) => Outcome::Hangs,
        _ if !aborted(status) => panic!("{pool}, {question:?}: no answer, {status}"),
        _ if question == Question::PanicCost => Outcome::Process,
        _ => Outcome::Aborts,
    }
}

/// Says in a child that it has not come to its answer yet, but goes on.
pub(super) fn going_on() {
    println!("{GOING_ON}");
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
    let mut entries = POOLS.iter().chain(LATER).chain(BROKEN);
    let entry = entries
        .find(|entry| entry.name == pool)
        .ok_or("no such pool")?;
    let question = Question::from_name(question).ok_or("no such question")?;

    println!("{ANSWER}{:?}", (entry.answer)(question));
    Ok(())
}
