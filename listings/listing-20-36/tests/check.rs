//! What counts as done: `cargo book check 20-36 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

#[path = "common/client.rs"]
mod client;
mod common;

use client::Client;
use common::{finish, hello, read, signal, uninterrupted, wait_until, Server, ANY_PORT, DEADLINE};
use std::{
    env,
    ffi::OsString,
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::{
        fd::OwnedFd,
        unix::{net::UnixDatagram, process::CommandExt},
    },
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

/// A folder for one test, which is empty, and is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let folder = env::temp_dir().join(format!("hello-{}-{test}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn join(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn supervisor(options: &[&str]) -> Command {
    supervisor_at(ANY_PORT, options)
}

fn supervisor_at(address: &str, options: &[&str]) -> Command {
    let program = env::var_os("CARGO_BIN_EXE_supervisor");
    let program = program.or_else(|| option_env!("CARGO_BIN_EXE_supervisor").map(OsString::from));
    let mut command = Command::new(program.expect("a program `supervisor`, in `src/bin`"));
    command.args(options).arg(address);
    command
}

/// A supervisor whose servers have all served their first moment.
fn supervise() -> Server {
    let mut command = supervisor(&[]);
    command.arg(hello().get_program()).arg("--inherit");
    let mut server = Server::start_as(command);
    server.complained("server 1 is ready");
    server
}

/// A supervisor that starts its servers by a script, in which `$0` is the server, and `$1` a file.
fn supervise_by(script: &str, file: &Path, options: &[&str]) -> Command {
    let mut command = supervisor(options);
    command.args(["sh", "-c", script]);
    command.arg(hello().get_program()).arg(file);
    command
}

/// Stops a supervisor, and so its servers. On Linux, to drop it is enough.
fn end(mut supervisor: Server) {
    supervisor.signal("TERM");
    assert!(supervisor.ended().0.success());
}

fn is_answered(address: SocketAddr) {
    let answer = Client::to(address).get("/");
    assert!(answer.head.starts_with("HTTP/1.1 200 "), "{}", answer.head);
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(ANY_PORT).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Runs a test in which a client has five seconds for its request. Where it fails, and has taken
/// nearly as long, the machine had much else to do: once more, then.
fn patiently(test: impl Fn()) {
    for _ in 0..5 {
        let start = Instant::now();
        match panic::catch_unwind(AssertUnwindSafe(&test)) {
            Ok(()) => return,
            Err(_) if start.elapsed() > Duration::from_secs(4) => {}
            Err(why) => panic::resume_unwind(why),
        }
    }
    panic!("in five attempts, the machine was too slow");
}

#[test]
fn a_server_serves_on_the_socket_that_is_its_standard_input() {
    let (listener, address) = listen();
    let mut client = Client::to(address); // as early as that
    let mut command = hello();
    command.arg("--inherit");
    let mut server = Server::spawn_with(command, OwnedFd::from(listener));
    server.complained(&format!("listening on {address}"));
    server.printed("ready");
    assert!(client.get("/").head.starts_with("HTTP/1.1 200 "));
    server.signal("TERM");
    assert!(server.ended().0.success());
}

/// It has no descriptor left that keeps the socket open.
#[test]
fn a_server_that_stops_closes_the_socket_that_it_was_given() {
    patiently(|| {
        let (listener, address) = listen();
        let mut command = hello();
        command.arg("--inherit");
        let mut server = Server::spawn_with(command, OwnedFd::from(listener));
        server.address = address;
        server.printed("ready");
        let slow = server.begin();
        // It has been accepted before this one is answered.
        is_answered(address);
        server.signal("TERM");
        server.refuses();
        assert!(finish(slow).starts_with("HTTP/1.1 200 "));
        assert!(server.ended().0.success());
    });
}

#[test]
fn standard_input_that_is_no_socket_is_an_error() {
    let mut command = hello();
    command.arg("--inherit");
    let mut server = Server::spawn(command);
    let (status, lines) = server.ended();
    assert_eq!(status.code(), Some(1));
    assert!(!lines.contains(&"ready".to_owned()));
    let said = server.complaints().join("\n");
    assert!(
        said.starts_with("error: cannot listen on standard input: "),
        "{said}"
    );
}

/// Sockets that do not listen: a server there would say that it is ready, and serve nobody.
fn that_do_not_listen() -> [OwnedFd; 2] {
    let (_listener, address) = listen();
    let connected = TcpStream::connect(address).unwrap();
    let datagrams = UdpSocket::bind(ANY_PORT).unwrap();
    [OwnedFd::from(connected), OwnedFd::from(datagrams)]
}

#[test]
fn standard_input_that_does_not_listen_is_an_error() {
    for socket in that_do_not_listen() {
        let mut command = hello();
        command.arg("--inherit");
        let mut server = Server::spawn_with(command, socket);
        assert_eq!(server.ended().0.code(), Some(1));
        server.complained("error: cannot listen on standard input: ");
    }
}

#[test]
fn a_socket_of_listen_fds_that_does_not_listen_is_an_error() {
    for socket in that_do_not_listen() {
        let mut server = with_descriptor_3(socket, "$$", "");
        assert_eq!(server.ended().0.code(), Some(1));
        server.complained("error: cannot listen on LISTEN_FDS: ");
    }
}

/// A server with a socket as its descriptor 3, a variable that says for which process it is, and
/// these arguments.
fn with_descriptor_3(socket: impl Into<OwnedFd>, process: &str, arguments: &str) -> Server {
    let mut command = Command::new("sh");
    let script =
        format!("exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID={process} exec \"$0\" {arguments}");
    command.args(["-c", &script]).arg(hello().get_program());
    Server::spawn_with(command, socket.into())
}

/// Clients of the second one would wait in vain.
#[test]
fn two_sockets_by_listen_fds_are_an_error() {
    let mut command = Command::new("sh");
    let script = r#"exec 3<&0 4<&0 </dev/null; LISTEN_FDS=2 LISTEN_PID=$$ exec "$0""#;
    command.args(["-c", script]).arg(hello().get_program());
    let mut server = Server::spawn_with(command, OwnedFd::from(listen().0));
    assert_eq!(server.ended().0.code(), Some(1));
    server.complained("error: cannot listen on LISTEN_FDS: ");
}

#[test]
fn a_server_serves_on_the_socket_that_listen_fds_tells_of() {
    let (listener, address) = listen();
    let mut server = with_descriptor_3(listener, "$$", "");
    server.complained(&format!("listening on {address}"));
    is_answered(address);
    server.signal("TERM");
    assert!(server.ended().0.success());
}

#[test]
fn what_listen_fds_tells_another_process_is_not_for_this_one() {
    let (listener, _) = listen();
    let mut server = with_descriptor_3(listener, "1", "");
    // Whether or not this port is free.
    server.complained("listen");
    server.complained("127.0.0.1:7878");
}

#[test]
fn an_address_that_is_said_comes_before_listen_fds() {
    let (listener, address) = listen();
    let mut server = with_descriptor_3(listener, "$$", ANY_PORT);
    let line = server.complained("listening on ");
    assert!(!line.contains(&address.to_string()), "{line}");
}

/// What it says to whoever starts services here: when it is ready, and when it stops.
fn notifies(socket: UnixDatagram, name: &str) {
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let told = || {
        let mut buffer = [0; 100];
        let length = uninterrupted(|| socket.recv(&mut buffer)).expect("it tells");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let mut command = hello();
    command.arg(ANY_PORT).env("NOTIFY_SOCKET", name);
    let mut server = Server::start_as(command);
    assert_eq!(told(), "READY=1");
    is_answered(server.address);
    server.signal("TERM");
    assert_eq!(told(), "STOPPING=1");
    assert!(server.ended().0.success());
}

#[test]
fn a_manager_of_services_is_told_at_a_path() {
    let folder = Folder::new("notify");
    let path = folder.join("socket");
    notifies(UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn a_manager_of_services_is_told_at_a_name_that_is_no_path() {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
    let name = format!("hello-{}", process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    notifies(socket, &format!("@{name}"));
}

#[test]
fn a_server_that_cannot_tell_the_manager_ends() {
    let folder = Folder::new("nobody");
    let mut command = hello();
    command.arg(ANY_PORT);
    command.env("NOTIFY_SOCKET", folder.join("socket"));
    let mut server = Server::spawn(command);
    assert_eq!(server.ended().0.code(), Some(1));
    let line = server.complained("error: ");
    assert!(line.contains("NOTIFY_SOCKET"), "{line}");
}

/// If the variable is set, that is for the supervisor.
#[test]
fn a_server_of_a_supervisor_tells_no_manager() {
    let folder = Folder::new("supervised");
    let mut command = supervisor(&[]);
    command.arg(hello().get_program()).arg("--inherit");
    command.env("NOTIFY_SOCKET", folder.join("nobody"));
    let mut supervisor = Server::start_as(command);
    supervisor.complained("server 1 is ready");
    is_answered(supervisor.address);
    supervisor.signal("TERM");
    assert!(supervisor.ended().0.success());
    let said = supervisor.complaints().join("\n");
    assert!(!said.contains("error"), "{said}");
}

/// Other processes print to the same place.
#[test]
fn a_line_is_printed_at_once() {
    let (errors, its_errors) = UnixDatagram::pair().unwrap();
    let mut command = hello();
    command.arg("--no-such-option").stdin(Stdio::null());
    let mut child = command.stderr(OwnedFd::from(its_errors)).spawn().unwrap();
    errors.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut buffer = [0; 1000];
    let length = uninterrupted(|| errors.recv(&mut buffer)).unwrap();
    child.wait().unwrap();
    let line = String::from_utf8_lossy(&buffer[..length]);
    assert!(
        line.starts_with("usage: hello ") && line.ends_with('\n'),
        "{line:?}"
    );
}

#[test]
fn the_old_server_is_asked_to_stop_when_the_new_one_is_ready_and_answers_whom_it_has() {
    patiently(|| {
        let mut supervisor = supervise();
        let slow = supervisor.begin();
        is_answered(supervisor.address); // so the one before has been accepted
        supervisor.signal("HUP");
        supervisor.complained("server 2 is ready");
        supervisor.complained("SIGTERM: stopping, ");
        is_answered(supervisor.address);
        let answer = finish(slow);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        supervisor.complained("server 1 has ended: exit status: 0");
        is_answered(supervisor.address);

        supervisor.signal("TERM");
        assert!(supervisor.ended().0.success());
    });
}

/// How often a client has had an answer, and how often it has had none.
#[derive(Default)]
struct Counted {
    answered: AtomicUsize,
    refused: AtomicUsize,
    lost: AtomicUsize,
}

/// Asks again and again, each time on a connection of its own, or as long as each one stays.
fn asks(address: SocketAddr, keeps: bool, counted: &Counted, stop: &AtomicBool) {
    let mut connection = None;
    while !stop.load(Ordering::SeqCst) {
        let stream = match connection.take() {
            Some(stream) => Ok(stream),
            None => TcpStream::connect(address),
        };
        let answer = stream.and_then(|mut stream| {
            stream.set_read_timeout(Some(DEADLINE))?;
            let close = if keeps { "" } else { "Connection: close\r\n" };
            stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\n{close}\r\n").as_bytes())?;
            // All at once, or in pieces.
            let (mut answer, mut buffer) = (String::new(), [0; 1024]);
            while !answer.ends_with("</p>\n") {
                match uninterrupted(|| stream.read(&mut buffer))? {
                    0 => return Err(ErrorKind::UnexpectedEof.into()),
                    length => answer += &String::from_utf8_lossy(&buffer[..length]),
                }
            }
            Ok((stream, answer.contains("Connection: close\r\n")))
        });
        let count = match answer {
            Ok((stream, is_last)) => {
                connection = Some(stream).filter(|_| !is_last);
                &counted.answered
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => &counted.refused,
            Err(_) => &counted.lost,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn nobody_is_lost_in_some_handovers_under_load() {
    const HANDOVERS: usize = 5;
    let mut supervisor = supervise();
    let (counted, stop) = (
        Arc::new(Counted::default()),
        Arc::new(AtomicBool::new(false)),
    );
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (counted, stop) = (Arc::clone(&counted), Arc::clone(&stop));
            let address = supervisor.address;
            thread::spawn(move || asks(address, client % 2 == 0, &counted, &stop))
        })
        .collect();
    let answered = || counted.answered.load(Ordering::SeqCst);
    for handover in 1..=HANDOVERS {
        wait_until("some hundred more are answered", || {
            answered() >= 300 * handover
        });
        supervisor.signal("HUP");
        supervisor.complained(&format!("server {} is ready", handover + 1));
        supervisor.complained(&format!("server {handover} has ended: exit status: 0"));
    }
    let before = answered();
    wait_until("the last one answers", || answered() > before + 100);
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }
    let counts = [&counted.refused, &counted.lost].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(counts, [0, 0], "refused and lost, of {}", answered());
    end(supervisor);
}

#[test]
fn a_new_server_that_ends_before_it_is_ready_costs_nothing() {
    let folder = Folder::new("ends");
    let bad = folder.join("bad");
    let script = r#"if [ -e "$1" ]; then exit 7; fi; exec "$0" --inherit"#;
    let mut supervisor = Server::start_as(supervise_by(script, &bad, &[]));
    supervisor.complained("server 1 is ready");
    fs::write(&bad, "").unwrap();
    supervisor.signal("HUP");
    supervisor.complained("server 2 has ended: exit status: 7");
    is_answered(supervisor.address);
    // The next one is right.
    fs::remove_file(&bad).unwrap();
    supervisor.signal("HUP");
    supervisor.complained("server 3 is ready");
    supervisor.complained("server 1 has ended: exit status: 0");
    is_answered(supervisor.address);
    end(supervisor);
}

/// Whatever it lacks, it lacks before it says that it is ready.
#[test]
fn a_new_server_with_too_few_descriptors_costs_nothing() {
    let folder = Folder::new("few");
    let most = folder.join("most");
    let script = r#"if [ -e "$1" ]; then ulimit -n $(cat "$1"); fi; exec "$0" --inherit"#;
    let mut supervisor = Server::start_as(supervise_by(script, &most, &[]));
    supervisor.complained("server 1 is ready");
    let mut new = 1;
    for files in 6..40 {
        fs::write(&most, files.to_string()).unwrap();
        supervisor.signal("HUP");
        new += 1;
        let line = supervisor.complained(&format!("server {new} "));
        if line.contains("is ready") {
            break;
        }
    }
    // This is the least with which it is ready. So it goes on.
    assert!(new > 2, "it needs more than six");
    supervisor.complained("server 1 has ended: exit status: 0");
    assert!(Client::to(supervisor.address)
        .get("/")
        .head
        .starts_with("HTTP/1.1 "));
    supervisor.signal("TERM");
    supervisor.complained(&format!("server {new} has ended: exit status: 0"));
    assert!(supervisor.ended().0.success());
}

#[test]
fn a_new_server_that_is_not_ready_in_time_is_killed_and_the_old_one_goes_on() {
    let folder = Folder::new("late");
    let bad = folder.join("bad");
    let script = r#"if [ -e "$1" ]; then exec sleep 60 2>/dev/null; fi; exec "$0" --inherit"#;
    let mut supervisor = Server::start_as(supervise_by(script, &bad, &["--within", "3"]));
    supervisor.complained("server 1 is ready");
    fs::write(&bad, "").unwrap();
    supervisor.signal("HUP");
    let line = supervisor.complained("error: ");
    assert!(line.contains("server 2 "), "{line}");
    supervisor.complained("server 2 has ended: signal: 9");
    is_answered(supervisor.address);
    end(supervisor);
}

#[test]
fn many_signals_during_a_handover_become_one_more_or_few() {
    let folder = Folder::new("again");
    let wait = folder.join("wait");
    let script = r#"echo >>"$1ed"; while [ -e "$1" ] && kill -0 $PPID; do sleep 0.02; done; exec "$0" --inherit"#;
    let started = || fs::read_to_string(folder.join("waited")).map_or(0, |s| s.lines().count());
    let mut supervisor = Server::start_as(supervise_by(script, &wait, &[]));
    supervisor.complained("server 1 is ready");
    fs::write(&wait, "").unwrap();
    supervisor.signal("HUP");
    wait_until("the second is started", || started() == 2);
    for _ in 0..20 {
        supervisor.signal("HUP");
        is_answered(supervisor.address);
    }
    assert_eq!(started(), 2, "one at a time");
    fs::remove_file(&wait).unwrap();
    supervisor.complained("server 3 is ready");
    supervisor.complained("server 2 has ended: exit status: 0");
    supervisor.signal("TERM");
    assert!(supervisor.ended().0.success());
    // The last signals may come to the supervisor when the third server is being started.
    assert!(started() < 10, "{} servers", started());
}

/// A supervisor whose servers write their numbers into a file.
fn with_numbers(folder: &Folder) -> (Server, PathBuf) {
    let numbers = folder.join("numbers");
    let script = r#"echo $$ >>"$1"; exec "$0" --inherit"#;
    let mut supervisor = Server::start_as(supervise_by(script, &numbers, &[]));
    supervisor.complained("server 1 is ready");
    (supervisor, numbers)
}

#[test]
fn a_server_that_dies_is_replaced_and_who_comes_meanwhile_waits() {
    let folder = Folder::new("dies");
    let (mut supervisor, numbers) = with_numbers(&folder);
    signal(fs::read_to_string(&numbers).unwrap().trim(), "KILL");
    supervisor.complained("server 1 has ended: signal: 9");
    is_answered(supervisor.address);
    supervisor.complained("server 2 is ready");
    end(supervisor);
}

/// A server that is no server. Until it is ended, it holds no more than its standard output.
const SLEEPS: &str = "exec sleep 60 </dev/null 2>/dev/null";

#[test]
fn a_supervisor_that_stops_while_a_server_starts_has_lost_nobody() {
    let folder = Folder::new("starts");
    let file = folder.join("started");
    let script = format!(r#"echo >"$1"; {SLEEPS}"#);
    let mut supervisor = Server::spawn(supervise_by(&script, &file, &[]));
    wait_until("the first is started", || file.exists());
    supervisor.signal("TERM");
    assert!(supervisor.ended().0.success());
    supervisor.complained("server 1 has ended: signal: 15");
}

#[test]
fn a_signal_while_the_first_server_starts_does_not_hide_that_it_fails() {
    let folder = Folder::new("first");
    let wait = folder.join("wait");
    fs::write(&wait, "").unwrap();
    let script = r#"if [ -e "$1ed" ]; then exec "$0" --inherit; fi; echo >"$1ed"
        while [ -e "$1" ] && kill -0 $PPID; do sleep 0.02; done; exit 7"#;
    let mut supervisor = Server::spawn(supervise_by(script, &wait, &[]));
    wait_until("the first is started", || folder.join("waited").exists());
    supervisor.signal("HUP");
    fs::remove_file(&wait).unwrap();
    assert_eq!(supervisor.ended().0.code(), Some(1));
    assert!(!supervisor.complaints().join("\n").contains("server 2"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_for_which_there_is_no_thread_costs_nothing() {
    let folder = Folder::new("thread");
    // It keeps its standard output open, and so the supervisor's thread for it.
    let script = r#"if [ -e "$1" ]; then exec "$0" --inherit; fi; echo $PPID >"$1"; echo ready"#;
    let file = folder.join("number");
    let mut command = supervise_by(&format!("{script}; {SLEEPS}"), &file, &[]);
    // A thread of glibc that allocates reserves much, and gives half of it back: not so here, where how
    // much is reserved decides.
    command.env("MALLOC_ARENA_MAX", "1");
    let mut supervisor = Server::spawn(command);
    supervisor.complained("server 1 is ready");
    let number = fs::read_to_string(&file).unwrap().trim().to_owned();
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap();
    let memory = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(20)
        .unwrap();
    let limit = |bytes: &str| {
        let mut command = Command::new("prlimit");
        command.args(["--pid", &number]);
        command.arg(format!("--as={bytes}:")).status()
    };
    let little = memory.parse::<u64>().unwrap() + 1_000_000; // less than a thread's stack
    match limit(&little.to_string()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return, // not tried
        limited => assert!(limited.unwrap().success()),
    }
    supervisor.signal("HUP");
    supervisor.complained("error: cannot start ");
    limit("unlimited").unwrap();
    supervisor.signal("HUP");
    supervisor.complained("server 2 is ready");
    supervisor.complained("server 1 has ended: signal: 15");
    end(supervisor);
}

/// It is not kept, but passed on, as far as it has been read and from there on.
#[test]
fn what_a_server_prints_is_passed_on() {
    let line = "1234567890".repeat(10);
    let mut command = supervisor(&[]);
    command.args(["sh", "-c", &format!("echo {line}; {SLEEPS}")]);
    let mut supervisor = Server::spawn(command);
    supervisor.printed(&line);
    end(supervisor);
}

#[test]
fn a_supervisor_that_cannot_begin_says_why() {
    let (_listener, address) = listen();
    let mut command = supervisor_at(&address.to_string(), &[]);
    command.arg("true");
    let mut taken = Server::spawn(command);
    assert_eq!(taken.ended().0.code(), Some(1));
    taken.complained(&format!("error: cannot listen on {address}: "));

    let mut command = supervisor(&["--within", "0"]);
    command.arg("true");
    let mut no_time = Server::spawn(command);
    assert_eq!(no_time.ended().0.code(), Some(2));
    no_time.complained("usage: ");
}

#[test]
#[cfg(target_os = "linux")]
fn who_is_in_the_queue_when_the_supervisor_is_asked_to_stop_is_answered() {
    let folder = Folder::new("queue");
    let (mut supervisor, numbers) = with_numbers(&folder);
    let number = fs::read_to_string(&numbers).unwrap().trim().to_owned();
    common::stand_still(&number);
    let clients: Vec<_> = (0..20).map(|_| supervisor.send("/")).collect();
    supervisor.signal("TERM");
    signal(&number, "CONT");
    for client in clients {
        assert!(read(client).starts_with("HTTP/1.1 200 "));
    }
    assert!(supervisor.ended().0.success());
}

#[test]
fn a_supervisor_that_is_asked_to_stop_waits_for_its_server_and_refuses_everybody_else() {
    patiently(|| {
        let mut supervisor = supervise();
        let slow = supervisor.begin();
        is_answered(supervisor.address);
        supervisor.signal("TERM");
        supervisor.refuses();
        assert!(supervisor.is_running());
        assert!(finish(slow).starts_with("HTTP/1.1 200 "));
        assert!(supervisor.ended().0.success());
    });
}

#[test]
fn a_second_signal_ends_the_servers_at_once() {
    patiently(|| {
        let mut supervisor = supervise();
        let _slow = supervisor.begin();
        is_answered(supervisor.address);
        supervisor.signal("TERM");
        supervisor.complained("still to answer");
        supervisor.signal("TERM");
        assert_eq!(supervisor.ended().0.code(), Some(128 + 9));
    });
}

#[test]
fn a_second_signal_ends_also_a_server_that_does_not_listen_to_any() {
    let mut command = supervisor(&[]);
    let script = "trap 'echo heard >&2' TERM; echo ready; while kill -0 $PPID; do sleep 0.05; done";
    command.args(["sh", "-c", script]);
    let mut supervisor = Server::spawn(command);
    supervisor.complained("server 1 is ready");
    supervisor.signal("TERM");
    supervisor.complained("heard");
    supervisor.signal("TERM");
    assert_eq!(supervisor.ended().0.code(), Some(128 + 9));
}

/// It goes to all programs in the foreground, which the servers are not.
#[test]
fn one_ctrl_c_is_one_signal_to_the_servers() {
    patiently(|| {
        let mut command = supervisor(&[]);
        command.arg(hello().get_program()).arg("--inherit");
        command.process_group(0);
        let mut supervisor = Server::start_as(command);
        supervisor.complained("server 1 is ready");
        let slow = supervisor.begin();
        is_answered(supervisor.address);
        supervisor.signal_group("INT");
        supervisor.complained("still to answer");
        assert!(finish(slow).starts_with("HTTP/1.1 200 "));
        assert!(supervisor.ended().0.success());
    });
}

/// Kills a server that is left behind, which would keep this test from its end.
struct Behind(PathBuf);

impl Drop for Behind {
    fn drop(&mut self) {
        if thread::panicking() {
            signal(fs::read_to_string(&self.0).unwrap().trim(), "KILL");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_supervisor_that_is_killed_leaves_no_server_behind() {
    let folder = Folder::new("killed");
    let (mut supervisor, numbers) = with_numbers(&folder);
    let _behind = Behind(numbers);
    is_answered(supervisor.address);
    supervisor.signal("KILL");
    wait_until("it is killed", || !supervisor.is_running());
    supervisor.refuses();
}

/// That is not the second signal to a server that stops already.
#[test]
#[cfg(target_os = "linux")]
fn a_supervisor_that_is_killed_during_a_handover_costs_nobody_an_answer() {
    patiently(|| {
        let mut supervisor = supervise();
        let slow = supervisor.begin();
        is_answered(supervisor.address);
        supervisor.signal("HUP");
        supervisor.complained("SIGTERM: stopping, 1 still to answer");
        supervisor.signal("KILL");
        wait_until("it is killed", || !supervisor.is_running());
        assert!(finish(slow).starts_with("HTTP/1.1 200 "));
        supervisor.refuses();
    });
}

#[test]
fn a_supervisor_whose_first_server_fails_says_so_and_ends() {
    for program in ["false", "/nonexistent/hello"] {
        let mut command = supervisor(&[]);
        command.arg(program);
        let mut supervisor = Server::spawn(command);
        assert_eq!(supervisor.ended().0.code(), Some(1), "{program}");
        assert!(!supervisor.complaints().is_empty(), "{program}");
    }
}
