//! The server as a reader meets it: a process, requests over TCP, and signals.

mod common;

use common::Server;

#[test]
fn it_stops_when_it_is_asked_to() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start();
        server.signal(signal);

        let (status, _) = server.ended();
        assert_eq!(status.code(), Some(0), "SIG{signal}");
        let told = server.complaints();
        let stopping = format!("SIG{signal}: stopping, 0 still to answer");
        assert_eq!(told[1..], [&stopping, "stopped"], "{told:?}");
    }
}
