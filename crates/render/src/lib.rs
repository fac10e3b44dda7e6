//! Renders the book in this process: mdBook's own loader and renderer, with the preprocessor
//! [`mdbook_steps`] called as a function.
//!
//! `cargo book` shows the pages that this makes, and `build.rs` tests them. So whoever reads or tests
//! the book needs no mdBook. The one that others have installed makes the same pages.

mod complaints;

use anyhow::{Context, Result};
use book::page::line_of;
use book::sources::relative;
use mdbook_driver::book::{Book, BookItem, Chapter};
use mdbook_driver::MDBook;
use mdbook_html::HtmlHandlebars;
use mdbook_renderer::{RenderContext, Renderer};
use mdbook_steps::Steps;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// What a book was rendered from.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The chapters, in the order of the book.
    pub pages: Vec<Expanded>,
    /// What mdBook has complained of, with the place where that is known. The book was rendered all the
    /// same, but a reader would not see what its author meant: a file that is included and cannot be
    /// read, a tag that is never closed.
    pub complaints: Vec<String>,
}

/// A chapter as it is rendered.
#[derive(Debug)]
pub struct Expanded {
    /// Its file, from the book's folder: `src/introduction.md`.
    pub file: String,
    /// Its Markdown, with all that it includes, and with what the preprocessor puts there.
    pub text: String,
}

/// Renders the book at `root` into `folder`, as `folder/index.html` and so on. What was in that folder
/// is removed.
///
/// # Errors
///
/// When a file of the book cannot be read, when the preprocessor finds a mark that it cannot replace,
/// and when `folder` cannot be written. A page that includes what is not there is none:
/// see [`Rendered::complaints`].
///
/// # Examples
///
/// ```no_run
/// let rendered = render::render(&book::root(), "target/pages".as_ref())?;
/// assert_eq!(rendered.pages[0].file, "src/introduction.md");
/// # Ok::<(), anyhow::Error>(())
/// ```
pub fn render(root: &Path, folder: &Path) -> Result<Rendered> {
    let mut book = MDBook::load(root)?;
    // In place of the command of that name in book.toml.
    book.with_preprocessor(Steps);
    // A list of files that are copied leaves these out.
    book.config.build.build_dir = folder.to_owned();
    let html = Html {
        folder: folder.to_owned(),
        chapters: RefCell::default(),
    };
    let (rendered, complaints) = complaints::collect(|| book.execute_build_process(&html));
    rendered?;

    let pages = html.chapters.take().into_iter().map(|chapter| {
        let path = chapter.source_path.as_ref();
        let path = path.context("a chapter without a file in SUMMARY.md")?;
        Ok(Expanded {
            file: relative(root, &root.join("src").join(path)),
            text: chapter.content,
        })
    });
    Ok(Rendered {
        pages: pages.collect::<Result<_>>()?,
        complaints: complaints
            .into_iter()
            .map(|complaint| with_place(&book.book, complaint))
            .collect(),
    })
}

/// mdBook's renderer, and what it was given.
struct Html {
    folder: PathBuf,
    chapters: RefCell<Vec<Chapter>>,
}

impl Renderer for Html {
    fn name(&self) -> &str {
        "html"
    }

    fn render(&self, context: &RenderContext) -> Result<()> {
        let mut context = context.clone();
        context.destination.clone_from(&self.folder);
        HtmlHandlebars::new().render(&context)?;
        let chapters = context.book.iter().filter_map(|item| match item {
            BookItem::Chapter(chapter) => Some(chapter.clone()),
            _ => None,
        });
        self.chapters.borrow_mut().extend(chapters);
        Ok(())
    }
}

/// mdBook names the directive that it cannot follow, `{{#include ...}}`, but not where that stands.
fn with_place(book: &Book, complaint: String) -> String {
    let directive = complaint.find("{{#").and_then(|start| {
        let end = complaint[start..].find("}}")?;
        Some(&complaint[start..start + end + "}}".len()])
    });
    let place = directive.and_then(|directive| {
        book.iter().find_map(|item| {
            let BookItem::Chapter(chapter) = item else {
                return None;
            };
            let line = line_of(&chapter.content, chapter.content.find(directive)?);
            let file = chapter.source_path.as_ref()?;
            Some(format!("src/{}:{line}", file.display()))
        })
    });
    match place {
        Some(place) => format!("{place}: {complaint}"),
        None => complaint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A book of one page, and no listings.
    fn book(page: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(root.path().join(file), text).unwrap();
        for folder in ["src", "listings"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let outputs = "[output.html]\n[output.other]\noptional = true\n";
        write(
            "book.toml",
            &format!("[book]\ntitle = \"A book\"\n{outputs}"),
        );
        write("src/SUMMARY.md", "- [A page](page.md)\n");
        write("src/part.txt", "What is included.\n");
        write("src/page.md", page);
        root
    }

    #[test]
    fn a_page_is_rendered_with_what_it_includes() {
        let root = book("# A page\n\n{{#include part.txt}}\n");
        let folder = root.path().join("out");

        let rendered = render(root.path(), &folder).unwrap();

        assert_eq!(rendered.complaints, [""; 0]);
        let [page] = &rendered.pages[..] else {
            panic!("{rendered:?}")
        };
        assert_eq!(page.file, "src/page.md");
        assert!(page.text.contains("What is included."), "{}", page.text);
        // Not in a folder below, although the book has two renderers.
        let html = fs::read_to_string(folder.join("page.html")).unwrap();
        assert!(html.contains("<p>What is included.</p>"), "{html}");
        assert!(folder.join("index.html").is_file());
    }

    #[test]
    fn what_cannot_be_included_is_told_with_its_place() {
        let root = book("# A page\n\n{{#include prat.txt}}\n\n<b>\n");

        let rendered = render(root.path(), &root.path().join("out")).unwrap();

        let [include, tag] = &rendered.complaints[..] else {
            panic!("{rendered:?}")
        };
        assert!(include.starts_with("src/page.md:3: "), "{include}");
        assert!(
            include.contains("prat.txt") && include.contains("os error"),
            "{include}"
        );
        assert!(tag.contains("<b>") && tag.contains("page.md"), "{tag}");
    }

    #[test]
    fn a_mark_that_cannot_be_replaced_is_an_error_with_its_place() {
        let root = book("# A page\n\n<!-- lisitng -->\n");
        let error = render(root.path(), &root.path().join("out")).unwrap_err();
        assert!(error.to_string().starts_with("src/page.md:3: "), "{error}");
    }
}
