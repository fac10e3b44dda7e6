//! An mdBook preprocessor that shows the steps of the book, each made from its crate in `listings/`.
//!
//! Where a chapter says `<!-- step: listing-20-24 -->`, on a line of its own, the page shows what
//! has changed since the step before, the step's files, whole, and a shell script that recreates it.
//! Where it says `<!-- caption: listing-20-24 src/lib.rs -->`, the page shows the step's caption, which
//! is the `description` in its `Cargo.toml`. Where it says `<!-- steps -->`, the page shows a table of
//! all steps. And where the prose mentions a listing, `Listing 20-24`, it links to it. To a stock
//! mdBook the marks are comments, and the pages are complete without what they stand for.

mod listings;
mod render;

use anyhow::{bail, ensure, Context};
use book_commands::step;
use listings::Listings;
use mdbook_preprocessor::book::{Book, BookItem, Chapter};
use mdbook_preprocessor::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::path::{Path, PathBuf};

/// The line in whose place the table of all steps is shown.
const INDEX: &str = "<!-- steps -->\n";

/// The preprocessor `steps`.
pub struct Steps;

impl Preprocessor for Steps {
    fn name(&self) -> &str {
        "steps"
    }

    /// Replaces every mark in the book.
    ///
    /// # Errors
    ///
    /// With the chapter and the line: when a mark names no step, or steps are out of order. When a
    /// step is on no page, or a listing cannot be read.
    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let names = step::names(&context.root)?;
        let mut listings = Listings::default();
        for item in book.iter() {
            if let BookItem::Chapter(chapter) = item {
                listings.read(chapter);
            }
        }
        let mut shown: Vec<String> = Vec::new();
        let mut replace = |chapter: &mut Chapter| -> Result<()> {
            let page = chapter.source_path.clone().unwrap_or_default();
            let mut content = expand(&context.root, &names, &page, &chapter.content, &mut shown)?;
            if content.contains(INDEX) {
                let index = listings.index(&context.root, &names, &page)?;
                content = content.replace(INDEX, &index);
            }
            chapter.content = listings.link_mentions(&content, &page);
            Ok(())
        };
        let mut result = Ok(());
        book.for_each_mut(|item| {
            if let (BookItem::Chapter(chapter), Ok(())) = (item, &result) {
                result = replace(chapter);
            }
        });
        result?;
        if let Some(missing) = names.iter().find(|name| !shown.contains(name)) {
            bail!(
                "no page shows what listings/{missing} changes: \
                 write `<!-- step: {missing} -->` on a line of its own, at its checkpoint"
            );
        }
        Ok(book)
    }
}

/// The chapter with its marks replaced; adds the steps that it shows to `shown`.
fn expand(
    root: &Path,
    names: &[String],
    page: &Path,
    content: &str,
    shown: &mut Vec<String>,
) -> Result<String> {
    let mut expanded = String::with_capacity(content.len());
    let mut fenced = false;
    for (number, line) in (1..).zip(content.split_inclusive('\n')) {
        fenced ^= line.starts_with("```");
        if fenced {
            expanded.push_str(line);
            continue;
        }
        let place = format!("{}:{number}", Path::new("src").join(page).display());
        if let Some((name, file)) = mark("caption", line).and_then(|mark| mark.split_once(' ')) {
            let caption = step::caption(root, name).with_context(|| place.clone())?;
            ensure!(
                root.join("listings").join(name).join(file).is_file(),
                "{place}: the step `{name}` has no file {file}"
            );
            expanded.push_str(&render::caption(name, file, &caption));
            continue;
        }
        let Some(name) = mark("step", line) else {
            expanded.push_str(line);
            continue;
        };
        let Some(position) = names.iter().position(|known| known == name) else {
            bail!(
                "{place}: there is no step `{name}`; there are: {}",
                names.join(", ")
            );
        };
        // The names are in the order of the steps.
        let expected = shown.len();
        ensure!(
            position == expected,
            "{place}: the step `{name}` is out of order: {} is next",
            names.get(expected).map_or("none", String::as_str)
        );
        let files = step::files(root, name)?;
        let before = match step::predecessor(names, name) {
            Some(before) => Some((before, step::files(root, before)?)),
            None => None,
        };
        let rendered = render::step(name, &files, before.as_ref().map(|(n, f)| (*n, f)))
            .with_context(|| format!("{place}: the step `{name}`"))?;
        expanded.push_str(&rendered);
        shown.push(name.to_owned());
    }
    Ok(expanded)
}

/// What follows the word in a mark, `<!-- WORD: WHAT -->`.
fn mark<'l>(word: &str, line: &'l str) -> Option<&'l str> {
    let rest = line.trim_end().strip_prefix("<!-- ")?.strip_prefix(word)?;
    rest.strip_prefix(": ")?.strip_suffix(" -->")
}

/// The files of a step under their paths.
type Files = std::collections::BTreeMap<PathBuf, Vec<u8>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_page(content: &str, shown: &[&str]) -> Result<String> {
        let root = book_commands::root();
        let names = step::names(&root)?;
        let mut shown: Vec<String> = shown.iter().map(|name| name.to_string()).collect();
        expand(&root, &names, Path::new("page.md"), content, &mut shown)
    }

    fn error_of(content: &str, shown: &[&str]) -> String {
        format!("{:#}", expand_page(content, shown).unwrap_err())
    }

    #[test]
    fn a_mark_becomes_the_changes_the_files_and_the_script() {
        let page = "Before\n\n<!-- step: listing-20-23 -->\n\nAfter\n";

        let page = expand_page(page, &["starting-point"]).unwrap();

        assert!(page.starts_with("Before\n\n<div class=\"step\" id=\"step-listing-20-23\">"));
        assert!(
            page.contains("+        drop(self.sender.take());\n"),
            "{page}"
        );
        assert!(
            page.contains("-    sender: mpsc::Sender&lt;Job&gt;")
                || page.contains("-    sender: mpsc::Sender<Job>,\n")
        );
        assert!(page.contains("mkdir -p"));
        assert!(!page.contains("ANCHOR"));
        assert!(page.ends_with("</div>\n\nAfter\n"));
    }

    #[test]
    fn a_caption_is_the_description_of_the_crate() {
        let page = expand_page("<!-- caption: listing-20-24 src/lib.rs -->\n", &[]).unwrap();
        assert_eq!(
            page,
            "<figcaption>Listing 20-24, <code>src/lib.rs</code>: Explicitly breaking out of the loop \
             when <code>recv</code> returns an error</figcaption>\n"
        );
        let error = error_of("\n<!-- caption: listing-9-9 src/lib.rs -->\n", &[]);
        assert!(error.starts_with("src/page.md:2: cannot read "), "{error}");
        let error = error_of("<!-- caption: listing-20-24 src/nothing.rs -->\n", &[]);
        assert_eq!(
            error,
            "src/page.md:1: the step `listing-20-24` has no file src/nothing.rs"
        );
    }

    #[test]
    fn a_mark_in_a_fence_is_left_alone() {
        let page = "```text\n<!-- step: listing-20-23 -->\n```\n";
        assert_eq!(expand_page(page, &[]).unwrap(), page);
    }

    #[test]
    fn an_unknown_step_is_named_with_its_place() {
        let error = error_of("# Page\n\n<!-- step: listing-9-9 -->\n", &[]);
        assert!(
            error.starts_with(
                "src/page.md:3: there is no step `listing-9-9`; there are: starting-point, "
            ),
            "{error}"
        );
    }

    #[test]
    fn a_step_out_of_order_is_named_with_its_place() {
        let error = error_of("<!-- step: listing-20-24 -->\n", &["starting-point"]);
        assert_eq!(
            error,
            "src/page.md:1: the step `listing-20-24` is out of order: listing-20-23 is next"
        );
    }

    #[test]
    fn a_step_that_no_page_shows_is_an_error() {
        let root = book_commands::root();
        let context = PreprocessorContext::new(root, Default::default(), "html".into());
        let error = Steps.run(&context, Book::new()).unwrap_err().to_string();
        assert!(
            error.starts_with("no page shows what listings/starting-point changes"),
            "{error}"
        );
    }
}
