// ANCHOR: uses
//! The response to a request.

use crate::{
    errors::{report, ServerError},
    part::Part,
    request::Request,
    status,
};
use std::{
    fs,
    io::prelude::*,
    thread,
    time::{Duration, SystemTime},
};
// ANCHOR_END: uses

// ANCHOR: respond
/// What a client gets.
#[derive(Debug)]
pub struct Response {
    /// A number and its name, such as `200 OK`. It is final, 200 or above: after one below,
    /// a client still waits for its answer. With 205, the body has to be empty.
    pub status: &'static str,
    /// Its headers, but for `Connection`, `Date` and `Content-Length`, which the server adds.
    pub headers: Vec<(&'static str, String)>,
    /// What follows them.
    pub body: Body,
}

/// What follows the head of a response.
#[derive(Debug)]
pub enum Body {
    /// What is in memory.
    Bytes(Vec<u8>),
    /// A part of a file, which is read piece by piece, as the client takes it.
    File(Part),
}

impl Response {
    /// A page of HTML.
    pub fn html(status: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            headers: vec![("Content-Type", "text/html; charset=utf-8".into())],
            body: Body::Bytes(body.into()),
        }
    }

    /// With one header more. Its value has to be text in one line.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.push((name, value.into()));
        self
    }
}

/// The pages of this server. Only a worker has the time to make them.
pub fn pages(request: &Request) -> Response {
    let (status, file) = match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/") => ("200 OK", "hello.html"),
        ("GET" | "HEAD", "/sleep") => {
            // A page that takes a long time to make, so that one worker is busy.
            thread::sleep(Duration::from_secs(5));
            ("200 OK", "hello.html")
        }
        ("GET" | "HEAD", _) => ("404 NOT FOUND", "404.html"),
        _ => return refusal(status::METHOD_NOT_ALLOWED),
    };

    match fs::read(file) {
        Ok(body) => Response::html(status, body),
        Err(error) => {
            report(&ServerError::Page(file.to_owned(), error));
            refusal(status::SERVER_ERROR)
        }
    }
}

/// A response that says no more than its status.
pub fn refusal(status: &'static str) -> Response {
    Response::html(status, format!("{status}\n"))
}
// ANCHOR_END: respond

// ANCHOR: bytes
impl Response {
    /// The bytes of it, and what follows of a file. `connection` is a header, or nothing.
    pub fn bytes(self, connection: &str, is_for_head: bool) -> (Vec<u8>, Option<Part>) {
        let Response {
            status,
            headers,
            body,
        } = self;
        let (body, rest) = match body {
            Body::Bytes(body) => (body, None),
            Body::File(part) => (Vec::new(), Some(part)),
        };
        let length = rest.as_ref().map_or(body.len() as u64, Part::length);
        let more = match status {
            status::METHOD_NOT_ALLOWED => "Allow: GET, HEAD\r\n",
            status::UNAVAILABLE => "Retry-After: 1\r\n", // in seconds
            _ => "",
        };
        // These have no body. A client would take one for the beginning of the next response.
        let is_bare = status.starts_with("204") || status.starts_with("304");
        let mut bytes = Vec::with_capacity(512 + body.len());
        let date = httpdate::fmt_http_date(SystemTime::now());
        // To write to memory does not fail.
        let _ = write!(
            bytes,
            "HTTP/1.1 {status}\r\n{connection}{more}Date: {date}\r\n"
        );
        for (name, value) in headers {
            // The end of a line in it would begin another header.
            let value = value.replace(|char: char| char.is_ascii_control(), " ");
            let _ = write!(bytes, "{name}: {value}\r\n");
        }
        if !is_bare {
            let _ = write!(bytes, "Content-Length: {length}\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        if is_bare || is_for_head {
            return (bytes, None);
        }
        bytes.extend_from_slice(&body);
        (bytes, rest)
    }
}
// ANCHOR_END: bytes
