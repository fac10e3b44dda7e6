//! How many runs there are with more workers and more jobs, in all orders and by classes.

use super::picture::picture;
use book::tables::{with_commas, Row, Searched};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where the point for one run and no job is.
const LEFT: usize = 72;
const BASE: usize = 304;
const JOB: usize = 34;
const RIGHT: usize = LEFT + 6 * JOB;
/// Ten times as many.
const DECADE: usize = 44;
const DECADES: usize = 6;

/// Draws a line for each search and number of workers over the number of jobs, on a logarithmic scale.
///
/// # Errors
///
/// When there is no row, or one does not fit into the picture.
pub fn draw(rows: &[Row]) -> Result<String, String> {
    let mut lines: BTreeMap<(bool, usize), BTreeMap<usize, usize>> = BTreeMap::new();
    for row in rows {
        let by_classes = row.searched == Searched::Classes;
        let line = lines.entry((by_classes, row.workers)).or_default();
        line.insert(row.jobs, row.runs);
    }
    let fits = |row: &Row| {
        row.jobs <= 6 && row.workers <= MARKERS.len() && (1..=1_000_000).contains(&row.runs)
    };
    if rows.is_empty() || !rows.iter().all(fits) {
        return Err("these rows do not fit into the picture".to_owned());
    }

    let mut drawn = axes();
    let mut described = String::from("How many runs there are. ");
    for ((by_classes, workers), line) in &lines {
        let name = match workers {
            1 => "1 worker".to_owned(),
            _ => format!("{workers} workers"),
        };
        let points: Vec<_> = line
            .iter()
            .map(|(jobs, &count)| (LEFT + jobs * JOB, height(count)))
            .collect();
        let corners = points.iter().map(|(x, y)| format!("{x} {y}"));
        let corners: Vec<_> = corners.collect();
        let class = if *by_classes { r#" class="wait""# } else { "" };
        let _ = writeln!(drawn, r#"<path{class} d="M{}"/>"#, corners.join("L"));
        for (x, y) in &points {
            let marker = MARKERS[workers - 1];
            let _ = writeln!(drawn, r#"<path class="point" d="M{x} {y}{marker}"/>"#);
        }
        if let Some((x, y)) = points.last() {
            // Beside the picture's edge, or above where the line is gone.
            let (x, y) = match *x == RIGHT {
                true => (x + 8, y + 4),
                false => (x - 8, y - 12),
            };
            let class = if *by_classes { "small" } else { "label" };
            let _ = writeln!(
                drawn,
                r#"<text class="{class}" x="{x}" y="{y}">{name}</text>"#
            );
        }
        let counts = line.iter().map(|(jobs, &count)| {
            let plural = if *jobs == 1 { "" } else { "s" };
            format!("{} with {jobs} job{plural}", with_commas(count))
        });
        let counts: Vec<_> = counts.collect();
        let how = match by_classes {
            true => ", one of each class",
            false => ", all orders",
        };
        let _ = write!(described, "{name}{how}: {}. ", counts.join(", "));
    }
    let title = "Runs by workers and jobs";
    let described = described.trim_end();
    Ok(picture(
        "interleavings",
        BASE + 74,
        title,
        described,
        &drawn,
    ))
}

/// The lines of the scale, its numbers, and what the two kinds of lines mean.
fn axes() -> String {
    let mut drawn = String::new();
    for decade in 0..=DECADES {
        let y = BASE - decade * DECADE;
        let number = with_commas(10_usize.pow(u32::try_from(decade).unwrap_or(0)));
        let _ = writeln!(
            drawn,
            r#"<path class="grid" d="M{LEFT} {y}H{RIGHT}"/><text class="small" x="{}" y="{}" text-anchor="end">{number}</text>"#,
            LEFT - 10,
            y + 4
        );
    }
    for jobs in 0..=6 {
        let _ = writeln!(
            drawn,
            r#"<text class="small" x="{}" y="{}" text-anchor="middle">{jobs}</text>"#,
            LEFT + jobs * JOB,
            BASE + 22
        );
    }
    let (y, line) = (BASE + 66, BASE + 62);
    let _ = writeln!(
        drawn,
        r#"<text x="0" y="14">Runs</text><text x="{RIGHT}" y="{}" text-anchor="end">Jobs</text>"#,
        BASE + 42
    );
    let _ = writeln!(
        drawn,
        r#"<path d="M{LEFT} {line}h30"/><text class="label" x="{}" y="{y}">all orders</text><path class="wait" d="M{} {line}h30"/><text class="small" x="{}" y="{y}">one of each class</text>"#,
        LEFT + 36,
        LEFT + 128,
        LEFT + 164
    );
    drawn
}

/// A dot, a square, a triangle, and a diamond, around where they begin.
const MARKERS: [&str; 4] = [
    "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "m-4.5 -4.5h9v9h-9z",
    "m0 -6l6 10.5h-12z",
    "m0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z",
];

/// How far down the point for so many is.
fn height(count: usize) -> usize {
    let up = (count as f64).log10() * DECADE as f64;
    BASE - up.round() as usize
}
