//! Many clients that do next to nothing.

use super::stopping::clients::send;
use anyhow::{Context, Result};
use rustix::process::{getrlimit, setrlimit, Resource};
use std::{
    io::{self, prelude::*},
    net::{SocketAddr, TcpStream},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Files that a process needs besides its connections.
const OTHER_FILES: u64 = 100;

/// Allows this process, and those that it starts, as many open files as the system lets it, and
/// returns how many of them may be connections.
///
/// # Errors
///
/// When the system does not allow what it said that it would.
pub(super) fn allow_files() -> Result<usize> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("cannot have as many files open as allowed")?;
    Ok(for_connections(limit.maximum))
}

fn for_connections(files: Option<u64>) -> usize {
    let left = files.map(|files| files.saturating_sub(OTHER_FILES));
    left.and_then(|left| left.try_into().ok())
        .unwrap_or(usize::MAX)
}

/// So many clients that have had an answer each, and keep their connections.
///
/// They come one after the other. If some come at once, `tiny_http` may have one of them wait for
/// the thread of another, and so until that one leaves.
///
/// # Errors
///
/// When one cannot connect, or is not answered.
pub(super) fn idle(number: usize, address: SocketAddr) -> Result<Vec<TcpStream>> {
    let client = |number| {
        let client = answered(address);
        client.with_context(|| format!("client {number} of the idle ones is not answered"))
    };
    (1..=number).map(client).collect()
}

/// A client that has had an answer.
fn answered(address: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = send(address, "/")?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    while !answer.ends_with(END) {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(stream)
}

/// What the page ends with.
const END: &[u8] = b"</p>\n";

/// Clients that send a request, a byte a second.
pub(super) struct Slow {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<()>>,
}

/// This is what they send first; then a name that never ends.
const BEGIN: &[u8] = b"GET / HTTP/1.1\r\nX-";

impl Slow {
    /// So many. Returns when they are connected.
    ///
    /// # Errors
    ///
    /// When one cannot connect.
    pub(super) fn start(number: usize, address: SocketAddr) -> Result<Slow> {
        let client = |_| Slow::client(address);
        let mut clients: Vec<_> = (0..number)
            .map(client)
            .collect::<io::Result<_>>()
            .context("a slow client cannot connect")?;
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let send = move || {
            while !is_over.load(Ordering::Relaxed) {
                // One after the other, so that there is always one that sends.
                let turn = Instant::now();
                for (index, client) in clients.iter_mut().enumerate() {
                    let due = turn + Duration::from_secs(1) * index as u32 / number as u32;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    if client.write_all(b"x").is_err() {
                        *client = Slow::client(address)?; // the server had enough of the last one
                    }
                }
            }
            Ok(())
        };
        let thread = thread::spawn(send);
        Ok(Slow { stop, thread })
    }

    fn client(address: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(BEGIN)?;
        Ok(stream)
    }

    /// They leave.
    ///
    /// # Errors
    ///
    /// When one could not come back that the server had turned away.
    pub(super) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let sent = self.thread.join().expect("a client does not panic");
        sent.context("a slow client cannot connect again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn some_files_are_no_connections() {
        assert_eq!(for_connections(Some(20_000)), 19_900);
        assert_eq!(for_connections(Some(50)), 0);
        assert_eq!(for_connections(None), usize::MAX);
    }

    #[test]
    fn whoever_is_not_answered_is_not_idle() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for end in ["</p>\n", "</p>"] {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(end.as_bytes()).unwrap();
            }
        });
        let error = idle(2, address).unwrap_err();
        assert_eq!(
            error.to_string(),
            "client 2 of the idle ones is not answered"
        );
        server.join().unwrap();
    }
}
