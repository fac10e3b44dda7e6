//! The promise: a signal ends a program that has asked for nothing else, but not one that is process
//! 1, as the first program of a container is.
//!
//! Where no program can be given that number, this is counted as ignored.

use crate::support::run;
use libtest_mimic::{Failed, Trial};
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(20);

/// How to start a program as process 1, on Linux, by one who may and by one who may not do all.
const AS_PROCESS_1: [&[&str]; 2] = [
    &["unshare", "--pid", "--fork", "--kill-child"],
    &[
        "unshare",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
    ],
];

/// A shell makes no provisions for this one.
const ASK: &str = "kill -TERM $$; echo alive";

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let works = |way: &&&[&str]| outlives(way, "echo alive").is_ok();
    let way = AS_PROCESS_1.iter().find(works).copied();
    let check = move || {
        if outlives(&[], ASK).is_ok() {
            return Err("the program has outlived the signal".into());
        }
        let way = way.ok_or("no program can be started as process 1")?;
        outlives(way, ASK).map_err(|error| format!("process 1: {error}").into())
    };
    let trial = Trial::test("signals::process_1", check);
    Ok(vec![trial.with_ignored_flag(way.is_none())])
}

/// Whether the shell that is started in this way comes to the end of its commands.
fn outlives(way: &[&str], commands: &str) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"test "$("$@")" = alive"#, "sh"]);
    shell.args(way).args(["sh", "-c", commands]);
    run(shell, DEADLINE)
}
