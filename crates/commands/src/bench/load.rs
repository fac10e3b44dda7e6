//! Measures how long an answer takes when more and more is asked for: a page that keeps one of four
//! workers busy for ten milliseconds, so that they make four hundred a second and no more.
//!
//! Clients do not wait for each other: they come at random, so many a second on average, however the
//! server is doing. The time of each counts from when it was to come, not from when it got to it.

mod plot;

use super::{
    keep, recorded,
    server::{Server, ANY_PORT},
    servers,
};
use crate::progress;
use anyhow::{Context, Result};
use std::{
    fmt::Write as _,
    io::{self, prelude::*, ErrorKind},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// A server: a name, its program with what it is told, and the class of its lines in the plot.
struct Variant {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    class: &'static str,
}

/// Those that are compared.
const VARIANTS: [Variant; 2] = [
    Variant {
        name: "no bound",
        program: "book",
        arguments: &[],
        class: "",
    },
    Variant {
        name: "256 at most",
        program: "book",
        arguments: &["256"],
        class: "bound",
    },
];

/// What takes the time, and how many of it the workers make in a second.
const PATH: &str = "/10ms";
const CAPACITY: u32 = 400;

/// How many clients come in a second, and for how long.
const RATES: [u32; 10] = [50, 100, 200, 300, 350, 400, 450, 500, 600, 800];
const TIME: Duration = Duration::from_secs(3);
/// After this, a client gives up.
const PATIENCE: Duration = Duration::from_secs(2);

/// What becomes of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answered(Duration),
    /// It was turned away, or cut off.
    Refused,
    GaveUp,
}

/// What became of all the clients that came at one rate.
struct Measured {
    variant: usize,
    rate: u32,
    ends: Vec<End>,
}

impl Measured {
    fn count(&self, is_so: impl Fn(&End) -> bool) -> usize {
        self.ends.iter().filter(|end| is_so(end)).count()
    }

    /// So many of a hundred waited no longer, refused ones aside. Whoever gave up would have waited
    /// longer than that, nobody knows how much: there is no such time then.
    fn percentile(&self, percent: usize) -> Option<Duration> {
        let time = |end: &End| match end {
            End::Answered(time) => Some(*time),
            End::GaveUp => Some(Duration::MAX),
            End::Refused => None,
        };
        let mut times: Vec<_> = self.ends.iter().filter_map(time).collect();
        times.sort();
        let time = *times.get(times.len().checked_sub(1)? * percent / 100)?;
        (time < Duration::MAX).then_some(time)
    }
}

/// Measures all of them at each rate.
fn measure(root: &Path) -> Result<Vec<Measured>> {
    let programs = servers::build(root)?;
    let mut all = Vec::new();
    for (variant, of) in VARIANTS.iter().enumerate() {
        for rate in RATES {
            progress::tell(&format!("{}, {rate} requests a second", of.name));
            let mut program = Command::new(programs.join(of.program));
            let server = Server::run(program.arg(ANY_PORT).args(of.arguments))?;
            let ends = clients(server.address, &arrivals(rate, TIME))
                .context("the clients cannot be started")?;
            all.push(Measured {
                variant,
                rate,
                ends,
            });
        }
    }
    Ok(all)
}

/// When clients come, from the start on. The gaps between them are as of clients who know nothing of
/// each other, and the same each time.
fn arrivals(rate: u32, time: Duration) -> Vec<Duration> {
    let mut state: u64 = 20;
    let mut random = || {
        // The generator `splitmix64`, of which 53 bits fit into a float: above 0, up to 1.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
    };
    let mut at = 0.0;
    let mut next = || {
        at -= random().ln() / f64::from(rate);
        Duration::from_secs_f64(at)
    };
    std::iter::from_fn(|| Some(next()).filter(|at| *at < time)).collect()
}

/// A client comes at each of these times, in a thread of its own.
fn clients(address: SocketAddr, arrivals: &[Duration]) -> io::Result<Vec<End>> {
    let start = Instant::now();
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for arrival in arrivals {
            let due = start + *arrival;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let client = thread::Builder::new().stack_size(64 * 1024);
            clients.push(client.spawn_scoped(scope, move || end(address, due, PATIENCE))?);
        }
        let ends = clients.into_iter();
        Ok(ends
            .map(|c| c.join().expect("a client does not panic"))
            .collect())
    })
}

/// What becomes of a client that was to come at `due`.
fn end(address: SocketAddr, due: Instant, patience: Duration) -> End {
    match ask(address, due + patience) {
        Ok(true) => End::Answered(due.elapsed()),
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            End::GaveUp
        }
        Ok(false) | Err(_) => End::Refused,
    }
}

/// Whether the answer is the page.
fn ask(address: SocketAddr, deadline: Instant) -> io::Result<bool> {
    let left = || match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::Error::from(ErrorKind::TimedOut)),
        left => Ok(left),
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut buffer)? {
            0 => return Ok(answer.starts_with(b"HTTP/1.1 200 ")),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
}

fn table(all: &[Measured]) -> String {
    let mut table = String::from(
        "| Queue | Requests a second | median | 99th percentile | answered | refused | given up |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for measured in all {
        let time = |percent| match measured.percentile(percent) {
            Some(time) => format!("{:.0} ms", time.as_secs_f64() * 1e3),
            None => format!("over {} s", PATIENCE.as_secs()),
        };
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} |",
            VARIANTS[measured.variant].name,
            measured.rate,
            time(50),
            time(99),
            measured.count(|end| matches!(end, End::Answered(_))),
            measured.count(|end| *end == End::Refused),
            measured.count(|end| *end == End::GaveUp),
        );
    }
    table
}

/// Measures, and keeps the results.
///
/// # Errors
///
/// When the server cannot be built, or the files cannot be written.
pub(super) fn record(root: &Path) -> Result<()> {
    let measured = measure(root)?;
    keep(root, "bench-load.txt", &recorded(&table(&measured)))?;
    keep(root, "pictures/load.svg", &plot::draw(&measured))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answered(milliseconds: u64) -> End {
        End::Answered(Duration::from_millis(milliseconds))
    }

    #[test]
    fn who_gives_up_counts_among_the_slowest_and_who_is_refused_does_not_count() {
        let mut ends = vec![answered(12), End::GaveUp, answered(10), answered(11)];
        ends.extend([End::Refused; 9]);
        let measured = Measured {
            variant: 0,
            rate: 50,
            ends,
        };
        assert_eq!(measured.percentile(50), Some(Duration::from_millis(11)));
        assert_eq!(measured.percentile(100), None);
        assert_eq!(
            table(&[measured]).lines().last(),
            Some("| no bound | 50 | 11 ms | 12 ms | 3 | 9 | 1 |")
        );
    }

    #[test]
    fn nobody_comes_too_late_and_they_are_as_many_as_was_said() {
        let arrivals = arrivals(1_000, Duration::from_secs(10));
        assert!(arrivals.is_sorted());
        assert!(*arrivals.last().unwrap() < Duration::from_secs(10));
        // A hundred is the standard deviation.
        assert!(arrivals.len().abs_diff(10_000) < 400, "{}", arrivals.len());
        // At random: many are close together, and some gaps are long.
        let gaps = arrivals.windows(2).map(|pair| pair[1] - pair[0]);
        let short = gaps.filter(|gap| *gap < Duration::from_micros(500)).count();
        assert!(short.abs_diff(3_935) < 300, "{short}");
    }

    #[test]
    fn a_client_tells_a_page_from_a_refusal_and_from_silence() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 503 FULL\r\n\r\n"] {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
            listener // who comes now is connected, and not accepted
        });
        let patience = Duration::from_secs(20);
        let due = Instant::now() - Duration::from_secs(1);
        let End::Answered(time) = end(address, due, patience) else {
            panic!("it was answered");
        };
        assert!(
            time >= Duration::from_secs(1),
            "it counts from when it was due"
        );
        assert_eq!(end(address, Instant::now(), patience), End::Refused);
        let listener = server.join().unwrap();
        let impatient = end(address, Instant::now(), Duration::from_millis(50));
        assert_eq!(impatient, End::GaveUp);
        drop(listener);
        assert_eq!(end(address, Instant::now(), patience), End::Refused);
    }
}
