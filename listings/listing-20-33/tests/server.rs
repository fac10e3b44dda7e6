//! What the check of this step does not ask of every server: what this one says, how it stops, and what
//! it does when something is used up, or gone.

#![cfg(unix)]

mod common;
mod patience;

use common::{finish, hello, read, uninterrupted, Server, ANY_PORT, DEADLINE};
use patience::patiently;
use std::{
    io::prelude::*,
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

/// A server that could not go on for longer than clients have, and then finds that all of them were in
/// time: more of them than one call tells of.
#[test]
#[cfg(target_os = "linux")]
fn who_was_in_time_gets_a_page_although_the_server_was_not() {
    patiently(|| {
        let start = Instant::now();
        let server = Server::start();
        let mut clients: Vec<_> = (0..300).map(|_| server.begin()).collect();
        // Who came before this one is accepted, and so is the last one soon.
        assert!(server.get("/").starts_with("HTTP/1.1 200 "));
        server.stand_still();
        for client in &mut clients {
            client.write_all(b"\r\n").unwrap();
        }
        assert!(
            start.elapsed() < Duration::from_secs(4),
            "the clients are late"
        );
        thread::sleep(Duration::from_millis(5100)); // the time of the last one is over, too
        server.signal("CONT");
        for client in clients {
            assert!(read(client).starts_with("HTTP/1.1 200 "));
        }
    });
}

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
        let _running: Vec<_> = (0..4).map(|_| server.send("/sleep")).collect();
        for worker in 0..4 {
            server.printed(&format!("Worker {worker} got a job; executing."));
        }
        let _queued: Vec<_> = (0..3).map(|_| server.send("/")).collect();
        let _halves: Vec<_> = (0..2).map(|_| server.begin()).collect();
        server.signal("TERM");

        let (exit, _) = server.ended();
        let told = server.complaints();
        assert_eq!(
            told[1..],
            [
                "SIGTERM: stopping, 9 still to answer",
                "out of time: cut off 4 in the middle, and 5 that had not begun"
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

    // It waits for a goodbye of the client, and does not count that.
    let (exit, _) = server.ended();
    let told = server.complaints();
    assert_eq!(
        told[1..],
        ["SIGTERM: stopping, 0 still to answer", "stopped"]
    );
    assert_eq!(exit.code(), Some(0), "{exit}");
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

/// Its half of the connection ends with the response, and the other half a second later.
#[test]
fn what_a_client_sends_after_its_response_is_thrown_away() {
    for _ in 0..5 {
        let server = Server::start();
        let start = Instant::now();
        let mut client = server.connect();
        let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n";
        client.write_all(head).unwrap();
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 405 "), "{response}");
        let sent = [b"rest", b"rest"].map(|part| {
            thread::sleep(Duration::from_millis(50));
            client.write_all(part)
        });
        match sent {
            [Ok(()), Ok(())] => return,
            // On a busy machine, the second may be over.
            _ if start.elapsed() > Duration::from_millis(800) => {}
            sent => panic!("the connection is closed: {sent:?}"),
        }
    }
    panic!("in five attempts, the connection was closed");
}

/// In the step before, each of them would have kept a worker for a second: all of them, four workers for
/// 25 seconds.
#[test]
fn a_client_that_does_not_hang_up_keeps_no_worker() {
    let server = Server::start();
    let start = Instant::now();
    let clients: Vec<_> = (0..100).map(|_| server.send("/")).collect();
    for mut client in &clients {
        let mut answer = Vec::new();
        while !answer.trim_ascii_end().ends_with(b"</p>") {
            let mut bytes = [0; 1024];
            let read = uninterrupted(|| client.read(&mut bytes)).unwrap();
            assert!(read > 0, "a part of the page is missing");
            answer.extend_from_slice(&bytes[..read]);
        }
    }
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
}

#[test]
fn a_request_that_is_refused_needs_no_worker() {
    patiently(|| {
        let mut server = Server::start();
        let sleepers: Vec<_> = (0..4).map(|_| server.send("/sleep")).collect();
        for worker in 0..4 {
            server.printed(&format!("Worker {worker} got a job; executing."));
        }
        let mut client = server.connect();
        client.write_all(b"nonsense\r\n\r\n").unwrap();
        assert!(read(client).starts_with("HTTP/1.1 400 "));
        for sleeper in sleepers {
            sleeper.set_nonblocking(true).unwrap();
            assert!(sleeper.peek(&mut [0]).is_err(), "it has its page already");
        }
    });
}

/// How many files a process has open tells on Linux alone.
#[cfg(target_os = "linux")]
mod with_few_open_files {
    use super::{
        common::{hello, read, Server, ANY_PORT},
        patience::patiently,
    };
    use std::{
        io::prelude::*,
        process::Command,
        time::{Duration, Instant},
    };

    /// The server with so many open files at most. Nine are the three that every process has, the
    /// listener, what the signals need, and what the loop does; whoever runs these tests may have left others open, which
    /// are closed, if they would count.
    fn with_open_files(most: u32, arguments: &str) -> Command {
        let mut command = Command::new("sh");
        let closed: String = (3..10).map(|file| format!("{file}<&- ")).collect();
        let script = format!("exec {closed}&& ulimit -n {most} && exec \"$0\" {arguments}");
        command.args(["-c", &script]).arg(hello().get_program());
        command
    }

    const USED_UP: &str = "cannot accept a connection: Too many open files";

    #[test]
    fn it_asks_ten_times_a_second_and_accepts_the_next_when_a_file_is_free() {
        patiently(|| {
            let mut server = Server::start_as(with_open_files(10, ANY_PORT));
            let start = Instant::now();
            let clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
            // It is told of each of them, and asks then, too.
            server.complained_times(12, USED_UP);
            assert!(
                start.elapsed() > Duration::from_millis(600),
                "{:?}",
                start.elapsed()
            );
            for mut client in clients {
                client.write_all(b"nonsense\r\n\r\n").unwrap();
                assert!(read(client).starts_with("HTTP/1.1 400 "));
            }
        });
    }

    #[test]
    fn where_nobody_can_be_accepted_it_stops_all_the_same() {
        let mut server = Server::start_as(with_open_files(9, ANY_PORT));
        let client = server.connect();
        server.complained(USED_UP);
        server.signal("TERM");

        // The client is lost, and the status says so.
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(1), "{exit}");
        drop(client);

        // There is nobody who could be lost.
        let mut server = Server::start_as(with_open_files(9, ANY_PORT));
        server.signal("TERM");
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "{exit}");
    }

    #[test]
    fn where_one_has_to_be_answered_before_the_next_is_accepted_all_are() {
        patiently(answers_one_and_then_the_next);
    }

    fn answers_one_and_then_the_next() {
        let mut server = Server::start_as(with_open_files(10, ANY_PORT));
        let mut first = server.connect();
        let others: Vec<_> = (0..3).map(|_| server.connect()).collect();
        server.complained(USED_UP);
        server.signal("TERM");
        server.complained_times(6, USED_UP); // it goes on asking

        // It may not read a file for a page, and needs none for this answer. Then it waits for a goodbye,
        // and has what the next one needs.
        first.write_all(b"nonsense\r\n\r\n").unwrap();
        let mut status = [0; 12];
        first.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 400");
        for mut client in others {
            client.write_all(b"nonsense\r\n\r\n").unwrap();
            assert!(read(client).starts_with("HTTP/1.1 400 "));
        }
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "{exit}");
    }

    /// Here the loop goes round and round, as it may yet accept somebody when the first client is done.
    #[test]
    fn a_loop_that_waits_for_a_free_descriptor_ends_with_the_grace() {
        patiently(|| {
            let command = with_open_files(10, &format!("--grace 1 {ANY_PORT}"));
            let mut server = Server::start_as(command);
            let _first = server.begin();
            let _others: Vec<_> = (0..3).map(|_| server.connect()).collect();
            server.complained(USED_UP);
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
