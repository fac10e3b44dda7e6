//! Measures what is lost behind HAProxy, or nginx, when two copies of a server are restarted in turns,
//! depending on how a copy ends, and on what HAProxy is told.

mod clients;
mod copies;
mod haproxy;
mod nginx;
mod running;

use super::{keep, recorded};
use crate::progress;
use anyhow::{Context, Result};
use book::tables::with_commas;
use clients::{Asked, Clients};
pub use copies::newest;
use copies::{Copy, End, Kind};
use haproxy::{configuration, Proxy};
use nginx::Nginx;
use running::Change;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// Restarts of each kind, and clients meanwhile: half of them ask for pages, half of them order.
const RESTARTS: usize = 60;
const CLIENTS: usize = 32;
/// How long both copies run between two restarts, and how long one is away.
const BOTH: Duration = Duration::from_millis(150);
const AWAY: Duration = Duration::from_millis(250);

/// When HAProxy is told to send a copy nothing more.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    /// It has to find out.
    Never,
    /// The copy ends when HAProxy has no request with it any more.
    First,
    /// Half a second later than it is decided, as where many are to be told. The copy ends so long after
    /// that decision.
    Late { ends_after: Duration },
}
const LATE: Duration = Duration::from_millis(500);

/// What is measured: its name, and what is different in it.
struct Way {
    name: &'static str,
    kind: Kind,
    end: End,
    told: Told,
    configuration: &'static [Change],
    is_nginx: bool,
}

/// The way that the others differ from.
const TERMINATED: Way = Way {
    name: "20-36",
    kind: Kind::Newest,
    end: End::Terminate,
    told: Told::Never,
    configuration: &[],
    is_nginx: false,
};
const KILLED: Way = Way {
    name: "`kill -9`",
    end: End::Kill,
    ..TERMINATED
};
const DRAINED: Way = Way {
    name: "20-36, drained",
    told: Told::First,
    ..TERMINATED
};

/// With the configuration as it is: what is lost depends on the server.
const SERVERS: [Way; 5] = [
    KILLED,
    Way {
        name: "20-25",
        kind: Kind::ClosesLast,
        ..TERMINATED
    },
    Way {
        name: "axum",
        kind: Kind::Axum,
        ..TERMINATED
    },
    TERMINATED,
    DRAINED,
];

/// What is lost depends on the configuration.
const CONFIGURATIONS: [Way; 7] = [
    Way {
        name: "without `retries`",
        configuration: &[("retries 3", "retries 0")],
        ..TERMINATED
    },
    Way {
        name: "without `redispatch`",
        configuration: &[("option redispatch 1", "no option redispatch")],
        ..TERMINATED
    },
    Way {
        name: "without `check`",
        configuration: &[UNCHECKED],
        ..TERMINATED
    },
    Way {
        name: "`inter 2s`",
        configuration: &[("inter 100ms", "inter 2s")],
        ..TERMINATED
    },
    Way {
        name: "`kill -9`, all again",
        configuration: &[SENT_AGAIN],
        ..KILLED
    },
    Way {
        name: "`kill -9`, only pages again",
        configuration: &[
            SENT_AGAIN,
            (
                "option httpchk",
                "http-request disable-l7-retry unless { method GET HEAD }\n    option httpchk",
            ),
        ],
        ..KILLED
    },
    Way {
        name: "`kill -9`, drained",
        told: Told::First,
        ..KILLED
    },
];
/// nginx asks nobody how they are.
const NGINX: [Way; 4] = [
    Way {
        is_nginx: true,
        ..TERMINATED
    },
    Way {
        name: "without `max_fails=0`",
        is_nginx: true,
        configuration: &[("7879 max_fails=0", "7879"), ("7880 max_fails=0", "7880")],
        ..TERMINATED
    },
    Way {
        is_nginx: true,
        ..KILLED
    },
    Way {
        name: "`kill -9`, all again",
        is_nginx: true,
        configuration: &[(
            "proxy_pass http://copies;",
            "proxy_pass http://copies; proxy_next_upstream error timeout non_idempotent;",
        )],
        ..KILLED
    },
];
/// HAProxy has to be told that it is to send a copy nothing more, and finds nothing out by itself.
const LATE_NEWS: [Way; 2] = [
    Way {
        name: "at once",
        told: Told::Late {
            ends_after: Duration::ZERO,
        },
        configuration: &[("retries 3", "retries 0"), UNCHECKED],
        ..TERMINATED
    },
    Way {
        name: "a second later",
        told: Told::Late {
            ends_after: Duration::from_secs(1),
        },
        configuration: &[("retries 3", "retries 0"), UNCHECKED],
        ..TERMINATED
    },
];
const UNCHECKED: Change = ("check inter 100ms fall 1 rise 1", "weight 1");
const SENT_AGAIN: Change = (
    "retries 3",
    "retries 3\n    retry-on conn-failure empty-response",
);

/// The one that stands in front of the copies.
enum Front {
    HAProxy(Proxy),
    Nginx(Nginx),
}

impl Front {
    fn start(root: &Path, way: &Way, copies: [SocketAddr; 2]) -> Result<Front> {
        Ok(match way.is_nginx {
            true => Front::Nginx(Nginx::start(root, way.configuration, copies)?),
            false => {
                let configuration = configuration(root, way.configuration)?;
                Front::HAProxy(Proxy::start(&configuration, copies)?)
            }
        })
    }

    fn address(&self) -> SocketAddr {
        match self {
            Front::HAProxy(proxy) => proxy.address,
            Front::Nginx(nginx) => nginx.address,
        }
    }

    fn again(&self) -> Result<usize> {
        match self {
            Front::HAProxy(proxy) => Ok(proxy.sees("BACKEND")?.again),
            Front::Nginx(nginx) => nginx.again(),
        }
    }
}

/// Whether there is a proxy of that name to be run: `haproxy` or `nginx`.
pub fn is_there(proxy: &str) -> bool {
    let mut version = Command::new(proxy);
    version
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// What became of the requests.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Pages, and clients without an answer.
    pub pages: usize,
    pub pages_lost: usize,
    /// The same of orders.
    pub orders: usize,
    pub orders_lost: usize,
    /// Of the orders that are lost for the client, those that were done.
    pub done: usize,
    /// Orders that were done twice.
    pub twice: usize,
    /// How often HAProxy tried a request, or a connection, once more.
    pub again: usize,
    /// Answers that took longer than half a second.
    pub slow: usize,
}

/// Restarts two copies so often, in turns, under so many clients.
fn measure(
    root: &Path,
    program: &Path,
    way: &Way,
    restarts: usize,
    clients: usize,
) -> Result<Outcome> {
    let orders = program.with_file_name("orders");
    fs::write(&orders, "").with_context(|| format!("cannot write {}", orders.display()))?;

    let mut copies = [
        Copy::start(program, &orders)?,
        Copy::start(program, &orders)?,
    ];
    let front = Front::start(root, way, copies.each_ref().map(Copy::address))?;
    let clients = Clients::start(clients, front.address());
    for round in 0..restarts {
        let copy = &mut copies[round % 2];
        thread::sleep(BOTH);
        match &front {
            Front::HAProxy(proxy) => restart(copy, ["a", "b"][round % 2], way, proxy)?,
            Front::Nginx(_) => {
                copy.end(way.end)?;
                thread::sleep(AWAY);
                copy.again()?;
            }
        }
    }
    thread::sleep(BOTH);
    let asked = clients.stop();
    let again = front.again()?;
    Ok(outcome(&asked, &fs::read_to_string(&orders)?, again))
}

fn restart(copy: &mut Copy, name: &str, way: &Way, proxy: &Proxy) -> Result<()> {
    let drain = || proxy.tell(&format!("set server copies/{name} state drain"));
    match way.told {
        Told::Never => copy.end(way.end)?,
        Told::First => {
            drain()?;
            proxy.wait_until(name, |seen| seen.requests == 0)?;
            copy.end(way.end)?;
        }
        Told::Late { ends_after } => thread::scope(|scope| {
            let late = scope.spawn(|| {
                thread::sleep(LATE);
                drain()
            });
            thread::sleep(ends_after);
            copy.end(way.end)?;
            late.join().expect("to tell does not panic").map(drop)
        })?,
    }
    thread::sleep(AWAY);
    copy.again()?;
    if way.told != Told::Never {
        proxy.tell(&format!("set server copies/{name} state ready"))?;
    }
    // Without checks, its state is "no check".
    proxy.wait_until(name, |seen| ["UP", "no"].contains(&seen.state.as_str()))
}

/// Compares what clients know with what was done: a line for each order, with the path that was asked
/// for.
fn outcome(asked: &Asked, done: &str, again: usize) -> Outcome {
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for path in done.lines() {
        let number = path.strip_prefix("/order/").and_then(|n| n.parse().ok());
        *times.entry(number.unwrap_or_default()).or_default() += 1;
    }
    let lost = asked.orders.iter().filter(|(_, answered)| !**answered);
    let (orders_lost, done) = (
        lost.clone().count(),
        lost.filter(|(number, _)| times.contains_key(number))
            .count(),
    );
    Outcome {
        pages: asked.answered,
        pages_lost: asked.lost,
        orders: asked.orders.len() - orders_lost,
        orders_lost,
        done,
        twice: times.values().filter(|times| **times > 1).count(),
        again,
        slow: asked.slow,
    }
}

/// How copies are restarted in a test.
pub enum Restarted {
    Killed,
    Drained,
    BehindNginx,
}

/// Restarts two processes of this program, the [`newest`] server, so often, in turns.
///
/// # Errors
///
/// When there is no such proxy, or a server does not do what it should.
pub fn restarted(
    root: &Path,
    program: &Path,
    how: Restarted,
    restarts: usize,
    clients: usize,
) -> Result<Outcome> {
    let way = match how {
        Restarted::Killed => &KILLED,
        Restarted::Drained => &DRAINED,
        Restarted::BehindNginx => &NGINX[0],
    };
    measure(root, program, way, restarts, clients)
}

/// Measures, and keeps the results.
///
/// # Errors
///
/// When there is no HAProxy or nginx, when a server cannot be built or does not do what it should, and when a
/// file cannot be written.
pub(super) fn record(root: &Path) -> Result<()> {
    for (file, ways) in [
        ("bench-proxy.txt", &SERVERS[..]),
        ("bench-proxy-lines.txt", &CONFIGURATIONS[..]),
        ("bench-proxy-nginx.txt", &NGINX[..]),
        ("bench-proxy-late.txt", &LATE_NEWS[..]),
    ] {
        let mut all = Vec::new();
        for way in ways {
            progress::tell(way.name);
            let measured = way.kind.build(root);
            let measured = measured.and_then(|of| measure(root, &of, way, RESTARTS, CLIENTS));
            let outcome = measured.with_context(|| format!("measuring {}", way.name))?;
            all.push((way.name, outcome));
        }
        keep(root, file, &recorded(&table(&all)))?;
    }
    Ok(())
}

fn table(all: &[(&str, Outcome)]) -> String {
    let mut table = format!(
        "| {RESTARTS} restarts | Pages | lost | Orders | lost | done | twice | again | slow |\n\
         | --- |{}\n",
        " ---: |".repeat(8)
    );
    for (name, of) in all {
        let numbers = [
            of.pages,
            of.pages_lost,
            of.orders,
            of.orders_lost,
            of.done,
            of.twice,
            of.again,
            of.slow,
        ];
        let numbers = numbers.map(with_commas).join(" | ");
        let _ = writeln!(table, "| {name} | {numbers} |");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_lost_done_or_done_twice() {
        let asked = Asked {
            orders: [(1, true), (2, true), (3, false), (4, false), (10, true)].into(),
            ..Asked::default()
        };
        let done = "/order/2\n/order/4\n/order/1\n/order/2\n/order/10\n";

        let outcome = outcome(&asked, done, 0);

        let expected = Outcome {
            orders: 3,
            orders_lost: 2,
            done: 1,
            twice: 1,
            ..Outcome::default()
        };
        assert_eq!(outcome, expected);
    }

    #[test]
    fn what_is_changed_in_the_configuration_is_there_once() {
        for way in SERVERS.iter().chain(&CONFIGURATIONS).chain(&LATE_NEWS) {
            let changed = configuration(&book::root(), way.configuration);
            assert!(changed.is_ok(), "{}: {changed:?}", way.name);
        }
    }

    #[test]
    fn what_is_tried_beyond_the_configuration_stands_on_the_page() {
        let shown = fs::read_to_string(book::root().join("recorded/haproxy-again.cfg")).unwrap();
        let own = configuration(&book::root(), &[]).unwrap();
        for way in CONFIGURATIONS
            .iter()
            .filter(|way| way.name.contains("again"))
        {
            let tried = configuration(&book::root(), way.configuration).unwrap();
            let mut more = tried.lines().filter(|line| !own.contains(line));
            assert!(more.clone().count() > 0, "{}", way.name);
            assert!(more.all(|line| shown.contains(line)), "{}", way.name);
        }
    }
}
