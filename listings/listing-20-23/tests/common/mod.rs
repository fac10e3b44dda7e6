//! What the tests share: a deadline for anything that could block, and the
//! server as a process of its own.
#![allow(dead_code)] // each test file uses a part

use std::{
    env,
    fs::{File, TryLockError},
    io::{self, prelude::*, BufReader, ErrorKind},
    net::TcpStream,
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::{mpsc, Mutex},
    thread,
    time::{Duration, Instant},
};

pub const ADDRESS: &str = "127.0.0.1:7878";

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
    output: mpsc::Receiver<String>,
    lines: Vec<String>,
    errors: mpsc::Receiver<String>,
    error_lines: Vec<String>,
    _port: Option<File>,
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
    /// Starts the server, when no other test has one running: the port is fixed.
    pub fn start() -> Server {
        Server::start_as(hello())
    }

    /// Starts the server as `command` has it.
    pub fn start_as(command: Command) -> Server {
        let port = lock_port();
        Server::spawn(command, Some(port))
    }

    /// Starts the server once more, beside this one, which has the port.
    pub fn start_another(&self) -> Server {
        Server::spawn(hello(), None)
    }

    fn spawn(mut command: Command, port: Option<File>) -> Server {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = lines(child.stdout.take().unwrap());
        let errors = lines(child.stderr.take().unwrap());
        Server {
            child,
            output,
            lines: Vec::new(),
            errors,
            error_lines: Vec::new(),
            _port: port,
        }
    }

    /// Connects, as soon as the server listens.
    pub fn connect(&self) -> TcpStream {
        let mut connected = None;
        wait_until("the server listens", || {
            connected = TcpStream::connect(ADDRESS).ok();
            connected.is_some()
        });
        let stream = connected.unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Sends a request for `path`, and does not wait for the response.
    pub fn send(&self, path: &str) -> TcpStream {
        let mut stream = self.connect();
        // All at once: the first servers read a single time, and what is left would be a reset.
        let request = format!("GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
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
        loop {
            if let Some(line) = self.error_lines.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            match self.errors.recv_timeout(DEADLINE) {
                Ok(line) => self.error_lines.push(line),
                Err(_) => panic!(
                    "the server did not print an error with {part:?}; it printed {:#?}",
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

/// Reads a response to its end.
pub fn read(mut stream: TcpStream) -> String {
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// One test at a time may use the port, in whichever process it runs.
fn lock_port() -> File {
    // As long as all the tests of some other copy may take.
    const PATIENCE: Duration = Duration::from_secs(15 * 60);
    // Of the tests in this process, only one waits for the file: it speaks for all.
    static TURN: Mutex<()> = Mutex::new(());

    let _turn = TURN.lock(); // even if a test has failed while it had its turn
    let file = port_file();
    let start = Instant::now();
    let mut next_word = Duration::from_secs(10); // longer than the slow page takes
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => panic!("cannot lock the port: {error}"),
        }
        let waited = start.elapsed();
        assert!(
            waited < PATIENCE,
            "another test has held the port for {PATIENCE:?}"
        );
        if waited > next_word {
            next_word += Duration::from_secs(60);
            // Past the capturing of the test harness, which would show it when nobody waits any more.
            let _ = writeln!(
                io::stderr(),
                "waiting for port 7878: another test of a listing has it"
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
    // To listen there for a moment would tell it, too. But whatever is started meanwhile has what listens as
    // well, until it is another program, and whoever comes before the server does would be lost with it.
    let connected = TcpStream::connect_timeout(&ADDRESS.parse().unwrap(), DEADLINE);
    assert!(
        connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused),
        "{ADDRESS} is taken: another program listens there. End it and run the tests again."
    );
    file
}

/// The file whose lock stands for the port. All users of the machine share it.
fn port_file() -> File {
    let path = env::temp_dir().join("hello-port-7878.lock");
    // Another user's file cannot be written. To lock it, it is enough to read it.
    let file = File::open(&path).or_else(|_| {
        let file = File::create_new(&path)?;
        #[cfg(unix)] // for the others, whatever the umask says
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
        Ok(file)
    });
    file.or_else(|_: io::Error| File::open(&path)) // somebody else has made it just now
        .unwrap_or_else(|error| panic!("cannot open the lock {}: {error}", path.display()))
}
