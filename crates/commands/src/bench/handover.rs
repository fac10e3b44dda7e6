//! Measures what clients see of a new server in place of an old one: with Listing 20-35, where the next one
//! is started when it has ended, and with Listing 20-36, whose socket outlives it.

use super::{
    keep, recorded,
    server::{build, Server, ANY_PORT},
    stopping::{
        clients::{Answers, Clients},
        on_one_core, restart,
    },
};
use crate::progress;
use anyhow::{ensure, Context, Result};
use book::tables::with_commas;
use rustix::process::Signal;
use std::{
    fmt::Write as _,
    path::Path,
    process::Command,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

const RESTARTED: &str = "listing-20-35";
const HANDED: &str = "listing-20-36";

/// How often a new server takes over, and from how many clients each time.
const TIMES: usize = 100;
const CLIENTS: usize = 32;
/// How long a server serves alone.
const SERVES: Duration = Duration::from_millis(150);
/// The fewest answers that say anything of what is rare.
const FEWEST: usize = 100_000;

/// No handover takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// Measures, and keeps the results.
///
/// # Errors
///
/// When a server cannot be built, or does not do what it should, and when the file cannot be written.
pub(super) fn record(root: &Path) -> Result<()> {
    let restarted = build(root, RESTARTED, "restarted", &[])?;
    let handed = build(root, HANDED, "handed on", &[])?;
    // How many are answered depends on how long it takes, and a restart of so many takes longer.
    let mut table = format!(
        "| {TIMES} times, {CLIENTS} clients, at least {} answers each | Refused | Lost |\n\
         | --- | ---: | ---: |\n",
        with_commas(FEWEST)
    );
    for (stay, clients) in [
        (false, "a connection for each request"),
        (true, "connections that stay"),
    ] {
        progress::tell(clients);
        let rows = [
            ("restarted", on_one_core(|| restarts(&restarted, stay))?),
            ("handed on", on_one_core(|| handovers(&handed, stay))?),
        ];
        for (way, answers) in rows {
            let Answers {
                answered,
                refused,
                lost,
            } = answers;
            ensure!(
                answered >= FEWEST,
                "{way}, {clients}: only {answered} answers"
            );
            let (refused, lost) = (with_commas(refused), with_commas(lost));
            let _ = writeln!(table, "| {way}, {clients} | {refused} | {lost} |");
        }
    }
    keep(root, "bench-handover.txt", &recorded(&table))
}

/// The old one is asked to stop, and when it has ended, the new one is started.
fn restarts(program: &Path, stay: bool) -> Result<Answers> {
    let mut server = Server::start(program, ANY_PORT)?;
    let clients = Clients::start_with(stay, CLIENTS, server.address);
    restart(program, &mut server, TIMES, SERVES)?;
    thread::sleep(SERVES);
    Ok(clients.stop())
}

/// The supervisor is asked for a new one, which gets the socket.
fn handovers(program: &Path, stay: bool) -> Result<Answers> {
    let (tell, said) = mpsc::channel();
    let mut command = Command::new(program.with_file_name("supervisor"));
    command.arg(ANY_PORT).arg(program).arg("--inherit");
    let supervisor = Server::run_heard(&mut command, move |line| {
        let _ = tell.send(line); // an error: that is enough
    })?;
    until(&said, "server 1 is ready")?;
    let clients = Clients::start_with(stay, CLIENTS, supervisor.address);
    for old in 1..=TIMES {
        thread::sleep(SERVES);
        supervisor.signal(Signal::HUP)?;
        until(&said, &format!("server {} is ready", old + 1))?;
        until(&said, &format!("server {old} has ended: exit status: 0"))?;
    }
    thread::sleep(SERVES);
    Ok(clients.stop())
}

fn until(said: &Receiver<String>, line: &str) -> Result<()> {
    loop {
        let next = said.recv_timeout(DEADLINE);
        if next.with_context(|| format!("the supervisor has not said {line:?}"))? == line {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// What the page says of its table, which shows what was recorded.
    #[test]
    fn in_what_was_recorded_only_a_restart_refuses() {
        let file = book::root().join("recorded/bench-handover.txt");
        let recorded = fs::read_to_string(file).unwrap();
        let rows = |way: &str| -> Vec<Vec<usize>> {
            let rows = recorded
                .lines()
                .filter(|row| row.starts_with(&format!("| {way}")));
            rows.map(|row| row.split(" | ").skip(1).map(number).collect())
                .collect()
        };
        // As many as there have to be, or it is not recorded.
        assert!(recorded.contains("| 100 times, 32 clients, at least 100,000 answers each |"));
        assert_eq!((TIMES, CLIENTS, FEWEST), (100, 32, 100_000));
        let (restarted, handed) = (rows("restarted"), rows("handed on"));
        assert_eq!(handed, [[0, 0], [0, 0]]);
        assert_eq!(restarted.len(), 2);
        // Whether one of them loses somebody as well is chance.
        assert!(restarted.iter().all(|row| row[0] > 0));
    }

    fn number(cell: &str) -> usize {
        cell.trim_end_matches(" |")
            .replace(',', "")
            .parse()
            .unwrap()
    }
}
