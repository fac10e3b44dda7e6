//! How long the program takes to stop, and what it says then. It still stops as Listing 20-31 does.

#![cfg(unix)]

mod common;
mod patience;

use common::{finish, hello, read, Server, ANY_PORT};
use patience::patiently;
#[cfg(target_os = "linux")]
use std::io::prelude::*;

/// The server, which has so many seconds to stop.
fn with_grace(seconds: &str) -> Server {
    let mut command = hello();
    command.args(["--grace", seconds, ANY_PORT]);
    Server::start_as(command)
}

#[test]
fn when_the_grace_is_over_it_says_how_many_were_cut_off() {
    patiently(|| {
        let mut server = with_grace("1");
        let _running: Vec<_> = (0..4).map(|_| server.begin()).collect();
        for worker in 0..4 {
            server.printed(&format!("Worker {worker} got a job; executing."));
        }
        let _queued: Vec<_> = (0..3).map(|_| server.send("/")).collect();
        server.signal("TERM");

        let (exit, _) = server.ended();
        let told = server.complaints();
        assert_eq!(
            told[1..],
            [
                "SIGTERM: stopping, 7 still to answer",
                "out of time: cut off 4 in the middle, and 3 that had not begun"
            ],
            "{exit}"
        );
        assert_eq!(exit.code(), Some(3), "{exit}");
    });
}

#[test]
fn without_a_grace_it_stops_at_once_and_well_if_nothing_is_left() {
    let mut server = with_grace("0");
    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
    server.signal("TERM");

    let (exit, _) = server.ended();
    let told = server.complaints();
    // What it has answered may not be done for another moment: its client has yet to hang up. Then it is
    // counted, and done in time or not.
    let stopping = |left| format!("SIGTERM: stopping, {left} still to answer");
    let last = match exit.code() {
        Some(0) => "stopped",
        Some(3) => "out of time: cut off 1 in the middle, and 0 that had not begun",
        _ => "",
    };
    let as_said = [0, 1]
        .iter()
        .any(|left| told[1..] == [stopping(left), last.into()]);
    assert!(as_said, "{exit}: {told:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_grace_whoever_is_in_the_queue_of_the_system_is_counted() {
    let mut server = with_grace("0");
    server.stand_still();
    let clients: Vec<_> = (0..20).map(|_| server.send("/")).collect();
    server.signal("TERM");
    server.signal("CONT");

    // A worker may be quick enough for some of them.
    let (exit, _) = server.ended();
    let mut lost = 0;
    for mut client in clients {
        let mut response = String::new();
        let read = client.read_to_string(&mut response);
        lost += usize::from(read.is_err() || response.is_empty());
    }
    let is_told = exit.code() == Some(3) || exit.success() && lost == 0;
    assert!(is_told, "{lost} lost: {exit}");
}

#[test]
fn without_a_grace_whoever_is_served_is_cut_off() {
    patiently(|| {
        let mut server = with_grace("0");
        let _clients: Vec<_> = (0..4).map(|_| server.begin()).collect();
        for worker in 0..4 {
            server.printed(&format!("Worker {worker} got a job; executing."));
        }
        server.signal("INT");

        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(3), "{exit}");
        assert_eq!(
            server.complaints()[2],
            "out of time: cut off 4 in the middle, and 0 that had not begun"
        );
    });
}

#[test]
fn a_second_signal_is_quicker_than_a_long_grace() {
    patiently(|| {
        let mut server = with_grace("4294967295");
        let _client = server.begin();
        server.signal("TERM");
        server.complained("SIGTERM: stopping, 1 still to answer");
        server.signal("INT");

        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(130), "{exit}");
    });
}

/// Whatever was connected before the signal is in the system's queue: the server has no chance to
/// accept anybody until it goes on, and then the signal has come.
#[test]
fn who_is_connected_when_the_signal_comes_is_answered() {
    let mut server = Server::start();
    server.signal("STOP");
    let clients: Vec<_> = (0..20).map(|_| server.send("/")).collect();
    server.signal("TERM");
    server.signal("CONT");

    for client in clients {
        assert!(read(client).starts_with("HTTP/1.1 200 "));
    }
    let (exit, _) = server.ended();
    assert_eq!(exit.code(), Some(0), "{exit}");
}

#[test]
fn who_comes_later_is_refused_while_others_still_get_their_answers() {
    patiently(|| {
        let mut server = Server::start();
        let client = server.begin();
        server.signal("TERM");

        server.refuses();
        assert!(server.is_running());
        assert!(finish(client).starts_with("HTTP/1.1 200 "));
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "{exit}");
    });
}

#[test]
fn other_arguments_get_the_usage_and_status_2() {
    for arguments in [
        &["--help"][..],
        &[ANY_PORT, ANY_PORT],
        &["--grace"],
        &["--grace", "soon"],
        &["--grace", "-1"],
        &[ANY_PORT, "--grace", "1"],
    ] {
        let mut command = hello();
        command.args(arguments);
        let mut server = Server::spawn(command);

        let (exit, _) = server.ended();
        let told = server.complaints();
        assert_eq!(exit.code(), Some(2), "{told:?}");
        assert_eq!(told, ["usage: hello [--grace SECONDS] [ADDRESS:PORT]"]);
    }
}
