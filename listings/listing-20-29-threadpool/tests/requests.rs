//! What the server makes of odd requests, and of a system that refuses: as in Listing 20-29.

mod common;

use common::{hello, read, Server, ADDRESS};
use std::{
    env, fs,
    io::{self, prelude::*, ErrorKind},
    net::TcpListener,
    path::PathBuf,
    process::{self, Command},
    thread,
    time::{Duration, Instant},
};

/// Sends `bytes` to the server, and returns its whole response.
fn answer(server: &Server, bytes: &[u8]) -> io::Result<String> {
    let mut stream = server.connect();
    stream.write_all(bytes)?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}

/// Each of the two requests gets the status, and the server ends well, without an error.
#[track_caller]
fn both_get(status: &str, requests: [&[u8]; 2]) {
    let mut server = Server::start();

    for request in requests {
        let start = Instant::now();
        let response = match answer(&server, request) {
            // A server waits a second or so for the rest of what it has refused. On a machine that
            // has much else to do, that can be too short for this client: once more, then.
            Err(error) if hung_up(&error) && start.elapsed() > Duration::from_millis(500) => {
                drop(server);
                return both_get(status, requests);
            }
            response => response.unwrap(),
        };
        let shown = String::from_utf8_lossy(&request[..request.len().min(40)]);
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown:?} got {response:?}"
        );
        let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
        let length = format!("\r\nContent-Length: {}", body.len());
        assert!(head.contains(&length), "{response:?}");
        assert!(head.contains("\r\nConnection: close"), "{response:?}");
    }

    let (exit, _) = server.ended();
    assert!(exit.success(), "{exit}");
    assert_eq!(server.complaints(), [""; 0]);
}

/// Whether it is the other side that has ended the connection, and not the deadline.
fn hung_up(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
}

#[test]
fn a_long_request_and_one_of_an_older_version_get_the_page() {
    let mut long = b"GET / HTTP/1.1\r\nCookie: ".to_vec();
    long.extend([b'a'; 8000]);
    long.extend(b"\r\n\r\n");
    both_get("200", [&long, b"GET / HTTP/1.0\r\n\r\n"]);
}

#[test]
fn a_request_that_makes_no_sense_gets_400() {
    both_get("400", [b"nonsense\r\n\r\n", b"GET / HTTP/one\r\n\r\n"]);
}

#[test]
fn an_empty_request_gets_400() {
    both_get("400", [b"\r\n\r\n\r\n", b"\n\n\n"]);
}

#[test]
fn a_request_that_is_not_text_gets_400() {
    both_get(
        "400",
        [b"\xFF / HTTP/1.1\r\n\r\n", b"GET /\xFF HTTP/1.1\r\n\r\n"],
    );
}

#[test]
fn other_methods_get_501() {
    both_get(
        "501",
        [
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi",
            b"BREW / HTTP/1.1\r\n\r\n",
        ],
    );
}

#[test]
fn other_versions_get_505() {
    both_get(
        "505",
        [
            b"GET / HTTP/2.0\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    );
}

/// A line with more bytes than the server may read, and more than fit between it and the client.
fn endless() -> Vec<u8> {
    vec![b'a'; 512 * 1024]
}

#[test]
fn an_endless_line_gets_414() {
    let mut request = b"GET /".to_vec();
    request.extend(endless());
    both_get("414", [&request, &request]);
}

#[test]
fn endless_headers_get_431() {
    let mut one = b"GET / HTTP/1.1\r\nCookie: ".to_vec();
    one.extend(endless());
    let many = [
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"Cookie: a\r\n".repeat(50_000),
    ]
    .concat();
    both_get("431", [&one, &many]);
}

#[test]
fn a_refused_client_that_never_hangs_up_holds_nobody_up() {
    let mut server = Server::start();

    let clients = [(); 2].map(|()| {
        let mut stream = server.connect();
        stream.write_all(b"nonsense\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 400");
        // One byte after the other, until the server has closed the connection.
        thread::spawn(move || {
            while stream.write_all(b"a").is_ok() {
                thread::sleep(Duration::from_millis(100));
            }
        })
    });

    let (exit, _) = server.ended();
    assert!(exit.success(), "{exit}");
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn a_client_that_hangs_up_too_early_is_no_error() {
    let mut server = Server::start();

    drop(server.connect());
    server.connect().write_all(b"GET / HTTP/1.1\r\n").unwrap();

    let (exit, lines) = server.ended();
    assert!(exit.success(), "{exit}");
    assert!(
        !lines.iter().any(|line| line.contains("panicked")),
        "{lines:#?}"
    );
    assert_eq!(server.complaints(), [""; 0]);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_page_is_no_error() {
    // More than fits between the server and a client that does not read.
    let folder = tempdir("large-page");
    fs::write(folder.join("hello.html"), vec![b'a'; 64 * 1024 * 1024]).unwrap();
    let mut command = hello();
    command.current_dir(&folder);
    let mut server = Server::start_as(command);

    for _ in 0..2 {
        let mut stream = server.send("/");
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        drop(stream); // with the rest unread
    }

    let (exit, lines) = server.ended();
    assert!(exit.success(), "{exit}");
    assert!(
        !lines.iter().any(|line| line.contains("panicked")),
        "{lines:#?}"
    );
    assert_eq!(server.complaints(), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_page_that_cannot_be_read_gets_500_and_is_named() {
    let folder = tempdir("no-pages");
    let mut command = hello();
    command.current_dir(&folder);
    let mut server = Server::start_as(command);

    assert!(server.get("/").starts_with("HTTP/1.1 500 "));
    let line = server.complained("hello.html");
    let cause = fs::read(folder.join("hello.html")).unwrap_err().to_string();
    assert!(line.contains(&cause), "{line}");
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 500 "));
    server.complained("404.html");

    let (exit, _) = server.ended();
    assert!(exit.success(), "{exit}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let first = Server::start();
    drop(first.connect()); // it listens
    let mut second = first.start_another();

    let (exit, _) = second.ended();
    let complaints = second.complaints();
    assert_eq!(exit.code(), Some(1), "{complaints:#?}");
    let cause = TcpListener::bind(ADDRESS).unwrap_err().to_string();
    let [line] = &complaints[..] else {
        panic!("not one line: {complaints:#?}");
    };
    for part in [ADDRESS, &cause] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn too_many_open_files_do_not_end_the_server() {
    // The three that every process has open, the listener, and one connection. Whoever runs these
    // tests may have left others open: 3 and 4 are closed, and higher ones do not count.
    let mut command = Command::new("sh");
    let script = "exec 3<&- 4<&- && ulimit -n 5 && exec \"$0\"";
    command.args(["-c", script]).arg(hello().get_program());
    let start = Instant::now();
    let mut server = Server::start_as(command);

    let first = server.connect();
    let mut second = server.connect();
    second.write_all(b"nonsense\r\n\r\n").unwrap();
    server.complained("Too many open files");
    thread::sleep(Duration::from_millis(200));
    drop(first);

    assert!(read(second).starts_with("HTTP/1.1 400 "));
    let (exit, _) = server.ended();
    assert!(exit.success(), "{exit}");
    let complaints = server.complaints().len();
    let time = start.elapsed();
    assert!(
        (complaints as u128) < time.as_millis() / 4,
        "it asks again without a pause: {complaints} lines in {time:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn it_does_not_matter_if_nothing_can_be_printed() {
    let mut command = Command::new("sh");
    let script = "exec \"$0\" >/dev/full 2>/dev/full"; // as a disk without room
    command.args(["-c", script]).arg(hello().get_program());
    let mut server = Server::start_as(command);

    assert!(server.get("/").starts_with("HTTP/1.1 200 "));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404 "));

    let (exit, _) = server.ended();
    assert!(exit.success(), "{exit}");
}

/// A new folder for one test.
fn tempdir(name: &str) -> PathBuf {
    // A process that was ended may have left one behind, and this one may have its number.
    (0..100)
        .map(|count| env::temp_dir().join(format!("hello-{name}-{}-{count}", process::id())))
        .find(|folder| fs::create_dir(folder).is_ok())
        .expect("a new folder for temporary files")
}
