// ANCHOR: uses
//! What is said on a connection: bytes come in, and out comes what to do next. Nothing
//! here reads, writes or waits.

use crate::{
    part::Part,
    request::{after_empty_line, head_end, judge, too_long, Head, Request, MAX_HEAD},
    response::{refusal, Response},
    status,
};
use std::mem;
// ANCHOR_END: uses

// ANCHOR: conversation
/// What a client and the server say to each other.
pub struct Conversation {
    phase: Phase,
    /// What has come and has not been used.
    received: Vec<u8>,
    /// In so many bytes of it, no head ends.
    searched: usize,
    /// Of a request whose body has not come in whole.
    head: Option<Head>,
    /// The client has said that nothing more will come.
    has_ended: bool,
    /// A worker has begun to make the response.
    is_begun: bool,
    /// The request was of HTTP/1.0.
    is_old: bool,
    /// Nothing is sent of the response but its head.
    is_for_head: bool,
    /// No response follows after the one that is made next.
    is_last: bool,
    /// The client is told so, with the response that is sent.
    says_so: bool,
    /// The response, and how much of it the system has taken.
    response: Vec<u8>,
    sent: usize,
    /// What follows of a file.
    rest: Option<Part>,
    /// Nobody waits for the client's goodbye.
    is_late: bool,
    /// What the client has sent too much.
    discarded: usize,
}
// ANCHOR_END: conversation

// ANCHOR: phase
/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// The client sends a request.
    Receiving,
    /// A worker makes the response, or will.
    Answering,
    /// The client takes the response.
    Sending,
    /// A worker reads the next piece of it, or will.
    Reading,
    /// The client has its response, and may send another request.
    Idle,
    /// All is said. What the client still sends is thrown away.
    Leaving,
    /// It is over.
    Closed,
}
// ANCHOR_END: phase

// ANCHOR: what_next
/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Read, no more than there is `room`, and tell it with `received` or `ended`.
    Receive,
    /// Have a worker answer this, and hand the response over with `respond`.
    Answer(Request),
    /// Write what is `unsent`, and tell how much that was with `sent`.
    Send,
    /// Have a worker read the next piece of this, and hand it over with `goes_on`.
    Read(Part),
    /// Tell the client that nothing more will come.
    HangUp,
    Close,
}
// ANCHOR_END: what_next

// ANCHOR: next
/// The longest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;

impl Conversation {
    pub fn next(&mut self) -> Next {
        match self.phase {
            Phase::Receiving => self.look_for_request(),
            // It has come back without a response: from a worker, who has panicked ...
            Phase::Answering if self.is_begun => self.refuse(status::SERVER_ERROR),
            // ... or from a queue that is full. The client may ask once more.
            Phase::Answering => {
                self.respond(refusal(status::UNAVAILABLE));
                self.next()
            }
            Phase::Sending if !self.unsent().is_empty() => Next::Send,
            Phase::Sending => match self.rest.take() {
                Some(rest) => {
                    self.send(Vec::new()); // what is sent need not be kept
                    self.phase = Phase::Reading;
                    Next::Read(rest)
                }
                None => self.is_sent(),
            },
            // It has come back without a piece. The client has been promised one, and has to see
            // that it does not come.
            Phase::Reading => self.close(),
            Phase::Idle if !after_empty_line(&self.received).is_empty() => {
                self.phase = Phase::Receiving;
                self.next()
            }
            Phase::Idle if self.has_ended => self.close(),
            // If it were closed while something is unread, the client might lose
            // the response.
            Phase::Leaving if self.has_ended || self.discarded > MAX_DISCARDED => self.close(),
            Phase::Idle | Phase::Leaving => Next::Receive,
            Phase::Closed => Next::Close,
        }
    }
    // ANCHOR_END: next

    // ANCHOR: request
    fn look_for_request(&mut self) -> Next {
        if self.head.is_none() {
            let Some(end) = head_end(&self.received, self.searched) else {
                self.searched = self.received.len();
                return match self.searched {
                    MAX_HEAD => self.refuse(too_long(&self.received)),
                    _ => self.receive(),
                };
            };
            match judge(&self.received[..end]) {
                Ok(head) if head.length > MAX_BODY => {
                    return self.refuse(status::CONTENT_TOO_LARGE)
                }
                Ok(head) => self.head = Some(head),
                Err(status) => return self.refuse(status),
            }
            self.received.drain(..end);
            self.searched = 0;
        }

        let received = self.received.len();
        if let Some(head) = self.head.take_if(|head| head.length <= received) {
            return self.answer(head);
        }
        let head = self.head.as_mut();
        let waits_for_us = head.is_some_and(|head| mem::take(&mut head.expects_continue));
        if waits_for_us && received == 0 {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
            return self.next();
        }
        self.receive()
    }

    fn answer(&mut self, head: Head) -> Next {
        let mut request = head.request;
        let rest = self.received.split_off(head.length);
        request.body = mem::replace(&mut self.received, rest);
        self.is_old = head.is_old;
        self.is_for_head = request.method == "HEAD";
        self.is_last |= !head.stays;
        self.is_begun = false;
        self.phase = Phase::Answering;
        Next::Answer(request)
    }
    // ANCHOR_END: request

    // ANCHOR: sent
    /// Answers without a worker, and for the last time.
    fn refuse(&mut self, status: &'static str) -> Next {
        if self.phase == Phase::Receiving {
            self.is_for_head = match &self.head {
                Some(head) => head.request.method == "HEAD",
                None => after_empty_line(&self.received).starts_with(b"HEAD "),
            };
        }
        self.is_last = true;
        self.respond(refusal(status));
        self.next()
    }

    fn is_sent(&mut self) -> Next {
        self.send(Vec::new());
        if self.head.is_some() {
            self.phase = Phase::Receiving; // that was a `100 Continue`
        } else if self.is_late {
            self.phase = Phase::Closed;
        } else if self.says_so {
            self.phase = Phase::Leaving;
            return Next::HangUp;
        } else {
            self.phase = Phase::Idle;
        }
        self.next()
    }

    fn receive(&mut self) -> Next {
        match self.has_ended {
            true => self.close(),
            false => Next::Receive,
        }
    }

    fn close(&mut self) -> Next {
        self.phase = Phase::Closed;
        Next::Close
    }

    fn send(&mut self, response: Vec<u8>) {
        self.response = response;
        self.sent = 0;
        self.phase = Phase::Sending;
    }
    // ANCHOR_END: sent
}

// ANCHOR: told
/// How much is thrown away, in bytes, until the client is no longer waited for.
const MAX_DISCARDED: usize = 1024 * 1024;

impl Conversation {
    /// A client has connected.
    pub fn new() -> Conversation {
        Conversation {
            phase: Phase::Receiving,
            received: Vec::new(),
            searched: 0,
            head: None,
            has_ended: false,
            is_begun: false,
            is_old: false,
            is_for_head: false,
            is_last: false,
            says_so: false,
            response: Vec::new(),
            sent: 0,
            rest: None,
            is_late: false,
            discarded: 0,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// How many bytes may be received at once.
    pub fn room(&self) -> usize {
        let limit = self.head.as_ref().map_or(MAX_HEAD, |head| head.length);
        limit - self.received.len()
    }

    /// The client has sent this.
    pub fn received(&mut self, bytes: &[u8]) {
        match self.phase {
            Phase::Leaving => self.discarded += bytes.len(),
            _ => self.received.extend_from_slice(bytes),
        }
    }

    /// The client will send nothing more. It may still read.
    pub fn ended(&mut self) {
        self.has_ended = true;
    }

    /// A worker begins to make the response.
    pub fn begin(&mut self) {
        self.is_begun = true;
    }

    // ANCHOR: respond
    /// This is the response.
    pub fn respond(&mut self, response: Response) {
        let connection = match (self.is_last, self.is_old) {
            (true, _) => "Connection: close\r\n",
            (false, true) => "Connection: keep-alive\r\n",
            (false, false) => "",
        };
        self.says_so = self.is_last;
        if self.says_so {
            (self.head, self.received) = (None, Vec::new()); // what else was asked is not answered
        }
        let (bytes, rest) = response.bytes(connection, self.is_for_head);
        self.send(bytes);
        self.rest = rest;
    }
    // ANCHOR_END: respond

    /// This is the next piece of a file, and what follows it.
    pub fn goes_on(&mut self, piece: Vec<u8>, rest: Option<Part>) {
        self.send(piece);
        self.rest = rest;
    }

    /// A part of the response is not sent.
    pub fn is_unsent(&self) -> bool {
        !self.unsent().is_empty() || self.rest.is_some()
    }

    pub fn unsent(&self) -> &[u8] {
        &self.response[self.sent..]
    }

    /// So many more bytes of it are sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
    }

    /// The response that is made next is the last.
    pub fn stop(&mut self) {
        self.is_last = true;
    }

    /// The client has had its time for this phase.
    pub fn time_is_over(&mut self) {
        self.is_late = true;
        match self.phase {
            Phase::Receiving => drop(self.refuse(status::REQUEST_TIMEOUT)),
            _ => self.phase = Phase::Closed,
        }
    }
}
// ANCHOR_END: told
