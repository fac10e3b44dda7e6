//! What is said on a connection, without one: bytes go in, and out comes what to do.
#![allow(dead_code)]

#[path = "../src/conversation.rs"]
mod conversation;
#[path = "../src/errors.rs"]
mod errors;
#[path = "../src/request.rs"]
mod request;
#[path = "../src/response.rs"]
mod response;
#[path = "../src/status.rs"]
mod status;

use conversation::{
    Conversation, Next,
    Phase::{self, *},
};
use hello::BuildError;

const LIMIT: usize = 8 * 1024;
const MEBIBYTE: usize = 1024 * 1024;

/// What the client does when it has sent all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Ends,
    /// It does nothing more, so its time for this phase is over.
    IsLate,
}
use Then::*;

/// A conversation, and what has come of it.
struct Talk {
    conversation: Conversation,
    /// What was to be done. (To receive or to send once more is no news.)
    done: Vec<Next>,
    got: Vec<u8>,
    ways: Vec<(Phase, Phase)>,
}

impl Talk {
    fn new() -> Talk {
        Talk {
            conversation: Conversation::new(),
            done: Vec::new(),
            got: Vec::new(),
            ways: Vec::new(),
        }
    }

    /// Does something, and notes the way from one phase to the next.
    fn note<T>(&mut self, act: impl FnOnce(&mut Conversation) -> T) -> T {
        let before = self.conversation.phase();
        let acted = act(&mut self.conversation);
        let after = self.conversation.phase();
        if before != after {
            self.ways.push((before, after));
        }
        acted
    }

    /// Goes on to its end. The client sends these pieces, and takes so many bytes at once.
    fn go_on(&mut self, pieces: &[&[u8]], then: Then, at_once: usize) {
        let mut pieces = pieces.iter().copied().filter(|piece| !piece.is_empty());
        let mut piece: &[u8] = &[];
        for _ in 0..MEBIBYTE {
            let next = self.note(Conversation::next);
            match &next {
                Next::Receive => {
                    let room = self.conversation.room();
                    assert!(room > 0, "to read nothing is taken for the end");
                    // What is thrown away takes no room.
                    assert!(self.conversation.phase() == Receiving || room == LIMIT);
                    if piece.is_empty() {
                        piece = pieces.next().unwrap_or_default();
                    }
                    let (now, later) = piece.split_at(room.min(piece.len()));
                    piece = later;
                    self.note(|conversation| match (now.is_empty(), then) {
                        (false, _) => conversation.received(now),
                        (true, Ends) => conversation.ended(),
                        (true, IsLate) => conversation.time_is_over(),
                    });
                }
                Next::Answer(path) if path == "/lost" => {} // comes back without a response
                Next::Answer(path) => {
                    let response = ("200 OK", format!("a page for {path}"));
                    self.note(|conversation| conversation.respond(response));
                }
                Next::Send => {
                    let unsent = self.conversation.unsent();
                    let taken = unsent[..at_once.min(unsent.len())].to_owned();
                    self.note(|conversation| conversation.sent(taken.len()));
                    self.got.extend(taken);
                }
                Next::HangUp | Next::Close => {}
            }
            let is_over = next == Next::Close;
            let goes_on = matches!(next, Next::Receive | Next::Send);
            if !goes_on || self.done.last() != Some(&next) {
                self.done.push(next);
            }
            if is_over {
                return;
            }
        }
        panic!("it goes on and on");
    }

    /// The status of the response, and its body.
    fn got(&self) -> (&str, &str) {
        let got = std::str::from_utf8(&self.got).unwrap();
        let (head, body) = got.split_once("\r\n\r\n").unwrap_or_default();
        (head.get(9..12).unwrap_or_default(), body)
    }
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/// What the client sends and does then; what is to be done; the status and the body that it gets.
type Row = (Vec<u8>, Then, Vec<Next>, (&'static str, &'static str));

#[rustfmt::skip] // a row is a line
fn rows() -> Vec<Row> {
    use Next::{Close, HangUp, Receive, Send};
    let answer = |path: &str| vec![Receive, Next::Answer(path.to_owned()), Send, HangUp, Receive, Close];
    let refuse = || vec![Receive, Send, HangUp, Receive, Close];
    let late = || vec![Receive, Send, Close];
    let long = |start: &[u8], length| [start, &b"a".repeat(length - start.len())].concat();
    let head = b"GET /a HTTP/1.0\r\nX: ";
    let longest = [&long(head, LIMIT - 4)[..], b"\r\n\r\n"].concat();
    vec![
        (GET.to_vec(), Ends, answer("/a"), ("200", "a page for /a")),
        (GET.to_vec(), IsLate, answer("/a"), ("200", "a page for /a")),
        ([GET, GET].concat(), Ends, answer("/a"), ("200", "a page for /a")),
        ([b"\r\n", GET, b"POST / nonsense"].concat(), IsLate, answer("/a"), ("200", "a page for /a")),
        (b"HEAD /b HTTP/1.0\r\n\r\n".to_vec(), Ends, answer("/b"), ("200", "")),
        (b"\nHEAD /b HTTP/1.0\n\n".to_vec(), Ends, answer("/b"), ("200", "")),
        (b"GET /lost HTTP/1.0\r\n\r\n".to_vec(), Ends, answer("/lost"), ("500", "500 INTERNAL SERVER ERROR\n")),
        (b"nonsense\r\n\r\n".to_vec(), Ends, refuse(), ("400", "400 BAD REQUEST\n")),
        (b"HEAD nonsense\r\n\r\n".to_vec(), Ends, refuse(), ("400", "")),
        (b"POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody".to_vec(), IsLate, refuse(), ("405", "405 METHOD NOT ALLOWED\n")),
        (b"".to_vec(), Ends, vec![Receive, Close], ("", "")),
        (GET[..20].to_vec(), Ends, vec![Receive, Close], ("", "")),
        (b"".to_vec(), IsLate, late(), ("408", "408 REQUEST TIMEOUT\n")),
        (GET[..20].to_vec(), IsLate, late(), ("408", "408 REQUEST TIMEOUT\n")),
        (b"HEAD / HTTP/1.0\r\n".to_vec(), IsLate, late(), ("408", "")),
        (long(b"GET /", LIMIT - 1), IsLate, late(), ("408", "408 REQUEST TIMEOUT\n")),
        (long(b"GET /", LIMIT), IsLate, refuse(), ("414", "414 URI TOO LONG\n")),
        (long(b"GET /", LIMIT + 9), Ends, refuse(), ("414", "414 URI TOO LONG\n")),
        (longest, Ends, answer("/a"), ("200", "a page for /a")),
        (long(head, LIMIT), Ends, refuse(), ("431", "431 REQUEST HEADER FIELDS TOO LARGE\n")),
    ]
}

/// All runs of the rows: each whole, byte by byte, and in two pieces, whichever these are. (Of long
/// ones, those near the ends and the limit.)
fn talks(mut each: impl FnMut(&Row, &str, Talk)) {
    for row in &rows() {
        let (sent, then, ..) = row;
        let mut talk = |how: &str, pieces: &[&[u8]], at_once| {
            let mut talk = Talk::new();
            talk.go_on(pieces, *then, at_once);
            each(row, how, talk);
        };
        let splits = (0..=sent.len()).filter(|&at| at < 100 || at + 20 > LIMIT);
        for at in splits {
            let (first, second) = sent.split_at(at);
            talk(&format!("in two after {at}"), &[first, second], usize::MAX);
        }
        let bytes: Vec<_> = sent.chunks(1).collect();
        talk("byte by byte", &bytes, 1);
    }
}

#[test]
fn however_a_request_comes_the_same_is_done_and_the_same_is_said() {
    talks(|(sent, then, done, got), how, talk| {
        let sent = String::from_utf8_lossy(&sent[..sent.len().min(40)]);
        assert_eq!(talk.done, *done, "{sent:?}, {then:?}, {how}");
        assert_eq!(talk.got(), *got, "{sent:?}, {then:?}, {how}");
    });
}

/// Those of the picture.
#[test]
fn it_goes_from_phase_to_phase_in_these_ways_and_in_no_other() {
    let mut taken = Vec::new();
    talks(|_, _, talk| taken.extend(talk.ways));

    let mut late = sending(5);
    late.note(Conversation::time_is_over);
    late.go_on(&[], Ends, 0);
    taken.extend(late.ways);

    let ways = [
        (Receiving, Answering),
        (Receiving, Sending),
        (Receiving, Closed),
        (Answering, Sending),
        (Sending, Leaving),
        (Sending, Closed),
        (Leaving, Closed),
    ];
    for way in ways {
        assert!(taken.contains(&way), "no run takes {way:?}");
    }
    taken.retain(|way| !ways.contains(way));
    assert_eq!(taken, []);
}

/// A client that has taken so many bytes of its response.
fn sending(taken: usize) -> Talk {
    let mut talk = Talk::new();
    talk.conversation.received(GET);
    assert_eq!(talk.conversation.next(), Next::Answer("/a".to_owned()));
    let response = ("200 OK", "a page".to_owned());
    talk.note(|conversation| conversation.respond(response));
    talk.conversation.sent(taken);
    talk
}

#[test]
fn a_client_that_takes_only_a_part_is_closed_when_its_time_is_over() {
    let whole = sending(0).conversation.unsent().len();
    for taken in 0..whole {
        let mut talk = sending(taken);
        assert_eq!(talk.conversation.next(), Next::Send);
        assert_eq!(talk.conversation.unsent().len(), whole - taken);
        talk.note(Conversation::time_is_over);
        assert_eq!(talk.conversation.next(), Next::Close);
    }
    assert_eq!(sending(whole).conversation.next(), Next::HangUp);
}

#[test]
fn no_more_than_a_mebibyte_is_thrown_away() {
    let mut talk = sending(0);
    let whole = talk.conversation.unsent().len();
    talk.conversation.sent(whole);
    assert_eq!(talk.conversation.next(), Next::HangUp);
    let piece = [b'a'; LIMIT];
    for _ in 0..MEBIBYTE / LIMIT {
        assert_eq!(talk.conversation.next(), Next::Receive);
        talk.conversation.received(&piece);
    }
    assert_eq!(talk.conversation.next(), Next::Receive);
    talk.conversation.received(b"a");
    assert_eq!(talk.conversation.next(), Next::Close);
}
