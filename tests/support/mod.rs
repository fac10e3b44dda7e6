//! What the tests share: the book's files, and the marks in them, read as mdBook reads them.
#![allow(dead_code)] // each test file uses a part

use book_commands::step::{mark, Mark};
use libtest_mimic::Failed;
use process_wrap::std::{ChildWrapper, CommandWrap};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};
use walkdir::WalkDir;

/// The book's sources: the text of each file, under its path from the root, with `/` between.
#[derive(Default)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Reads the README, the prose, the listings, and the programs of the model.
    pub fn read(root: &Path) -> Result<Sources, String> {
        let mut sources = Sources::default();
        for top in ["README.md", "src", "listings", "model"] {
            let walk = WalkDir::new(root.join(top)).into_iter();
            for entry in walk.filter_entry(|entry| entry.file_name() != "target") {
                let entry = entry.map_err(|error| format!("cannot read {top}: {error}"))?;
                if entry.file_type().is_file() {
                    let bytes = fs::read(entry.path())
                        .map_err(|error| format!("{}: {error}", entry.path().display()))?;
                    let text = String::from_utf8_lossy(&bytes).into_owned(); // pictures, too
                    sources.0.insert(relative(root, entry.path()), text);
                }
            }
        }
        Ok(sources)
    }

    /// Made-up sources, for the tests of the tests.
    pub fn of(files: &[(&str, &str)]) -> Sources {
        let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
        Sources(files.iter().map(own).collect())
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files whose path begins with `folder`, under the rest of their path.
    pub fn under<'s>(&'s self, folder: &str) -> BTreeMap<&'s str, &'s str> {
        let rest = |(path, text): (&'s String, &'s String)| {
            Some((path.strip_prefix(folder)?, text.as_str()))
        };
        self.0.iter().filter_map(rest).collect()
    }

    /// The README, and every Markdown file of the prose.
    pub fn pages(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self
            .0
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()));
        all.filter(|(path, _)| {
            *path == "README.md" || path.starts_with("src/") && path.ends_with(".md")
        })
    }

    /// The names of the folders under `listings/`.
    pub fn listings(&self) -> BTreeSet<&str> {
        let files = self.under("listings/").into_keys();
        files
            .filter_map(|path| Some(path.split_once('/')?.0))
            .collect()
    }

    /// Every include on every page.
    pub fn includes(&self) -> Vec<Include> {
        let of_page = |(page, text)| includes(page, text);
        self.pages().flat_map(of_page).collect()
    }
}

/// The path from `root` to `path`, with `/` between, on every system.
pub fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// Where something is: a file and a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub file: String,
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The line, counted from 1, on which the byte `offset` of `text` stands.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// What a `{{#…}}` on a page asks mdBook for.
pub struct Directive {
    pub place: Place,
    pub at_line_start: bool,
    pub kind: String,
    pub argument: String,
}

/// The directives that mdBook acts on, wherever they stand: in a fence or out of it, and in inline
/// code too. Those escaped as `\{{#…}}` it leaves alone.
pub fn directives(page: &str, text: &str) -> Vec<Directive> {
    // mdBook's own pattern (mdbook-driver, `links.rs`).
    static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\\\{\{\#.*\}\}|\{\{\s*\#([a-zA-Z0-9_]+)\s+([^}]+)\}\}").expect("a pattern")
    });
    let found = DIRECTIVE.captures_iter(text).filter_map(|captures| {
        let start = captures.get(0)?.start();
        Some(Directive {
            kind: captures.get(1)?.as_str().to_owned(), // none: it is escaped
            argument: captures.get(2)?.as_str().trim().to_owned(),
            at_line_start: start == 0 || text[..start].ends_with('\n'),
            place: Place {
                file: page.to_owned(),
                line: line_of(text, start),
            },
        })
    });
    found.collect()
}

/// An `include` or `rustdoc_include`, with the file's path from the root.
#[derive(Clone, Debug)]
pub struct Include {
    pub place: Place,
    pub file: String,
    /// What follows the file's name and a colon.
    pub part: Option<String>,
}

impl Include {
    /// The listing that the file belongs to.
    pub fn listing(&self) -> Option<&str> {
        Some(self.file.strip_prefix("listings/")?.split_once('/')?.0)
    }
}

pub fn includes(page: &str, text: &str) -> Vec<Include> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let all = directives(page, text).into_iter();
    all.filter(|directive| ["include", "rustdoc_include"].contains(&directive.kind.as_str()))
        .map(|directive| {
            let (path, part) = match directive.argument.split_once(':') {
                Some((path, part)) => (path, Some(part.to_owned())),
                None => (directive.argument.as_str(), None),
            };
            Include {
                file: join(folder, path),
                part,
                place: directive.place,
            }
        })
        .collect()
}

/// The path that `path` means, read in `folder`.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A part of a file that can be shown by name: the lines between two marks.
#[derive(Debug, PartialEq)]
pub struct Anchor {
    pub name: String,
    /// The lines of its `ANCHOR` and `ANCHOR_END`.
    pub start: usize,
    pub end: usize,
}

/// The file's anchors that can be relied on, and what is wrong with each of the others.
pub fn anchors(file: &str, text: &str) -> (Vec<Anchor>, Vec<String>) {
    let mut marks: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        match mark(line) {
            Some(Mark::Start(name)) => marks.entry(name).or_default().0.push(number),
            Some(Mark::End(name)) => marks.entry(name).or_default().1.push(number),
            None => {}
        }
    }

    let (mut anchors, mut problems) = (Vec::new(), Vec::new());
    for (name, (starts, ends)) in marks {
        match (&starts[..], &ends[..]) {
            (&[start], &[end]) if start < end => {
                let mut between = text.lines().take(end - 1).skip(start);
                if between.any(|line| mark(line).is_none() && !line.trim().is_empty()) {
                    let name = name.to_owned();
                    anchors.push(Anchor { name, start, end });
                } else {
                    problems.push(format!(
                        "{file}:{start}: nothing stands between `ANCHOR: {name}` and its end; \
                         put the marks around the lines to be shown"
                    ));
                }
            }
            (&[start], &[end]) => problems.push(format!(
                "{file}:{end}: `ANCHOR_END: {name}` stands before its `ANCHOR`, on line {start}; \
                 move it after"
            )),
            (&[start], []) => problems.push(format!(
                "{file}:{start}: `ANCHOR: {name}` is never closed; add `ANCHOR_END: {name}` after \
                 the last line to be shown"
            )),
            ([], ends) => problems.push(format!(
                "{file}:{}: `ANCHOR_END: {name}` closes nothing; add `ANCHOR: {name}` before it, \
                 or remove it",
                ends[0]
            )),
            (starts, ends) => problems.push(format!(
                "{file}:{}: the marks of the anchor `{name}` stand in this file more than once \
                 (`ANCHOR` on lines {starts:?}, `ANCHOR_END` on lines {ends:?}); each name is \
                 for one part",
                starts[0]
            )),
        }
    }
    (anchors, problems)
}

/// Passes when there is nothing to report.
pub fn report(problems: Vec<String>) -> Result<(), Failed> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n").into())
    }
}

/// For the tests of the tests: exactly one problem was found, and it says all of `parts`.
pub fn expect_problem(problems: &[String], parts: &[&str]) -> Result<(), Failed> {
    match problems {
        [problem] if parts.iter().all(|part| problem.contains(part)) => Ok(()),
        _ => Err(format!("wanted one problem that says {parts:?}, got {problems:#?}").into()),
    }
}

/// How much of a command's output is shown: a broken listing may print without end.
const MOST_OUTPUT: u64 = 64 * 1024;

/// Runs a command to its end. At the deadline, ends it and whatever it has started.
pub fn run(mut command: Command, deadline: Duration) -> Result<(), String> {
    // A file, because a pipe would be held open by a grandchild that outlives the command.
    let mut log = tempfile::tempfile().map_err(|error| format!("cannot keep a log: {error}"))?;
    let handle = || {
        log.try_clone()
            .map_err(|error| format!("cannot keep a log: {error}"))
    };
    command
        .stdin(Stdio::null())
        .stdout(handle()?)
        .stderr(handle()?);

    let mut command = CommandWrap::from(command);
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;

    let ending = wait(&mut *child, deadline);
    let mut output = Vec::new();
    log.rewind()
        .and_then(|()| log.by_ref().take(MOST_OUTPUT).read_to_end(&mut output))
        .map_err(|error| format!("its output cannot be read: {error}"))?;
    let output = String::from_utf8_lossy(&output);
    ending.map_err(|error| format!("{error}; its output:\n{output}"))
}

fn wait(child: &mut dyn ChildWrapper, deadline: Duration) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("failed ({status})")),
            Ok(None) if start.elapsed() < deadline => thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                child
                    .kill()
                    .map_err(|error| format!("cannot be ended: {error}"))?;
                return Err(format!("had not ended after {deadline:?}, and was killed"));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}
