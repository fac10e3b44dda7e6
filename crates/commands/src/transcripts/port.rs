use anyhow::{ensure, Context, Result};
use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Where the listings' server listens.
const ADDRESS: &str = "127.0.0.1:7878";
pub(super) const PORT: u16 = 7878;

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
        // To listen there for a moment would tell it, too, and whatever is started meanwhile would have what
        // listens as well, until it is another program.
        let connected = TcpStream::connect_timeout(&ADDRESS.parse()?, SILENCE);
        ensure!(
            connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused),
            "{ADDRESS} is taken: another program listens there. End it and run the tests again."
        );
        Ok(Port { _lock: lock })
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

/// How many connections to this port have been accepted, and have nothing more to be read. `None`: this
/// system does not tell.
pub(super) fn accepted(port: u16) -> Option<usize> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let local_end = format!(":{port:04X}");
    let is_accepted = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // State 1 is a connection. One that nobody has accepted has no file yet.
        matches!(fields[..], [_, local, _, "01", queues, _, _, _, _, file, ..]
            if local.ends_with(&local_end) && queues.ends_with(":00000000") && file != "0")
    };
    Some(table.lines().filter(is_accepted).count())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn who_waits_in_the_queue_or_is_not_read_is_not_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is = |number| {
            let start = Instant::now();
            while accepted(address.port()) != Some(number) {
                assert!(start.elapsed() < Duration::from_secs(20), "not {number}");
                thread::sleep(Duration::from_millis(1));
            }
        };
        let [mut one, _other] = [0; 2].map(|_| TcpStream::connect(address).unwrap());
        is(0);
        let (mut server, _) = listener.accept().unwrap();
        is(1);
        one.write_all(b"?").unwrap();
        is(0);
        server.read_exact(&mut [0]).unwrap();
        is(1);
    }
}
