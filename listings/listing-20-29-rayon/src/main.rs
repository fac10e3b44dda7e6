// ANCHOR: uses
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use std::{
    error::Error,
    fmt, fs,
    io::{self, prelude::*, BufReader, Take},
    net::{Shutdown, TcpListener, TcpStream},
    panic,
    process::ExitCode,
    thread,
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
        for stream in listener.incoming().filter_map(accepted).take(2) {
            // What a job panics with would go on in this thread, and end the server.
            scope.spawn(|_| drop(panic::catch_unwind(|| handle_connection(stream))));
        }
        let _ = writeln!(io::stdout(), "Shutting down.");
    });
    Ok(())
}

/// The connection; or nothing, after a message and a pause.
fn accepted(stream: io::Result<TcpStream>) -> Option<TcpStream> {
    match stream {
        Ok(stream) => Some(stream),
        Err(error) => {
            report(&ServerError::Accept(error));
            // Most likely too many files are open. Jobs that end will close theirs.
            thread::sleep(Duration::from_millis(100));
            None
        }
    }
}
// ANCHOR_END: main

// ANCHOR: handle
fn handle_connection(stream: TcpStream) {
    match read_request(&stream) {
        Ok(path) => send(&stream, &respond(&path)),
        Err(Refusal::Status(status)) => {
            send(&stream, &refusal(status));
            hang_up(stream);
        }
        Err(Refusal::Gone) => {}
    }
}

/// Sends a response. Should the client be gone by now, there is nobody to tell.
fn send(mut stream: &TcpStream, response: &str) {
    let _ = stream.write_all(response.as_bytes());
}

fn respond(path: &str) -> String {
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
        Ok(body) => response(status, &body),
        Err(error) => {
            report(&ServerError::Page(file, error));
            refusal(SERVER_ERROR)
        }
    }
}

/// A response that says no more than its status.
fn refusal(status: &str) -> String {
    response(status, &format!("{status}\n"))
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}
// ANCHOR_END: handle

// ANCHOR: request
/// The longest request that is read, in bytes: its line and its headers.
const MAX_HEAD: u64 = 8 * 1024;

const BAD_REQUEST: &str = "400 BAD REQUEST";
const LINE_TOO_LONG: &str = "414 URI TOO LONG";
const HEADERS_TOO_LARGE: &str = "431 REQUEST HEADER FIELDS TOO LARGE";
const SERVER_ERROR: &str = "500 INTERNAL SERVER ERROR";
const NOT_IMPLEMENTED: &str = "501 NOT IMPLEMENTED";
const VERSION_NOT_SUPPORTED: &str = "505 HTTP VERSION NOT SUPPORTED";

/// Why a client gets no page.
enum Refusal {
    /// It gets this status instead.
    Status(&'static str),
    /// It gets nothing: it has hung up, or it cannot be read from.
    Gone,
}

/// Reads a request to the empty line at its end, and returns the path that it asks for.
fn read_request(stream: &TcpStream) -> Result<String, Refusal> {
    let mut head = BufReader::new(stream.take(MAX_HEAD));

    let line = read_line(&mut head, LINE_TOO_LONG)?;
    while !read_line(&mut head, HEADERS_TOO_LARGE)?.is_empty() {}

    let line = String::from_utf8(line).map_err(|_| Refusal::Status(BAD_REQUEST))?;
    requested_path(&line).map(str::to_owned)
}

/// The next line, without its end.
fn read_line(
    head: &mut BufReader<Take<&TcpStream>>,
    too_long: &'static str,
) -> Result<Vec<u8>, Refusal> {
    let mut line = Vec::new();
    match head.read_until(b'\n', &mut line) {
        Ok(_) if line.ends_with(b"\r\n") => line.truncate(line.len() - 2),
        Ok(_) if line.ends_with(b"\n") => line.truncate(line.len() - 1),
        // There is no end of line: either all is read that may be read ...
        Ok(_) if head.get_ref().limit() == 0 => return Err(Refusal::Status(too_long)),
        // ... or all that the client has sent.
        Ok(_) | Err(_) => return Err(Refusal::Gone),
    }
    Ok(line)
}

fn requested_path(line: &str) -> Result<&str, Refusal> {
    let parts: Vec<&str> = line.split(' ').collect();
    let &[method, path, version] = parts.as_slice() else {
        return Err(Refusal::Status(BAD_REQUEST));
    };
    let version = version.strip_prefix("HTTP/").unwrap_or_default();

    let status = match version.as_bytes() {
        _ if method.is_empty() || path.is_empty() => BAD_REQUEST,
        [b'1', b'.', b'0'..=b'9'] if method == "GET" => return Ok(path),
        [b'1', b'.', b'0'..=b'9'] => NOT_IMPLEMENTED,
        [b'0'..=b'9', b'.', b'0'..=b'9'] => VERSION_NOT_SUPPORTED,
        _ => BAD_REQUEST,
    };
    Err(Refusal::Status(status))
}
// ANCHOR_END: request

// ANCHOR: hang_up
/// Ends a connection that was refused. If it were closed while something that the client has sent
/// is unread, the client might lose the response: so that is read, for a second, and thrown away.
fn hang_up(mut stream: TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut unread = [0; 4096];

    let mut more = stream.shutdown(Shutdown::Write).is_ok();
    while more {
        let left = deadline.saturating_duration_since(Instant::now());
        // No time left is an error, too.
        more = stream.set_read_timeout(Some(left)).is_ok()
            && matches!(stream.read(&mut unread), Ok(1..));
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
