//! A client that keeps its connection, and says exactly what goes wrong.

use super::{sockets, Outcome, Wrong};
use crate::PAGE;
use std::{
    io::{self, prelude::*, BufReader, ErrorKind},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// No right server takes so long for anything, however busy the machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How long to wait for what some servers do and others need not, such as to accept one more
/// connection while all workers are busy.
pub const A_WHILE: Duration = Duration::from_secs(1);

/// How many bytes `/big` has.
pub const PAGE_BIG: usize = 32 * 1024 * 1024;

/// A connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    server: SocketAddr,
    /// How the list below the table calls what it waits for.
    name: &'static str,
}

/// What a client gets.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// The status line, and the headers.
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// What a header says.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        let header = headers.find(|header| header.0.eq_ignore_ascii_case(name));
        header.map(|header| header.1.trim())
    }

    /// Whether it says that it is the last.
    pub fn is_last(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        connection.eq_ignore_ascii_case("close")
    }
}

/// A request for a path.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

impl Client {
    pub fn connect(server: SocketAddr, name: &'static str) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&server, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream: BufReader::new(stream),
            server,
            name,
        })
    }

    /// From now on it is called this.
    pub fn is_now(&mut self, name: &'static str) {
        self.name = name;
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Wrong> {
        self.tell(">", bytes.as_ref());
        let sent = self.stream.get_mut().write_all(bytes.as_ref());
        sent.map_err(|error| self.failed(&error, false))
    }

    /// Sends, and waits until the server has read it. (Some do not, while they are busy. Those are not
    /// waited for.)
    pub fn send_and_wait(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Wrong> {
        self.send(bytes)?;
        self.is_read();
        Ok(())
    }

    /// Whether the server has accepted the connection and has read all that was sent, after
    /// [`A_WHILE`] at most.
    pub fn is_read(&self) -> bool {
        let Ok(ours) = self.stream.get_ref().local_addr() else {
            return false;
        };
        let is_read = || {
            let socket = sockets::of_server(self.server, ours);
            socket.is_some_and(|socket| socket.is_owned && socket.unread == 0)
        };
        soon(is_read)
    }

    /// Says that it will send nothing more.
    pub fn hang_up_half(&self) {
        // It fails if the connection is gone, which shows when the answer is read.
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
    }

    /// Reads an answer, with its body.
    pub fn answer(&mut self) -> Result<Response, Wrong> {
        let mut answer = self.head()?;
        self.body(&mut answer, |_| ())?;
        Ok(answer)
    }

    /// Reads the body of an answer, in parts, and after each of them does what is to be done.
    pub fn body(&mut self, answer: &mut Response, then: impl Fn(&[u8])) -> Result<(), Wrong> {
        let length = answer.header("content-length").map(str::parse);
        match length {
            Some(Ok(length)) => {
                answer.body = vec![0; length];
                for part in answer.body.chunks_mut(64 * 1024) {
                    let read = self.stream.read_exact(part);
                    read.map_err(|error| self.failed(&error, true))?;
                    then(part);
                }
                Ok(())
            }
            Some(Err(_)) => Err(self.wrong(Outcome::Other, "a length that is none")),
            None if answer.header("transfer-encoding").is_some() => {
                Err(self.wrong(Outcome::Other, "chunks, which this client does not read"))
            }
            None => match self.stream.read_to_end(&mut answer.body) {
                Ok(_) => Ok(()),
                Err(error) => Err(self.failed(&error, true)),
            },
        }
    }

    /// Reads an answer that has no body, or the head of one that has.
    pub fn head(&mut self) -> Result<Response, Wrong> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let before = !head.is_empty();
            match self.stream.read_line(&mut head) {
                Ok(0) => return Err(self.failed(&ErrorKind::UnexpectedEof.into(), before)),
                Ok(_) => {}
                Err(error) => return Err(self.failed(&error, before)),
            }
        }
        self.tell("<", head.lines().next().unwrap_or_default());
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        match status {
            Some(status) => Ok(Response {
                status,
                head,
                body: Vec::new(),
            }),
            None => Err(self.wrong(Outcome::Other, "an answer that is not HTTP")),
        }
    }

    /// Reads the page, whole, and nothing else will do.
    pub fn page(&mut self) -> Result<Response, Wrong> {
        let answer = self.answer()?;
        match answer.status {
            200 if answer.body == PAGE.as_bytes() => Ok(answer),
            200 => Err(self.wrong(Outcome::Other, "200, and not the page")),
            status => Err(self.wrong(Outcome::Other, format!("{status}"))),
        }
    }

    /// Reads until the server hangs up, as it has to, and says nothing more.
    pub fn end(&mut self) -> Result<(), Wrong> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(0) => {
                println!("{:18} < the end", self.name);
                Ok(())
            }
            Ok(_) => Err(self.wrong(Outcome::Other, "more than was asked for")),
            Err(error) if is_timeout(&error) => Err(self.wrong(Outcome::Silent, "nobody hangs up")),
            Err(_) => Err(self.wrong(Outcome::Reset, "reset after its answer")),
        }
    }

    /// Whether something has come, or the end.
    pub fn has_something(&mut self) -> bool {
        let stream = self.stream.get_ref();
        if stream.set_nonblocking(true).is_err() {
            return true;
        }
        let peeked = stream.peek(&mut [0]);
        let _ = stream.set_nonblocking(false);
        !matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    pub fn wrong(&self, outcome: Outcome, what: impl AsRef<str>) -> Wrong {
        Wrong::new(outcome, format!("{}: {}", self.name, what.as_ref()))
    }

    /// Says what goes over the connection, or the beginning of it.
    fn tell(&self, direction: &str, bytes: impl AsRef<[u8]>) {
        const LONGEST: usize = 60;
        let bytes = bytes.as_ref();
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
        let more = if bytes.len() > LONGEST { " ..." } else { "" };
        println!("{:18} {direction} {text:?}{more}", self.name);
    }

    /// What it means that a client cannot read on. `has_begun`: a part of the answer has come.
    fn failed(&self, error: &io::Error, has_begun: bool) -> Wrong {
        match error.kind() {
            _ if is_timeout(error) => self.wrong(Outcome::Silent, "nothing comes"),
            // Whether that is an end or a reset depends on who is quicker.
            _ if !has_begun => self.wrong(Outcome::Closed, "no answer comes"),
            _ => self.wrong(Outcome::Cut, "only a part of its answer comes"),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Waits until it is so, but not longer than [`A_WHILE`].
pub fn soon(is_so: impl Fn() -> bool) -> bool {
    within(A_WHILE, is_so)
}

/// Looks every few milliseconds whether it is so, and the less often the longer it takes: what the system
/// says of all sockets is long.
pub fn within(time: Duration, is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        let waited = start.elapsed();
        if waited >= time {
            return false;
        }
        let pause = (waited / 8).clamp(Duration::from_millis(5), Duration::from_millis(50));
        thread::sleep(pause.min(time - waited));
    }
    true
}
