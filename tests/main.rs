//! The promises that the book makes, a module each.
//!
//! `cargo test NAME` tests what has NAME in its name: a listing (`listing-20-24`), a promise
//! (`pages`), or one test. All that fails is told, not only the first.

mod browser;
mod code_blocks;
mod commands;
mod exercises;
mod folders;
mod includes;
mod listings;
mod model;
mod msrv;
#[path = "../crates/build-and-run/src/named.rs"]
mod named;
mod pages;
mod pools;
#[cfg(unix)]
mod proxy;
mod signals;
mod steps;
mod support;
mod timelines;
mod transcripts;

use libtest_mimic::{run, Arguments, Failed, Trial};
use std::env;
use std::process::ExitCode;
use support::{cargo, network, turns};

/// Makes the tests of a promise.
type Trials = fn() -> Result<Vec<Trial>, Failed>;

/// The tests of each promise. What waits the longest comes first.
const PROMISES: &[(&str, Trials)] = &[
    ("listings", listings::trials),
    ("exercises", exercises::trials),
    ("transcripts", transcripts::trials),
    ("pools", pools::trials),
    #[cfg(unix)]
    ("proxy", proxy::trials),
    ("browser", browser::trials),
    ("model", model::trials),
    ("code_blocks", code_blocks::trials),
    ("timelines", timelines::trials),
    ("pages", pages::trials),
    ("steps", steps::trials),
    ("signals", signals::trials),
    ("includes", includes::trials),
    ("commands", commands::trials),
    ("folders", folders::trials),
    ("msrv", msrv::trials),
];

fn main() -> ExitCode {
    pool_model::silence();
    // A pool that `cargo book search` builds for a test has few interleavings: compiling it is longer.
    env::set_var("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
    // This program also does what a test wants to have done in a process of its own.
    let mut arguments = env::args_os().skip(1);
    if arguments
        .next()
        .is_some_and(|first| first == commands::BOOK)
    {
        let arguments: Vec<_> = arguments.collect();
        return match named::named("book".as_ref(), &arguments) == "site" {
            true => site::run(arguments),
            false => book_commands::run(arguments),
        };
    }
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [model::EXPLORE, case] => return model::explore_and_print(case),
        [pools::ASK, ref rest @ ..] => return pools::ask(rest),
        [browser::SERVE] => return browser::serve(),
        _ => {}
    }

    let in_own_network = network::asked_for();
    if let Err(error) = cargo::forget_what_was_moved() {
        eprintln!("note: what was built where this folder was before is still there: {error}");
    }
    let (mut trials, mut few_at_a_time) = (Vec::new(), Vec::new());
    for &(promise, make) in PROMISES {
        let mut asked_for = in_own_network.iter();
        if asked_for.any(|name| !name.contains(&format!("::{promise}"))) {
            continue;
        }
        let made = make().unwrap_or_else(|error| vec![Trial::test(promise, || Err(error))]);
        match promise {
            "browser" => few_at_a_time = made,
            _ => trials.extend(made),
        }
    }
    let trials = woven(trials, few_at_a_time);
    let mut arguments = Arguments::from_args();
    // Many wait for a clock or for another process; what works takes turns at the processor.
    arguments.test_threads.get_or_insert(turns::MOST_THREADS);
    if let Some(name) = in_own_network {
        arguments.filter = Some(name);
        arguments.exact = true;
        arguments.nocapture = true;
    }
    run(&arguments, trials).exit_code()
}

/// The trials in this order, with one of `few_at_a_time` first and after each few. They share something,
/// and each that waits for it keeps a thread from the others; if they came last, they would be left alone.
fn woven(trials: Vec<Trial>, few_at_a_time: Vec<Trial>) -> Vec<Trial> {
    const FEW: usize = 5;
    let mut rest = few_at_a_time.into_iter();
    let mut woven = Vec::new();
    for (number, trial) in trials.into_iter().enumerate() {
        if number % FEW == 0 {
            woven.extend(rest.next());
        }
        woven.push(trial);
    }
    woven.extend(rest);
    woven
}
