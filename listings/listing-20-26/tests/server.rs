//! The server as a reader meets it: a process, and requests over TCP. It is that of Listing 20-25,
//! whose tests try more.

mod common;

use common::{Server, ADDRESS};
use std::{io::ErrorKind, net::TcpStream};

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
