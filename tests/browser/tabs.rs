//! Two tabs of one browser, and a server that sees when their requests come.

use super::driver::Browser;
use libtest_mimic::Failed;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// So long, the first tab waits for its page. A second request that comes later is not seen: a slow
/// machine can hide what is looked for, and never makes the test fail.
const PATIENCE: Duration = Duration::from_secs(3);

/// What comes, comes within this time.
const DEADLINE: Duration = Duration::from_secs(40);

/// The browser asks for two addresses at once, and for one address once at a time.
pub fn one_address_once_at_a_time(mut browser: Browser) -> Result<(), Failed> {
    browser.within(DEADLINE);
    let (port, requests) = serve()?;
    let open = |paths: [&str; 2]| {
        let open = paths.map(|path| format!("window.open('http://127.0.0.1:{port}{path}');"));
        browser.run(&open.concat())
    };
    let next = || {
        let request = requests.recv_timeout(DEADLINE);
        request.map_err(|_| "the browser does not ask for a page")
    };

    open(["/one", "/other"])?;
    let both = [next()?, next()?];
    for request in both {
        answer(request)?;
    }

    open(["/slow", "/slow"])?;
    let first = next()?;
    if requests.recv_timeout(PATIENCE).is_ok() {
        return Err("src/try-next.md: the second tab has not waited for the first".into());
    }
    answer(first)?;
    Ok(answer(next()?)?)
}

/// A server for two pairs of tabs. Each request comes with its connection, to be answered there.
fn serve() -> io::Result<(u16, Receiver<TcpStream>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    listener.set_nonblocking(true)?; // or the thread would stay
    let (sender, requests) = mpsc::channel();
    let until = Instant::now() + 4 * DEADLINE;
    thread::spawn(move || {
        while Instant::now() < until {
            match listener.accept() {
                Ok((stream, _)) => {
                    let sender = sender.clone();
                    // A browser also connects and says nothing.
                    thread::spawn(move || match asks_for_a_page(&stream) {
                        Ok(true) => drop(sender.send(stream)),
                        _ => drop(stream),
                    });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(_) => break,
            }
        }
    });
    Ok((port, requests))
}

/// Reads a request; whether it is for a page, and not for an icon.
fn asks_for_a_page(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first.starts_with("GET ") && !first.contains(".ico"))
}

fn answer(mut request: TcpStream) -> io::Result<()> {
    // As the listings' servers do.
    request.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nDone.")
}
