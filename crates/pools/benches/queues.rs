//! Where the time goes between `execute` and the first line of a job: the book's pool with a channel
//! behind a lock, beside the one with a queue of its own and a condition variable.
//!
//! There are several rounds, and in each one every pool has its turn, in another order than in the
//! round before. If `RECORD` names a folder, the medians over all rounds are written there.

use pools::Pool;
use std::io::{self, Read, Write};
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

#[allow(dead_code, missing_docs, unused_imports)]
mod channel {
    include!(concat!(env!("OUT_DIR"), "/silent.rs"));
}

#[allow(dead_code, missing_docs, unused_imports)]
mod queue {
    include!(concat!(env!("OUT_DIR"), "/queue-silent.rs"));
}

macro_rules! book {
    ($module:ident, $name:literal) => {
        impl Pool for $module::ThreadPool {
            const NAME: &'static str = $name;

            fn new(workers: usize) -> Self {
                Self::new(workers)
            }

            fn execute(&self, job: impl FnOnce() + Send + 'static) {
                Self::execute(self, job);
            }
        }
    };
}

book!(channel, "a channel behind a lock");
book!(queue, "a queue of its own");

const ROUNDS: usize = 21;

/// One measure of one pool, in nanoseconds.
type Measure = fn() -> Vec<f64>;

struct Row {
    title: &'static str,
    /// Of a hundred samples, so many are less than what is shown.
    percent: usize,
    nanoseconds: f64,
    unit: &'static str,
    of: [Measure; 3],
}

macro_rules! row {
    ($title:literal, $percent:literal, $nanoseconds:literal, $unit:literal, $measure:ident($($argument:expr),*)) => {
        Row {
            title: $title,
            percent: $percent,
            nanoseconds: $nanoseconds,
            unit: $unit,
            of: [
                || $measure::<channel::ThreadPool>($($argument),*),
                || $measure::<queue::ThreadPool>($($argument),*),
                || $measure::<tokio::runtime::Runtime>($($argument),*),
            ],
        }
    };
}

fn main() {
    let rows = [
        row!(
            "A job for one idle worker",
            50,
            1e3,
            "µs",
            hand_off(1, false)
        ),
        row!(
            "A job for one of two idle workers",
            50,
            1e3,
            "µs",
            hand_off(2, false)
        ),
        row!(
            "A job for one of four idle workers",
            50,
            1e3,
            "µs",
            hand_off(4, false)
        ),
        row!(
            "The same, 99th percentile",
            99,
            1e3,
            "µs",
            hand_off(4, false)
        ),
        row!(
            "The same, and a line in a pipe for each job",
            50,
            1e3,
            "µs",
            hand_off(4, true)
        ),
        row!(
            "The same, 99th percentile",
            99,
            1e3,
            "µs",
            hand_off(4, true)
        ),
        row!(
            "A job of many that do nothing, 2 workers",
            50,
            1.0,
            "ns",
            many(2, 10_000, 0)
        ),
        row!(
            "A job of many that do nothing, 4 workers",
            50,
            1.0,
            "ns",
            many(4, 10_000, 0)
        ),
        row!(
            "A job of many that take 10 µs, 2 workers",
            50,
            1e3,
            "µs",
            many(2, 500, 10)
        ),
    ];
    let names = [
        channel::ThreadPool::NAME,
        queue::ThreadPool::NAME,
        tokio::runtime::Runtime::NAME,
    ];

    let mut table = String::from(
        "Measured by `cargo book bench`: not to be edited, but measured again.\n\n\
         ANCHOR: table\n",
    );
    table += &format!(
        "| Median of | {} |\n|---|---:|---:|---:|\n",
        names.join(" | ")
    );
    for row in rows {
        let mut samples = [const { Vec::new() }; 3];
        for round in 0..ROUNDS {
            for turn in 0..row.of.len() {
                let pool = (round + turn) % row.of.len();
                samples[pool].extend(row.of[pool]());
            }
        }
        let values = samples.map(|mut samples| {
            samples.sort_by(f64::total_cmp);
            samples[(samples.len() - 1) * row.percent / 100] / row.nanoseconds
        });
        let cells = values.map(|value| {
            let digits = if value < 100.0 { 1 } else { 0 };
            let ratio = value / values[0];
            format!("{value:.digits$} {}<br>× {ratio:.2}", row.unit)
        });
        let line = format!("| {} | {} |\n", row.title, cells.join(" | "));
        eprint!("{line}");
        table += &line;
    }
    table += "ANCHOR_END: table\n";
    if let Some(folder) = env::var_os("RECORD") {
        let file = std::path::Path::new(&folder).join("bench-queues.txt");
        fs::write(file, table).expect("the file can be written");
    }
}

/// The times until a job begins when all workers are idle. (tokio has one: it starts another only when
/// none is idle.) With a line, the job's worker first writes one, to a pipe that is read.
fn hand_off<P: Pool>(workers: usize, line: bool) -> Vec<f64> {
    let pool = P::new(workers);
    let (mut reader, writer) = io::pipe().expect("there can be a pipe");
    let writer = Arc::new(writer);
    let reads = thread::spawn(move || while matches!(reader.read(&mut [0; 4096]), Ok(1..)) {});
    let (sender, receiver) = mpsc::channel();
    let sample = |_| {
        // Long enough for every worker to wait for jobs again.
        thread::sleep(Duration::from_micros(200));
        let (sender, writer) = (sender.clone(), Arc::clone(&writer));
        let start = Instant::now();
        pool.execute(move || {
            if line {
                let _ = (&*writer).write_all(b"Worker 0 got a job; executing.\n");
            }
            let _ = sender.send(start.elapsed().as_nanos() as f64);
        });
        receiver.recv().expect("the job is run")
    };
    let samples = (0..150).map(sample).collect();
    drop(pool); // and with it all that could be written by
    drop(writer);
    reads.join().expect("it reads to the end");
    samples
}

/// The times for each job, of many that are queued by one thread.
fn many<P: Pool>(workers: usize, jobs: u32, takes: u64) -> Vec<f64> {
    let pool = P::new(workers);
    let takes = Duration::from_micros(takes);
    let sample = |_| {
        let (sender, receiver) = mpsc::channel::<()>();
        let start = Instant::now();
        for _ in 0..jobs {
            let sender = sender.clone();
            pool.execute(move || {
                let start = Instant::now();
                while !takes.is_zero() && start.elapsed() < takes {}
                drop(sender);
            });
        }
        drop(sender);
        // Every job holds a sender. The channel closes when the last one has run.
        let _ = receiver.recv();
        (start.elapsed() / jobs).as_nanos() as f64
    };
    (0..5).map(sample).collect()
}
