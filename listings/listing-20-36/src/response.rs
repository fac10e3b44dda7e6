// ANCHOR: uses
//! The response to a request.

use crate::{
    errors::{report, ServerError},
    request::Request,
    status,
};
use std::{fs, io::prelude::*, thread, time::Duration};
// ANCHOR_END: uses

// ANCHOR: respond
/// What a client gets.
#[derive(Debug)]
pub struct Response {
    /// A number and its name, such as `200 OK`. It is final, 200 or above: after one below,
    /// a client still waits for its answer. With 205, the body has to be empty.
    pub status: &'static str,
    /// A page of HTML.
    pub body: Vec<u8>,
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
        Ok(body) => Response { status, body },
        Err(error) => {
            report(&ServerError::Page(file, error));
            refusal(status::SERVER_ERROR)
        }
    }
}

/// A response that says no more than its status.
pub fn refusal(status: &'static str) -> Response {
    let body = format!("{status}\n").into_bytes();
    Response { status, body }
}
// ANCHOR_END: respond

// ANCHOR: bytes
impl Response {
    /// The bytes of it. `connection` is a header, or nothing.
    pub fn bytes(&self, connection: &str, is_for_head: bool) -> Vec<u8> {
        let Response { status, body } = self;
        let length = body.len();
        let more = match *status {
            status::METHOD_NOT_ALLOWED => "Allow: GET, HEAD\r\n",
            status::UNAVAILABLE => "Retry-After: 1\r\n", // in seconds
            _ => "",
        };
        // These have no body. A client would take one for the beginning of the next response.
        let is_bare = status.starts_with("204") || status.starts_with("304");
        let mut bytes = Vec::with_capacity(256 + length);
        // To write to memory does not fail.
        let _ = write!(bytes, "HTTP/1.1 {status}\r\n{connection}{more}");
        if !is_bare {
            let _ = write!(
                bytes,
                "Content-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n"
            );
        }
        bytes.extend_from_slice(b"\r\n");
        if !is_bare && !is_for_head {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}
// ANCHOR_END: bytes
