//! `cargo book serve`, from its start to its end.

use super::{book, words};
use libtest_mimic::Failed;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tempfile::TempDir;

/// What is waited for comes within this time, also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// `cargo book`, under way.
struct Running {
    process: Child,
    /// The lines of standard error.
    said: Receiver<String>,
    /// For its temporary files.
    folder: TempDir,
}

impl Running {
    fn start(line: &str, variables: &[(&str, &str)]) -> Result<Running, Failed> {
        let folder = tempfile::tempdir()?;
        let mut command = book(&words(line))?;
        command.env("TMPDIR", folder.path());
        command.envs(variables.iter().copied());
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let errors = process.stderr.take().ok_or("it is not heard")?;
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        Ok(Running {
            process,
            said,
            folder,
        })
    }

    /// Waits for a line that has `part` in it.
    fn hear(&self, part: &str) -> Result<String, Failed> {
        let mut before = Vec::new();
        let until = Instant::now() + DEADLINE;
        while let Ok(line) = self
            .said
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if line.contains(part) {
                return Ok(line);
            }
            before.push(line);
        }
        Err(format!("it does not say {part:?}, but {before:?}").into())
    }

    fn end(&mut self) -> Result<ExitStatus, Failed> {
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("it has not ended after {DEADLINE:?}").into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// It says where the book is, serves it, and stops at Ctrl-C although a client keeps its connection.
pub fn check() -> Result<(), Failed> {
    let mut server = Running::start("serve --hostname 127.0.0.1 --port 0", &[])?;
    let line = server.hear("Serving on: ")?;
    let address = line.split_once("http://").unwrap_or_default().1;
    let address = address.split(' ').next().unwrap_or_default();
    if address.ends_with(":0") {
        return Err(format!("it does not say on which port: {line}").into());
    }

    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(DEADLINE))?;
    for (path, status, part) in [
        ("/", "200 OK", "The Server That Stops</title>"),
        ("/index.html", "200 OK", "The Server That Stops</title>"),
        ("/gone.html", "404 NOT FOUND", "Document not found"),
        ("/../Cargo.toml", "404 NOT FOUND", "Document not found"),
    ] {
        let (head, body) = get(&mut client, path)?;
        if !head.starts_with(&format!("HTTP/1.1 {status}\r\n")) || !body.contains(part) {
            return Err(format!("{path}: {head}").into());
        }
    }

    // A program that is started in the background may be told to ignore it, and heeds it all the same.
    let ask = format!("kill -INT {}", server.process.id());
    let asked = Command::new("sh").args(["-c", &ask]).status()?;
    if !asked.success() {
        return Err(format!("`{ask}` ends with {asked}").into());
    }
    server.hear("SIGINT: stopping, ")?;
    server.hear("stopped")?;
    let status = server.end()?;
    if !status.success() || client.read(&mut [0])? != 0 {
        return Err(format!("it has ended with {status}").into());
    }
    match fs::read_dir(server.folder.path())?.count() {
        0 => Ok(()),
        left => Err(format!("it has left {left} of its folders").into()),
    }
}

/// The head and the body of the response.
fn get(client: &mut TcpStream, path: &str) -> Result<(String, String), Failed> {
    write!(client, "GET {path} HTTP/1.1\r\nHost: book\r\n\r\n")?;
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(format!("{path}: the connection ends after {head:?}").into());
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.ok_or("without a length")?.parse()?];
    reader.read_exact(&mut body)?;
    Ok((head, String::from_utf8(body)?))
}

/// On a port that is taken, it ends before it has built anything, and names another one.
pub fn check_taken_port() -> Result<(), Failed> {
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port();
    let mut refused = Running::start(&format!("serve -n 127.0.0.1 -p {port}"), &[])?;
    refused.hear(&format!("port {port} is taken"))?;
    refused.hear("cargo book serve --port")?;
    match refused.end()?.code() {
        Some(1) => Ok(()),
        other => Err(format!("it ends with {other:?}").into()),
    }
}

/// Without a browser, it says what to open, and serves it.
pub fn check_no_browser() -> Result<(), Failed> {
    let nothing = [("PATH", "/nonexistent")];
    let server = Running::start("serve -n 127.0.0.1 -p 0 --open", &nothing)?;
    let line = server.hear("no browser can be started")?;
    let address = line.split_once("open http://").unwrap_or_default().1;
    let address = address.split(' ').next().unwrap_or_default();
    TcpStream::connect(address).map_err(|error| format!("{line}: {error}"))?;
    Ok(())
}
