//! The promise: each item that the model has in the place of std's does what std's does. For each
//! there are small programs, with all the outcomes that they can have. The search finds these and no
//! others; and what a program does with the real std is one of them, where that can be seen without
//! waiting for ever.
//!
//! Each file of programs is read twice: once on the model, once on std.

use super::tables::with_commas;
use crate::support::report;
use libtest_mimic::Failed;
use pool_model::known::{Verdict, ITEMS};
use pool_model::reduced::{explore as explore_classes, Exploration};
use pool_model::{record, Case, Pool};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{mpsc, Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, panic, thread};

/// A program, and how it can end.
pub struct Program {
    name: &'static str,
    /// The items that it is about, without `std::`.
    items: &'static [&'static str],
    /// What it returns, or `deadlock`, or `panic: ` and the message.
    outcomes: &'static [&'static str],
    /// It cannot be asked of the real std: it blocks for ever, or takes a year, or its answer
    /// depends on the machine, or is one that the model does not have, as its comment says.
    of_model_only: bool,
    run: fn() -> String,
}

impl Program {
    const fn of_both(
        name: &'static str,
        items: &'static [&'static str],
        outcomes: &'static [&'static str],
        run: fn() -> String,
    ) -> Program {
        Program {
            name,
            items,
            outcomes,
            of_model_only: false,
            run,
        }
    }

    const fn of_model(
        name: &'static str,
        items: &'static [&'static str],
        outcomes: &'static [&'static str],
        run: fn() -> String,
    ) -> Program {
        Program {
            of_model_only: true,
            ..Program::of_both(name, items, outcomes, run)
        }
    }
}

macro_rules! programs {
    ($($file:ident)*) => {
        mod modeled {
            $(pub mod $file {
                use super::super::Program;
                use pool_model as the_std;
                include!(concat!(stringify!($file), ".rs"));
            })*
            pub const ALL: &[&[super::Program]] = &[$($file::PROGRAMS),*];
        }

        mod real {
            $(pub mod $file {
                use super::super::Program;
                use std as the_std;
                include!(concat!(stringify!($file), ".rs"));
            })*
            pub const ALL: &[&[super::Program]] = &[$($file::PROGRAMS),*];
        }
    };
}

programs! { time channels threads locks lazy atomics traits }

const A_STATIC: &str = ": this is a `static`, ";

/// None of them has more interleavings: they are to be quick.
const MOST: usize = 5_000;
/// How often each is run with the real std.
const REAL_RUNS: usize = 3;
/// No run with the real std takes as long.
const DEADLINE: Duration = Duration::from_secs(60);

const CASE: Case = Case {
    workers: 0,
    jobs: 0,
    meet: false,
    pause: false,
};

/// What it prints goes to the recorder.
struct Prints;

impl Pool for Prints {
    fn new(_: usize) -> Prints {
        use pool_model::{dbg, eprint, eprintln, print, println};
        let name = "Ferris";
        println!();
        println!("an {} of {name}", "address");
        print!("not a line");
        print!("a line\n");
        eprintln!("an error");
        eprintln!();
        eprint!("less than a line");
        let (three, six, two) = (dbg!(1 + 2), dbg!(name.len(),), dbg!(vec![2], 3).0);
        dbg!();
        println!("{three} {six} {two:?}");
        Prints
    }

    fn execute(&self, _: impl FnOnce() + Send + 'static) {}
}

const PRINTED: &[&str] = &[
    "",
    "an address of Ferris",
    "not a line",
    "a line",
    "an error",
    "",
    "less than a line",
    "1 + 2 = 3",
    "name.len() = 6",
    "vec![2] = [2]",
    "3 = 3",
    "",
    "3 6 [2]",
];

/// What is printed is told of, in its order. (If it went to the terminal instead, it would be among
/// what [`explore`] prints.)
fn printed() -> Result<(), String> {
    let recording = record::replay::<Prints>(CASE, file!(), &[])?;
    let said = recording.steps.iter().map(|step| step.said.as_str());
    let said: Vec<_> = said.filter(|said| said.contains(" prints ")).collect();
    let expected = PRINTED.iter().map(|text| format!("Main prints “{text}”."));
    let expected: Vec<_> = expected.collect();
    match said == expected {
        true => Ok(()),
        false => Err(format!("the recorder was told {said:?}, not {expected:?}")),
    }
}

/// Runs the program, and collects what it says.
fn collecting(
    program: fn() -> String,
) -> (
    impl Fn() + Send + Sync + Clone,
    impl Fn() -> BTreeSet<String>,
) {
    let said = Arc::new(Mutex::new(BTreeSet::new()));
    let all = Arc::clone(&said);
    let run = move || {
        let outcome = program();
        all.lock().expect("nobody panics with it").insert(outcome);
    };
    (run, move || {
        said.lock().expect("nobody panics with it").clone()
    })
}

/// All outcomes that the search finds, and the number of interleavings.
fn searched(program: fn() -> String) -> Result<(BTreeSet<String>, usize), String> {
    let (run, said) = collecting(program);
    let mut failures = BTreeSet::new();
    let mut is_refused = false;
    let found = pool_model::search_any(run, MOST, |failure| {
        let message = &failure.message;
        // Behind the place comes the sentence. As for a reader, it is the end of the search.
        is_refused = message.starts_with("cannot be searched: ") && message.contains(A_STATIC);
        failures.insert(match failure.deadlock {
            true => "deadlock".to_owned(),
            false if is_refused => "refused: a static".to_owned(),
            false => format!("panic: {message}"),
        });
        match is_refused {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let mut seen = said();
    seen.append(&mut failures);
    match found {
        Ok(found) => Ok((seen, found.all())),
        Err(found) if is_refused => Ok((seen, found.all())),
        Err(_) => Err(format!(
            "more than {MOST} interleavings; until then {seen:?}"
        )),
    }
}

/// The one program in which a thread looks while another unwinds, which that search does not see.
const UNWINDING: &str = "is it poisoned";

/// What the search that runs one interleaving of each class finds, where that differs.
fn classes_differ(program: fn() -> String, outcomes: &BTreeSet<String>) -> Option<String> {
    let fails = |outcome: &&String| {
        let failures = ["deadlock", "panic: ", "refused: "];
        failures.iter().any(|failure| outcome.starts_with(failure))
    };
    let (run, said) = collecting(program);
    let found = explore_classes(Exploration::classes(MOST), run);
    if found.refused {
        return None; // it says so, and no more
    }
    let expected: BTreeSet<_> = outcomes
        .iter()
        .filter(|outcome| !fails(outcome))
        .cloned()
        .collect();
    let deadlock = outcomes.contains("deadlock");
    let panic = outcomes
        .iter()
        .any(|outcome| outcome.starts_with("panic: "));
    let as_all = (said(), found.endings.deadlock > 0, found.endings.panic > 0)
        == (expected, deadlock, panic);
    let is_so = as_all && found.complete;
    (!is_so).then(|| format!("the search of classes finds {:?}, and {found:?}", said()))
}

/// What it does with the real std.
fn real(program: fn() -> String) -> Result<String, String> {
    let (ended, has_ended) = mpsc::channel();
    thread::spawn(move || {
        let outcome = panic::catch_unwind(program).unwrap_or_else(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or(payload.downcast_ref::<&str>().copied());
            format!("panic: {}", text.unwrap_or_default())
        });
        let _ = ended.send(outcome);
    });
    let outcome = has_ended.recv_timeout(DEADLINE);
    outcome.map_err(|_| format!("with the real std, it does not end within {DEADLINE:?}"))
}

/// What is wrong with each program, in lines. With `OUTCOMES=1` in the environment also what is found,
/// how many interleavings there are, and how long it takes.
pub fn explore() -> String {
    pool_model::silence();
    let mut said = String::new();
    let mut tell = |name: &str, problem: String| said += &format!("{name}: {problem}\n");
    for program in modeled::ALL.iter().copied().flatten() {
        let expected: BTreeSet<_> = program
            .outcomes
            .iter()
            .map(|&said| said.to_owned())
            .collect();
        let start = Instant::now();
        match searched(program.run) {
            Err(problem) => tell(program.name, problem),
            Ok((found, interleavings)) => {
                if env::var_os("OUTCOMES").is_some() {
                    let all = with_commas(interleavings);
                    tell(
                        program.name,
                        format!("{all} in {:?}: {found:?}", start.elapsed()),
                    );
                }
                let missing: Vec<_> = expected.difference(&found).collect();
                let others: Vec<_> = found.difference(&expected).collect();
                if !missing.is_empty() || !others.is_empty() {
                    let problem =
                        format!("the search does not find {missing:?}, and finds {others:?}");
                    tell(program.name, problem);
                }
                match classes_differ(program.run, &found) {
                    None if program.name == UNWINDING => {
                        tell(program.name, "the search of classes knows it now".into());
                    }
                    Some(problem) if program.name != UNWINDING => tell(program.name, problem),
                    _ => {}
                }
            }
        }
    }
    for program in real::ALL
        .iter()
        .copied()
        .flatten()
        .filter(|program| !program.of_model_only)
    {
        for _ in 0..REAL_RUNS {
            match real(program.run) {
                Ok(outcome) if program.outcomes.contains(&outcome.as_str()) => {}
                Ok(outcome) => tell(program.name, format!("with the real std: {outcome}")),
                Err(problem) => tell(program.name, problem),
            }
        }
    }
    if let Err(problem) = printed() {
        tell("printing", problem);
    }
    said
}

/// Each item that is modeled has a program, and each program is about such items.
pub fn covers_what_is_modeled() -> Result<(), Failed> {
    let modeled: BTreeSet<_> = ITEMS
        .iter()
        .filter(|item| item.verdict == Verdict::Modeled)
        .map(|item| item.path)
        .collect();
    let programs = modeled::ALL.iter().copied().flatten();
    let covered: BTreeSet<_> = programs
        .flat_map(|program| program.items.iter().copied())
        .collect();
    let mut problems = Vec::new();
    for item in modeled.difference(&covered) {
        problems.push(format!(
            "crates/model/src/known.rs: `{item}` is modeled, and no program of tests/model/outcomes \
             says which outcomes it has"
        ));
    }
    for item in &covered {
        if !ITEMS.iter().any(|known| known.path == *item) {
            problems.push(format!(
                "tests/model/outcomes: `{item}` is not in crates/model/src/known.rs"
            ));
        }
    }
    report(problems)
}
