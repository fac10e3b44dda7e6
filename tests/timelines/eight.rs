//! All runs of two workers and two jobs that are really different, each as the way of the lock.

use super::picture::picture;
use pool_model::record::Step;
use std::fmt::Write as _;

/// The room for a run, and the lanes of its workers in it.
const ACROSS: usize = 87;
const DOWN: usize = 152;
const LANES: [usize; 2] = [24, 62];
/// Where the names of the lanes are, the first worker that has the lock, and the next ones.
const NAMES: usize = 40;
const FIRST: usize = 62;
const NEXT: usize = 28;
/// A worker that has the lock.
const SIDE: usize = 20;

/// What a worker comes out with, each time that it had the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gets {
    Job(usize),
    End,
}

/// Who has the lock, and what for.
type Way = Vec<(usize, Gets)>;

/// Draws the runs, a column for each way to share the jobs, a row for each worker that ends first.
///
/// # Errors
///
/// When they are not one run for each of these.
pub fn draw(runs: &[Vec<Step>]) -> Result<String, String> {
    let mut ways: Vec<Way> = runs.iter().map(|run| way(run)).collect();
    ways.sort_by_key(|way| (ends_first(way), way.clone()));
    let mut wanted = Vec::new();
    for first in [0, 1] {
        for (one, two) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let jobs = [(one, Gets::Job(1)), (two, Gets::Job(2))];
            let ends = [(first, Gets::End), (1 - first, Gets::End)];
            wanted.push([jobs, ends].concat());
        }
    }
    if ways != wanted {
        return Err(format!("not the eight runs that are drawn: {ways:?}"));
    }

    let mut drawn = String::new();
    let mut described = Vec::new();
    for (index, way) in ways.iter().enumerate() {
        let (column, row) = (index % 4, index / 4);
        let (left, top) = (column * ACROSS, row * (DOWN + 16));
        if column == 0 {
            let title = format!("Worker {row} ends first");
            let y = top + 14;
            let _ = writeln!(drawn, r#"<text class="label" x="8" y="{y}">{title}</text>"#);
        }
        drawn += &run(way, left, top);
        described.push(format!("{}: {}", index + 1, told(way)));
    }
    let described = format!(
        "Eight runs; in each, the lock goes from worker to worker four times. {}",
        described.join(" ")
    );
    let title = "The eight runs of two workers with two jobs";
    let height = 2 * DOWN + 16;
    Ok(picture("eight-runs", height, title, &described, &drawn))
}

/// The order in which workers come out of the lock.
fn way(steps: &[Step]) -> Way {
    let gets = steps.iter().filter_map(|step| {
        let worker = step.thread?.checked_sub(1)?;
        let got = match step.what.split_once(' ') {
            Some(("gets", job)) => Gets::Job(job.parse().ok()?),
            None if step.what == "gets-error" => Gets::End,
            _ => return None,
        };
        Some((worker, got))
    });
    gets.collect()
}

fn ends_first(way: &Way) -> Option<usize> {
    let end = way.iter().find(|(_, gets)| *gets == Gets::End);
    end.map(|(worker, _)| *worker)
}

fn told(way: &Way) -> String {
    let told = way.iter().map(|(worker, gets)| match gets {
        Gets::Job(job) => format!("worker {worker} takes job {job}"),
        Gets::End => format!("worker {worker} ends"),
    });
    let told: Vec<_> = told.collect();
    format!("{}.", told.join(", "))
}

/// The lanes of the workers, the way of the lock between them, and what each takes.
fn run(way: &Way, left: usize, top: usize) -> String {
    let (mut lanes, mut boxes) = (String::new(), String::new());
    let mut corners = Vec::new();
    for (worker, lane) in LANES.iter().enumerate() {
        let (x, y) = (left + lane, top + NAMES);
        let last = way.iter().rposition(|(of, _)| *of == worker).unwrap_or(0);
        let (from, to) = (y + 4, top + FIRST + last * NEXT);
        let _ = writeln!(
            lanes,
            r#"<text class="small" x="{x}" y="{y}" text-anchor="middle">{worker}</text><path class="run" d="M{x} {from}V{to}"/>"#
        );
    }
    for (place, (worker, gets)) in way.iter().enumerate() {
        let (x, y) = (left + LANES[*worker], top + FIRST + place * NEXT);
        corners.push(format!("{x} {y}"));
        let _ = match gets {
            Gets::Job(job) => writeln!(
                boxes,
                r#"<rect class="chip" x="{}" y="{}" width="{SIDE}" height="{SIDE}" rx="3"/><text class="small" x="{x}" y="{}" text-anchor="middle">{job}</text>"#,
                x - SIDE / 2,
                y - SIDE / 2,
                y + 4
            ),
            Gets::End => writeln!(
                boxes,
                r#"<path class="end" d="M{} {y}h{SIDE}"/>"#,
                x - SIDE / 2
            ),
        };
    }
    let _ = writeln!(lanes, r#"<path class="held" d="M{}"/>"#, corners.join("L"));
    lanes + &boxes
}
