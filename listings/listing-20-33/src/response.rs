// ANCHOR: uses
//! The response to a request.

use crate::{
    errors::{report, ServerError},
    status,
};
use std::{fs, thread, time::Duration};
// ANCHOR_END: uses

// ANCHOR: respond
/// A status, and the page that goes with it.
pub type Response = (&'static str, String);

/// Makes the page for this path. Only a worker has the time for it.
pub fn respond(path: &str) -> Response {
    let (status, file) = match path {
        "/" => ("200 OK", "hello.html"),
        "/sleep" => {
            // A page that takes a long time to make, so that one worker is busy.
            thread::sleep(Duration::from_secs(5));
            ("200 OK", "hello.html")
        }
        _ => ("404 NOT FOUND", "404.html"),
    };

    match fs::read_to_string(file) {
        Ok(body) => (status, body),
        Err(error) => {
            report(&ServerError::Page(file, error));
            refusal(status::SERVER_ERROR)
        }
    }
}

/// A response that says no more than its status.
pub fn refusal(status: &'static str) -> Response {
    (status, format!("{status}\n"))
}
// ANCHOR_END: respond

// ANCHOR: bytes
/// The bytes of a response, after which the connection ends.
pub fn bytes((status, body): Response, is_for_head: bool) -> Vec<u8> {
    let length = body.len();
    let allow = match status {
        status::METHOD_NOT_ALLOWED => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let mut response = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{allow}\
         Content-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\r\n"
    );
    if !is_for_head {
        response += &body;
    }
    response.into_bytes()
}
// ANCHOR_END: bytes
