//! A page of the book, read once, with mdBook's own parser: its blocks of code, its running text, its
//! links, and what it asks mdBook to include.

use crate::sources::join;
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{new_cmark_parser, MarkdownOptions};
use regex::Regex;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

/// A page, as its author has written it.
#[derive(Clone, Debug, Default)]
pub struct Page<'t> {
    /// Its path from the root: `src/end-the-workers.md`.
    pub file: String,
    pub text: &'t str,
    pub fences: Vec<Fence<'t>>,
    /// `code` in the running text.
    pub spans: Vec<Spot>,
    /// Where links lead to, as it is written.
    pub links: Vec<Spot>,
    /// Where the running text is: not in code, headings, links or HTML.
    pub prose: Vec<Range<usize>>,
    pub directives: Vec<Directive>,
}

/// A word of a page, and its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    pub line: usize,
    pub text: String,
}

/// A block of code.
#[derive(Clone, Debug)]
pub struct Fence<'t> {
    pub place: Place,
    /// Where it is in the page, with its fences and the end of its last line.
    pub range: Range<usize>,
    /// The same, as a text.
    pub text: &'t str,
    /// What stands behind the opening fence; `None`: it is a block by its indentation.
    pub info: Option<String>,
    pub body: String,
    /// What it has mdBook include.
    pub includes: Vec<Include>,
}

impl Fence<'_> {
    /// What it holds: the first word behind the opening fence.
    pub fn language(&self) -> &str {
        let info = self.info.as_deref().unwrap_or_default();
        info.split(',').next().unwrap_or_default()
    }

    /// The include that is its whole body.
    pub fn include(&self) -> Option<&Include> {
        let [include] = &self.includes[..] else {
            return None;
        };
        (self.body.trim() == include.text).then_some(include)
    }
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

/// What a `{{#…}}` on a page asks mdBook for.
#[derive(Clone, Debug)]
pub struct Directive {
    pub place: Place,
    pub at_line_start: bool,
    pub kind: String,
    pub argument: String,
    range: Range<usize>,
}

/// An `include` or `rustdoc_include`, with the file's path from the root.
#[derive(Clone, Debug)]
pub struct Include {
    pub place: Place,
    pub file: String,
    /// What follows the file's name and a colon.
    pub part: Option<String>,
    /// Whether the rest of the file is there, too, hidden: `rustdoc_include`.
    pub with_rest: bool,
    /// As it is written.
    pub text: String,
    range: Range<usize>,
}

impl Include {
    /// The listing that the file belongs to, and the file's path in it.
    pub fn of_listing(&self) -> Option<(&str, &str)> {
        self.file.strip_prefix("listings/")?.split_once('/')
    }

    /// The listing that the file belongs to.
    pub fn listing(&self) -> Option<&str> {
        Some(self.of_listing()?.0)
    }
}

impl<'t> Page<'t> {
    /// Reads the page `file`, a path from the root.
    pub fn parse(file: &str, text: &'t str) -> Page<'t> {
        let mut page = Page {
            file: file.to_owned(),
            text,
            directives: directives(file, text),
            ..Page::default()
        };
        let includes = page.includes();
        let mut fence: Option<Fence> = None;
        let mut outside = 0; // how many headings, links and blocks of code we are in
        let options = MarkdownOptions::default();
        for (event, range) in new_cmark_parser(text, &options).into_offset_iter() {
            match &event {
                Event::Start(Tag::Heading { .. } | Tag::Link { .. } | Tag::CodeBlock(_)) => {
                    outside += 1
                }
                Event::End(TagEnd::Heading(_) | TagEnd::Link | TagEnd::CodeBlock) => outside -= 1,
                Event::Text(_) if outside == 0 => page.prose.push(range.clone()),
                _ => {}
            }
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    fence = Some(page.fence(kind, range, &includes))
                }
                Event::End(TagEnd::CodeBlock) => page.fences.extend(fence.take()),
                Event::Text(text) => {
                    if let Some(fence) = &mut fence {
                        fence.body += &text;
                    }
                }
                Event::Code(code) => page.spans.push(page.spot(range.start, &code)),
                Event::Start(Tag::Link { dest_url, .. }) => {
                    page.links.push(page.spot(range.start, &dest_url))
                }
                _ => {}
            }
        }
        page
    }

    fn spot(&self, at: usize, text: &str) -> Spot {
        let (line, text) = (line_of(self.text, at), text.to_owned());
        Spot { line, text }
    }

    fn fence(&self, kind: CodeBlockKind, range: Range<usize>, includes: &[Include]) -> Fence<'t> {
        let newline = usize::from(self.text[range.end..].starts_with('\n'));
        let range = range.start..range.end + newline;
        let within = |include: &&Include| range.contains(&include.range.start);
        Fence {
            place: self.place(line_of(self.text, range.start)),
            text: &self.text[range.clone()],
            info: match kind {
                CodeBlockKind::Fenced(info) => Some(info.into_string()),
                CodeBlockKind::Indented => None,
            },
            body: String::new(),
            includes: includes.iter().filter(within).cloned().collect(),
            range,
        }
    }

    /// A line of this page.
    pub fn place(&self, line: usize) -> Place {
        let file = self.file.clone();
        Place { file, line }
    }

    /// Everything that the page has mdBook include, in a fence or out of it.
    pub fn includes(&self) -> Vec<Include> {
        let folder = self.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let includes = self.directives.iter().filter_map(|directive| {
            let with_rest = match directive.kind.as_str() {
                "include" => false,
                "rustdoc_include" => true,
                _ => return None,
            };
            let (path, part) = match directive.argument.split_once(':') {
                Some((path, part)) => (path, Some(part.to_owned())),
                None => (directive.argument.as_str(), None),
            };
            Some(Include {
                place: directive.place.clone(),
                file: join(folder, path),
                part,
                with_rest,
                text: self.text[directive.range.clone()].to_owned(),
                range: directive.range.clone(),
            })
        });
        includes.collect()
    }
}

/// The directives that mdBook acts on, wherever they stand: in a fence or out of it, and in inline
/// code too. Those escaped as `\{{#…}}` it leaves alone.
fn directives(file: &str, text: &str) -> Vec<Directive> {
    // mdBook's own pattern (mdbook-driver, `links.rs`).
    static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\\\{\{\#.*\}\}|\{\{\s*\#([a-zA-Z0-9_]+)\s+([^}]+)\}\}").expect("a pattern")
    });
    let found = DIRECTIVE.captures_iter(text).filter_map(|captures| {
        let range = captures.get(0)?.range();
        Some(Directive {
            kind: captures.get(1)?.as_str().to_owned(), // none: it is escaped
            argument: captures.get(2)?.as_str().trim().to_owned(),
            at_line_start: range.start == 0 || text[..range.start].ends_with('\n'),
            place: Place {
                file: file.to_owned(),
                line: line_of(text, range.start),
            },
            range,
        })
    });
    found.collect()
}

/// The line, counted from 1, on which the byte `offset` of `text` stands.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A `b`\n\nSee `c` and [d](e.md#f).\n\n```rust,no_run\n\
        {{#rustdoc_include ../listings/listing-1-1/src/lib.rs:a}}\n```\n\n\
        - x\n\n  ~~~text\n  {{#include ../recorded/t.txt:a}}\n  more\n  ~~~\n\n    y\n\n\
        `\\{{#include z}}`\n";

    #[test]
    fn fences_are_read_with_their_places_and_what_they_include() {
        let page = Page::parse("src/page.md", TEXT);
        let [rust, text] = &page.fences[..] else {
            panic!("{:?}", page.fences);
        };
        assert_eq!(rust.place.to_string(), "src/page.md:5");
        assert_eq!(rust.language(), "rust");
        assert!(rust.text.starts_with("```rust,no_run\n") && rust.text.ends_with("\n```\n"));
        let include = rust.include().unwrap();
        assert_eq!(include.of_listing(), Some(("listing-1-1", "src/lib.rs")));
        assert_eq!(include.part.as_deref(), Some("a"));
        assert!(include.with_rest);

        assert_eq!(text.place.line, 11);
        assert_eq!(text.body, "{{#include ../recorded/t.txt:a}}\nmore\n");
        assert_eq!(text.includes[0].file, "recorded/t.txt");
        assert!(text.include().is_none());
        assert!(!page.directives[1].at_line_start);
    }

    #[test]
    fn running_text_is_told_from_headings_links_and_code() {
        let page = Page::parse("src/page.md", TEXT);
        let spot = |line, text: &str| Spot {
            line,
            text: text.into(),
        };
        assert_eq!(
            page.spans,
            [spot(1, "b"), spot(3, "c"), spot(18, "\\{{#include z}}")]
        );
        assert_eq!(page.links, [spot(3, "e.md#f")]);
        let prose: Vec<_> = page
            .prose
            .iter()
            .map(|range| &TEXT[range.clone()])
            .collect();
        assert_eq!(prose, ["See ", " and ", ".", "x", "y"]);
    }

    #[test]
    fn a_block_by_its_indentation_has_no_info() {
        let page = Page::parse("README.md", "A\n\n    fn main() {}\n");
        assert_eq!(page.fences[0].info, None);
        assert_eq!(page.fences[0].place.to_string(), "README.md:3");
    }
}
