//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::{Server, ADDRESS};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

#[test]
fn serves_two_requests_and_ends() {
    let mut server = Server::start();

    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 NOT FOUND"));

    let (status, lines) = server.ended();
    assert!(status.success(), "{status}");
    assert_clean_shutdown(&lines);

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
    assert_clean_shutdown(&lines);

    let fourth = TcpStream::connect(ADDRESS);
    assert_eq!(fourth.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

/// Which lines there are, and the order that holds between them in every run.
fn assert_clean_shutdown(lines: &[String]) {
    let position = |line: &str| {
        let at: Vec<_> = (0..lines.len()).filter(|&i| lines[i] == line).collect();
        assert_eq!(at.len(), 1, "{line:?} should be printed once: {lines:#?}");
        at[0]
    };

    let stopping = position("Shutting down.");
    let mut previous = stopping;
    for id in 0..4 {
        let joining = position(&format!("Shutting down worker {id}"));
        assert!(previous < joining, "{lines:#?}");

        let disconnected = position(&format!("Worker {id} disconnected; shutting down."));
        assert!(stopping < disconnected, "{lines:#?}");
        // Worker n is joined before the drop moves on to worker n + 1.
        previous = joining.max(disconnected);

        let job = format!("Worker {id} got a job; executing.");
        let last_job = lines.iter().rposition(|line| *line == job);
        assert!(last_job < Some(disconnected), "{lines:#?}");
    }

    let jobs = lines
        .iter()
        .filter(|line| line.ends_with("got a job; executing."));
    assert_eq!(jobs.count(), 2, "{lines:#?}");
    assert_eq!(lines.len(), 1 + 4 + 4 + 2, "{lines:#?}");
}

#[test]
fn a_silent_client_costs_the_clean_end() {
    let mut server = Server::start();

    for _ in 0..2 {
        drop(server.connect()); // hangs up without a word: a worker panics over it
    }

    let (status, _) = server.ended();
    assert_eq!(status.code(), Some(101));
}

#[test]
fn an_idle_connection_holds_up_the_shutdown() {
    let mut server = Server::start();

    let idle = server.connect(); // as a browser's spare connection: nothing is ever sent on it
    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    server.printed("Shutting down.");

    thread::sleep(Duration::from_secs(1));
    assert!(server.is_running(), "the shutdown did not wait");

    drop(idle);
    server.ended();
}
