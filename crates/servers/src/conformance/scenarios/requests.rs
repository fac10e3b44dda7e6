//! Requests that come in parts, or more than one at once.

use super::Played;
use crate::conformance::{client::get, stage::Setup, Outcome};

const FIRST_HALF: &str = "GET / HTTP/1.1\r\nHo";
const SECOND_HALF: &str = "st: a\r\n\r\n";

pub fn half_head(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send_and_wait(FIRST_HALF)?;
    server.ask_to_stop()?;
    client.send(SECOND_HALF)?;
    client.page()?;
    server.ends()
}

pub fn half_second_head(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the first request")?;
    client.send(get("/"))?;
    client.page()?;
    client.is_now("the second request");
    client.send_and_wait(FIRST_HALF)?;
    server.ask_to_stop()?;
    client.send(SECOND_HALF)?;
    client.page()?;
    server.ends()
}

pub fn half_head_for_ever(setup: Setup) -> Played {
    let mut server = setup.hasty().start()?;
    let mut client = server.client("the client")?;
    client.send_and_wait(FIRST_HALF)?;
    server.ask_to_stop()?;
    server.ends_in_time()
}

/// A post to `/echo` of so many bytes, with one more header.
fn post(length: usize, header: &str) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: a\r\n{header}Content-Length: {length}\r\n\r\n")
}

pub fn half_body(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send_and_wait(post(10, "") + "first")?;
    server.ask_to_stop()?;
    client.send("-half")?;
    let answer = client.answer()?;
    if answer.status != 200 || answer.body != b"first-half" {
        let what = format!("{}, and not its own words", answer.status);
        return Err(client.wrong(Outcome::Other, what));
    }
    server.ends()
}

/// The server may refuse the body. If it asks for it, it has to answer.
pub fn expect(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the head")?;
    client.send(post(4, "Expect: 100-continue\r\n"))?;
    let go_on = client.head()?;
    if go_on.status != 100 {
        server.ask_to_stop()?; // it is refused, and the client need not send it
        return server.ends();
    }
    client.is_now("the body");
    server.ask_to_stop()?;
    client.send("four")?;
    let answer = client.answer()?;
    if answer.status != 200 || answer.body != b"four" {
        let what = format!("{}, and not its own words", answer.status);
        return Err(client.wrong(Outcome::Other, what));
    }
    server.ends()
}

/// The body may be refused, but the client has to be able to read that.
pub fn unread_body(setup: Setup) -> Played {
    const LENGTH: usize = 200_000;
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n");
    let half = ".".repeat(LENGTH / 2);
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send_and_wait(head + &half)?;
    server.ask_to_stop()?;
    let sent = client.send(half);
    client.answer()?;
    client.end()?;
    sent?;
    server.ends()
}

/// The second need not be answered. But if it is not, the client has to know that.
pub fn two_at_once(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the first request")?;
    client.send(get("/sleep") + &get("/"))?;
    let handler = server.gate.begun()?;
    server.ask_to_stop()?;
    handler.release();
    let first = client.page()?;
    client.is_now("the second request");
    if !first.is_last() {
        client.page()?;
    }
    client.end()?;
    server.ends()
}

pub fn http_1_0(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send("GET /sleep HTTP/1.0\r\n\r\n")?;
    let handler = server.gate.begun()?;
    server.ask_to_stop()?;
    handler.release();
    client.page()?;
    client.end()?;
    server.ends()
}
