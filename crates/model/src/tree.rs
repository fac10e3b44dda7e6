//! All interleavings of a small case, each recorded: the tree that [`search`](crate::search) walks
//! through.

use crate::record::{self, Recording};
use crate::search::{lock, program_of, Program};
use crate::{Case, Pool};
use std::sync::{Arc, Mutex};

/// A path through the tree, from its root to a leaf: a run, and what could have been chosen in it.
#[derive(Clone, Debug)]
pub struct Path {
    pub recording: Recording,
    /// One for each choice of the recording's schedule.
    pub points: Vec<Point>,
}

/// A point of a run at which a thread is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The threads that can go on, in ascending order.
    pub threads: Vec<usize>,
    /// How many steps of the recording come before it.
    pub steps: usize,
}

/// Goes through every interleaving of the case, depth first, in the order of
/// [`search`](crate::search). `file` is as in [`replay`](record::replay).
///
/// Each is a run of its own, and all are kept: it is for cases that have few. `None` if there are
/// more than `most`.
pub fn paths<P: Pool>(case: Case, file: &str, most: usize) -> Option<Vec<Path>> {
    paths_of(&program_of::<P>(case), file, most)
}

fn paths_of(program: &Program, file: &str, most: usize) -> Option<Vec<Path>> {
    let mut paths: Vec<Path> = Vec::new();
    let mut prefix = Some(Vec::new());
    while let Some(choices) = prefix {
        if paths.len() == most {
            return None;
        }
        let path = first_below(program, file, choices);
        prefix = path.next();
        paths.push(path);
    }
    Some(paths)
}

/// The run that begins with these choices, and then always takes the first thread that can go on.
fn first_below(program: &Program, file: &str, choices: Vec<usize>) -> Path {
    let points = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&points);
    let choose = move |threads: &[usize], _: Option<usize>| {
        let mut seen = lock(&seen);
        let next = choices.get(seen.len()).or(threads.first()).copied();
        seen.push(Point {
            threads: threads.to_vec(),
            steps: record::steps(),
        });
        next
    };
    let (recording, _) = record::record(Arc::clone(program), Some(file), &[], Box::new(choose));
    let points = std::mem::take(&mut *lock(&points));
    Path { recording, points }
}

impl Path {
    /// How the path after this one begins: as this one, up to the last point at which there is one
    /// more thread to choose. `None` if it is the last.
    fn next(&self) -> Option<Vec<usize>> {
        let schedule = &self.recording.schedule;
        let chosen = self.points.iter().zip(schedule).enumerate();
        chosen.rev().find_map(|(place, (point, chosen))| {
            let mut others = point.threads.iter().skip_while(|thread| *thread != chosen);
            let other = others.nth(1)?;
            Some([&schedule[..place], &[*other]].concat())
        })
    }
}
