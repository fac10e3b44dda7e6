//! What counts as done: `cargo book check 20-33 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

mod common;

use common::{hello, in_time, read, uninterrupted, ANY_PORT, DEADLINE};
use hello::{Limits, Server, Unfinished};
use std::{
    env,
    fs::{self, File},
    io::{prelude::*, ErrorKind},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{self, Command},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_millis(100);
/// Nobody waits for its end.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// The server on a thread of its own. It is asked to stop by `stop`.
struct Running {
    address: SocketAddr,
    ask: UnixStream,
    ended: JoinHandle<Ended>,
}

struct Ended {
    unanswered: usize,
    left: Result<(), Unfinished>,
    /// How long its thread has been at work.
    #[cfg(target_os = "linux")]
    worked: Duration,
}

fn start(limits: Limits) -> Running {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, ask) = UnixStream::pair().unwrap();
    let server = Server::on(listener).unwrap().with_limits(limits);
    let ended = thread::spawn(move || {
        let draining = server.run(asked).unwrap();
        Ended {
            unanswered: draining.unanswered(),
            left: draining.finish(),
            #[cfg(target_os = "linux")]
            worked: worked(),
        }
    });
    Running {
        address,
        ask,
        ended,
    }
}

/// How long this thread has been at work, in hundredths of a second, as the system counts it.
#[cfg(target_os = "linux")]
fn worked() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, stat) = stat.rsplit_once(") ").unwrap();
    let ticks = stat.split(' ').skip(11).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}

/// Lets this thread work for a while. Another one that did not wait would work as long.
#[cfg(target_os = "linux")]
fn work() {
    let start = worked();
    while worked() < start + SOON * 3 {}
}

/// Limits that nobody reaches, but for those that a test sets.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head, limits.response, limits.grace) = (LONG, LONG, LONG);
    limits
}

/// The same, but for the time for a request.
fn with_head(head: Duration) -> Limits {
    Limits { head, ..limits() }
}

/// What `f` returns, once it has taken no longer than half of `limit`: on a machine that has much else
/// to do, a client may be late without meaning to.
fn quickly<T>(limit: Duration, f: impl Fn() -> T) -> T {
    let start = Instant::now();
    loop {
        let attempt = Instant::now();
        let done = f();
        if attempt.elapsed() < limit / 2 {
            return done;
        }
        assert!(start.elapsed() < DEADLINE, "the machine is too slow");
    }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream
    }

    fn stop(self) -> Ended {
        drop(self.ask);
        in_time(|| self.ended.join().expect("the server panicked")).expect("it is joined")
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// All but the last line.
const BEGUN: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";
/// Gets the page of an address that is none.
const OTHER: &[u8] = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
const TIMEOUT: &str = "HTTP/1.1 408 REQUEST TIMEOUT\r\nConnection: close\r\n\
     Content-Type: text/html; charset=utf-8\r\nContent-Length: 20\r\n\r\n408 REQUEST TIMEOUT\n";

/// Those who keep the server waiting for `time` do not keep it from the next one: that gets its page
/// before their time is over. On a machine that has much else to do, it may be later: once more, then,
/// with more time.
fn serves_the_next_meanwhile(
    limits: impl Fn(Duration) -> Limits,
    others: impl Fn(&Running) -> Vec<TcpStream>,
) -> (Running, Vec<TcpStream>) {
    for time in [1, 5].map(Duration::from_secs) {
        let server = start(limits(time));
        let start = Instant::now(); // before the time of the first begins
        let others = others(&server);
        assert!(read(server.send(REQUEST)).starts_with("HTTP/1.1 200 "));
        if start.elapsed() < time {
            return (server, others);
        }
    }
    panic!("the next one gets its page when the others have had their time, and not before");
}

#[test]
fn four_clients_that_have_sent_half_a_request_keep_nobody_from_the_workers() {
    let (server, halves) = serves_the_next_meanwhile(with_head, |server| {
        (0..4).map(|_| server.send(BEGUN)).collect()
    });
    for mut client in halves {
        client.write_all(b"\r\n").unwrap();
        let answer = read(client);
        assert!(answer.starts_with("HTTP/1.1 200 ") || answer == TIMEOUT);
    }
    assert!(server.stop().left.is_ok());
}

#[test]
fn nor_do_a_hundred_that_send_nothing_or_a_byte_now_and_then() {
    let (server, clients) = serves_the_next_meanwhile(with_head, |server| {
        let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
        for byte in &BEGUN[..5] {
            for client in clients.iter_mut().step_by(2) {
                client.write_all(&[*byte]).unwrap();
            }
        }
        clients
    });
    // Each has its time, and no more.
    for client in clients {
        assert_eq!(read(client), TIMEOUT);
    }
    assert!(server.stop().left.is_ok());
}

#[test]
fn a_client_that_says_nothing_or_not_all_gets_408_and_the_next_one_an_answer() {
    let limits = with_head(SOON);
    let server = start(limits);
    let (start, clients, next) = quickly(limits.head, || {
        let start = Instant::now();
        let late = [b"".as_slice(), b"G", b"GET / HTTP/1.1\r\n", BEGUN];
        let clients = late.map(|bytes| server.send(bytes));
        (start, clients, server.send(REQUEST))
    });
    for client in clients {
        assert_eq!(read(client), TIMEOUT);
    }
    assert!(start.elapsed() >= SOON, "they have not had their time");
    assert!(read(next).starts_with("HTTP/1.1 200 "));
    assert!(server.stop().left.is_ok());
}

#[test]
fn one_byte_after_the_other_does_not_win_time() {
    let limits = with_head(SOON * 3);
    let server = start(limits);
    let start = Instant::now(); // before its time begins
    let mut client = server.connect();
    client.set_read_timeout(Some(SOON / 2)).unwrap();
    // Each byte comes well before a deadline that began with the one before.
    while client.write_all(b"G").is_ok() {
        assert!(start.elapsed() < DEADLINE, "it still waits");
        let mut bytes = [0; 1024];
        match uninterrupted(|| client.read(&mut bytes)) {
            Ok(0) => break,
            Ok(read) => assert!(TIMEOUT.as_bytes().starts_with(&bytes[..read])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break, // it has hung up
        }
    }
    assert!(start.elapsed() >= limits.head, "it has not had its time");
}

#[test]
fn a_client_that_is_slow_but_in_time_gets_its_page() {
    let server = start(limits());
    let mut client = server.connect();
    client.set_nodelay(true).unwrap();
    for byte in REQUEST {
        client.write_all(&[*byte]).unwrap();
        thread::sleep(Duration::from_millis(3));
    }
    assert!(read(client).starts_with("HTTP/1.1 200 "));
}

#[test]
fn the_program_takes_a_grace_and_its_status_tells_who_was_cut_off() {
    for (clients, status) in [(0, 0), (1, 3)] {
        let mut command = hello();
        command.args(["--grace", "1", ANY_PORT]);
        let mut server = common::Server::start_as(command);
        let _clients: Vec<_> = (0..clients).map(|_| server.begin()).collect();
        server.signal("TERM");

        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(status), "{exit}");
    }
}

/// How long the other page of a test's folder is: the system takes a part of it at once, not all.
const SIZE: usize = 20_000_000;

/// Runs the test once more in a process of its own, in a folder with other pages: that of `/` is a pipe,
/// so that a worker reads it until nobody can write there any more; the other one is `SIZE` long.
/// Returns what keeps the pipe open, in that process.
fn with_other_pages(test: &str) -> Option<Pipe> {
    if env::var_os("IN_FOLDER").is_some() {
        // Opened like this, it waits for no other end.
        let pipe = File::options().read(true).write(true).open("hello.html");
        return Some(Pipe(pipe.unwrap()));
    }
    let name = format!("hello-{test}-{}", process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("404.html"), " ".repeat(SIZE)).unwrap();
    fs::write(folder.join("later.html"), "at last").unwrap();
    let made = Command::new("mkfifo")
        .arg(folder.join("hello.html"))
        .status();
    assert!(made.is_ok_and(|made| made.success()), "mkfifo");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]);
    let output = child
        .current_dir(&folder)
        .env("IN_FOLDER", "yes")
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{output:#?}");
    None
}

struct Pipe(File);

impl Pipe {
    /// From now on, the page is a file.
    fn end(mut self) {
        self.0.write_all(b"at last").unwrap();
        fs::rename("later.html", "hello.html").unwrap();
    }
}

#[test]
fn four_clients_that_take_nothing_keep_nobody_from_the_workers() {
    let test = "four_clients_that_take_nothing_keep_nobody_from_the_workers";
    if let Some(pipe) = with_other_pages(test) {
        pipe.end();
        let response = |time| Limits {
            response: time,
            ..limits()
        };
        let (server, greedy) = serves_the_next_meanwhile(response, |server| {
            (0..4).map(|_| server.send(OTHER)).collect()
        });
        // One of them is only slow, and the others are given up.
        let mut greedy = greedy.into_iter();
        assert!(read(greedy.next().unwrap()).len() > SIZE);
        assert!(server.stop().left.is_ok());
        for mut client in greedy {
            let mut taken = Vec::new();
            let _ = client.read_to_end(&mut taken); // it may be cut off with an error
            assert!(taken.len() < SIZE);
        }
    }
}

#[test]
fn who_has_asked_in_time_may_wait_for_a_worker_and_for_a_page_that_is_long_in_the_making() {
    let test =
        "who_has_asked_in_time_may_wait_for_a_worker_and_for_a_page_that_is_long_in_the_making";
    if let Some(pipe) = with_other_pages(test) {
        let mut limits = limits();
        (limits.head, limits.response) = (SOON * 3, SOON * 50);
        let server = start(limits);
        let clients = quickly(limits.head, || [(); 8].map(|()| server.send(REQUEST)));
        thread::sleep(limits.head);
        pipe.end();
        for client in clients {
            assert!(read(client).starts_with("HTTP/1.1 200 "));
        }
        assert!(server.stop().left.is_ok());
    }
}

#[test]
fn when_the_grace_is_over_the_numbers_are_right() {
    let test = "when_the_grace_is_over_the_numbers_are_right";
    let Some(_pipe) = with_other_pages(test) else {
        return;
    };
    let mut limits = limits();
    for grace in [3, 10, 30] {
        limits.grace = SOON * grace;
        let server = start(limits);
        let greedy: Vec<_> = (0..2).map(|_| server.send(OTHER)).collect();
        for client in &greedy {
            assert_eq!(uninterrupted(|| client.peek(&mut [0])).unwrap(), 1); // it begins to take
        }
        let answered = server.send(b"nonsense\r\n\r\n");
        assert_eq!(uninterrupted(|| answered.peek(&mut [0])).unwrap(), 1);
        let _others: Vec<_> = [[REQUEST; 4], [REQUEST; 4], [BEGUN; 4]]
            .concat()
            .into_iter()
            .map(|bytes| server.send(bytes))
            .collect();
        let start = Instant::now();
        let ended = server.stop();
        assert!(start.elapsed() >= limits.grace);
        assert_eq!(ended.unanswered, 14);
        let left = ended.left.expect_err("nobody has got all");
        match (left.running, left.never_begun) {
            // Four are with a worker, and two take nothing.
            (6, 8) => return,
            // On a slow machine, a worker may not have begun: once more, with more time.
            (running, never_begun) if running < 6 => assert_eq!(running + never_begun, 14),
            other => panic!("{other:?}"),
        }
    }
    panic!("the workers have not begun");
}

/// It waits, and does not ask again and again.
#[test]
#[cfg(target_os = "linux")]
fn while_everybody_waits_the_server_does_too() {
    let mut limits = limits();
    limits.grace = Duration::ZERO;
    let server = start(limits);
    let silent: Vec<_> = (0..100).map(|_| server.connect()).collect();
    let halves: Vec<_> = (0..20).map(|_| server.send(BEGUN)).collect();
    work();
    let ended = server.stop();
    assert_eq!(ended.unanswered, 120);
    assert!(ended.worked < SOON, "{:?}", ended.worked);
    drop((silent, halves));
}

/// It waits for those who are there, and does not ask the listener again and again.
#[test]
#[cfg(target_os = "linux")]
fn when_the_listener_is_lost_those_who_are_connected_are_waited_for() {
    use hello::ServerError;
    use std::{net::Shutdown, os::fd::OwnedFd};

    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let (stop, _ask) = UnixStream::pair().unwrap();
    let address = listener.local_addr().unwrap();
    let same = TcpStream::from(OwnedFd::from(listener.try_clone().unwrap()));
    let server = Server::on(listener).unwrap().with_limits(limits());
    let ended = thread::spawn(move || (server.run(stop), worked()));

    let mut client = TcpStream::connect(address).unwrap();
    let mut next = TcpStream::connect(address).unwrap();
    for stream in [&client, &next] {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
    }
    next.write_all(b"nonsense\r\n\r\n").unwrap();
    assert!(read(next).starts_with("HTTP/1.1 400 ")); // so both are accepted
    same.shutdown(Shutdown::Both).unwrap();
    work();
    client.write_all(REQUEST).unwrap();
    assert!(read(client).starts_with("HTTP/1.1 200 "));

    let (ended, worked) = in_time(|| ended.join()).unwrap().expect("it panicked");
    assert!(matches!(ended, Err(ServerError::Accept(_))));
    assert!(worked < SOON, "{worked:?}");
}

/// More may come with a request, or after it. It is thrown away, and harms nobody.
#[test]
fn what_comes_behind_a_request_harms_nobody() {
    let server = start(limits());
    let two = server.send(&[REQUEST, REQUEST].concat());
    // The server waits a second for what may come behind a request.
    let late = quickly(Duration::from_secs(1), || {
        let mut late = server.send(REQUEST);
        let _ = late.write_all(b"more");
        late
    });
    for client in [two, late] {
        let answer = read(client);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1);
    }
}
