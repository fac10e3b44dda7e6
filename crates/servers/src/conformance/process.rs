//! The process of a server.

use super::{
    client::{soon, within, DEADLINE},
    sockets, Outcome, Wrong,
};
use rustix::process::{kill_process, Pid, Signal};
use std::{
    fs,
    io::{self, prelude::*, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// What a server says when it listens, before its address.
const LISTENING: &str = "listening on ";

/// A server, which is killed when this is dropped.
pub struct Process {
    child: Child,
    /// What it says, line by line, until it ends.
    lines: Receiver<String>,
    /// `child` only starts the server, and waits for it.
    is_wrapped: bool,
}

impl Process {
    pub fn start(mut command: Command, is_wrapped: bool) -> io::Result<Process> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let (sender, lines) = mpsc::channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|output| Box::new(output) as _),
            child.stderr.take().map(|output| Box::new(output) as _),
        ];
        // All of it is read, so that nobody waits to say more.
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Process {
            child,
            lines,
            is_wrapped,
        })
    }

    /// Waits until the server says where it listens.
    pub fn says_address(&self) -> Result<SocketAddr, Wrong> {
        let deadline = Instant::now() + DEADLINE;
        let mut last = String::from("nothing");
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let what = format!("it does not listen; it says {last}");
                return Err(Wrong::new(Outcome::Fails, what));
            };
            if let Some((_, address)) = line.split_once(LISTENING) {
                if let Ok(address) = address.trim().parse() {
                    return Ok(address);
                }
            }
            last = line;
        }
    }

    /// Waits until somebody listens there.
    pub fn listens_at(&self, address: SocketAddr) -> Result<SocketAddr, Wrong> {
        match within(DEADLINE, || sockets::listens(address)) {
            true => Ok(address),
            false => Err(Wrong::new(Outcome::Fails, "it does not listen")),
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        let pid = match self.is_wrapped {
            true => children(pid).first().copied().unwrap_or(pid),
            false => pid,
        };
        // It fails if the process has ended, which shows when it is waited for.
        let _ = kill_process(pid, signal);
    }

    /// Freezes the process and those that it has started, and waits until they are.
    pub fn freeze(&self) {
        let all = self.all();
        for pid in &all {
            let _ = kill_process(*pid, Signal::STOP);
        }
        within(DEADLINE, || {
            all.iter().all(|pid| is(&folder(*pid), &['T', 't']))
        });
    }

    /// Lets them go on, one after the other: what the first one has to say to the others is there when
    /// they wake up.
    pub fn thaw(&self) {
        let all = self.all();
        for (number, pid) in all.iter().enumerate() {
            let _ = kill_process(*pid, Signal::CONT);
            if number + 1 < all.len() {
                soon(|| is(&folder(*pid), &['S']) && !has_pending_signals(*pid));
            }
        }
    }

    /// Waits until all of their threads sleep: then nothing is left to be done that can be done. (Some
    /// servers wake up now and then. Those are not waited for longer than a while.)
    pub fn falls_asleep(&self) {
        let all = self.all();
        let sleeps = || {
            all.iter()
                .all(|pid| threads(*pid).all(|thread| is(&thread, &['S'])))
        };
        soon(|| {
            let was_asleep = sleeps();
            thread::sleep(Duration::from_millis(5));
            was_asleep && sleeps()
        });
    }

    /// This process, and after each of them those that it has started.
    fn all(&self) -> Vec<Pid> {
        let mut all = vec![Pid::from_child(&self.child)];
        let mut next = 0;
        while let Some(&pid) = all.get(next) {
            all.extend(children(pid));
            next += 1;
        }
        all
    }

    /// Whether it has given back its descriptors, as a process does at its end. How it has ended is known a
    /// little later.
    pub fn is_ending(&self) -> bool {
        let open = fs::read_dir(folder(Pid::from_child(&self.child)).join("fd"));
        open.map_or(true, |open| open.count() == 0)
    }

    /// How it has ended, if it has.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end.
    pub fn ended_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.status();
            if status.is_some() || Instant::now() >= deadline {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it has started is in the group of processes that ends with this scenario.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processes that this one has started.
fn children(pid: Pid) -> Vec<Pid> {
    let lists = threads(pid).map(|thread| fs::read_to_string(thread.join("children")));
    let lists: Vec<_> = lists.map_while(Result::ok).collect();
    let numbers = lists.iter().flat_map(|list| list.split_whitespace());
    let numbers = numbers.filter_map(|number| number.parse().ok());
    numbers.filter_map(Pid::from_raw).collect()
}

/// The folders of its threads.
fn threads(pid: Pid) -> impl Iterator<Item = PathBuf> {
    let tasks = fs::read_dir(folder(pid).join("task"));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .map(|task| task.path())
}

fn folder(pid: Pid) -> PathBuf {
    PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()))
}

/// Whether the process or thread of this folder is in one of these states.
fn is(folder: &Path, states: &[char]) -> bool {
    let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
    // The name of the program, in parentheses, may have anything in it.
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    rest.trim_start().starts_with(states)
}

fn has_pending_signals(pid: Pid) -> bool {
    let status = fs::read_to_string(folder(pid).join("status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    pending.is_some_and(|set| set.trim().chars().any(|digit| digit != '0'))
}
