//! The book's newest server and published ones, each a small program in `src/bin`: it is set up as its
//! documentation says, has four workers, takes the address to listen at as its argument, says
//! `listening on ADDRESS` on standard error, and stops at SIGTERM.
//!
//! They are not built by `cargo test` in the workspace: together they need some fifty crates.
//! `cargo book bench servers` builds and measures them.
#![cfg(unix)]

use signal_hook::{consts::SIGTERM, low_level::pipe};
use std::{env, io, net::SocketAddr, os::unix::net::UnixStream};

/// How many threads each has.
pub const WORKERS: usize = 4;

/// What they all answer at `/`, from memory.
pub const PAGE: &str = include_str!("../../../listings/starting-point/hello.html");

/// Where to listen: the first argument.
///
/// # Errors
///
/// If there is none.
pub fn address() -> io::Result<String> {
    let address = env::args().nth(1);
    address.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "usage: SERVER ADDRESS:PORT"))
}

/// Tells whoever has started the program where it listens.
pub fn listening(address: SocketAddr) {
    eprintln!("listening on {address}");
}

/// There is something to read here once SIGTERM has come. From this call on it does nothing else.
///
/// # Errors
///
/// If the system does not allow it.
pub fn asked_to_stop() -> io::Result<UnixStream> {
    let (asked, write) = UnixStream::pair()?;
    pipe::register(SIGTERM, write)?;
    Ok(asked)
}
