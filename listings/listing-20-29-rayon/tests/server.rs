//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::{Server, ADDRESS};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

#[test]
fn serves_two_requests_and_ends() {
    let mut server = Server::start();

    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 NOT FOUND"));

    let (status, lines) = server.ended();
    assert!(status.success(), "{status}");
    assert_eq!(lines, ["Shutting down."]);

    let third = TcpStream::connect(ADDRESS);
    assert_eq!(third.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn finishes_the_slow_request_and_never_answers_a_third() {
    let mut server = Server::start();

    let start = Instant::now();
    let mut slow = server.connect();
    slow.write_all(b"GET /sleep HT").unwrap(); // it cannot be finished before the rest is here
    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    server.printed("Shutting down.");

    // The listener is still there, but nobody accepts from it any more.
    let mut third = server.send("/");
    assert!(server.is_running(), "the drain ended before `/sleep` did");

    slow.write_all(b"TP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let response = common::read(slow);
    assert!(response.starts_with("HTTP/1.1 200 OK"));
    assert!(start.elapsed() >= Duration::from_secs(5), "it was not slow");

    let mut answer = Vec::new();
    let ending = third.read_to_end(&mut answer);
    assert_eq!(answer, b"", "the third request was answered");
    if cfg!(target_os = "linux") {
        assert_eq!(ending.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    let (status, lines) = server.ended();
    assert!(status.success(), "{status}");
    assert_eq!(lines, ["Shutting down."]);

    let fourth = TcpStream::connect(ADDRESS);
    assert_eq!(fourth.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
