//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::Server;

#[test]
fn still_serves_without_end() {
    let mut server = Server::start();

    for _ in 0..3 {
        assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
        assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 NOT FOUND"));
    }
    assert!(server.is_running());
}
