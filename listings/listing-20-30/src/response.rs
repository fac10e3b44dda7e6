// ANCHOR: uses
//! The response to a request, and the end of its connection.

use crate::{
    errors::{report, ServerError},
    request::{read_request, Refusal},
    status,
};
use std::{
    fs,
    io::{prelude::*, ErrorKind},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: handle
pub fn handle_connection(mut stream: TcpStream) {
    let mut line = Vec::new();
    let (status, body) = match read_request(&stream, &mut line) {
        Ok(path) => respond(&path),
        Err(Refusal::Status(status)) => refusal(status),
        Err(Refusal::Gone) => return,
    };

    let length = body.len();
    let allow = match status {
        status::METHOD_NOT_ALLOWED => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let mut response = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{allow}\
         Content-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\r\n"
    );
    if !line.starts_with(b"HEAD ") {
        response += &body;
    }
    // Should the client be gone by now, there is nobody to tell.
    let _ = stream.write_all(response.as_bytes());
    hang_up(stream);
}
// ANCHOR_END: handle

// ANCHOR: hang_up
/// Ends a connection after its response. If it were closed while something that the client has sent
/// is unread, the client might lose the response. So that is read and thrown away: for a second at
/// most, and no more than a mebibyte.
fn hang_up(stream: TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut unread = stream.take(1024 * 1024);
    let mut buffer = [0; 4096];

    let mut more = unread.get_ref().shutdown(Shutdown::Write).is_ok();
    while more {
        let left = deadline.saturating_duration_since(Instant::now());
        // No time left is an error, too.
        more = unread.get_ref().set_read_timeout(Some(left)).is_ok()
            && match unread.read(&mut buffer) {
                Ok(bytes) => bytes > 0,
                // Whoever stops this process and lets it go on interrupts the `read`.
                Err(error) => error.kind() == ErrorKind::Interrupted,
            };
    }
}
// ANCHOR_END: hang_up

// ANCHOR: respond
/// A status, and the page that goes with it.
fn respond(path: &str) -> (&'static str, String) {
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
fn refusal(status: &'static str) -> (&'static str, String) {
    (status, format!("{status}\n"))
}
// ANCHOR_END: respond
