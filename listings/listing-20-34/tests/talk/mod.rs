//! A talk with a conversation: what a connection does with it, and what its client does, without a
//! socket. All that can be seen of it is written down.
#![allow(dead_code)] // each test file uses a part

use crate::{
    conversation::{Conversation, Next, Phase},
    request::Request,
    response::Response,
    status,
};
use std::collections::BTreeSet;

/// The longest head, and the longest body, that the server takes.
pub const MAX_HEAD: usize = 8 * 1024;
pub const MAX_BODY: usize = 64 * 1024;
pub const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

pub struct Talk {
    conversation: Conversation,
    /// How much the system takes of a response at once.
    takes: usize,
    /// The requests that a worker was to answer, as their pages have them.
    pub requests: Vec<Vec<u8>>,
    /// What the client has got.
    pub sent: Vec<u8>,
    /// How many bytes it has sent.
    pub received: usize,
    pub hung_up: bool,
    /// How the phase has changed, and by what.
    pub ways: BTreeSet<String>,
}

/// What is asked, which is the page as well.
fn text(request: &Request) -> Vec<u8> {
    let Request { method, path, body } = request;
    [format!("{method} {path} ").as_bytes(), body].concat()
}

/// What a worker makes of a request; nothing if it panics.
fn page(request: &Request) -> Option<Response> {
    let status = match request.path.as_str() {
        "/panic" => return None,
        "/405" => status::METHOD_NOT_ALLOWED,
        _ => "200 OK",
    };
    let body = text(request);
    Some(Response { status, body })
}

impl Talk {
    pub fn new(takes: usize) -> Talk {
        Talk {
            conversation: Conversation::new(),
            takes,
            requests: Vec::new(),
            sent: Vec::new(),
            received: 0,
            hung_up: false,
            ways: BTreeSet::new(),
        }
    }

    pub fn phase(&self) -> Phase {
        self.conversation.phase()
    }

    fn call<T>(&mut self, name: &str, call: impl FnOnce(&mut Conversation) -> T) -> T {
        let before = self.phase();
        let result = call(&mut self.conversation);
        let after = self.phase();
        if before != after {
            self.ways.insert(format!("{before:?} - {name} - {after:?}"));
        }
        result
    }

    /// Does the next thing. Returns what there is to wait for. It cannot go on without end: it sends no
    /// more than it was asked for, of which each byte has come, and hangs up once.
    pub fn step(&mut self) -> Option<Next> {
        match self.call("next", Conversation::next) {
            Next::Send => {
                let unsent = self.conversation.unsent();
                assert!(unsent.len() <= MAX_HEAD + MAX_BODY, "more than a response");
                let taken = unsent.len().min(self.takes);
                assert!(taken > 0, "nothing to send");
                self.sent.extend_from_slice(&unsent[..taken]);
                let most = self.received + 300 * (self.requests.len() + 1);
                assert!(self.sent.len() <= most, "more than was asked for");
                self.call("sent", |talk| talk.sent(taken));
            }
            Next::HangUp => {
                assert!(!self.hung_up, "it hangs up twice");
                self.hung_up = true;
            }
            Next::Answer(request) => {
                assert!(!self.hung_up, "a request, after it has hung up");
                self.requests.push(text(&request));
                let shortest = "GET / HTTP/1.0\n\n".len();
                assert!(self.requests.len() * shortest <= self.received);
                return Some(Next::Answer(request));
            }
            wait => return Some(wait),
        }
        None
    }

    /// Goes on until there is something to wait for. Requests are answered.
    pub fn go_on(&mut self) -> Next {
        loop {
            match self.step() {
                None => {}
                Some(Next::Answer(request)) => self.answer(&request),
                Some(wait) => return wait,
            }
        }
    }

    /// A worker answers. If it panics, that is seen by the next step.
    pub fn answer(&mut self, request: &Request) {
        if let Some(response) = page(request) {
            self.call("respond", |talk| talk.respond(response));
        }
    }

    /// The response to what was asked, as a page has it, comes late.
    pub fn respond_to(&mut self, asked: &str) {
        let body = asked.as_bytes().to_vec();
        let status = "200 OK";
        self.call("respond", |talk| talk.respond(Response { status, body }));
    }

    /// This comes, as far as there is room, and nothing is done yet. Returns the rest.
    pub fn put<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.conversation.room();
        assert!((1..=MAX_BODY).contains(&room), "room for {room}");
        let (piece, rest) = bytes.split_at(room.min(bytes.len()));
        self.received += piece.len();
        self.call("received", |talk| talk.received(piece));
        rest
    }

    /// The client sends this, and the server does what it can do then.
    pub fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.go_on() == Next::Receive {
            bytes = self.put(bytes);
        }
        self.go_on();
    }

    pub fn end(&mut self) {
        self.call("ended", Conversation::ended);
    }

    pub fn stop(&mut self) {
        self.call("stop", Conversation::stop);
    }

    pub fn late(&mut self) {
        self.call("late", Conversation::time_is_over);
    }

    /// What the client has got, but for what the server says while it waits for a body.
    pub fn answers(&self) -> String {
        String::from_utf8_lossy(&self.sent).replace(CONTINUE, "")
    }

    /// The responses, each with its head and its body. The last may be there in part.
    pub fn responses(&self) -> Vec<(String, &[u8])> {
        let (mut responses, mut sent) = (Vec::new(), &self.sent[..]);
        while let Some(end) = sent.windows(4).position(|end| end == b"\r\n\r\n") {
            let (head, rest) = sent.split_at(end + 4);
            if head == CONTINUE.as_bytes() {
                sent = rest;
                continue;
            }
            let head = String::from_utf8(head.to_vec()).unwrap();
            let (_, length) = head.rsplit_once("Content-Length: ").expect("a length");
            let is_for_head = match self.requests.get(responses.len()) {
                Some(asked) => asked.starts_with(b"HEAD "),
                None => rest.is_empty(), // a refusal
            };
            let length = if is_for_head {
                0
            } else {
                length.trim().parse().unwrap()
            };
            let body;
            (body, sent) = rest.split_at(rest.len().min(length));
            responses.push((head, body));
        }
        assert!(
            sent.is_empty() || b"HTTP/1.1 ".starts_with(&sent[..sent.len().min(9)]),
            "{sent:?}"
        );
        responses
    }
}
