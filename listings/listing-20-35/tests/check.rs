//! What counts as done: `cargo book check 20-35 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

mod common;

use common::{hello, in_time, wait_until, ANY_PORT, DEADLINE};
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
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn send(&self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        request(&mut stream, path);
        stream
    }

    /// Four clients that have the four workers.
    fn busy(&self) -> Vec<TcpStream> {
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

fn request(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

/// The head of the next response, and its body.
fn response(stream: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the response goes on");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let (_, length) = head.split_once("Content-Length: ").expect("a length");
    let length = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("the whole body");
    (head, String::from_utf8(body).unwrap())
}

/// Each of these clients waits for its response, and says then what its status is, and that the
/// connection stays.
fn statuses(clients: Vec<TcpStream>) -> mpsc::Receiver<(String, TcpStream)> {
    let (tell, told) = mpsc::channel();
    for mut client in clients {
        let tell = tell.clone();
        thread::spawn(move || {
            let (head, _) = response(&mut client);
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
        request(&mut client, "/again");
        assert_eq!(response(&mut client).1, "/again");
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
        let mut answers = client.try_clone().unwrap();
        thread::spawn(move || while client.write_all(many.as_bytes()).is_ok() {});
        thread::spawn(move || {
            let mut some = [0; 64 * 1024];
            while let Ok(1..) = answers.read(&mut some) {
                flood.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    wait_until("they are refused", || flood.load(Ordering::SeqCst) > 100);

    let mut other = house.send("/b");
    assert!(response(&mut other).0.starts_with("HTTP/1.1 503 "));
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
    assert!(response(&mut refused).0.starts_with("HTTP/1.1 503 "));
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
        assert_eq!(response(&mut client).1, "/wait");
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "nothing more comes");
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
    first.write_all(b"G").unwrap();
    let mut second = house.connect();
    second.write_all(b"G").unwrap();
    let mut third = house.send("/c");
    // If it were served, it would be in much less time.
    third
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let error = third.peek(&mut [0]).expect_err("it has to wait");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    third.set_read_timeout(Some(DEADLINE)).unwrap();

    drop(first);
    assert_eq!(response(&mut third).1, "/c");
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
    fifth
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    fifth.peek(&mut [0]).expect_err("it has to wait");
    fifth.set_read_timeout(Some(DEADLINE)).unwrap();

    house.go_on.send(()).unwrap();
    assert_eq!(response(&mut fifth).1, "/e");
    drop((busy, fifth));
    assert!(house.stop().is_ok());
}

#[test]
fn for_a_new_client_the_connection_is_closed_that_has_been_idle_longest() {
    let house = open(Limits {
        connections: 3,
        ..limits()
    });
    let mut in_use = house.connect();
    in_use.write_all(b"GET /in-use HTTP/1.1\r\n").unwrap();
    let mut first = house.send("/1");
    assert_eq!(response(&mut first).1, "/1");
    let mut second = house.send("/2");
    assert_eq!(response(&mut second).1, "/2");

    let mut third = house.send("/3");
    assert_eq!(response(&mut third).1, "/3");
    assert_eq!(first.read(&mut [0]).unwrap(), 0, "the first is closed");
    in_use.write_all(b"Host: a\r\n\r\n").unwrap();
    assert_eq!(response(&mut in_use).1, "/in-use");
    request(&mut second, "/4");
    assert_eq!(response(&mut second).1, "/4");
    assert!(house.stop().is_ok());
}

#[test]
fn who_waits_for_a_place_when_the_server_is_asked_to_stop_is_let_in() {
    let house = open(Limits {
        connections: 1,
        ..limits()
    });
    let mut first = house.connect();
    first.write_all(b"GET /1 HTTP/1.1\r\n").unwrap();
    let mut others = [house.send("/2"), house.send("/3")];
    let House { ask, ended, .. } = house;
    drop(ask);
    for (other, path) in others.iter_mut().zip(["/2", "/3"]) {
        assert_eq!(response(other).1, path);
    }
    first.write_all(b"Host: a\r\n\r\n").unwrap();
    assert_eq!(response(&mut first).1, "/1");
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
        let mut client = server.send("/");
        let (head, _) = response(&mut client);
        assert!(head.starts_with("HTTP/1.1 200 "), "client {number}: {head}");
        clients.push(client);
    }
    // The last ones are still there.
    for client in clients.iter_mut().rev().take(3) {
        request(client, "/");
        assert!(response(client).0.starts_with("HTTP/1.1 200 "));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_descriptor_and_nobody_idle_it_waits_and_recovers() {
    let server = with_open_files(24);
    let mut first = server.send("/");
    assert!(response(&mut first).0.starts_with("HTTP/1.1 200 "));
    let begun: Vec<_> = (0..30).map(|_| server.begin()).collect();
    // Whoever is in has a page, too.
    let mut in_use = begun;
    in_use[0].write_all(b"\r\n").unwrap();
    assert!(response(&mut in_use[0]).0.starts_with("HTTP/1.1 200 "));

    drop(in_use);
    let mut last = server.send("/");
    assert!(response(&mut last).0.starts_with("HTTP/1.1 200 "));
}
