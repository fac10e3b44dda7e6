//! Servers of the listings, built as they are measured, and their processes.

use crate::transcripts;
use anyhow::{bail, ensure, Context, Result};
use book::transcripts::Edit;
use rustix::process::{kill_process, Pid, Signal};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// Where a server listens that may choose its port.
pub(super) const ANY_PORT: &str = "127.0.0.1:0";

/// In a file of a listing, a text and what comes in its place.
pub(super) type Change = (&'static str, &'static str, &'static str);

/// Makes a folder a copy of the listing with these changes.
pub(super) fn copy(root: &Path, listing: &str, folder: &Path, changes: &[Change]) -> Result<()> {
    let edits: Vec<_> = changes
        .iter()
        .map(|&(file, from, to)| Edit {
            file: file.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
        .collect();
    transcripts::sync(&root.join("listings").join(listing), folder, &edits)
}

/// Builds a copy of the listing with these changes, and returns the program.
pub(super) fn build(root: &Path, listing: &str, name: &str, changes: &[Change]) -> Result<PathBuf> {
    let folder = root
        .join("target/bench/listings")
        .join(name.replace(' ', "-"));
    copy(root, listing, &folder, changes)?;
    let built = crate::cargo()
        .args(["build", "--release", "--locked", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("CARGO_BUILD_TARGET") // it would add a folder to the path of the program
        .status()
        .context("cannot run cargo")?;
    ensure!(
        built.success(),
        "the server in {} does not build",
        folder.display()
    );
    Ok(folder.join("target/release/hello"))
}

/// No server takes so long to stop.
const DEADLINE: Duration = Duration::from_secs(20);

/// A server, which is killed when this is dropped.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    /// Nothing is sent here: it is closed when the server says nothing more, as it has ended.
    says: Receiver<()>,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(super) fn start(program: &Path, address: &str) -> Result<Server> {
        Server::run(Command::new(program).arg(address))
    }

    /// The same for a program that has more to be told.
    pub(super) fn run(command: &mut Command) -> Result<Server> {
        Server::run_heard(command, |_| {})
    }

    /// The same, and somebody hears each line that it says from then on.
    pub(super) fn run_heard(
        command: &mut Command,
        mut hear: impl FnMut(String) + Send + 'static,
    ) -> Result<Server> {
        let program = Path::new(command.get_program()).to_owned();
        let folder = program.ancestors().nth(3).context("it is in its folder")?;
        let mut child = command
            .current_dir(folder) // where its pages are
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        let mut line = String::new();
        let mut said = BufReader::new(child.stderr.take().context("a pipe")?);
        said.read_line(&mut line)?;
        // What else it says is read in any case, so that it can go on.
        let (open, says) = mpsc::channel();
        thread::spawn(move || {
            let _open = open;
            for line in said.lines().map_while(Result::ok) {
                hear(line);
            }
        });
        let address = line.trim().strip_prefix("listening on ");
        match address.and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Server {
                child,
                address,
                says,
            }),
            None => {
                let _ = child.kill();
                bail!("the server does not listen: {line}")
            }
        }
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Ends it at once, by SIGKILL.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The memory that it has, in bytes.
    pub(super) fn memory(&self) -> Result<u64> {
        resident(&self.proc("status")?).context("Linux does not say what memory it has")
    }

    /// The time that processors have spent on it.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        processor_time(&self.proc("stat")?).context("Linux does not say how long it has run")
    }

    fn proc(&self, file: &str) -> Result<String> {
        let file = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&file).with_context(|| format!("{file}, as Linux has it, is not there"))
    }

    /// Waits for its end.
    pub(super) fn ended(&mut self) -> Result<()> {
        let says = self.says.recv_timeout(DEADLINE);
        let is_late = says == Err(RecvTimeoutError::Timeout);
        ensure!(!is_late, "the server has not stopped after {DEADLINE:?}");
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the file `status` of a process says of its memory, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// What the file `stat` of a process says of its time, its own and the system's on its behalf.
fn processor_time(stat: &str) -> Option<Duration> {
    // So long for programs, on every machine.
    const TICK: Duration = Duration::from_millis(10);
    // The name of the program, in parentheses, may have anything in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
    Some(TICK * (ticks(11)? + ticks(12)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_process_is_what_it_has_and_not_what_it_had() {
        let status = "Name:\tbook\nVmHWM:\t    4000 kB\nVmRSS:\t    2640 kB\nThreads:\t5\n";
        assert_eq!(resident(status), Some(2640 * 1024));
        assert_eq!(resident("Name:\tbook\n"), None);
    }

    #[test]
    fn the_time_of_a_process_is_its_own_and_that_of_the_system() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 150 250 17 18 20 0 5 0 6 7 8";
        assert_eq!(processor_time(stat), Some(Duration::from_secs(4)));
        assert_eq!(processor_time("7 (book) S 1"), None);
    }
}
