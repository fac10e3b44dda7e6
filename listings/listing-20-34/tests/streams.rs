//! Streams that nobody has thought of: whole requests, requests with something wrong, and garbage, in
//! any pieces; and heads, of which a well-known parser is asked as well. Each test makes up 256 cases;
//! for a million, which takes about a minute:
//!
//! ```sh
//! PROPTEST_CASES=1000000 cargo test --release --test streams
//! ```
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
mod talk;

use conversation::{Next, Phase};
use hello::BuildError;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, Index},
};
use request::{head_end, judge};
use talk::Talk;

/// What requests are made of, right and wrong.
#[rustfmt::skip]
const LINES: [&str; 26] = [
    "Host: a", "Host: a", "host:[::1]:80", "Host: a b", "X:", "X: \u{e9}", "X", " X: a", "X: a\r\n b",
    "Connection: close", "Connection: keep-alive", "Connection: x , CLOSE", "Expect: 100-continue", "Expect: x",
    "Content-Length: 0", "Content-Length: 3", "content-length:\t40", "Content-Length: 65536",
    "Content-Length: 65537", "Content-Length: +3", "Content-Length: 3, 3", "Content-Length : 3",
    "Transfer-Encoding: chunked", "Transfer-Encoding: x, chunked", "Transfer-Encoding: chunked;a", "Transfer-Encoding: x",
];

/// What does harm in the wrong place.
#[rustfmt::skip]
const CRUMBS: [&[u8]; 18] = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b",", b"0", b"#", b"?", b"/", b"\xff", b"\x7f",
    b"HTTP/1.1", b"HEAD ", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

/// One request; in many cases as it has to be.
#[rustfmt::skip]
fn whole() -> impl Strategy<Value = Vec<u8>> {
    let method = select(vec!["GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "get"]);
    let target = select(vec!["/", "/a?b", "/405", "/panic", "http://a/b", "*", "/%", "//"]);
    let version = select(vec!["1.1", "1.1", "1.1", "1.0", "1.2", "2.0"]);
    let right = select(vec!["X: a", "Content-Length: 3", "Connection: close", "Connection: keep-alive", "Expect: 100-continue"]);
    let headers = prop_oneof![
        3 => vec(right, 0..3).prop_map(|lines| [&["Host: a"][..], &lines].concat()),
        1 => vec(select(LINES.to_vec()), 0..5),
    ];
    let end = select(vec!["\r\n", "\r\n", "\r\n", "\n"]);
    let body = select(vec!["", "", "abc", "abc", "0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]);
    (method, target, version, headers, end, body).prop_map(|(method, target, version, headers, end, body)| {
        let lines: String = headers.iter().map(|line| format!("{line}{end}")).collect();
        format!("{method} {target} HTTP/{version}{end}{lines}{end}{body}").into_bytes()
    })
}

/// A request in which something was left out, or put in.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let crumb = select(CRUMBS.to_vec()).prop_map(<[u8]>::to_vec);
    let crumb = prop_oneof![crumb, vec(any::<u8>(), 0..2)];
    let change = (any::<Index>(), 0..3_usize, crumb);
    (whole(), vec(change, 1..4)).prop_map(|(mut bytes, changes)| {
        for (place, length, crumb) in changes {
            let start = place.index(bytes.len() + 1);
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, crumb);
        }
        bytes
    })
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(select(CRUMBS.to_vec()), 0..20).prop_map(|crumbs| crumbs.concat()),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![20 => whole(), 4 => broken(), 1 => garbage()];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// What happens on the way, besides bytes that come.
#[derive(Clone, Debug)]
enum Event {
    Come(usize),
    Steps(usize),
    End,
    Stop,
    Late,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        20 => (1..100_usize).prop_map(Event::Come),
        4 => (1..20_000_usize).prop_map(Event::Come),
        10 => (0..5_usize).prop_map(Event::Steps),
        2 => Just(Event::Stop),
        1 => Just(Event::Late),
        1 => Just(Event::End),
    ];
    vec(event, 0..40)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default() // which asks the environment
    }
}

/// The path of a request, as its page has it.
fn path(page: &[u8]) -> &[u8] {
    page.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
}

/// Each request has its answer, and nothing else is there, but for one more at the end if what came last
/// was not understood, or was late.
fn check(talk: &Talk, stopped: Option<usize>) -> Result<(), TestCaseError> {
    let responses = talk.responses();
    let asked = talk.requests.len();
    let is_cut_off = talk.phase() == Phase::Closed && !talk.hung_up;
    prop_assert!(responses.len() <= asked + 1);
    prop_assert!(asked <= responses.len() + usize::from(is_cut_off));
    if let Some(before) = stopped {
        prop_assert!(
            responses.len() <= before + 1,
            "more than one after the stop"
        );
    }
    for (number, (head, body)) in responses.iter().enumerate() {
        let is_last = head.contains("\r\nConnection: close\r\n");
        prop_assert!(
            !is_last || number + 1 == responses.len(),
            "something after the last"
        );
        let page = match talk.requests.get(number) {
            Some(page) if path(page) != b"/panic" => page,
            _ => {
                prop_assert!(
                    is_last && !head.contains(" 200 "),
                    "it goes on after {head}"
                );
                continue;
            }
        };
        if number + 1 < responses.len() || !is_cut_off {
            let is_for_head = page.starts_with(b"HEAD ");
            prop_assert_eq!(*body, if is_for_head { &[][..] } else { page });
        }
        let is_allowed = path(page) != b"/405";
        prop_assert_eq!(
            head.starts_with("HTTP/1.1 200 OK\r\n"),
            is_allowed,
            "{}",
            head
        );
    }
    Ok(())
}

/// What is said twice, or not at all, has no value.
fn value<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    let mut named = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name));
    let value = named.next()?.value;
    named.next().is_none().then_some(value)
}

/// Whether one of the words in these headers is `word`.
fn says(headers: &[httparse::Header], name: &str, word: &str) -> bool {
    let named = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name));
    let mut words = named.flat_map(|header| header.value.split(|byte| *byte == b','));
    words.any(|one| one.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_pieces_do_not_matter(stream in stream(), cuts in vec(1..200_usize, 1..20), takes in 1..300_usize) {
        let mut whole = Talk::new(usize::MAX);
        whole.send(&stream);

        let mut talk = Talk::new(takes);
        let (mut rest, mut cuts) = (&stream[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let piece;
            (piece, rest) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            talk.send(piece);
        }
        prop_assert_eq!(&talk.requests, &whole.requests);
        prop_assert_eq!(talk.answers(), whole.answers());
        for talk in [&mut talk, &mut whole] {
            talk.end();
            prop_assert_eq!(talk.go_on(), Next::Close);
        }
        prop_assert_eq!(talk.answers(), whole.answers());
    }

    #[test]
    fn whatever_happens_each_request_has_one_answer_and_in_order(stream in stream(), events in events(), takes in 1..300_usize) {
        let mut talk = Talk::new(takes);
        let (mut rest, mut stopped) = (&stream[..], None);
        for event in events {
            match event {
                Event::Come(length) if talk.go_on() == Next::Receive => {
                    let piece = &rest[..rest.len().min(length)];
                    rest = &rest[piece.len() - talk.put(piece).len()..];
                }
                Event::Steps(steps) => {
                    for _ in 0..steps {
                        if let Some(Next::Answer(request)) = talk.step() {
                            talk.answer(&request);
                        }
                    }
                }
                Event::Stop => {
                    stopped.get_or_insert(talk.requests.len());
                    talk.stop();
                }
                Event::Late if talk.phase() != Phase::Answering => talk.late(),
                Event::End if talk.go_on() == Next::Receive => talk.end(),
                _ => {}
            }
        }
        talk.go_on();
        check(&talk, stopped)?;
        talk.end();
        prop_assert_eq!(talk.go_on(), Next::Close);
        check(&talk, stopped)?;
    }

    /// What we take, the other parser takes, too, and it reads the same.
    #[test]
    fn another_parser_reads_a_head_as_we_do(bytes in prop_oneof![whole(), broken(), broken()]) {
        let mut headers = vec![httparse::EMPTY_HEADER; bytes.len()];
        let mut theirs = httparse::Request::new(&mut headers);
        let read = theirs.parse(&bytes);
        let Some(end) = head_end(&bytes, 0) else {
            prop_assert!(!read.is_ok_and(|read| read.is_complete()), "to us, it has no end");
            return Ok(());
        };
        match judge(&bytes[..end]) {
            // To us, what is newer than 1.1 is 1.1 (RFC 9110, 2.5).
            Ok(_) if read == Err(httparse::Error::Version) => {
                let line = String::from_utf8_lossy(&bytes[..end]);
                let is_newer = |minor| line.contains(&format!(" HTTP/1.{minor}"));
                prop_assert!((2..=9).any(is_newer));
            }
            Ok(ours) => {
                prop_assert_eq!(read, Ok(httparse::Status::Complete(end)));
                prop_assert_eq!(theirs.method, Some(&*ours.request.method));
                let target = theirs.path.unwrap();
                let path = match target.strip_prefix("http://") {
                    Some(address) => address.find(['/', '?']).map_or("", |host| &address[host..]),
                    None => target,
                };
                let path = path.split('?').next().filter(|path| !path.is_empty());
                prop_assert_eq!(path.unwrap_or("/"), &ours.request.path);
                prop_assert_eq!(theirs.version, Some(u8::from(!ours.is_old)));
                let length = value(theirs.headers, "Content-Length").unwrap_or(b"0");
                let length: usize = String::from_utf8_lossy(length).parse().unwrap();
                prop_assert_eq!(length, ours.length);
                let closes = says(theirs.headers, "Connection", "close");
                let stays = !ours.is_old || says(theirs.headers, "Connection", "keep-alive");
                prop_assert_eq!(ours.stays, stays && !closes);
                let expects = says(theirs.headers, "Expect", "100-continue");
                prop_assert_eq!(ours.expects_continue, expects && !ours.is_old);
            }
            // What we do not take, though it does.
            Err(status::BAD_REQUEST) if read.is_ok() => {
                let has = |name| theirs.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name));
                let target = theirs.path.unwrap();
                let length = value(theirs.headers, "Content-Length");
                let is_number = |length: &[u8]| length.iter().all(u8::is_ascii_digit) && length != b"";
                let differences = [
                    // It does not look at what a header says, or how often, or whether it is there.
                    !matches!(value(theirs.headers, "Host"), Some(b"a" | b"[::1]:80")),
                    has("Transfer-Encoding"),
                    has("Content-Length") && !length.is_some_and(is_number),
                    // Nor at the form of a target, or at its host, or whether it is ASCII.
                    !target.starts_with('/') && !target.starts_with("http://a/"),
                    !target.is_ascii() || target.contains('#'),
                    // It skips any number of empty lines before a request.
                    bytes.iter().filter(|byte| **byte != b'\r').take(2).all(|byte| *byte == b'\n'),
                ];
                prop_assert!(differences.contains(&true));
            }
            Err(_) => {}
        }
    }
}
