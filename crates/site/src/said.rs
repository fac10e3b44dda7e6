//! What `cargo book` prints: the same for this program and for `book-commands`.

use anyhow::{Context, Result};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// The status to exit with. Where it has failed, says why.
pub fn status(done: Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        say(&format!("error: {error:#}\n"));
        ExitCode::FAILURE
    })
}

/// Prints on standard output. Whoever has closed it, as `head` does, wants no more of it, and that is
/// no failure.
///
/// # Errors
///
/// When it cannot be printed for another reason, such as a full disk.
pub fn print(text: &str) -> Result<()> {
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
pub fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
