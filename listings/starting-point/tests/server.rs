//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::Server;
use std::{
    fs,
    io::{ErrorKind, Read},
    time::{Duration, Instant},
};

#[test]
fn answers_each_path_with_its_page() {
    let mut server = Server::start();
    let hello = fs::read_to_string("hello.html").unwrap();
    let not_found = fs::read_to_string("404.html").unwrap();

    assert_eq!(
        server.get("/"),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{hello}",
            hello.len()
        )
    );
    assert_eq!(
        server.get("/nowhere"),
        format!(
            "HTTP/1.1 404 NOT FOUND\r\nContent-Length: {}\r\n\r\n{not_found}",
            not_found.len()
        )
    );
    assert!(server.is_running());
}

#[test]
fn a_slow_page_does_not_hold_up_the_others() {
    let server = Server::start();
    let start = Instant::now();
    let mut slow = server.send("/sleep");
    // These hold their workers for as long as they say nothing, which is longer than the slow page.
    let _silent = [server.connect(), server.connect()];

    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));

    // Not a byte of the slow page comes in the next second, unless five have passed by now.
    slow.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    match slow.read(&mut [0]) {
        Ok(bytes) => assert!(
            bytes == 1 && start.elapsed() >= Duration::from_secs(5),
            "it is not slow"
        ),
        Err(error) => assert!(
            matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ),
            "{error}"
        ),
    }
}
