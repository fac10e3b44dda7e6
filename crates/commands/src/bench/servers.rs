//! Measures the book's newest server beside two published ones, which are the programs of
//! `crates/servers`.
//!
//! In each of several rounds each server has its turn, in another order than in the round before:
//! what slows the machine down for a while slows all of them down. A ratio is the median of those of
//! the rounds: there, both were measured within seconds. Where there are few processors, `wrk` takes
//! its share of them: then the processor time tells the servers apart better than their requests do.
//!
//! (`tiny_http` may leave some of the clients waiting that connect at once, as long as others keep
//! their connections. Its numbers are those of the others.)

mod plot;

use super::{
    crowd::{self, Slow},
    keep, recorded,
    server::{Server, ANY_PORT},
    wrk::{self, Measured, Then},
};
use crate::progress;
use anyhow::{ensure, Context, Result};
use book::tables::with_commas;
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// A server, by the name of its program.
struct Peer {
    name: &'static str,
    /// So many files are open in it for each connection.
    files: usize,
}

const fn peer(name: &'static str) -> Peer {
    Peer { name, files: 1 }
}

const SERVERS: [Peer; 3] = [
    peer("axum"),
    Peer {
        files: 2, // one to read, one to write
        ..peer("tiny_http")
    },
    peer("book"),
];
/// The one that the others are compared with.
const PEER: usize = 0;

const ROUNDS: usize = 7;
/// How many clients are idle while others are served, and when the server stops.
const IDLE: usize = 10_000;
const IDLE_AT_STOP: usize = 100;
const SLOW: usize = 1_000;

/// What is measured of a server in a round.
#[derive(Clone, Copy)]
struct Round {
    kept: Measured,
    /// For each request then.
    processor: Duration,
    closed: Measured,
    beside_idle: Measured,
    beside_slow: Measured,
    /// For each idle client, in bytes.
    memory: f64,
    /// From SIGTERM to the end, with all that it waits on purpose.
    stop: Duration,
}

/// Builds the programs, and returns the folder where they are.
///
/// # Errors
///
/// When one does not build.
pub(super) fn build(root: &Path) -> Result<PathBuf> {
    let target = root.join("target/bench");
    progress::tell("they are built, which takes a minute once");
    let built = crate::cargo()
        .args(["build", "--release", "--locked", "--quiet"])
        .args(["--package", "servers"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .context("cannot run cargo")?;
    ensure!(built.success(), "the servers do not build");
    Ok(target.join("release"))
}

/// Measures all of them, and returns a table and a picture.
///
/// # Errors
///
/// When there is no `wrk`, or a server cannot be built, or does not do what it should.
fn measure(root: &Path) -> Result<(String, String)> {
    wrk::find()?;
    let files = crowd::allow_files()?;
    let idle = SERVERS.map(|peer| IDLE.min(files / peer.files));
    let programs = build(root)?;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut measured = BTreeMap::new();
        for turn in 0..SERVERS.len() {
            let index = (round + turn) % SERVERS.len();
            let name = SERVERS[index].name;
            progress::tell(&format!("round {} of {ROUNDS}: {name}", round + 1));
            let of_one = measure_one(&programs, name, idle[index]);
            measured.insert(index, of_one.with_context(|| format!("measuring {name}"))?);
        }
        rounds.push(measured.into_values().collect());
    }
    Ok((table(&rounds), plot::draw(&rounds)))
}

fn measure_one(programs: &Path, name: &str, number: usize) -> Result<Round> {
    let mut server = Server::start(&programs.join(name), ANY_PORT)?;
    let address = server.address;
    let seconds = 2;
    let before = server.processor_time()?;
    let kept = wrk::ask(address, Then::AskAgain, seconds)?;
    let processor = server.processor_time()?.saturating_sub(before);
    let requests = kept.requests_per_second * f64::from(seconds);
    let processor = processor.div_f64(requests);
    let closed = wrk::ask(address, Then::ConnectAgain, 1)?;

    let before = server.memory()?;
    let idle = crowd::idle(number, address)?;
    let memory = server.memory()?.saturating_sub(before) as f64 / number as f64;
    let beside_idle = wrk::ask(address, Then::AskAgain, 1)?;
    drop(idle);
    thread::sleep(Duration::from_millis(200)); // the server sees that they are gone

    let slow = Slow::start(SLOW, address)?;
    let beside_slow = wrk::ask(address, Then::AskAgain, 2)?;
    slow.stop()?;

    let idle = crowd::idle(IDLE_AT_STOP, address)?;
    let start = Instant::now();
    server.signal(Signal::TERM)?;
    server.ended()?;
    let stop = start.elapsed();
    drop(idle);
    Ok(Round {
        kept,
        processor,
        closed,
        beside_idle,
        beside_slow,
        memory,
        stop,
    })
}

/// A row for each thing that is measured: the medians over the rounds, and below each its ratio to
/// the peer's.
fn table(rounds: &[Vec<Round>]) -> String {
    let names = SERVERS.map(|peer| peer.name).join(" | ");
    let mut table = format!("| Median of {} rounds | {names} |\n", rounds.len());
    let _ = writeln!(table, "| --- |{}", " ---: |".repeat(SERVERS.len()));
    let mut row = |what: &str, written: &dyn Fn(f64) -> String, value: &dyn Fn(&Round) -> f64| {
        let cells: Vec<_> = (0..SERVERS.len())
            .map(|of| {
                let all = rounds.iter().map(|round| value(&round[of]));
                let ratios = rounds.iter().map(|r| value(&r[of]) / value(&r[PEER]));
                format!("{}<br>× {:.2}", written(median(all)), median(ratios))
            })
            .collect();
        let _ = writeln!(table, "| {what} | {} |", cells.join(" | "));
    };
    let number = |value: f64| with_commas(value.round() as usize);
    let requests = |value| format!("{} /s", number(value));
    let small = |value: f64| format!("{:.1} µs", value * 1e6);
    let microseconds = |value| format!("{} µs", number(value * 1e6));
    let milliseconds = |value: f64| format!("{:.1} ms", value * 1e3);
    let bytes = |value| format!("{} bytes", number(value));

    row("Requests, connections kept", &requests, &|r| {
        r.kept.requests_per_second
    });
    row("Median time of an answer then", &microseconds, &|r| {
        r.kept.median.as_secs_f64()
    });
    row("99th percentile then", &microseconds, &|r| {
        r.kept.percentile_99.as_secs_f64()
    });
    row("Processor time of a request then", &small, &|r| {
        r.processor.as_secs_f64()
    });
    row("Requests, a connection for each", &requests, &|r| {
        r.closed.requests_per_second
    });
    row("Memory for an idle client", &bytes, &|r| r.memory);
    row("Median beside the idle clients", &microseconds, &|r| {
        r.beside_idle.median.as_secs_f64()
    });
    let slow = with_commas(SLOW);
    row(
        &format!("99th percentile beside {slow} who send a byte a second"),
        &microseconds,
        &|r| r.beside_slow.percentile_99.as_secs_f64(),
    );
    row(
        &format!("SIGTERM to the end, {IDLE_AT_STOP} idle clients"),
        &milliseconds,
        &|r| r.stop.as_secs_f64(),
    );
    table
}

/// The one in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Measures, and keeps the results.
///
/// # Errors
///
/// As [`measure`], and when a file cannot be written.
pub(super) fn record(root: &Path) -> Result<()> {
    let (table, picture) = measure(root)?;
    keep(root, "bench-servers.txt", &recorded(&table))?;
    keep(root, "pictures/beside.svg", &picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is measured of it is in proportion to `factor`.
    pub(super) fn round(factor: f64) -> Round {
        let measured = Measured {
            requests_per_second: 1000.0 * factor,
            median: Duration::from_secs_f64(0.001 * factor),
            percentile_99: Duration::from_secs_f64(0.005 * factor),
        };
        Round {
            kept: measured,
            processor: Duration::from_nanos(6_500).mul_f64(factor),
            closed: measured,
            beside_idle: measured,
            beside_slow: Measured {
                percentile_99: 3 * measured.percentile_99,
                ..measured
            },
            memory: 700.4 * factor,
            stop: Duration::from_secs_f64(0.002 * factor),
        }
    }

    #[test]
    fn a_ratio_is_of_what_was_measured_in_the_same_round() {
        // The machine is slow in the first round. What is twice as much as the peer's stays that.
        let slow = vec![round(1.0), round(2.0), round(1.0)];
        let quick = vec![round(10.0), round(20.0), round(9.0)];
        let other = vec![round(11.0), round(21.0), round(11.0)];
        let table = table(&[slow, quick, other]);

        for expected in [
            "| Median of 3 rounds | axum | tiny_http | book |\n| --- | ---: | ---: | ---: |\n",
            "| Requests, connections kept | 10,000 /s<br>× 1.00 | 20,000 /s<br>× 2.00 | 9,000 /s<br>× 1.00 |\n",
            "| 99th percentile then | 50,000 µs<br>× 1.00 | 100,000 µs<br>× 2.00 | ",
            "| Processor time of a request then | 65.0 µs<br>× 1.00 | 130.0 µs<br>× 2.00 | ",
            "| Memory for an idle client | 7,004 bytes<br>× 1.00 | ",
            "| Median beside the idle clients | 10,000 µs<br>",
            "| SIGTERM to the end, 100 idle clients | 20.0 ms<br>× 1.00 | 40.0 ms<br>× 2.00 | ",
        ] {
            assert!(table.contains(expected), "{table}");
        }
    }

    #[test]
    fn the_median_is_not_the_mean() {
        assert_eq!(median([9.0, 1.0, 2.0].into_iter()), 2.0);
        assert!(median([].into_iter()).is_nan());
    }
}
