//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::{wait_until, Server, ADDRESS};
use std::net::TcpStream;

#[test]
fn still_serves_without_end() {
    let mut server = Server::start();

    for _ in 0..3 {
        assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
        assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 NOT FOUND"));
    }
    assert!(server.is_running());
}

#[test]
fn silent_clients_use_up_the_workers() {
    let mut server = Server::start();

    for _ in 0..4 {
        drop(server.connect()); // hangs up without a word: a worker panics over it
    }
    // The last worker takes the receiver with it, and then `execute` has nobody to send to.
    wait_until("the server gives up", || {
        drop(TcpStream::connect(ADDRESS));
        !server.is_running()
    });
    assert!(!server.ended().0.success());
}
