// ANCHOR: connection
//! A connection, and what is said on it.

use crate::{
    conversation::{Conversation, Next, Phase},
    part::Part,
    request::Request,
    response::Response,
};
use mio::net::TcpStream;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use std::{
    io::{self, prelude::*, ErrorKind},
    net::Shutdown,
    time::Instant,
};

pub struct Connection {
    stream: TcpStream,
    conversation: Conversation,
    /// The phase that the client is in, and when it has to be over.
    waits: (Phase, Instant),
}

/// So many bytes the system takes to send them later, and about one piece more.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

/// What a connection needs, when all is done that can be done without waiting.
pub enum Needs {
    /// That the client does something, until then.
    Client(Instant),
    /// The response to this.
    Worker(Request),
    /// The next piece of this.
    Reader(Part),
    /// Nothing more: it can be closed.
    Nothing,
}

impl Connection {
    /// A client has connected, and has to have sent its request at `deadline`.
    pub fn new(stream: TcpStream, deadline: Instant) -> Connection {
        let conversation = Conversation::new();
        // Without it, the system takes megabytes. So an error does no harm but that.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let waits = (conversation.phase(), deadline);
        Connection {
            stream,
            conversation,
            waits,
        }
    }

    pub fn phase(&self) -> Phase {
        self.conversation.phase()
    }

    /// A part of the response is not sent.
    pub fn is_unsent(&self) -> bool {
        self.conversation.is_unsent()
    }

    /// Until when the client is waited for.
    pub fn deadline(&self) -> Instant {
        self.waits.1
    }
    // ANCHOR_END: connection

    // ANCHOR: go_on
    /// Goes on as far as it can without waiting. `deadline` says when a phase that
    /// begins now has to be over.
    pub fn go_on(&mut self, buffer: &mut [u8], deadline: impl Fn(Phase) -> Instant) -> Needs {
        loop {
            let done = match self.conversation.next() {
                Next::Receive => self.receive(buffer),
                Next::Answer(request) => {
                    self.waits.0 = Phase::Answering; // the next request has a time of its own
                    return Needs::Worker(request);
                }
                Next::Send => self.send(),
                Next::Read(part) => {
                    self.waits.0 = Phase::Reading; // each piece has a time of its own
                    return Needs::Reader(part);
                }
                Next::HangUp => self.stream.shutdown(Shutdown::Write),
                Next::Close => return Needs::Nothing,
            };
            match done.map_err(|error| error.kind()) {
                Ok(()) | Err(ErrorKind::Interrupted) => {}
                Err(ErrorKind::WouldBlock) => break,
                Err(_) => return Needs::Nothing, // the client is gone
            }
        }

        let phase = self.phase();
        if self.waits.0 != phase {
            self.waits = (phase, deadline(phase));
        }
        Needs::Client(self.waits.1)
    }

    /// The response that is made next is the last.
    pub fn stop(&mut self) {
        self.conversation.stop();
    }

    /// Is to be idle no longer than until `deadline`.
    pub fn hurry(&mut self, deadline: Instant) {
        if self.phase() == Phase::Idle {
            self.waits.1 = self.waits.1.min(deadline);
        }
    }
    // ANCHOR_END: go_on

    // ANCHOR: told
    /// The client has not done in time what was waited for.
    pub fn time_is_over(&mut self) {
        self.conversation.time_is_over();
    }

    /// A worker begins to make the response.
    pub fn begin(&mut self) {
        self.conversation.begin();
    }

    /// This is the response. It is sent as far as the client takes it at once.
    pub fn respond(&mut self, response: Response) {
        self.conversation.respond(response);
        let _ = self.send(); // what fails now fails again, and then somebody sees it
    }

    /// This is the next piece of a file, and what follows it.
    pub fn goes_on(&mut self, piece: Vec<u8>, rest: Option<Part>) {
        self.conversation.goes_on(piece, rest);
        let _ = self.send();
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let room = self.conversation.room().min(buffer.len());
        match self.stream.read(&mut buffer[..room])? {
            0 => self.conversation.ended(),
            read => self.conversation.received(&buffer[..read]),
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        let sent = self.stream.write(self.conversation.unsent())?;
        self.conversation.sent(sent);
        Ok(())
    }
}
// ANCHOR_END: told
