//! Where a handler waits until the scenario lets it go on.
//!
//! A handler of `/sleep`, `/panic` or `/echo` connects here, says what it is in a line that looks like
//! a request of HTTP, and waits for the end of what it gets. A server that has no handlers, but can
//! be a proxy, has this as what is behind it.

use super::{client::DEADLINE, Outcome, Wrong};
use crate::PAGE;
use std::{
    io::{prelude::*, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    thread,
};

/// Listens for handlers.
pub struct Gate {
    pub address: SocketAddr,
    handlers: Receiver<Held>,
}

/// A handler that waits.
pub struct Held(TcpStream);

impl Gate {
    pub fn open() -> std::io::Result<Gate> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (sender, handlers) = mpsc::channel();
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || {
                    if let Some(held) = meet(stream) {
                        let _ = sender.send(held);
                    }
                });
            }
        });
        Ok(Gate { address, handlers })
    }

    /// Waits until a handler has begun.
    pub fn begun(&self) -> Result<Held, Wrong> {
        let held = self.handlers.recv_timeout(DEADLINE);
        held.map_err(|_| Wrong::new(Outcome::Silent, "no handler begins"))
    }
}

/// Reads what a handler says. An echo is answered at once.
fn meet(mut stream: TcpStream) -> Option<Held> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    let is_echo = line.contains(" /echo ");
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if is_echo {
        stream.write_all(&response(&body)).ok()?;
        return None;
    }
    Some(Held(stream))
}

fn response(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl Held {
    /// Lets it go on.
    pub fn release(mut self) {
        // It fails if the server is gone, which shows at the client.
        let _ = self.0.write_all(&response(PAGE.as_bytes()));
    }
}
