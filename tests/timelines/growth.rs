//! How many interleavings there are with more workers and more jobs.

use super::picture::picture;
use book::tables::{with_commas, Row};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Where the point for one interleaving and no job is.
const LEFT: usize = 66;
const BASE: usize = 304;
const JOB: usize = 37;
/// Ten times as many.
const DECADE: usize = 44;
const DECADES: usize = 6;

/// Draws a line for each number of workers over the number of jobs, on a logarithmic scale.
///
/// # Errors
///
/// When there is no row, or one does not fit into the picture.
pub fn draw(rows: &[Row]) -> Result<String, String> {
    let mut lines: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
    for row in rows {
        let line = lines.entry(row.workers).or_default();
        line.insert(row.jobs, row.runs);
    }
    let fits = |row: &Row| {
        let count = row.runs;
        row.jobs <= 6 && row.workers <= MARKERS.len() && (1..=1_000_000).contains(&count)
    };
    if rows.is_empty() || !rows.iter().all(fits) {
        return Err("these rows do not fit into the picture".to_owned());
    }

    let right = LEFT + 6 * JOB;
    let mut drawn = String::new();
    for decade in 0..=DECADES {
        let y = BASE - decade * DECADE;
        let number = with_commas(10_usize.pow(u32::try_from(decade).unwrap_or(0)));
        let _ = writeln!(
            drawn,
            r#"<path class="grid" d="M{LEFT} {y}H{right}"/><text class="small" x="{}" y="{}" text-anchor="end">{number}</text>"#,
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
    let _ = writeln!(
        drawn,
        r#"<text x="0" y="14">Interleavings</text><text x="{right}" y="{}" text-anchor="end">Jobs</text>"#,
        BASE + 42
    );

    let mut described = String::from("How many interleavings there are. ");
    for (workers, line) in &lines {
        let name = match workers {
            1 => "1 worker".to_owned(),
            _ => format!("{workers} workers"),
        };
        let points: Vec<_> = line
            .iter()
            .map(|(jobs, &count)| (LEFT + jobs * JOB, height(count), count))
            .collect();
        let corners = points.iter().map(|(x, y, _)| format!("{x} {y}"));
        let corners: Vec<_> = corners.collect();
        let _ = writeln!(drawn, r#"<path d="M{}"/>"#, corners.join("L"));
        for (x, y, count) in &points {
            let _ = writeln!(
                drawn,
                r#"<path class="point" d="M{x} {y}{}"/><text class="small" x="{}" y="{}">{}</text>"#,
                MARKERS[workers - 1],
                x + 8,
                y + 14,
                with_commas(*count)
            );
        }
        if let Some((x, y, _)) = points.last() {
            // It ends at the picture's edge, or begins where the line is gone.
            let (x, anchor) = match *x == right {
                true => (x + 8, "end"),
                false => (x - 8, "start"),
            };
            let _ = writeln!(
                drawn,
                r#"<text class="label" x="{x}" y="{}" text-anchor="{anchor}">{name}</text>"#,
                y - 12
            );
        }
        let counts = line.iter().map(|(jobs, &count)| {
            let plural = if *jobs == 1 { "" } else { "s" };
            format!("{} with {jobs} job{plural}", with_commas(count))
        });
        let counts: Vec<_> = counts.collect();
        let _ = write!(described, "{name}: {}. ", counts.join(", "));
    }
    let title = "Interleavings by workers and jobs";
    let height = BASE + 50;
    Ok(picture(
        "interleavings",
        height,
        title,
        described.trim_end(),
        &drawn,
    ))
}

/// A dot, a square, and a triangle, around where they begin.
const MARKERS: [&str; 3] = [
    "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "m-4.5 -4.5h9v9h-9z",
    "m0 -6l6 10.5h-12z",
];

/// How far down the point for so many is.
fn height(count: usize) -> usize {
    let up = (count as f64).log10() * DECADE as f64;
    BASE - up.round() as usize
}
