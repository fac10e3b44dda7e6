//! A client that keeps its connection, and reads one answer after the other.
#![allow(dead_code)] // each test file uses a part

use crate::common::DEADLINE;
use std::{
    io::{self, prelude::*, BufReader},
    net::{Shutdown, SocketAddr, TcpStream},
};

pub struct Client(BufReader<TcpStream>);

/// What a client gets.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The status line, and the headers.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Whether it says that it is the last.
    pub fn is_last(&self) -> bool {
        self.head.contains("\r\nConnection: close\r\n")
    }
}

impl Client {
    pub fn to(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Client(BufReader::new(stream))
    }

    /// What it sends and reads by.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_to_send(bytes).unwrap();
    }

    pub fn try_to_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Says that it will send nothing more.
    pub fn end(&mut self) {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// Asks for a path, and reads the answer.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send(get(path));
        self.answer()
    }

    /// Reads an answer, with its body.
    pub fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.head.split_once("Content-Length: ");
        let length = length.map_or("0", |(_, rest)| rest.split("\r\n").next().unwrap());
        answer.body = self.body(length.parse().unwrap());
        answer
    }

    /// Reads a body of this length.
    pub fn body(&mut self, length: usize) -> String {
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a whole body");
        String::from_utf8(body).unwrap()
    }

    /// Reads an answer that has no body, or the head of one that has.
    pub fn head(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.0.read_line(&mut head);
            let read = read.unwrap_or_else(|error| panic!("{error}, after {head:?}"));
            assert!(read > 0, "the connection has ended, after {head:?}");
        }
        let body = String::new();
        Answer { head, body }
    }

    /// All that comes until the server hangs up.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).expect("an end");
        rest
    }
}

/// A request for a path.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}
