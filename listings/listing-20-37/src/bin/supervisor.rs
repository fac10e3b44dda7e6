// ANCHOR: uses
//! Holds the socket, and starts one server after the other that listens on it.

use hello::{report, tell, ServerError};
use nix::{
    sys::signal::{kill, Signal},
    unistd::Pid,
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use std::{
    env,
    error::Error,
    ffi::OsString,
    io::{self, prelude::*, BufReader},
    mem,
    net::TcpListener,
    num::NonZeroU32,
    os::{
        fd::OwnedFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitCode, ExitStatus},
    sync::mpsc::{self, Sender},
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: supervisor
struct Supervisor {
    /// There is none once it is asked to stop.
    listener: Option<TcpListener>,
    /// What to start, and its arguments.
    program: Vec<OsString>,
    /// How long a server may take until it is ready.
    within: Duration,
    /// Those that have not ended.
    servers: Vec<Server>,
    /// How many have been started.
    started: u32,
    /// Whether one of them has been ready.
    has_served: bool,
    /// When to start the next one.
    next: Option<Instant>,
    /// How long to wait before that if one has failed.
    pause: Duration,
    /// What to end with.
    status: ExitCode,
    /// Where it is told that a server is ready.
    events: Sender<Event>,
}

/// A server, which is a process of its own.
struct Server {
    number: u32,
    child: Child,
    state: State,
    /// Somebody may be connected to it.
    has_served: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// It has to be ready by then.
    Starting(Instant),
    /// It is ready since then.
    Serving(Instant),
    /// It has been asked to stop, or has been killed.
    Stopping,
}

/// What the supervisor waits for.
enum Event {
    Signal(i32),
    /// The server with this number is ready.
    Ready(u32),
}
// ANCHOR_END: supervisor

// ANCHOR: start
impl Supervisor {
    /// Starts a server, and gives it the socket.
    fn start(&mut self, listener: TcpListener) -> io::Result<()> {
        let (number, events) = (self.started + 1, self.events.clone());
        let (output, its_output) = io::pipe()?;
        // Before the server: if there can be no thread, nothing has to be undone.
        thread::Builder::new().spawn(move || {
            let (mut output, mut line) = (BufReader::new(output), Vec::new());
            let read = output.by_ref().take(64).read_until(b'\n', &mut line);
            if read.is_ok() && line == b"ready\n" {
                let _ = events.send(Event::Ready(number)); // an error: it is too late
                line.clear();
            }
            // What else it prints is for others.
            let _ = io::copy(&mut line.chain(output), &mut io::stdout());
        })?;

        let child = Command::new(&self.program[0])
            .args(&self.program[1..])
            .stdin(OwnedFd::from(listener))
            .stdout(its_output)
            .process_group(0) // Ctrl-C is for the supervisor
            .spawn()?;
        self.started = number;
        self.servers.push(Server {
            number,
            child,
            state: State::Starting(Instant::now() + self.within),
            has_served: false,
        });
        Ok(())
    }
    // ANCHOR_END: start

    // ANCHOR: ready
    /// A server is ready: the one before it is asked to stop.
    fn is_ready(&mut self, number: u32) {
        let is_new = |s: &&mut Server| s.number == number && s.is_starting();
        let Some(new) = self.servers.iter_mut().find(is_new) else {
            return; // it was too late
        };
        new.state = State::Serving(Instant::now());
        new.has_served = true;
        self.has_served = true;
        tell(format_args!("server {number} is ready"));
        for server in &mut self.servers {
            if server.number != number && server.is_serving() {
                tell(format_args!("server {} is asked to stop", server.number));
                server.ask_to_stop();
            }
        }
    }
    // ANCHOR_END: ready

    // ANCHOR: go_on
    /// Does what is to be done by now.
    fn go_on(&mut self) {
        let now = Instant::now();
        let is_late = |s: &&mut Server| matches!(s.state, State::Starting(by) if by <= now);
        if let Some(server) = self.servers.iter_mut().find(is_late) {
            let (number, within) = (server.number, self.within);
            tell(format_args!(
                "error: server {number} is not ready after {within:?}, and is killed"
            ));
            server.kill();
            self.has_failed();
        }

        // One at a time. A wish for one more waits until then.
        let is_time = self.next.is_some_and(|next| next <= now);
        if is_time && !self.servers.iter().any(Server::is_starting) {
            self.next = None;
            let listener = self.listener.as_ref().map(TcpListener::try_clone);
            if let Some(Err(error)) = listener.map(|listener| self.start(listener?)) {
                let program = self.program[0].display();
                tell(format_args!("error: cannot start {program}: {error}"));
                self.has_failed();
            }
        }
    }

    /// How long nothing is to be done, if nothing happens.
    fn until_then(&self) -> Duration {
        let starting = self.servers.iter().find_map(|s| match s.state {
            State::Starting(until) => Some(until),
            _ => None,
        });
        match starting.or(self.next) {
            Some(then) => then.saturating_duration_since(Instant::now()),
            None => Duration::from_secs(24 * 60 * 60),
        }
    }
    // ANCHOR_END: go_on

    // ANCHOR: failed
    /// A server has failed. As long as another one serves, nothing is lost.
    fn has_failed(&mut self) {
        let is_left = self.servers.iter().any(|s| s.state != State::Stopping);
        if is_left || self.listener.is_none() {
            return;
        }
        if !self.has_served {
            // It would fail the next time, too.
            (self.status, self.next) = (ExitCode::FAILURE, None);
            return;
        }
        let pause = self.pause;
        tell(format_args!("another one is started after {pause:?}"));
        self.next = Some(Instant::now() + pause);
        self.pause = (pause * 2).min(LONGEST_PAUSE);
    }
    // ANCHOR_END: failed

    // ANCHOR: ended
    /// Looks which servers have ended.
    fn look(&mut self) -> io::Result<()> {
        let mut ended = Vec::new();
        for mut server in mem::take(&mut self.servers) {
            match server.child.try_wait()? {
                Some(status) => ended.push((server, status)),
                None => self.servers.push(server),
            }
        }
        for (server, status) in ended {
            self.has_ended(server, status);
        }
        Ok(())
    }

    fn has_ended(&mut self, server: Server, status: ExitStatus) {
        let number = server.number;
        tell(format_args!("server {number} has ended: {status}"));
        match server.state {
            State::Starting(_) => self.has_failed(),
            State::Serving(since) => {
                if since.elapsed() >= LONGEST_PAUSE {
                    self.pause = SHORTEST_PAUSE;
                }
                self.has_failed();
            }
            // One that was still starting has cut nobody off.
            State::Stopping if self.listener.is_none() && server.has_served => {
                let killed = || status.signal().map(|signal| 128 + signal);
                let code = status.code().or_else(killed);
                match code.and_then(|code| u8::try_from(code).ok()) {
                    Some(0) => {}
                    Some(code) => self.status = code.into(),
                    None => self.status = ExitCode::FAILURE,
                }
            }
            State::Stopping => {}
        }
    }
    // ANCHOR_END: ended

    // ANCHOR: stop
    /// Asks all servers to stop. The second time, those that have been asked are killed.
    fn stop(&mut self) {
        // First of all: whoever comes once no server listens is to be refused.
        let is_first = self.listener.take().is_some();
        self.next = None;
        for server in &mut self.servers {
            if server.state != State::Stopping {
                server.ask_to_stop();
            } else if !is_first {
                server.kill();
            }
        }
    }
}
// ANCHOR_END: stop

// ANCHOR: pauses
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
// ANCHOR_END: pauses

// ANCHOR: server
impl Server {
    fn is_starting(&self) -> bool {
        matches!(self.state, State::Starting(_))
    }

    fn is_serving(&self) -> bool {
        matches!(self.state, State::Serving(_))
    }

    fn ask_to_stop(&mut self) {
        self.state = State::Stopping;
        // Until we have waited for its end, no other process gets its number.
        let id = Pid::from_raw(self.child.id().cast_signed());
        if let Err(error) = kill(id, Signal::SIGTERM) {
            report(&error);
        }
    }

    fn kill(&mut self) {
        self.state = State::Stopping;
        if let Err(error) = self.child.kill() {
            report(&error);
        }
    }
}
// ANCHOR_END: server

// ANCHOR: main
fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let (within, rest) = match arguments.as_slice() {
        [option, seconds, rest @ ..] if option == "--within" => (seconds.to_str(), rest),
        rest => (Some("10"), rest),
    };
    let within = within.and_then(|seconds| seconds.parse::<NonZeroU32>().ok());
    let (Some(within), [address, program @ ..]) = (within, rest) else {
        return usage();
    };
    let (Some(address), [_, ..]) = (address.to_str(), program) else {
        return usage();
    };
    let within = Duration::from_secs(within.get().into());
    match supervise(address, program.to_vec(), within) {
        Ok(status) => status,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    tell(format_args!(
        "usage: supervisor [--within SECONDS] ADDRESS:PORT PROGRAM [ARGUMENT]..."
    ));
    ExitCode::from(2)
}

fn supervise(
    address: &str,
    program: Vec<OsString>,
    within: Duration,
) -> Result<ExitCode, Box<dyn Error>> {
    // A thread passes on the signals, and each server has one that waits until it is ready.
    let (sender, events) = mpsc::channel();
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGCHLD])?;
    let signal = sender.clone();
    thread::Builder::new().spawn(move || {
        for number in signals.forever() {
            let _ = signal.send(Event::Signal(number)); // nobody listens any more
        }
    })?;

    let listener = TcpListener::bind(address)
        .map_err(|error| ServerError::Listen(address.to_owned(), error))?;
    let mut supervisor = Supervisor {
        listener: Some(listener),
        program,
        within,
        servers: Vec::new(),
        started: 0,
        has_served: false,
        next: Some(Instant::now()),
        pause: SHORTEST_PAUSE,
        status: ExitCode::SUCCESS,
        events: sender,
    };
    supervisor.go_on();
    while !supervisor.servers.is_empty() || supervisor.next.is_some() {
        // An error: it is time for something.
        match events.recv_timeout(supervisor.until_then()) {
            Ok(Event::Ready(number)) => supervisor.is_ready(number),
            Ok(Event::Signal(SIGCHLD)) => supervisor.look()?,
            Ok(Event::Signal(SIGHUP)) => supervisor.next = Some(Instant::now()),
            Ok(Event::Signal(_)) => supervisor.stop(),
            Err(_) => {}
        }
        supervisor.go_on();
    }
    Ok(supervisor.status)
}
// ANCHOR_END: main
