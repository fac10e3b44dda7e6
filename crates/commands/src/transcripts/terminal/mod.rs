//! A command in a terminal of its own: what is shown is read, and its end waited for, by a thread.

mod command;
mod plain;

use anyhow::{Context, Result};
use book::transcripts::Exit;
use command::{exit, Command};
use plain::plain;
use pty_process::blocking::Pty;
use rustix::process::{kill_process_group, Pid, Signal};
use std::{
    io::{Read, Write},
    os::fd::OwnedFd,
    path::Path,
    process::Child,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The status of a curl that found nobody listening.
const CURL_REFUSED: Exit = Exit::Status(7);

/// How long the terminal may take to show a key that was pressed.
const ECHO_DEADLINE: Duration = Duration::from_secs(2);

/// No transcript is as long as this: a command that shows more prints without end, and is killed.
const MOST_SHOWN: usize = 16 * 1024;

/// No command ends so: the system would not say how this one did.
const UNKNOWN: Exit = Exit::Status(-1);

/// A command that runs in a terminal of its own. It is killed when this is dropped,
/// with whatever it has started.
pub(super) struct Running {
    shared: Arc<Shared>,
}

struct Shared {
    command: Command,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    shown: Vec<u8>,
    pty: Arc<Pty>,
    /// None when its end has been waited for: from then on its id may be another's.
    child: Option<Child>,
    /// The command's end of the terminal. Were it closed before all is read, what the
    /// terminal shows last might be lost.
    command_end: Option<Arc<OwnedFd>>,
    ended: Option<Exit>,
    dropped: bool,
}

impl Running {
    /// Types `line` at a new terminal, in `folder`. With `retry` it is typed again, as
    /// if for the first time, as long as it is a curl that finds nobody listening.
    pub(super) fn start(line: &str, folder: &Path, retry: bool) -> Result<Running> {
        let command = Command {
            line: line.to_owned(),
            folder: folder.to_owned(),
            retry,
        };
        let spawned = command.spawn()?;
        let shared = Arc::new(Shared {
            command,
            state: Mutex::new(State {
                shown: Vec::new(),
                pty: spawned.pty,
                child: Some(spawned.child),
                command_end: Some(spawned.command_end),
                ended: None,
                dropped: false,
            }),
            changed: Condvar::new(),
        });
        let supervised = Arc::clone(&shared);
        thread::spawn(move || supervise(&supervised));
        Ok(Running { shared })
    }

    /// What the terminal shows so far, with plain line ends.
    pub(super) fn shown(&self) -> String {
        plain(&self.shared.state().shown)
    }

    /// Waits until what is shown passes the test, the command ends, or the deadline;
    /// true only for the first.
    pub(super) fn wait_until(
        &self,
        deadline: Duration,
        mut test: impl FnMut(&str) -> bool,
    ) -> bool {
        let mut passed = false;
        let state = self.shared.wait(deadline, |state| {
            passed = test(&plain(&state.shown));
            passed || state.ended.is_some()
        });
        drop(state);
        passed
    }

    /// Waits for the command's end. `None`: it had not ended at the deadline.
    pub(super) fn wait_for_end(&self, deadline: Duration) -> Option<Exit> {
        self.shared
            .wait(deadline, |state| state.ended.is_some())
            .ended
    }

    /// Presses Ctrl-C: the terminal interrupts the command, and shows `^C`.
    ///
    /// It does so in this order, so that the command may have ended in between:
    /// the terminal is kept open until `^C` is shown.
    pub(super) fn press_ctrl_c(&self) -> Result<()> {
        let (pty, command_end) = {
            let state = self.shared.state();
            (Arc::clone(&state.pty), state.command_end.clone())
        };
        let command_end = command_end.context("the command has ended by itself")?;
        let before = self.shown().matches("^C").count();
        (&*pty)
            .write_all(b"\x03")
            .context("cannot press a key in the terminal")?;
        let state = self.shared.wait(ECHO_DEADLINE, |state| {
            plain(&state.shown).matches("^C").count() > before
        });
        drop(state);
        drop(command_end);
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.dropped = true;
            state.kill();
        }
        // The port it may hold is free only when it is gone.
        self.wait_for_end(Duration::from_secs(5));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and if so, the state is still of use.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(
        &self,
        deadline: Duration,
        mut done: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let start = Instant::now();
        let mut state = self.state();
        while !done(&state) {
            let Some(left) = deadline.checked_sub(start.elapsed()) else {
                break;
            };
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        state
    }

    fn read_all(&self) {
        let pty = Arc::clone(&self.state().pty);
        let mut buffer = [0; 4096];
        loop {
            match (&*pty).read(&mut buffer) {
                Ok(read) if read > 0 => {
                    let mut state = self.state();
                    if state.shown.len() < MOST_SHOWN {
                        state.shown.extend_from_slice(&buffer[..read]);
                    } else {
                        state.kill();
                    }
                    drop(state);
                    self.changed.notify_all();
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // Nobody has the terminal open any more. Linux says so with an error.
                _ => return,
            }
        }
    }

    fn reap(&self) -> Exit {
        loop {
            let mut state = self.state();
            match state.child.as_mut().map(Child::try_wait) {
                Some(Ok(None)) => {}
                Some(Ok(Some(status))) => {
                    state.child = None;
                    return exit(status);
                }
                Some(Err(_)) | None => {
                    state.child = None;
                    return UNKNOWN;
                }
            }
            drop(state);
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Reads what is shown and waits for the end, again and again while it is retried.
fn supervise(shared: &Arc<Shared>) {
    loop {
        let reader = {
            let shared = Arc::clone(shared);
            thread::spawn(move || shared.read_all())
        };
        let ended = shared.reap();
        shared.state().command_end = None;
        // It returns when nobody has the terminal open any more. It does not panic.
        let _ = reader.join();

        let again = shared.command.retry && ended == CURL_REFUSED;
        if again {
            thread::sleep(Duration::from_millis(20));
        }
        let mut state = shared.state();
        if again && !state.dropped {
            if let Ok(spawned) = shared.command.spawn() {
                state.shown.clear();
                state.pty = spawned.pty;
                state.child = Some(spawned.child);
                state.command_end = Some(spawned.command_end);
                continue;
            }
        }
        state.ended = Some(ended);
        shared.changed.notify_all();
        return;
    }
}

impl State {
    fn kill(&mut self) {
        if let Some(child) = &self.child {
            // The terminal made it the leader of a process group. That the group
            // is gone already is fine.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use book::transcripts::Signal;
    use std::{env, fs, sync::mpsc};

    const SOON: Duration = Duration::from_secs(30);

    fn start(line: &str) -> Running {
        Running::start(line, &env::temp_dir(), false).unwrap()
    }

    #[test]
    fn a_command_sees_a_terminal() {
        let running = start("test -t 0 && test -t 1 && test -t 2 && stty size && echo $TERM");
        assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(0)));
        assert_eq!(running.shown(), "50 240\ndumb\n");
    }

    #[test]
    fn the_exit_status_is_the_commands() {
        assert_eq!(
            start("exit 101").wait_for_end(SOON),
            Some(Exit::Status(101))
        );
    }

    #[test]
    fn ctrl_c_is_shown_and_interrupts() {
        // Not a shell's own `echo`: a shell may miss the key while it starts a program.
        let file = env::temp_dir().join(format!("book-ready-{}", std::process::id()));
        fs::write(&file, "ready\n").unwrap();
        let running = start(&format!("tail -f '{}'", file.display()));
        assert!(running.wait_until(SOON, |shown| shown == "ready\n"));

        running.press_ctrl_c().unwrap();

        assert_eq!(
            running.wait_for_end(SOON),
            Some(Exit::Signal(Signal::Interrupt))
        );
        assert_eq!(running.shown(), "ready\n^C");
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn a_command_that_prints_without_end_is_killed() {
        let running = start("yes");

        assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(137)));
        assert!(running.shown().len() < 2 * MOST_SHOWN);
    }

    #[test]
    fn waiting_has_a_deadline_and_stops_when_the_command_ends() {
        let running = start("sleep 60");
        assert!(!running.wait_until(Duration::from_millis(50), |shown| shown == "never"));
        assert_eq!(running.wait_for_end(Duration::from_millis(50)), None);

        let start_of_wait = Instant::now();
        assert!(!start("true").wait_until(SOON, |shown| shown == "never"));
        assert!(start_of_wait.elapsed() < SOON);
    }

    #[test]
    fn what_is_dropped_is_killed_with_its_children() {
        // The child holds the pipe open as long as it lives. Its id tells less: it stays until
        // somebody asks how the child has ended, which here is up to the system.
        let pipe = env::temp_dir().join(format!("book-pipe-{}", std::process::id()));
        let _ = fs::remove_file(&pipe);
        let running = start(&format!(
            "mkfifo '{0}' && echo ready && {{ sleep 60 >'{0}' & wait; }}",
            pipe.display()
        ));
        assert!(running.wait_until(SOON, |shown| shown == "ready\n"));
        let (sender, receiver) = mpsc::channel();
        let path = pipe.clone();
        thread::spawn(move || {
            let mut pipe = fs::File::open(path).unwrap();
            sender.send("the child has it open").unwrap();
            pipe.read_to_end(&mut Vec::new()).unwrap();
            sender.send("nobody has").unwrap();
        });
        assert_eq!(receiver.recv_timeout(SOON), Ok("the child has it open"));
        assert!(receiver.try_recv().is_err());

        drop(running);

        assert_eq!(receiver.recv_timeout(SOON), Ok("nobody has"));
        fs::remove_file(pipe).unwrap();
    }

    #[test]
    fn a_retried_command_shows_its_last_try_only() {
        let file = env::temp_dir().join(format!("book-retry-{}", std::process::id()));
        let line = format!(
            "echo try; test -e '{0}' && exit 0; touch '{0}'; exit 7",
            file.display()
        );

        let running = Running::start(&line, &env::temp_dir(), true).unwrap();

        assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(0)));
        assert_eq!(running.shown(), "try\n");
        fs::remove_file(file).unwrap();
    }
}
