use anyhow::{bail, ensure, Context, Result};
use std::{
    env,
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    net::TcpListener,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Where the listings' server listens.
const ADDRESS: &str = "127.0.0.1:7878";

/// How long others may keep the port: as long as all the tests of another copy of the book take.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// From when on it is said what is waited for.
const SILENCE: Duration = Duration::from_secs(10);

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
        let lock = file(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let start = Instant::now();
        let mut next_word = SILENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()))
                }
            }
            let waited = start.elapsed();
            ensure!(
                waited < PATIENCE,
                "another test has held the port for {PATIENCE:?}"
            );
            if waited > next_word {
                next_word += Duration::from_secs(60);
                eprintln!(
                    "waiting for port 7878: other tests have it, and hold {}",
                    path.display()
                );
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

/// The file whose lock stands for the port. All users of the machine share it: one that another has
/// made can be read, and that is enough to lock it.
fn file(path: &Path) -> io::Result<File> {
    let made = || {
        let file = File::create_new(path)?;
        #[cfg(unix)] // for the others, whatever the umask says
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))?;
        Ok(file)
    };
    File::open(path)
        .or_else(|_| made())
        .or_else(|_: io::Error| File::open(path)) // somebody else has made it just now
}
