//! The promise: two copies of the newest server are restarted in turns behind HAProxy, with the
//! configuration that the page shows, and no request is lost or done twice. And what the page says of
//! its tables stands in them, when they are measured anew.
//!
//! In full it is measured by `cargo book bench proxy`. Where there is no `haproxy`, the restarts are
//! counted as ignored, and that is said; in CI they fail.

use crate::support::{report, told, turns::turn};
use book_commands::bench::proxy::{is_there, restarted};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

const RESTARTS: usize = 4;
const CLIENTS: usize = 8;

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let skip = !is_there() && env::var_os("CI").is_none();
    if skip {
        eprintln!("no restart behind a proxy is tried: install haproxy for that");
    }
    Ok(vec![
        Trial::test("listing-20-35::proxy::restarts", check_restarts).with_ignored_flag(skip),
        Trial::test("listing-20-35::proxy::measured", check_measured),
    ])
}

fn check_restarts() -> Result<(), Failed> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let _turn = turn();
    let ended =
        |is_killed| restarted(&book::root(), target, is_killed, RESTARTS, CLIENTS).map_err(told);
    // Whoever is asked to see that nothing is lost has to see it when something is.
    let killed = ended(true)?;
    let drained = ended(false)?;

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

/// What the page says in words: of which way, in which column, whether there is any.
const CLAIMS: &[(&str, &[(&str, &[(&str, bool)])])] = &[
    (
        "bench-proxy.txt",
        &[
            (
                "`kill -9`",
                &[
                    ("lost", true),
                    ("orders lost", true),
                    ("of these, done", true),
                    ("done twice", false),
                ],
            ),
            ("20-25", &[("lost", true), ("orders lost", true)]),
            (
                "20-35",
                &[
                    ("lost", false),
                    ("orders lost", false),
                    ("done twice", false),
                    ("tried again", true),
                    ("over 0.5 s", true),
                ],
            ),
            (
                "20-35, drained first",
                &[
                    ("lost", false),
                    ("orders lost", false),
                    ("done twice", false),
                    ("tried again", false),
                    ("over 0.5 s", false),
                ],
            ),
        ],
    ),
    (
        "bench-proxy-lines.txt",
        &[
            (
                "without `retries`",
                &[
                    ("lost", true),
                    ("orders lost", true),
                    ("tried again", false),
                ],
            ),
            (
                "`kill -9`, sent again",
                &[
                    ("lost", false),
                    ("orders lost", false),
                    ("done twice", true),
                ],
            ),
            (
                "`kill -9`, only pages sent again",
                &[
                    ("lost", false),
                    ("orders lost", true),
                    ("done twice", false),
                ],
            ),
            (
                "`kill -9`, drained first",
                &[
                    ("lost", false),
                    ("orders lost", false),
                    ("done twice", false),
                ],
            ),
        ],
    ),
    (
        "bench-proxy-late.txt",
        &[
            ("SIGTERM at once", &[("lost", true), ("orders lost", true)]),
            (
                "SIGTERM after a second",
                &[("lost", false), ("orders lost", false)],
            ),
        ],
    ),
];

fn check_measured() -> Result<(), Failed> {
    let mut problems = Vec::new();
    for (file, rows) in CLAIMS {
        let table = read(file)?;
        for (way, cells) in *rows {
            let numbers = table.get(*way).ok_or(format!("{file} has no row {way}"))?;
            for (column, is_any) in *cells {
                let number = numbers
                    .get(*column)
                    .ok_or(format!("{file} has no {column}"))?;
                if (*number > 0) != *is_any {
                    problems.push(format!(
                        "recorded/{file}: {way}, {column}: {number}, which src/behind-a-proxy.md or \
                         src/in-a-container.md tells otherwise; measure it again, or mend the text"
                    ));
                }
            }
        }
    }
    report(problems)
}
