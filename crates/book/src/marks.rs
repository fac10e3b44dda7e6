//! The comments by which a page asks `mdbook-steps` for something: a page in the pieces that it tells
//! apart.

use crate::page::{Fence, Page};

/// A piece of a page. A mark stands on a line of its own, outside every fence.
#[derive(Debug)]
pub enum Piece<'p> {
    /// What is passed on as it is.
    Text(&'p str),
    /// `<!-- step: NAME -->`
    Step { line: usize, name: &'p str },
    /// `<!-- steps -->`
    Index,
    /// `<!-- listing -->` or `<!-- listing: CAPTION -->`, with the `rust` fences that follow it.
    Listing {
        line: usize,
        caption: Option<&'p str>,
        fences: Vec<&'p Fence<'p>>,
    },
    /// `<!-- changes: NAME, NAME -->`
    Changes { line: usize, names: &'p str },
    /// `<!-- timeline: NAME, NAME -->`
    Timeline { line: usize, names: &'p str },
    /// A fence ```` ```console ````.
    Terminal(&'p Fence<'p>),
    /// A fence ```` ```diff,LISTING,NAME ````.
    Proposal(&'p Fence<'p>),
    /// A comment that is no mark: a misspelled one would show nothing, and nobody would notice.
    Unknown { line: usize, comment: &'p str },
}

/// The page's pieces, in order.
pub fn pieces<'p>(page: &'p Page<'p>) -> Vec<Piece<'p>> {
    let mut pieces = Vec::new();
    let mut rest = Rest {
        page,
        at: 0,
        line: 1,
    };
    let mut text = 0; // where what is passed on begins
    while rest.at < page.text.len() {
        let start = rest.at;
        let piece = match rest.fence() {
            Some(fence) if fence.info.as_deref() == Some("console") => Some(Piece::Terminal(fence)),
            Some(fence) if fence.language() == "diff" => Some(Piece::Proposal(fence)),
            Some(_) => None,
            None => rest.mark(),
        };
        if let Some(piece) = piece {
            pieces.push(Piece::Text(&page.text[text..start]));
            pieces.push(piece);
            text = rest.at;
        }
    }
    pieces.push(Piece::Text(&page.text[text..]));
    pieces
}

/// What is left of a page, from the line `line` on, which begins at the byte `at`.
struct Rest<'p> {
    page: &'p Page<'p>,
    at: usize,
    line: usize,
}

impl<'p> Rest<'p> {
    fn skip_to(&mut self, end: usize) -> &'p str {
        let skipped = &self.page.text[self.at..end];
        self.line += skipped.matches('\n').count();
        self.at = end;
        skipped
    }

    fn next_line(&mut self) -> &'p str {
        let rest = &self.page.text[self.at..];
        self.skip_to(self.at + rest.find('\n').map_or(rest.len(), |end| end + 1))
    }

    /// Skips a fence, if one begins here.
    fn fence(&mut self) -> Option<&'p Fence<'p>> {
        let mut fences = self.page.fences.iter();
        let fence = fences.find(|fence| fence.range.start == self.at)?;
        self.skip_to(fence.range.end);
        Some(fence)
    }

    /// Reads a line, and what belongs to it if it is a mark. A comment that fills a line is meant as
    /// one.
    fn mark(&mut self) -> Option<Piece<'p>> {
        let (at, line) = (self.at, self.line);
        let text = self.next_line().trim_end();
        let comment = text.trim_start();
        let in_fence = |fence: &Fence| fence.range.contains(&at);
        let is_comment = comment.starts_with("<!--") && comment.ends_with("-->");
        if !is_comment || self.page.fences.iter().any(in_fence) {
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
            Some(("changes", names)) => Piece::Changes { line, names },
            Some(("timeline", names)) => Piece::Timeline { line, names },
            Some(("listing", caption)) => listing(Some(caption)),
            None if mark == Some("listing") => listing(None),
            None if mark == Some("steps") => Piece::Index,
            _ => Piece::Unknown { line, comment },
        })
    }

    /// Skips the `rust` fences that follow, with nothing but empty lines before and between them.
    fn fences(&mut self) -> Vec<&'p Fence<'p>> {
        let mut fences = Vec::new();
        loop {
            let here = (self.at, self.line);
            while self.page.text[self.at..].starts_with('\n') {
                self.next_line();
            }
            match self.fence() {
                Some(fence) if fence.language() == "rust" => fences.push(fence),
                _ => {
                    (self.at, self.line) = here;
                    return fences;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_outside_of_fences_and_take_the_listings_below_them() {
        let text = "A\n\n<!-- listing: B -->\n\n```rust\na\n```\n\n```rust\nb\n```\n\n```text\n\
                    <!-- steps -->\n```\n\n- x\n\n  ```text\n  <!-- steps -->\n  ```\n\n\
                    ```console\n$ c\n```\n<!-- step: d -->\n <!-- steps -->";
        let page = Page::parse("src/page.md", text);
        let pieces = pieces(&page);
        let [Piece::Text("A\n\n"), Piece::Listing {
            line: 3,
            caption: Some("B"),
            fences,
        }, Piece::Text(_), Piece::Terminal(terminal), Piece::Text(""), Piece::Step {
            line: 26,
            name: "d",
        }, Piece::Text(""), Piece::Unknown {
            line: 27,
            comment: "<!-- steps -->",
        }, Piece::Text("")] = &pieces[..]
        else {
            panic!("{pieces:?}");
        };
        assert_eq!(fences.len(), 2);
        assert_eq!(terminal.place.line, 23);
    }
}
