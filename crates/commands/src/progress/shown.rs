//! What is shown of the progress: a bar or a spinner on a terminal, and elsewhere a line now and then.

use super::lock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// How often the clock on the terminal is looked at.
const TICK: Duration = Duration::from_millis(200);

pub(super) struct Progress {
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

    pub(super) fn on_terminal() -> Arc<Progress> {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        set_count(&bar, None);
        Progress::new(Place::Terminal(bar))
    }

    /// Writes a line for each part, and one more whenever there was none for so long.
    pub(super) fn in_lines(to: Box<dyn Write + Send>, silence: Duration) -> Arc<Progress> {
        let progress = Progress::new(Place::Lines(Mutex::new(to)));
        let watched = Arc::clone(&progress);
        thread::spawn(move || watched.write_now_and_then(silence));
        progress
    }

    pub(super) fn part(&self, name: &str, count: Option<(u64, u64)>) {
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

    pub(super) fn tell(&self, detail: &str) {
        let mut state = lock(&self.state);
        state.detail = detail.to_owned();
        if let Place::Terminal(bar) = &self.place {
            bar.set_message(state.said());
        }
    }

    pub(super) fn count(&self, done: u64, all: u64) {
        if let Place::Terminal(bar) = &self.place {
            set_count(bar, Some((done, all)));
        }
    }

    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.place {
            Place::Terminal(bar) => bar.suspend(print),
            Place::Lines(_) => print(),
        }
    }

    pub(super) fn end(&self) {
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
    use std::io;

    const DEADLINE: Duration = Duration::from_secs(10);

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
            assert!(start.elapsed() < DEADLINE, "{}", written.text());
            thread::sleep(Duration::from_millis(10));
        }
        assert!(start.elapsed() > Duration::from_millis(150));
        progress.end();

        assert_eq!(written.text(), "one\ntwo\ntwo: 3 of 4 done, 0 s\n");
        thread::sleep(Duration::from_millis(500));
        assert_eq!(written.text().lines().count(), 3, "it has ended");
    }
}
