//! What the rules of HTTP say of a request, and what this server makes of it: a row for each, with
//! the section of the rule. `3.2` alone is of RFC 9112, `9110: 5.5` of RFC 9110, and so on.
#![allow(dead_code)]

#[path = "../src/request.rs"]
mod request;
#[path = "../src/status.rs"]
mod status;

use request::{read_request, Refusal};
use std::{
    io::{self, prelude::*, ErrorKind},
    sync::atomic::{AtomicUsize, Ordering},
};

/// The path that is asked for, the status that says what is wrong, or that the client gets nothing.
fn outcome(request: impl Read) -> String {
    match read_request(request, &mut Vec::new()) {
        Ok(path) => path,
        Err(Refusal::Status(status)) => status[..3].to_owned(),
        Err(Refusal::Gone) => "nothing".to_owned(),
    }
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

#[test]
fn a_target_is_a_path_or_a_whole_address() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("/a/b", "/a/b", "3.2.1"),
        ("/?x=1", "/", "3.2.1: a query may follow"),
        ("/a?x=1?y=http://b/", "/a", "3.2.1: and everything may be in it"),
        ("//", "//", "3.2.1: an empty part is a part"),
        ("/./a/../b", "/./a/../b", "3986: 6.2.2.3: dots are for the client to resolve"),
        ("/../../etc/passwd", "/../../etc/passwd", "and lead to no file here"),
        ("/%73leep", "/%73leep", "9110: 4.2.3: it is `/sleep`; this server does not decode"),
        ("/%zz", "/%zz", "3.2: is no address, and should be 400; here it is a page that is not"),
        ("/{\"<\\>\"}", "/{\"<\\>\"}", "3.2: likewise"),
        ("/#top", "400", "3.2.1: what follows # stays with the client"),
        ("/\u{e9}", "400", "3.2: a character that is not ASCII has to be encoded"),
        ("/\u{7f}", "400", "3.2: a control character"),
        ("http://a/b", "/b", "3.2.2: MUST be understood, though only proxies get it"),
        ("http://a", "/", "3.2.2: an empty path is `/`"),
        ("http://a?x", "/", "3.2.2: also before a query"),
        ("HtTp://a:80/b", "/b", "9110: 4.2.3: schemes are not told apart by case"),
        ("http://[::1]:80/b", "/b", "3986: 3.2.2: an address in brackets"),
        ("https://a/", "400", "9110: 7.4: MUST be rejected on a line that is not secure"),
        ("ftp://a/", "400", "3.2.2: another scheme"),
        ("://a/", "400", "3986: 3.1: no scheme"),
        ("http:///b", "400", "9110: 4.2.1: an empty host MUST be rejected"),
        ("http://:80/b", "400", "9110: 4.2.1: also with a port"),
        ("http://u@a/", "400", "9110: 4.2.4: a user's name should be treated as an error"),
        ("http://u:p@a/", "400", "9110: 4.2.4: with a password all the more"),
        ("http://a:b/", "400", "3986: 3.2.3: no port"),
        ("http://a:65536/", "400", "no port is so large"),
        ("http:/a/b", "400", "3.2.2: one slash is missing"),
        ("a/b", "400", "3.2: no form of a target"),
        ("?x=1", "400", "3.2.1: a path begins with a slash"),
        ("a:80", "400", "3.2.3: only CONNECT has this form"),
        ("*", "400", "3.2.4: only OPTIONS has this form"),
    ];
    check(&rows, |target| {
        format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
    });
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("OPTIONS *", "405", "3.2.4: the form is right, and the method is none of ours"),
        ("CONNECT a:80", "405", "3.2.3: likewise"),
        ("CONNECT /", "405", "the method is looked at first"),
    ];
    check(&rows, |start| {
        format!("{start} HTTP/1.1\r\nHost: a\r\n\r\n")
    });
}

#[test]
fn a_header_is_a_name_a_colon_and_a_value() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("X: a", "/", "5"),
        ("X:a", "/", "5: the space may be missing"),
        ("X:", "/", "5: and so may the value"),
        ("X: \t a \t ", "/", "5: or there may be more around it"),
        ("X: a\tb: c", "/", "9110: 5.5: and in it"),
        ("X: \u{e9}", "/", "9110: 5.5: what is not ASCII has no meaning, and is allowed"),
        ("X-a!#$%&'*+-.^_`|~9: a", "/", "9110: 5.6.2: all that a name may have"),
        ("X", "400", "5: no colon"),
        (": a", "400", "5: no name"),
        ("X : a", "400", "5.1: white space before the colon MUST be rejected"),
        ("X\t: a", "400", "5.1: a tab, too"),
        ("X\u{a0}: a", "400", "9110: 5.6.2: and what only looks like it"),
        ("X Y: a", "400", "9110: 5.6.2: or within a name"),
        ("\u{e9}: a", "400", "9110: 5.6.2: or a letter that is not ASCII"),
        ("X: a\r\n b", "400", "5.2: a header that goes on in the next line: reject it, or join them"),
        ("X: a\r\n\tb: c", "400", "5.2: after a tab, too"),
        ("X: a\r\n \r\nY: b", "400", "5.2: a line of white space is no empty line"),
        ("X: a\rY: b", "400", "2.2: a CR without its LF"),
        ("X: a\r\r\nY: b", "400", "2.2: nor one more before the LF"),
        ("X: a\0b", "400", "9110: 5.5: NUL is dangerous"),
        ("X: a\u{1b}b", "400", "9110: 5.5: other control characters are invalid, too"),
    ];
    check(&rows, |header| {
        format!("GET / HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n")
    });
    check(
        &[(" X: a", "400", "2.2: white space before the first header")],
        |header| format!("GET / HTTP/1.1\r\n{header}\r\nHost: a\r\n\r\n"),
    );
}

#[test]
fn a_host_is_a_name_or_an_address() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("localhost", "/", "9110: 7.2"),
        ("LOCALHOST.", "/", "3986: 3.2.2: a name may end in a dot"),
        ("a_b!", "/", "3986: 3.2.2: and have more than names on the net have"),
        ("localhost:80", "/", "9110: 7.2: a port may follow"),
        ("localhost:", "/", "3986: 3.2.3: and may be empty"),
        ("localhost:00080", "/", "3986: 3.2.3: or have zeros"),
        ("[::1]", "/", "3986: 3.2.2: an IPv6 address in brackets"),
        ("[::FFFF:127.0.0.1]:80", "/", "3986: 3.2.2"),
        ("", "/", "3.2: what a client without a host sends"),
        (" \t", "/", "5: likewise"),
        (":80", "400", "9110: 4.2.1: an address without a host"),
        ("a:b", "400", "3986: 3.2.3: no port"),
        ("a:+8", "400", "3986: 3.2.3: digits, and no sign"),
        ("a:65536", "400", "no port is so large"),
        ("a:80:90", "400", "3986: 3.2: one port"),
        ("::1", "400", "3986: 3.2.2: no brackets"),
        ("[::1", "400", "3986: 3.2.2: one bracket"),
        ("[]", "400", "3986: 3.2.2: no address"),
        ("[a]", "400", "3986: 3.2.2: no address"),
        ("[::1]a", "400", "3986: 3.2.2: something behind it"),
        ("a[::1]", "400", "3986: 3.2.2: something before it"),
        ("[::1%25eth0]", "400", "3986: 3.2.2: a zone is for the client alone"),
        ("[v1.a]", "400", "3986: 3.2.2: could be an address of the future; here it is none"),
        ("%61", "400", "3986: 3.2.2: could be `a`; this server does not decode"),
        ("%zz", "400", "3986: 3.2.2: nothing that is encoded"),
        ("a%", "400", "3986: 3.2.2: likewise"),
        ("u@a", "400", "9110: 7.2: a user's name is no part of it"),
        ("http://a", "400", "9110: 7.2: nor a scheme"),
        ("a/b", "400", "9110: 7.2: nor a path"),
        ("a b", "400", "3986: 3.2.2: a space"),
        ("\u{e9}", "400", "3986: 3.2.2: a letter that is not ASCII"),
        ("a\r\nHost: a", "400", "3.2: two of them, even of the same"),
        ("a\r\nHOST: b", "400", "3.2: names of headers are not told apart by case"),
    ];
    check(&rows, |host| {
        format!("GET / HTTP/1.1\r\nHost:{host}\r\n\r\n")
    });
    check(&rows[..1], |host| {
        format!("GET / HTTP/1.0\r\nHost:{host}\r\n\r\n")
    });
    check(
        &[
            ("HTTP/1.0", "/", "3.2: before 1.1 there was no Host"),
            (
                "HTTP/1.1",
                "400",
                "3.2: a request without one MUST be rejected",
            ),
            ("HTTP/1.9", "400", "9110: 2.5: as in 1.1"),
            ("HTTP/1.1\r\nX: Host: a", "400", "3.2"),
            (
                "HTTP/1.0\r\nHost: a\r\nHost: a",
                "400",
                "3.2: two of them in any request",
            ),
            (
                "HTTP/1.0\r\nHost: a b",
                "400",
                "3.2: an invalid one in any request",
            ),
        ],
        |version| format!("GET / {version}\r\n\r\n"),
    );
    let absolute = "GET http://a/ HTTP/1.1\r\n\r\n";
    assert_eq!(
        outcome(absolute.as_bytes()),
        "400",
        "3.2.2: Host is needed even so"
    );
}

#[test]
fn a_request_ends_where_its_headers_say() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("Content-Length: 3", "/", "6.2"),
        ("Content-Length: 0003", "/", "9110: 8.6: digits"),
        ("Content-Length: 99999999999999999999999", "/", "9110: 8.6: as many as there are"),
        ("Content-Length:", "400", "6.3: an invalid length MUST be rejected"),
        ("Content-Length: +3", "400", "9110: 8.6: digits, and no sign"),
        ("Content-Length: -3", "400", "9110: 8.6"),
        ("Content-Length: 0x3", "400", "9110: 8.6"),
        ("Content-Length: 3 3", "400", "9110: 8.6"),
        ("Content-Length: \u{663}", "400", "9110: 8.6: a digit that is not ASCII is none"),
        ("Content-Length: 3\r\nContent-Length: 4", "400", "6.3: two lengths MUST be rejected"),
        ("Content-Length: 3, 4", "400", "6.3: also in one line"),
        ("Content-Length: 3\r\ncontent-length: 3", "400", "6.3: twice the same may be"),
        ("Content-Length: 3, 3", "400", "6.3: likewise"),
        ("Transfer-Encoding: chunked", "/", "6.1"),
        ("tRANSFER-eNCODING:\tCHUNKED", "/", "7: not told apart by case"),
        ("Transfer-Encoding: gzip, chunked", "/", "6.3: chunked comes last"),
        ("Transfer-Encoding: chunked, chunked", "/", "6.1: no client may say so; its end is clear"),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "/", "9110: 5.3: a list"),
        ("Transfer-Encoding: gzip", "400", "6.3: if it is not the last, MUST be rejected"),
        ("Transfer-Encoding: chunked, gzip", "400", "6.3"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "400", "6.3"),
        ("Transfer-Encoding: identity", "400", "6.3: was a coding once"),
        ("Transfer-Encoding:", "400", "6.3"),
        ("Transfer-Encoding: xchunked", "400", "6.3: another word"),
        ("Transfer-Encoding: x chunked", "400", "6.1: no comma"),
        ("Transfer-Encoding: \"chunked\"", "400", "6.1: no quotes"),
        ("Transfer-Encoding: chunked;a=b", "400", "7.1: it has no parameters"),
        ("Transfer-Encoding: \u{a0}chunked", "400", "6.1: a space that is not ASCII is none"),
        ("Transfer-Encoding: \u{b}chunked", "400", "9110: 5.5: nor is a control character"),
        ("Transfer-Encoding : chunked", "400", "5.1: MUST be rejected"),
        ("X: a\rTransfer-Encoding: chunked", "400", "2.2: a CR without its LF"),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", "400", "6.1: both: may be rejected"),
        ("Content-Length: x\r\nTransfer-Encoding: chunked", "400", "6.1: all the more"),
        ("Expect: 100-continue\r\nContent-Length: 3", "/", "9110: 10.1.1: the answer will do"),
    ];
    check(&rows, |headers| {
        format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n")
    });
    check(
        &[
            ("Content-Length: 3", "/", "6.2"),
            (
                "Transfer-Encoding: chunked",
                "400",
                "6.1: was not there before 1.1: it is faulty",
            ),
        ],
        |headers| format!("GET / HTTP/1.0\r\n{headers}\r\n\r\n"),
    );
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
    let with = |header: &[u8]| {
        outcome(
            [b"GET / HTTP/1.0\r\n", header, b"\r\n\r\n"]
                .concat()
                .as_slice(),
        )
    };
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

/// A client whose bytes come one by one, and are counted.
struct OneByOne<'a, R>(R, &'a AtomicUsize);

impl<R: Read> Read for OneByOne<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(1);
        let read = self.0.read(&mut buffer[..room])?;
        self.1.fetch_add(read, Ordering::Relaxed);
        Ok(read)
    }
}

#[test]
fn however_a_request_comes_in_pieces_no_more_is_read_than_its_limit() {
    let limit = 8 * 1024;
    let start = |start: &'static str| start.as_bytes().chain(io::repeat(b'a'));
    let of_length = |length: usize| {
        let (start, end) = ("GET / HTTP/1.0\r\nX: ", "\r\n\r\n");
        format!(
            "{start}{}{end}",
            "a".repeat(length - start.len() - end.len())
        )
    };
    let requests: [(Box<dyn Read>, &str, usize); 8] = [
        (
            Box::new(b"GET /a HTTP/1.0\r\n\r\nmore".chain(io::repeat(0))),
            "/a",
            19,
        ),
        (Box::new(start("GET /")), "414", limit), // 3: longer than any that is wanted: MUST be 414
        (Box::new(start("")), "414", limit),      // 3: should be 501, if the method is too long
        (Box::new(start("\r\n")), "414", limit),  // 2.2: the empty line counts
        (Box::new(start("GET / HTTP/1.0\r\nX: ")), "431", limit), // 9110: 5.4
        (Box::new(start("GET / HTTP/1.0\r\n")), "431", limit),
        (Box::new(io::Cursor::new(of_length(limit))), "/", limit),
        (
            Box::new(io::Cursor::new(of_length(limit + 1))),
            "431",
            limit,
        ),
    ];
    for (number, (request, expected, most)) in (1..).zip(requests) {
        let read = AtomicUsize::new(0);
        assert_eq!(
            outcome(OneByOne(request, &read)),
            expected,
            "request {number}"
        );
        assert_eq!(read.into_inner(), most, "request {number}");
    }

    // 3: 8000 bytes should be possible for the first line.
    let long = format!("/{}", "a".repeat(8000 - "GET / HTTP/1.1".len()));
    let request = format!("GET {long} HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(outcome(request.as_bytes()), long);
}

/// A connection that fails.
struct Fails(ErrorKind);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
}

#[test]
fn a_client_that_is_cut_off_gets_nothing_and_one_that_is_late_a_status() {
    // 9110: 15.5.9: a request that was not complete in time
    let outcomes = [
        (ErrorKind::ConnectionReset, "nothing"),
        (ErrorKind::TimedOut, "408"),
    ];
    for (kind, expected) in outcomes {
        for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n"] {
            let request = start.as_bytes().chain(Fails(kind));
            assert_eq!(outcome(request), expected, "{start:?}, then {kind}");
        }
    }
}
