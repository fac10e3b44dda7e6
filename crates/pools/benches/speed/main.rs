//! What the pools cost, all in one run.
//!
//! There are several rounds, and in each one every pool has its turn, in another order than
//! in the round before: what slows the machine down for a while slows all pools down. If
//! `RECORD` names the folder of the book's pages, the medians over all rounds are written
//! there, as a table and as pictures.

mod record;

use criterion::{Criterion, SamplingMode};
use pools::Pool;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc};
use std::time::{Duration, Instant};
use std::{env, mem, thread};

#[allow(dead_code, missing_docs, unused_imports)]
mod silent {
    include!(concat!(env!("OUT_DIR"), "/silent.rs"));
}

/// The book's pool, without what it prints.
impl Pool for silent::ThreadPool {
    const NAME: &'static str = record::BOOK;

    fn new(workers: usize) -> Self {
        Self::new(workers)
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        Self::execute(self, job);
    }
}

const ROUNDS: usize = 5;
const QUEUED_JOBS: u32 = 10_000;
const CLIENTS: usize = 4;
const SLOW: Duration = Duration::from_millis(1);

/// One measure of one pool: takes so many samples, and returns them.
type Measure = fn(u64) -> Vec<Duration>;

struct Contender {
    name: &'static str,
    measures: [(&'static str, Measure); 5],
}

fn contender<P: Pool>() -> Contender {
    Contender {
        name: P::NAME,
        measures: [
            (record::QUEUE_2, |samples| queue::<P>(2, samples)),
            (record::QUEUE_4, |samples| queue::<P>(4, samples)),
            (record::HAND_OFF, hand_off::<P>),
            (record::HTTP, |samples| {
                http(accept_with_pool::<P>, Duration::ZERO, samples)
            }),
            (record::HTTP_SLOW, |samples| {
                http(accept_with_pool::<P>, SLOW, samples)
            }),
        ],
    }
}

fn main() {
    let pools = [
        contender::<silent::ThreadPool>(),
        contender::<threadpool::ThreadPool>(),
        contender::<rayon::ThreadPool>(),
        contender::<futures_executor::ThreadPool>(),
        contender::<tokio::runtime::Runtime>(),
    ];
    let mut contenders: Vec<(&str, &str, Measure)> = vec![
        (record::HTTP, record::NO_POOL, |samples| {
            http(accept_alone, Duration::ZERO, samples)
        }),
        (record::HTTP_SLOW, record::NO_POOL, |samples| {
            http(accept_alone, SLOW, samples)
        }),
    ];
    for pool in &pools {
        let measures = pool.measures.iter();
        contenders.extend(measures.map(|&(measure, take)| (measure, pool.name, take)));
    }
    contenders.sort_by_key(|(measure, ..)| *measure);

    let mut criterion = Criterion::default()
        .without_plots()
        .sample_size(10)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(250))
        .configure_from_args();
    let mut samples = record::Samples::new();
    for round in 0..ROUNDS {
        for of_one_measure in contenders.chunk_by(|a, b| a.0 == b.0) {
            for turn in 0..of_one_measure.len() {
                let (measure, pool, take) = of_one_measure[(round + turn) % of_one_measure.len()];
                let all = samples.entry((measure, pool)).or_default();
                let mut group = criterion.benchmark_group(measure);
                group.sampling_mode(SamplingMode::Flat);
                group.bench_function(format!("{pool}, round {round}"), |bencher| {
                    bencher.iter_custom(|iterations| {
                        let taken = take(iterations);
                        let total = taken.iter().sum();
                        all.extend(taken);
                        total
                    });
                });
            }
        }
    }
    criterion.final_summary();

    if let Some(folder) = env::var_os("RECORD") {
        record::write(folder.as_ref(), &samples).expect("the pages can be written");
    }
}

/// The time for each job, of many that are queued by one thread and do next to nothing.
fn queue<P: Pool>(workers: usize, samples: u64) -> Vec<Duration> {
    let pool = P::new(workers);
    let sample = |_| {
        let (sender, receiver) = mpsc::channel::<()>();
        let start = Instant::now();
        for _ in 0..QUEUED_JOBS {
            let sender = sender.clone();
            pool.execute(move || drop(sender));
        }
        drop(sender);
        // Every job holds a sender. The channel closes when the last one has run.
        let _ = receiver.recv();
        start.elapsed() / QUEUED_JOBS
    };
    (0..samples).map(sample).collect()
}

/// The time until a job begins when all workers are idle: four, but for tokio, which starts a
/// thread only when none is idle, and so has one here.
fn hand_off<P: Pool>(samples: u64) -> Vec<Duration> {
    let pool = P::new(4);
    let (sender, receiver) = mpsc::channel();
    let sample = |_| {
        // Long enough for every worker to wait for jobs again.
        thread::sleep(Duration::from_micros(200));
        let sender = sender.clone();
        let start = Instant::now();
        pool.execute(move || {
            let _ = sender.send(start.elapsed());
        });
        receiver.recv().expect("the job is run")
    };
    (0..samples).map(sample).collect()
}

/// Accepts connections until the flag is set, and has each one answered after a pause.
type Accept = fn(TcpListener, Arc<AtomicBool>, Duration);

fn accept_alone(listener: TcpListener, stop: Arc<AtomicBool>, pause: Duration) {
    for stream in listener.incoming().map_while(Result::ok) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let _ = answer(stream, pause);
    }
}

fn accept_with_pool<P: Pool>(listener: TcpListener, stop: Arc<AtomicBool>, pause: Duration) {
    let pool = P::new(4);
    for stream in listener.incoming().map_while(Result::ok) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        pool.execute(move || {
            let _ = answer(stream, pause);
        });
    }
}

fn answer(mut stream: TcpStream, pause: Duration) -> io::Result<()> {
    let lines = BufReader::new(&stream).lines();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    if !pause.is_zero() {
        thread::sleep(pause);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK")
}

fn request(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    assert!(
        response.ends_with("\r\n\r\nOK"),
        "the response is not complete: {response:?}"
    );
    Ok(())
}

/// The time for each request: how long so many take from four clients, divided by their
/// number. One second divided by it is the number of requests per second.
fn http(accept: Accept, pause: Duration, samples: u64) -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let stop = Arc::new(AtomicBool::new(false));
    let stop_server = Arc::clone(&stop);
    let server = thread::spawn(move || accept(listener, stop_server, pause));

    let sample = |_| {
        const REQUESTS: usize = 25;
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    for _ in 0..REQUESTS {
                        request(address).expect("the server answers");
                    }
                });
            }
        });
        start.elapsed() / (CLIENTS * REQUESTS) as u32
    };
    let taken = (0..samples).map(sample).collect();

    stop.store(true, Ordering::Relaxed);
    mem::drop(TcpStream::connect(address));
    server.join().expect("the server ends");
    taken
}
