//! How `cargo book` is called. Each command says of its own arguments what they mean, in the comments
//! that become its help.

use crate::{bench, check, search, step, transcripts};
use anyhow::Result;
use clap::{
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser, ValueParser},
    error::{ContextKind, ContextValue, Error, ErrorKind},
    CommandFactory, FromArgMatches, Parser, Subcommand,
};
use std::{ffi::OsString, path::PathBuf};

/// What can be done with the book
#[derive(Parser)]
#[command(
    name = "cargo book",
    bin_name = "cargo book",
    max_term_width = 100,
    after_help = "\
Without a command: `cargo book serve --open`. `cargo book COMMAND --help` says more of a command.
The status is 2 after a wrong call, and 1 where the work fails.

Example: cargo book step 20-24 ../hello"
)]
struct Call {
    #[command(subcommand)]
    command: Option<Command>,
}

/// A command with its arguments.
#[derive(Subcommand)]
pub enum Command {
    Serve(Serve),
    Build(Build),
    Step(step::Arguments),
    Check(check::Arguments),
    Search(search::Search),
    Replay(search::Replay),
    Record(transcripts::Arguments),
    /// Record which changes of its code the tests of a step do not catch
    #[command(after_help = "\
cargo-mutants makes them, in 20-27. It takes some minutes.

Example: cargo book mutants")]
    Mutants,
    /// Record what Miri, ThreadSanitizer and a stress run say
    #[command(after_help = "\
It takes some minutes, and needs a nightly Rust.

Example: cargo book tools")]
    Tools,
    Bench(bench::Arguments),
    /// Take the pictures of rendered pages, with Chromium
    #[command(after_help = "Example: cargo book picture")]
    Picture,
}

/// Serve the book, and build it again when one of its files changes
#[derive(clap::Args)]
#[command(after_help = "\
The server is the newest one of the book, and stops as that does: Ctrl-C asks it
to, and a second Ctrl-C ends it at once. The status is 0 if everyone had an answer
in time, and 3 if not.

Example: cargo book serve --open --port 3001")]
pub struct Serve {
    /// The name or address of this machine that it is served at
    #[arg(short = 'n', long, value_name = "HOST", default_value = "localhost")]
    hostname: String,
    /// The port that it is served on; 0: one that is free
    #[arg(short, long, default_value_t = 3000)]
    port: u16,
    /// Show the book in a browser
    #[arg(short, long)]
    open: bool,
}

impl Serve {
    /// The same for the program that shows the book.
    pub fn to_show(&self) -> site::Command {
        site::Command::Serve(site::Serve {
            hostname: self.hostname.clone(),
            port: self.port,
            open: self.open,
        })
    }
}

/// Build the book's pages
#[derive(clap::Args)]
#[command(after_help = "\
The pages can be read without a server. If one of them cannot be built, those that
were in the folder before stay there.

Example: cargo book build --open")]
pub struct Build {
    /// Show the book in a browser
    #[arg(short, long)]
    open: bool,
    /// The folder for the pages [default: target/book/html in the folder of this book]
    #[arg(short, long, value_name = "FOLDER")]
    dest_dir: Option<PathBuf>,
}

impl Build {
    /// The same for the program that shows the book.
    pub fn to_show(&self) -> site::Command {
        site::Command::Build(site::Build {
            dest_dir: self.dest_dir.clone(),
            open: self.open,
        })
    }
}

impl Command {
    /// Reads what follows `cargo book`. Nothing at all is `serve --open`.
    ///
    /// # Errors
    ///
    /// When it is no call of a command, and when it asks for help: the error is what to print.
    pub fn read(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Command, Error> {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let mut definition = Call::command();
        definition.build();
        let words = [OsString::from("cargo book")].into_iter();
        let matches = definition.try_get_matches_from_mut(words.chain(arguments.iter().cloned()));
        let call = matches.and_then(|matches| Call::from_arg_matches(&matches));
        // Errors tell how the command is called that they are about.
        let named = arguments.first().and_then(|name| name.to_str());
        let called = match named.and_then(|name| definition.find_subcommand(name).cloned()) {
            Some(command) => command,
            None => definition,
        };
        let call = call.map_err(|error| with_usage(error, called.clone()))?;
        let fits = match &call.command {
            Some(Command::Search(search)) => search.check(),
            Some(Command::Replay(replay)) => replay.check(),
            _ => Ok(()),
        };
        fits.map_err(|why| called.clone().error(ErrorKind::ArgumentConflict, why))?;
        match call.command {
            Some(command) => Ok(command),
            None => Command::read(["serve", "--open"]),
        }
    }
}

/// An error about a value does not tell by itself how the command is called.
fn with_usage(mut error: Error, mut called: clap::Command) -> Error {
    if error.use_stderr() && error.get(ContextKind::Usage).is_none() {
        let usage = ContextValue::StyledStr(called.render_usage());
        error.insert(ContextKind::Usage, usage);
    }
    error
}

/// Takes one of the names, which it lists for whoever asks, and finds what was meant. `listing-20-24`
/// is written short, as `20-24`, and taken in either way.
pub(crate) fn one_of(names: Result<Vec<String>>) -> ValueParser {
    match names {
        Ok(names) => {
            let short = names.iter().map(|name| {
                let short = name.strip_prefix("listing-").unwrap_or(name);
                PossibleValue::new(short.to_owned()).alias(name.clone())
            });
            let known = PossibleValuesParser::new(short.collect::<Vec<_>>());
            known
                .map(move |given| {
                    let full = format!("listing-{given}");
                    if names.contains(&full) {
                        full
                    } else {
                        given
                    }
                })
                .into()
        }
        // It is said to whoever gives a name.
        Err(error) => {
            let error = format!("{error:#}");
            ValueParser::new(move |_: &str| Err::<String, _>(error.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "another test runs it, in a terminal"]
    fn says_how_a_step_is_written() {
        let help = Command::read(["help", "step"]).err().unwrap();
        site::said::print(&format!("\n{}", help.render())).unwrap();
    }
}
