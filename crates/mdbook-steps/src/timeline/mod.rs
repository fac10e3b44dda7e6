//! Recorded runs as HTML: a row for each step, a lane for each thread. `theme/timeline.js` steps
//! through them; without it, and on paper, the rows are a figure and its account in one.

mod lanes;
mod pair;
mod state;

use crate::render::{escape, inline_code, reference};
use anyhow::{ensure, Context, Result};
use book::schedules::{self, Ends, Run, Step};
use state::State;
use std::fmt::Write as _;
use std::path::Path;

/// The figure of the runs that are named, with commas between them; or of two that are the same, with
/// a `=`.
///
/// # Errors
///
/// When there is no such run, when it is not recorded, or when its question is not one of its steps.
pub(crate) fn timeline(root: &Path, names: &str) -> Result<String> {
    let all = schedules::runs(root)?;
    let mut runs = Vec::new();
    for name in names.split([',', '=']).map(str::trim) {
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

    if let (true, [(name, one, first), (_, other, second)]) = (names.contains('='), &runs[..]) {
        return pair::figure(name, [(one, first), (other, second)])
            .with_context(|| format!("the runs `{names}`"));
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
        let begin = begin(run, &recorded.steps).with_context(|| format!("the run `{name}`"))?;
        write!(
            rows,
            "<details class=\"run\" id=\"run-{name}\"{begin}{open}>\n<summary>{}</summary>\n{}</details>\n",
            inline_code(&run.title),
            events(run, &recorded.steps, &[]).with_context(|| format!("the run `{name}`"))?
        )?;
    }
    let shown: Vec<_> = runs.iter().map(|(_, run, _)| *run).collect();
    html += &caption(&shown, &rows);
    html += "<schedule-timeline>\n";
    // No empty line: to Markdown, it would end the HTML.
    html += &rows.replace("\n\n", "\n<!-- -->\n");
    Ok(html + "</schedule-timeline>\n</figure>\n\n")
}

/// The step at which the run opens, counted from 0, for the script.
fn begin(run: &Run, steps: &[Step]) -> Result<String> {
    let Some(said) = &run.open_at else {
        return Ok(String::new());
    };
    let step = steps.iter().position(|step| step.said == *said);
    let step = step.with_context(|| format!("it has no step to open at: {said}"))?;
    Ok(format!(" data-begin=\"{step}\""))
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
    format!(
        "<figcaption><strong>Step by step</strong>: {}<span class=\"legend\">{}</span></figcaption>\n",
        escape(&cases.join("; ")),
        lanes::legend(rows)
    )
}

fn pool(name: &str) -> String {
    match name.strip_prefix("broken-") {
        Some(number) => format!("pool {number}"),
        None if name == LOST_WAKEUP => "the pool with a condition variable".to_owned(),
        None => match schedules::lends(name) {
            Some(listing) => format!("the lender of {}", reference(listing)),
            None => reference(name),
        },
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

/// The lanes' names, and the rows, with numbers of their own, if there are any.
fn events(run: &Run, steps: &[Step], numbers: &[usize]) -> Result<String> {
    let mut state = State::new(run, steps);
    let mut html = format!(
        "<div class=\"lanes\" aria-hidden=\"true\">{}</div>\n<ol class=\"events\">\n",
        state.lanes()
    );
    let mut asked = vec![false; run.ask.len()];
    for (index, step) in steps.iter().enumerate() {
        state
            .take(step)
            .with_context(|| format!("step {}: `{}`", index + 1, step.what))?;
        html += "<li";
        if index + 1 == steps.len() && run.ends != Ends::Finish {
            html += " class=\"fault\"";
        }
        if let Some(number) = numbers.get(index) {
            write!(html, " data-step=\"{number}\"")?;
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
            deadline: false,
            ends: Ends::Deadlock,
            said: Vec::new(),
            classes: false,
            number: None,
            ask: Vec::new(),
            open_at: None,
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
        let html = events(&run(), steps, &[]).unwrap();
        html.lines()
            .filter(|line| line.starts_with("<li"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_run_opens_at_its_step() {
        let steps = [step(Some(0), "starts 1"), step(Some(1), "holds 1")];
        let mut run = run();
        assert_eq!(begin(&run, &steps).unwrap(), "");
        run.open_at = Some("<holds 1>".into());
        assert_eq!(begin(&run, &steps).unwrap(), " data-begin=\"1\"");
        run.open_at = Some("<holds 2>".into());
        let error = begin(&run, &steps).unwrap_err().to_string();
        assert_eq!(error, "it has no step to open at: <holds 2>");
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
            let error = events(&run(), &[step(Some(0), what)], &[]).unwrap_err();
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
        let html = events(&run, &steps, &[]).unwrap();
        assert_eq!(
            html.matches("data-ask=\"a b|&quot;c&quot;\"").count(),
            1,
            "{html}"
        );

        let error = events(&run, &steps[..0], &[]).unwrap_err().to_string();
        assert_eq!(error, "it has no step to ask for: <prints>");
    }
}
