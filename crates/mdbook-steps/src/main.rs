//! The command that mdBook runs: `mdbook-steps supports RENDERER`, or the book on standard input.

use mdbook_preprocessor::{parse_input, Preprocessor};
use mdbook_steps::Steps;
use std::{env, io, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("supports") => return ExitCode::SUCCESS,
        Some(other) => {
            eprintln!("error: mdbook-steps is run by mdBook and knows no `{other}`");
            return ExitCode::from(2);
        }
        None => {}
    }
    let expanded = parse_input(io::stdin())
        .and_then(|(context, book)| Steps.run(&context, book))
        .and_then(|book| Ok(serde_json::to_writer(io::stdout(), &book)?));
    match expanded {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
