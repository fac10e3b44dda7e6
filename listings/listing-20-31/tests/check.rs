//! What counts as done: `cargo book check 20-31 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

mod common;

use common::{finish, hello, read, Server, ANY_PORT};
use std::{
    net::TcpListener, os::unix::process::ExitStatusExt, process::ExitStatus, thread, time::Duration,
};

/// The signals that ask to stop, with their numbers.
const SIGNALS: [(&str, i32); 2] = [("INT", 2), ("TERM", 15)];

fn start_with(arguments: &[&str]) -> Server {
    let mut command = hello();
    command.args(arguments);
    Server::spawn(command)
}

/// The server has ended with this status, and its only line has all the parts.
#[track_caller]
fn ends_with_one_line(mut server: Server, code: i32, parts: &[&str]) {
    let (exit, _) = server.ended();
    let complaints = server.complaints();
    assert_eq!(exit.code(), Some(code), "{complaints:#?}");
    let [line] = &complaints[..] else {
        panic!("not one line: {complaints:#?}");
    };
    for part in parts {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn a_signal_ends_it_with_status_0() {
    for (name, _) in SIGNALS {
        let mut server = Server::start();
        assert!(server.get("/").starts_with("HTTP/1.1 200 "));
        server.signal(name);

        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "SIG{name}: {exit}");
    }
}

#[test]
fn it_serves_until_then() {
    let mut server = Server::start();
    for _ in 0..5 {
        assert!(server.get("/").starts_with("HTTP/1.1 200 "));
    }
    assert!(server.is_running());
}

/// Whatever was connected before the signal is in the system's queue: the server has no chance to
/// accept anybody until it goes on, and then the signal has come.
#[test]
fn who_is_connected_when_the_signal_comes_is_answered() {
    for (name, _) in SIGNALS {
        let mut server = Server::start();
        server.signal("STOP");
        let clients: Vec<_> = (0..20).map(|_| server.send("/")).collect();
        server.signal(name);
        server.signal("CONT");

        for client in clients {
            assert!(read(client).starts_with("HTTP/1.1 200 "));
        }
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "SIG{name}: {exit}");
    }
}

#[test]
fn who_comes_later_is_refused_while_others_still_get_their_answers() {
    let mut server = Server::start();
    let client = server.begin();
    server.signal("TERM");

    server.refuses();
    assert!(server.is_running());
    assert!(finish(client).starts_with("HTTP/1.1 200 "));
    let (exit, _) = server.ended();
    assert_eq!(exit.code(), Some(0), "{exit}");
}

#[test]
fn when_every_worker_is_busy_the_signal_is_heard_all_the_same() {
    let mut server = Server::start();
    let busy: Vec<_> = (0..4).map(|_| server.begin()).collect();
    let queued = server.send("/");
    server.signal("TERM");

    server.refuses();
    for client in busy {
        assert!(finish(client).starts_with("HTTP/1.1 200 "));
    }
    assert!(read(queued).starts_with("HTTP/1.1 200 "));
    let (exit, _) = server.ended();
    assert_eq!(exit.code(), Some(0), "{exit}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for (first, _) in SIGNALS {
        for (second, number) in SIGNALS {
            let mut server = Server::start();
            let _unanswered = server.begin();
            server.signal(first);
            server.refuses(); // so it has heard the first
            server.signal(second);

            let (exit, _) = server.ended();
            assert_eq!(
                exit.code(),
                Some(128 + number),
                "SIG{first}, SIG{second}: {exit}"
            );
        }
    }
}

#[test]
fn two_signals_at_once_end_it_either_way() {
    for _ in 0..10 {
        let mut server = Server::start();
        server.signal("STOP");
        for (name, _) in SIGNALS {
            server.signal(name);
        }
        server.signal("CONT");

        let (exit, _) = server.ended();
        assert!(matches!(exit.code(), Some(0 | 130 | 143)), "{exit}");
    }
}

/// Before it has asked for the signal, that ends it. From then on, the server ends by itself. (Whoever
/// starts these tests may have SIGINT ignored, as a shell does for what runs in the background: then
/// one that comes early enough is.)
#[test]
fn a_signal_that_comes_while_it_starts_is_not_lost() {
    let ended_well =
        |exit: ExitStatus, number| exit.signal() == Some(number) || exit.code() == Some(0);
    for attempt in 0..60 {
        let (name, number) = ("TERM", 15);
        let mut server = start_with(&[ANY_PORT]);
        thread::sleep(Duration::from_micros(50 * attempt));
        server.signal(name);

        let (exit, _) = server.ended();
        assert!(
            ended_well(exit, number),
            "SIG{name}, attempt {attempt}: {exit}"
        );
    }
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let taken = TcpListener::bind(ANY_PORT).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let cause = TcpListener::bind(&address).unwrap_err().to_string();

    ends_with_one_line(start_with(&[&address]), 1, &[&address, &cause]);
}

#[test]
fn an_address_that_is_none_is_an_error_that_names_it() {
    for address in ["127.0.0.1", "127.0.0.1:http", "7878", ":", ""] {
        ends_with_one_line(start_with(&[address]), 1, &[&format!(" {address}: ")]);
    }
}

#[test]
fn other_arguments_get_the_usage_and_status_2() {
    for arguments in [&["--help"][..], &[ANY_PORT, ANY_PORT]] {
        ends_with_one_line(start_with(arguments), 2, &["usage: hello [ADDRESS:PORT]"]);
    }
}
