//! A chapter in the pieces that this preprocessor tells apart.

use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

/// A piece of a chapter. A mark stands on a line of its own, outside every fence.
pub(crate) enum Piece<'c> {
    /// What is passed on as it is.
    Text(&'c str),
    /// `<!-- step: NAME -->`
    Step { line: usize, name: &'c str },
    /// `<!-- steps -->`
    Index,
    /// `<!-- listing -->` or `<!-- listing: CAPTION -->`, with the `rust` fences that follow it.
    Listing {
        line: usize,
        caption: Option<&'c str>,
        fences: Vec<Fence<'c>>,
    },
    /// `<!-- timeline: NAME, NAME -->`
    Timeline { line: usize, names: &'c str },
    /// A fence ```` ```console ````.
    Terminal(Fence<'c>),
    /// A comment that is no mark: a misspelled one would show nothing, and nobody would notice.
    Unknown { line: usize, comment: &'c str },
}

/// A fenced block of code.
pub(crate) struct Fence<'c> {
    pub(crate) line: usize,
    /// All of it, with its fences.
    pub(crate) text: &'c str,
}

/// What a fence includes: `{{#rustdoc_include ../listings/listing-20-24/src/lib.rs:worker}}`.
pub(crate) struct Include<'c> {
    pub(crate) path: &'c Path,
    pub(crate) anchor: &'c str,
    /// Whether the rest of the file is there, too, hidden: `rustdoc_include`.
    pub(crate) with_rest: bool,
}

impl<'c> Fence<'c> {
    /// The one include that is the fence's whole body.
    pub(crate) fn include(&self) -> Option<Include<'c>> {
        static INCLUDE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^```.*\n\{\{#(rustdoc_)?include ([^:}]+):([\w-]+)\}\}\n```\n?$")
                .expect("a pattern")
        });
        let found = INCLUDE.captures(self.text)?;
        Some(Include {
            with_rest: found.get(1).is_some(),
            path: Path::new(found.get(2)?.as_str()),
            anchor: found.get(3)?.as_str(),
        })
    }
}

/// Where something on a page is, for messages.
pub(crate) fn place_of(page: &Path, line: usize) -> String {
    format!("{}:{line}", Path::new("src").join(page).display())
}

/// The chapter's pieces, in order.
pub(crate) fn pieces(chapter: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = Lines {
        chapter,
        at: 0,
        line: 1,
    };
    let mut text = 0; // where what is passed on begins
    while rest.at < chapter.len() {
        let start = rest.at;
        let piece = match rest.fence() {
            Some(fence) if is_terminal(fence.text) => Some(Piece::Terminal(fence)),
            Some(_) => None,
            None => rest.mark(),
        };
        if let Some(piece) = piece {
            pieces.push(Piece::Text(&chapter[text..start]));
            pieces.push(piece);
            text = rest.at;
        }
    }
    pieces.push(Piece::Text(&chapter[text..]));
    pieces
}

fn is_terminal(fence: &str) -> bool {
    fence.lines().next() == Some("```console")
}

/// A chapter as it is read, from the line `line`, which begins at the byte `at`.
struct Lines<'c> {
    chapter: &'c str,
    at: usize,
    line: usize,
}

impl<'c> Lines<'c> {
    fn next(&mut self) -> &'c str {
        let rest = &self.chapter[self.at..];
        let line = &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)];
        self.at += line.len();
        self.line += 1;
        line
    }

    /// Reads a fence, if one begins here.
    fn fence(&mut self) -> Option<Fence<'c>> {
        let (start, line) = (self.at, self.line);
        if !self.chapter[start..].starts_with("```") {
            return None;
        }
        self.next();
        while self.at < self.chapter.len() && self.next().trim_end() != "```" {}
        let text = &self.chapter[start..self.at];
        Some(Fence { line, text })
    }

    /// Reads a line, and what belongs to it if it is a mark. A comment that fills a line is meant as
    /// one.
    fn mark(&mut self) -> Option<Piece<'c>> {
        let line = self.line;
        let text = self.next().trim_end();
        let comment = text.trim_start();
        if !comment.starts_with("<!--") || !comment.ends_with("-->") {
            return None;
        }
        let mark = text.strip_prefix("<!-- ");
        let mark = mark.and_then(|mark| mark.strip_suffix(" -->"));
        let mut listing = |caption| Piece::Listing {
            line,
            caption,
            fences: self.fences(),
        };
        Some(match mark.and_then(|mark| mark.split_once(": ")) {
            Some(("step", name)) => Piece::Step { line, name },
            Some(("timeline", names)) => Piece::Timeline { line, names },
            Some(("listing", caption)) => listing(Some(caption)),
            None if mark == Some("listing") => listing(None),
            None if mark == Some("steps") => Piece::Index,
            _ => Piece::Unknown { line, comment },
        })
    }

    /// Reads the `rust` fences that follow, with nothing but empty lines before and between them.
    fn fences(&mut self) -> Vec<Fence<'c>> {
        let mut fences = Vec::new();
        loop {
            let (at, line) = (self.at, self.line);
            while self.chapter[self.at..].starts_with('\n') {
                self.next();
            }
            if !self.chapter[self.at..].starts_with("```rust") {
                (self.at, self.line) = (at, line);
                return fences;
            }
            fences.extend(self.fence());
        }
    }
}
