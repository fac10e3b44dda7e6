// ANCHOR: errors
//! The server's errors, and how they are told.

use crate::BuildError;
use std::{
    error::Error,
    fmt,
    io::{self, prelude::*},
};

/// What can go wrong on the server's side.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerError {
    /// It cannot listen at this address.
    Listen(String, io::Error),
    /// What should be its socket is none.
    Handed(&'static str, io::Error),
    /// It cannot tell whoever has started it.
    Told(&'static str, io::Error),
    /// It has no workers.
    Pool(BuildError),
    /// It cannot accept a connection.
    Accept(io::Error),
    /// It cannot read the file of a page.
    Page(String, io::Error),
    /// It cannot read the rest of a file, of which a part is sent.
    Rest(io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ServerError::Listen(address, _) => write!(f, "cannot listen on {address}"),
            ServerError::Handed(what, _) => write!(f, "cannot listen on {what}"),
            ServerError::Told(what, _) => write!(f, "cannot write to {what}"),
            ServerError::Pool(_) => write!(f, "cannot start the pool"),
            ServerError::Accept(_) => write!(f, "cannot accept a connection"),
            ServerError::Page(file, _) => write!(f, "cannot read {file}"),
            ServerError::Rest(_) => write!(f, "cannot read the rest of a file"),
        }
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ServerError::Pool(error) => Some(error),
            ServerError::Listen(_, error)
            | ServerError::Handed(_, error)
            | ServerError::Told(_, error)
            | ServerError::Accept(error)
            | ServerError::Page(_, error)
            | ServerError::Rest(error) => Some(error),
        }
    }
}

/// Prints an error and its causes in one line.
pub fn report(error: &dyn Error) {
    let mut line = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        line += &format!(": {cause}");
        source = cause.source();
    }
    tell(format_args!("{line}"));
}

/// Prints a line to standard error if it can be printed. `eprintln!` alone would panic.
pub fn tell(line: fmt::Arguments) {
    // At once: what other processes print is not to come in between.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
// ANCHOR_END: errors
