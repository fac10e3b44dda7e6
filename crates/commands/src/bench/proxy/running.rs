//! A proxy that runs, and its configuration.

use anyhow::{bail, ensure, Context, Result};
use std::{
    env, fs, io,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Nothing that is waited for takes so long.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// A line of the configuration, and what comes in its place, as an experiment.
pub(super) type Change = (&'static str, &'static str);

/// A configuration of the book with these changes.
///
/// # Errors
///
/// When a line that is to be changed is not there once.
pub(super) fn configuration(root: &Path, file: &str, changes: &[Change]) -> Result<String> {
    let path = root.join(file);
    let mut text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    for (from, to) in changes {
        let times = text.matches(from).count();
        ensure!(times == 1, "{file} has {from:?} {times} times");
        text = text.replacen(from, to, 1);
    }
    Ok(text)
}

/// An address for a proxy: if it may choose a port itself, it does not tell which.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// A proxy in a folder of its own. It ends when this is dropped, and the folder is removed.
pub(super) struct Running {
    child: Child,
    pub(super) folder: PathBuf,
}

impl Running {
    /// Starts a proxy in a new folder, in which the file of this name is its configuration, and waits
    /// until it listens at this address.
    pub(super) fn start(
        command: &mut Command,
        address: SocketAddr,
        name: &str,
        configuration: &str,
    ) -> Result<Running> {
        let folder = new_folder()?;
        fs::write(folder.join(name), configuration)?;
        let log = fs::File::create(folder.join("log"))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let child = child.with_context(|| {
            format!("cannot run {program}; is it on your PATH? (Debian has it in /usr/sbin)")
        })?;
        let mut running = Running { child, folder };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if running.child.try_wait()?.is_some() || start.elapsed() > DEADLINE {
                let log = fs::read_to_string(running.folder.join("log"))?;
                bail!("{program} does not listen at {address}:\n{log}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A folder in the one for temporary files: the name of a socket must not be long.
fn new_folder() -> io::Result<PathBuf> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("book-proxy-{}-{number}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
