//! The server as a reader meets it: a process, and requests over TCP.

mod common;

use common::{Server, ADDRESS};
use std::{
    env, fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    process, thread,
    time::{Duration, Instant},
};

#[test]
fn serves_two_requests_and_ends() {
    let mut server = Server::start();

    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 NOT FOUND"));

    let (status, lines) = server.ended();
    assert!(status.success(), "{status}");
    assert_clean_shutdown(&lines);

    let third = TcpStream::connect(ADDRESS);
    assert_eq!(third.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn finishes_the_slow_request_and_never_answers_a_third() {
    let mut server = Server::start();

    let start = Instant::now();
    let mut slow = server.connect();
    slow.write_all(b"GET /sleep HT").unwrap(); // it cannot be finished before the rest is here
    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    server.printed("Shutting down.");

    // The listener is still there, but nobody accepts from it any more.
    let mut third = server.send("/");
    assert!(server.is_running(), "the drain ended before `/sleep` did");

    slow.write_all(b"TP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let response = common::read(slow);
    assert!(response.starts_with("HTTP/1.1 200 OK"));
    assert!(start.elapsed() >= Duration::from_secs(5), "it was not slow");

    let mut answer = Vec::new();
    let ending = third.read_to_end(&mut answer);
    assert_eq!(answer, b"", "the third request was answered");
    if cfg!(target_os = "linux") {
        assert_eq!(ending.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    let (status, lines) = server.ended();
    assert!(status.success(), "{status}");
    assert_clean_shutdown(&lines);

    let fourth = TcpStream::connect(ADDRESS);
    assert_eq!(fourth.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

/// Which lines there are, and the order that holds between them in every run.
fn assert_clean_shutdown(lines: &[String]) {
    let position = |line: &str| {
        let at: Vec<_> = (0..lines.len()).filter(|&i| lines[i] == line).collect();
        assert_eq!(at.len(), 1, "{line:?} should be printed once: {lines:#?}");
        at[0]
    };

    let stopping = position("Shutting down.");
    let mut previous = stopping;
    for id in 0..4 {
        let joining = position(&format!("Shutting down worker {id}"));
        assert!(previous < joining, "{lines:#?}");

        let disconnected = position(&format!("Worker {id} disconnected; shutting down."));
        assert!(stopping < disconnected, "{lines:#?}");
        // Worker n is joined before the drop moves on to worker n + 1.
        previous = joining.max(disconnected);

        let job = format!("Worker {id} got a job; executing.");
        let last_job = lines.iter().rposition(|line| *line == job);
        assert!(last_job < Some(disconnected), "{lines:#?}");
    }

    let jobs = lines
        .iter()
        .filter(|line| line.ends_with("got a job; executing."));
    assert_eq!(jobs.count(), 2, "{lines:#?}");
    assert_eq!(lines.len(), 1 + 4 + 4 + 2, "{lines:#?}");
}

#[test]
fn an_idle_connection_holds_up_the_shutdown() {
    let mut server = Server::start();

    let idle = server.connect(); // as a browser's spare connection: nothing is ever sent on it
    assert!(server.get("/").starts_with("HTTP/1.1 200 OK"));
    server.printed("Shutting down.");

    thread::sleep(Duration::from_secs(1));
    assert!(server.is_running(), "the shutdown did not wait");

    drop(idle);
    server.ended();
}

#[test]
fn an_answered_client_that_never_hangs_up_holds_nobody_up() {
    let mut server = Server::start();

    let clients = [(); 2].map(|()| {
        let mut stream = server.send("/");
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        // One byte after the other, until the server has closed the connection.
        thread::spawn(move || {
            while stream.write_all(b"a").is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        })
    });

    let (status, _) = server.ended();
    assert!(status.success(), "{status}");
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn a_client_that_waits_for_the_end_of_its_answer_does_not_wait_for_the_hanging_up() {
    // Which takes a second. On a busy machine, an answer may take as long: once more, then.
    common::wait_until("an answer ends in less than a second", || {
        let server = Server::start();
        let start = Instant::now();
        server.get("/");
        start.elapsed() < Duration::from_millis(900)
    });
}

#[test]
fn a_client_that_says_that_it_is_done_gets_its_answer() {
    let server = Server::start();
    for _ in 0..2 {
        let stream = server.send("/");
        stream.shutdown(Shutdown::Write).unwrap();
        let response = common::read(stream);
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
        assert!(response.ends_with("</p>\n"), "{response}");
    }
}

#[test]
fn what_nobody_reads_is_not_read_for_ever() {
    let mut server = Server::start();

    let sent = [(); 2].map(|()| {
        let mut stream = server.send("/");
        stream.set_write_timeout(Some(common::DEADLINE)).unwrap();
        // As fast as it goes: a fraction of the second is enough for more than is read.
        thread::spawn(move || {
            let block = [b'a'; 64 * 1024];
            let mut sent = 0;
            while stream.write_all(&block).is_ok() {
                sent += block.len();
            }
            sent
        })
    });
    let sent = sent.map(|client| client.join().unwrap());

    let (status, _) = server.ended();
    assert!(status.success(), "{status}");
    // A mebibyte is read. The buffers of both sides take some more.
    let few = sent.iter().all(|&sent| sent < 32 * 1024 * 1024);
    assert!(few, "{sent:?} bytes were sent");
}

/// As the page lists it.
#[test]
fn what_this_server_does_not_do() {
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\n";
    let coded = "Transfer-Encoding: unknown, chunked\r\n";
    let once = |request: String, server: &Server| {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let response = common::read(stream);
        assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{response}");
        response
    };

    let server = Server::start();
    let response = once(format!("{head}\r\n{head}\r\n"), &server); // two requests
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(!response.contains("\r\nDate:"), "{response}");
    assert!(server.get("/sle%65p").starts_with("HTTP/1.1 404 "));
    drop(server);

    let server = Server::start();
    for headers in ["Expect: 100-continue\r\nContent-Length: 3\r\n", coded] {
        let response = once(format!("{head}{headers}\r\n"), &server);
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
}

#[test]
fn a_client_that_reads_nothing_holds_up_the_shutdown() {
    // More than fits between the server and a client that does not read.
    let folder = env::temp_dir().join(format!("hello-unread-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("hello.html"), vec![b'a'; 64 * 1024 * 1024]).unwrap();
    let mut command = common::hello();
    command.current_dir(&folder);
    let mut server = Server::start_as(command);

    let unread = [server.send("/"), server.send("/")];
    server.printed("Shutting down.");
    thread::sleep(Duration::from_secs(2)); // longer than `hang_up` takes
    assert!(server.is_running(), "the shutdown did not wait");

    drop(unread);
    server.ended();
    fs::remove_dir_all(folder).unwrap();
}
