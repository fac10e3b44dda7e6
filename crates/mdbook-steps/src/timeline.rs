//! Recorded runs as HTML: a row for each step, a lane for each thread. `theme/timeline.js` steps
//! through them; without it, and on paper, the rows are a figure and its account in one.

use crate::render::{escape, inline_code, reference};
use anyhow::{ensure, Context, Result};
use book::schedules::{self, Ends, Run, Step};
use std::fmt::Write as _;
use std::path::Path;

/// What the lines of a timeline mean: a cell's class and text, and where it is drawn.
const LEGEND: [(&str, &str, &str, &str); 11] = [
    ("run", "", "runs", "\"run"),
    ("wait", "", "waits", "\"wait"),
    ("hold", "", "holds the lock", "hold"),
    ("job", "", "runs a job", "job"),
    ("run now", "", "acts in this step", "now"),
    ("run panic now", "", "panics", "panic"),
    ("run end now", "", "ends", " end"),
    ("held", "0", "a lock, held by worker 0", "\"held"),
    ("poisoned", "", "a poisoned lock", "\"poisoned"),
    ("open", "2", "a queue of two jobs", "\"open"),
    ("closed", "0", "its sender is gone", "\"closed"),
];

/// The figure of the runs that are named, with commas between them.
///
/// # Errors
///
/// When there is no such run, when it is not recorded, or when its question is not one of its steps.
pub(crate) fn timeline(root: &Path, names: &str) -> Result<String> {
    let all = schedules::runs(root)?;
    let mut runs = Vec::new();
    for name in names.split(", ") {
        let known = || {
            all.keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let run = all.get(name);
        let run =
            run.with_context(|| format!("there is no run `{name}`; there are {}", known()))?;
        runs.push((name, run, schedules::recorded(root, name)?));
    }

    let mut html = format!(
        "<figure class=\"timeline\" id=\"timeline-{}\">\n",
        runs[0].0
    );
    let mut source_of = None;
    let mut rows = String::new();
    for (index, (name, run, recorded)) in runs.iter().enumerate() {
        if source_of != Some(&run.pool) {
            source_of = Some(&run.pool);
            rows += &source(root, &run.pool)?;
        }
        let open = if index == 0 { " open" } else { "" };
        write!(
            rows,
            "<details class=\"run\" id=\"run-{name}\"{open}>\n<summary>{}</summary>\n{}</details>\n",
            inline_code(&run.title),
            events(run, &recorded.steps).with_context(|| format!("the run `{name}`"))?
        )?;
    }
    let shown: Vec<_> = runs.iter().map(|(_, run, _)| *run).collect();
    html += &caption(&shown, &rows);
    html += "<schedule-timeline>\n";
    // No empty line: to Markdown, it would end the HTML.
    html += &rows.replace("\n\n", "\n<!-- -->\n");
    Ok(html + "</schedule-timeline>\n</figure>\n\n")
}

fn has_channel(steps: &[Step]) -> bool {
    let of_channel = |step: &Step| {
        let word = step.what.split(' ').next().unwrap_or_default();
        ["sends", "drops-sender"].contains(&word)
    };
    steps.iter().any(of_channel)
}

/// What the figure shows, and what of it means what.
fn caption(runs: &[&Run], rows: &str) -> String {
    let plural = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let mut cases: Vec<_> = runs
        .iter()
        .map(|run| {
            let meet = if run.meet { " that meet" } else { "" };
            let jobs = plural(run.jobs, "job") + meet;
            format!(
                "{} with {} and {jobs}",
                pool(&run.pool),
                plural(run.workers, "worker")
            )
        })
        .collect();
    cases.dedup();
    let mut html = format!(
        "<figcaption><strong>Step by step</strong>: {}<span class=\"legend\">",
        escape(&cases.join("; "))
    );
    let drawn: Vec<_> = rows.split("<i class=").skip(1).collect();
    for (class, text, meaning, part) in LEGEND {
        let is_drawn = |cell: &&str| {
            cell.split('>')
                .next()
                .is_some_and(|class| class.contains(part))
        };
        if drawn.iter().any(is_drawn) {
            html += &format!(
                "<span><span class=\"lanes\" aria-hidden=\"true\"><i class=\"{class}\">{text}</i></span> {meaning}</span>"
            );
        }
    }
    html + "</span></figcaption>\n"
}

fn pool(name: &str) -> String {
    match name.strip_prefix("broken-") {
        Some(number) => format!("pool {number}"),
        None if name == LOST_WAKEUP => "the pool with a condition variable".to_owned(),
        None => reference(name),
    }
}

/// The broken pool that is no puzzle.
const LOST_WAKEUP: &str = "lost-wakeup";

fn source(root: &Path, name: &str) -> Result<String> {
    let text = schedules::source(root, name)?;
    Ok(format!(
        "<details class=\"source\"><summary>The code of {}, by its lines</summary>\
         <pre><code class=\"language-rust\">{}</code></pre></details>\n",
        pool(name),
        escape(&text)
    ))
}

/// The lanes' names, and the rows.
fn events(run: &Run, steps: &[Step]) -> Result<String> {
    let mut state = State::new(run, steps);
    let mut html = "<div class=\"lanes\" aria-hidden=\"true\"><i>main</i>".to_owned();
    if state.channel {
        html += "<i>queue</i>";
    }
    for lock in 0..state.locks.len() {
        write!(html, "<i>{}</i>", state.lock_name(lock))?;
    }
    for worker in 1..state.threads.len() {
        write!(html, "<i>{}</i>", name(worker))?;
    }
    html += "</div>\n<ol class=\"events\">\n";

    let mut asked = vec![false; run.ask.len()];
    for (index, step) in steps.iter().enumerate() {
        state
            .take(step)
            .with_context(|| format!("step {}: `{}`", index + 1, step.what))?;
        html += "<li";
        if index + 1 == steps.len() && run.ends != Ends::Finish {
            html += " class=\"fault\"";
        }
        if let Some(thread) = step.thread {
            write!(html, " data-thread=\"{thread}\"")?;
        }
        if let Some(line) = step.line {
            write!(html, " data-line=\"{line}\"")?;
        }
        write!(html, " data-state=\"{}\"", state.told())?;
        for (ask, asked) in run.ask.iter().zip(&mut asked) {
            if !*asked && ask.before == step.said {
                *asked = true;
                write!(html, " data-ask=\"{}\"", quoted(&ask.or.join("|")))?;
            }
        }
        writeln!(
            html,
            "><span class=\"lanes\" aria-hidden=\"true\">{}</span><span class=\"said\">{}</span></li>",
            state.cells(step.thread),
            inline_code(&step.said)
        )?;
    }
    for (ask, asked) in run.ask.iter().zip(asked) {
        ensure!(asked, "it has no step to ask for: {}", ask.before);
    }
    Ok(html + "</ol>\n")
}

/// A text for an attribute, as it reads without its markup.
fn quoted(text: &str) -> String {
    escape(&text.replace('`', "")).replace('"', "&quot;")
}

fn name(thread: usize) -> String {
    match thread {
        0 => "main".to_owned(),
        worker => format!("worker {}", worker - 1),
    }
}

/// What a timeline shows between its lanes, as its steps go on.
struct State {
    /// How many there were so far.
    steps: usize,
    jobs: usize,
    channel: bool,
    queue: Vec<usize>,
    closed: bool,
    locks: Vec<Lock>,
    threads: Vec<Thread>,
    /// How many jobs wait for the others.
    met: usize,
}

#[derive(Clone, Default)]
struct Lock {
    holder: Option<usize>,
    poisoned: bool,
}

#[derive(Clone, Default)]
struct Thread {
    life: Life,
    waits: Waits,
    in_job: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Life {
    #[default]
    NotBegun,
    Begins,
    Runs,
    Ends,
    Panics,
    Over,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Waits {
    #[default]
    No,
    Lock(usize),
    Message,
    End(usize),
    Woken,
    Jobs,
}

impl State {
    fn new(run: &Run, steps: &[Step]) -> State {
        let lock_of = |step: &Step| match step.what.split_once(' ') {
            Some(("wants" | "awaits" | "holds", lock)) => lock.split(' ').next()?.parse().ok(),
            _ => None,
        };
        let locks = steps.iter().filter_map(lock_of).max().unwrap_or(0);
        let last = steps
            .iter()
            .filter_map(|step| step.thread)
            .max()
            .unwrap_or(0);
        let mut threads = vec![Thread::default(); last.max(run.workers) + 1];
        threads[0].life = Life::Begins;
        let channel = has_channel(steps);
        State {
            steps: 0,
            jobs: run.jobs,
            channel,
            queue: Vec::new(),
            closed: false,
            locks: vec![Lock::default(); locks],
            threads,
            met: 0,
        }
    }

    /// Takes in what happens.
    ///
    /// # Errors
    ///
    /// When it is not what `pool_model::record` writes.
    fn take(&mut self, step: &Step) -> Result<()> {
        for (index, thread) in self.threads.iter_mut().enumerate() {
            thread.life = match thread.life {
                Life::Begins if index > 0 || self.steps > 0 => Life::Runs,
                Life::Panics => Life::Runs, // it unwinds
                Life::Ends => Life::Over,
                life => life,
            };
        }
        self.steps += 1;
        let Some(me) = step.thread else {
            return Ok(()); // nobody can go on
        };
        let (word, rest) = step.what.split_once(' ').unwrap_or((&step.what, ""));
        let number = || {
            let number = rest
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok());
            number.context("it lacks a number")
        };
        let waits = |state: &mut State, waits| state.threads[me].waits = waits;
        match word {
            "starts" => self.thread(number()?)?.life = Life::Begins,
            "wants" | "awaits" => waits(self, Waits::Lock(number()?)),
            "holds" => {
                waits(self, Waits::No);
                self.lock(number()?)?.holder = Some(me);
            }
            "releases" => {
                let poisons = rest.ends_with("poisoned");
                let lock = self.lock(number()?)?;
                lock.holder = None;
                lock.poisoned |= poisons;
            }
            "sleeps" => {
                self.lock(number()?)?.holder = None;
                waits(self, Waits::Woken);
            }
            "awaits-message" => waits(self, Waits::Message),
            "gets" => {
                waits(self, Waits::No);
                ensure!(!self.queue.is_empty(), "the queue is empty");
                self.queue.remove(0);
            }
            "gets-error" => waits(self, Waits::No),
            "sends" => self.queue.push(number()?),
            "drops-sender" => self.closed = number()? == 0,
            "awaits-end" => waits(self, Waits::End(number()?)),
            "joined" => waits(self, Waits::No),
            "begins" => self.threads[me].in_job = true,
            "meets" => {
                self.met += 1;
                waits(self, Waits::Jobs);
            }
            "has-run" => {
                waits(self, Waits::No);
                self.threads[me].in_job = false;
            }
            "ends" | "is-done" => self.threads[me].life = Life::Ends,
            "panics" => {
                self.threads[me].life = Life::Panics;
                self.threads[me].in_job = false;
                waits(self, Waits::No);
            }
            "wakes" if step.said.contains("all that wait") => {
                for thread in &mut self.threads {
                    if thread.waits == Waits::Woken {
                        thread.waits = Waits::Lock(1);
                    }
                }
            }
            "wakes" | "receives" | "finds-empty" | "fails-to-send" | "clones-sender" | "joins"
            | "prints" | "reads" | "writes" | "changes" => {}
            _ => anyhow::bail!("no timeline shows that"),
        }
        Ok(())
    }

    fn thread(&mut self, number: usize) -> Result<&mut Thread> {
        self.threads
            .get_mut(number)
            .context("there are fewer threads")
    }

    fn lock(&mut self, number: usize) -> Result<&mut Lock> {
        let lock = number
            .checked_sub(1)
            .and_then(|index| self.locks.get_mut(index));
        lock.context("there are fewer locks")
    }

    fn lock_name(&self, index: usize) -> String {
        match self.locks.len() {
            1 => "lock".to_owned(),
            _ => format!("lock {}", index + 1),
        }
    }

    /// Whether the thread cannot go on now.
    fn waits(&self, thread: usize) -> bool {
        match self.threads[thread].waits {
            Waits::No => false,
            Waits::Lock(lock) => self.locks[lock - 1].holder.is_some(),
            Waits::Message => self.queue.is_empty() && !self.closed,
            Waits::End(other) => {
                let life = self.threads[other].life;
                !matches!(life, Life::Ends | Life::Over)
            }
            Waits::Woken => true,
            Waits::Jobs => self.met < self.jobs,
        }
    }

    /// A cell for each lane. In this row, `now` has done something.
    fn cells(&self, now: Option<usize>) -> String {
        let mut cells = Vec::new();
        for (index, thread) in self.threads.iter().enumerate() {
            let mut classes = Vec::new();
            if !matches!(thread.life, Life::NotBegun | Life::Over) {
                let holds = self.locks.iter().any(|lock| lock.holder == Some(index));
                let waits = self.waits(index);
                let kinds = [(waits, "wait"), (holds, "hold"), (thread.in_job, "job")];
                classes.extend(kinds.iter().filter(|(is, _)| *is).map(|(_, class)| *class));
                if classes.is_empty() {
                    classes.push("run");
                }
                match thread.life {
                    Life::Begins => classes.push("start"),
                    Life::Ends => classes.push("end"),
                    Life::Panics => classes.push("panic"),
                    _ => {}
                }
            }
            if now == Some(index) {
                classes.push("now");
            }
            cells.push((classes.join(" "), String::new()));
        }
        let mut between = Vec::new();
        if self.channel {
            let class = if self.closed { "closed" } else { "open" };
            between.push((class.to_owned(), self.queue.len().to_string()));
        }
        for lock in &self.locks {
            between.push(match lock.holder {
                Some(0) => ("held".to_owned(), "m".to_owned()),
                Some(worker) => ("held".to_owned(), (worker - 1).to_string()),
                None if lock.poisoned => ("poisoned".to_owned(), String::new()),
                None => ("free".to_owned(), String::new()),
            });
        }
        cells.splice(1..1, between);
        let cells = cells.iter().map(|(class, text)| match class.as_str() {
            "" => "<i></i>".to_owned(),
            class => format!("<i class=\"{class}\">{text}</i>"),
        });
        cells.collect()
    }

    /// The same in words: `queue=job 1, job 2;channel=open;lock=worker 0`.
    fn told(&self) -> String {
        let mut parts = Vec::new();
        if self.channel {
            let jobs: Vec<_> = self.queue.iter().map(|job| job.to_string()).collect();
            parts.push(match jobs.len() {
                0 => "queue=empty".to_owned(),
                1 => format!("queue=job {}", jobs[0]),
                _ => format!("queue=jobs {}", jobs.join(", ")),
            });
            let channel = if self.closed { "closed" } else { "open" };
            parts.push(format!("channel={channel}"));
        }
        for (index, lock) in self.locks.iter().enumerate() {
            let mut holder = lock.holder.map_or("free".to_owned(), name);
            if lock.poisoned {
                holder += ", poisoned";
            }
            parts.push(format!("{}={holder}", self.lock_name(index)));
        }
        parts.join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run {
            pool: "listing-20-24".into(),
            title: "A run".into(),
            workers: 1,
            jobs: 1,
            meet: false,
            ends: Ends::Deadlock,
            said: Vec::new(),
            ask: Vec::new(),
        }
    }

    fn step(thread: Option<usize>, what: &str) -> Step {
        let (what, said) = (what.to_owned(), format!("<{what}>"));
        let line = thread.map(|_| 7);
        Step {
            thread,
            line,
            what,
            said,
        }
    }

    fn rows(steps: &[Step]) -> Vec<String> {
        let html = events(&run(), steps).unwrap();
        html.lines()
            .filter(|line| line.starts_with("<li"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_row_has_its_thread_line_and_state_and_a_cell_for_each_lane() {
        let rows = rows(&[
            step(Some(0), "starts 1"),
            step(Some(1), "holds 1"),
            step(Some(1), "awaits-message"),
            step(Some(0), "sends 1"),
            step(Some(0), "wants 1"),
            step(Some(1), "panics"),
            step(Some(1), "releases 1 poisoned"),
            step(None, "stuck"),
        ]);
        let cells = |row: &str| row.replace("<i class=\"", "[").replace("\">", ":");
        for (row, expected) in [
            (
                0,
                "[run start now:</i>[open:0</i>[free:</i>[run start:</i></span>",
            ),
            (1, "[run:</i>[open:0</i>[held:0</i>[hold now:</i></span>"),
            (
                2,
                "[run:</i>[open:0</i>[held:0</i>[wait hold now:</i></span>",
            ),
            (3, "[run now:</i>[open:1</i>[held:0</i>[hold:</i></span>"),
            (4, "[wait now:</i>[open:1</i>[held:0</i>[hold:</i></span>"),
            (5, "[hold panic now:</i></span>"),
            (6, "[run:</i>[open:1</i>[poisoned:</i>[run now:</i></span>"),
            (7, "[run:</i>[open:1</i>[poisoned:</i>[run:</i></span>"),
        ] {
            assert!(cells(&rows[row]).contains(expected), "{}", rows[row]);
        }
        assert!(rows[3].starts_with(
            "<li data-thread=\"0\" data-line=\"7\" data-state=\"queue=job 1;channel=open;lock=worker 0\">"
        ));
        assert!(rows[3].ends_with("<span class=\"said\">&lt;sends 1&gt;</span></li>"));
        assert!(
            rows[7].starts_with("<li class=\"fault\" data-state="),
            "{}",
            rows[7]
        );
    }

    #[test]
    fn a_step_that_cannot_be_shown_is_named() {
        for (what, said) in [
            ("gets 1", "step 1: `gets 1`: the queue is empty"),
            ("starts 9", "step 1: `starts 9`: there are fewer threads"),
            ("dances", "step 1: `dances`: no timeline shows that"),
        ] {
            let error = events(&run(), &[step(Some(0), what)]).unwrap_err();
            assert_eq!(format!("{error:#}"), said);
        }
    }

    #[test]
    fn a_question_is_asked_once_and_has_a_step() {
        let mut run = run();
        run.ask.push(schedules::Ask {
            before: "<prints>".into(),
            or: vec!["a `b`".into(), "\"c\"".into()],
        });
        let steps = [step(Some(0), "prints"), step(Some(0), "prints")];
        let html = events(&run, &steps).unwrap();
        assert_eq!(
            html.matches("data-ask=\"a b|&quot;c&quot;\"").count(),
            1,
            "{html}"
        );

        let error = events(&run, &steps[..0]).unwrap_err().to_string();
        assert_eq!(error, "it has no step to ask for: <prints>");
    }
}
