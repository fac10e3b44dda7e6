//! What the check of this step does not ask of every server: what this one says, byte for byte, and what
//! it does when something is used up. (What has not changed since Listing 20-33 is tested there.)

#![cfg(unix)]

#[path = "common/client.rs"]
mod client;
mod common;
mod patience;

use client::{get, Client};
use common::Server;
use patience::patiently;

#[test]
fn an_answer_says_only_if_it_is_the_last() {
    let server = Server::start();
    let mut client = Client::to(server.address);
    let page = |connection: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\n{connection}Content-Type: text/html; charset=utf-8\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let hello = include_str!("../hello.html");
    let answer = client.get("/");
    assert_eq!(answer.head + &answer.body, page("", hello));
    client.send("HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let head = page("Connection: keep-alive\r\n", hello).replace(hello, "");
    assert_eq!(client.head().head, head);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(client.rest(), page("Connection: close\r\n", hello));
}

#[test]
fn who_is_idle_is_not_among_those_who_are_still_to_be_answered() {
    patiently(|| {
        // A client may have its answer, and its worker not have given it back: once more, then.
        let told = (0..20).map(|_| how_many_are_still_to_be_answered());
        assert!(told.into_iter().any(|told| told == "2"));
    });
}

/// Two are, and three are idle.
fn how_many_are_still_to_be_answered() -> String {
    let mut server = Server::start();
    let mut idle: Vec<_> = (0..4).map(|_| Client::to(server.address)).collect();
    for client in &mut idle {
        client.get("/");
    }
    idle[0].send("\r\n"); // some clients do
    idle[1].send("GET");
    let begun = server.begin();
    server.signal("TERM");

    let stopping = server.complained(" still to answer");
    idle[1].send(&get("/")[3..]);
    for answer in [idle[1].rest(), common::finish(begun)] {
        let last = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
        assert!(answer.starts_with(last), "{answer}");
    }
    drop(idle); // for their goodbye, it would wait
    let (exit, _) = server.ended();
    assert_eq!(exit.code(), Some(0), "{exit}");
    assert_eq!(server.complaints()[1..], [&*stopping, "stopped"]);
    let told = stopping.strip_prefix("SIGTERM: stopping, ").unwrap();
    told.strip_suffix(" still to answer").unwrap().to_owned()
}

/// Both the requests and the signal are there when it goes on: it may see either first.
#[test]
#[cfg(target_os = "linux")]
fn of_requests_that_come_with_the_signal_one_is_answered_as_the_last() {
    let mut server = Server::start();
    let mut old = Client::to(server.address);
    old.get("/");
    server.stand_still();
    let mut clients: Vec<_> = (0..20).map(|_| Client::to(server.address)).collect();
    clients.push(old);
    for client in &mut clients {
        client.send(get("/a").repeat(100));
    }
    server.signal("TERM");
    server.signal("CONT");

    for client in &mut clients {
        while !client.answer().is_last() {}
        assert_eq!(client.rest(), "");
    }
    drop(clients); // for their goodbye, it would wait
    let (exit, _) = server.ended();
    assert_eq!(exit.code(), Some(0), "{exit}");
}

/// The server has nine open files: the three that every process has, the listener, what the signals
/// need, and what the loop does.
#[test]
#[cfg(target_os = "linux")]
fn where_one_who_is_idle_has_the_last_open_file_the_others_are_accepted_after_it() {
    patiently(|| {
        let mut command = std::process::Command::new("sh");
        let closed: String = (3..10).map(|file| format!("{file}<&- ")).collect();
        let script = format!(
            "exec {closed}&& ulimit -n 10 && exec \"$0\" {}",
            common::ANY_PORT
        );
        command
            .args(["-c", &script])
            .arg(common::hello().get_program());
        let mut server = Server::start_as(command);

        // It may not read a file for a page, and needs none for this answer.
        let mut idle = Client::to(server.address);
        idle.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(!idle.answer().is_last());
        let mut others: Vec<_> = (0..3).map(|_| Client::to(server.address)).collect();
        for client in &mut others {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        }
        server.complained("cannot accept a connection: Too many open files");
        server.signal("TERM");

        assert_eq!(idle.rest(), "");
        for mut client in others {
            assert!(client.rest().starts_with("HTTP/1.1 405 "));
        }
        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(0), "{exit}");
    });
}
