//! The promise: what a page says of a step (it hangs, it panics, it always finishes) holds in
//! every interleaving of the bounded cases in the page's table, and the table's numbers are right.
//!
//! `build.rs` has made a copy of each listing's `src/lib.rs` on the threads, mutex and channel of
//! `pool_model`, and the same of each change to a listing that a page proposes. A row of a table
//! names a listing or a change, a number of workers and the jobs.

use book_commands::{
    root, search,
    tables::{self, Row as Case},
};
use libtest_mimic::{Arguments, Failed, Trial};
use pool_model::{Endings, Failure};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// The models print nothing: hundreds of thousands of schedules would print millions of lines.
macro_rules! println {
    ($($text:tt)*) => { pool_model::recorded_println!($($text)*) };
}

type Program = fn(&Case, &mut dyn FnMut(&Failure) -> ControlFlow<()>) -> Result<Endings, Endings>;

/// Gives the pools of all listings one interface, and finds a case's program by listing name.
macro_rules! models {
    ($($listing:literal => $module:ident,)*) => {
        $(pool_model::implement_pool!($module::ThreadPool);)*

        fn program(listing: &str) -> Option<Program> {
            match listing {
                $($listing => Some(|case, on_failure| {
                    let &Case { workers, jobs, meet, .. } = case;
                    let case = pool_model::Case { workers, jobs, meet, pause: false };
                    pool_model::search::<$module::ThreadPool>(case, MOST_INTERLEAVINGS, on_failure)
                }),)*
                _ => None,
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// More schedules than any case on a page has: a search that gets there has gone wrong.
const MOST_INTERLEAVINGS: usize = 10_000_000;
/// With more than these, a case takes too long for every run of the tests. It is searched by
/// `cargo test --test model -- --ignored`, as CI does.
const MANY_INTERLEAVINGS: usize = 300_000;

/// Searches the case. Stops early, with an error, at an ending that the page says does not occur.
fn explore(case: &Case) -> Result<Endings, String> {
    let program = program(&case.listing)
        .ok_or_else(|| format!("there is no listing and no change `{}`", case.listing))?;
    let mut unexpected = None;
    let found = program(case, &mut |failure| {
        let known = ["RecvError", "PoisonError"];
        let expected = match failure.deadlock {
            true => case.said.deadlock > 0,
            false => {
                case.said.panic > 0 && known.iter().any(|known| failure.message.contains(known))
            }
        };
        if expected {
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

/// Explores the case in a process of its own, which can be ended when it takes too long, and whose
/// standard error, a line from shuttle for each deadlock, is of no interest.
fn check(case: &Case) -> Result<(), Failed> {
    let (place, listing, said) = (&case.place, &case.listing, case.said);
    if said.finish + said.deadlock + said.panic != case.interleavings {
        return Err(format!("{place}: the endings do not add up to the interleavings").into());
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

/// `cargo book search` prints what `src/search.txt` says.
fn check_command() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/search.txt");
    let recorded = fs::read_to_string(&path)?;
    let shown = recorded.split_once("# ANCHOR: found\n");
    let shown = shown.and_then(|(_, shown)| shown.strip_suffix("# ANCHOR_END: found\n"));
    let recorded = shown.ok_or("src/search.txt: the anchor `found` is to reach to its end")?;
    let mut found = String::new();
    for line in recorded.lines() {
        if line.starts_with('$') {
            let arguments = line
                .strip_prefix("$ cargo book search ")
                .ok_or_else(|| format!("src/search.txt: no search: {line}"))?;
            let arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
            let mut command = search::command(&root(), &arguments)
                .map_err(|error| format!("{line}: {error:#}"))?;
            found += &format!("{line}\n{}", output(&mut command)?);
        }
    }
    match found == recorded {
        true => Ok(()),
        false => Err(format!("src/search.txt says\n{recorded}and it is\n{found}").into()),
    }
}

/// The argument that makes this program explore one case and print what it found.
const EXPLORE: &str = "--explore";
const DEADLINE: Duration = Duration::from_secs(300);

fn explore_and_print(cases: &[Case], place: &str) {
    pool_model::silence();
    let case = cases
        .iter()
        .find(|case| case.place == place)
        .expect("a case of the tables");
    match explore(case) {
        Ok(found) => print!("{found:?}"),
        Err(error) => print!("{error}"),
    }
}

/// The cases of every page, and for each row that cannot be read, what is wrong.
fn all_cases() -> std::io::Result<(Vec<Case>, Vec<String>)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(&source)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let page = path.file_name().unwrap_or_default().to_string_lossy();
            match tables::rows(&page, &fs::read_to_string(&path)?) {
                Ok(cases) => all.extend(cases),
                Err(error) => errors.push(error),
            }
        }
    }
    all.sort_by(|a, b| a.place.cmp(&b.place));
    Ok((all, errors))
}

fn main() -> std::io::Result<()> {
    let (cases, errors) = all_cases()?;
    let arguments: Vec<_> = env::args().collect();
    if let [_, first, place] = &arguments[..] {
        if first == EXPLORE {
            explore_and_print(&cases, place);
            return Ok(());
        }
    }

    let unreadable = errors
        .into_iter()
        .map(|error| Trial::test("model::tables", move || Err(error.into())));
    let trials = cases.into_iter().map(|case| {
        let (listing, workers, jobs) = (&case.listing, case.workers, case.jobs);
        let meet = if case.meet { "_that_meet" } else { "" };
        let name = format!("{listing}::model::{workers}_workers_{jobs}_jobs{meet}");
        let deep = case.interleavings > MANY_INTERLEAVINGS;
        Trial::test(name, move || check(&case)).with_ignored_flag(deep)
    });
    let command = Trial::test("model::cargo_book_search", check_command);
    let trials = unreadable.chain(trials).chain([command]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}
