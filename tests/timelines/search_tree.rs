//! The tree of choices that a search goes through, with the one path that gets stuck.

use super::picture::picture;
use pool_model::record::Ending;
use pool_model::tree::Path;
use std::fmt::Write as _;

/// Between two leaves.
const LEAF: usize = 14;
const LEFT: usize = 12;
const TOP: usize = 8;
/// From a branching to the next, and to where what comes after the last goes straight down.
const BRANCH: usize = 54;
/// A line of text, and how many letters it has beside the tree, and below it.
const LINE: usize = 16;
const BESIDE: usize = 20;
const BELOW: usize = 52;

/// Draws a search whose paths, each one leaf, are all of a case with one failure. Time runs downward.
/// Where two threads can go on, the path branches; where only one can, it does not. Beside a branching
/// stands what the failing path does there, below each leaf the letter of its class.
///
/// # Errors
///
/// When it is not one path that fails.
pub fn draw(paths: &[Path], letters: &[char]) -> Result<String, String> {
    let fails = |path: &Path| path.recording.ending != Ending::Finish;
    let mut failing = (1..).zip(paths).filter(|(_, path)| fails(path));
    let (Some((number, failure)), None) = (failing.next(), failing.next()) else {
        return Err("to be drawn, a search has to find one failure".to_owned());
    };

    let told = told(failure);
    let texts = told.iter().map(|said| {
        let texts: Vec<_> = said.iter().map(|said| wrapped(said, BESIDE)).collect();
        texts.join(&String::new()) // an empty line between two
    });
    let texts: Vec<_> = texts.collect();
    let deepest = paths.iter().map(|path| branchings(path).count()).max();
    let mut levels = vec![TOP];
    for level in 0..=deepest.unwrap_or(0) {
        let lines = texts.get(level).map_or(0, Vec::len);
        let branch = if level == 0 { BRANCH * 2 / 3 } else { BRANCH };
        levels.push(levels[level] + branch.max(lines * LINE + LINE / 2));
    }

    let mut tree = Tree {
        failing: number,
        levels,
        lines: String::new(),
        way: String::new(),
        marks: String::new(),
    };
    let root = tree.branch(paths, 1, 1);
    let (top, first) = (tree.levels[0], tree.levels[1]);
    let _ = writeln!(tree.way, r#"<path class="way" d="M{root} {top}V{first}"/>"#);
    let Tree {
        levels,
        lines,
        way,
        marks,
        ..
    } = tree;

    let beside = LEFT + paths.len() * LEAF + 2;
    let mut words = String::new();
    for (text, pair) in texts.iter().zip(levels.windows(2)) {
        let room = (pair[1] - pair[0]).saturating_sub(text.len() * LINE);
        words += &written(text, beside, pair[0] + room / 2 + LINE * 3 / 4);
    }
    let mut bottom = levels.last().copied().unwrap_or(TOP) + LINE * 5 / 4;
    for leaf in [1, number, paths.len()] {
        let class = if leaf == number { "label" } else { "small" };
        let x = LEFT + (leaf - 1) * LEAF;
        let _ = writeln!(
            words,
            r#"<text class="{class}" x="{x}" y="{bottom}" text-anchor="middle">{leaf}</text>"#
        );
    }
    bottom += LINE * 5 / 4;
    for (leaf, letter) in letters.iter().enumerate() {
        let x = LEFT + leaf * LEAF;
        let _ = writeln!(
            words,
            r#"<text class="small" x="{x}" y="{bottom}" text-anchor="middle">{letter}</text>"#
        );
    }
    let end = failure.recording.steps.last();
    let end = end.map_or("", |step| step.said.as_str());
    let runs = paths.len();
    let finish = format!("{} runs finish.", runs - 1);
    let mut y = bottom + LINE * 2;
    for (said, stuck) in [(finish, false), (format!("{number}: {end}"), true)] {
        let lines = wrapped(&said, BELOW);
        words += &mark(LEFT, y - 4, stuck);
        words += &written(&lines, LEFT * 2, y);
        y += LINE * lines.len() + LINE / 4;
    }
    let height = y - LINE / 2;

    let described = format!(
        "A tree of {runs} runs, of which {} finish and number {number} does not. At each branching, \
         the left branch is the one on which main goes on, the right one that of worker 0. The path \
         to number {number}: {} {end} The classes of the runs, from number 1 on: {}.",
        runs - 1,
        told.concat().join(" "),
        letters.iter().map(char::to_string).collect::<Vec<_>>().join(", ")
    );
    let title = format!("A search of {runs} runs");
    let drawn = lines + &way + &marks + &words;
    Ok(picture("search-tree", height, &title, &described, &drawn))
}

/// The points of the path at which there is a choice.
fn branchings(path: &Path) -> impl Iterator<Item = usize> + '_ {
    let points = path.points.iter().enumerate();
    points.filter_map(|(place, point)| (point.threads.len() > 1).then_some(place))
}

/// What the path does up to its first branching, and from each to the next: the first step of each
/// thread that goes on. How the run ends is left out.
fn told(path: &Path) -> Vec<Vec<String>> {
    let steps = &path.recording.steps;
    let mut told = vec![Vec::new()];
    for (place, point) in path.points.iter().enumerate() {
        if point.threads.len() > 1 {
            told.push(Vec::new());
        }
        let next = path.points.get(place + 1);
        let next = next.map_or(steps.len() - 1, |next| next.steps);
        if let (Some(said), Some(step)) = (told.last_mut(), steps[point.steps..next].first()) {
            said.push(step.said.clone());
        }
    }
    told
}

struct Tree {
    /// The path that fails, from 1 on.
    failing: usize,
    /// How far down each branching stands, behind where the tree begins. The last is that of the
    /// leaves.
    levels: Vec<usize>,
    lines: String,
    /// The lines of the path that fails.
    way: String,
    marks: String,
}

impl Tree {
    /// Draws the part of the tree that these paths share, the first of which has this number, and
    /// returns the place of its top.
    fn branch(&mut self, paths: &[Path], number: usize, level: usize) -> usize {
        let [path, others @ ..] = paths else { return 0 };
        if others.is_empty() {
            return self.leaf(number);
        }
        let Some(point) = branchings(path).nth(level - 1) else {
            return 0;
        };
        let choice = |path: &Path| path.recording.schedule[point];
        let mut below = Vec::new();
        let mut first = number;
        for part in paths.chunk_by(|one, other| choice(one) == choice(other)) {
            let x = self.branch(part, first, level + 1);
            below.push((choice(&part[0]), x, first..first + part.len()));
            first += part.len();
        }
        let middle = (below[0].1 + below[below.len() - 1].1) / 2;
        let top = self.levels[level];
        for (thread, x, leaves) in below {
            let leaf = leaves.len() == 1;
            let bottom = match leaf {
                true => top + BRANCH,
                false => self.levels[level + 1],
            };
            let straight = match leaf {
                true => format!("V{}", self.levels[self.levels.len() - 1]),
                false => String::new(),
            };
            let (lines, class) = match leaves.contains(&self.failing) {
                true => (&mut self.way, "way"),
                false => (&mut self.lines, "run"),
            };
            let _ = writeln!(
                lines,
                r#"<path class="{class}" d="M{middle} {top}L{x} {bottom}{straight}"/>"#
            );
            // Those of neighbors stand at different heights, so that both have room.
            let (anchor, aside, eighths) = match x < middle {
                true => ("end", -5, 3),
                false => ("start", 5, 5),
            };
            let place = (middle * (8 - eighths) + x * eighths) / 8;
            let place = place.saturating_add_signed(aside);
            let y = top + (bottom - top) * eighths / 8;
            let name = match (level, thread) {
                (1, 0) => "main".to_owned(),
                (1, _) => format!("worker {}", thread - 1),
                (_, 0) => "m".to_owned(),
                _ => "w".to_owned(),
            };
            let _ = writeln!(
                self.marks,
                r#"<text class="small" x="{place}" y="{y}" text-anchor="{anchor}">{name}</text>"#
            );
        }
        let _ = writeln!(
            self.marks,
            r#"<circle class="dot" cx="{middle}" cy="{top}" r="2.5"/>"#
        );
        middle
    }

    fn leaf(&mut self, number: usize) -> usize {
        let (x, y) = (
            LEFT + (number - 1) * LEAF,
            self.levels[self.levels.len() - 1],
        );
        self.marks += &mark(x, y, number == self.failing);
        x
    }
}

/// An end: a cross, or a dot.
fn mark(x: usize, y: usize, stuck: bool) -> String {
    match stuck {
        true => format!(
            "<path class=\"stuck\" d=\"M{} {}l12 12m0 -12l-12 12\"/>\n",
            x - 6,
            y - 6
        ),
        false => format!("<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>\n"),
    }
}

/// The words in lines of at most so many letters.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn written(lines: &[String], x: usize, y: usize) -> String {
    let mut text = String::new();
    let lines = lines.iter().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let y = y + index * LINE;
        let _ = writeln!(text, r#"<text class="small" x="{x}" y="{y}">{line}</text>"#);
    }
    text
}
