//! Clients that ask again and again, and count.

use super::super::linger::{ask, connect};
use std::{
    io::{self, prelude::*, ErrorKind},
    net::{SocketAddr, TcpStream},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// No answer takes so long.
const DEADLINE: Duration = Duration::from_secs(20);

/// What became of requests.
#[derive(Default)]
pub(in crate::bench) struct Answers {
    pub answered: usize,
    /// Nobody listened.
    pub refused: usize,
    /// The client was connected, and has no whole answer.
    pub lost: usize,
}

pub(in crate::bench) struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Answers>>,
}

impl Clients {
    /// So many clients, each of which asks for a page as soon as it has got one, on a connection of
    /// its own.
    pub(in crate::bench) fn start(number: usize, address: SocketAddr) -> Clients {
        Clients::each(number, || move || request(address, "/"))
    }

    /// The same with a server whose connections stay: each client keeps its own as long as the server
    /// does, or asks it to close each one.
    pub(in crate::bench) fn start_with(stay: bool, number: usize, address: SocketAddr) -> Clients {
        let header = if stay { "" } else { "Connection: close\r\n" };
        Clients::each(number, || {
            let mut kept = None;
            move || {
                let connection = kept.take().map_or_else(|| connect(address), Ok);
                let mut connection = connection?;
                let stays = ask(&mut connection, header)?;
                kept = Some(connection).filter(|_| stays);
                Ok(())
            }
        })
    }

    /// So many threads, each of which does again and again what is made for it.
    fn each<F>(number: usize, make: impl Fn() -> F) -> Clients
    where
        F: FnMut() -> io::Result<()> + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |_| {
            let (stop, mut request) = (Arc::clone(&stop), make());
            thread::spawn(move || {
                let mut answers = Answers::default();
                while !stop.load(Ordering::Relaxed) {
                    match request() {
                        Ok(()) => answers.answered += 1,
                        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                            answers.refused += 1;
                            thread::sleep(Duration::from_millis(1)); // nobody listens just now
                        }
                        Err(_) => answers.lost += 1,
                    }
                }
                answers
            })
        };
        let threads = (0..number).map(client).collect();
        Clients { stop, threads }
    }

    pub(in crate::bench) fn stop(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Answers::default();
        for thread in self.threads {
            let answers = thread.join().expect("a client does not panic");
            all.answered += answers.answered;
            all.refused += answers.refused;
            all.lost += answers.lost;
        }
        all
    }
}

/// Sends a request and reads the whole answer.
pub(super) fn request(address: SocketAddr, path: &str) -> io::Result<()> {
    read(send(address, path)?)
}

pub(in crate::bench) fn send(address: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
    Ok(stream)
}

pub(super) fn read(mut stream: TcpStream) -> io::Result<()> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.starts_with("HTTP/1.1 200 ") {
        true => Ok(()),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}
