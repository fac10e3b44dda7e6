// ANCHOR: uses
//! What is said on a connection: bytes come in, and out comes what to do next. Nothing
//! here reads, writes or waits.

use crate::{
    request::{after_empty_line, head_end, judge, too_long, MAX_HEAD},
    response::{bytes, refusal, Response},
    status,
};
// ANCHOR_END: uses

// ANCHOR: conversation
/// What a client and the server say to each other.
pub struct Conversation {
    phase: Phase,
    /// What has come of a request.
    received: Vec<u8>,
    /// In so many bytes of it, no head ends.
    searched: usize,
    /// The client has said that nothing more will come.
    has_ended: bool,
    /// The response, and how much of it the system has taken.
    response: Vec<u8>,
    sent: usize,
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
    /// The client sends its request.
    Receiving,
    /// A worker makes the response, or will.
    Answering,
    /// The client takes the response.
    Sending,
    /// All is said. What the client still sends is thrown away.
    Leaving,
    /// It is over.
    Closed,
}
// ANCHOR_END: phase

// ANCHOR: what_next
/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Read, no more than there is `room`, and tell it with `received` or `ended`.
    Receive,
    /// Have a worker make the page for this path, and hand it over with `respond`.
    Answer(String),
    /// Write what is `unsent`, and tell how much that was with `sent`.
    Send,
    /// Tell the client that nothing more will come.
    HangUp,
    Close,
}
// ANCHOR_END: what_next

// ANCHOR: next
impl Conversation {
    pub fn next(&mut self) -> Next {
        match self.phase {
            Phase::Receiving => self.look_for_request(),
            // It was lent to a worker, and has come back without a response.
            Phase::Answering => self.refuse(status::SERVER_ERROR),
            Phase::Sending if !self.unsent().is_empty() => Next::Send,
            Phase::Sending if self.is_late => self.close(),
            Phase::Sending => {
                self.phase = Phase::Leaving;
                Next::HangUp
            }
            // If it were closed while something is unread, the client might lose
            // the response.
            Phase::Leaving if self.has_ended || self.discarded > MAX_DISCARDED => self.close(),
            Phase::Leaving => Next::Receive,
            Phase::Closed => Next::Close,
        }
    }
    // ANCHOR_END: next

    // ANCHOR: look
    fn look_for_request(&mut self) -> Next {
        if let Some(end) = head_end(&self.received, self.searched) {
            return match judge(&self.received[..end]) {
                Ok(path) => {
                    self.phase = Phase::Answering;
                    Next::Answer(path)
                }
                Err(status) => self.refuse(status),
            };
        }
        self.searched = self.received.len();
        match self.searched {
            MAX_HEAD => self.refuse(too_long(&self.received)),
            _ if self.has_ended => self.close(),
            _ => Next::Receive,
        }
    }

    /// Answers without a worker.
    fn refuse(&mut self, status: &'static str) -> Next {
        self.respond(refusal(status));
        self.next()
    }

    fn close(&mut self) -> Next {
        self.phase = Phase::Closed;
        Next::Close
    }
}
// ANCHOR_END: look

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
            has_ended: false,
            response: Vec::new(),
            sent: 0,
            is_late: false,
            discarded: 0,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// How many bytes may be received at once.
    pub fn room(&self) -> usize {
        MAX_HEAD - self.received.len()
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

    /// This is the response.
    pub fn respond(&mut self, response: Response) {
        let is_for_head = after_empty_line(&self.received).starts_with(b"HEAD ");
        self.received = Vec::new();
        self.response = bytes(response, is_for_head);
        self.phase = Phase::Sending;
    }

    pub fn unsent(&self) -> &[u8] {
        &self.response[self.sent..]
    }

    /// So many more bytes of it are sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
    }

    /// The client has had its time for this phase.
    pub fn time_is_over(&mut self) {
        self.is_late = true;
        match self.phase {
            Phase::Receiving => self.respond(refusal(status::REQUEST_TIMEOUT)),
            _ => self.phase = Phase::Closed,
        }
    }
}
// ANCHOR_END: told
