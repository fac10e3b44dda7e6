//! The promise: what a page says of a step (it hangs, it panics, it always finishes) holds in
//! every interleaving of the bounded cases in the page's table, and the table's numbers are right.
//!
//! `build.rs` has made a copy of each listing's `src/lib.rs` on the threads, mutex and channel of
//! `pool_model`, and the same of each change to a listing that a page proposes. A row of a table
//! names a listing or a change, a number of workers and the jobs.

mod bounded;
mod broken;
mod classes;
mod commutes;
mod known;
mod lending;
mod odd;
mod outcomes;
mod own_pool;
mod points;
pub mod programs;
mod said;
mod sampled;

use crate::support::{told, turns::turn};
use book::models::lender_name;
use book::page::Page;
use book::sources::Sources;
use book::step;
use book::tables::{self, Row as Case, Searched};
use book_commands::{search, tools};
use libtest_mimic::{Failed, Trial};
use pool_model::{Endings, Failure};
use programs::{hand_over, program};
use std::ops::ControlFlow;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// More schedules than any case on a page has: a search that gets there has gone wrong.
const MOST_INTERLEAVINGS: usize = 10_000_000;
/// With more than these, a case takes too long for every run of the tests. It is searched by
/// `cargo test model -- --ignored`, as CI does.
const MANY_INTERLEAVINGS: usize = 200_000;
/// The same, of classes.
const MANY_CLASSES: usize = 20_000;

/// Searches the case, in the way that the table names. Of all orders, it stops early, with an error, at
/// an ending that the page says does not occur.
fn explore(case: &Case) -> Result<Endings, String> {
    let program = program(&case.listing)
        .ok_or_else(|| format!("there is no listing and no change `{}`", case.listing))?;
    if case.searched == Searched::Classes {
        return classes::explore(case, &program);
    }
    let mut unexpected = None;
    let found = (program.search)(searched(case), MOST_INTERLEAVINGS, &mut |failure| {
        if is_expected(case, failure) {
            return ControlFlow::Continue(());
        }
        unexpected = Some(format!(
            "interleaving {} ends in a way that the page does not name: {}",
            failure.number, failure.message
        ));
        ControlFlow::Break(())
    });
    match unexpected {
        Some(unexpected) => Err(unexpected),
        None => found.map_err(|_| format!("more than {MOST_INTERLEAVINGS} interleavings")),
    }
}

/// The case, as the search takes it.
fn searched(case: &Case) -> pool_model::Case {
    pool_model::Case {
        workers: case.workers,
        jobs: case.jobs,
        meet: case.meet,
        pause: false,
    }
}

/// The page says that some runs of the case fail in this way.
fn is_expected(case: &Case, failure: &Failure) -> bool {
    let known = ["RecvError", "PoisonError", "the drop returned, but"];
    match failure.deadlock {
        true => case.said.deadlock > 0,
        false => case.said.panic > 0 && known.iter().any(|known| failure.message.contains(known)),
    }
}

/// Explores the case in a process of its own, which can be ended when it takes too long, and whose
/// standard error, a line from shuttle for each deadlock, is of no interest.
fn check(case: &Case) -> Result<(), Failed> {
    let (place, listing, said) = (&case.place, &case.listing, case.said);
    if said.finish + said.deadlock + said.panic != case.runs {
        return Err(format!("{place}: the endings do not add up to the runs").into());
    }
    let mut command = Command::new(env::current_exe()?);
    let found = output(command.args([EXPLORE, place]))
        .map_err(|error| format!("{place}: {listing}: {error}"))?;
    let said = format!("{said:?}");
    if found != said {
        return Err(
            format!("{place}: {listing}: the page says {said}, the search found: {found}").into(),
        );
    }
    Ok(())
}

/// What a command prints until it ends.
fn output(command: &mut Command) -> Result<String, String> {
    let mut run = || -> std::io::Result<_> {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            if start.elapsed() > DEADLINE {
                child.kill()?;
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(child.wait_with_output()?.stdout))
    };
    let printed = run().map_err(|error| error.to_string())?;
    let printed = printed.ok_or_else(|| format!("no end of the search after {DEADLINE:?}"))?;
    String::from_utf8(printed).map_err(|error| error.to_string())
}

/// `cargo book search` and `cargo book replay` print what `recorded/search.txt` says. `UPDATE=1` writes it.
fn check_command() -> Result<(), Failed> {
    let path = book::root().join("recorded/search.txt");
    let recorded = fs::read_to_string(&path)?;
    let mut found = String::new();
    let mut printed = false;
    for line in recorded.lines() {
        if let Some(typed) = line.strip_prefix("$ ") {
            let call = typed.strip_prefix("cargo book ").unwrap_or_default();
            let call = book_commands::Command::read(call.split(' '));
            let command = match call.map_err(|error| format!("{line}: {error}"))? {
                book_commands::Command::Search(call) => search::command(&book::root(), &call),
                book_commands::Command::Replay(call) => {
                    search::replay_command(&book::root(), &call)
                }
                _ => {
                    let why = format!("recorded/search.txt: no search and no replay: {line}");
                    return Err(why.into());
                }
            };
            let mut command = command.map_err(|error| format!("{line}: {error:#}"))?;
            found += &format!("{line}\n{}", output(&mut command)?);
            printed = true;
        } else if line.starts_with("# ANCHOR") || !printed {
            found += &format!("{line}\n");
            printed = printed && line.starts_with("# ANCHOR:");
        }
    }
    if found != recorded && env::var_os("UPDATE").is_some() {
        fs::write(&path, found)?;
        return Ok(());
    }
    match found == recorded {
        true => Ok(()),
        false => Err(format!("recorded/search.txt says\n{recorded}and it is\n{found}").into()),
    }
}

/// No interleaving of the program of `crates/model/handover.rs` fails, although it has a data race, and
/// `recorded/tools.txt` says so.
fn check_handover() -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    let found = output(command.args([EXPLORE, HANDOVER]))?;
    let path = tools::file(&book::root());
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    let said = tools::section(&recorded, tools::SEARCH).unwrap_or_default();
    // The command comes first, in a line.
    let said = said.split_once('\n').map_or("", |(_, said)| said);
    match found == said && found.contains("all finish") {
        true => Ok(()),
        false => Err(format!(
            "{}: says {said:?} of the search, and it is {found:?}; if that is right, record it \
             again with `cargo book tools`",
            path.display()
        )
        .into()),
    }
}

/// The table of jobs with a handle of their own pool says what the search finds.
fn check_own_pool() -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    own_pool::check(&output(command.args([EXPLORE, OWN_POOL]))?)
}

/// Each small program of `outcomes` ends as it says, and in no other way.
fn check_outcomes() -> Result<(), Failed> {
    nothing_is_said(OUTCOMES)
}

/// To explore this, in a process of its own, finds nothing that is wrong.
fn nothing_is_said(what: &str) -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    match output(command.args([EXPLORE, what]))?.as_str() {
        "" => Ok(()),
        problems => Err(problems.into()),
    }
}

/// What the search of `crates/model/handover.rs` finds, in a line.
fn explore_handover() -> String {
    let all_seen = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&all_seen);
    let run = move || {
        seen.fetch_add(hand_over().into(), Ordering::Relaxed);
    };
    let found = pool_model::search_any(run, usize::MAX, |failure| panic!("{failure:?}"));
    format!(
        "{} interleavings, {} of which see the result: all finish\n",
        found.expect("there is no limit").finish,
        all_seen.load(Ordering::Relaxed)
    )
}

/// The argument that makes this program explore one case and print what it found.
pub const EXPLORE: &str = "--explore";
/// Which steps commute.
const COMMUTES: &str = "commutes";
/// A pool whose queue has a limit.
const BOUNDED: &str = "bounded";
/// A case that is no row of a table.
const HANDOVER: &str = "handover";
/// The cases in which jobs have a handle of their own pool.
const OWN_POOL: &str = "own-pool";
/// One run of each class, in the cases of the tables.
const CLASSES: &str = "classes";
/// Small programs, one or more for each item that is modeled.
const OUTCOMES: &str = "outcomes";
const DEADLINE: Duration = Duration::from_secs(300);

/// Explores the case that stands at this place of a page, or another by its name, and prints what
/// was found.
pub fn explore_and_print(place: &str) -> ExitCode {
    let explored = match place {
        HANDOVER => Ok(explore_handover()),
        OWN_POOL => Ok(own_pool::explore()),
        OUTCOMES => Ok(outcomes::explore()),
        BOUNDED => Ok(bounded::problems()),
        CLASSES => classes::problems(),
        COMMUTES => commutes::check().map(|()| String::new()),
        odd::STATICS => Ok(odd::statics_problems()),
        sampled::PAGE => sampled::problems().map(|()| String::new()),
        _ => match (
            place.strip_prefix(odd::SEARCH),
            place.strip_prefix(lending::LENDER),
        ) {
            (Some(folder), _) => odd::search_and_print(folder),
            (_, Some(listing)) => lending::problems(listing),
            _ => explore_row(place),
        },
    };
    match explored {
        Ok(found) => print!("{found}"),
        Err(error) => print!(
            "{}",
            error.message().unwrap_or("an error without a message")
        ),
    }
    ExitCode::SUCCESS
}

fn explore_row(place: &str) -> Result<String, Failed> {
    let (file, _) = place.split_once(':').unwrap_or_default();
    let text = fs::read_to_string(book::root().join(file)).unwrap_or_default();
    let cases = tables::rows(&Page::parse(file, &text))?;
    let case = cases.iter().find(|case| case.place == place);
    let case = case.ok_or_else(|| format!("there is no case at {place}"))?;
    Ok(format!("{:?}", explore(case)?))
}

/// The cases of every page, and for each row that cannot be read, what is wrong.
fn all_cases() -> Result<(Vec<Case>, Vec<String>), Failed> {
    let sources = Sources::read(&book::root()).map_err(told)?;
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for page in sources.pages() {
        match tables::rows(&page) {
            Ok(cases) => all.extend(cases),
            Err(error) => errors.push(error),
        }
    }
    Ok((all, errors))
}

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let (cases, errors) = all_cases()?;
    let working = |name: String, check: Box<dyn FnOnce() -> Result<(), Failed> + Send>| {
        Trial::test(name, move || {
            let _turn = turn();
            check()
        })
    };
    let mut trials = vec![
        Trial::test("model::said", said::check),
        working("model::cargo_book_search".into(), Box::new(check_command)),
        working("model::odd_crates".into(), Box::new(odd::check)),
        working("model::odd_settings".into(), Box::new(odd::check_folder)),
        working(
            "model::odd_neighbors".into(),
            Box::new(odd::check_neighbors),
        ),
        working("model::odd_check".into(), Box::new(odd::check_check)),
        working("model::odd_replay".into(), Box::new(odd::check_replay)),
        working("model::odd_target".into(), Box::new(odd::check_target)).with_ignored_flag(true),
        working("model::known".into(), Box::new(known::check)),
        working("model::statics".into(), Box::new(odd::check_statics)),
        working(
            "model::sampled".into(),
            Box::new(|| nothing_is_said(sampled::PAGE)),
        ),
        working("model::points".into(), Box::new(points::check)),
        working("model::outcomes".into(), Box::new(check_outcomes)),
        working(
            "model::classes".into(),
            Box::new(|| nothing_is_said(CLASSES)),
        ),
        working(
            "model::commutes".into(),
            Box::new(|| nothing_is_said(COMMUTES)),
        ),
        working(
            "model::outcomes_of_all_that_is_modeled".into(),
            Box::new(outcomes::covers_what_is_modeled),
        ),
        working(
            "model::broken_pools_compile_without_a_warning".into(),
            Box::new(broken::compiles_without_a_warning),
        ),
        working(
            "model::mended_pools_compile_as_said".into(),
            Box::new(broken::mended_compiles_as_said),
        ),
        working(
            "handover::model::every_interleaving".into(),
            Box::new(check_handover),
        ),
        working(
            "listing-20-28::model::own_pool".into(),
            Box::new(check_own_pool),
        ),
        working(
            "listing-20-35::model::bounded".into(),
            Box::new(|| nothing_is_said(BOUNDED)),
        ),
    ];
    for listing in step::names(&book::root()).map_err(told)? {
        if program(&lender_name(&listing)).is_some() {
            let name = format!("{listing}::model::mistakes_of_a_lender");
            let check = move || nothing_is_said(&format!("{}{listing}", lending::LENDER));
            trials.push(working(name, Box::new(check)));
        }
    }
    for error in errors {
        trials.push(Trial::test("model::tables", move || Err(error.into())));
    }
    let rows = cases.clone();
    trials.push(Trial::test(
        "model::broken_pools_fail_in_small_cases",
        move || broken::fails_in_a_small_case(&rows),
    ));
    for case in cases {
        let (listing, workers, jobs) = (&case.listing, case.workers, case.jobs);
        let meet = if case.meet { "_that_meet" } else { "" };
        let (by, many) = match case.searched {
            Searched::Orders => ("", MANY_INTERLEAVINGS),
            Searched::Classes => ("_by_classes", MANY_CLASSES),
        };
        let name = format!("{listing}::model::{workers}_workers_{jobs}_jobs{meet}{by}");
        let deep = case.runs > many;
        let check = working(name, Box::new(move || check(&case)));
        trials.push(check.with_ignored_flag(deep));
    }
    Ok(trials)
}
