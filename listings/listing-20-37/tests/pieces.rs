//! What becomes of a file that is sent piece by piece: in a conversation, on a connection, and where a
//! disk takes its time.
#![cfg(unix)]
#![allow(dead_code)]

#[path = "common/client.rs"]
mod client;
mod common;
#[path = "../src/connection.rs"]
mod connection;
#[path = "../src/conversation.rs"]
mod conversation;
#[path = "../src/errors.rs"]
mod errors;
#[path = "../src/part.rs"]
mod part;
#[path = "../src/request.rs"]
mod request;
#[path = "../src/response.rs"]
mod response;
#[path = "../src/status.rs"]
mod status;

use connection::{Connection, Needs};
use conversation::{Conversation, Next, Phase};
use hello::BuildError;
use part::{Part, PIECE};
use response::{Body, Response};
use std::{
    fs::{self, File},
    io::prelude::*,
    net::{TcpListener, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

/// An open file that nobody else can find, with these bytes.
fn file(name: &str, bytes: &[u8]) -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).unwrap();
    let file = File::options().read(true).write(true).open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    file
}

/// Of a whole number of pieces, and a byte; each is the number of its piece.
fn bytes(pieces: u64) -> Vec<u8> {
    (0..pieces * PIECE + 1)
        .map(|at| (at / PIECE) as u8)
        .collect()
}

fn response(part: Part) -> Response {
    Response {
        status: "200 OK",
        headers: Vec::new(),
        body: Body::File(part),
    }
}

/// A conversation that has got this response to its first request.
fn answered(method: &str, response: Response) -> Conversation {
    let mut conversation = Conversation::new();
    conversation.received(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    assert!(matches!(conversation.next(), Next::Answer(_)));
    conversation.begin();
    conversation.respond(response);
    conversation
}

/// All that it sends until it needs something else.
fn sent(conversation: &mut Conversation) -> (Vec<u8>, Next) {
    let mut sent = Vec::new();
    loop {
        match conversation.next() {
            Next::Send => {
                let some = conversation.unsent().len().min(1000);
                sent.extend_from_slice(&conversation.unsent()[..some]);
                conversation.sent(some);
            }
            next => return (sent, next),
        }
    }
}

#[test]
fn after_each_piece_the_next_one_is_asked_for_until_all_is_sent() {
    let all = bytes(2);
    let part = Part::new(file("all", &all), 0, all.len() as u64).unwrap();
    let mut conversation = answered("GET", response(part));
    let (head, mut next) = sent(&mut conversation);
    assert!(head.ends_with(format!("Content-Length: {}\r\n\r\n", all.len()).as_bytes()));

    let mut got = Vec::new();
    for length in [PIECE, PIECE, 1] {
        let Next::Read(part) = next else {
            panic!("{next:?}");
        };
        assert_eq!(conversation.phase(), Phase::Reading);
        let (piece, rest) = part.read().unwrap();
        assert_eq!(piece.len() as u64, length);
        conversation.goes_on(piece, rest);
        assert!(conversation.is_unsent());
        let (piece, after) = sent(&mut conversation);
        got.extend(piece);
        next = after;
    }
    assert!(got == all);
    assert!(matches!(next, Next::Receive), "{next:?}");
    assert_eq!(conversation.phase(), Phase::Idle);
}

#[test]
fn between_two_pieces_something_is_still_unsent() {
    let all = bytes(1);
    let part = Part::new(file("between", &all), 0, all.len() as u64).unwrap();
    let mut conversation = answered("GET", response(part));
    for is_there_more in [true, true, false] {
        assert!(conversation.is_unsent());
        conversation.sent(conversation.unsent().len());
        assert_eq!(conversation.is_unsent(), is_there_more);
        if let Next::Read(part) = conversation.next() {
            let (piece, rest) = part.read().unwrap();
            conversation.goes_on(piece, rest);
        }
    }
}

#[test]
fn of_a_part_nothing_is_read_but_its_bytes() {
    let all = bytes(2);
    let part = Part::new(file("part", &all), PIECE - 1, 3).unwrap();
    let (piece, rest) = part.read().unwrap();
    assert_eq!(piece, [0, 1, 1]);
    assert!(rest.is_none());
}

#[test]
fn for_head_no_piece_is_asked_for() {
    let part = Part::new(file("head", b"abc"), 0, 3).unwrap();
    let mut conversation = answered("HEAD", response(part));
    let (head, next) = sent(&mut conversation);
    assert!(head.ends_with(b"Content-Length: 3\r\n\r\n"));
    assert!(matches!(next, Next::Receive), "{next:?}");
}

#[test]
fn no_header_of_a_page_begins_another_one() {
    let page = Response::html("200 OK", "").with("Location", "/a\r\nSet-Cookie: b");
    let (head, _) = sent(&mut answered("GET", page));
    let head = String::from_utf8(head).unwrap();
    assert!(head.contains("Location: /a  Set-Cookie: b\r\n"), "{head}");
}

#[test]
fn without_its_next_piece_the_conversation_is_over() {
    // The file has become too short, or a worker has panicked.
    let part = Part::new(file("short", b"abc"), 0, 4).unwrap();
    let mut conversation = answered("GET", response(part));
    let Next::Read(part) = sent(&mut conversation).1 else {
        panic!("a piece");
    };
    assert!(part.read().is_err());
    assert!(matches!(conversation.next(), Next::Close));
}

/// Goes on until the client is waited for, and says until when. `now` is in seconds.
fn go_on(connection: &mut Connection, start: Instant, now: u64, pieces: &mut usize) -> u64 {
    let mut buffer = vec![0; 1000];
    loop {
        match connection.go_on(&mut buffer, |_| start + Duration::from_secs(now + 10)) {
            Needs::Client(deadline) => return (deadline - start).as_secs(),
            Needs::Worker(_) => {
                let zeros = file("zeros", b"");
                let size = 1024 * 1024 * 1024;
                zeros.set_len(size).unwrap();
                connection.respond(response(Part::new(zeros, 0, size).unwrap()));
            }
            Needs::Reader(part) => {
                let (piece, rest) = part.read().unwrap();
                connection.goes_on(piece, rest);
                *pieces += 1;
            }
            Needs::Nothing => panic!("it is over"),
        }
    }
}

#[test]
fn each_piece_has_a_time_of_its_own() {
    let listener = TcpListener::bind(common::ANY_PORT).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(common::DEADLINE)).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();

    let (start, mut pieces) = (Instant::now(), 0);
    let mut connection = Connection::new(mio::net::TcpStream::from_std(stream), start);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    common::wait_until("the system takes no more", || {
        go_on(&mut connection, start, 0, &mut pieces) == 10 && pieces > 0
    });
    let mut some = vec![0; 16 * 1024];
    for now in 1..20 {
        // Who takes nothing does not get more time, and who takes less than a piece does not, either.
        let (before, deadline) = (pieces, connection.deadline());
        assert_eq!(
            start + Duration::from_secs(go_on(&mut connection, start, now, &mut pieces)),
            deadline
        );
        while pieces == before {
            assert_eq!(connection.deadline(), deadline);
            client.read_exact(&mut some).unwrap();
            go_on(&mut connection, start, now, &mut pieces);
        }
        assert_eq!(connection.deadline(), start + Duration::from_secs(now + 10));
    }
}

/// A client that takes a little at a time is not slow. It has to be seen that it takes something.
#[test]
#[cfg(target_os = "linux")]
fn the_system_keeps_no_more_than_a_few_pieces_and_tells_soon_that_one_is_taken() {
    use socket2::{Domain, Socket, Type};
    let listener = TcpListener::bind(common::ANY_PORT).unwrap();
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.set_recv_buffer_size(64 * 1024).unwrap(); // what its own system keeps
    client
        .connect(&listener.local_addr().unwrap().into())
        .unwrap();
    let mut client = TcpStream::from(client);
    client.set_read_timeout(Some(common::DEADLINE)).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();

    let mut stream = mio::net::TcpStream::from_std(stream);
    let (mut poll, mut events) = (mio::Poll::new().unwrap(), mio::Events::with_capacity(8));
    let registry = poll.registry();
    registry
        .register(&mut stream, mio::Token(0), mio::Interest::WRITABLE)
        .unwrap();

    let (start, mut pieces) = (Instant::now(), 0);
    let mut connection = Connection::new(stream, start);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    common::wait_until("the system takes no more", || {
        let before = pieces;
        go_on(&mut connection, start, 0, &mut pieces);
        before > 0 && pieces == before
    });
    const FEW: usize = 8;
    assert!(pieces <= FEW, "{pieces} pieces, and nothing is taken");

    client.set_nonblocking(true).unwrap();
    let mut some = vec![0; 16 * 1024];
    for now in 1..20 {
        let mut taken = 0;
        common::wait_until("the next piece has its time", || {
            taken += client.read(&mut some).unwrap_or(0); // or there is nothing now
            assert!(taken <= FEW * PIECE as usize, "so much, and no time more");
            // Only then does the event loop know of it.
            poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            let is_told = !events.is_empty();
            is_told && go_on(&mut connection, start, now, &mut pieces) == now + 10
        });
    }
}

/// How many workers read pieces.
const READERS: usize = 4;

/// Reads that last until the test says so, as from a disk that is slow.
#[test]
#[cfg(target_os = "linux")]
fn while_all_reads_last_everybody_else_is_served() {
    use client::Client;
    use hello::Server;
    use nix::sys::eventfd::EventFd;
    use std::{
        os::{
            fd::{AsFd, OwnedFd},
            unix::net::UnixStream,
        },
        sync::Arc,
        thread,
    };

    // Who reads from it waits until a number is written into it, and gets that.
    let slow: Vec<_> = (0..=READERS)
        .map(|_| Arc::new(EventFd::new().unwrap()))
        .collect();
    let files = slow.clone();
    let (asked, ask) = UnixStream::pair().unwrap();
    let server = Server::bind(common::ANY_PORT).unwrap();
    let address = server.address().unwrap();
    let server = server.with_pages(move |request| match request.path[1..].parse::<usize>() {
        Ok(number) => {
            let file: OwnedFd = files[number].as_fd().try_clone_to_owned().unwrap();
            hello::Response {
                status: "200 OK",
                headers: Vec::new(),
                body: hello::Body::File(hello::Part::new(file.into(), 0, 8).unwrap()),
            }
        }
        Err(_) => hello::Response::html("200 OK", "page"),
    });
    let ended = thread::spawn(move || server.run(asked).unwrap().finish());

    let mut clients: Vec<_> = (0..=READERS).map(|_| Client::to(address)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(client::get(&format!("/{number}")));
        assert!(client.head().head.contains("Content-Length: 8\r\n"));
    }
    for _ in 0..10 {
        assert_eq!(Client::to(address).get("/page").body, "page");
    }

    // The last one has waited for a reader, and is asked to wait no longer than for the first.
    slow[READERS].write(0x0101_0101_0101_0101).unwrap();
    for (client, slow) in clients.iter_mut().zip(&slow[..READERS]) {
        slow.write(0x0202_0202_0202_0202).unwrap();
        assert_eq!(client.body(8), "\u{2}".repeat(8));
    }
    assert_eq!(clients[READERS].body(8), "\u{1}".repeat(8));
    drop((ask, clients));
    let ended = common::in_time(move || ended.join().unwrap());
    assert!(ended.unwrap().is_ok());
}
