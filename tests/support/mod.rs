//! What the tests share: running a command, cargo among them, and telling what is wrong.

pub mod cargo;
pub mod network;
pub mod turns;

use libtest_mimic::Failed;
use process_wrap::std::{ChildWrapper, CommandWrap};
use std::fmt::Display;
use std::io::{Read, Seek};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// An error with all its causes, as a test fails with it.
pub fn told(error: impl Display) -> Failed {
    format!("{error:#}").into()
}

/// Passes when there is nothing to report.
pub fn report(problems: Vec<String>) -> Result<(), Failed> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

/// For the tests of the tests: exactly one problem was found, and it says all of `parts`.
pub fn expect_problem(problems: &[String], parts: &[&str]) -> Result<(), Failed> {
    match problems {
        [problem] if parts.iter().all(|part| problem.contains(part)) => Ok(()),
        _ => Err(format!("wanted one problem that says {parts:?}, got {problems:#?}").into()),
    }
}

/// How much of a command's output is shown: a broken listing may print without end.
const MOST_OUTPUT: u64 = 64 * 1024;

/// Runs a command to its end. At the deadline, ends it and whatever it has started.
pub fn run(command: Command, deadline: Duration) -> Result<(), String> {
    run_in(command, deadline, |command| {
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        #[cfg(windows)]
        command.wrap(process_wrap::std::JobObject);
    })
}

/// The same for a command that has to be in time: in a session of its own. Where Linux shares the
/// processors among the sessions, it is no slower than a program in a terminal that it waits for,
/// however much is done in the session of these tests.
pub fn run_in_time(command: Command, deadline: Duration) -> Result<(), String> {
    run_in(command, deadline, |command| {
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessSession);
        #[cfg(windows)]
        command.wrap(process_wrap::std::JobObject);
    })
}

fn run_in(
    mut command: Command,
    deadline: Duration,
    wrap: impl FnOnce(&mut CommandWrap),
) -> Result<(), String> {
    // A file, because a pipe would be held open by a grandchild that outlives the command.
    let mut log = tempfile::tempfile().map_err(|error| format!("cannot keep a log: {error}"))?;
    let handle = || {
        log.try_clone()
            .map_err(|error| format!("cannot keep a log: {error}"))
    };
    command
        .stdin(Stdio::null())
        .stdout(handle()?)
        .stderr(handle()?);

    let mut command = CommandWrap::from(command);
    wrap(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;

    let ending = wait(&mut *child, deadline);
    let mut output = Vec::new();
    log.rewind()
        .and_then(|()| log.by_ref().take(MOST_OUTPUT).read_to_end(&mut output))
        .map_err(|error| format!("its output cannot be read: {error}"))?;
    let output = String::from_utf8_lossy(&output);
    ending.map_err(|error| format!("{error}; its output:\n{output}"))
}

fn wait(child: &mut dyn ChildWrapper, deadline: Duration) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("failed ({status})")),
            Ok(None) if start.elapsed() < deadline => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                child
                    .kill()
                    .map_err(|error| format!("cannot be ended: {error}"))?;
                return Err(format!("had not ended after {deadline:?}, and was killed"));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}
