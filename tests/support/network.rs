//! The listings' servers all listen on one port. On Linux, where that is allowed, each test that
//! starts one gets a network of its own, so that none waits for another. Elsewhere they take turns:
//! the lock is a file that the recording of transcripts takes, too.

use super::run_in_time;
use book_commands::transcripts::Port;
use libtest_mimic::Failed;
use std::env;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// In a process with a network of its own: the name of the test that it is to run.
const TEST: &str = "TEST_IN_OWN_NETWORK";

/// The name of the test that this process has a network of its own for.
pub fn asked_for() -> Option<String> {
    env::var(TEST).ok()
}

/// Whose turn it is among the tests of this program.
static OURS: Mutex<()> = Mutex::new(());

/// How to start a command in a network of its own, in which the address 127.0.0.1 works; `None`:
/// this system does not do that, or not for this user.
static ISOLATED: LazyLock<Option<&[&str]>> = LazyLock::new(|| {
    let ways: [&[&str]; 2] = [
        &["unshare", "--net"],
        &["unshare", "--map-root-user", "--net"],
    ];
    let works = |way: &&&[&str]| {
        let mut command = isolated(way);
        command
            .arg("true")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        cfg!(target_os = "linux") && command.status().is_ok_and(|status| status.success())
    };
    ways.into_iter().find(|way| works(&way))
});

fn isolated(way: &[&str]) -> Command {
    let mut command = Command::new(way[0]);
    let bring_up = "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && exec \"$@\"";
    command.args(&way[1..]).args(["sh", "-c", bring_up, "sh"]);
    command.stdin(Stdio::null());
    command
}

/// Runs the test of that name, which uses the port: in a process of its own with a network of its
/// own, or when its turn has come.
pub fn with_port(
    name: &str,
    deadline: Duration,
    test: impl FnOnce() -> Result<(), Failed>,
) -> Result<(), Failed> {
    if asked_for().is_some() {
        return test();
    }
    let Some(way) = *ISOLATED else {
        let _ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
        // The test itself takes the lock. Here it is waited for, and said, while others have it.
        drop(Port::lock().map_err(|error| format!("{error:#}"))?);
        return test();
    };
    // The lock is a file in the folder for temporary files.
    let folder = tempfile::tempdir()?;
    let mut command = isolated(way);
    command.arg(env::current_exe()?);
    command.env(TEST, name).env("TMPDIR", folder.path());
    Ok(run_in_time(command, deadline)?)
}
