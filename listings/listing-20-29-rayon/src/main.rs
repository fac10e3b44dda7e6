// ANCHOR: uses
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use std::{
    error::Error,
    fmt, fs,
    io::{self, prelude::*, BufReader, ErrorKind, Take},
    net::{Ipv6Addr, Shutdown, TcpListener, TcpStream},
    panic,
    process::ExitCode,
    str, thread,
    time::{Duration, Instant},
};

const ADDRESS: &str = "127.0.0.1:7878";
// ANCHOR_END: uses

// ANCHOR: main
fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), ServerError> {
    let listener = TcpListener::bind(ADDRESS).map_err(ServerError::Listen)?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .map_err(ServerError::Pool)?;

    // The drop would not wait. A scope does, for each job that was spawned in it.
    pool.in_place_scope(|scope| {
        for _ in 0..2 {
            let stream = accept(&listener)?;
            // What a job panics with would go on in this thread, and end the server.
            scope.spawn(|_| drop(panic::catch_unwind(|| handle_connection(stream))));
        }
        let _ = writeln!(io::stdout(), "Shutting down.");
        Ok(())
    })
}
// ANCHOR_END: main

// ANCHOR: accept
/// The next connection; or an error after which there can be no other.
fn accept(listener: &TcpListener) -> Result<TcpStream, ServerError> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => return Ok(stream),
            Err(error) => match after(&error) {
                Next::AtOnce => {}
                Next::AfterAPause => {
                    report(&ServerError::Accept(error));
                    thread::sleep(Duration::from_millis(100));
                }
                Next::Never => return Err(ServerError::Accept(error)),
            },
        }
    }
}

/// When to ask for the next connection.
#[derive(Debug, PartialEq)]
enum Next {
    AtOnce,
    AfterAPause,
    Never,
}

// Errors of the system for which `ErrorKind` has no name.
const LINUX: bool = cfg!(any(target_os = "linux", target_os = "android"));
const EBADF: i32 = 9;
const ENOTSOCK: i32 = if LINUX { 88 } else { 38 };
const EPROTO: i32 = if LINUX { 71 } else { 100 };

fn after(error: &io::Error) -> Next {
    match (error.kind(), error.raw_os_error()) {
        // One connection has failed before we got to it, or a signal came.
        (ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset, _)
        | (ErrorKind::NetworkDown | ErrorKind::NetworkUnreachable, _)
        | (ErrorKind::HostUnreachable | ErrorKind::TimedOut | ErrorKind::Interrupted, _)
        | (_, Some(EPROTO)) => Next::AtOnce,
        // The listener does not listen, or is gone. It will not come back.
        (ErrorKind::InvalidInput, _) | (_, Some(EBADF | ENOTSOCK)) => Next::Never,
        // Too many open files, no memory; and whatever else there may be.
        _ => Next::AfterAPause,
    }
}
// ANCHOR_END: accept

// ANCHOR: handle
fn handle_connection(mut stream: TcpStream) {
    let mut line = Vec::new();
    let (status, body) = match read_request(&stream, &mut line) {
        Ok(path) => respond(&path),
        Err(Refusal::Status(status)) => refusal(status),
        Err(Refusal::Gone) => return,
    };

    let length = body.len();
    let allow = match status {
        METHOD_NOT_ALLOWED => "Allow: GET, HEAD\r\n",
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
            refusal(SERVER_ERROR)
        }
    }
}

/// A response that says no more than its status.
fn refusal(status: &'static str) -> (&'static str, String) {
    (status, format!("{status}\n"))
}
// ANCHOR_END: respond

// ANCHOR: statuses
const BAD_REQUEST: &str = "400 BAD REQUEST";
const METHOD_NOT_ALLOWED: &str = "405 METHOD NOT ALLOWED";
const LINE_TOO_LONG: &str = "414 URI TOO LONG";
const HEADERS_TOO_LARGE: &str = "431 REQUEST HEADER FIELDS TOO LARGE";
const SERVER_ERROR: &str = "500 INTERNAL SERVER ERROR";
const NOT_IMPLEMENTED: &str = "501 NOT IMPLEMENTED";
const VERSION_NOT_SUPPORTED: &str = "505 HTTP VERSION NOT SUPPORTED";
// ANCHOR_END: statuses

// ANCHOR: request
/// The longest request that is read, in bytes: its line and its headers.
const MAX_HEAD: u64 = 8 * 1024;

/// Why a client gets no page.
enum Refusal {
    /// It gets this status instead.
    Status(&'static str),
    /// It gets nothing: it has hung up, or it cannot be read from.
    Gone,
}

/// Reads a request to the empty line at its end, and returns the path that it asks for. What there
/// is of its first line is in `line`, also if it is refused.
fn read_request(stream: &TcpStream, line: &mut Vec<u8>) -> Result<String, Refusal> {
    let mut head = BufReader::new(stream.take(MAX_HEAD));

    read_line(&mut head, line, LINE_TOO_LONG)?;
    if line.is_empty() {
        // Some clients send an empty line too many, after the request before.
        read_line(&mut head, line, LINE_TOO_LONG)?;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = Vec::new();
        read_line(&mut head, &mut header, HEADERS_TOO_LARGE)?;
        if header.is_empty() {
            break;
        }
        headers.push(header);
    }

    let path = judge(line, &headers).map_err(Refusal::Status)?;
    Ok(path.to_owned())
}

/// Reads the next line, without its end.
fn read_line(
    head: &mut BufReader<Take<&TcpStream>>,
    line: &mut Vec<u8>,
    too_long: &'static str,
) -> Result<(), Refusal> {
    match head.read_until(b'\n', line) {
        Ok(_) if line.ends_with(b"\r\n") => line.truncate(line.len() - 2),
        Ok(_) if line.ends_with(b"\n") => line.truncate(line.len() - 1),
        // There is no end of line: either all is read that may be read ...
        Ok(_) if head.get_ref().limit() == 0 => return Err(Refusal::Status(too_long)),
        // ... or all that the client has sent.
        Ok(_) | Err(_) => return Err(Refusal::Gone),
    }
    Ok(())
}
// ANCHOR_END: request

// ANCHOR: judge
/// The path that is asked for, or what is wrong. Of two faults, the first one here is told.
fn judge<'a>(line: &'a [u8], headers: &[Vec<u8>]) -> Result<&'a str, &'static str> {
    let line = str::from_utf8(line).map_err(|_| BAD_REQUEST)?;
    let parts: Vec<&str> = line.split(' ').collect();
    let &[method, target, version] = parts.as_slice() else {
        return Err(BAD_REQUEST);
    };
    let in_target = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if !is_token(method.as_bytes()) || !target.bytes().all(in_target) {
        return Err(BAD_REQUEST);
    }

    let version = version.strip_prefix("HTTP/").unwrap_or_default();
    let fewest_hosts = match version.as_bytes() {
        b"1.0" => 0,
        [b'1', b'.', b'1'..=b'9'] => 1,
        [b'0'..=b'9', b'.', b'0'..=b'9'] => return Err(VERSION_NOT_SUPPORTED),
        _ => return Err(BAD_REQUEST),
    };

    let hosts = count_hosts(headers).ok_or(BAD_REQUEST)?;
    if hosts < fewest_hosts || hosts > 1 {
        return Err(BAD_REQUEST);
    }

    match method {
        "GET" | "HEAD" => path(target).ok_or(BAD_REQUEST),
        "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => {
            Err(METHOD_NOT_ALLOWED)
        }
        _ => Err(NOT_IMPLEMENTED),
    }
}

/// The path in `/path?query`, or in `http://host/path?query`.
fn path(target: &str) -> Option<&str> {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if !is_host(host) || host.is_empty() || host.starts_with(':') {
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
/// How many headers are called `Host`; nothing if one of them, or another, is none.
fn count_hosts(headers: &[Vec<u8>]) -> Option<usize> {
    let mut hosts = 0;
    for header in headers {
        let (name, value) = header.split_at(header.iter().position(|byte| *byte == b':')?);
        let value = &value[1..]; // without the colon
                                 // A space is no part of a name: neither before the colon, nor at the start of the line.
        if !is_token(name) || !value.iter().all(|b| *b == b'\t' || !b.is_ascii_control()) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"host") {
            let value = str::from_utf8(value).ok()?;
            if !is_host(value.trim_matches([' ', '\t'])) {
                return None;
            }
            hosts += 1;
        }
    }
    Some(hosts)
}

/// Whether this is a word as HTTP has them, for methods and for the names of headers.
fn is_token(word: &[u8]) -> bool {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !word.is_empty() && word.iter().all(in_word)
}

/// Whether this is a name or an address, perhaps with a port. It may be empty.
fn is_host(host: &str) -> bool {
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (host, ""),
    };
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    let is_name = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.bytes().all(in_name),
    };
    is_name && port.bytes().all(|byte| byte.is_ascii_digit())
}
// ANCHOR_END: headers

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
            && matches!(unread.read(&mut buffer), Ok(1..));
    }
}
// ANCHOR_END: hang_up

// ANCHOR: errors
/// What can go wrong on the server's side.
#[derive(Debug)]
enum ServerError {
    Listen(io::Error),
    Pool(ThreadPoolBuildError),
    Accept(io::Error),
    Page(&'static str, io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ServerError::Listen(_) => write!(f, "cannot listen on {ADDRESS}"),
            ServerError::Pool(_) => write!(f, "cannot start the pool"),
            ServerError::Accept(_) => write!(f, "cannot accept a connection"),
            ServerError::Page(file, _) => write!(f, "cannot read {file}"),
        }
    }
}

impl Error for ServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ServerError::Pool(error) => Some(error),
            ServerError::Listen(error)
            | ServerError::Accept(error)
            | ServerError::Page(_, error) => Some(error),
        }
    }
}

/// Prints an error and its causes in one line.
fn report(error: &dyn Error) {
    let mut line = format!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        line += &format!(": {cause}");
        source = cause.source();
    }
    let _ = writeln!(io::stderr(), "{line}");
}
// ANCHOR_END: errors
