// ANCHOR: uses
//! The server, from its first connection to its last answer.

use crate::{
    accept::{after, Next},
    errors::{report, ServerError},
    response::handle_connection,
    ThreadPool,
};
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::Errno,
};
use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    sync::Arc,
    thread,
    time::Duration,
};
// ANCHOR_END: uses

// ANCHOR: bind
/// A server that listens.
///
/// # Examples
///
/// ```
/// use hello::Server;
/// use std::os::unix::net::UnixStream;
///
/// let (asked, ask) = UnixStream::pair()?;
/// let server = Server::bind("127.0.0.1:0")?;
///
/// drop(ask); // the other end can be read now: there is nothing more to come
/// let draining = server.run(asked)?;
///
/// assert_eq!(draining.unanswered(), 0);
/// draining.finish();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    listener: TcpListener,
    pool: ThreadPool,
    /// There is one more of these for each connection that has not been answered.
    unanswered: Arc<()>,
}

impl Server {
    /// Listens at an address and port, such as `127.0.0.1:7878`. For port 0, the system chooses one
    /// that is free.
    ///
    /// # Errors
    ///
    /// [`Listen`](ServerError::Listen), such as when the port is taken or the address is none, and
    /// [`Pool`](ServerError::Pool).
    pub fn bind(address: &str) -> Result<Server, ServerError> {
        let listener = TcpListener::bind(address)
            .map_err(|error| ServerError::Listen(address.to_owned(), error))?;
        Server::on(listener)
    }

    /// Takes a listener that somebody else has made.
    ///
    /// # Errors
    ///
    /// [`Pool`](ServerError::Pool).
    pub fn on(listener: TcpListener) -> Result<Server, ServerError> {
        Ok(Server {
            listener,
            pool: ThreadPool::build(4).map_err(ServerError::Pool)?,
            unanswered: Arc::new(()),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
// ANCHOR_END: bind

// ANCHOR: run
impl Server {
    /// Serves until `stop` can be read. Then everyone who is connected by now
    /// is accepted, and nobody who comes later: the listener is closed.
    ///
    /// # Errors
    ///
    /// If no connection can be accepted any more. Those that were accepted
    /// have their answers when this returns.
    pub fn run(mut self, stop: impl AsFd) -> Result<Draining, ServerError> {
        // `accept` is never to wait: `wait` does that, and it hears `stop`.
        self.listener
            .set_nonblocking(true)
            .map_err(ServerError::Accept)?;

        let mut stopping = false;
        loop {
            let [somebody, stop] =
                wait(&self.listener, &stop, stopping).map_err(ServerError::Accept)?;
            stopping |= stop;
            if stopping && !somebody {
                break;
            }

            // Each answer that was sent has given back what its connection used.
            let all_given_back = Arc::get_mut(&mut self.unanswered).is_some();
            let error = match self.listener.accept() {
                Ok((stream, _)) => {
                    self.answer(stream);
                    continue;
                }
                Err(error) => error,
            };
            match after(&error) {
                Next::AtOnce | Next::WhenOneComes => {}
                // Waiting would not help. Whoever is in the queue is lost.
                Next::AfterAPause if stopping && all_given_back => {
                    return Err(ServerError::Accept(error));
                }
                Next::AfterAPause => {
                    report(&ServerError::Accept(error));
                    thread::sleep(Duration::from_millis(100));
                }
                Next::Never => return Err(ServerError::Accept(error)),
            }
        }

        drop(self.listener);
        Ok(Draining {
            pool: self.pool,
            unanswered: self.unanswered,
        })
    }

    fn answer(&self, stream: TcpStream) {
        let unanswered = Arc::clone(&self.unanswered);
        self.pool.execute(move || {
            // On some systems, it does not wait if its listener did not.
            if stream.set_nonblocking(false).is_ok() {
                handle_connection(stream);
            }
            drop(unanswered);
        });
    }
}
// ANCHOR_END: run

// ANCHOR: wait
/// Waits until there may be somebody to accept, or `stop` can be read; or only
/// looks. Says which of the two it is.
fn wait(listener: &TcpListener, stop: &impl AsFd, only_look: bool) -> io::Result<[bool; 2]> {
    let mut both = [
        PollFd::new(listener, PollFlags::IN),
        PollFd::new(stop, PollFlags::IN),
    ];
    let no_time = Timespec::default();
    loop {
        match poll(&mut both, only_look.then_some(&no_time)) {
            Ok(_) => return Ok(both.each_ref().map(|one| !one.revents().is_empty())),
            Err(Errno::INTR) => {} // a handler has run: look once more
            Err(error) => return Err(error.into()),
        }
    }
}
// ANCHOR_END: wait

// ANCHOR: draining
/// A server that has closed its listener, and answers those whom it has accepted.
pub struct Draining {
    pool: ThreadPool,
    unanswered: Arc<()>,
}

impl Draining {
    /// How many connections have not been answered yet.
    pub fn unanswered(&self) -> usize {
        Arc::strong_count(&self.unanswered) - 1
    }

    /// Waits until all are answered.
    pub fn finish(self) {
        drop(self.pool);
    }
}
// ANCHOR_END: draining
