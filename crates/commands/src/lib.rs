//! The book's own commands, which `cargo book` runs.
//!
//! - [`mod@bench`] measures what the pages say about speed.
//! - [`built`] spares cargo what it has built elsewhere.
//! - [`mutants`] records what cargo-mutants finds out about a step's tests.
//! - [`picture`] takes the pictures of rendered pages that the README and the book show.
//! - [`step`] copies a step out, for a reader to work on.
//! - [`check`] checks a reader's solution of an exercise.
//! - [`search`] searches every interleaving of a reader's own pool.
//! - [`site`] makes the pages, and shows them.
//! - [`tools`] records what Miri, ThreadSanitizer and a stress run find, and what they do not.
//! - [`transcripts`] records what the book's terminals show, and checks it.

pub mod bench;
pub mod built;
mod call;
pub mod check;
mod interrupt;
pub mod mutants;
pub mod packages;
pub mod picture;
mod progress;
mod readers;
pub mod search;
pub mod site;
pub mod step;
pub mod tools;
pub mod transcripts;

use anyhow::{Context, Result};
use book::root;
pub use call::Command;
pub use clap::error::ErrorKind;
use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::{self, ExitCode, ExitStatus},
};

/// Runs `cargo book` with these arguments and returns the status to exit with.
///
/// Without arguments it serves the book and opens it in a browser. Help is printed with the status 0.
/// A wrong call gives the status 2; any other failure gives 1, or what the command's help says.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match Command::read(arguments) {
        Ok(command) => command.run(),
        Err(wrong) if wrong.use_stderr() => {
            say(&wrong.render().to_string());
            return ExitCode::from(2);
        }
        Err(help) => print(&help.render().to_string()).map(|()| ExitCode::SUCCESS),
    };
    interrupt::rest_if_ending();
    done.unwrap_or_else(|error| {
        say(&format!("error: {error:#}\n"));
        ExitCode::FAILURE
    })
}

impl Command {
    fn run(&self) -> Result<ExitCode> {
        let root = root();
        match self {
            Command::Serve(arguments) => site::serve(&root, arguments),
            Command::Build(arguments) => site::build(&root, arguments),
            Command::Step(arguments) => step::run(&root, arguments),
            Command::Check(arguments) => check::run(&root, arguments),
            Command::Search(arguments) => search::run(&root, arguments),
            Command::Replay(arguments) => search::run_replay(&root, arguments),
            Command::Record(arguments) => transcripts::record(&root, arguments),
            Command::Mutants => mutants::record(&root),
            Command::Tools => tools::record(&root),
            Command::Bench(arguments) => bench::record(&root, arguments),
            Command::Picture => picture::take(&root),
        }
    }
}

/// Prints on standard output. Whoever has closed it, as `head` does, wants no more of it, and that is
/// no failure.
fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout();
    let printed = stdout.write_all(text.as_bytes());
    match printed.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print")
        }
        _ => Ok(()),
    }
}

/// Prints on standard error. Nobody can be told that it cannot be printed.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The cargo that has started this, or else the one on `PATH`.
fn cargo() -> process::Command {
    process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// What to exit with when a command has been all that there was to do.
fn exit_code(status: ExitStatus) -> ExitCode {
    match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
