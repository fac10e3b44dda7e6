//! Writes what was measured for the book's pages: a table, and pictures of bars.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// The samples of each measure and pool.
pub type Samples = BTreeMap<(&'static str, &'static str), Vec<Duration>>;

pub const QUEUE_2: &str = "A job of many, 2 workers";
pub const QUEUE_4: &str = "A job of many, 4 workers";
pub const HAND_OFF: &str = "A job for an idle worker";
pub const HTTP: &str = "A handler that does nothing";
pub const HTTP_SLOW: &str = "A handler that sleeps for 1 ms";

/// The pool that the others are compared with, and the server that has none.
pub const BOOK: &str = "book";
pub const NO_POOL: &str = "no pool";

/// The columns of the table.
const POOLS: [&str; 6] = [BOOK, "threadpool", "rayon", "futures", "tokio", NO_POOL];

/// A row of the table, and a group of bars in a picture.
struct Row {
    title: &'static str,
    measure: &'static str,
    percent: usize,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Nanoseconds,
    Microseconds,
    RequestsPerSecond,
}

const fn row(measure: &'static str, unit: Unit) -> Row {
    Row {
        title: measure,
        measure,
        percent: 50,
        unit,
    }
}

const JOBS: [Row; 4] = [
    row(QUEUE_2, Unit::Nanoseconds),
    row(QUEUE_4, Unit::Nanoseconds),
    row(HAND_OFF, Unit::Microseconds),
    Row {
        title: "The same, 99th percentile",
        measure: HAND_OFF,
        percent: 99,
        unit: Unit::Microseconds,
    },
];

const SERVERS: [Row; 2] = [
    row(HTTP, Unit::RequestsPerSecond),
    row(HTTP_SLOW, Unit::RequestsPerSecond),
];

impl Row {
    /// The number for one pool, in the row's unit.
    fn value(&self, samples: &Samples, pool: &'static str) -> Option<f64> {
        let mut times = samples.get(&(self.measure, pool))?.clone();
        times.sort();
        let time = times.get((times.len().checked_sub(1)?) * self.percent / 100)?;
        Some(match self.unit {
            Unit::Nanoseconds => time.as_nanos() as f64,
            Unit::Microseconds => time.as_secs_f64() * 1e6,
            Unit::RequestsPerSecond => 1.0 / time.as_secs_f64(),
        })
    }

    /// The pools of the row, each with its value and what that is for a reader.
    fn values(&self, samples: &Samples) -> Vec<(&'static str, f64, String)> {
        let valued = |pool| Some((pool, self.value(samples, pool)?));
        let values = POOLS.into_iter().filter_map(valued);
        let unit = match self.unit {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "µs",
            Unit::RequestsPerSecond => "/s",
        };
        values
            .map(|(pool, value)| match value < 100.0 {
                true => (pool, value, format!("{value:.1} {unit}")),
                false => (pool, value, format!("{value:.0} {unit}")),
            })
            .collect()
    }
}

/// Writes `bench-pools.txt`, `pictures/speed-jobs.svg` and `pictures/speed-servers.svg` to `folder`.
///
/// # Errors
///
/// When one of them cannot be written.
pub fn write(folder: &Path, samples: &Samples) -> io::Result<()> {
    fs::write(folder.join("bench-pools.txt"), table(samples))?;
    let pictures = folder.join("pictures");
    let jobs = picture("speed-jobs", "What a job costs", &JOBS, samples);
    fs::write(pictures.join("speed-jobs.svg"), jobs)?;
    let title = "How many requests a server answers";
    let servers = picture("speed-servers", title, &SERVERS, samples);
    fs::write(pictures.join("speed-servers.svg"), servers)
}

/// The medians, each with its ratio to the book's pool.
fn table(samples: &Samples) -> String {
    let mut table = String::from(
        "Measured by `cargo book bench`: not to be edited, but measured again.\n\n\
         ANCHOR: table\n",
    );
    let _ = writeln!(table, "| Median of | {} |", POOLS.join(" | "));
    let _ = writeln!(table, "|---|{}", "---:|".repeat(POOLS.len()));
    for row in JOBS.iter().chain(&SERVERS) {
        let values = row.values(samples);
        let book = values.iter().find(|(pool, ..)| *pool == BOOK);
        let cells = POOLS.map(|pool| {
            let value = values.iter().find(|(of, ..)| *of == pool);
            match (value, book) {
                (Some((_, value, text)), Some((_, book, _))) => {
                    format!("{text}<br>× {:.2}", value / book)
                }
                _ => String::new(),
            }
        });
        let _ = writeln!(table, "| {} | {} |", row.title, cells.join(" | "));
    }
    table + "ANCHOR_END: table\n"
}

/// A group of bars for each row, each group to its own scale.
fn picture(id: &str, title: &str, rows: &[Row], samples: &Samples) -> String {
    const LEFT: usize = 90;
    const LONGEST: f64 = 260.0;
    const LINE: usize = 22;

    let (mut y, mut bars, mut described) = (0, String::new(), String::new());
    for row in rows {
        let values = row.values(samples);
        let most = values
            .iter()
            .map(|(_, value, _)| *value)
            .fold(0.0, f64::max);
        y += LINE;
        let _ = writeln!(
            bars,
            r#"<text class="label" x="0" y="{y}">{}</text>"#,
            row.title
        );
        let _ = write!(described, "{}: ", row.title);
        y += LINE / 4;
        for (index, (pool, value, text)) in values.iter().enumerate() {
            let (top, base) = (y + 5, y + 17);
            let length = value / most * LONGEST;
            let end = LEFT as f64 + length + 6.0;
            let _ = writeln!(
                bars,
                r#"<text x="{x}" y="{base}" text-anchor="end">{pool}</text><rect class="bar" x="{LEFT}" y="{top}" width="{length:.0}" height="14"/><text class="small" x="{end:.0}" y="{base}">{text}</text>"#,
                x = LEFT - 6,
            );
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(described, "{comma}{pool} {text}");
            y += LINE;
        }
        described += ". ";
        y += LINE / 2;
    }
    format!(
        "<svg class=\"picture\" viewBox=\"0 0 440 {y}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-title\">{title}</title>\n\
         <desc id=\"{id}-desc\">{}</desc>\n{bars}</svg>\n",
        described.trim_end()
    )
}
