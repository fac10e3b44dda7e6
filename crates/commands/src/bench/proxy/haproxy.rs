//! HAProxy, its two servers, and what it is told and asked while it runs.

use super::running::{self, free_address, Change, Running, DEADLINE};
use anyhow::{ensure, Context, Result};
use std::{
    io::prelude::*,
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Its configuration, as the book shows it.
const CONFIGURATION: &str = "recorded/haproxy.cfg";
/// The socket on which it is told what to do, in its folder.
const SOCKET: &str = "proxy.sock";

/// The configuration with these changes.
///
/// # Errors
///
/// When a line that is to be changed is not there once.
pub(super) fn configuration(root: &Path, changes: &[Change]) -> Result<String> {
    running::configuration(root, CONFIGURATION, changes)
}

/// An HAProxy that runs in a folder of its own. It ends when this is dropped.
pub(super) struct Proxy {
    running: Running,
    pub address: SocketAddr,
}

/// How HAProxy sees a server.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    /// `UP`, `DOWN` or `DRAIN`, among others.
    pub state: String,
    /// Requests that are with it.
    pub requests: usize,
    /// How often a request, or a connection, was tried once more, with it or with another.
    pub again: usize,
}

impl Proxy {
    /// Starts it in front of these servers, which it calls `a` and `b`, and waits until it listens.
    pub(super) fn start(configuration: &str, servers: [SocketAddr; 2]) -> Result<Proxy> {
        let address = free_address()?;
        let [a, b] = servers.map(|server| server.port().to_string());
        let mut command = Command::new("haproxy");
        command
            .args(["-f", "haproxy.cfg"])
            .env("PORT", address.port().to_string())
            .envs([("A", a), ("B", b)]);
        let running = Running::start(&mut command, address, "haproxy.cfg", configuration)?;
        Ok(Proxy { running, address })
    }

    /// Sends a command to its socket, and returns the answer.
    pub(super) fn tell(&self, command: &str) -> Result<String> {
        let mut socket = UnixStream::connect(self.running.folder.join(SOCKET))
            .context("haproxy does not listen to commands")?;
        socket.set_read_timeout(Some(DEADLINE))?;
        writeln!(socket, "{command}")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// How it sees the server of that name, or all of them together (`BACKEND`).
    pub(super) fn sees(&self, server: &str) -> Result<Seen> {
        let table = self.tell("show stat")?;
        seen(&table, server)
            .with_context(|| format!("haproxy does not say how {server} is:\n{table}"))
    }

    /// Waits until it sees this server so.
    pub(super) fn wait_until(&self, server: &str, is_so: impl Fn(&Seen) -> bool) -> Result<()> {
        let start = Instant::now();
        loop {
            let seen = self.sees(server)?;
            if is_so(&seen) {
                return Ok(());
            }
            ensure!(
                start.elapsed() < DEADLINE,
                "haproxy still sees {server} as {seen:?}"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What the answer to `show stat` says of a server: a line for each, with commas, and the names of
/// the columns in the first.
fn seen(table: &str, server: &str) -> Option<Seen> {
    let mut lines = table
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next()?;
    let column = |name: &str| names.iter().position(|column| *column == name);
    let line = lines.find(|line| line.starts_with(&["copies", server]))?;
    let cell = |name: &str| line.get(column(name)?).copied();
    let number = |name: &str| cell(name)?.parse::<usize>().ok();
    // On its way up or down, `UP 1/2`.
    let state = cell("status")?.split(' ').next()?.to_owned();
    Some(Seen {
        state,
        requests: number("scur")?,
        again: number("wretr")? + number("wredis")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_seen_by_the_names_of_the_columns() {
        let table = "# pxname,svname,scur,wretr,wredis,status,\n\
                     everybody,FRONTEND,9,,,OPEN,\n\
                     copies,a,2,3,4,UP 1/2,\n\
                     copies,b,0,0,0,DRAIN,\n";
        let a = Seen {
            state: "UP".into(),
            requests: 2,
            again: 7,
        };
        assert_eq!(seen(table, "a"), Some(a));
        assert_eq!(seen(table, "b").unwrap().state, "DRAIN");
        assert_eq!(seen(table, "c"), None);
    }

    #[test]
    fn a_change_of_the_configuration_is_made_once_or_refused() {
        let root = book::root();
        let changed = configuration(&root, &[("retries 3", "retries 0")]).unwrap();
        assert!(changed.contains("    retries 0\n"), "{changed}");

        for from in ["timeout", "no such line"] {
            assert!(configuration(&root, &[(from, "")]).is_err(), "{from}");
        }
    }
}
