//! The book's own commands, which `cargo book` runs. What shows the book is in [`site`].
//!
//! - [`mod@bench`] measures what the pages say about speed.
//! - [`built`] spares cargo what it has built elsewhere.
//! - [`mutants`] records what cargo-mutants finds out about a step's tests.
//! - [`picture`] takes the pictures of rendered pages that the README and the book show.
//! - [`step`] copies a step out, for a reader to work on.
//! - [`check`] checks a reader's solution of an exercise.
//! - [`search`] searches every interleaving of a reader's own pool.
//! - [`tools`] records what Miri, ThreadSanitizer and a stress run find, and what they do not.
//! - [`transcripts`] records what the book's terminals show, and checks it.

pub mod bench;
pub mod built;
pub mod check;
mod command;
mod interrupt;
pub mod mutants;
pub mod packages;
pub mod picture;
mod progress;
mod readers;
pub mod search;
pub mod step;
pub mod tools;
pub mod transcripts;

use anyhow::Result;
use book::root;
pub use clap::error::ErrorKind;
pub use command::Command;
use site::said;
use std::{
    env,
    ffi::OsString,
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
            said::say(&wrong.render().to_string());
            return ExitCode::from(2);
        }
        Err(help) => said::print(&help.render().to_string()).map(|()| ExitCode::SUCCESS),
    };
    interrupt::rest_if_ending();
    said::status(done)
}

impl Command {
    fn run(&self) -> Result<ExitCode> {
        let root = root();
        match self {
            Command::Serve(arguments) => arguments.to_show().run(&root),
            Command::Build(arguments) => arguments.to_show().run(&root),
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
