//! How far long work is, on standard error: a bar or a spinner on a terminal, and elsewhere a plain
//! line now and then. Standard output is left to what the work finds.
//!
//! There is one terminal, and so there is one progress at a time, which [`begin`] begins. Where
//! nobody has begun one, as in the book's tests, the other functions say nothing.

use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, BufReader, IsTerminal, Read, Write},
    process::{Command, Output, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Where there is no terminal, a line at least this often.
const SILENCE: Duration = Duration::from_secs(10);

/// How often the clock on the terminal is looked at.
const TICK: Duration = Duration::from_millis(200);

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

/// Runs the command to its end, and tells of every piece of what it prints, on either stream. Whatever
/// ends this process interrupts it.
///
/// # Errors
///
/// When it cannot be run.
pub(crate) fn output(command: &mut Command, heard: impl FnMut(&str) + Send) -> Result<Output> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn()?;
    let _ends = crate::interrupt::also_ends(&child, crate::interrupt::Signal::INT);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let heard = Mutex::new(heard);
    let read = |stream: Option<Box<dyn Read + Send>>| {
        let mut all = String::new();
        if let Some(stream) = stream {
            pieces(stream, |piece| {
                all += piece;
                lock(&heard)(piece);
                Ok(())
            })?;
        }
        Ok::<_, io::Error>(all.into_bytes())
    };
    let (stdout, stderr) = thread::scope(|scope| {
        let errors = scope.spawn(|| read(stderr.map(|stderr| Box::new(stderr) as _)));
        let stdout = read(stdout.map(|stdout| Box::new(stdout) as _));
        (stdout, errors.join().unwrap_or_else(|_| Ok(Vec::new()))) // it does not panic
    });
    Ok(Output {
        status: child.wait()?,
        stdout: stdout?,
        stderr: stderr?,
    })
}

/// Tells of every piece of what is read, with the `\n` or `\r` at its end.
///
/// # Errors
///
/// When it cannot be read, and at the first piece that `heard` fails with.
pub(crate) fn pieces(
    read: impl Read,
    mut heard: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut read = BufReader::new(read);
    let mut piece = Vec::new();
    loop {
        let available = match read.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = available.iter().position(|byte| b"\r\n".contains(byte));
        let taken = end.map_or(available.len(), |end| end + 1);
        piece.extend_from_slice(&available[..taken]);
        let at_end = taken == 0;
        read.consume(taken);
        if end.is_some() || at_end && !piece.is_empty() {
            heard(&String::from_utf8_lossy(&piece))?;
            piece.clear();
        }
        if at_end {
            return Ok(());
        }
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

struct Progress {
    place: Place,
    state: Mutex<State>,
    ended: Condvar,
}

enum Place {
    Terminal(ProgressBar),
    Lines(Mutex<Box<dyn Write + Send>>),
}

struct State {
    part: String,
    detail: String,
    begun: Instant,
    ended: bool,
}

impl Progress {
    fn new(place: Place) -> Arc<Progress> {
        Arc::new(Progress {
            place,
            state: Mutex::new(State {
                part: String::new(),
                detail: String::new(),
                begun: Instant::now(),
                ended: false,
            }),
            ended: Condvar::new(),
        })
    }

    fn on_terminal() -> Arc<Progress> {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        set_count(&bar, None);
        Progress::new(Place::Terminal(bar))
    }

    /// Writes a line for each part, and one more whenever there was none for so long.
    fn in_lines(to: Box<dyn Write + Send>, silence: Duration) -> Arc<Progress> {
        let progress = Progress::new(Place::Lines(Mutex::new(to)));
        let watched = Arc::clone(&progress);
        thread::spawn(move || watched.write_now_and_then(silence));
        progress
    }

    fn part(&self, name: &str, count: Option<(u64, u64)>) {
        let mut state = lock(&self.state);
        state.part = name.to_owned();
        state.detail.clear();
        state.begun = Instant::now();
        match &self.place {
            Place::Terminal(bar) => {
                bar.reset_elapsed();
                set_count(bar, count);
                bar.set_message(state.said());
                bar.enable_steady_tick(TICK);
            }
            Place::Lines(to) => write_line(to, name),
        }
    }

    fn tell(&self, detail: &str) {
        let mut state = lock(&self.state);
        state.detail = detail.to_owned();
        if let Place::Terminal(bar) = &self.place {
            bar.set_message(state.said());
        }
    }

    fn count(&self, done: u64, all: u64) {
        if let Place::Terminal(bar) = &self.place {
            set_count(bar, Some((done, all)));
        }
    }

    fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.place {
            Place::Terminal(bar) => bar.suspend(print),
            Place::Lines(_) => print(),
        }
    }

    fn end(&self) {
        lock(&self.state).ended = true;
        self.ended.notify_all();
        if let Place::Terminal(bar) = &self.place {
            bar.finish_and_clear();
        }
    }

    fn write_now_and_then(&self, silence: Duration) {
        let mut state = lock(&self.state);
        let mut last = Instant::now();
        while !state.ended {
            let due = last.max(state.begun) + silence;
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                if let (Place::Lines(to), false) = (&self.place, state.part.is_empty()) {
                    let elapsed = state.begun.elapsed().as_secs();
                    write_line(to, &format!("{}, {elapsed} s", state.said()));
                }
                last = Instant::now();
                continue;
            }
            state = match self.ended.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl State {
    fn said(&self) -> String {
        match self.detail.as_str() {
            "" => self.part.clone(),
            detail => format!("{}: {detail}", self.part),
        }
    }
}

/// The whole line at once, so that no other process's text comes into it. Nobody can be told that it
/// cannot be written.
fn write_line(to: &Mutex<Box<dyn Write + Send>>, line: &str) {
    let mut to = lock(to);
    let _ = to.write_all(format!("{line}\n").as_bytes());
    let _ = to.flush();
}

/// A bar if it is known how much is done of how much, or else a spinner: as cargo's, in one line,
/// without colors.
fn set_count(bar: &ProgressBar, count: Option<(u64, u64)>) {
    let template = match count {
        Some(_) => "[{bar:12}] {elapsed} {wide_msg}",
        None => "{spinner} {elapsed} {wide_msg}",
    };
    let style = ProgressStyle::with_template(template).expect("it is one of the two above");
    bar.set_style(style.tick_chars("-\\|/ ").progress_chars("=> "));
    if let Some((done, all)) = count {
        bar.set_position(done);
        bar.set_length(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written to it can be read.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(lock(&self.0).clone()).unwrap()
        }
    }

    #[test]
    fn a_part_is_a_line_when_it_begins_and_one_more_now_and_then() {
        let written = Written::default();
        let progress = Progress::in_lines(Box::new(written.clone()), Duration::from_millis(200));

        progress.part("one", None);
        progress.tell("never shown");
        progress.part("two", Some((1, 2)));
        progress.count(3, 4);
        progress.tell("3 of 4 done");
        let start = Instant::now();
        while !written.text().contains("done") {
            assert!(start.elapsed() < SILENCE, "{}", written.text());
            thread::sleep(Duration::from_millis(10));
        }
        assert!(start.elapsed() > Duration::from_millis(150));
        progress.end();

        assert_eq!(written.text(), "one\ntwo\ntwo: 3 of 4 done, 0 s\n");
        thread::sleep(Duration::from_millis(500));
        assert_eq!(written.text().lines().count(), 3, "it has ended");
    }

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
    fn a_piece_ends_with_a_line_or_where_the_next_one_is_written_over_it() {
        let mut heard = Vec::new();
        let read = &b"\rround 1\rround 2\rend\n\nrest"[..];
        pieces(read, |piece| {
            heard.push(piece.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(
            heard,
            ["\r", "round 1\r", "round 2\r", "end\n", "\n", "rest"]
        );
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
        child.args(["-c", "echo $$; sleep 60"]);
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
