//! Measures the server of Listing 20-34, whose connections stay: what is saved by that, and what
//! becomes of them when it stops.

use super::{
    keep, median, recorded,
    server::{build, Change, Server, ANY_PORT},
};
use crate::progress;
use anyhow::{ensure, Result};
use rustix::process::Signal;
use std::{
    fmt::Write as _,
    io::{self, prelude::*, BufReader, ErrorKind},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

const LISTING: &str = "listing-20-34";

/// A variable says how long the server lingers.
const FROM_VARIABLE: Change = (
    "src/server.rs",
    "linger: Duration::from_millis(200)",
    r#"linger: Duration::from_millis(std::env::var("LINGER").unwrap().parse().unwrap())"#,
);

/// The lingers that are compared, in milliseconds.
const LINGERS: [u64; 6] = [0, 20, 100, 200, 500, 1000];

/// How often each client asks, in milliseconds, and whether it looks at its connection before.
const KINDS: [(u64, bool); 5] = [
    (50, true),
    (150, true),
    (400, true),
    (2000, true),
    (150, false),
];
/// Clients of each kind, and stops with each linger.
const CLIENTS: u32 = 50;
const STOPS: usize = 10;
/// How long before its request a client looks. What is closed in this time, it does not see: so it
/// is over a network with this round trip, where a request and a close can be on their way at once.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Connections that are idle at a stop.
const IDLE: usize = 100;
/// Requests that one client sends, one after the other, and how often that is measured.
const REQUESTS: u32 = 200;
const ROUNDS: usize = 15;

/// Measures, and keeps the results.
///
/// # Errors
///
/// When the server cannot be built, or does not do what it should, and when a file cannot be
/// written.
pub(super) fn record(root: &Path) -> Result<()> {
    let program = build(root, LISTING, "linger", &[FROM_VARIABLE])?;
    keep(root, "bench-kept.txt", &recorded(&kept(&program)?))?;
    keep(root, "bench-linger.txt", &recorded(&stops(&program)?))
}

/// How long a request takes, with a connection of its own and without.
fn kept(program: &Path) -> Result<String> {
    let server = start(program, 0)?;
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for _ in 0..REQUESTS {
            ask(&mut connect(server.address)?, "Connection: close\r\n")?;
        }
        own.push(begin.elapsed() / REQUESTS);
        let begin = Instant::now();
        let mut connection = connect(server.address)?;
        for _ in 0..REQUESTS {
            ask(&mut connection, "")?;
        }
        shared.push(begin.elapsed() / REQUESTS);
    }
    let each = |times| format!("{:.0} µs", median(times).as_secs_f64() * 1e6);
    Ok(format!(
        "| {REQUESTS} requests, one after the other | for each |\n| --- | ---: |\n\
         | each on a connection of its own | {} |\n| all on one | {} |\n",
        each(own),
        each(shared),
    ))
}

/// What becomes of clients that keep their connections, with each linger.
fn stops(program: &Path) -> Result<String> {
    let mut table = String::from("| Linger | To the end |");
    for (pause, looks) in KINDS {
        let blind = if looks { "" } else { ", blind" };
        let _ = write!(table, " {pause} ms{blind} |");
    }
    table += "\n| ---: | ---: |";
    table += &" ---: |".repeat(KINDS.len());
    table += "\n";
    for linger in LINGERS {
        progress::tell(&format!("a server that lingers {linger} ms"));
        let ends = (0..3).map(|_| idle(program, linger));
        let end = median(ends.collect::<Result<_>>()?).as_secs_f64() * 1000.0;
        let mut lost = [0; KINDS.len()];
        for _ in 0..STOPS {
            for (all, more) in lost.iter_mut().zip(stop(program, linger)?) {
                *all += more;
            }
        }
        let lost = lost.map(|lost| format!(" {lost} |")).concat();
        let _ = writeln!(table, "| {linger} ms | {end:.1} ms |{lost}");
    }
    Ok(table)
}

fn start(program: &Path, linger: u64) -> Result<Server> {
    Server::run(
        Command::new(program)
            .arg(ANY_PORT)
            .env("LINGER", linger.to_string()),
    )
}

/// From SIGTERM to the end, if some clients have their answers, and stay.
fn idle(program: &Path, linger: u64) -> Result<Duration> {
    let mut server = start(program, linger)?;
    let mut clients = Vec::new();
    for _ in 0..IDLE {
        let mut client = connect(server.address)?;
        ensure!(ask(&mut client, "")?, "a connection does not stay");
        clients.push(client);
    }
    let begin = Instant::now();
    server.signal(Signal::TERM)?;
    server.ended()?;
    Ok(begin.elapsed())
}

/// Stops a server whose clients of each kind ask again and again. Returns how many of each had sent
/// a request and got no answer.
fn stop(program: &Path, linger: u64) -> Result<[usize; KINDS.len()]> {
    let mut server = start(program, linger)?;
    let mut clients = Vec::new();
    for (kind, (pause, looks)) in KINDS.into_iter().enumerate() {
        let pause = Duration::from_millis(pause);
        for number in 0..CLIENTS {
            let mut connection = connect(server.address)?;
            ask(&mut connection, "")?;
            let (go_on, ended) = mpsc::channel();
            let client = Client {
                connection,
                first: pause * number / CLIENTS, // not all at the same time
                pause,
                looks,
                ended,
            };
            clients.push((kind, go_on, thread::spawn(move || client.loses())));
        }
    }
    thread::sleep(Duration::from_millis(100));
    server.signal(Signal::TERM)?;
    server.ended()?;

    let mut lost = [0; KINDS.len()];
    for (kind, go_on, thread) in clients {
        drop(go_on);
        lost[kind] += usize::from(thread.join().expect("a client does not panic"));
    }
    Ok(lost)
}

pub(super) type Connection = BufReader<TcpStream>;

/// A client that keeps its connection.
struct Client {
    connection: Connection,
    first: Duration,
    pause: Duration,
    looks: bool,
    /// Nothing is sent here: it is closed when the server has ended, and no pause lasts longer.
    ended: Receiver<()>,
}

impl Client {
    /// Asks until the server does not want it to. Returns whether a request was lost then.
    fn loses(mut self) -> bool {
        let mut pause = self.first;
        loop {
            let _ = self.ended.recv_timeout(pause.saturating_sub(ROUND_TRIP));
            if self.looks && has_ended(self.connection.get_ref()) {
                return false;
            }
            let _ = self.ended.recv_timeout(pause.min(ROUND_TRIP));
            match ask(&mut self.connection, "") {
                Ok(true) => pause = self.pause,
                Ok(false) => return false, // it was told not to ask again
                Err(_) => return true,
            }
        }
    }
}

/// No answer takes so long.
const DEADLINE: Duration = Duration::from_secs(20);

pub(super) fn connect(address: SocketAddr) -> io::Result<Connection> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    Ok(BufReader::new(stream))
}

/// Whether the server has closed the connection, as far as it is known here.
fn has_ended(stream: &TcpStream) -> bool {
    let seen = stream.set_nonblocking(true).and_then(|()| {
        let seen = stream.peek(&mut [0]);
        stream.set_nonblocking(false).and(seen)
    });
    !seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Sends a request, and reads the whole answer. Returns whether the connection stays.
pub(super) fn ask(connection: &mut Connection, header: &str) -> io::Result<bool> {
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{header}\r\n");
    connection.get_mut().write_all(request.as_bytes())?;
    let (mut length, mut stays) = (0, true);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().unwrap_or(0),
            Some(("Connection", "close")) => stays = false,
            _ if line == "\r\n" => break,
            _ if line.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    }
    match io::copy(&mut connection.by_ref().take(length), &mut io::sink())? {
        whole if whole == length => Ok(stays),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_changed_for_a_comparison_is_there_once() {
        let (file, from, _) = FROM_VARIABLE;
        let file = book::root().join("listings").join(LISTING).join(file);
        let source = fs::read_to_string(file).unwrap();
        assert_eq!(source.matches(from).count(), 1);
    }
}
