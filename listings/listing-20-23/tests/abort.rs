//! A panic drops the pool, and at this step the drop panics as well: one panic too many.

use hello::ThreadPool;
use std::{
    env,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_panic_in_main_aborts_the_process() {
    const IN_CHILD: &str = "PANIC_WITH_A_POOL";
    if env::var_os(IN_CHILD).is_some() {
        let _pool = ThreadPool::new(2);
        panic!("main fails");
    }

    // This very test, in a process that may be aborted.
    let mut child = Command::new(env::current_exe().unwrap())
        .env(IN_CHILD, "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            // Long, since a machine may have much else to do.
            None if start.elapsed() > Duration::from_secs(20) => {
                child.kill().unwrap();
                panic!("the process hangs");
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    };

    // A failed test would end the process with status 101.
    assert_ne!(status.code(), Some(101), "the process was not aborted");
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(status.signal(), Some(6), "SIGABRT");
    }
}
