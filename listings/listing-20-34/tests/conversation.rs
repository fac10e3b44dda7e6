//! The conversation alone: whatever comes, in whatever pieces, and when it comes.
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
use std::collections::BTreeSet;
use talk::{Talk, CONTINUE, MAX_BODY, MAX_HEAD};

/// A request, with these headers and this body.
fn request(line: &str, headers: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}")
}

fn get(path: &str) -> String {
    request(&format!("GET {path}"), "", "")
}

/// A request of HTTP/1.0.
fn old(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.0\r\n{headers}\r\n")
}

/// A request with a body, its length said.
fn post(path: &str, headers: &str, body: &str) -> String {
    let headers = format!("{headers}Content-Length: {}\r\n", body.len());
    request(&format!("POST {path}"), &headers, body)
}

const CLOSE: &str = "Connection: close\r\n";
const KEEP_ALIVE: &str = "Connection: keep-alive\r\n";

/// A response that says no more than its status, as a refusal does, or gives the page of `talk` for
/// what was asked: `GET /a `, or `keep-alive: GET /a `, or `close: `, if it has that header.
fn response(what: &str) -> String {
    let (option, asked) = what.split_once(": ").unwrap_or(("", what));
    let refusal = asked.trim_start_matches("HEAD ");
    let (status, option, page) = match asked {
        _ if refusal.starts_with(|c: char| c.is_ascii_digit()) => {
            (refusal, "close", refusal.to_owned() + "\n")
        }
        _ if asked.contains(" /405 ") => (status::METHOD_NOT_ALLOWED, option, asked.to_owned()),
        _ => ("200 OK", option, asked.to_owned()),
    };
    let connection = match option {
        "" => String::new(),
        option => format!("Connection: {option}\r\n"),
    };
    let allow = match status {
        status::METHOD_NOT_ALLOWED => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let length = page.len();
    let page = if asked.starts_with("HEAD ") {
        ""
    } else {
        &page
    };
    format!(
        "HTTP/1.1 {status}\r\n{connection}{allow}Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {length}\r\n\r\n{page}"
    )
}

/// What a client sends, and what it gets for it. If the last says `close`, nothing follows, whatever
/// else has come.
#[rustfmt::skip] // a row is a line
fn streams() -> Vec<(String, Vec<&'static str>)> {
    let (a, b, c) = (get("/a"), get("/b"), get("/c"));
    let [a, b, c] = [&*a, &*b, &*c];
    let with = |headers| request("GET /x", headers, "");
    vec![
        (a.to_owned(), vec!["GET /a "]),
        ([a, b, c].concat(), vec!["GET /a ", "GET /b ", "GET /c "]),
        ([a, b, "GET /c HTTP/1.1\r\n"].concat(), vec!["GET /a ", "GET /b "]),
        (a.replace('\r', "") + b, vec!["GET /a ", "GET /b "]),
        // Some clients send an empty line too many.
        (["\r\n", a, "\r\n", b, "\n", c].concat(), vec!["GET /a ", "GET /b ", "GET /c "]),
        ([a, "\r\n\r\n", b].concat(), vec!["GET /a ", "400 BAD REQUEST"]),
        (["\r\n\r\n", &request("HEAD /x", "", "")].concat(), vec!["400 BAD REQUEST"]),
        // Bodies.
        (post("/x", "", "hello") + b, vec!["POST /x hello", "GET /b "]),
        (post("/x", "", "hello") + "\r\n" + b, vec!["POST /x hello", "GET /b "]),
        (post("/x", "", "GET /a HTTP/1.1\r\n\r\n") + b, vec!["POST /x GET /a HTTP/1.1\r\n\r\n", "GET /b "]),
        (post("/x", "", "") + b, vec!["POST /x ", "GET /b "]),
        (request("DELETE /x", "", "") + b, vec!["DELETE /x ", "GET /b "]),
        (request("GET /x", "Content-Length: 2\r\n", "hi") + b, vec!["GET /x hi", "GET /b "]),
        (request("PUT /x", "Content-Length: 3\r\n", "hi"), vec![]),
        (post("/405", "", "hello") + b, vec!["POST /405 hello", "GET /b "]),
        // A client that waits with the body, or does not.
        (post("/x", "Expect: 100-continue\r\n", "hello") + b, vec!["POST /x hello", "GET /b "]),
        (post("/x", "expect: a, 100-CONTINUE\r\n", "") + b, vec!["POST /x ", "GET /b "]),
        (post("/x", "Expect: more\r\n", "hello") + b, vec!["POST /x hello", "GET /b "]),
        // Heads alone.
        (request("HEAD /x", "", "") + b, vec!["HEAD /x ", "GET /b "]),
        (request("HEAD /405", "", "") + b, vec!["HEAD /405 ", "GET /b "]),
        ([a, "HEAD /x HTTP/1.1\r\n\r\n"].concat(), vec!["GET /a ", "HEAD 400 BAD REQUEST"]),
        // A client that wants no more.
        (with("Connection: close\r\n") + b, vec!["close: GET /x "]),
        (with("Connection: a, CLOSE , b\r\n") + b, vec!["close: GET /x "]),
        (with("Connection: keep-alive\r\nconnection: close\r\n") + b, vec!["close: GET /x "]),
        (with("Connection: closed\r\n") + b, vec!["GET /x ", "GET /b "]),
        (post("/x", CLOSE, "hello") + b, vec!["close: POST /x hello"]),
        ([a, &request("HEAD /x", CLOSE, ""), b].concat(), vec!["GET /a ", "close: HEAD /x "]),
        // HTTP/1.0.
        (old("/x", "") + b, vec!["close: GET /x "]),
        (old("/x", KEEP_ALIVE) + b, vec!["keep-alive: GET /x ", "GET /b "]),
        (old("/x", "Connection: keep-alive, close\r\n") + b, vec!["close: GET /x "]),
        ([b, &old("/x", ""), b].concat(), vec!["GET /b ", "close: GET /x "]),
        (old("/x", "Connection: Keep-Alive\r\nExpect: 100-continue\r\nContent-Length: 2\r\n") + "hi", vec!["keep-alive: GET /x hi"]),
        // What is refused is the last.
        (["nonsense\r\n\r\n", b].concat(), vec!["400 BAD REQUEST"]),
        ([a, "nonsense\r\n\r\n", b].concat(), vec!["GET /a ", "400 BAD REQUEST"]),
        ([a, &request("POST /x", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), b].concat(), vec!["GET /a ", "411 LENGTH REQUIRED"]),
        (request("POST /x", "Content-Length: 65537\r\nExpect: 100-continue\r\n", "") + b, vec!["413 CONTENT TOO LARGE"]),
        (request("OPTIONS *", "", "") + b, vec!["405 METHOD NOT ALLOWED"]),
        ([a, &get("/panic"), b].concat(), vec!["GET /a ", "500 INTERNAL SERVER ERROR"]),
        (request("HEAD /panic", "", "") + b, vec!["HEAD 500 INTERNAL SERVER ERROR"]),
    ]
}

/// What becomes of it if the client sends this in pieces, and takes so many bytes at once.
fn told<'a>(pieces: impl IntoIterator<Item = &'a str>, takes: usize) -> Talk {
    let mut talk = Talk::new(takes);
    for piece in pieces {
        talk.send(piece.as_bytes());
    }
    talk
}

#[test]
fn whatever_the_pieces_the_answers_are_the_same_and_in_order() {
    for (stream, expected) in streams() {
        let expected = expected.into_iter().map(response).collect::<String>();
        let is_over = expected.contains(CLOSE);
        let check = |talk: Talk, pieces: &str| {
            assert_eq!(talk.answers(), expected, "{stream:?} {pieces}");
            let leaves = talk.phase() == Phase::Leaving;
            assert_eq!(
                (leaves, talk.hung_up),
                (is_over, is_over),
                "{stream:?} {pieces}"
            );
        };
        check(told([stream.as_str()], usize::MAX), "at once");
        check(told(stream.split_inclusive(|_| true), 1), "byte by byte");
        for cut in 0..=stream.len() {
            let (first, second) = stream.split_at(cut);
            check(told([first, second], 7), &format!("cut at {cut}"));
        }

        // A client that says at once that this is all gets the same.
        let mut talk = Talk::new(7);
        if talk.go_on() == Next::Receive {
            for byte in stream.as_bytes() {
                talk.send(&[*byte]);
            }
        }
        talk.end();
        assert_eq!(talk.go_on(), Next::Close, "{stream:?}");
        assert_eq!(talk.answers(), expected, "{stream:?}");
    }
}

#[test]
fn a_client_that_waits_with_its_body_is_told_once_to_send_it() {
    let post = post("/x", "Expect: 100-continue\r\n", "hello");
    let (head, body) = post.split_at(post.len() - 5);
    let page = response("POST /x hello");
    for (pieces, expected) in [
        (vec![head], CONTINUE.to_owned()),
        (vec![head, body], format!("{CONTINUE}{page}")),
        (vec![head, "h", "ello"], format!("{CONTINUE}{page}")),
        // It does not wait.
        (vec![&post], page.clone()),
        (vec![&post[..post.len() - 1], "o"], page.clone()),
    ] {
        let talk = told(pieces.clone(), 1);
        assert_eq!(String::from_utf8_lossy(&talk.sent), expected, "{pieces:?}");
    }

    // One of HTTP/1.0 would not understand.
    let old = old("/x", "Content-Length: 5\r\nExpect: 100-continue\r\n");
    assert!(told([&*old], 1).sent.is_empty());

    // The second one, too.
    let talk = told([&*format!("{post}{head}"), body], 1);
    let sent = String::from_utf8(talk.sent).unwrap();
    assert_eq!(sent, format!("{page}{CONTINUE}{page}"));
}

#[test]
fn no_more_is_taken_than_the_longest_head_and_the_longest_body() {
    let head = |length: usize| {
        let filled = old("/x", &format!("{KEEP_ALIVE}X: \r\n")).len();
        old(
            "/x",
            &format!("{KEEP_ALIVE}X: {}\r\n", "x".repeat(length - filled)),
        )
    };
    let body = "x".repeat(MAX_BODY);
    let whole = post("/x", "", &body);
    for before in ["".to_owned(), get("/a"), whole.clone()] {
        let answered = told([&*before], usize::MAX).answers();
        for (stream, expected) in [
            (head(MAX_HEAD), response("keep-alive: GET /x ")),
            (head(MAX_HEAD + 1), response(status::HEADERS_TOO_LARGE)),
            ("x".repeat(MAX_HEAD), response(status::LINE_TOO_LONG)),
            (whole.clone(), response(&format!("POST /x {body}"))),
            (
                post("/x", "", &format!("{body}x")),
                response(status::CONTENT_TOO_LARGE),
            ),
        ] {
            let mut talk = told([&*before, &*stream], usize::MAX);
            assert!(
                talk.answers() == format!("{answered}{expected}"),
                "{}",
                &stream[..60]
            );
            // A megabyte more is thrown away, and then nothing.
            if talk.phase() == Phase::Leaving {
                talk.send(&[0; 1024 * 1024]);
                talk.send(&[0; 1024 * 1024]);
                assert_eq!(talk.phase(), Phase::Closed);
            }
        }
    }
}

#[test]
fn what_has_no_body_by_its_status_is_sent_none() {
    for status in ["204 NO CONTENT", "304 NOT MODIFIED"] {
        let body = b"HTTP/1.1 200 OK".to_vec();
        let bytes = response::Response { status, body }.bytes(CLOSE, false);
        let expected = format!("HTTP/1.1 {status}\r\n{CLOSE}\r\n");
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }
}

/// Talks that have come to each phase, and what has been sent by then.
#[rustfmt::skip] // a row is a line
fn on_the_way() -> Vec<(&'static str, Phase, Talk)> {
    let (a, b, last) = (get("/a"), get("/b"), old("/a", ""));
    let post = post("/x", "Expect: 100-continue\r\n", "hello");
    let head = &post[..post.len() - 5];
    let mut talks = vec![
        ("nothing", Phase::Receiving, told([], 1)),
        ("half a head", Phase::Receiving, told(["GET / HTTP/1.1\r\n"], 1)),
        ("half a body", Phase::Receiving, told([head, "hel"], 1)),
        ("one request", Phase::Idle, told([&*a], 1)),
        ("one, and half an empty line", Phase::Idle, told([&*a, "\r"], 1)),
        ("one, and an empty line", Phase::Idle, told([&*a, "\r\n"], 1)),
        ("one, and half a head", Phase::Receiving, told([&*a, "GET"], 1)),
        ("the last one", Phase::Leaving, told([&*last], 1)),
    ];
    for (name, phase, stream) in [
        ("one that is with a worker", Phase::Answering, &[&*a][..]),
        ("two, the first with a worker", Phase::Answering, &[&a, &b]),
        ("one that is being sent", Phase::Sending, &[&a]),
        ("two, the first being sent", Phase::Sending, &[&a, &b]),
        ("half, and Continue being sent", Phase::Sending, &[head]),
        ("one with a refusal being sent", Phase::Sending, &["nonsense\r\n\r\n"]),
    ] {
        let mut talk = Talk::new(1);
        talk.put(stream.concat().as_bytes());
        while talk.phase() != phase || talk.sent.is_empty() && phase == Phase::Sending {
            match talk.step() {
                Some(Next::Answer(request)) if phase == Phase::Sending => talk.answer(&request),
                _ => {}
            }
        }
        talks.push((name, phase, talk));
    }
    talks
}

#[test]
fn after_a_stop_the_response_that_is_made_next_says_that_it_is_the_last() {
    let (a, b) = (get("/a"), get("/b"));
    let (last, both) = ("close: GET /a ", "GET /a |close: GET /b ");
    for (name, phase, mut talk) in on_the_way() {
        talk.stop();
        assert_eq!(talk.phase(), phase, "{name}");
        let (rest, expected) = match name {
            "nothing" => (a.as_str(), last),
            "half a head" => ("Host: a\r\n\r\n", "close: GET / "),
            "half a body" => ("lo", "close: POST /x hello"),
            "half, and Continue being sent" => ("hello", "close: POST /x hello"),
            "one request" | "one, and an empty line" => (b.as_str(), both),
            "one, and half a head" => (&b[3..], both),
            "one, and half an empty line" => ("\nGET /b HTTP/1.1\nHost: a\n\n", both),
            // Its head is on its way already, and does not say so.
            "one that is being sent" => (b.as_str(), both),
            "two, the first being sent" => ("", both),
            "one with a refusal being sent" => ("", status::BAD_REQUEST),
            _ => ("", last),
        };
        let expected: String = expected.split('|').map(response).collect();
        if phase == Phase::Answering {
            talk.respond_to("GET /a ");
        }
        talk.send(rest.as_bytes());
        talk.send(a.as_bytes()); // of this, nothing is answered
        assert_eq!(talk.answers(), expected, "{name}");
        assert_eq!(
            (talk.phase(), talk.hung_up),
            (Phase::Leaving, true),
            "{name}"
        );
        talk.end();
        assert_eq!(talk.go_on(), Next::Close, "{name}");
    }
}

#[test]
fn a_client_that_is_late_is_told_so_if_it_has_asked_for_something() {
    for (name, phase, mut talk) in on_the_way() {
        let sent = talk.answers();
        talk.late();
        assert_eq!(talk.go_on(), Next::Close, "{name}"); // it is not waited for again
        let expected = match phase {
            Phase::Receiving => sent + &response(status::REQUEST_TIMEOUT),
            _ => sent,
        };
        assert_eq!(talk.answers(), expected, "{name}");
        assert_eq!(talk.hung_up, phase == Phase::Leaving, "{name}");
    }

    // Who wants a head alone gets no body with that, whatever the body begins with that it sends.
    for (method, body) in [("HEAD", ""), ("POST", "HEAD ")] {
        let mut talk = told(
            [&*request(
                &format!("{method} /x"),
                "Content-Length: 9\r\n",
                body,
            )],
            1,
        );
        talk.late();
        talk.go_on();
        let expected = match method {
            "HEAD" => response("HEAD 408 REQUEST TIMEOUT"),
            _ => response("408 REQUEST TIMEOUT"),
        };
        assert_eq!(talk.answers(), expected, "{method}");
    }
}

/// What can happen to a conversation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Step,
    Answer,
    Come(&'static str),
    End,
    Stop,
    Late,
}

/// All that can happen after this has happened, and what is to be waited for.
fn may_follow(talk: &Talk, last: &Option<Next>) -> Vec<Event> {
    const PIECES: [&str; 5] = [
        "GET",
        "nonsense\n\n",
        "GET / HTTP/1.1\nHost:\n\n",
        "GET / HTTP/1.0\nConnection: keep-alive\n\nGET / HTTP/1.0\n\n",
        "PUT / HTTP/1.1\nHost:\nContent-Length: 1\nExpect: 100-continue\n\n",
    ];
    let mut events = vec![Event::Step, Event::Stop, Event::Late];
    match talk.phase() {
        Phase::Answering => events[2] = Event::Answer, // nobody waits for the client
        Phase::Closed => events = vec![Event::Step],
        _ if *last == Some(Next::Receive) => {
            events.extend(PIECES.map(Event::Come));
            events.push(Event::End);
        }
        _ => {}
    }
    events
}

#[test]
fn these_are_the_ways_between_the_phases_and_there_are_no_others() {
    let mut ways = BTreeSet::new();
    let mut open = vec![vec![]];
    while let Some(past) = open.pop() {
        let (mut talk, mut last, mut request) = (Talk::new(usize::MAX), None, None);
        for event in &past {
            match *event {
                Event::Step => last = talk.step(),
                Event::Answer => talk.answer(&request.take().expect("a request")),
                Event::Come(piece) => drop(talk.put(piece.as_bytes())),
                Event::End => talk.end(),
                Event::Stop => talk.stop(),
                Event::Late => talk.late(),
            }
            if *event != Event::Step {
                last = None;
            }
            if let Some(Next::Answer(asked)) = last.take_if(|last| matches!(last, Next::Answer(_)))
            {
                request = Some(asked);
            }
        }
        if past.len() < 8 && talk.phase() != Phase::Closed {
            let events = may_follow(&talk, &last);
            open.extend(events.iter().map(|event| [&past[..], &[*event]].concat()));
        }
        ways.append(&mut talk.ways);
    }
    // One call may go more than one of them: the first phase and the last are here.
    let ways: Vec<_> = ways.iter().map(String::as_str).collect();
    assert_eq!(
        ways,
        [
            "Answering - next - Sending", // its worker has panicked
            "Answering - respond - Sending",
            "Idle - late - Closed",
            "Idle - next - Answering",
            "Idle - next - Closed",
            "Idle - next - Receiving",
            "Idle - next - Sending", // a refusal
            "Leaving - late - Closed",
            "Leaving - next - Closed",
            "Receiving - late - Sending",
            "Receiving - next - Answering",
            "Receiving - next - Closed",
            "Receiving - next - Sending", // a refusal, or `100 Continue`
            "Sending - late - Closed",
            "Sending - next - Answering", // the next request was there already
            "Sending - next - Closed",
            "Sending - next - Idle",
            "Sending - next - Leaving",
            "Sending - next - Receiving",
        ]
    );
}
