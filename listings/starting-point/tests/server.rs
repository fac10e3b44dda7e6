//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::Server;
use std::{
    fs,
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
    let slow = server.send("/sleep");

    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "`/` waited for `/sleep`"
    );

    assert!(common::read(slow).starts_with("HTTP/1.1 200 OK"));
    assert!(
        start.elapsed() >= Duration::from_secs(5),
        "`/sleep` did not sleep"
    );
}
