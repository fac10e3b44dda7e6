//! The marks by which a page shows a part of a file, read as mdBook reads them.

use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A line by which a page can show a part of a file, and which mdBook leaves out of what it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark<'l> {
    /// `// ANCHOR: NAME`
    Start(&'l str),
    /// `// ANCHOR_END: NAME`
    End(&'l str),
}

/// The mark that mdBook takes the line for, if it takes it for one. The pattern is mdBook's own
/// (mdbook-driver, `take_lines.rs`).
pub fn mark(line: &str) -> Option<Mark<'_>> {
    static MARK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"ANCHOR(_END)?:\s*([\w_-]+)").expect("a pattern"));
    let found = MARK.captures(line)?;
    let name = found.get(2)?.as_str();
    Some(match found.get(1) {
        None => Mark::Start(name),
        Some(_) => Mark::End(name),
    })
}

/// The text without its marks.
pub fn unmarked(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| mark(line).is_none()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_without_its_marks() {
        let text = "a\n  // ANCHOR: one\nb\n<!-- ANCHOR_END: one -->\n";
        assert_eq!(unmarked(text), "a\nb\n");
        assert_eq!(mark("# ANCHOR_END: a-b"), Some(Mark::End("a-b")));
        assert_eq!(mark("an ANCHOR"), None);
    }

    #[test]
    fn an_anchor_that_cannot_be_relied_on_is_named_with_its_line() {
        for (text, said) in [
            ("ANCHOR: a\nx\n", "f:1: `ANCHOR: a` is never closed"),
            ("ANCHOR_END: a\n", "f:1: `ANCHOR_END: a` closes nothing"),
            (
                "ANCHOR_END: a\nx\nANCHOR: a\n",
                "f:1: `ANCHOR_END: a` stands before",
            ),
            (
                "ANCHOR: a\n\nANCHOR_END: a\n",
                "f:1: nothing stands between",
            ),
            (
                "ANCHOR: a\nx\nANCHOR_END: a\nANCHOR: a\nx\nANCHOR_END: a\n",
                "f:1: the marks of the anchor `a` stand in this file more than once",
            ),
        ] {
            let (good, problems) = anchors("f", text);
            assert!(good.is_empty(), "{text}");
            assert!(problems[0].starts_with(said), "{problems:?}");
        }
        let (good, problems) = anchors("f", "ANCHOR: a\nx\nANCHOR_END: a\n");
        let (start, end) = (good[0].start, good[0].end);
        assert_eq!(
            (good[0].name.as_str(), start, end, problems.len()),
            ("a", 1, 3, 0)
        );
    }
}
