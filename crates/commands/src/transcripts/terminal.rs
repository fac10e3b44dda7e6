use crate::interrupt;
use anyhow::{Context, Result};
use book::transcripts::{Exit, Signal};
use pty_process::{
    blocking::{self, Pty},
    Size,
};
use rustix::process::{kill_process_group, Pid, Signal as UnixSignal};
use std::{
    env,
    io::{Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::{Path, PathBuf},
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Wide, so that neither cargo nor the terminal breaks a line.
const SIZE: (u16, u16) = (50, 240);

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

struct Command {
    line: String,
    folder: PathBuf,
    retry: bool,
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

/// A command that was started, and the two ends of its terminal.
struct Spawned {
    pty: Arc<Pty>,
    child: Child,
    command_end: Arc<OwnedFd>,
}

impl Command {
    fn spawn(&self) -> Result<Spawned> {
        // With a handler here, the command begins with the default, and not to ignore Ctrl-C.
        interrupt::heed()?;
        let (pty, pts) = blocking::open().context("cannot open a pseudo-terminal")?;
        pty.resize(Size::new(SIZE.0, SIZE.1))?;
        let command_end = pts.as_fd().try_clone_to_owned()?;
        let mut command = blocking::Command::new("sh")
            .args(["-c", &self.line])
            .current_dir(&self.folder);
        for (variable, _) in env::vars_os() {
            if is_of_cargo_or_rust(&variable.to_string_lossy()) {
                command = command.env_remove(variable);
            }
        }
        let child = command
            // A home of its own: in a shared one, cargo shows when it waits for another
            // cargo. The listings have no dependencies, so that there is nothing to fetch.
            .env("CARGO_HOME", self.folder.with_file_name("cargo-home"))
            // Whatever a configuration file says, so that cargo shows a short path.
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env("LC_ALL", "C")
            .env("TERM", "dumb")
            .env("no_proxy", "127.0.0.1")
            .spawn(pts)
            .with_context(|| format!("cannot run `sh -c {:?}`", self.line))?;
        Ok(Spawned {
            pty: Arc::new(pty),
            child,
            command_end: Arc::new(command_end),
        })
    }
}

/// Cargo and a test run set many variables that would change what a nested cargo
/// shows. Only those of rustup stay, which say where the compiler is.
fn is_of_cargo_or_rust(variable: &str) -> bool {
    (variable.starts_with("CARGO") || variable.starts_with("RUST"))
        && !variable.starts_with("RUSTUP_")
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
            let _ = kill_process_group(Pid::from_child(child), UnixSignal::KILL);
        }
    }
}

/// How a command ended; a shell reports a signal as 128 and its number.
fn exit(status: ExitStatus) -> Exit {
    let interrupt = UnixSignal::INT.as_raw();
    match (status.code(), status.signal()) {
        (_, Some(signal)) if signal == interrupt => Exit::Signal(Signal::Interrupt),
        (Some(code), _) if code == 128 + interrupt => Exit::Signal(Signal::Interrupt),
        (Some(code), _) => Exit::Status(code),
        (None, signal) => Exit::Status(128 + signal.unwrap_or_default()),
    }
}

/// The shown bytes as plain text: `\n` where the terminal was sent any `\r`s and a
/// `\n`, and nothing where it was told to make what follows bold or colored.
fn plain(shown: &[u8]) -> String {
    let text = String::from_utf8_lossy(shown);
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                push_unstyled(&mut plain, &overwritten(line.trim_end_matches('\r')));
                plain.push('\n');
            }
            None => push_unstyled(&mut plain, line),
        }
    }
    plain
}

/// The line as it stands at last, where a `\r` has sent what follows back to its beginning.
fn overwritten(line: &str) -> String {
    line.split('\r').fold(String::new(), |shown, over| {
        let rest = shown.chars().skip(over.chars().count());
        over.chars().chain(rest).collect()
    })
}

/// curl prints a header's name in bold, whatever `TERM` says.
fn push_unstyled(plain: &mut String, line: &str) {
    let mut pieces = line.split("\x1b[");
    plain.extend(pieces.next());
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            // Another escape sequence is kept, and refused when the transcript is made.
            None => plain.extend(["\x1b[", piece]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

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
    fn line_ends_are_plain() {
        assert_eq!(plain(b"a\r\n\r\nb\r\r\nc\r"), "a\n\nb\nc\r");
    }

    #[test]
    fn a_line_that_is_overwritten_is_what_it_was_at_last() {
        assert_eq!(
            plain(b"9 of 10\r10 of 10\r\nlong\rno\n"),
            "10 of 10\nnong\n"
        );
    }

    #[test]
    fn styles_are_left_out_and_other_escape_sequences_kept() {
        assert_eq!(
            plain(b"\x1b[1mName\x1b[0m: \x1b[1;31mred\r\n"),
            "Name: red\n"
        );
        assert_eq!(plain(b"a\x1b[2Kb\n"), "a\x1b[2Kb\n");
    }

    #[test]
    fn ctrl_c_is_shown_and_interrupts() {
        // Not a shell's own `echo`: a shell may miss the key while it starts a program.
        let file = env::temp_dir().join(format!("book-ready-{}", std::process::id()));
        std::fs::write(&file, "ready\n").unwrap();
        let running = start(&format!("tail -f {}", file.display()));
        assert!(running.wait_until(SOON, |shown| shown == "ready\n"));

        running.press_ctrl_c().unwrap();

        assert_eq!(
            running.wait_for_end(SOON),
            Some(Exit::Signal(Signal::Interrupt))
        );
        assert_eq!(running.shown(), "ready\n^C");
        std::fs::remove_file(file).unwrap();
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
        let running = start("sleep 60 & echo $! started; wait");
        assert!(running.wait_until(SOON, |shown| shown.contains("started")));
        let child = running.shown().split(' ').next().unwrap().to_owned();
        let alive = |id: &str| {
            let kill = std::process::Command::new("sh")
                .args(["-c", &format!("kill -0 {id} 2>/dev/null")])
                .status();
            kill.unwrap().success()
        };
        assert!(alive(&child));

        drop(running);

        let start = Instant::now();
        while alive(&child) {
            assert!(start.elapsed() < SOON, "{child} still runs");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_retried_command_shows_its_last_try_only() {
        let file = env::temp_dir().join(format!("book-retry-{}", std::process::id()));
        let line = format!(
            "echo try; test -e {0} && exit 0; touch {0}; exit 7",
            file.display()
        );

        let running = Running::start(&line, &env::temp_dir(), true).unwrap();

        assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(0)));
        assert_eq!(running.shown(), "try\n");
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn of_cargos_and_rusts_variables_only_rustups_are_kept() {
        for gone in [
            "CARGO",
            "CARGO_PKG_NAME",
            "RUST_BACKTRACE",
            "RUSTFLAGS",
            "CARGO_TARGET_DIR",
        ] {
            assert!(is_of_cargo_or_rust(gone), "{gone}");
        }
        for kept in ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "PATH", "HOME"] {
            assert!(!is_of_cargo_or_rust(kept), "{kept}");
        }
    }
}
