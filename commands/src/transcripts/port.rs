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

/// How long another test may keep the port.
const PATIENCE: Duration = Duration::from_secs(120);

/// The right to use the server's port, until this is dropped.
///
/// The listings' own tests take the same file, so that never two servers run at once.
pub(super) struct Port {
    _lock: File,
}

impl Port {
    /// Waits until no other test uses the port.
    pub(super) fn lock() -> Result<Port> {
        let path = env::temp_dir().join("hello-port-7878.lock");
        let lock =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let start = Instant::now();
        while lock.try_lock().is_err() {
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
