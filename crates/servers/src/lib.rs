//! One set of failures, asked of the book's servers and of published ones.
//!
//! [`adapters`] starts each of them with the same pages, and [`conformance`] plays the scenarios, in
//! which it is asked to stop. [`broken`] has the book's last server with one fault each, which the
//! scenarios must find.
//!
//! The servers in `src/bin` are small programs, each set up as its documentation says: it has four
//! workers, takes the address to listen at as its argument, says `listening on ADDRESS` on standard
//! error, and stops at SIGTERM. `cargo book bench servers` measures some of them.
//!
//! All this is not built by `cargo test` in the workspace: together the servers need some hundred
//! crates.
#![cfg(unix)]

pub mod adapters;
pub mod broken;
pub mod conformance;
pub mod listing;

use signal_hook::{consts::SIGTERM, low_level::pipe};
use std::{
    env,
    io::{self, prelude::*},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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

/// How long a client may take for a request or for an answer, and how long the drain may take, if a
/// scenario says so.
pub fn limits() -> (Option<Duration>, Option<Duration>) {
    let time = |name| env::var(name).ok()?.parse().ok().map(Duration::from_millis);
    (time("PATIENCE"), time("GRACE"))
}

/// Where a handler waits, if a scenario says so.
fn gate() -> io::Result<String> {
    env::var("GATE").map_err(|_| io::Error::new(io::ErrorKind::NotFound, "there is no gate"))
}

/// What the handler of this path says at the gate. Then it waits for the end of what comes.
fn at_gate(path: &str) -> String {
    format!("GET {path} HTTP/1.0\r\n\r\n")
}

/// Waits at the gate, on this thread.
///
/// # Errors
///
/// If there is no gate.
pub fn wait_at_gate(path: &str) -> io::Result<()> {
    let mut gate = TcpStream::connect(gate()?)?;
    gate.write_all(at_gate(path).as_bytes())?;
    gate.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The same on `tokio`, whose thread does something else meanwhile.
///
/// # Errors
///
/// If there is no gate.
pub async fn wait_at_gate_async(path: &str) -> io::Result<()> {
    let mut gate = tokio::net::TcpStream::connect(gate()?).await?;
    gate.write_all(at_gate(path).as_bytes()).await?;
    gate.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// The page `/big`.
pub fn big() -> Vec<u8> {
    vec![b'.'; conformance::PAGE_BIG]
}
