//! The book's own commands, which `cargo book` runs.
//!
//! - [`bench`] measures what the pages say about speed.
//! - [`mutants`] records what cargo-mutants finds out about a step's tests.
//! - [`picture`] takes the pictures of rendered pages that the README and the book show.
//! - [`step`] copies a step out, for a reader to work on.
//! - [`check`] checks a reader's solution of an exercise.
//! - [`search`] searches every interleaving of a reader's own pool.
//! - [`mdbook`] finds, and where there is none obtains, the mdBook that shows the book.
//! - [`tools`] records what Miri, ThreadSanitizer and a stress run find, and what they do not.
//! - [`transcripts`] records what the book's terminals show, and checks it.

pub mod bench;
pub mod check;
mod interrupt;
pub mod mdbook;
pub mod mutants;
pub mod picture;
mod progress;
mod readers;
pub mod search;
pub mod step;
pub mod tools;
pub mod transcripts;

use anyhow::Result;
use book::root;
use std::{
    env,
    process::{Command, ExitCode, ExitStatus},
};

/// A subcommand of `cargo book`.
struct Subcommand {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Result<ExitCode>,
}

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "serve",
        arguments: "[ARGUMENT...]",
        summary: "serve the book and rebuild it on changes; arguments go to `mdbook serve`",
        run: |arguments| mdbook::serve(&root(), arguments),
    },
    Subcommand {
        name: "build",
        arguments: "[ARGUMENT...]",
        summary: "build the book; arguments go to `mdbook build`",
        run: |arguments| mdbook::build(&root(), arguments),
    },
    Subcommand {
        name: "step",
        arguments: "NAME FOLDER",
        summary: "write a step, such as 20-24, to a new folder, to work on it",
        run: |arguments| step::run(&root(), arguments),
    },
    Subcommand {
        name: "check",
        arguments: "NAME FOLDER",
        summary: "check your own solution of an exercise, such as 20-26",
        run: |arguments| check::run(&root(), arguments),
    },
    Subcommand {
        name: "search",
        arguments: "FOLDER [CASE]",
        summary:
            "search every interleaving of your own pool; a case is WORKERS JOBS [meet] [random|pct]",
        run: |arguments| search::run(&root(), arguments),
    },
    Subcommand {
        name: "replay",
        arguments: "FOLDER SCHEDULE",
        summary: "show what each thread does in a schedule that the search has found",
        run: |arguments| search::run_replay(&root(), arguments),
    },
    Subcommand {
        name: "record",
        arguments: "[NAME...]",
        summary: "record the terminal transcripts anew: all, or the named ones",
        run: |names| transcripts::record(&root(), names),
    },
    Subcommand {
        name: "mutants",
        arguments: "",
        summary: "record what cargo-mutants finds out about the tests of 20-27",
        run: |_| mutants::record(&root()),
    },
    Subcommand {
        name: "tools",
        arguments: "",
        summary: "record what Miri, ThreadSanitizer and a stress run say; takes some minutes",
        run: |_| tools::record(&root()),
    },
    Subcommand {
        name: "bench",
        arguments: "",
        summary: "measure anew what the pages say about speed; takes some minutes",
        run: |_| bench::record(&root()),
    },
    Subcommand {
        name: "picture",
        arguments: "",
        summary: "take the pictures of rendered pages, with Chromium",
        run: |_| picture::take(&root()),
    },
    Subcommand {
        name: "help",
        arguments: "",
        summary: "show this",
        run: |_| {
            print!("{}", usage());
            Ok(ExitCode::SUCCESS)
        },
    },
];

/// Runs `cargo book` with these arguments and returns the status to exit with.
///
/// Without arguments it serves the book and opens it in a browser.
/// An unknown subcommand gives the status 2; any other failure gives 1,
/// or the status of the mdBook that failed.
pub fn run(arguments: Vec<String>) -> ExitCode {
    let (name, rest) = match arguments.split_first() {
        None => ("serve", ["--open".to_owned()].to_vec()),
        Some((name, _)) if ["-h", "--help"].contains(&name.as_str()) => ("help", Vec::new()),
        Some((name, rest)) => (name.as_str(), rest.to_vec()),
    };
    let Some(subcommand) = SUBCOMMANDS.iter().find(|known| known.name == name) else {
        eprintln!(
            "error: `cargo book` has no subcommand `{name}`\n\n{}",
            usage()
        );
        return ExitCode::from(2);
    };
    (subcommand.run)(&rest).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn usage() -> String {
    let mut usage = String::from(
        "Usage: cargo book [SUBCOMMAND]\n\n\
         Without a subcommand: `cargo book serve --open`.\n\n",
    );
    for Subcommand {
        name,
        arguments,
        summary,
        ..
    } in SUBCOMMANDS
    {
        let call = format!("{name} {arguments}");
        usage.push_str(&format!("  {call:<22}{summary}\n"));
    }
    usage
}

/// The cargo that has started this, or else the one on `PATH`.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// What to exit with when a command has been all that there was to do.
fn exit_code(status: ExitStatus) -> ExitCode {
    match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_names_every_subcommand() {
        for subcommand in SUBCOMMANDS {
            assert!(usage().contains(&format!("  {} ", subcommand.name)));
        }
    }
}
