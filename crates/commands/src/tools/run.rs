//! A command that is run, and watched.

use crate::interrupt;
use anyhow::{bail, ensure, Context, Result};
use std::{
    fs,
    path::Path,
    process::{self, Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a command may take that has much to build first: std for ThreadSanitizer, or the book.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// A frame without the address and the build's id, which no reader can use.
pub(super) const TSAN_FORMAT: &str = "stack_trace_format='    #%n %f %S'";

/// A command, as it is typed and recorded.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) command: String,
    /// The package of the scratch folder that it is run in. `None`: the book.
    pub(super) package: Option<&'static str>,
    /// What it finds: it has to say so, and to fail. `None`: it has to succeed.
    pub(super) finds: Option<&'static str>,
    /// Which lines of what it says are recorded.
    pub(super) shorten: fn(&str) -> String,
}

impl Run {
    pub(super) fn of(package: &'static str, command: &str) -> Run {
        Run {
            package: Some(package),
            ..Run::of_book(command)
        }
    }

    pub(super) fn of_book(command: &str) -> Run {
        Run {
            command: command.to_owned(),
            package: None,
            finds: None,
            shorten: str::to_owned,
        }
    }
}

pub(super) struct Runner<'r> {
    pub(super) root: &'r Path,
    pub(super) scratch: &'r Path,
}

impl Runner<'_> {
    /// Runs the command in a shell, and returns it with what it says.
    pub(super) fn run(&self, run: &Run) -> Result<String> {
        let line = &run.command;
        let output = self.scratch.join("output.txt");
        let file = fs::File::create(&output)?;

        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).stdin(Stdio::null());
        // One file for both, so that what is said stays in its order.
        shell.stdout(file.try_clone()?).stderr(file);
        for variable in ["RUSTFLAGS", "MIRIFLAGS", "RUST_BACKTRACE", "NO_COLOR"] {
            shell.env_remove(variable); // the command says what it needs
        }
        match run.package {
            None => shell.current_dir(self.root),
            Some(package) => {
                let folder = self.scratch.join(package);
                let prefix = format!("{TSAN_FORMAT} strip_path_prefix={}/", folder.display());
                shell
                    .env("TSAN_OPTIONS", prefix)
                    // One for all, as std takes a minute to build. It is not kept for another time:
                    // what Miri keeps there names the folder that it was built in.
                    .env("CARGO_TARGET_DIR", self.scratch.join("target"))
                    .current_dir(folder)
            }
        };
        let status = wait(&mut shell, DEADLINE).with_context(|| format!("`{line}`"))?;

        let said = String::from_utf8_lossy(&fs::read(&output)?).into_owned();
        match run.finds {
            None => ensure!(status.success(), "`{line}` ended with {status}:\n{said}"),
            Some(what) => ensure!(
                !status.success() && said.contains(what),
                "`{line}` ended with {status}, and has not found \"{what}\":\n{said}"
            ),
        }
        let shown = (run.shorten)(&said);
        for folder in [self.scratch, self.root] {
            ensure!(
                !shown.contains(&*folder.to_string_lossy()),
                "a path of this machine would be recorded:\n{shown}"
            );
        }
        Ok(format!("$ {line}\n{shown}"))
    }
}

/// Waits for the command, which is ended with all that it has started when it takes too long.
fn wait(command: &mut Command, deadline: Duration) -> Result<process::ExitStatus> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.spawn().context("cannot run it")?;
    let _ends = interrupt::also_ends(&child, interrupt::Signal::KILL);
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > deadline {
            end(&mut child)?;
            bail!("it did not end within {deadline:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ends a child and, where there are process groups, what it has started.
fn end(child: &mut Child) -> Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{kill_process_group, Pid, Signal};
        kill_process_group(Pid::from_child(child), Signal::KILL)?;
    }
    #[cfg(not(unix))]
    child.kill()?;
    child.wait()?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{io, io::Read, sync::mpsc};

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn what_takes_too_long_is_ended_with_what_it_has_started() {
        // On a busy machine it may take a while until something is started that is to be ended.
        let deadlines = [100, 1_000, 10_000].map(Duration::from_millis);
        assert!(deadlines.into_iter().any(|deadline| {
            let (mut reader, writer) = io::pipe().unwrap();
            let mut shell = Command::new("sh");
            shell.args(["-c", "(echo started; exec sleep 60) & wait"]);
            shell.stdout(writer);

            let error = wait(&mut shell, deadline).unwrap_err();

            assert!(error.to_string().contains("did not end"), "{error}");
            drop(shell);
            // The pipe is open as long as anything lives that was started with it.
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                let mut said = String::new();
                sender.send(reader.read_to_string(&mut said).map(|_| said))
            });
            let said = receiver.recv_timeout(SOON).expect("nothing is left of it");
            said.unwrap() == "started\n"
        }));
    }
}
