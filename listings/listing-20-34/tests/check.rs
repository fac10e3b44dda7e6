//! What counts as done: `cargo book check 20-34 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

#[path = "common/client.rs"]
mod client;
mod common;

use client::{get, Answer, Client};
use common::{hello, in_time, ANY_PORT, DEADLINE};
use hello::{Limits, Request, Response, Server, Unfinished};
use std::{
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixStream,
    sync::{mpsc, Mutex},
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
    ended: JoinHandle<Result<(), Unfinished>>,
    /// Somebody is in the page `/wait`.
    waits: mpsc::Receiver<()>,
    /// What lets one go on who is.
    go_on: mpsc::Sender<()>,
}

/// Limits that nobody reaches, but for those that a test sets.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head, limits.response, limits.grace) = (LONG, LONG, LONG);
    (limits.idle, limits.linger) = (LONG, LONG);
    limits
}

/// A server whose pages say what they were asked.
fn start(limits: Limits) -> Running {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, ask) = UnixStream::pair().unwrap();
    let (is_there, waits) = mpsc::channel();
    let (go_on, waiting) = mpsc::channel();
    let wait = Mutex::new((is_there, waiting));
    let page = move |request: &Request| {
        let Request { method, path, body } = request;
        match path.as_str() {
            "/panic" => panic!("on purpose"),
            "/wait" => {
                let wait = wait.lock().unwrap();
                wait.0.send(()).unwrap();
                let _ = wait.1.recv_timeout(DEADLINE);
            }
            _ => {}
        }
        let mut page = format!("{method} {path} ").into_bytes();
        match path.as_str() {
            "/large" => page.resize(8 * 1024 * 1024, b'x'),
            _ => page.extend_from_slice(body),
        }
        Response {
            status: "200 OK",
            body: page,
        }
    };
    let server = Server::on(listener).unwrap();
    let server = server.with_limits(limits).with_pages(page);
    let ended = thread::spawn(move || server.run(asked).unwrap().finish());
    Running {
        address,
        ask,
        ended,
        waits,
        go_on,
    }
}

impl Running {
    fn connect(&self) -> Client {
        Client::to(self.address)
    }

    /// A client that has had an answer.
    fn idle(&self) -> Client {
        let mut client = self.connect();
        is_page(&client.get("/"), "GET / ");
        client
    }

    /// Asks it to stop, and waits until it has closed its listener: then it has heard.
    fn ask(self) -> JoinHandle<Result<(), Unfinished>> {
        drop(self.ask);
        let refused = || {
            let connected = std::net::TcpStream::connect_timeout(&self.address, DEADLINE);
            connected.is_err()
        };
        common::wait_until("it listens no more", refused);
        self.ended
    }

    fn stop(self) -> Result<(), Unfinished> {
        drop(self.ask);
        ends(self.ended)
    }
}

fn ends(ended: JoinHandle<Result<(), Unfinished>>) -> Result<(), Unfinished> {
    in_time(|| ended.join().expect("the server panicked")).expect("it is joined")
}

/// It is this page, and says nothing of an end.
#[track_caller]
fn is_page(answer: &Answer, page: &str) {
    assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    assert!(!answer.is_last(), "{answer:?}");
    assert_eq!(answer.body, page);
}

/// It is the last answer, begins so, and nothing follows.
#[track_caller]
fn is_last(client: &mut Client, status: &str, page: &str) {
    let answer = client.answer();
    assert!(
        answer.head.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer:?}"
    );
    assert!(answer.is_last(), "{answer:?}");
    assert!(answer.body.starts_with(page), "{answer:?}");
    assert_eq!(client.rest(), "");
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

#[test]
fn a_connection_stays_for_the_next_request_and_a_thousand_more() {
    let server = start(limits());
    let mut client = server.connect();
    for number in 0..1000 {
        is_page(
            &client.get(&format!("/{number}")),
            &format!("GET /{number} "),
        );
    }
    client.send(post("/a", "", "hello") + &post("/b", "", ""));
    is_page(&client.answer(), "POST /a hello");
    is_page(&client.answer(), "POST /b ");
    client.send("HEAD /c HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().head.contains("\r\nContent-Length: 8\r\n"));
    is_page(&client.get("/d"), "GET /d ");
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let server = start(limits());
    let mut client = server.connect();
    let all: String = (0..300).map(|number| get(&format!("/{number}"))).collect();
    client.send(&all);
    for number in 0..300 {
        is_page(&client.answer(), &format!("GET /{number} "));
    }
    // A page that takes its time keeps those behind it waiting, and nobody else.
    client.send(get("/wait") + &get("/quick"));
    server.waits.recv_timeout(DEADLINE).unwrap();
    is_page(&server.connect().get("/other"), "GET /other ");
    server.go_on.send(()).unwrap();
    is_page(&client.answer(), "GET /wait ");
    is_page(&client.answer(), "GET /quick ");
}

#[test]
fn who_does_not_read_yet_may_already_ask_for_more() {
    let server = start(limits());
    let mut client = server.connect();
    for path in ["/large", "/large", "/last"] {
        client.send(get(path)); // more than the system keeps for it
    }
    for _ in 0..2 {
        assert_eq!(client.answer().body.len(), 8 * 1024 * 1024);
    }
    is_page(&client.answer(), "GET /last ");
}

#[test]
fn clients_that_are_idle_keep_nobody_waiting() {
    let server = start(limits());
    let mut idle: Vec<_> = (0..50).map(|_| server.idle()).collect();
    is_page(&server.connect().get("/a"), "GET /a ");
    for client in &mut idle {
        is_page(&client.get("/b"), "GET /b ");
    }
}

#[test]
fn many_clients_at_once_get_all_their_answers_and_in_order() {
    let server = start(limits());
    thread::scope(|scope| {
        for client in 0..200 {
            let address = server.address;
            scope.spawn(move || {
                let mut connection = Client::to(address);
                for number in 0..20 {
                    let path = format!("/{client}/{number}");
                    is_page(&connection.get(&path), &format!("GET {path} "));
                }
            });
        }
    });
}

#[test]
fn who_wants_no_more_gets_no_more() {
    let server = start(limits());
    for head in [
        "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /a HTTP/1.0\r\n\r\n",
    ] {
        let mut client = server.idle();
        client.send(head.to_owned() + &get("/behind"));
        is_last(&mut client, "200", "GET /a ");
    }

    let mut client = server.connect();
    for _ in 0..2 {
        client.send("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        let answer = client.answer();
        is_page(&answer, "GET /a ");
        assert!(
            answer.head.contains("\r\nConnection: keep-alive\r\n"),
            "{answer:?}"
        );
    }
}

#[test]
fn who_has_asked_for_all_and_says_so_gets_all() {
    let server = start(limits());
    let mut client = server.connect();
    client.send(get("/large") + &get("/wait") + &post("/b", "", "hello") + "GET /half");
    client.end();
    assert_eq!(client.answer().body.len(), 8 * 1024 * 1024);
    server.waits.recv_timeout(DEADLINE).unwrap();
    server.go_on.send(()).unwrap();
    is_page(&client.answer(), "GET /wait ");
    is_page(&client.answer(), "POST /b hello");
    assert_eq!(client.rest(), "");
}

#[test]
fn what_is_not_understood_is_the_last_and_what_is_behind_it_is_no_request() {
    let server = start(limits());
    for (request, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", "400"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", "400"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"),
    ] {
        let mut client = server.idle();
        client.send(request.to_owned() + &get("/behind"));
        is_last(&mut client, status, status);
    }
}

#[test]
fn a_body_of_64_kib_is_read_and_of_a_larger_one_the_client_is_told() {
    let server = start(limits());
    let mut client = server.connect();
    let body = "x".repeat(64 * 1024);
    client.send(post("/a", "", &body));
    is_page(&client.answer(), &format!("POST /a {body}"));
    // It sends all before it reads. For what comes after an answer, the server waits a second: on a
    // machine that has much else to do, that may be too short.
    let large = post("/a", "", &"x".repeat(900_000));
    let mut client = (0..20).find_map(|_| {
        let mut client = server.idle();
        let start = Instant::now();
        let sent = client.try_to_send(&large);
        (start.elapsed() < Duration::from_secs(1) / 2).then(|| {
            sent.unwrap();
            client
        })
    });
    is_last(
        client.as_mut().expect("the machine is too slow"),
        "413",
        "413",
    );
}

#[test]
fn a_client_that_waits_with_its_body_is_told_to_send_it() {
    let server = start(limits());
    let mut client = server.idle();
    for body in ["hello", "again"] {
        let request = post("/a", "Expect: 100-continue\r\n", body);
        client.send(&request[..request.len() - 5]);
        assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
        client.send(body);
        is_page(&client.answer(), &format!("POST /a {body}"));
    }
    // Or not to.
    client.send(
        "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 65537\r\n\r\n",
    );
    is_last(&mut client, "413", "413");
}

#[test]
fn a_page_that_panics_costs_its_client_500_and_nobody_else_anything() {
    let server = start(limits());
    let mut others: Vec<_> = (0..4).map(|_| server.idle()).collect();
    for client in &mut others {
        let mut panics = server.idle();
        panics.send(get("/panic") + &get("/behind"));
        is_last(&mut panics, "500", "");
        is_page(&client.get("/a"), "GET /a ");
    }

    let mut panics = server.idle();
    panics.send(&get("/panic")[..20]);
    let ended = server.ask();
    panics.send(&get("/panic")[20..]);
    is_last(&mut panics, "500", "");
    others[0].send(get("/b"));
    is_last(&mut others[0], "200", "GET /b ");
    drop((panics, others));
    assert!(ends(ended).is_ok());
}

#[test]
fn who_has_been_idle_too_long_is_left_without_a_word() {
    let mut limits = limits();
    limits.idle = SOON * 12;
    let server = start(limits);
    let start = Instant::now();
    let mut client = server.idle();
    assert_eq!(client.rest(), "");
    assert!(start.elapsed() >= limits.idle, "it has not had its time");
}

/// Its time begins when the answer before it has been sent.
#[test]
fn a_second_request_that_is_late_gets_408() {
    let mut limits = limits();
    limits.head = SOON * 12;
    let server = start(limits);
    // On a machine that has much else to do, its first may be late without meaning to.
    let in_time = (0..20).find_map(|_| {
        let mut client = server.connect();
        client.send(get("/wait") + "GET /half");
        let waits = server.waits.recv_timeout(DEADLINE);
        waits.is_ok().then_some(client)
    });
    let mut client = in_time.expect("the machine is too slow");
    thread::sleep(limits.head);
    let start = Instant::now();
    server.go_on.send(()).unwrap();
    is_page(&client.answer(), "GET /wait ");
    is_last(&mut client, "408", "408");
    assert!(start.elapsed() >= limits.head, "it has not had its time");
}

#[test]
fn after_the_stop_each_answer_is_the_last() {
    let server = start(limits());
    let mut idle: Vec<_> = (0..3).map(|_| server.idle()).collect();
    let [begun, body, busy] = &mut idle[..] else {
        panic!("three");
    };
    begun.send("GET /a HTTP/1.1\r\n");
    let post = post("/b", "Expect: 100-continue\r\n", "hello");
    body.send(&post[..post.len() - 5]);
    body.head();
    busy.send(get("/wait") + &get("/behind"));
    server.waits.recv_timeout(DEADLINE).unwrap();
    let go_on = server.go_on.clone();
    // Whoever is idle may be about to send a request.
    let mut other = server.idle();
    let ended = server.ask();

    other.send(get("/c") + &get("/behind"));
    is_last(&mut other, "200", "GET /c ");
    begun.send("Host: a\r\n\r\n");
    is_last(begun, "200", "GET /a ");
    body.send("hello");
    is_last(body, "200", "POST /b hello");
    go_on.send(()).unwrap();
    is_last(busy, "200", "GET /wait ");
    drop(idle);
    drop(other);
    assert!(ends(ended).is_ok());
}

#[test]
fn an_answer_that_is_on_its_way_at_the_stop_is_followed_by_the_last() {
    let server = start(limits());
    let mut together = server.connect();
    together.send(get("/large") + &get("/behind"));
    let mut later = server.connect();
    later.send(get("/large"));
    for client in [&mut together, &mut later] {
        client.head(); // the rest is more than the system keeps for it
    }
    let ended = server.ask();
    for client in [&mut together, &mut later] {
        client.body(8 * 1024 * 1024);
    }
    is_last(&mut together, "200", "GET /behind ");
    later.send(get("/later"));
    is_last(&mut later, "200", "GET /later ");
    drop((together, later));
    assert!(ends(ended).is_ok());
}

#[test]
fn who_is_idle_at_the_stop_is_waited_for_as_long_as_the_limits_say_and_then_left_without_a_word() {
    let mut limits = limits();
    limits.linger = SOON * 3;
    let server = start(limits);
    let mut begun = server.idle();
    begun.send("GET /half");
    let mut idle: Vec<_> = (0..100).map(|_| server.idle()).collect();
    // It has its answer later.
    let mut slow = server.connect();
    slow.send(get("/large"));
    slow.head();
    let start = Instant::now();
    let ended = server.ask();
    for client in &mut idle {
        assert_eq!(client.rest(), "");
    }
    assert!(start.elapsed() >= limits.linger, "it has not waited");
    drop(idle);
    slow.body(8 * 1024 * 1024);
    assert_eq!(slow.rest(), "");
    // Who has begun is not idle.
    begun.send(&get("/half")[9..]);
    is_last(&mut begun, "200", "GET /half ");
    drop(begun);
    assert!(ends(ended).is_ok());
}

#[test]
fn a_stop_gives_nobody_more_time() {
    let mut limits = limits();
    limits.idle = SOON * 3;
    let server = start(limits);
    let mut idle = server.idle();
    assert!(server.stop().is_ok());
    assert_eq!(idle.rest(), "");
}

#[test]
fn who_is_idle_when_the_grace_is_over_was_not_cut_off() {
    let mut limits = limits();
    limits.grace = SOON * 3;
    let server = start(limits);
    let mut idle = server.idle();
    let start = Instant::now();
    assert!(server.stop().is_ok());
    assert!(start.elapsed() >= limits.grace, "it has not waited");
    assert_eq!(idle.rest(), "");

    let server = self::start(limits);
    let mut begun = server.idle();
    begun.send("GET /half");
    let left = server
        .stop()
        .map_err(|left| left.running + left.never_begun);
    assert_eq!(left, Err(1));
}

#[test]
fn the_program_stops_with_a_hundred_idle_connections() {
    let mut command = hello();
    command.args(["--grace", "1000", ANY_PORT]);
    let mut server = common::Server::start_as(command);
    let mut idle: Vec<_> = (0..100).map(|_| Client::to(server.address)).collect();
    for client in &mut idle {
        assert!(client.get("/").head.starts_with("HTTP/1.1 200 "));
    }
    // It has no page for this, and the connection stays all the same.
    idle[0].send(post("/", "", "hello"));
    let answer = idle[0].answer();
    assert!(
        answer.head.starts_with("HTTP/1.1 405 ") && !answer.is_last(),
        "{answer:?}"
    );

    server.signal("TERM");
    let (exit, _) = server.ended();
    assert_eq!(exit.code(), Some(0), "{exit}");
    for client in &mut idle {
        assert_eq!(client.rest(), "");
    }
}
