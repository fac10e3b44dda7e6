// ANCHOR: uses
//! The next connection.

use crate::errors::{report, ServerError};
use std::{
    io::{self, ErrorKind},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};
// ANCHOR_END: uses

// ANCHOR: accept
/// The next connection; or an error after which there can be no other.
pub fn accept(listener: &TcpListener) -> Result<TcpStream, ServerError> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => return Ok(stream),
            Err(error) => match after(&error) {
                Next::AtOnce => {}
                Next::AfterAPause => {
                    report(&ServerError::Accept(error));
                    thread::sleep(Duration::from_millis(100));
                }
                Next::Never => return Err(ServerError::Accept(error)),
            },
        }
    }
}

/// When to ask for the next connection.
#[derive(Debug, PartialEq)]
pub enum Next {
    AtOnce,
    AfterAPause,
    Never,
}

// Errors of the system for which `ErrorKind` has no name.
const LINUX: bool = cfg!(any(target_os = "linux", target_os = "android"));
const EBADF: i32 = 9;
const ENOTSOCK: i32 = if LINUX { 88 } else { 38 };
const EPROTO: i32 = if LINUX { 71 } else { 100 };

pub fn after(error: &io::Error) -> Next {
    match (error.kind(), error.raw_os_error()) {
        // One connection has failed before we got to it, or a signal came.
        (ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset, _)
        | (ErrorKind::NetworkDown | ErrorKind::NetworkUnreachable, _)
        | (ErrorKind::HostUnreachable | ErrorKind::TimedOut | ErrorKind::Interrupted, _)
        | (_, Some(EPROTO)) => Next::AtOnce,
        // The listener does not listen, or is gone. It will not come back.
        (ErrorKind::InvalidInput, _) | (_, Some(EBADF | ENOTSOCK)) => Next::Never,
        // Too many open files, no memory; and whatever else there may be.
        _ => Next::AfterAPause,
    }
}
// ANCHOR_END: accept
