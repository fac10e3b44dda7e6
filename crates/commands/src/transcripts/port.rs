use anyhow::{bail, Context, Result};
use std::{
    env,
    fs::File,
    io::ErrorKind,
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

/// Where the listings' server listens.
const ADDRESS: &str = "127.0.0.1:7878";

/// How long others may keep the port: as long as all the tests of another copy of the book take.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// From when on it is said what is waited for.
const SILENCE: Duration = Duration::from_secs(5);

/// The right to use the server's port, until this is dropped.
///
/// The listings' own tests take the same file, so that never two servers run at once.
pub struct Port {
    _lock: File,
}

impl Port {
    /// Waits until no other test uses the port, and says so if that takes some seconds.
    ///
    /// # Errors
    ///
    /// When another test keeps it for too long, and when another program has it.
    pub fn lock() -> Result<Port> {
        let path = env::temp_dir().join("hello-port-7878.lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let start = Instant::now();
        let mut said = false;
        while lock.try_lock().is_err() {
            if !said && start.elapsed() > SILENCE {
                said = true;
                eprintln!(
                    "waiting for port 7878: other tests use it, and hold {}",
                    path.display()
                );
            }
            if start.elapsed() > PATIENCE {
                bail!("another test has held the port for {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        match TcpListener::bind(ADDRESS) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "{ADDRESS} is taken: another program listens there. End it and run the tests again."
            ),
            Err(error) => Err(error).with_context(|| format!("cannot listen on {ADDRESS}")),
            Ok(_) => Ok(Port { _lock: lock }),
        }
    }
}
