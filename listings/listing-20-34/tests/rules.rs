//! Where a request ends, as HTTP has it: a row for each rule, with its section, `6.3` of RFC 9112, and
//! `9110: 5.5` of RFC 9110. It is asked on a connection on which another request has been answered, and
//! with one behind it: where a server and what is before it do not agree on the end of a request, the
//! one behind it can be smuggled past. (What a line or a header may look like has not changed since
//! Listing 20-33, and nor have its rows.)
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

use conversation::Phase;
use hello::BuildError;
use talk::Talk;

/// What is sent, what becomes of it, and why. `/a` is a path that is asked for, and then comes the
/// request behind; `/a abc` had a body as well, and `/a.` is the last. A status is always the last.
type Row<'a> = (&'a str, &'a str, &'a str);

const BEFORE: &str = "GET /before HTTP/1.1\r\nHost: a\r\n\r\n";
const BEHIND: &str = "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n";

fn outcome(sent: &str) -> String {
    let mut talk = Talk::new(usize::MAX);
    for byte in [BEFORE, sent, BEHIND].concat().bytes() {
        talk.send(&[byte]);
    }
    let asked = talk.requests.iter().map(|asked| {
        let asked = String::from_utf8_lossy(asked);
        let (_method, path) = asked.split_once(' ').unwrap();
        path.trim_end().to_owned()
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked[0], "/before");

    let answers = talk.answers();
    let (_, last) = answers.rsplit_once("HTTP/1.1 ").unwrap();
    let says_so = last.contains("\r\nConnection: close\r\n");
    match talk.phase() {
        Phase::Leaving => assert!(says_so && talk.hung_up, "{sent:?} got {answers}"),
        phase => assert!(!says_so && phase != Phase::Closed, "{sent:?} got {answers}"),
    }
    match &asked[1..] {
        [] if says_so => last[..3].to_owned(),
        [one] if says_so && last.starts_with("200") => format!("{one}."),
        [one] if says_so => format!("{one}, {}", &last[..3]),
        [] => "more".to_owned(),
        [one] => format!("{one}, more"),
        [one, behind] if behind == "/behind" => one.clone(),
        others => others.join(", "),
    }
}

/// Each row's request, as `whole` makes it, gets what the row says.
#[track_caller]
fn check(rows: &[Row], whole: impl Fn(&str) -> String) {
    let mut wrong = String::new();
    for (sent, expected, why) in rows {
        let found = outcome(&whole(sent));
        if found != *expected {
            wrong += &format!("{sent:?} got {found:?}, not {expected:?}: {why}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_request_ends_where_its_headers_say_and_if_that_is_not_clear_it_is_the_last() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("X: a", "/", "6.3: there is no body if there is no word of it"),
        ("Content-Length: 0", "/", "6.2"),
        ("Content-Length: 33", "/ GET /behind HTTP/1.1\r\nHost: a, more", "6.2: whatever the body looks like"),
        ("cONTENT-lENGTH:\t00033 ", "/ GET /behind HTTP/1.1\r\nHost: a, more", "9110: 8.6: digits"),
        ("Content-Length: 65537", "413", "9110: 15.5.14: larger than this server takes"),
        ("Content-Length: 18446744073709551616", "413", "9110: 8.6: digits, as many as there are: it does not wrap to 0"),
        ("Content-Length: 99999999999999999999999", "413", "9110: 8.6: likewise"),
        ("Content-Length:", "400", "6.3: an invalid length MUST be rejected"),
        ("Content-Length: +0", "400", "9110: 8.6: digits, and no sign"),
        ("Content-Length: -0", "400", "9110: 8.6"),
        ("Content-Length: 0x0", "400", "9110: 8.6"),
        ("Content-Length: 0_0", "400", "9110: 8.6"),
        ("Content-Length: 0.0", "400", "9110: 8.6"),
        ("Content-Length: 0;", "400", "9110: 8.6: no parameters"),
        ("Content-Length: \"0\"", "400", "9110: 8.6: nor quotes"),
        ("Content-Length: 0 0", "400", "9110: 8.6"),
        ("Content-Length: \u{660}", "400", "9110: 8.6: a digit that is not ASCII is none"),
        ("Content-Length: \u{b}0", "400", "9110: 5.5: a control character"),
        ("Content-Length: 0\0", "400", "9110: 5.5: NUL is dangerous"),
        ("Content-Length: 0\rX: a", "400", "2.2: a CR without its LF"),
        ("Content-Length: 0\r\n 1", "400", "5.2: a header that goes on in the next line"),
        ("Content-Length:\r\n\t0", "400", "5.2: likewise"),
        (" Content-Length: 0", "400", "5.2: likewise, or a space before a name"),
        ("Content-Length : 0", "400", "5.1: white space before the colon MUST be rejected"),
        ("Content-Length\t: 0", "400", "5.1: a tab, too"),
        ("Content-Length\0: 0", "400", "9110: 5.6.2: NUL is no part of a name"),
        ("Content-Length\u{a0}: 0", "400", "9110: 5.6.2: nor is what looks like a space"),
        ("Content-Length 0", "400", "5: no colon"),
        ("Content_Length: 33", "/", "9110: 5.1: another name"),
        ("Content-Length: 0\r\nContent-Length: 33", "400", "6.3: two lengths MUST be rejected"),
        ("Content-Length: 33\r\nX: a\r\nCONTENT-LENGTH: 0", "400", "6.3: wherever they are"),
        ("Content-Length: 0, 33", "400", "6.3: also in one line"),
        ("Content-Length: 0\r\nContent-Length: 0", "400", "6.3: twice the same may be"),
        ("Content-Length: 0, 0", "400", "6.3: likewise"),
        ("Content-Length: ,0", "400", "9110: 5.6.1: an empty element of a list"),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", "400", "6.1: both: may be rejected"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", "400", "6.1: in any order"),
        ("Content-Length: x\r\nTransfer-Encoding: chunked", "400", "6.1: all the more"),
        ("Transfer-Encoding: chunked", "411", "6.3: a length may be asked for: so there are no chunks to read"),
        ("tRANSFER-eNCODING:\tCHUNKED", "411", "7: not told apart by case"),
        ("Transfer-Encoding: gzip, chunked", "411", "6.3: chunked comes last"),
        ("Transfer-Encoding: chunked, chunked", "411", "6.1: no client may say so"),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "411", "9110: 5.3: a list"),
        ("Transfer-Encoding: gzip", "400", "6.3: if it is not the last, MUST be rejected"),
        ("Transfer-Encoding: chunked, gzip", "400", "6.3"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "400", "6.3"),
        ("Transfer-Encoding: identity", "400", "6.3: was a coding once"),
        ("Transfer-Encoding:", "400", "6.3"),
        ("Transfer-Encoding: xchunked", "400", "6.3: another word"),
        ("Transfer-Encoding: chunked,", "400", "9110: 5.6.1: an empty element at the end"),
        ("Transfer-Encoding: x chunked", "400", "6.1: no comma"),
        ("Transfer-Encoding: \"chunked\"", "400", "6.1: no quotes"),
        ("Transfer-Encoding: chunked;a=b", "400", "7.1: it has no parameters"),
        ("Transfer-Encoding: \u{a0}chunked", "400", "6.1: a space that is not ASCII is none"),
        ("Transfer-Encoding: \u{b}chunked", "400", "9110: 5.5: nor is a control character"),
        ("Transfer-Encoding : chunked", "400", "5.1: MUST be rejected"),
        ("Transfer-Encoding\r\n: chunked", "400", "5: no colon, and no name"),
        ("X: a\rTransfer-Encoding: chunked", "400", "2.2: a CR without its LF"),
        ("X: a\nTransfer-Encoding: chunked", "411", "2.2: an LF alone may end a line: so it does for all"),
        ("X: a\r\r\nTransfer-Encoding: chunked", "400", "2.2: a CR too many"),
        ("TE: trailers\r\nTrailer: X", "/", "9110: 6.6.2: no word of chunks in this request"),
        ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings", "/", "9110: 7.8: may be ignored"),
        ("Connection: close", "/.", "9.6: MUST be the last"),
        ("Proxy-Connection: close", "/", "9110: C.2.2: no header of HTTP"),
    ];
    for method in ["GET", "HEAD", "POST", "DELETE"] {
        check(&rows, |headers| {
            format!("{method} / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n")
        });
    }
    check(
        &[
            ("X: a", "/.", "9.3: was not to stay before 1.1"),
            ("Connection: keep-alive", "/", "9.3: but if it says so"),
            ("Content-Length: 0", "/.", "6.2"),
            ("Transfer-Encoding: chunked", "400", "6.1: was not there"),
        ],
        |headers| format!("GET / HTTP/1.0\r\n{headers}\r\n\r\n"),
    );
}

/// Before this step, `405` was the answer to each method but two. Now it is a page's.
#[test]
fn what_can_be_asked_for_a_path_comes_to_the_pages_and_all_else_is_the_last() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("GET /a HTTP/1.1", "/a", "9110: 9.3.1"),
        ("HEAD /a HTTP/1.1", "/a", "9110: 9.3.2"),
        ("POST /a HTTP/1.1", "/a", "9110: 9.3.3: for the page to answer, or refuse"),
        ("PUT /a HTTP/1.1", "/a", "9110: 9.3.4"),
        ("DELETE /a HTTP/1.1", "/a", "9110: 9.3.5"),
        ("PATCH /a HTTP/1.1", "/a", "5789: 2"),
        ("POST a HTTP/1.1", "400", "3.2: no path: of any method"),
        ("OPTIONS * HTTP/1.1", "405", "9110: 9.3.7: none of ours"),
        ("TRACE /a HTTP/1.1", "405", "9110: 9.3.8: likewise"),
        ("CONNECT a:80 HTTP/1.1", "405", "9110: 9.3.6: what follows it is no request"),
        ("get /a HTTP/1.1", "501", "9110: 9.1: methods are told apart by case"),
        ("GETS /a HTTP/1.1", "501", "9110: 15.6.2"),
        ("GET http://a/a HTTP/1.1", "/a", "3.2.2: the whole address"),
        ("GET http://b/a HTTP/1.1", "/a", "3.2.2: which counts more than Host"),
        ("GET /a\0 HTTP/1.1", "400", "3.2: a control character"),
        ("GET /a\r HTTP/1.1", "400", "2.2: a CR without its LF"),
        ("GET /a", "400", "3: HTTP/0.9 had no end but the connection's"),
        ("GET /a HTTP/1.1 ", "400", "3"),
        ("GET  /a HTTP/1.1", "400", "3: one space"),
        ("GET /a b HTTP/1.1", "400", "3.2: or it ends somewhere else"),
        ("PRI * HTTP/2.0", "505", "9110: 15.6.6: what follows is of HTTP/2"),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}", "400", "3: what follows is of TLS"),
        ("0", "400", "7.1: the rest of a body in chunks"),
        ("HTTP/1.1 200 OK", "400", "2.1: a response is no request"),
    ];
    check(&rows, |line| format!("{line}\r\nHost: a\r\n\r\n"));
}

#[test]
fn what_follows_a_request_at_once_is_the_next() {
    #[rustfmt::skip] // a row is a line
    let rows = [
        ("GET /a HTTP/1.1\nHost: a\n\n", "/a", "2.2: an LF alone may end a line"),
        ("GET /a HTTP/1.1\r\nHost: a\n\r\n", "/a", "2.2: and be mixed"),
        ("GET /a HTTP/1.1\r\nHost: a\r\n\n", "/a", "2.2: likewise"),
        ("GET /a HTTP/1.1\r\nHost: a\r\r\n\r\n", "400", "2.2: a CR too many"),
        ("GET /a HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", "400", "2.2: no empty line"),
        ("\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n", "/a", "2.2: one empty line before it is to be skipped"),
        ("GET /a HTTP/1.1\r\nHost: a\r\n\r\n\r\n", "/a", "2.2: likewise"),
        ("\r\n\r\n", "400", "2.2: at least one; here no more"),
        (" \r\n", "400", "2.2: but not one with a space in it"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "/a abc", "6.2"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcd", "/a abc, 501", "6.2: a byte more is the beginning of the next"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\n", "/a abc", "2.2: one CRLF too many"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n", "/a", "6.2: and a body may have one"),
        ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", "/a abc", "9110: 10.1.1"),
        ("GET /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", "/a", "9110: 10.1.1: without a body, there is nothing to wait for"),
        ("GET /a HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", "/a", "9110: 10.1.1: may be 417"),
    ];
    check(&rows, str::to_owned);
}
