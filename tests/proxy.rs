//! The promise: two copies of the newest server are restarted in turns behind HAProxy, and behind nginx,
//! with the configurations that the page shows, and no request is lost or done twice, but for an order
//! behind nginx. And what the page says of its tables stands in them, when they are measured anew.
//!
//! In full it is measured by `cargo book bench proxy`. Where a proxy is not there, its restarts are
//! counted as ignored, and that is said; in CI they fail.

use crate::support::cargo::{building, cargo, copies};
use crate::support::{report, told, turns::turn};
use book_commands::bench::proxy::{is_there, newest, restarted, Outcome, Restarted};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let skip = |proxy| {
        let skip = !is_there(proxy) && env::var_os("CI").is_none();
        if skip {
            eprintln!("no restart behind {proxy} is tried: install it for that");
        }
        skip
    };
    Ok(vec![
        Trial::test("listing-20-36::proxy::restarts", check_restarts)
            .with_ignored_flag(skip("haproxy")),
        Trial::test("listing-20-36::proxy::nginx", check_nginx).with_ignored_flag(skip("nginx")),
        Trial::test("listing-20-36::proxy::measured", check_measured),
    ])
}

fn ended(how: Restarted, restarts: usize, clients: usize) -> Result<Outcome, Failed> {
    let folder = copies().join("proxy");
    newest(&book::root(), &folder).map_err(told)?;
    let target = folder.join("target");
    building(&folder, &target, || {
        cargo(&folder, &target, &["build", "--locked"])
    })?;
    let program = target.join("debug/hello");
    restarted(&book::root(), &program, how, restarts, clients).map_err(told)
}

/// They build and change the same folder.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn check_nginx() -> Result<(), Failed> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _turn = turn();
    let ended = ended(Restarted::BehindNginx, 4, 8)?;
    match ended.pages_lost + ended.twice > 0 || ended.pages == 0 || ended.orders == 0 {
        true => Err(format!("behind nginx, restarts are not as the page says: {ended:?}").into()),
        false => Ok(()),
    }
}

fn check_restarts() -> Result<(), Failed> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _turn = turn();
    // Whoever is to see that nothing is lost has to see it when something is. There are so many clients
    // that each copy is at work whenever it is killed.
    let killed = ended(Restarted::Killed, 3, 32)?;
    let drained = ended(Restarted::Drained, 4, 8)?;

    let mut problems = Vec::new();
    if killed.pages_lost + killed.orders_lost == 0 {
        problems.push(format!("nothing is lost if copies are killed: {killed:?}"));
    }
    if killed.twice > 0 {
        problems.push(format!("an order was done twice: {killed:?}"));
    }
    let lost = drained.pages_lost + drained.orders_lost + drained.twice + drained.again;
    if lost > 0 || drained.pages == 0 || drained.orders == 0 {
        problems.push(format!(
            "drained, restarts are not without a loss: {drained:?}"
        ));
    }
    report(problems)
}

/// A table: its rows by their names, each with its numbers by the names of the columns.
type Table = BTreeMap<String, BTreeMap<String, usize>>;

/// Reads the table of a recording. A name that stands twice means the second time what is lost of the
/// orders.
fn read(file: &str) -> Result<Table, Failed> {
    let text = fs::read_to_string(book::root().join("recorded").join(file))?;
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = text.lines().filter(|line| line.starts_with('|')).map(cells);
    let columns = lines.next().ok_or("there is no table")?;
    let mut table = Table::new();
    for row in lines.skip(1) {
        let mut numbers = BTreeMap::new();
        for (column, cell) in columns.iter().zip(&row).skip(1) {
            let number = cell.replace(',', "").parse()?;
            let column = match numbers.contains_key(column) {
                true => format!("orders {column}"),
                false => column.clone(),
            };
            numbers.insert(column, number);
        }
        table.insert(row[0].clone(), numbers);
    }
    Ok(table)
}

/// What the pages say in words of a row: in which columns there is nothing, and in which something.
struct Claim {
    file: &'static str,
    row: &'static str,
    none: &'static [&'static str],
    some: &'static [&'static str],
}

/// Of a way that loses nothing.
const LOST: &[&str] = &["lost", "orders lost", "twice"];

const CLAIMS: &[Claim] = &[
    Claim {
        file: "bench-proxy.txt",
        row: "`kill -9`",
        none: &["twice"],
        some: &["lost", "orders lost", "done"],
    },
    Claim {
        file: "bench-proxy.txt",
        row: "20-25",
        none: &["done"],
        some: &["lost", "orders lost"],
    },
    Claim {
        file: "bench-proxy.txt",
        row: "axum",
        none: &["done", "twice"],
        some: &["lost"],
    },
    Claim {
        file: "bench-proxy.txt",
        row: "20-36",
        none: LOST,
        some: &["again"],
    },
    Claim {
        file: "bench-proxy.txt",
        row: "20-36, drained",
        none: &["lost", "orders lost", "twice", "again", "slow"],
        some: &[],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "without `retries`",
        none: &["again"],
        some: &["lost", "orders lost"],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "without `redispatch`",
        none: &[],
        some: &["slow"],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "without `check`",
        none: LOST,
        some: &["again"],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "`inter 2s`",
        none: LOST,
        some: &["again"],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "`kill -9`, all again",
        none: &["lost", "orders lost"],
        some: &["twice"],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "`kill -9`, only pages again",
        none: &["lost", "twice"],
        some: &["orders lost"],
    },
    Claim {
        file: "bench-proxy-lines.txt",
        row: "`kill -9`, drained",
        none: LOST,
        some: &[],
    },
    Claim {
        file: "bench-proxy-nginx.txt",
        row: "20-36",
        none: &["lost", "done", "twice"],
        some: &["again"],
    },
    Claim {
        file: "bench-proxy-nginx.txt",
        row: "without `max_fails=0`",
        none: &["done", "twice"],
        some: &["lost", "orders lost"],
    },
    Claim {
        file: "bench-proxy-nginx.txt",
        row: "`kill -9`",
        none: &["lost", "twice"],
        some: &["orders lost", "done"],
    },
    Claim {
        file: "bench-proxy-nginx.txt",
        row: "`kill -9`, all again",
        none: &["lost", "orders lost"],
        some: &["twice"],
    },
    Claim {
        file: "bench-proxy-late.txt",
        row: "at once",
        none: &[],
        some: &["lost", "orders lost"],
    },
    Claim {
        file: "bench-proxy-late.txt",
        row: "a second later",
        none: LOST,
        some: &[],
    },
];

fn check_measured() -> Result<(), Failed> {
    let mut problems = Vec::new();
    for claim in CLAIMS {
        let Claim { file, row, .. } = claim;
        let table = read(file)?;
        let numbers = table.get(*row).ok_or(format!("{file} has no row {row}"))?;
        let none = claim.none.iter().map(|column| (*column, false));
        let some = claim.some.iter().map(|column| (*column, true));
        for (column, is_any) in none.chain(some) {
            let number = numbers
                .get(column)
                .ok_or(format!("{file} has no {column}"))?;
            if (*number > 0) != is_any {
                problems.push(format!(
                    "recorded/{file}: {row}, {column}: {number}, of which a page tells otherwise; \
                     mend the text, and what is claimed here"
                ));
            }
        }
    }
    report(problems)
}
