//! Asking: each scenario in a process of its own.

use super::{
    scenarios,
    stage::{folder, PROCESS_1},
    Outcome, Scenario,
};
use crate::adapters::Server;
use rustix::process::{kill_process_group, Pid, Signal};
use std::{
    fs,
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    panic,
    path::Path,
    process::{Command, Stdio},
    sync::{mpsc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// When a scenario is taken to hang. It has deadlines of its own, which are shorter.
const DEADLINE: Duration = Duration::from_secs(400);

/// So many scenarios are asked at the same time. They wait more than they work.
const AT_ONCE: usize = 16;

/// What the line with an answer begins with.
const ANSWER: &str = "outcome: ";

/// The argument that asks one server one scenario.
pub const ASK: &str = "ask";

/// What comes of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the table says.
    pub outcome: Outcome,
    /// What is wrong, or why it was not asked.
    pub detail: String,
}

/// How many more may be asked now.
static FREE: (Mutex<usize>, Condvar) = (Mutex::new(AT_ONCE), Condvar::new());

struct Slot;

impl Slot {
    fn take() -> Slot {
        let free = FREE.0.lock().unwrap_or_else(PoisonError::into_inner);
        let free = FREE.1.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Slot
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *FREE.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        FREE.1.notify_one();
    }
}

/// The answers of one server, in the order of [`Scenario::ALL`].
///
/// `program` is the path of one that does [`main`] with its arguments; `server` are the arguments
/// that name the server.
pub fn ask_all(program: &Path, server: &[String]) -> Vec<Answer> {
    thread::scope(|scope| {
        let ask = |&scenario| scope.spawn(move || ask(program, server, scenario));
        let asked: Vec<_> = Scenario::ALL.iter().map(ask).collect();
        asked.into_iter().map(join).collect()
    })
}

fn join<T>(thread: thread::ScopedJoinHandle<T>) -> T {
    let result = thread.join();
    result.unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// What is said while a scenario is played, and what comes of it.
///
/// # Errors
///
/// If the program cannot be started.
pub fn told(program: &Path, server: &str, scenario: Scenario) -> io::Result<String> {
    let mut command = Command::new(program);
    command.arg(ASK).arg(format!("{scenario:?}")).arg(server);
    let output = command.stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Has a child process ask a server, and waits for the answer.
///
/// # Panics
///
/// If the child cannot be started, or ends without an answer.
pub fn ask(program: &Path, server: &[String], scenario: Scenario) -> Answer {
    let _slot = Slot::take();
    let mut child = Command::new(program)
        .arg(ASK)
        .arg(format!("{scenario:?}"))
        .args(server)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("the program can be run");
    let output = child.stdout.take().expect("the output is piped");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(answer) = line.strip_prefix(ANSWER) {
                let _ = sender.send(answer.to_owned());
            }
        }
    });
    let answer = receiver.recv_timeout(DEADLINE);
    // The server, too, and all that it has started. What else was said is for whoever asks one scenario.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let status = child.wait().expect("the child can be waited for");

    let answer = match answer {
        Ok(answer) => answer,
        Err(_) => panic!("{server:?}, {scenario:?}: no answer, {status}"),
    };
    let (outcome, detail) = answer.split_once(": ").unwrap_or((&answer, ""));
    Answer {
        outcome: Outcome::from_words(outcome).expect("an outcome"),
        detail: detail.to_owned(),
    }
}

/// Asks a server in this process.
fn answer(server: &Server, scenario: Scenario) -> Answer {
    let not_asked = |detail: &str| Answer {
        outcome: Outcome::NotAsked,
        detail: detail.to_owned(),
    };
    if let Some(reason) = server.is_not_asked(scenario) {
        return not_asked(reason);
    }
    if scenario == Scenario::Process1 && PROCESS_1.is_none() {
        return not_asked("there is no `unshare`, or it is not allowed");
    }
    let played = scenarios::play(server, scenario);
    let _ = fs::remove_dir_all(folder()); // if there is one
    match played {
        Ok(()) => Answer {
            outcome: Outcome::Right,
            detail: String::new(),
        },
        Err(wrong) => Answer {
            outcome: wrong.outcome,
            detail: wrong.detail,
        },
    }
}

/// The table, in Markdown, and the list of what is wrong: the columns are servers with their answers.
pub fn table(columns: &[(&str, Vec<Answer>)]) -> (String, String) {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut table = format!("| At the signal: | {} |\n", names.join(" | "));
    table += &format!("|---|{}\n", ":-:|".repeat(names.len()));
    let mut list = String::new();
    for (row, scenario) in Scenario::ALL.iter().enumerate() {
        let answers = columns.iter().map(|(name, answers)| (*name, &answers[row]));
        let answers: Vec<_> = answers.collect();
        let words = answers.iter().map(|(_, answer)| answer.outcome.words());
        let words: Vec<&str> = words.collect();
        table += &format!("| {} | {} |\n", scenario.words(), words.join(" | "));

        let mut details: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, answer) in answers {
            match details
                .iter_mut()
                .find(|(detail, _)| *detail == answer.detail)
            {
                _ if answer.detail.is_empty() => {}
                Some((_, names)) => names.push(name),
                None => details.push((&answer.detail, vec![name])),
            }
        }
        let details = details.iter();
        let details = details.map(|(detail, names)| format!("{detail} ({})", names.join(", ")));
        let details: Vec<_> = details.collect();
        if !details.is_empty() {
            list += &format!("- *{}*: {}\n", scenario.words(), details.join("; "));
        }
    }
    (table, list)
}

/// Asks a server, and prints what comes of each scenario; or with the arguments [`ASK`], a scenario and
/// a server, asks that one.
///
/// A server is a name, or a command that starts one, whose program has a slash in its path.
///
/// # Errors
///
/// When there is no such server or scenario.
pub fn main(program: &Path, arguments: &[String]) -> Result<(), String> {
    match arguments {
        [ask, scenario, server @ ..] if ask == ASK => {
            let server = Server::named(server)?;
            let scenario = Scenario::from_name(scenario).ok_or("no such scenario")?;
            let Answer { outcome, detail } = answer(&server, scenario);
            match detail.as_str() {
                "" => println!("{ANSWER}{}", outcome.words()),
                detail => println!("{ANSWER}{}: {detail}", outcome.words()),
            }
            Ok(())
        }
        server => {
            Server::named(server)?.prepare()?;
            let answers = ask_all(program, server);
            for (scenario, answer) in Scenario::ALL.iter().zip(answers) {
                let Answer { outcome, detail } = answer;
                println!("{:40} {:12} {detail}", scenario.words(), outcome.words());
            }
            Ok(())
        }
    }
}
