// ANCHOR: uses
//! A request: read no further than the end of its headers, and judged.

use crate::status;
use std::{
    io::{prelude::*, BufReader, ErrorKind, Take},
    net::Ipv6Addr,
};
// ANCHOR_END: uses

// ANCHOR: request
/// The longest request that is read, in bytes: its line and its headers.
const MAX_HEAD: u64 = 8 * 1024;

/// Why a client gets no page.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    /// It gets this status instead.
    Status(&'static str),
    /// It gets nothing: it has hung up, or it cannot be read from.
    Gone,
}

/// Reads a request to the empty line at its end, and returns the path that it asks for. What there
/// is of its first line is in `line`, also if it is refused.
pub fn read_request(stream: impl Read, line: &mut Vec<u8>) -> Result<String, Refusal> {
    let mut head = BufReader::new(stream.take(MAX_HEAD));

    read_line(&mut head, line, status::LINE_TOO_LONG)?;
    if line.is_empty() {
        // Some clients send an empty line too many, after the request before.
        read_line(&mut head, line, status::LINE_TOO_LONG)?;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = Vec::new();
        read_line(&mut head, &mut header, status::HEADERS_TOO_LARGE)?;
        if header.is_empty() {
            break;
        }
        headers.push(text(&header));
    }

    let path = judge(&text(line), &headers).map(str::to_owned);
    path.map_err(Refusal::Status)
}

/// Reads the next line, without its end.
fn read_line(
    head: &mut BufReader<Take<impl Read>>,
    line: &mut Vec<u8>,
    too_long: &'static str,
) -> Result<(), Refusal> {
    match head.read_until(b'\n', line) {
        Ok(_) if line.ends_with(b"\r\n") => line.truncate(line.len() - 2),
        Ok(_) if line.ends_with(b"\n") => line.truncate(line.len() - 1),
        // There is no end of line: all is read that may be read ...
        Ok(_) if head.get_ref().limit() == 0 => return Err(Refusal::Status(too_long)),
        // ... or its time is over ...
        Err(error) if error.kind() == ErrorKind::TimedOut => {
            return Err(Refusal::Status(status::REQUEST_TIMEOUT))
        }
        // ... or all is read that the client has sent.
        Ok(_) | Err(_) => return Err(Refusal::Gone),
    }
    Ok(())
}

/// What is no text becomes U+FFFD, which may be in the value of a header, and nowhere else.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
// ANCHOR_END: request

// ANCHOR: judge
/// The path that is asked for, or what is wrong. Of two faults, the first one here is told.
fn judge<'a>(line: &'a str, headers: &[String]) -> Result<&'a str, &'static str> {
    let parts: Vec<&str> = line.split(' ').collect();
    let &[method, target, version] = parts.as_slice() else {
        return Err(status::BAD_REQUEST);
    };
    let in_target = |char: char| char.is_ascii_graphic() && char != '#';
    if !is_token(method) || !target.chars().all(in_target) {
        return Err(status::BAD_REQUEST);
    }

    let version = version.strip_prefix("HTTP/").unwrap_or_default();
    let is_old = match version.as_bytes() {
        b"1.0" => true,
        [b'1', b'.', b'1'..=b'9'] => false,
        [b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(status::VERSION_NOT_SUPPORTED),
        _ => return Err(status::BAD_REQUEST),
    };

    let headers: Option<Vec<_>> = headers.iter().map(|line| header(line)).collect();
    let headers = headers.ok_or(status::BAD_REQUEST)?;
    if !has_host(&headers, is_old) || !has_end(&headers, is_old) {
        return Err(status::BAD_REQUEST);
    }

    match method {
        "GET" | "HEAD" => path(target).ok_or(status::BAD_REQUEST),
        "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => {
            Err(status::METHOD_NOT_ALLOWED)
        }
        _ => Err(status::NOT_IMPLEMENTED),
    }
}

/// The path in `/path?query`, or in `http://host/path?query`.
fn path(target: &str) -> Option<&str> {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if !is_host(host) {
                return None;
            }
            path
        }
        _ if target.starts_with('/') => target,
        _ => return None,
    };
    match path.split('?').next() {
        Some("") => Some("/"),
        path => path,
    }
}
// ANCHOR_END: judge

// ANCHOR: headers
/// What may be around a value. (`trim` would take more away than HTTP does.)
const BLANKS: [char; 2] = [' ', '\t'];

/// The name of a header, and its value; nothing if this line is no header.
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_value = value.chars().all(|c| c == '\t' || !c.is_ascii_control());
    // A space is no part of a name: neither before the colon, nor at the start of the line.
    (is_token(name) && is_value).then_some((name, value.trim_matches(BLANKS)))
}

/// What the headers of this name say.
fn values<'a>(headers: &[(&str, &'a str)], name: &str) -> Vec<&'a str> {
    let named = headers.iter().filter(|h| h.0.eq_ignore_ascii_case(name));
    named.map(|h| h.1).collect()
}

/// Whether they say once whom the request is for. An old client need not say it.
fn has_host(headers: &[(&str, &str)], is_old: bool) -> bool {
    match values(headers, "Host").as_slice() {
        [] => is_old,
        [host] => host.is_empty() || is_host(host),
        _ => false,
    }
}

/// Whether they say once where the request ends. There is no body if they say nothing.
fn has_end(headers: &[(&str, &str)], is_old: bool) -> bool {
    let lengths = values(headers, "Content-Length");
    let codings = values(headers, "Transfer-Encoding");
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => true,
        ([length], []) => is_number(length),
        // Whatever else is done to the body, it comes in chunks, of which one is the last.
        ([], [.., last]) if !is_old => {
            let coding = last.rsplit(',').next().unwrap_or_default();
            coding.trim_matches(BLANKS).eq_ignore_ascii_case("chunked")
        }
        _ => false,
    }
}

/// Whether this is a word as HTTP has them, for methods and for the names of headers.
fn is_token(word: &str) -> bool {
    let in_word = |char: char| char.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(char);
    !word.is_empty() && word.chars().all(in_word)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|char| char.is_ascii_digit())
}

/// Whether this is a name or an address, perhaps with a port.
fn is_host(host: &str) -> bool {
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (host, ""),
    };
    let in_name = |char: char| char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=".contains(char);
    let is_name = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(in_name),
    };
    is_name && (port.is_empty() || is_number(port) && port.parse::<u16>().is_ok())
}
// ANCHOR_END: headers
