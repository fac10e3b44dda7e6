// ANCHOR: uses
//! A request: where its head ends, what is asked for, and what comes after it.

use crate::status;
use std::net::Ipv6Addr;
// ANCHOR_END: uses

// ANCHOR: request
/// The longest head of a request, in bytes: its line and its headers.
pub const MAX_HEAD: usize = 8 * 1024;

/// Where the head ends, after its empty line, if that has come. It does not end in the
/// first `searched` bytes.
pub fn head_end(received: &[u8], searched: usize) -> Option<usize> {
    let ends_here = |end: &usize| {
        let line = received[..*end].strip_suffix(b"\n");
        let line = line.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        line.is_some_and(|before| before.ends_with(b"\n"))
    };
    (searched + 1..=received.len()).find(ends_here)
}

/// Some clients send an empty line too many, after the request before. This is what follows it.
pub fn after_empty_line(received: &[u8]) -> &[u8] {
    let line = received.strip_prefix(b"\r").unwrap_or(received);
    line.strip_prefix(b"\n").unwrap_or(line)
}

/// What is wrong with a head that has no end.
pub fn too_long(received: &[u8]) -> &'static str {
    match after_empty_line(received).contains(&b'\n') {
        true => status::HEADERS_TOO_LARGE,
        false => status::LINE_TOO_LONG,
    }
}
// ANCHOR_END: request

// ANCHOR: judge
// ANCHOR: head
/// What a client asks for.
#[derive(Debug, PartialEq)]
pub struct Request {
    /// `GET`, `HEAD`, or another of those that HTTP has for a path.
    pub method: String,
    /// The path, without a query. It begins with a slash, and nothing in it is decoded.
    pub path: String,
    /// The query, with its question mark, or nothing.
    pub query: String,
    /// The headers: names and values. What is no text in a value is U+FFFD.
    pub headers: Vec<(String, String)>,
    /// What was sent along.
    pub body: Vec<u8>,
}

impl Request {
    /// What the header of this name says. If there are several, they are one list, with commas.
    pub fn header(&self, name: &str) -> Option<String> {
        let named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        let values = self.headers.iter().filter(named).map(|h| h.1.as_str());
        let values: Vec<_> = values.collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// What a head says.
#[derive(Debug)]
pub struct Head {
    pub request: Request,
    /// How many bytes its body has.
    pub length: usize,
    /// The client wants to be told before it sends them.
    pub expects_continue: bool,
    /// The connection is to go on after it.
    pub stays: bool,
    pub is_old: bool,
}
// ANCHOR_END: head

// ANCHOR: judged
/// What a whole head says, or what is wrong. Of two faults, the first one here is told.
pub fn judge(head: &[u8]) -> Result<Head, &'static str> {
    // What is no text becomes U+FFFD, which may be in the value of a header, and nowhere else.
    let head = String::from_utf8_lossy(head);
    let mut lines = head
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut next = || lines.next().unwrap_or_default();
    let line = match next() {
        "" => next(), // one empty line before it is skipped
        line => line,
    };

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

    let headers = lines.take_while(|line| !line.is_empty()).map(header);
    let headers: Vec<_> = headers.collect::<Option<_>>().ok_or(status::BAD_REQUEST)?;
    if !has_host(&headers, is_old) || !has_end(&headers, is_old) {
        return Err(status::BAD_REQUEST);
    }
    // ANCHOR_END: judged

    // ANCHOR: length
    let path = match method {
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" => path(target),
        "CONNECT" | "OPTIONS" | "TRACE" => return Err(status::METHOD_NOT_ALLOWED),
        _ => return Err(status::NOT_IMPLEMENTED),
    };
    let path = path.ok_or(status::BAD_REQUEST)?;
    let query = target.find('?').map_or("", |at| &target[at..]);
    if !values(&headers, "Transfer-Encoding").is_empty() {
        return Err(status::LENGTH_REQUIRED); // this server does not read chunks
    }
    // A number that is too large is too large.
    let length = values(&headers, "Content-Length")
        .first()
        .map(|n| n.parse());
    Ok(Head {
        request: Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            body: Vec::new(),
        },
        length: length.unwrap_or(Ok(0)).unwrap_or(usize::MAX),
        expects_continue: !is_old && has_option(&headers, "Expect", "100-continue"),
        stays: !has_option(&headers, "Connection", "close")
            && (!is_old || has_option(&headers, "Connection", "keep-alive")),
        is_old,
    })
}
// ANCHOR_END: length

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

/// Whether this word is in one of their lists.
fn has_option(headers: &[(&str, &str)], name: &str, option: &str) -> bool {
    let values = values(headers, name);
    let mut options = values.iter().flat_map(|list| list.split(','));
    options.any(|one| one.trim_matches(BLANKS).eq_ignore_ascii_case(option))
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
