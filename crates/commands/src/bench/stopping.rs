//! Measures how the server of Listing 20-31 stops, beside two others that stop in other ways.

pub(super) mod clients;

use super::{
    keep, median, recorded,
    server::{build, Change, Server, ANY_PORT},
};
use crate::progress;
use anyhow::{ensure, Result};
use clients::{request, Answers, Clients};
use rustix::process::Signal;
use std::{
    fmt::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const LISTING: &str = "listing-20-31";
const FILE: &str = "src/server.rs";

/// How the servers stop that are compared: a name, and what is changed in the listing for it.
const WAYS: [(&str, &[Change]); 4] = [
    ("this page", &[]),
    // It leaves the loop at once, and its listener goes last.
    ("20-25", &[AT_ONCE, CLOSED_LAST]),
    ("early", &[AT_ONCE]),
    (
        "1 ms late",
        &[(
            FILE,
            CLOSE,
            "thread::sleep(Duration::from_millis(1)); drop(self.listener);",
        )],
    ),
];
const CLOSE: &str = "drop(self.listener);";
pub(super) const CLOSED_LAST: Change = (FILE, CLOSE, "std::mem::forget(self.listener);");
pub(super) const AT_ONCE: Change = (
    FILE,
    "            let error = match self.listener.accept() {",
    "            if stopping { break }\n            let error = match self.listener.accept() {",
);

/// Rounds: of a stop without a connection, of one with a request that takes a second, of twenty
/// clients in the queue, and of a restart under load.
const IDLE: usize = 20;
const BUSY: usize = 5;
const QUEUED: usize = 100;
const RESTARTS: usize = 100;
/// How many clients are in the queue, and how many there are at each restart.
const IN_QUEUE: usize = 20;
const CLIENTS: usize = 32;
/// How long a server serves between two restarts.
const SERVES: Duration = Duration::from_millis(50);

/// What is measured of one of them.
struct Measured {
    name: &'static str,
    idle: Duration,
    busy: Duration,
    complete: usize,
    answers: usize,
    restarts: Answers,
}

/// Measures all of them, and returns a table.
///
/// # Errors
///
/// When a server cannot be built, or does not do what it should.
pub(super) fn measure(root: &Path) -> Result<String> {
    let mut all = Vec::new();
    for (name, changes) in WAYS {
        let mut changes = changes.to_vec();
        // Here, `/sleep` takes one second.
        changes.push(("src/response.rs", "from_secs(5)", "from_secs(1)"));
        let program = build(root, LISTING, name, &changes)?;
        progress::tell(&format!("a server, {name}"));
        let (complete, answers) = queued(&program)?;
        all.push(Measured {
            name,
            idle: rounds(IDLE, || idle(&program))?,
            busy: rounds(BUSY, || busy(&program))?,
            complete,
            answers,
            restarts: on_one_core(|| restarts(&program))?,
        });
    }
    Ok(table(&all))
}

/// From SIGTERM to the end, if nobody is connected.
fn idle(program: &Path) -> Result<Duration> {
    let mut server = Server::start(program, ANY_PORT)?;
    thread::sleep(Duration::from_millis(20)); // its threads have begun to wait
    let start = Instant::now();
    server.signal(Signal::TERM)?;
    server.ended()?;
    Ok(start.elapsed())
}

/// From the answer to the end, if SIGTERM has come while a request was under way.
fn busy(program: &Path) -> Result<Duration> {
    let mut server = Server::start(program, ANY_PORT)?;
    let client = thread::spawn({
        let address = server.address;
        move || (request(address, "/sleep"), Instant::now())
    });
    thread::sleep(Duration::from_millis(500));
    server.signal(Signal::TERM)?;
    server.ended()?;
    let end = Instant::now();
    let (answer, answered) = client.join().expect("a client does not panic");
    ensure!(
        answer.is_ok(),
        "a request that was under way is not answered"
    );
    Ok(end - answered)
}

/// Twenty clients send their requests while the server stands still, and SIGTERM comes before it
/// goes on: in how many rounds all are answered, and how many are.
fn queued(program: &Path) -> Result<(usize, usize)> {
    let (mut complete, mut all) = (0, 0);
    for _ in 0..QUEUED {
        let mut server = Server::start(program, ANY_PORT)?;
        server.signal(Signal::STOP)?;
        let sent: Vec<_> = (0..IN_QUEUE)
            .map(|_| clients::send(server.address, "/"))
            .collect::<std::io::Result<_>>()?;
        server.signal(Signal::TERM)?;
        server.signal(Signal::CONT)?;
        let answers = sent.into_iter().filter_map(|sent| clients::read(sent).ok());
        let answers = answers.count();
        server.ended()?;
        all += answers;
        complete += usize::from(answers == IN_QUEUE);
    }
    Ok((complete, all))
}

/// What becomes of the requests of some clients while the server is restarted again and again.
fn restarts(program: &Path) -> Result<Answers> {
    let mut server = Server::start(program, ANY_PORT)?;
    let clients = Clients::start(CLIENTS, server.address);
    restart(program, &mut server, RESTARTS, SERVES)?;
    Ok(clients.stop())
}

/// So often, asks the server to stop after it has served for some time, and starts it again when it has
/// ended, at the same address.
pub(super) fn restart(
    program: &Path,
    server: &mut Server,
    times: usize,
    serves: Duration,
) -> Result<()> {
    for _ in 0..times {
        thread::sleep(serves);
        server.signal(Signal::TERM)?;
        server.ended()?;
        *server = Server::start(program, &server.address.to_string())?;
    }
    Ok(())
}

/// What `measured` starts runs on one core, where the system allows that.
pub(super) fn on_one_core<T>(measured: impl FnOnce() -> T) -> T {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};
        if let Ok(all) = sched_getaffinity(None) {
            let first = (0..CpuSet::MAX_CPU).find(|&cpu| all.is_set(cpu));
            let mut one = CpuSet::new();
            one.set(first.unwrap_or(0));
            let _ = sched_setaffinity(None, &one);
            let result = measured();
            let _ = sched_setaffinity(None, &all);
            return result;
        }
    }
    measured()
}

/// Measures so often, and returns the time in the middle.
fn rounds(number: usize, measure: impl Fn() -> Result<Duration>) -> Result<Duration> {
    let all = (0..number).map(|_| measure());
    Ok(median(all.collect::<Result<_>>()?))
}

fn table(all: &[Measured]) -> String {
    let mut table = String::new();
    let mut row = |what: &str, cell: &dyn Fn(&Measured) -> String| {
        let cells: Vec<_> = all.iter().map(cell).collect();
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    };
    let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    row("What is measured", &|m| m.name.to_owned());
    row("---", &|_| "---:".to_owned());
    row("SIGTERM to the end, nobody connected", &|m| {
        milliseconds(m.idle)
    });
    row("the last answer to the end", &|m| milliseconds(m.busy));
    row("twenty in the queue, 100 times: all answered", &|m| {
        format!("{} times", m.complete)
    });
    row("answers then, of 2000", &|m| m.answers.to_string());
    row("100 restarts: answered", &|m| {
        m.restarts.answered.to_string()
    });
    row("connected, and lost", &|m| m.restarts.lost.to_string());
    table
}

/// Measures, and keeps the results.
///
/// # Errors
///
/// As [`measure`], and when the file cannot be written.
pub(super) fn record(root: &Path) -> Result<()> {
    keep(root, "bench-stopping.txt", &recorded(&measure(root)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_changed_for_a_comparison_is_there_once() {
        let file = book::root().join("listings").join(LISTING).join(FILE);
        let source = fs::read_to_string(file).unwrap();
        for (name, changes) in WAYS {
            for (_, from, _) in changes {
                assert_eq!(source.matches(from).count(), 1, "{name}: {from}");
            }
        }
    }
}
