// ANCHOR: uses
//! The server, from its first connection to its last answer.

use crate::{
    accept::{after, Next},
    errors::{report, ServerError},
    in_time::from_now,
    response::handle_connection,
    ThreadPool, Unfinished,
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
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: limits
/// How long the server waits for others.
///
/// A time too long for the clock, such as `Duration::MAX`, is taken for a year.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From when a client is accepted until its request is there, to the end
    /// of its headers.
    pub head: Duration,
    /// From the first byte of a response until the client has taken the last.
    pub response: Duration,
    /// From when the server is asked to stop until it does.
    pub grace: Duration,
}

impl Default for Limits {
    /// Five seconds for a request, ten for a response, and eight to stop: whoever
    /// asks a program to stop often waits for no more than ten.
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(5),
            response: Duration::from_secs(10),
            grace: Duration::from_secs(8),
        }
    }
}
// ANCHOR_END: limits

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
/// assert_eq!(draining.finish(), Ok(()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    listener: TcpListener,
    limits: Limits,
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
            limits: Limits::default(),
            pool: ThreadPool::build(4).map_err(ServerError::Pool)?,
            unanswered: Arc::new(()),
        })
    }

    /// Waits for others so long, in place of the [default](Limits::default).
    pub fn with_limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
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
/// More than a queue of the system holds. If that many come after the grace, the
/// server does not count the rest.
const MOST_LATE: usize = 10_000;

impl Server {
    /// Serves until `stop` can be read. Then everyone who is connected by now
    /// is accepted, and nobody who comes later: the listener is closed.
    ///
    /// # Errors
    ///
    /// If no connection can be accepted any more. Those that were accepted
    /// have their answers when this returns, or the grace is over.
    pub fn run(mut self, stop: impl AsFd) -> Result<Draining, ServerError> {
        // `accept` is never to wait: `wait` does that, and it hears `stop`.
        self.listener
            .set_nonblocking(true)
            .map_err(ServerError::Accept)?;

        // The server has this once it is asked to stop.
        let mut deadline: Option<Instant> = None;
        let mut late = 0;
        let deadline = loop {
            let [somebody, stop] = match wait(&self.listener, &stop, deadline.is_some()) {
                Ok(both) => both,
                Err(error) => return self.fail(error, deadline),
            };
            if stop && deadline.is_none() {
                deadline = Some(from_now(self.limits.grace));
            }
            if let Some(deadline) = deadline {
                // Whoever is in the queue when the grace ends is cut off, too. In
                // the pool's queue, they are counted.
                late += usize::from(deadline <= Instant::now());
                if !somebody || late > MOST_LATE {
                    break deadline;
                }
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
                // Waiting would not help, or is over. Whoever is in the queue is lost.
                Next::AfterAPause if late > 0 || deadline.is_some() && all_given_back => {
                    return self.fail(error, deadline);
                }
                Next::AfterAPause => {
                    report(&ServerError::Accept(error));
                    thread::sleep(Duration::from_millis(100));
                }
                Next::Never => return self.fail(error, deadline),
            }
        };

        drop(self.listener);
        Ok(Draining {
            deadline,
            pool: self.pool,
            unanswered: self.unanswered,
        })
    }
}
// ANCHOR_END: run

// ANCHOR: answer
impl Server {
    fn answer(&self, stream: TcpStream) {
        let limits = self.limits;
        // From now on, and not from when a worker is free: while it waits in
        // the queue, a client has time to send its request.
        let head = from_now(limits.head);
        let unanswered = Arc::clone(&self.unanswered);
        self.pool.execute(move || {
            // `InTime` waits for it, and it does not wait itself.
            if stream.set_nonblocking(true).is_ok() {
                handle_connection(stream, head, limits.response);
            }
            drop(unanswered);
        });
    }

    /// Stops, since nobody can be accepted any more.
    fn fail(self, error: io::Error, deadline: Option<Instant>) -> Result<Draining, ServerError> {
        drop(self.listener);
        let deadline = deadline.unwrap_or_else(|| from_now(self.limits.grace));
        if let Err(unfinished) = self.pool.shutdown(deadline) {
            report(&unfinished);
        }
        Err(ServerError::Accept(error))
    }
}
// ANCHOR_END: answer

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
/// If this is dropped, it does so without a deadline.
#[must_use]
pub struct Draining {
    deadline: Instant,
    pool: ThreadPool,
    unanswered: Arc<()>,
}

impl Draining {
    /// How many connections have not been answered yet.
    pub fn unanswered(&self) -> usize {
        Arc::strong_count(&self.unanswered) - 1
    }

    /// Waits until all are answered, or the grace is over.
    ///
    /// # Errors
    ///
    /// If the grace is over. The connections that no worker has looked at are
    /// closed.
    pub fn finish(self) -> Result<(), Unfinished> {
        self.pool.shutdown(self.deadline)
    }
}
// ANCHOR_END: draining
