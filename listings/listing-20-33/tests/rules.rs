//! What the rules of HTTP say of a request, and what this server makes of it: a row for each, with
//! the section of the rule. `3.2` alone is of RFC 9112, `9110: 5.5` of RFC 9110, and so on.
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

use conversation::{Conversation, Next};
use hello::BuildError;

/// The path that is asked for, the status that says what is wrong, or that the client gets nothing.
fn outcome(request: &[u8]) -> String {
    let (found, _) = outcome_in_pieces(request, usize::MAX);
    let (one_by_one, _) = outcome_in_pieces(request, 1);
    assert_eq!(found, one_by_one, "{}", String::from_utf8_lossy(request));
    found
}

/// The same of a request that comes in pieces of this length, and how much of it was read.
fn outcome_in_pieces(request: &[u8], length: usize) -> (String, usize) {
    let mut conversation = Conversation::new();
    let mut rest = request;
    let outcome = loop {
        match conversation.next() {
            Next::Receive if rest.is_empty() => conversation.ended(),
            Next::Receive => {
                let most = conversation.room().min(length).min(rest.len());
                assert!(most > 0, "to read nothing is taken for the end");
                let (now, later) = rest.split_at(most);
                conversation.received(now);
                rest = later;
            }
            Next::Answer(path) => break path,
            Next::Send => {
                let status = conversation.unsent()[9..12].to_vec();
                break String::from_utf8(status).unwrap();
            }
            Next::HangUp | Next::Close => break "nothing".to_owned(),
        }
    };
    (outcome, request.len() - rest.len())
}

/// What is sent, what it gets, and why.
type Row<'a> = (&'a str, &'a str, &'a str);

/// Each row's request, as `whole` makes it, gets what the row says.
#[track_caller]
fn check(rows: &[Row], whole: impl Fn(&str) -> String) {
    let mut wrong = String::new();
    for (sent, expected, why) in rows {
        let found = outcome(whole(sent).as_bytes());
        if found != *expected {
            wrong += &format!("{sent:?} got {found}, not {expected}: {why}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_request_line_has_three_parts() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("GET / HTTP/1.1", "/", "3: a method, a target, a version"),
        ("GET /", "400", "3: this is HTTP/0.9, which has no version"),
        ("", "400", "3: an empty line is no request"),
        ("GET  / HTTP/1.1", "400", "3: one space, not two"),
        (" GET / HTTP/1.1", "400", "3: nothing comes before the method"),
        ("GET / HTTP/1.1 ", "400", "3: or after the version"),
        ("GET\t/\tHTTP/1.1", "400", "3: a space, not a tab"),
        ("GET\u{b}/\u{c}HTTP/1.1", "400", "3: it may be split at these, and is not"),
        ("GET\u{a0}/ HTTP/1.1", "400", "3: a space that is not ASCII is none"),
        ("GET / HTTP/1.1\r", "400", "2.2: a CR without its LF is invalid"),
        ("GET /\rx HTTP/1.1", "400", "2.2: a CR without its LF is invalid"),
        ("GET / HTTP/1.1\0", "400", "2.3: the version ends after its digit"),
        ("get / HTTP/1.1", "501", "9110: 9.1: methods are told apart by case"),
        ("G(T / HTTP/1.1", "400", "9110: 5.6.2: no word of HTTP has a parenthesis"),
        ("GET: / HTTP/1.1", "400", "9110: 5.6.2: or a colon"),
        ("G\u{e9}T / HTTP/1.1", "400", "9110: 5.6.2: or a letter that is not ASCII"),
        ("M-SEARCH / HTTP/1.1", "501", "9110: 15.6.2: a method of another protocol"),
        ("POST / HTTP/1.1", "405", "9110: 15.5.6: a method that the page does not have"),
        ("PRI * HTTP/2.0", "505", "9110: 15.6.6: how HTTP/2 begins"),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}", "400", "3: how a client with TLS begins"),
    ];
    check(&rows, |line| format!("{line}\r\nHost: a\r\n\r\n"));
}

#[test]
fn a_version_has_one_digit_on_each_side() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("HTTP/1.0", "/", "2.3"),
        ("HTTP/1.2", "/", "9110: 2.5: a newer minor version is read as the newest that we know"),
        ("HTTP/1.10", "400", "2.3: one digit, so this is not 1.1"),
        ("HTTP/01.1", "400", "2.3: one digit"),
        ("HTTP/1", "400", "2.3: no minor version"),
        ("HTTP/+1.1", "400", "2.3: no sign"),
        ("HTTP/1.\u{661}", "400", "2.3: a digit that is not ASCII is none"),
        ("http/1.1", "400", "2.3: the name is told apart by case"),
        ("HTTP/2.0", "505", "9110: 15.6.6: a version that we do not speak"),
        ("HTTP/0.9", "505", "9110: 15.6.6: or no longer"),
        ("SIP/2.0", "400", "2.3: another protocol"),
    ];
    check(&rows, |version| {
        format!("GET / {version}\r\nHost: a\r\n\r\n")
    });
}

/// What a target, a header, a host and a length may be is decided as in Listing 20-32, and tested there.
#[test]
fn a_target_and_the_headers_are_looked_at() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("/a?x=1?y=http://b/ HTTP/1.1\r\nHost: a", "/a", "3.2.1: a query may follow"),
        ("http://[::1]:80/b HTTP/1.1\r\nHost: a", "/b", "3.2.2: MUST be understood"),
        ("https://a/ HTTP/1.1\r\nHost: a", "400", "9110: 7.4: MUST be rejected"),
        ("* HTTP/1.1\r\nHost: a", "400", "3.2.4: only OPTIONS has this form"),
        ("/ HTTP/1.1\r\nX: a\tb: c\r\nHost:", "/", "9110: 5.5"),
        ("/ HTTP/1.1\r\nHost: a\r\nX : a", "400", "5.1: white space before the colon MUST be rejected"),
        ("/ HTTP/1.1\r\nHost: a\r\nX: a\r\n b: c", "400", "5.2: a header that goes on in the next line"),
        ("/ HTTP/1.1\r\n X: a\r\nHost: a", "400", "2.2: white space before the first header"),
        ("/ HTTP/1.1\r\nHost: a\r\nX: a\rY: b", "400", "2.2: a CR without its LF"),
        ("/ HTTP/1.1", "400", "3.2: a request without a host MUST be rejected"),
        ("/ HTTP/1.0", "/", "3.2: before 1.1 there was none"),
        ("/ HTTP/1.1\r\nHost: a\r\nHost: a", "400", "3.2: two of them"),
        ("/ HTTP/1.0\r\nHost: a:b", "400", "3986: 3.2.3: no port"),
        ("/ HTTP/1.0\r\nContent-Length: 3", "/", "6.2"),
        ("/ HTTP/1.0\r\nContent-Length: +3", "400", "9110: 8.6: digits, and no sign"),
        ("/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", "/", "6.3: chunked comes last"),
        ("/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip", "400", "6.3"),
        ("/ HTTP/1.0\r\nTransfer-Encoding: chunked", "400", "6.1: was not there before 1.1"),
    ];
    check(&rows, |rest| format!("GET {rest}\r\n\r\n"));
}

#[test]
fn lines_end_and_begin_in_more_than_one_way() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("GET / HTTP/1.0\n\n", "/", "2.2: an LF alone may end a line"),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", "/", "2.2: and be mixed"),
        ("GET / HTTP/1.0\r\rHost: a\r\r", "nothing", "2.2: a CR alone does not"),
        ("\r\nGET / HTTP/1.0\r\n\r\n", "/", "2.2: one empty line before it is to be skipped"),
        ("\nGET / HTTP/1.0\r\n\r\n", "/", "2.2: likewise"),
        ("\r\n\r\nGET / HTTP/1.0\r\n\r\n", "400", "2.2: at least one; here no more"),
        ("\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", "400", "2.2: likewise"),
        (" \r\nGET / HTTP/1.0\r\n\r\n", "400", "2.2: but not one with a space in it"),
        ("\u{feff}GET / HTTP/1.0\r\n\r\n", "400", "3: a mark of Unicode is no part of a method"),
        ("GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n", "/a", "9.3.2: the first of two"),
        ("GET / HTTP/1.0\r\n\r\nGET\0", "/", "6: what follows is no part of the head"),
        ("GET / HTTP/1.0\r\nX: a\r\n", "nothing", "8: the client has hung up"),
        ("GET / HTTP/1.0", "nothing", "8: likewise"),
        ("", "nothing", "it has said nothing at all"),
    ];
    check(&rows, str::to_owned);
}

#[test]
fn what_is_no_text_is_nowhere_but_in_a_value() {
    let with = |header: &[u8]| outcome(&[b"GET / HTTP/1.0\r\n", header, b"\r\n\r\n"].concat());
    assert_eq!(with(b"X: \xff"), "/", "9110: 5.5");
    for header in [
        &b"X\xff: a"[..],
        b"Host: a\xff",
        b"Content-Length: \x853",
        b"Transfer-Encoding: \xa0chunked",
    ] {
        assert_eq!(with(header), "400", "{:?}", String::from_utf8_lossy(header));
    }
}

#[test]
fn no_more_is_read_than_the_longest_request() {
    let limit = 8 * 1024;
    let start = |start: &str| [start.as_bytes(), &b"a".repeat(2 * limit)].concat();
    let of_length = |length: usize| {
        let (start, end) = ("GET / HTTP/1.0\r\nX: ", "\r\n\r\n");
        let value = "a".repeat(length - start.len() - end.len());
        format!("{start}{value}{end}").into_bytes()
    };
    #[rustfmt::skip] // a row is a line
    let requests = [
        (start("GET /a HTTP/1.0\r\n\r\nmore"), "/a", 19, "6: what follows is no part of it"),
        (start("GET /"), "414", limit, "3: longer than any that is wanted: MUST be 414"),
        (start(""), "414", limit, "3: should be 501, if the method is too long"),
        (start("\r\n"), "414", limit, "2.2: the empty line counts"),
        (start("GET / HTTP/1.0\r\nX: "), "431", limit, "9110: 5.4"),
        (start("GET / HTTP/1.0\r\n"), "431", limit, "9110: 5.4"),
        (of_length(limit), "/", limit, "it just fits"),
        (of_length(limit + 1), "431", limit, "it does not"),
    ];
    for (request, expected, most, why) in requests {
        for length in [1, 19, 1000, usize::MAX] {
            let (found, read) = outcome_in_pieces(&request, length);
            assert_eq!(found, expected, "{why}");
            // What has come together with the rest of a head has been read with it.
            assert!(
                read <= if length == 1 { most } else { limit },
                "{read}: {why}"
            );
        }
    }

    // 3: 8000 bytes should be possible for the first line.
    let long = format!("/{}", "a".repeat(8000 - "GET / HTTP/1.1".len()));
    let request = format!("GET {long} HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(outcome(request.as_bytes()), long);
}
