// ANCHOR: uses
//! The one thread that waits for everybody.

use crate::{
    accept::{after, Next},
    connection::{Connection, Needs},
    conversation::Phase,
    errors::{report, ServerError},
    lender::Lender,
    request::Request,
    response::Response,
    server::{from_now, Limits, WORKERS},
    ThreadPool, Unfinished,
};
use mio::{
    net::{TcpListener, TcpStream},
    unix::SourceFd,
    Events, Interest, Poll, Token, Waker,
};
use nix::sys::resource::{getrlimit, Resource};
use std::{
    collections::{BTreeSet, HashMap},
    io::{self, ErrorKind},
    mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: event_loop
/// What makes the response to a request.
pub type Pages = dyn Fn(&Request) -> Response + Send + Sync;

/// Everybody who is waited for.
pub struct EventLoop {
    poll: Poll,
    events: Events,
    limits: Limits,
    pages: Arc<Pages>,
    /// When to ask the listener for a connection, if somebody may be there.
    ask: Option<Instant>,
    /// Somebody has come since the listener was last found empty.
    somebody: bool,
    /// Nobody more can be accepted until one has gone.
    is_full: bool,
    /// When the grace is over. There is none until the server is asked to stop.
    grace: Option<Instant>,
    /// The workers are told of it, too: from then on, each response is the last of its connection.
    stops: Arc<AtomicBool>,
    late: usize,
    /// Those of which something is expected, and until when.
    waiting: HashMap<Token, Connection>,
    deadlines: BTreeSet<(Instant, Token)>,
    /// Those that workers have.
    lender: Lender<(Token, Connection)>,
    /// The number of the next connection.
    next: usize,
    buffer: Vec<u8>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);
const WORKER: Token = Token(2);
// ANCHOR_END: event_loop

// ANCHOR: wait
impl EventLoop {
    /// Waits until something can be done, but not beyond `until`, and does it.
    pub fn turn(&mut self, until: Option<Instant>) -> io::Result<()> {
        let first = self.deadlines.first().map(|(deadline, _)| *deadline);
        let until = [first, until].into_iter().flatten().min();
        // On some systems, a wait is no longer than 24 days.
        let left = until.map(|until| until.saturating_duration_since(Instant::now()).min(DAY));
        // Before it sleeps, others run once: one call tells of all that they have done.
        thread::yield_now();
        match self.poll.poll(&mut self.events, left) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            done => done?,
        }
        // ANCHOR_END: wait

        // ANCHOR: events
        let (mut ready, mut stop) = (Vec::new(), false);
        for event in &self.events {
            match event.token() {
                LISTENER => (self.ask, self.somebody) = (Some(Instant::now()), true),
                STOP => stop = true,
                WORKER => {} // it has given something back
                client => ready.push(client),
            }
        }
        if stop {
            self.stop();
            self.ask = Some(Instant::now()); // once more
        }
        // ANCHOR_END: events

        // ANCHOR: ready
        // No more than were away: what comes back meanwhile has to wait for its turn.
        for _ in 0..self.lender.lent() {
            let Some((token, connection)) = self.lender.take_back() else {
                break;
            };
            self.go_on(token, connection);
        }
        for token in ready {
            // There is none if a worker has it: it is looked at when it comes back.
            if let Some(connection) = self.take(token) {
                self.go_on(token, connection);
            }
        }
        while let Some((deadline, token)) = self.deadlines.first().copied() {
            if deadline > Instant::now() {
                break;
            }
            // Once more: it may be ready, and not among those that this turn was told of.
            if let Some(connection) = self.take(token) {
                self.go_on(token, connection);
            }
            if !self.deadlines.contains(&(deadline, token)) {
                continue;
            }
            if let Some(mut connection) = self.take(token) {
                connection.time_is_over();
                self.go_on(token, connection);
            }
        }
        Ok(())
    }
    // ANCHOR_END: ready

    // ANCHOR: go_on
    fn take(&mut self, token: Token) -> Option<Connection> {
        let connection = self.waiting.remove(&token)?;
        self.deadlines.remove(&(connection.deadline(), token));
        Some(connection)
    }

    fn go_on(&mut self, token: Token, mut connection: Connection) {
        let limits = self.limits;
        let stops = self.grace.is_some();
        if stops {
            connection.stop();
        }
        let deadline = |phase| match phase {
            Phase::Receiving => from_now(limits.head),
            Phase::Sending => from_now(limits.response),
            Phase::Idle if stops => from_now(limits.idle.min(limits.linger)),
            Phase::Idle => from_now(limits.idle),
            _ => from_now(Duration::from_secs(1)), // for a goodbye
        };
        let has_place = match connection.go_on(&mut self.buffer, deadline) {
            Needs::Client(deadline) => {
                let is_idle = connection.phase() == Phase::Idle;
                self.deadlines.insert((deadline, token));
                self.waiting.insert(token, connection);
                is_idle
            }
            Needs::Worker(request) => {
                let (pages, stops) = (Arc::clone(&self.pages), Arc::clone(&self.stops));
                let work = move |(_, connection): &mut (Token, Connection)| {
                    connection.begin();
                    let response = pages(&request);
                    if stops.load(Ordering::SeqCst) {
                        connection.stop();
                    }
                    connection.respond(response);
                };
                self.lender.lend((token, connection), work);
                false
            }
            Needs::Nothing => {
                drop(connection);
                true
            }
        };
        // Somebody may be waiting for that.
        if has_place && mem::take(&mut self.is_full) {
            self.ask = Some(Instant::now());
        }
    }
}
// ANCHOR_END: go_on

// ANCHOR: accept
/// How many are accepted before others get their turn.
const AT_ONCE: usize = 128;

/// More than a queue of the system holds. If that many come after the grace, the
/// server does not count the rest.
const MOST_LATE: usize = 10_000;

impl EventLoop {
    /// Accepts those who are there.
    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        for _ in 0..AT_ONCE {
            // At the end, everyone is let in who is in the queue of the system.
            let is_open = self.grace.is_none();
            let connections = self.waiting.len() + self.lender.lent();
            let is_full = is_open && connections >= self.limits.connections;
            if is_full && self.longest_idle().is_none() {
                (self.is_full, self.ask) = (true, None);
                return Ok(());
            }
            // Whoever is in the queue when the grace ends is cut off, too, and
            // counted.
            let is_late = self.grace.is_some_and(|grace| grace <= Instant::now());
            self.late += usize::from(is_late);
            let error = match listener.accept() {
                Ok(_) if self.late > MOST_LATE => {
                    self.ask = None;
                    return Ok(());
                }
                Ok((stream, _)) => {
                    if is_full {
                        self.close_idle();
                    }
                    self.welcome(stream);
                    continue;
                }
                Err(error) => error,
            };
            match after(&error) {
                Next::AtOnce => {}
                Next::WhenOneComes => {
                    (self.ask, self.somebody) = (None, false);
                    return Ok(());
                }
                // With no file left, this is the error also if nobody is there.
                Next::AfterAPause if !self.somebody => {
                    self.ask = None;
                    return Ok(());
                }
                // Waiting would not help, or is over. Whoever is in the queue is lost.
                Next::AfterAPause if is_late || self.grace.is_some() && self.is_alone() => {
                    return Err(error);
                }
                Next::AfterAPause if self.close_idle() => {}
                Next::AfterAPause => {
                    report(&ServerError::Accept(error));
                    self.ask = Some(Instant::now() + Duration::from_millis(100));
                    return Ok(());
                }
                Next::Never => return Err(error),
            }
        }
        Ok(())
    }
    // ANCHOR_END: accept

    // ANCHOR: room
    fn longest_idle(&self) -> Option<Token> {
        let mut tokens = self.deadlines.iter().map(|(_, token)| *token);
        tokens.find(|token| self.waiting[token].phase() == Phase::Idle)
    }

    /// Closes the connection that has been idle for the longest time, if there is one. Its
    /// client has to expect that.
    fn close_idle(&mut self) -> bool {
        let token = self.longest_idle();
        token.and_then(|token| self.take(token)).is_some()
    }
    // ANCHOR_END: room

    // ANCHOR: welcome
    fn welcome(&mut self, mut stream: TcpStream) {
        let token = Token(self.next);
        self.next += 1;
        let both = Interest::READABLE | Interest::WRITABLE;
        match self.poll.registry().register(&mut stream, token, both) {
            Ok(()) => {
                let deadline = from_now(self.limits.head);
                self.go_on(token, Connection::new(stream, deadline));
            }
            Err(error) => report(&ServerError::Accept(error)), // its client is closed
        }
    }
}
// ANCHOR_END: welcome

// ANCHOR: files
/// For how many connections there are descriptors, if each worker may open a file, too.
fn places(listener: &TcpListener) -> io::Result<usize> {
    let (may_be_open, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    // The system gives the lowest one that is free. So all below this one are in use.
    let next = listener.as_fd().try_clone_to_owned()?.as_raw_fd() as u64;
    let left = may_be_open.saturating_sub(next + WORKERS as u64 + 1);
    Ok(usize::try_from(left).unwrap_or(usize::MAX).max(1))
}
// ANCHOR_END: files

// ANCHOR: new
impl EventLoop {
    pub fn new(pool: ThreadPool, limits: Limits, pages: Arc<Pages>) -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WORKER)?;
        let wake = move || {
            // It fails only if there is no one to wake.
            let _ = waker.wake();
        };
        Ok(EventLoop {
            poll,
            events: Events::with_capacity(128),
            limits,
            pages,
            ask: None,
            somebody: false,
            is_full: false,
            grace: None,
            stops: Arc::new(AtomicBool::new(false)),
            late: 0,
            waiting: HashMap::new(),
            deadlines: BTreeSet::new(),
            lender: Lender::new(pool, wake),
            next: 3,
            buffer: vec![0; 16 * 1024],
        })
    }
    // ANCHOR_END: new

    // ANCHOR: serve
    // ANCHOR: listen
    /// Has everything for this listener that serving needs.
    pub fn listen(&mut self, listener: &mut TcpListener) -> io::Result<()> {
        self.limits.connections = self.limits.connections.min(places(listener)?);
        let registry = self.poll.registry();
        registry.register(listener, LISTENER, Interest::READABLE)
    }

    /// Serves until `stop` can be read, and everyone who is connected by then is accepted.
    pub fn serve(&mut self, listener: TcpListener, stop: BorrowedFd) -> io::Result<()> {
        let stop = stop.as_raw_fd();
        let mut stop = SourceFd(&stop);
        let registry = self.poll.registry();
        registry.register(&mut stop, STOP, Interest::READABLE)?;

        while self.grace.is_none() || self.ask.is_some() {
            let until = [self.ask, self.grace].into_iter().flatten().min();
            self.turn(until)?;
            if self.ask.is_some_and(|ask| ask <= Instant::now()) {
                self.accept(&listener)?;
            }
        }
        self.poll.registry().deregister(&mut stop)
    }
    // ANCHOR_END: listen

    // ANCHOR: stop
    fn stop(&mut self) {
        if self.grace.is_none() {
            self.grace = Some(from_now(self.limits.grace));
            self.stops.store(true, Ordering::SeqCst);
            let linger = from_now(self.limits.linger);
            // Who is idle might be about to send a request.
            self.deadlines.clear();
            for (token, connection) in &mut self.waiting {
                connection.stop();
                connection.hurry(linger);
                self.deadlines.insert((connection.deadline(), *token));
            }
        }
    }
    // ANCHOR_END: stop
    // ANCHOR_END: serve

    // ANCHOR: finish
    /// Nobody is connected.
    fn is_alone(&self) -> bool {
        self.lender.lent() + self.waiting.len() == 0
    }

    /// How many have not been answered.
    pub fn left(&self) -> usize {
        let waiting = self.waiting.values();
        let unanswered = waiting.filter(|c| matches!(c.phase(), Phase::Receiving | Phase::Sending));
        self.lender.lent() + unanswered.count()
    }

    /// Serves those who are left, as long as the grace lasts.
    pub fn finish(mut self) -> Result<(), Unfinished> {
        self.stop(); // if nobody has asked it to, it has failed
        let grace = self.grace.unwrap_or_else(Instant::now);
        while !self.is_alone() && Instant::now() < grace {
            if let Err(error) = self.turn(Some(grace)) {
                report(&ServerError::Accept(error));
                break;
            }
        }

        let (unfinished, returned) = self.lender.shutdown(grace);
        let (mut running, mut never_begun) = (unfinished.running, unfinished.never_begun);
        // The pool has counted those that no worker has had.
        let mut counted = never_begun;
        let returned = returned.iter().map(|(_, connection)| connection);
        for connection in self.waiting.values().chain(returned) {
            match connection.phase() {
                Phase::Receiving => never_begun += 1,
                Phase::Answering if counted > 0 => counted -= 1,
                Phase::Answering => running += 1, // it was to get an error
                Phase::Sending if connection.is_unsent() => running += 1,
                Phase::Sending | Phase::Idle | Phase::Leaving | Phase::Closed => {}
            }
        }
        match (running, never_begun) {
            (0, 0) => Ok(()),
            _ => Err(Unfinished {
                running,
                never_begun,
            }),
        }
    }
}
// ANCHOR_END: finish
