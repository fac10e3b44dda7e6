//! The book's own server, from which the browsers load the pages: this program, in a process of its
//! own. It stops as soon as nobody holds the other end of its standard input.

use crate::pages;
use libtest_mimic::Failed;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, thread};

/// With this as its argument, this program serves the rendered book.
pub const SERVE: &str = "--serve-pages";

/// It starts and stops within this time.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Server {
    process: Child,
    root: String,
}

impl Server {
    pub fn start() -> Result<Server, Failed> {
        let mut process = Command::new(env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the server is not heard")?;
        let mut server = Server {
            process,
            root: String::new(),
        };
        // The first line is its address. What its pool says in the end is read as well.
        let (said, hears) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let address = hears.recv_timeout(DEADLINE);
        let address = address.map_err(|_| "the server does not say where it listens")?;
        server.root = format!("http://{address}/");
        Ok(server)
    }

    /// The address of its first page.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Asks it to stop, and waits until it does.
    pub fn stop(mut self) -> Result<ExitStatus, Failed> {
        drop(self.process.stdin.take());
        let start = Instant::now();
        while start.elapsed() < DEADLINE {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the server has not stopped after {DEADLINE:?}").into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves the rendered book, until standard input ends. The status is 0 if everyone had an answer.
#[cfg(unix)]
pub fn serve() -> ExitCode {
    use site::Site;
    use std::{io, net::TcpListener, path::Path, sync::Arc};

    let served = || -> Result<(), Failed> {
        let site = Arc::new(Site::of(Path::new(pages::RENDERED)).map_err(|e| format!("{e:#}"))?);
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("{}", listener.local_addr()?);
        Ok(site.server(listener).run(io::stdin())?.finish()?)
    };
    match served() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.message().unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

/// The server is for Unix.
#[cfg(not(unix))]
pub fn serve() -> ExitCode {
    ExitCode::FAILURE
}

/// The address of the rendered book in its folder, which needs no server.
pub fn folder() -> String {
    let path = pages::RENDERED.replace('\\', "/");
    let mut url = String::from("file://");
    if !path.starts_with('/') {
        url.push('/'); // before a drive's letter
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b':' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url + "/"
}
