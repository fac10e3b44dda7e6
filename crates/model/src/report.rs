//! What `cargo book search` and `cargo book replay` print of a pool.

mod prove;

pub(crate) use prove::report_prove;

use crate::modeled::run::{self, REFUSED};
use crate::progress::Teller;
use crate::record;
use crate::reduced::{explore_telling, Exploration, Found};
use crate::search::{program_of, sample_telling, search_telling, silence};
use crate::{Case, Endings, Failure, Pool, Sampling};
use std::ops::ControlFlow;
use std::process::ExitCode;

/// Which interleavings of a case are run.
#[derive(Clone, Copy, Debug)]
pub enum How {
    All,
    /// One of each class.
    Classes,
    /// So many as are tried.
    Some(Sampling),
}

/// For `cargo book search`: searches the cases, or samples them with `tries` runs each, and says of
/// each how it ends. `pool` is where the pool is, for the call that replays a failure. The status is
/// 0 if all interleavings that were run finish, 1 if one does not, and 2 if there were more than
/// `tries` to search. Meanwhile it says how far it is, to a caller that asks (see
/// [`progress`](crate::progress)).
pub fn report<P: Pool>(pool: &str, cases: &[Case], how: How, tries: usize) -> ExitCode {
    silence();
    run::watch();
    let report = |&case| match how {
        How::Some(sampling) => report_sample::<P>(pool, case, sampling, tries),
        How::Classes => report_classes::<P>(pool, case, tries),
        How::All => report_search::<P>(pool, case, tries),
    };
    let worst = cases.iter().map(report).max();
    ExitCode::from(worst.unwrap_or(0))
}

fn report_sample<P: Pool>(pool: &str, case: Case, sampling: Sampling, tries: usize) -> u8 {
    let how = match sampling {
        Sampling::Random => "random interleavings",
        Sampling::Pct => "interleavings by PCT",
    };
    let teller = Teller::begin(case, Some(tries));
    let Some(failure) = sample_telling::<P>(case, sampling, 1, tries, teller) else {
        println!("{case}: {tries} {how}: all finish");
        return 0;
    };
    if let Some(why) = failure.refused() {
        println!("error: {why}");
        return 2;
    }
    println!("{case}: not all of {tries} {how} finish");
    println!("  the first {}", failure.told());
    println!("  {}", replays(pool, case, &failure, ""));
    1
}

fn report_classes<P: Pool>(pool: &str, case: Case, most: usize) -> u8 {
    let found = explored::<P>(case, Exploration::classes(most));
    let more = "and there are more: take fewer workers or jobs, or `random` or `pct`";
    report_found(pool, case, &found, more)
}

/// Runs one interleaving of each class, and says meanwhile how far it is.
fn explored<P: Pool>(case: Case, exploration: Exploration) -> Found {
    let teller = Teller::begin(case, None);
    explore_telling(exploration, teller, program_of::<P>(case))
}

/// Says how the runs of the classes ended. Where there are more, `more` says so.
fn report_found(pool: &str, case: Case, found: &Found, more: &str) -> u8 {
    if let (true, [_, Some(failure)]) = (found.refused, &found.failures) {
        println!("error: {}", failure.message);
        return 2;
    }
    let (endings, failures) = (found.endings, &found.failures);
    let all = endings.all();
    report_endings(case, if all == 1 { "class" } else { "classes" }, endings);
    if found.orders >= all as f64 + 1.0 {
        println!(
            "  instead of at least {} interleavings",
            round(found.orders)
        );
    }
    report_failures(
        pool,
        case,
        CLASS,
        failures,
        (!found.complete).then_some(more),
    )
}

/// Not more than this number, and easy to read: `57`, or a power of ten.
fn round(number: f64) -> String {
    match number.log10() {
        digits if digits < 6.0 => number.floor().to_string(),
        digits => format!("10^{}", digits.min(300.0).floor()),
    }
}

/// How a schedule begins that a search of classes has found.
const CLASS: &str = "class:";

fn report_search<P: Pool>(pool: &str, case: Case, most: usize) -> u8 {
    let mut shortest: [Option<Failure>; 2] = [None, None];
    let teller = Teller::begin(case, None);
    let mut refused = None;
    let found = search_telling::<P>(case, most, teller, |failure| {
        if let Some(why) = failure.refused() {
            refused = Some(why.to_owned());
            return ControlFlow::Break(());
        }
        failure.keep_shortest(&mut shortest[usize::from(failure.deadlock)]);
        ControlFlow::Continue(())
    });
    if let Some(why) = refused {
        println!("error: {why}");
        return 2;
    }
    let (Ok(endings) | Err(endings)) = found;
    let more =
        "and there are more: take fewer workers or jobs, or add `classes`, `random` or `pct`";
    report_endings(case, "interleavings", endings);
    report_failures(pool, case, "", &shortest, found.is_err().then_some(more))
}

/// Says how the runs ended, which are counted as `what`.
fn report_endings(case: Case, what: &str, endings: Endings) {
    let Endings {
        finish,
        deadlock,
        panic,
    } = endings;
    let all = endings.all();
    println!("{case}: {all} {what}: {finish} finish, {deadlock} deadlock, {panic} panic");
}

/// Shows the failures, whose schedules begin with `kind`, and says whether there are more runs. Returns
/// the status.
fn report_failures(
    pool: &str,
    case: Case,
    kind: &str,
    failures: &[Option<Failure>],
    more: Option<&str>,
) -> u8 {
    if let Some(more) = more {
        println!("  {more}");
    }
    for failure in failures.iter().flatten() {
        println!("  the shortest {}", failure.told());
        println!("  {}", replays(pool, case, failure, kind));
    }
    match more {
        Some(_) => 2,
        None => u8::from(failures.iter().any(Option::is_some)),
    }
}

/// The call that replays the failure.
fn replays(pool: &str, case: Case, failure: &Failure, kind: &str) -> String {
    let Case {
        workers,
        jobs,
        meet,
        ..
    } = case;
    let meet = if meet { " meet" } else { "" };
    let schedule = record::written(&failure.schedule);
    format!("cargo book replay {pool} {workers} {jobs} {kind}{schedule}{meet}")
}

/// For `cargo book replay`: replays the schedule, and says what each thread does, with its line in
/// `file`. The status is 0 if the run finishes, 1 if it does not, and 2 if the schedule does not fit.
pub fn report_replay<P: Pool>(case: Case, file: &str, schedule: &str) -> ExitCode {
    silence();
    let of_class = schedule.strip_prefix(CLASS);
    let schedule = record::read(of_class.unwrap_or(schedule));
    let given = schedule.as_ref().map_or(0, Vec::len);
    let recording = schedule.and_then(|schedule| match of_class {
        Some(_) => record::replay_class::<P>(case, file, &schedule),
        None => record::replay::<P>(case, file, &schedule),
    });
    let recording = match recording {
        Ok(recording) => recording,
        Err(error) => {
            // Standard error is full of what shuttle says of a failure.
            println!("error: {error}");
            return ExitCode::from(2);
        }
    };
    println!("line");
    for step in &recording.steps {
        let line = match (&step.file, step.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (_, line) => line.map_or(String::new(), |line| line.to_string()),
        };
        println!("{line:>4}  {}", step.said);
    }
    let taken = recording.schedule.len();
    if taken > given {
        println!(
            "note: the schedule has {given} choices, and the run took {taken}: after them, each"
        );
        println!("      thread went on as long as it could");
    }
    ExitCode::from(u8::from(recording.ending != record::Ending::Finish))
}

impl Failure {
    /// Why the pool cannot be searched, if it is this that the failure says.
    fn refused(&self) -> Option<&str> {
        self.message.starts_with(REFUSED).then_some(&self.message)
    }

    /// What has happened: who waits, or what was said with the panic.
    fn told(&self) -> String {
        if !self.deadlock {
            let said = match self.message.starts_with("exceeded max_steps") {
                true => "the run goes on and on: a thread spins, or asks again and again",
                false => &self.message,
            };
            return format!("panic, number {}: {said}", self.number);
        }
        // shuttle names each thread that waits: `main-thread(0)`, `main-thread(1)`.
        let threads = self.message.split("(task main-thread(").skip(1);
        let threads = threads.filter_map(|rest| rest.split_once(')')?.0.parse().ok());
        let threads: Vec<_> = threads.map(record::name).collect();
        let threads = match threads.is_empty() {
            true => self.message.clone(), // it names them already
            false => threads.join(", "),
        };
        format!("deadlock, number {}, of {threads}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_replayed_as_it_was_searched() {
        let failure = Failure {
            number: 1,
            deadlock: true,
            message: String::new(),
            schedule: vec![0, 1, 10],
        };
        for (meet, call) in [
            (false, "cargo book replay ../hello 2 1 01a"),
            // What the search has behind its numbers, this has behind the schedule.
            (true, "cargo book replay ../hello 2 1 01a meet"),
        ] {
            let case = Case {
                workers: 2,
                jobs: 1,
                meet,
                pause: false,
            };
            assert_eq!(replays("../hello", case, &failure, ""), call);
        }
    }

    #[test]
    fn a_bound_is_never_rounded_up() {
        for (number, said) in [
            (2.99, "2"),
            (999_999.9, "999999"),
            (1e6, "10^6"),
            (9.9e12, "10^12"),
            (f64::INFINITY, "10^300"),
        ] {
            assert_eq!(round(number), said);
        }
    }
}
