//! How far long work is, on standard error: a bar or a spinner on a terminal, and elsewhere a plain
//! line now and then. Standard output is left to what the work finds.
//!
//! There is one terminal, and so there is one progress at a time, which [`begin`] begins. Where
//! nobody has begun one, as in the book's tests, the other functions say nothing.

mod heard;
mod shown;

pub(crate) use heard::{output, pieces};

use anyhow::Result;
use indicatif::HumanCount;
use shown::Progress;
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Where there is no terminal, a line at least this often.
const SILENCE: Duration = Duration::from_secs(10);

/// The one that is shown.
static CURRENT: Mutex<Option<Arc<Progress>>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held, and if so, it is only what is shown.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn current() -> Option<Arc<Progress>> {
    lock(&CURRENT).clone()
}

/// Shows how far this process is, until what is returned is dropped.
///
/// # Errors
///
/// When Ctrl-C could not be heeded.
pub(crate) fn begin() -> Result<Shown> {
    crate::interrupt::heed()?;
    let variable = |name: &str| env::var_os(name);
    let progress = match io::stderr().is_terminal() && can_be_redrawn(variable) {
        true => Progress::on_terminal(),
        false => Progress::in_lines(Box::new(io::stderr()), SILENCE),
    };
    *lock(&CURRENT) = Some(progress);
    Ok(Shown(()))
}

/// Until this is dropped, progress is shown.
pub(crate) struct Shown(());

impl Drop for Shown {
    fn drop(&mut self) {
        clear();
    }
}

/// Ends what is shown, and leaves an empty line where a bar was.
pub(crate) fn clear() {
    let current = lock(&CURRENT).take();
    if let Some(progress) = current {
        progress.end();
    }
}

/// A part of the work begins.
pub(crate) fn part(name: &str) {
    if let Some(progress) = current() {
        progress.part(name, None);
    }
}

/// A part begins, with so many parts done of so many.
pub(crate) fn part_of(done: u64, all: u64, name: &str) {
    if let Some(progress) = current() {
        progress.part(name, Some((done, all)));
    }
}

/// How far the part is, in words.
pub(crate) fn tell(detail: &str) {
    if let Some(progress) = current() {
        progress.tell(detail);
    }
}

/// How much of the part is done of how much.
pub(crate) fn count(done: u64, all: u64) {
    if let Some(progress) = current() {
        progress.count(done, all);
    }
}

/// Prints something that stays, while no bar is in its way.
pub(crate) fn aside<T>(print: impl FnOnce() -> T) -> T {
    match current() {
        Some(progress) => progress.aside(print),
        None => print(),
    }
}

/// Whether what was drawn on a terminal may be drawn over.
///
/// `NO_COLOR` asks for no colors, and a bar has none.
fn can_be_redrawn(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let dumb = match variable("TERM") {
        Some(term) => term == "dumb",
        None => cfg!(unix), // a terminal of Windows does not say what it is
    };
    !dumb && variable("CI").is_none()
}

/// How many, and how many in a second: the sum is not known.
pub(crate) fn so_far(count: u64, what: &str, elapsed: Duration) -> String {
    let mut text = format!("{} {what} so far", HumanCount(count));
    if elapsed > Duration::from_secs(1) {
        let speed = count as f64 / elapsed.as_secs_f64();
        text += &format!(", {} a second", HumanCount(speed as u64));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{process::Command, thread};

    #[test]
    fn a_terminal_is_drawn_on_unless_the_environment_says_no() {
        for (variables, expected) in [
            (&[("TERM", "xterm")] as &[_], true),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], true),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "xterm"), ("CI", "true")], false),
            (&[], cfg!(windows)),
        ] {
            let variable = |name: &str| {
                let mut variables = variables.iter();
                Some(variables.find(|(known, _)| *known == name)?.1.into())
            };
            assert_eq!(can_be_redrawn(variable), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_speed_is_told_when_there_is_one() {
        let so_far = |milliseconds| so_far(12_345, "runs", Duration::from_millis(milliseconds));
        assert_eq!(so_far(500), "12,345 runs so far");
        assert_eq!(so_far(2_000), "12,345 runs so far, 6,172 a second");
    }

    /// What the tests below and those of the terminal run, in a process of its own.
    #[test]
    #[ignore = "other tests run it"]
    fn digs() {
        let _shown = begin().unwrap();
        part("digging");
        count(2, 3);
        tell("2 of 3 holes");
        thread::sleep(Duration::from_millis(500));
        aside(|| println!("found"));
    }

    #[test]
    #[ignore = "another test runs it"]
    fn digs_until_it_is_ended() {
        let _shown = begin().unwrap();
        part("digging");
        let mut child = Command::new("sh");
        // In many short sleeps: a shell that hears of Ctrl-C as it starts one waits for its end.
        const SLEEPS: &str = "trap exit INT; echo $$; i=0; \
                              while [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done";
        child.args(["-c", SLEEPS]);
        output(&mut child, |line| tell(&format!("as {}.", line.trim()))).unwrap();
    }

    #[test]
    fn elsewhere_there_are_plain_lines_and_nothing_on_standard_output() {
        let program = env::current_exe().unwrap();
        let output = Command::new(program)
            .args(["--exact", "progress::tests::digs"])
            .args(["--ignored", "--nocapture"])
            .env("TERM", "xterm")
            .env_remove("CI")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "digging\n");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains("found\n"), "{printed}");
        let is_progress = |line: &str| line.contains("digging") || line.contains("holes");
        assert!(!printed.lines().any(is_progress), "{printed}");
        let drawn = |c: char| c.is_control() && c != '\n';
        assert!(!printed.contains(drawn), "{printed:?}");
    }
}
