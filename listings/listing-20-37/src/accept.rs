// ANCHOR: uses
//! What an error of `accept` is followed by.

use std::io::{self, ErrorKind};
// ANCHOR_END: uses

// ANCHOR: accept
/// When to ask for the next connection.
#[derive(Debug, PartialEq)]
pub enum Next {
    AtOnce,
    WhenOneComes,
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
        // There is no connection.
        (ErrorKind::WouldBlock, _) => Next::WhenOneComes,
        // The listener does not listen, or is gone. It will not come back.
        (ErrorKind::InvalidInput, _) | (_, Some(EBADF | ENOTSOCK)) => Next::Never,
        // Too many open files, no memory; and whatever else there may be.
        _ => Next::AfterAPause,
    }
}
// ANCHOR_END: accept
