//! What Listing 20-35 is checked for, which still holds.

#![cfg(unix)]

#[path = "common/client.rs"]
mod client;
mod common;

use client::{get, Client};
use common::{hello, in_time, uninterrupted, wait_until, ANY_PORT, DEADLINE};
use hello::{Limits, Request, Response, Server, Unfinished};
use std::{
    io::{prelude::*, ErrorKind},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    process::Command,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc, Arc, Mutex,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// A server with a page, `/wait`, that is not done before the test says so.
struct House {
    address: SocketAddr,
    ask: UnixStream,
    ended: JoinHandle<Result<(), Unfinished>>,
    /// How often that page was begun.
    begun: Arc<AtomicUsize>,
    /// Each message lets one of them go on; all go on when this is dropped.
    go_on: mpsc::Sender<()>,
}

/// Limits that nobody reaches, but for those that a test sets.
fn limits() -> Limits {
    let long = Duration::from_secs(24 * 60 * 60);
    Limits {
        head: long,
        response: long,
        idle: long,
        linger: Duration::from_millis(20),
        grace: long,
        ..Limits::default()
    }
}

fn open(limits: Limits) -> House {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, ask) = UnixStream::pair().unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let (go_on, wait) = mpsc::channel();
    let wait = Mutex::new(wait);
    let counted = Arc::clone(&begun);
    let pages = move |request: &Request| {
        if request.path == "/wait" {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = wait.lock().unwrap().recv();
        }
        Response {
            status: "200 OK",
            body: request.path.clone().into_bytes(),
        }
    };
    let server = Server::on(listener);
    let server = server.with_limits(limits).with_pages(pages);
    let ended = thread::spawn(move || server.run(asked).unwrap().finish());
    House {
        address,
        ask,
        ended,
        begun,
        go_on,
    }
}

impl House {
    fn connect(&self) -> Client {
        Client::to(self.address)
    }

    fn send(&self, path: &str) -> Client {
        let mut client = self.connect();
        client.send(get(path));
        client
    }

    /// Four clients that have the four workers.
    fn busy(&self) -> Vec<Client> {
        let clients = (0..4).map(|_| self.send("/wait")).collect();
        wait_until("four pages are begun", || {
            self.begun.load(Ordering::SeqCst) == 4
        });
        clients
    }

    fn stop(self) -> Result<(), Unfinished> {
        drop((self.ask, self.go_on));
        in_time(|| self.ended.join().expect("the server panicked")).expect("it is joined")
    }
}

/// If this client were answered, it would be in much less time.
#[track_caller]
fn has_to_wait(client: &Client) {
    let stream = client.stream();
    let time = stream.read_timeout().unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let error = uninterrupted(|| stream.peek(&mut [0])).expect_err("it has to wait");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    stream.set_read_timeout(time).unwrap();
}

/// Each of these clients waits for its response, and says then what its status is, and that the
/// connection stays.
fn statuses(clients: Vec<Client>) -> mpsc::Receiver<(String, Client)> {
    let (tell, told) = mpsc::channel();
    for mut client in clients {
        let tell = tell.clone();
        thread::spawn(move || {
            let head = client.answer().head;
            assert!(!head.contains("Connection: close"), "{head}");
            let is_told_when = head.contains("Retry-After: 1\r\n");
            assert_eq!(is_told_when, head.starts_with("HTTP/1.1 503 "), "{head}");
            let _ = tell.send((head[9..12].to_owned(), client));
        });
    }
    told
}

#[test]
fn a_request_too_many_gets_503_at_once_and_all_before_it_their_pages() {
    let house = open(Limits {
        queue: 3,
        ..limits()
    });
    let busy = house.busy();

    let told = statuses((0..10).map(|_| house.send("/a")).collect());
    let mut refused = Vec::new();
    for _ in 0..7 {
        let (status, client) = told.recv_timeout(DEADLINE).expect("a status");
        assert_eq!(status, "503");
        refused.push(client);
    }

    for _ in 0..4 {
        house.go_on.send(()).unwrap();
    }
    for (status, _) in statuses(busy).iter().chain(told) {
        assert_eq!(status, "200");
    }
    // Who was refused may ask again, on the same connection.
    for mut client in refused {
        assert_eq!(client.get("/again").body, "/again");
    }
    assert!(house.stop().is_ok());
}

/// They do not wait for an answer, and so the server always has another request of theirs to refuse.
#[test]
fn clients_that_are_refused_again_and_again_keep_it_from_nothing_else() {
    let house = open(Limits {
        queue: 0,
        ..limits()
    });
    let busy = house.busy();
    let many = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    let flood = Arc::new(AtomicUsize::new(0));
    let clients = (0..8).map(|_| {
        let (mut client, many, flood) = (house.connect(), many.clone(), Arc::clone(&flood));
        let mut answers = client.stream().try_clone().unwrap();
        thread::spawn(move || while client.try_to_send(&many).is_ok() {});
        thread::spawn(move || {
            let mut some = [0; 64 * 1024];
            while let Ok(1..) = uninterrupted(|| answers.read(&mut some)) {
                flood.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    wait_until("they are refused", || flood.load(Ordering::SeqCst) > 100);

    let mut other = house.send("/b");
    assert!(other.answer().head.starts_with("HTTP/1.1 503 "));
    drop((busy, other));
    assert!(house.stop().is_ok());
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn without_a_queue_as_many_are_served_as_there_are_workers() {
    let house = open(Limits {
        queue: 0,
        ..limits()
    });
    let busy = house.busy();
    let mut refused = house.send("/a");
    assert!(refused.answer().head.starts_with("HTTP/1.1 503 "));
    drop((busy, refused));
    assert!(house.stop().is_ok());
}

#[test]
fn a_house_that_is_full_stops_as_any_other() {
    let house = open(Limits {
        queue: 1,
        ..limits()
    });
    let clients = house.busy();
    let told = statuses((0..2).map(|_| house.send("/a")).collect());
    let (status, _refused) = told.recv_timeout(DEADLINE).expect("a status");
    assert_eq!(status, "503");

    let House {
        ask, ended, go_on, ..
    } = house;
    drop((ask, go_on));
    for mut client in clients {
        assert_eq!(client.answer().body, "/wait");
        assert_eq!(client.rest(), "", "nothing more comes");
    }
    let stopped = in_time(|| ended.join().expect("the server panicked"));
    assert!(stopped.expect("it is joined").is_ok());
}

/// Those who are connected are heard to the end, and the queue still takes one of them.
#[test]
fn while_it_stops_the_queue_keeps_its_bound() {
    let house = open(Limits {
        queue: 1,
        ..limits()
    });
    let clients = house.busy();
    let mut late: Vec<_> = (0..3).map(|_| house.connect()).collect();
    for client in &mut late {
        client.send("GET /late HTTP/1.1\r\n");
    }
    let House {
        address,
        ask,
        ended,
        go_on,
        ..
    } = house;
    drop(ask);
    wait_until("nobody else is let in", || {
        TcpStream::connect_timeout(&address, DEADLINE).is_err()
    });

    let (tell, told) = mpsc::channel();
    for mut client in late {
        client.send("Host: a\r\n\r\n");
        let tell = tell.clone();
        thread::spawn(move || tell.send(client.answer().head[9..12].to_owned()));
    }
    for _ in 0..2 {
        assert_eq!(told.recv_timeout(DEADLINE).expect("a status"), "503");
    }
    drop(go_on);
    assert_eq!(told.recv_timeout(DEADLINE).expect("a status"), "200");
    for mut client in clients {
        assert_eq!(client.answer().body, "/wait");
    }
    let stopped = in_time(|| ended.join().expect("the server panicked"));
    assert!(stopped.expect("it is joined").is_ok());
}

#[test]
fn where_no_more_connections_may_be_open_a_new_client_waits_until_one_goes() {
    let house = open(Limits {
        connections: 2,
        ..limits()
    });
    let mut first = house.connect();
    first.send(b"G");
    let mut second = house.connect();
    second.send(b"G");
    let mut third = house.send("/c");
    has_to_wait(&third);

    drop(first);
    assert_eq!(third.answer().body, "/c");
    drop((second, third));
    assert!(house.stop().is_ok());
}

#[test]
fn where_no_more_connections_may_be_open_a_new_client_gets_the_place_of_one_that_becomes_idle() {
    let house = open(Limits {
        connections: 4,
        ..limits()
    });
    let busy = house.busy();
    let mut fifth = house.send("/e");
    has_to_wait(&fifth);

    house.go_on.send(()).unwrap();
    assert_eq!(fifth.answer().body, "/e");
    drop((busy, fifth));
    assert!(house.stop().is_ok());
}

#[test]
fn for_a_new_client_the_connection_is_closed_that_has_been_idle_longest() {
    let house = open(Limits {
        connections: 4 + 3,
        queue: 0,
        ..limits()
    });
    // As all workers are busy, the others are refused, and so they become idle one after the other. A
    // worker might be late to give one back.
    let busy = house.busy();
    let refused = |client: &mut Client| {
        let head = client.answer().head;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    };
    let mut in_use = house.connect();
    in_use.send(b"GET /in-use HTTP/1.1\r\n");
    let mut first = house.send("/1");
    refused(&mut first);
    let mut second = house.send("/2");
    refused(&mut second);

    let mut third = house.send("/3");
    refused(&mut third);
    assert_eq!(first.rest(), "", "the first is closed");
    in_use.send(b"Host: a\r\n\r\n");
    refused(&mut in_use);

    for _ in &busy {
        house.go_on.send(()).unwrap();
    }
    for (client, path) in [(&mut in_use, "/in-use"), (&mut second, "/4")] {
        wait_until("a worker is free", || client.get(path).body == path);
    }
    drop(busy);
    assert!(house.stop().is_ok());
}

#[test]
fn who_waits_for_a_place_when_the_server_is_asked_to_stop_is_let_in() {
    let house = open(Limits {
        connections: 1,
        ..limits()
    });
    let mut first = house.connect();
    first.send(b"GET /1 HTTP/1.1\r\n");
    let mut others = [house.send("/2"), house.send("/3")];
    let House { ask, ended, .. } = house;
    drop(ask);
    for (other, path) in others.iter_mut().zip(["/2", "/3"]) {
        assert_eq!(other.answer().body, path);
    }
    first.send(b"Host: a\r\n\r\n");
    assert_eq!(first.answer().body, "/1");
    drop((first, others));
    let stopped = in_time(|| ended.join().expect("the server panicked"));
    assert!(stopped.expect("it is joined").is_ok());
}

/// The program with so many open files at most. Whoever runs these tests may have left others open,
/// which are closed, if they would count.
fn with_open_files(most: u32) -> common::Server {
    let mut command = Command::new("sh");
    let closed: String = (3..10).map(|file| format!("{file}<&- ")).collect();
    let script = format!("exec {closed}&& ulimit -n {most} && exec \"$0\" {ANY_PORT}");
    command.args(["-c", &script]).arg(hello().get_program());
    common::Server::start_as(command)
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_descriptor_left_idle_connections_go_and_everybody_gets_a_page() {
    let server = with_open_files(24);
    let mut clients = Vec::new();
    for number in 0..50 {
        let mut client = Client::to(server.address);
        let head = client.get("/").head;
        assert!(head.starts_with("HTTP/1.1 200 "), "client {number}: {head}");
        clients.push(client);
    }
    // The last ones are still there.
    for client in clients.iter_mut().rev().take(3) {
        assert!(client.get("/").head.starts_with("HTTP/1.1 200 "));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_descriptor_and_nobody_idle_it_waits_and_recovers() {
    let server = with_open_files(24);
    let mut first = Client::to(server.address);
    assert!(first.get("/").head.starts_with("HTTP/1.1 200 "));
    let mut in_use: Vec<_> = (0..30).map(|_| Client::to(server.address)).collect();
    for client in &mut in_use {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n");
    }
    // Whoever is in has a page, too.
    in_use[0].send("\r\n");
    assert!(in_use[0].answer().head.starts_with("HTTP/1.1 200 "));

    drop(in_use);
    let mut last = Client::to(server.address);
    assert!(last.get("/").head.starts_with("HTTP/1.1 200 "));
}
