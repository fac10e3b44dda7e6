// ANCHOR: errors
//! The server's errors, and how they are told.

use crate::ADDRESS;
use hello::BuildError;
use std::{
    error::Error,
    fmt,
    io::{self, prelude::*},
};

/// What can go wrong on the server's side.
#[derive(Debug)]
pub enum ServerError {
    Listen(io::Error),
    Pool(BuildError),
    Accept(io::Error),
    Page(&'static str, io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ServerError::Listen(_) => write!(f, "cannot listen on {ADDRESS}"),
            ServerError::Pool(_) => write!(f, "cannot start the pool"),
            ServerError::Accept(_) => write!(f, "cannot accept a connection"),
            ServerError::Page(file, _) => write!(f, "cannot read {file}"),
        }
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ServerError::Pool(error) => Some(error),
            ServerError::Listen(error)
            | ServerError::Accept(error)
            | ServerError::Page(_, error) => Some(error),
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
    let _ = writeln!(io::stderr(), "{line}");
}
// ANCHOR_END: errors
