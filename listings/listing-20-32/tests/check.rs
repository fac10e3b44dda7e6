//! What counts as done: `cargo book check 20-32 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

mod common;

use common::{hello, in_time, read, uninterrupted, wait_until, ANY_PORT, DEADLINE};
use hello::{Limits, Server, ThreadPool, Unfinished};
use std::{
    env, fs,
    io::{prelude::*, ErrorKind},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc, Arc, Mutex,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_millis(100);
/// Nobody waits for its end.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// Two workers with a job each that lasts until `release` is dropped, and three jobs behind them. Each
/// sends its number when it is done.
struct Busy {
    pool: ThreadPool,
    release: mpsc::Sender<()>,
    done: mpsc::Receiver<usize>,
}

fn busy() -> Busy {
    let pool = ThreadPool::new(2);
    let (done, all_done) = mpsc::channel();
    let (begins, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for job in 0..2 {
        let (done, begins, wait) = (done.clone(), begins.clone(), Arc::clone(&wait));
        pool.execute(move || {
            begins.send(()).unwrap();
            let _ = wait.lock().unwrap().recv();
            done.send(job).unwrap();
        });
    }
    for _ in 0..2 {
        begun.recv_timeout(DEADLINE).expect("both jobs begin");
    }
    for job in 2..5 {
        let done = done.clone();
        pool.execute(move || done.send(job).unwrap());
    }
    Busy {
        pool,
        release,
        done: all_done,
    }
}

#[track_caller]
fn has_left(ended: Result<(), Unfinished>, running: usize, never_begun: usize) {
    let left = ended.map_err(|left| (left.running, left.never_begun));
    assert_eq!(left, Err((running, never_begun)));
}

#[test]
fn a_shutdown_returns_when_every_job_has_run() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let ended = in_time(move || {
        let pool = ThreadPool::new(2);
        for _ in 0..10 {
            let counted = Arc::clone(&counted);
            pool.execute(move || {
                thread::sleep(Duration::from_millis(2));
                counted.fetch_add(1, Ordering::SeqCst);
            });
        }
        pool.shutdown(Instant::now() + LONG)
    });
    assert!(matches!(ended, Ok(Ok(()))));
    assert_eq!(runs.load(Ordering::SeqCst), 10);
}

#[test]
fn at_the_deadline_it_counts_what_runs_and_what_has_not_begun() {
    let Busy {
        pool,
        release,
        done,
    } = busy();
    let (start, ended) = in_time(|| {
        let start = Instant::now();
        (start, pool.shutdown(start + SOON))
    })
    .expect("it panicked");
    assert!(start.elapsed() >= SOON, "it has not waited");
    has_left(ended, 2, 3);

    // The two go on, and those that had not begun never do: nobody has their senders any more.
    drop(release);
    let mut ran = Vec::new();
    while let Ok(job) = done.recv_timeout(DEADLINE) {
        ran.push(job);
    }
    ran.sort();
    assert_eq!(ran, [0, 1]);
}

#[test]
fn a_deadline_that_has_passed_is_not_waited_for() {
    let Busy {
        pool,
        release: _release,
        done: _done,
    } = busy();
    let ended = in_time(|| pool.shutdown(Instant::now() - SOON));
    has_left(ended.expect("it panicked"), 2, 3);
}

#[test]
fn where_no_job_is_left_the_deadline_may_have_passed() {
    for round in 0..50 {
        let pool = ThreadPool::new(1 + round % 4);
        let (done, is_done) = mpsc::channel();
        pool.execute(move || done.send(()).unwrap());
        is_done.recv_timeout(DEADLINE).unwrap();
        // The job is done, but its worker may not have noted that yet.
        thread::sleep(Duration::from_millis(1));
        let ended = pool
            .shutdown(Instant::now())
            .map_err(|left| left.never_begun);
        assert!(matches!(ended, Ok(()) | Err(0)), "{ended:?}");
        assert!(ThreadPool::new(1 + round % 4)
            .shutdown(Instant::now())
            .is_ok());
    }
}

#[test]
fn a_job_that_panics_has_run_and_one_that_panics_late_harms_nobody() {
    let pool = ThreadPool::new(1);
    for _ in 0..3 {
        pool.execute(|| panic!("on purpose"));
    }
    let ended = in_time(|| pool.shutdown(Instant::now() + LONG));
    assert!(matches!(ended, Ok(Ok(()))));

    let pool = ThreadPool::new(1);
    let (begins, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let (lives, ended) = mpsc::channel::<()>();
    pool.execute(move || {
        let _lives = lives;
        begins.send(()).unwrap();
        let _ = wait.recv();
        panic!("on purpose");
    });
    begun.recv_timeout(DEADLINE).unwrap();
    has_left(pool.shutdown(Instant::now()), 1, 0);
    drop(release);
    assert!(ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Disconnected));
}

/// What a job has captured, and what panics when it is dropped.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[test]
fn what_a_job_that_never_begins_has_captured_is_dropped_whatever_that_does() {
    let Busy {
        pool,
        release: _release,
        done: _done,
    } = busy();
    let (captured, is_dropped) = mpsc::channel::<()>();
    let panics = Panics;
    pool.execute(move || drop(panics));
    pool.execute(move || drop(captured));

    let ended = in_time(|| pool.shutdown(Instant::now())).expect("it panicked");
    has_left(ended, 2, 5);
    assert_eq!(is_dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

#[test]
fn a_job_may_shut_down_its_own_pool() {
    let pool = Arc::new(ThreadPool::new(1)); // it can still be shared
    let (left, is_left) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let shared = Arc::clone(&pool);
    pool.execute(move || {
        let _ = wait.recv(); // until this handle is the last
        let pool = Arc::into_inner(shared).expect("the last handle");
        left.send(pool.shutdown(Instant::now() + SOON)).unwrap();
    });
    pool.execute(|| {});
    drop(pool);
    drop(release);

    has_left(is_left.recv_timeout(DEADLINE).expect("it returns"), 1, 1);
}

/// The server on a thread of its own. It is asked to stop by `stop`.
struct Running {
    address: SocketAddr,
    ask: UnixStream,
    ended: JoinHandle<Result<(), Unfinished>>,
}

fn start(limits: Limits) -> Running {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, ask) = UnixStream::pair().unwrap();
    let server = Server::on(listener).unwrap().with_limits(limits);
    let ended = thread::spawn(move || server.run(asked).unwrap().finish());
    Running {
        address,
        ask,
        ended,
    }
}

/// Limits that nobody reaches, but for those that a test sets.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.head, limits.response, limits.grace) = (LONG, LONG, LONG);
    limits
}

/// What `f` returns, once it has taken no longer than half of `limit`: on a machine that has much else
/// to do, a client may be late without meaning to.
fn quickly<T>(limit: Duration, f: impl Fn() -> T) -> T {
    let start = Instant::now();
    loop {
        let attempt = Instant::now();
        let done = f();
        if attempt.elapsed() < limit / 2 {
            return done;
        }
        assert!(start.elapsed() < DEADLINE, "the machine is too slow");
    }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        stream
    }

    fn stop(self) -> Result<(), Unfinished> {
        drop(self.ask);
        in_time(|| self.ended.join().expect("the server panicked")).expect("it is joined")
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// All but the last line.
const BEGUN: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n";
const TIMEOUT: &str = "HTTP/1.1 408 REQUEST TIMEOUT\r\nConnection: close\r\n\
     Content-Type: text/html; charset=utf-8\r\nContent-Length: 20\r\n\r\n408 REQUEST TIMEOUT\n";

#[test]
fn a_client_that_says_nothing_or_not_all_gets_408_and_the_next_one_an_answer() {
    let mut limits = limits();
    limits.head = SOON;
    let server = start(limits);
    let (start, clients, next) = quickly(limits.head, || {
        let start = Instant::now();
        let late = [b"".as_slice(), b"G", b"GET / HTTP/1.1\r\n", BEGUN];
        let clients = late.map(|bytes| server.send(bytes));
        (start, clients, server.send(REQUEST))
    });
    for client in clients {
        assert_eq!(read(client), TIMEOUT);
    }
    assert!(start.elapsed() >= SOON, "they have not had their time");
    assert!(read(next).starts_with("HTTP/1.1 200 "));
    assert!(server.stop().is_ok());
}

#[test]
fn one_byte_after_the_other_does_not_win_time() {
    let mut limits = limits();
    limits.head = SOON * 3;
    let server = start(limits);
    let start = Instant::now(); // before its time begins
    let mut client = server.connect();
    client.set_read_timeout(Some(SOON / 2)).unwrap();
    // Each byte comes well before a deadline that began with the one before.
    while client.write_all(b"G").is_ok() {
        assert!(start.elapsed() < DEADLINE, "it still waits");
        let mut bytes = [0; 1024];
        match uninterrupted(|| client.read(&mut bytes)) {
            Ok(0) => break,
            Ok(read) => assert!(TIMEOUT.as_bytes().starts_with(&bytes[..read])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break, // it has hung up
        }
    }
    assert!(start.elapsed() >= limits.head, "it has not had its time");
}

#[test]
fn a_client_that_is_slow_but_in_time_gets_its_page() {
    let server = start(limits());
    let mut client = server.connect();
    client.set_nodelay(true).unwrap();
    for byte in REQUEST {
        client.write_all(&[*byte]).unwrap();
        thread::sleep(Duration::from_millis(3));
    }
    assert!(read(client).starts_with("HTTP/1.1 200 "));
}

#[test]
fn who_has_asked_in_time_may_wait_for_a_worker() {
    let mut limits = limits();
    limits.head = SOON * 3;
    let server = start(limits);
    let (_busy, queued) = quickly(limits.head, || {
        let busy = [(); 4].map(|()| server.send(BEGUN));
        (busy, [(); 8].map(|()| server.send(REQUEST)))
    });
    for client in queued {
        assert!(read(client).starts_with("HTTP/1.1 200 "));
    }
}

/// Each has had its time when the first has: one after the other would take 25 seconds, and more if
/// the server waited for each of them to hang up.
#[test]
fn two_hundred_silent_clients_keep_it_no_longer_than_one() {
    let mut limits = limits();
    limits.head = SOON * 5;
    let server = start(limits);
    let clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    assert!(server.stop().is_ok());
    for client in clients {
        assert_eq!(read(client), TIMEOUT);
    }
}

#[test]
fn when_the_grace_is_over_the_numbers_are_right() {
    let mut limits = limits();
    for grace in [3, 10, 30] {
        limits.grace = SOON * grace;
        let server = start(limits);
        let _running: Vec<_> = (0..4).map(|_| server.send(BEGUN)).collect();
        let _queued: Vec<_> = (0..3).map(|_| server.send(REQUEST)).collect();
        let start = Instant::now();
        let left = server.stop().expect_err("nobody has sent all");
        assert!(start.elapsed() >= limits.grace);
        match (left.running, left.never_begun) {
            (4, 3) => return,
            // On a slow machine, a worker may not have begun: once more, with more time.
            (running, never_begun) if running < 4 => assert_eq!(running + never_begun, 7),
            other => panic!("{other:?}"),
        }
    }
    panic!("the workers have not begun");
}

#[test]
fn the_program_takes_a_grace_and_its_status_tells_who_was_cut_off() {
    for (clients, status) in [(0, 0), (1, 3)] {
        let mut command = hello();
        command.args(["--grace", "1", ANY_PORT]);
        let mut server = common::Server::start_as(command);
        let _clients: Vec<_> = (0..clients).map(|_| server.begin()).collect();
        server.signal("TERM");

        let (exit, _) = server.ended();
        assert_eq!(exit.code(), Some(status), "{exit}");
    }
}

/// Runs the test once more in a process of its own, in a folder with the file of a page that `make` makes.
/// Whether this is that process.
fn in_folder(test: &str, make: impl Fn(&Path)) -> bool {
    if env::var_os("IN_FOLDER").is_some() {
        return true;
    }
    let name = format!("hello-{test}-{}", process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    make(&folder.join("hello.html"));
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]);
    let output = child
        .current_dir(&folder)
        .env("IN_FOLDER", "yes")
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{output:#?}");
    false
}

#[test]
fn a_client_that_takes_nothing_is_given_up_and_one_that_takes_all_gets_all() {
    const SIZE: usize = 20_000_000;
    let test = "a_client_that_takes_nothing_is_given_up_and_one_that_takes_all_gets_all";
    if in_folder(test, |page| fs::write(page, " ".repeat(SIZE)).unwrap()) {
        let mut limits = limits();
        limits.response = SOON * 3;
        let server = start(limits);
        let greedy: Vec<_> = (0..4).map(|_| server.send(REQUEST)).collect();
        let next = server.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        // It has waited for a worker.
        assert!(read(next).starts_with("HTTP/1.1 "));
        assert!(server.stop().is_ok());
        drop(greedy);

        let server = start(self::limits());
        assert!(read(server.send(REQUEST)).len() > SIZE);
    }
}

/// The page is a pipe: whoever reads it waits until somebody has written it.
#[test]
fn a_page_that_is_long_in_the_making_is_not_cut_off() {
    let test = "a_page_that_is_long_in_the_making_is_not_cut_off";
    let pipe = |page: &Path| {
        let made = Command::new("mkfifo").arg(page).status();
        assert!(made.is_ok_and(|made| made.success()), "mkfifo");
    };
    if in_folder(test, pipe) {
        let mut limits = limits();
        (limits.head, limits.response) = (SOON, SOON * 50);
        let server = start(limits);
        let client = quickly(SOON, || server.send(REQUEST));
        let silent = server.connect();
        assert_eq!(read(silent), TIMEOUT); // so the time of the first is over, too
        fs::write("hello.html", "at last").unwrap();
        assert!(read(client).ends_with("\r\n\r\nat last"));
    }
}

/// More may come with a request, or after it. It is thrown away, and harms nobody.
#[test]
fn what_comes_behind_a_request_harms_nobody() {
    let server = start(limits());
    let two = server.send(&[REQUEST, REQUEST].concat());
    // The server waits a second for what may come behind a request.
    let late = quickly(Duration::from_secs(1), || {
        let mut late = server.send(REQUEST);
        let _ = late.write_all(b"more");
        late
    });
    for client in [two, late] {
        let answer = read(client);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1);
    }
}

#[test]
fn a_drop_still_waits_for_every_job() {
    let Busy {
        pool,
        release,
        done,
    } = busy();
    let dropper = thread::spawn(move || drop(pool));
    thread::sleep(SOON / 2);
    assert!(!dropper.is_finished());
    drop(release);
    wait_until("the drop returns", || dropper.is_finished());
    assert_eq!(done.try_iter().count(), 5);
}
