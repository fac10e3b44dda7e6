// ANCHOR: uses
//! The server, from its first connection to its last answer.

use crate::{
    errors::{report, ServerError},
    event_loop::{EventLoop, Pages},
    request::Request,
    response::{pages, Response},
    ThreadPool, Unfinished,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::AsFd,
    sync::Arc,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: limits
/// How long the server waits for others, and how many it takes on at a time.
///
/// A time too long for the clock, such as `Duration::MAX`, is taken for a year.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From when a client is accepted until its request is there, with its body. For the
    /// next one on the same connection: from its first byte.
    pub head: Duration,
    /// From the first byte of a response until the system has taken the last, to send it. Of a
    /// file, each piece has that time, which is 64 KiB. Of a client that is slow, the system learns
    /// only in steps that it has room again. So this has to be generous.
    pub response: Duration,
    /// From a response until the next request begins.
    pub idle: Duration,
    /// The same from when the server is asked to stop.
    pub linger: Duration,
    /// From when the server is asked to stop until it does.
    pub grace: Duration,
    /// How many connections are open at a time. For one more, the one that has been idle
    /// for the longest time is closed; if none is idle, the new one has to wait. Each may need two
    /// descriptors, so there are fewer of them if the process may not open as many.
    pub connections: usize,
    /// How many requests wait for a worker at a time. One more is answered with
    /// `503 SERVICE UNAVAILABLE`.
    pub queue: usize,
}

impl Default for Limits {
    /// Five seconds for a request, a minute for a response or a piece, and eight seconds to stop:
    /// whoever asks a program to stop often waits for no more than ten.
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(5),
            response: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            linger: Duration::from_millis(200),
            grace: Duration::from_secs(8),
            connections: 1000,
            queue: 256,
        }
    }
}

/// The point in time that is `time` from now. (If that is too far for the clock:
/// in a year.)
pub fn from_now(time: Duration) -> Instant {
    let now = Instant::now();
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    now.checked_add(time).unwrap_or_else(|| now + year)
}
// ANCHOR_END: limits

// ANCHOR: bind
/// How many workers make pages; and as many read the files that are sent piece by piece.
pub const WORKERS: usize = 4;

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
    pages: Arc<Pages>,
}

impl Server {
    /// Listens at an address and port, such as `127.0.0.1:7878`. For port 0, the system chooses one
    /// that is free.
    ///
    /// # Errors
    ///
    /// [`Listen`](ServerError::Listen), such as when the port is taken or the address is none.
    pub fn bind(address: &str) -> Result<Server, ServerError> {
        let listener = TcpListener::bind(address)
            .map_err(|error| ServerError::Listen(address.to_owned(), error))?;
        Ok(Server::on(listener))
    }

    /// Takes a listener that somebody else has made.
    pub fn on(listener: TcpListener) -> Server {
        Server {
            listener,
            limits: Limits::default(),
            pages: Arc::new(pages),
        }
    }

    /// Has these limits, in place of the [default](Limits::default).
    pub fn with_limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// Answers with these pages, in place of the server's own. They are made by the
    /// pool's workers, several at the same time. If one panics, its client gets
    /// `500 INTERNAL SERVER ERROR`. `405 METHOD NOT ALLOWED` is always sent with
    /// `Allow: GET, HEAD`, whatever the pages allow.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::{Response, Server};
    ///
    /// let server = Server::bind("127.0.0.1:0")?;
    /// let server = server.with_pages(|request| {
    ///     Response::html("200 OK", format!("<p>This is {}.</p>", request.path))
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_pages<F>(mut self, pages: F) -> Server
    where
        F: Fn(&Request) -> Response + Send + Sync + 'static,
    {
        self.pages = Arc::new(pages);
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

// ANCHOR: ready
/// A server for which everything is there that it needs.
#[must_use]
pub struct Ready {
    listener: mio::net::TcpListener,
    everybody: EventLoop,
}

impl Server {
    /// Starts the workers, and whatever else may fail. From then on, somebody else who listens on
    /// the same socket may stop.
    ///
    /// # Errors
    ///
    /// [`Pool`](ServerError::Pool), and [`Accept`](ServerError::Accept) if the system does not let it
    /// wait for connections.
    ///
    /// # Examples
    ///
    /// ```
    /// use hello::Server;
    /// use std::{net::TcpListener, os::unix::net::UnixStream};
    ///
    /// let socket = TcpListener::bind("127.0.0.1:0")?;
    /// let (asked, ask) = UnixStream::pair()?;
    ///
    /// // Two servers on one socket. The second one is ready before the first one stops.
    /// let old = Server::on(socket.try_clone()?).ready()?;
    /// let new = Server::on(socket).ready()?;
    /// drop(ask);
    /// assert_eq!(old.run(&asked)?.finish(), Ok(()));
    /// assert_eq!(new.run(&asked)?.finish(), Ok(()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ready(self) -> Result<Ready, ServerError> {
        self.listener
            .set_nonblocking(true)
            .map_err(ServerError::Accept)?;
        let mut listener = mio::net::TcpListener::from_std(self.listener);
        let pages = ThreadPool::bounded(WORKERS, self.limits.queue).map_err(ServerError::Pool)?;
        // A connection waits for one piece at a time, so no more wait than are connected.
        let pieces = ThreadPool::build(WORKERS).map_err(ServerError::Pool)?;
        let mut everybody = EventLoop::new([pages, pieces], self.limits, self.pages)
            .map_err(ServerError::Accept)?;
        everybody
            .listen(&mut listener)
            .map_err(ServerError::Accept)?;
        Ok(Ready {
            listener,
            everybody,
        })
    }

    /// Gets [ready](Server::ready), and [runs](Ready::run).
    ///
    /// # Errors
    ///
    /// Those of both.
    pub fn run(self, stop: impl AsFd) -> Result<Draining, ServerError> {
        self.ready()?.run(stop)
    }
}
// ANCHOR_END: ready

// ANCHOR: run
impl Ready {
    /// Serves until `stop` can be read. Then everyone who is connected by now
    /// is accepted, and nobody who comes later: the listener is closed.
    ///
    /// # Errors
    ///
    /// [`Accept`](ServerError::Accept) if no connection can be accepted any more. Those that were
    /// accepted have their answers when this returns, or the grace is over.
    pub fn run(mut self, stop: impl AsFd) -> Result<Draining, ServerError> {
        // The listener is closed when this returns.
        let served = self.everybody.serve(self.listener, stop.as_fd());
        let draining = Draining {
            everybody: self.everybody,
        };
        if let Err(error) = served {
            if let Err(unfinished) = draining.finish() {
                report(&unfinished);
            }
            return Err(ServerError::Accept(error));
        }
        Ok(draining)
    }
}
// ANCHOR_END: run

// ANCHOR: draining
/// A server that has closed its listener, and answers those whom it has accepted.
/// If this is dropped, it answers only those whose request is with a worker.
#[must_use]
pub struct Draining {
    everybody: EventLoop,
}

impl Draining {
    /// How many connections have not been answered yet.
    pub fn unanswered(&self) -> usize {
        self.everybody.left()
    }

    /// Waits until all are answered, or the grace is over.
    ///
    /// # Errors
    ///
    /// If the grace is over. All connections are closed then, but for those that a worker
    /// is busy with: to these, it sends what their clients take at once.
    pub fn finish(self) -> Result<(), Unfinished> {
        self.everybody.finish()
    }
}
// ANCHOR_END: draining
