//! Clients that keep a connection, and ask and order again and again.

use std::{
    collections::BTreeMap,
    io::{self, prelude::*, BufReader, ErrorKind},
    net::{SocketAddr, TcpStream},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Between an answer and the next request.
const PAUSE: Duration = Duration::from_millis(10);
/// An answer that takes longer is slow.
const SLOW: Duration = Duration::from_millis(500);
/// No answer takes so long.
const DEADLINE: Duration = Duration::from_secs(30);

/// What became of the requests of a client, or of all.
#[derive(Default)]
pub(super) struct Asked {
    /// Pages.
    pub answered: usize,
    pub lost: usize,
    /// Orders by their number, and whether each was answered.
    pub orders: BTreeMap<usize, bool>,
    /// Answers that took longer than half a second.
    pub slow: usize,
}

pub(super) struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Asked>>,
}

impl Clients {
    /// So many clients. One half asks for pages; of the others, each request is an order with a number
    /// of its own.
    pub(super) fn start(number: usize, address: SocketAddr) -> Clients {
        let stop = Arc::new(AtomicBool::new(false));
        let next = Arc::new(AtomicUsize::new(1));
        let client = |client: usize| {
            let (stop, next) = (Arc::clone(&stop), Arc::clone(&next));
            thread::spawn(move || match client % 2 {
                0 => ask(address, &stop),
                _ => order(address, &stop, &next),
            })
        };
        let threads = (0..number).map(client).collect();
        Clients { stop, threads }
    }

    pub(super) fn stop(self) -> Asked {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Asked::default();
        for thread in self.threads {
            let asked = thread.join().expect("a client does not panic");
            all.answered += asked.answered;
            all.lost += asked.lost;
            all.orders.extend(asked.orders);
            all.slow += asked.slow;
        }
        all
    }
}

fn ask(address: SocketAddr, stop: &AtomicBool) -> Asked {
    let mut client = Client::new(address);
    let mut asked = Asked::default();
    while !stop.load(Ordering::Relaxed) {
        match client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            true => asked.answered += 1,
            false => asked.lost += 1,
        }
    }
    asked.slow = client.slow;
    asked
}

fn order(address: SocketAddr, stop: &AtomicBool, next: &AtomicUsize) -> Asked {
    let mut client = Client::new(address);
    let mut asked = Asked::default();
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let answered = client.send(&format!(
            "POST /order/{number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        ));
        asked.orders.insert(number, answered);
    }
    asked.slow = client.slow;
    asked
}

struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    slow: usize,
}

impl Client {
    fn new(address: SocketAddr) -> Client {
        Client {
            address,
            connection: None,
            slow: 0,
        }
    }

    /// Sends a request, and returns whether the answer has come. If not, it has no connection after it.
    /// Then it waits for a moment.
    fn send(&mut self, request: &str) -> bool {
        let start = Instant::now();
        let answered = self.answer(request);
        self.slow += usize::from(answered && start.elapsed() > SLOW);
        thread::sleep(PAUSE);
        answered
    }

    fn answer(&mut self, request: &str) -> bool {
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => connect(self.address),
        };
        let answer = connection.and_then(|mut connection| {
            let stays = answer(&mut connection, request)?;
            Ok(stays.then_some(connection))
        });
        match answer {
            Ok(connection) => {
                self.connection = connection;
                true
            }
            Err(_) => false,
        }
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    Ok(BufReader::new(stream))
}

/// Sends a request, reads the whole answer, and returns whether the connection stays. An answer with
/// another status than 200 is an error.
fn answer(connection: &mut BufReader<TcpStream>, request: &str) -> io::Result<bool> {
    connection.get_mut().write_all(request.as_bytes())?;
    let mut line = String::new();
    connection.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200 ") {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let (mut length, mut stays) = (0, true);
    while line != "\r\n" {
        line.clear();
        if connection.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        // A proxy writes the names in its own way.
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", number)) => length = number.parse().unwrap_or(0),
            Some(("connection", "close")) => stays = false,
            _ => {}
        }
    }
    match io::copy(&mut connection.by_ref().take(length), &mut io::sink())? {
        whole if whole == length => Ok(stays),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}
