//! What the tests share: a deadline for anything that could block, and the
//! server as a process of its own.
#![allow(dead_code)] // each test file uses a part

use std::{
    env,
    io::{self, prelude::*, BufReader, ErrorKind},
    net::{SocketAddr, TcpStream},
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// Where a server listens in the tests: at a port that is free.
pub const ANY_PORT: &str = "127.0.0.1:0";

/// For what should be done in no time. It is long, since a machine may have much else to do, and
/// when all is well, nobody waits for its end.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Runs `f` on a thread of its own. `None`: it had not returned at the deadline.
pub fn within<T: Send + 'static>(
    deadline: Duration,
    f: impl FnOnce() -> T + Send + 'static,
) -> Option<thread::Result<T>> {
    let (done, wait) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _done = done; // dropped when `f` returns, and when it panics
        f()
    });
    match wait.recv_timeout(deadline) {
        Err(mpsc::RecvTimeoutError::Timeout) => None,
        _ => Some(thread.join()),
    }
}

/// Runs `f` as `within` does. If it has not returned at the deadline, ends all the tests of this
/// file, with a message: a pool that does not stop may be printing without end.
pub fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> thread::Result<T> {
    within(DEADLINE, f).unwrap_or_else(|| {
        let test = thread::current();
        let test = test.name().unwrap_or_default();
        // Past the capturing of the test harness, which would show all that was printed.
        let _ = writeln!(
            io::stderr(),
            "\n{}: {test} FAILED: not done after {DEADLINE:?}: a job waits, or the drop does",
            env!("CARGO_MANIFEST_DIR"),
        );
        process::exit(101)
    })
}

/// Asks a socket that has a deadline. When a process is stopped and goes on, such a socket says that it was
/// interrupted, and is asked again.
pub fn uninterrupted<T>(mut ask: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match ask() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            asked => return asked,
        }
    }
}

/// Asks again and again until the answer is yes; panics at the deadline.
#[track_caller]
pub fn wait_until(what: &str, mut check: impl FnMut() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(
            start.elapsed() < DEADLINE,
            "waited {DEADLINE:?} in vain until {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// The server's program: where cargo says that it is now. This may have been compiled in another
/// folder, of which this one is a copy.
pub fn hello() -> Command {
    let now = env::var_os("CARGO_BIN_EXE_hello"); // by a cargo older than 1.94, it is not set
    Command::new(now.unwrap_or_else(|| env!("CARGO_BIN_EXE_hello").into()))
}

/// The server of this crate, running. It is ended when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    output: mpsc::Receiver<String>,
    lines: Vec<String>,
    errors: mpsc::Receiver<String>,
    error_lines: Vec<String>,
}

/// The lines that a process prints, as they come.
fn lines(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // More lines than any step prints: a broken one may print without end.
        for line in BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .take(1000)
        {
            let _ = sender.send(line);
        }
    });
    receiver
}

impl Server {
    /// Starts the server, and waits until it listens.
    pub fn start() -> Server {
        let mut command = hello();
        command.arg(ANY_PORT);
        Server::start_as(command)
    }

    /// Starts the server as `command` has it, and waits until it listens.
    pub fn start_as(command: Command) -> Server {
        let mut server = Server::spawn(command);
        let line = server.complained("listening on ");
        let (_, address) = line.rsplit_once(' ').unwrap();
        server.address = address.parse().unwrap();
        server
    }

    /// Starts the server as `command` has it. It may end at once: it has no address.
    pub fn spawn(command: Command) -> Server {
        Server::spawn_with(command, Stdio::null())
    }

    /// The same, with this standard input.
    pub fn spawn_with(mut command: Command, input: impl Into<Stdio>) -> Server {
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = lines(child.stdout.take().unwrap());
        let errors = lines(child.stderr.take().unwrap());
        Server {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            output,
            lines: Vec::new(),
            errors,
            error_lines: Vec::new(),
        }
    }

    /// Stops the process, as Ctrl-Z does, and waits until it stands still: what it is sent then, it
    /// gets when it goes on.
    #[cfg(target_os = "linux")]
    pub fn stand_still(&self) {
        stand_still(&self.child.id().to_string());
    }

    /// Sends the server a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(&self.child.id().to_string(), name);
    }

    /// Sends a signal to the server and all others of its group, as a terminal does.
    pub fn signal_group(&self, name: &str) {
        signal(&format!("-{}", self.child.id()), name);
    }

    /// Connects.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Sends a request for `path`, and does not wait for the response.
    pub fn send(&self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Sends a request but for its last line. Until that comes, by `finish`, it keeps a worker.
    pub fn begin(&self) -> TcpStream {
        let mut stream = self.connect();
        let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Waits until nobody can connect any more.
    pub fn refuses(&self) {
        wait_until("a connection is refused", || {
            // If nobody is accepted and nobody refused, the queue is full at some time.
            let connected = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
            connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        });
    }

    /// Sends a request and waits for the whole response.
    pub fn get(&self, path: &str) -> String {
        read(self.send(path))
    }

    /// Waits until the server has printed `line`.
    pub fn printed(&mut self, line: &str) {
        while !self.lines.iter().any(|l| l == line) {
            match self.output.recv_timeout(DEADLINE) {
                Ok(printed) => self.lines.push(printed),
                Err(_) => panic!(
                    "the server did not print {line:?}; it printed {:#?}",
                    self.lines
                ),
            }
        }
    }

    /// Waits until the server has printed an error with `part` in it, and returns that line.
    pub fn complained(&mut self, part: &str) -> String {
        self.complained_times(1, part)
    }

    /// Waits until it has done so that many times, and returns the last of these lines.
    pub fn complained_times(&mut self, times: usize, part: &str) -> String {
        loop {
            let mut lines = self.error_lines.iter().filter(|line| line.contains(part));
            if let Some(line) = lines.nth(times - 1) {
                return line.clone();
            }
            match self.errors.recv_timeout(DEADLINE) {
                Ok(line) => self.error_lines.push(line),
                Err(_) => panic!(
                    "the server did not print {times} errors with {part:?}; it printed {:#?}",
                    self.error_lines
                ),
            }
        }
    }

    /// Every error that the server has printed; to be called when it has ended.
    pub fn complaints(&mut self) -> Vec<String> {
        self.error_lines.extend(self.errors.iter());
        self.error_lines.clone()
    }

    /// Waits until the server has ended, and returns how, and every line it printed.
    pub fn ended(&mut self) -> (ExitStatus, Vec<String>) {
        let mut status = None;
        wait_until("the server ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        self.lines.extend(self.output.iter());
        (status.unwrap(), self.lines.clone())
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Shown with this test's output, and only if the test fails.
        for line in self.complaints() {
            eprintln!("{line}");
        }
    }
}

/// Sends a signal to a process.
pub fn signal(id: &str, name: &str) {
    let sent = Command::new("kill").args(["-s", name, "--", id]).status();
    assert!(sent.unwrap().success(), "kill -s {name} {id}");
}

/// Stops a process, and waits until it stands still.
#[cfg(target_os = "linux")]
pub fn stand_still(id: &str) {
    signal(id, "STOP");
    let file = format!("/proc/{id}/stat");
    wait_until("the process stands still", || {
        let stat = std::fs::read_to_string(&file).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('T')
    });
}

/// Sends the last line of a request, and reads the response.
pub fn finish(mut stream: TcpStream) -> String {
    stream.write_all(b"\r\n").unwrap();
    read(stream)
}

/// Reads a response to its end.
pub fn read(mut stream: TcpStream) -> String {
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}
