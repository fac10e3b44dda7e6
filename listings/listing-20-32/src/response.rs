// ANCHOR: uses
//! The response to a request, and the end of its connection.

use crate::{
    errors::{report, ServerError},
    in_time::{from_now, InTime},
    request::{read_request, Refusal},
    status,
};
use std::{
    fs,
    io::prelude::*,
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: handle
/// Answers a client whose request has to be there at `deadline`, and that then
/// has the time `limit` to take its response.
pub fn handle_connection(stream: TcpStream, deadline: Instant, limit: Duration) {
    let mut line = Vec::new();
    let head = InTime {
        stream: &stream,
        deadline,
    };
    let (status, body) = match read_request(head, &mut line) {
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
    let mut client = InTime {
        stream: &stream,
        deadline: from_now(limit),
    };
    // Should the client be gone by now, or take nothing, there is nobody to tell.
    if client.write_all(response.as_bytes()).is_ok() {
        // A client that was late gets no second for its goodbye.
        let is_late = status == status::REQUEST_TIMEOUT;
        hang_up(stream, Duration::from_secs(if is_late { 0 } else { 1 }));
    }
}
// ANCHOR_END: handle

// ANCHOR: hang_up
/// Ends a connection after its response. If it were closed while something that the client has sent
/// is unread, the client might lose the response. So that is read and thrown away: for a time, and
/// no more than a mebibyte.
fn hang_up(stream: TcpStream, limit: Duration) {
    let client = InTime {
        stream: &stream,
        deadline: from_now(limit),
    };
    let mut unread = client.take(1024 * 1024);
    let mut buffer = [0; 4096];

    let mut more = stream.shutdown(Shutdown::Write).is_ok();
    while more {
        more = matches!(unread.read(&mut buffer), Ok(1..));
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
