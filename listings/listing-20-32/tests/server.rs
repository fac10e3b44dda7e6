//! What the check of this step does not ask of every server: what this one says, and what it does
//! when something is used up, or gone.

#![cfg(unix)]

mod common;
mod patience;

use common::{finish, in_time, Server, ANY_PORT};
use hello::ServerError;
use patience::patiently;
use std::{
    io::prelude::*,
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    thread,
    time::{Duration, Instant},
};

#[test]
fn it_says_who_has_asked_and_how_many_are_still_to_be_answered() {
    patiently(says_who_has_asked);
}

fn says_who_has_asked() {
    for signal in ["INT", "TERM"] {
        let mut server = Server::start();
        let clients: Vec<_> = (0..5).map(|_| server.begin()).collect();
        server.signal(signal);

        let stopping = format!("SIG{signal}: stopping, 5 still to answer");
        server.complained(&stopping);
        for client in clients {
            assert!(finish(client).starts_with("HTTP/1.1 200 "));
        }
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "SIG{signal}: {exit}");
        let told = server.complaints();
        assert_eq!(told[1..], [&stopping, "stopped"], "{told:?}");
    }
}

#[test]
fn without_a_listener_the_loop_ends_with_an_error() {
    let (stop, _ask) = UnixStream::pair().unwrap();
    let peer = TcpListener::bind(ANY_PORT).unwrap();
    let connection = TcpStream::connect(peer.local_addr().unwrap()).unwrap();
    drop(peer); // it can be read now: it has been reset
    let server = hello::Server::on(TcpListener::from(OwnedFd::from(connection))).unwrap();

    let ended = in_time(|| server.run(stop)).expect("it panicked");
    assert!(matches!(ended, Err(ServerError::Accept(_))));
}

/// A read with a timeout is not taken up again by the system.
#[test]
fn a_server_that_was_stopped_goes_on_hanging_up() {
    let a_moment = Duration::from_millis(50);
    loop {
        let server = Server::start();
        let mut client = server.connect();
        let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n";
        client.write_all(head).unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 405 "), "{response}");

        let start = Instant::now(); // from now on, it reads what comes for a second
        for signal in ["STOP", "CONT"] {
            thread::sleep(a_moment);
            server.signal(signal);
        }
        let sent = [b"rest", b"rest"].map(|part| {
            thread::sleep(a_moment);
            client.write_all(part)
        });
        match sent {
            [Ok(()), Ok(())] => break,
            // On a busy machine, the second may be over.
            _ if start.elapsed() > Duration::from_millis(800) => continue,
            sent => panic!("the connection is closed: {sent:?}"),
        }
    }
}

/// How many files a process has open tells on Linux alone.
#[cfg(target_os = "linux")]
mod with_few_open_files {
    use super::{
        common::{hello, read, Server, ANY_PORT},
        patience::patiently,
    };
    use std::{io::prelude::*, net::TcpListener, process::Command};

    /// The server with so many open files at most. Seven are the three that every process has, the
    /// listener, and what the signals need; whoever runs these tests may have left others open, which
    /// are closed, if they would count.
    fn with_open_files(most: u32, arguments: &str) -> Command {
        let mut command = Command::new("sh");
        let closed: String = (3..10).map(|file| format!("{file}<&- ")).collect();
        let script = format!("exec {closed}&& ulimit -n {most} && exec \"$0\" {arguments}");
        command.args(["-c", &script]).arg(hello().get_program());
        command
    }

    #[test]
    fn where_nobody_can_be_accepted_it_stops_all_the_same() {
        let mut server = Server::start_as(with_open_files(7, ANY_PORT));
        let client = server.connect();
        server.complained("cannot accept a connection: Too many open files");
        server.signal("TERM");

        // The client is lost, and the status says so.
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(1), "{exit}");
        drop(client);

        // There is nobody who could be lost.
        let mut server = Server::start_as(with_open_files(7, ANY_PORT));
        server.signal("TERM");
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "{exit}");
    }

    #[test]
    fn where_one_has_to_be_answered_before_the_next_is_accepted_all_are() {
        patiently(answers_one_and_then_the_next);
    }

    fn answers_one_and_then_the_next() {
        let mut server = Server::start_as(with_open_files(8, ANY_PORT));
        let mut first = server.connect();
        let others: Vec<_> = (0..3).map(|_| server.connect()).collect();
        let used_up = "cannot accept a connection: Too many open files";
        server.complained(used_up);
        server.signal("TERM");
        server.complained_times(6, used_up); // it goes on asking

        // It may not read a file for a page, and needs none for this answer.
        first.write_all(b"nonsense\r\n\r\n").unwrap();
        assert!(read(first).starts_with("HTTP/1.1 400 "));
        for mut client in others {
            client.write_all(b"nonsense\r\n\r\n").unwrap();
            assert!(read(client).starts_with("HTTP/1.1 400 "));
        }
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "{exit}");
    }

    /// With four open files, there is room for a listener, or for what the signals need, but not for
    /// all. What is missing tells what comes first: whoever can connect can also be sure that a signal
    /// will be heard.
    #[test]
    fn it_hears_signals_before_it_listens() {
        let taken = TcpListener::bind(ANY_PORT).unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let mut server = Server::spawn(with_open_files(4, &address));

        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(1), "{exit}");
        assert_eq!(
            server.complaints(),
            ["error: Too many open files (os error 24)"]
        );
    }

    /// Here the loop goes round and round, as it may yet accept somebody when the first client is done.
    #[test]
    fn a_loop_that_waits_for_a_free_descriptor_ends_with_the_grace() {
        patiently(|| {
            let command = with_open_files(8, &format!("--grace 1 {ANY_PORT}"));
            let mut server = Server::start_as(command);
            let _first = server.begin();
            let _others: Vec<_> = (0..3).map(|_| server.connect()).collect();
            server.complained("cannot accept a connection: Too many open files");
            server.signal("TERM");

            let (exit, _) = server.ended();
            // The others cannot even be counted.
            assert_eq!(exit.code(), Some(1), "{exit}");
            let told = server.complaints();
            let last = told.last().map(String::as_str).unwrap_or_default();
            assert!(last.contains("Too many open files"), "{told:?}");
        });
    }
}
