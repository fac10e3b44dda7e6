//! The pages and the limits with which the book's server is asked. `Settings` in
//! `crates/servers/src/adapters.rs` says what the variables are.

use hello::{Limits, Request, Response};
use std::{
    env,
    io::{prelude::*, Result},
    net::TcpStream,
    time::Duration,
};

const PAGE: &str = include_str!("../hello.html");

/// A variable that is a number.
fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

pub fn limits(limits: Limits) -> Limits {
    let patience = number("PATIENCE").map(Duration::from_millis);
    Limits {
        head: patience.unwrap_or(limits.head),
        response: patience.unwrap_or(limits.response),
        grace: number("GRACE").map_or(limits.grace, Duration::from_millis),
        queue: number("QUEUE").map_or(limits.queue, |queue| queue as usize),
        ..limits
    }
}

pub fn pages(request: &Request) -> Response {
    let (status, body) = match request.path.as_str() {
        "/" => ("200 OK", PAGE.into()),
        "/big" => ("200 OK", vec![b'.'; 32 * 1024 * 1024]),
        "/echo" => ("200 OK", request.body.clone()),
        "/sleep" => {
            wait("/sleep").expect("the gate opens");
            ("200 OK", PAGE.into())
        }
        "/panic" => {
            wait("/panic").expect("the gate opens");
            panic!("as it was asked to")
        }
        _ => ("404 NOT FOUND", Vec::new()),
    };
    Response::html(status, body)
}

/// Says that it has begun, and waits until it may go on.
fn wait(path: &str) -> Result<()> {
    let mut gate = TcpStream::connect(env::var("GATE").unwrap_or_default())?;
    write!(gate, "GET {path} HTTP/1.0\r\n\r\n")?;
    gate.read_to_end(&mut Vec::new())?;
    Ok(())
}
