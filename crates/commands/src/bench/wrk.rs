//! Quick clients: the program `wrk`.

use anyhow::{bail, ensure, Context, Result};
use std::{io::ErrorKind, net::SocketAddr, process::Command, time::Duration};

/// How many clients there are.
const CLIENTS: &str = "32";

/// What the clients do when they have an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Then {
    AskAgain,
    ConnectAgain,
}

/// What they have measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    pub requests_per_second: f64,
    pub median: Duration,
    pub percentile_99: Duration,
}

/// Whether it is there.
///
/// # Errors
///
/// When it is not: how to get it.
pub(super) fn find() -> Result<()> {
    match Command::new("wrk").arg("--version").output() {
        Ok(_) => Ok(()), // its status is 1
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there is no `wrk`, which the servers are measured with: install the package `wrk` of \
             Debian or Homebrew, or build it from https://github.com/wg/wrk"
        ),
        Err(error) => Err(error).context("cannot run wrk"),
    }
}

/// Asks for the page `/` again and again.
///
/// # Errors
///
/// When it cannot be run, or was not answered with the page.
pub(super) fn ask(address: SocketAddr, then: Then, seconds: u32) -> Result<Measured> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", CLIENTS, "--latency"]);
    wrk.args(["--duration", &format!("{seconds}s")]);
    if then == Then::ConnectAgain {
        wrk.args(["--header", "Connection: close"]);
    }
    let output = wrk.arg(format!("http://{address}/")).output();
    let output = output.context("cannot run wrk")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk has failed: {printed}");
    understood(&printed).with_context(|| format!("wrk says: {printed}"))
}

/// What it has printed.
fn understood(printed: &str) -> Result<Measured> {
    let value = |name: &str| {
        let mut lines = printed.lines();
        let value = lines.find_map(|line| line.trim().strip_prefix(name));
        value.map(str::trim)
    };
    if let Some(others) = value("Non-2xx or 3xx responses:") {
        bail!("{others} answers were not the page");
    }
    let time = |name| {
        let time = value(name).and_then(time);
        time.with_context(|| format!("there is no time for {name}"))
    };
    let requests_per_second = value("Requests/sec:").and_then(|value| value.parse().ok());
    let requests_per_second = requests_per_second.context("there is no number of requests")?;
    ensure!(requests_per_second > 0.0, "nobody was answered");
    Ok(Measured {
        requests_per_second,
        median: time("50%")?,
        percentile_99: time("99%")?,
    })
}

/// A time such as `1.20ms`.
fn time(written: &str) -> Option<Duration> {
    let unit = written.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = written.split_at(unit);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\
Running 2s test @ http://127.0.0.1:41177/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   262.80us  131.65us   4.82ms   90.37%
    Req/Sec    92.80k     8.03k  109.78k    70.00%
  Latency Distribution
     50%  248.00us
     75%  291.00us
     90%  355.00us
     99%    1.20ms
  184278 requests in 2.00s, 30.93MB read
Requests/sec:  92101.01
Transfer/sec:     15.46MB
";

    #[test]
    fn what_wrk_prints_is_understood() {
        let measured = Measured {
            requests_per_second: 92101.01,
            median: Duration::from_micros(248),
            percentile_99: Duration::from_micros(1200),
        };
        assert_eq!(understood(PRINTED).unwrap(), measured);
    }

    #[test]
    fn what_says_less_or_of_other_answers_is_no_measurement() {
        for (from, to, why) in [
            (
                "Requests/sec:",
                "  Non-2xx or 3xx responses: 7\nRequests/sec:",
                "7 answers",
            ),
            ("92101.01", "0.00", "nobody"),
            ("Requests/sec:", "", "no number"),
            ("     99%", "", "no time for 99%"),
            ("1.20ms", "1.20parsec", "no time for 99%"),
        ] {
            let error = understood(&PRINTED.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn times_have_their_units() {
        assert_eq!(time("248.00us"), Some(Duration::from_micros(248)));
        assert_eq!(time("3.92ms"), Some(Duration::from_micros(3920)));
        assert_eq!(time("1.50s"), Some(Duration::from_millis(1500)));
        assert_eq!(time("1.50m"), Some(Duration::from_secs(90)));
        assert_eq!(time("90.37%"), None);
    }
}
