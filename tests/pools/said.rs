//! What the page on published pools says of its two tables is what stands in them.

use crate::support::report;
use libtest_mimic::Failed;
use std::fs;

const PAGE: &str = "src/published-pools.md";
const ANSWERS: &str = "recorded/pools.txt";
const SPEED: &str = "recorded/bench-pools.txt";

/// A table: the heads of its columns, and for each row its title and its cells.
struct Table {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    fn read(file: &str) -> Result<Table, Failed> {
        let text = fs::read_to_string(book::root().join(file))?;
        let lines = text.lines().filter_map(|line| {
            let cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
            let mut cells = cells.map(|cell| cell.trim().to_owned());
            Some((cells.next()?, cells.collect()))
        });
        let mut lines: Vec<(String, Vec<String>)> = lines.collect();
        if lines.len() < 3 {
            return Err(format!("{file}: there is no table in it").into());
        }
        let rows = lines.split_off(2);
        let columns = lines.swap_remove(0).1;
        Ok(Table { columns, rows })
    }

    /// The cells of a row that are not empty, each with its column.
    fn row(&self, title: &str) -> Vec<(&str, &str)> {
        let row = self.rows.iter().find(|row| row.0 == title);
        let cells = row.into_iter().flat_map(|(_, cells)| cells);
        let cells = self.columns.iter().zip(cells);
        cells
            .map(|(column, cell)| (column.as_str(), cell.as_str()))
            .filter(|(_, cell)| !cell.is_empty())
            .collect()
    }

    /// The measured values of a row, in its unit, each with its column.
    fn values(&self, title: &str) -> Vec<(&str, f64)> {
        let number = |cell: &str| cell.split(' ').next()?.parse().ok();
        let cells = self.row(title).into_iter();
        cells
            .filter_map(|(column, cell)| Some((column, number(cell)?)))
            .collect()
    }

    /// The values of a row, divided by that of one column.
    fn ratios(&self, title: &str, to: &str) -> Vec<(&str, f64)> {
        let values = self.values(title);
        let whole = values.iter().find(|(column, _)| *column == to);
        let whole = whole.map_or(f64::NAN, |(_, value)| *value);
        let parts = values.into_iter();
        parts.map(|(column, part)| (column, part / whole)).collect()
    }
}

const MANY: [&str; 2] = ["A job of many, 2 workers", "A job of many, 4 workers"];
const IDLE: &str = "A job for an idle worker";
const IDLE_99: &str = "The same, 99th percentile";
const NOTHING: &str = "A handler that does nothing";
const SLEEPS: &str = "A handler that sleeps for 1 ms";

/// Whether there are values, and each of them is so.
fn each(values: &[(&str, f64)], is_so: impl Fn(f64) -> bool) -> bool {
    !values.is_empty() && values.iter().all(|(_, value)| is_so(*value))
}

/// The column with the least value, and that with the most.
fn extremes<'t>(values: &[(&'t str, f64)]) -> (&'t str, &'t str) {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| one.1.total_cmp(&other.1));
    let name = |value: Option<&(&'t str, f64)>| value.map_or("", |(column, _)| *column);
    (name(sorted.first()), name(sorted.last()))
}

/// The ratio of one column to another, if the row has both.
fn ratio(table: &Table, row: &str, of: &str, to: &str) -> f64 {
    let ratios = table.ratios(row, to);
    let found = ratios.iter().find(|(column, _)| *column == of);
    found.map_or(f64::NAN, |(_, ratio)| *ratio)
}

type Said = (&'static str, fn(&Table, &Table) -> bool);

/// Words of the page, and whether the table of answers and that of speed bear them out.
const SAID: &[Said] = &[
    (
        "The drop waits only in two of the five, the book's and `tokio`.",
        |answers, _| {
            let row = answers.row("Does the drop wait for running jobs?");
            let yes = row.iter().filter(|(_, answer)| *answer == "yes");
            let yes: Vec<_> = yes.map(|(pool, _)| *pool).collect();
            row.len() == 5 && yes == ["book", "tokio"]
        },
    ),
    ("with `rayon` two end the process", |answers, _| {
        let all = answers
            .rows
            .iter()
            .flat_map(|(title, _)| answers.row(title));
        let ends = all.filter(|(_, answer)| answer.starts_with("the process"));
        let ends: Vec<_> = ends.map(|(pool, _)| pool).collect();
        ends == ["rayon", "rayon"]
    }),
    ("no two columns of the table are the same", |answers, _| {
        let column = |index: usize| answers.rows.iter().map(move |(_, cells)| &cells[index]);
        let all = 0..answers.columns.len();
        all.clone()
            .all(|one| (one + 1..all.end).all(|other| !column(one).eq(column(other))))
    }),
    ("some tenths of a microsecond", |_, speed| {
        MANY.iter()
            .all(|row| each(&speed.values(row), |ns| (100.0..1000.0).contains(&ns)))
    }),
    ("are less than a tenth apart", |_, speed| {
        MANY.iter()
            .all(|row| (ratio(speed, row, "threadpool", "book") - 1.0).abs() < 0.1)
    }),
    (
        "`tokio` is the slowest, and takes four to five times as long as ours",
        |_, speed| {
            MANY.iter().all(|row| {
                let slower = ratio(speed, row, "tokio", "book").round();
                extremes(&speed.values(row)).1 == "tokio" && (4.0..=5.0).contains(&slower)
            })
        },
    ),
    ("some tens of microseconds", |_, speed| {
        each(&speed.values(IDLE), |us| (10.0..100.0).contains(&us))
    }),
    (
        "Here `tokio` is the quickest, and `rayon` takes the longest",
        |_, speed| extremes(&speed.values(IDLE)) == ("tokio", "rayon"),
    ),
    ("about ten times the median or more", |_, speed| {
        let (medians, slowest) = (speed.values(IDLE), speed.values(IDLE_99));
        let pairs = medians.iter().zip(&slowest);
        medians.len() == 5
            && pairs
                .clone()
                .all(|(median, slowest)| median.0 == slowest.0 && slowest.1 / median.1 > 9.5)
    }),
    ("is little more than a tenth away from each", |_, speed| {
        each(&speed.ratios(NOTHING, "no pool"), |ratio| {
            (1.0 / 1.15..1.15).contains(&ratio)
        })
    }),
    ("about three times as many as the loop", |_, speed| {
        let mut ratios = speed.ratios(SLEEPS, "no pool");
        ratios.retain(|(pool, _)| *pool != "no pool");
        each(&ratios, |ratio| (2.5..3.5).contains(&ratio))
    }),
    ("it hardly matters whose workers they are", |_, speed| {
        let mut ratios = speed.ratios(SLEEPS, "book");
        ratios.retain(|(pool, _)| *pool != "no pool");
        each(&ratios, |ratio| (0.9..1.1).contains(&ratio))
    }),
    (
        "`tokio` is last in the first row and first in the third",
        |_, speed| {
            let row = |index: usize| speed.rows.get(index).map_or("", |row| row.0.as_str());
            let last = extremes(&speed.values(row(0))).1;
            let first = extremes(&speed.values(row(2))).0;
            (last, first) == ("tokio", "tokio")
        },
    ),
];

/// Each of these stands on the page, and is so.
pub fn check() -> Result<(), Failed> {
    let page = fs::read_to_string(book::root().join(PAGE))?;
    let page: Vec<&str> = page.split_whitespace().collect();
    let page = page.join(" ");
    let (answers, speed) = (Table::read(ANSWERS)?, Table::read(SPEED)?);
    let mut problems = Vec::new();
    for (words, is_so) in SAID {
        if !page.contains(words) {
            problems.push(format!(
                "{PAGE}: does not say {words:?} any more; say in tests/pools/said.rs what it says now"
            ));
        }
        if !is_so(&answers, &speed) {
            problems.push(format!(
                "{PAGE}: says {words:?}, and {ANSWERS} or {SPEED} does not; mend the text"
            ));
        }
    }
    report(problems)
}
