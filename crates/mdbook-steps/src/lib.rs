//! An mdBook preprocessor that shows the steps of the book, each made from its crate in `listings/`.
//!
//! It replaces these marks, each on a line of its own:
//!
//! - `<!-- listing -->`, above fences that include parts of a listing: they become a figure, with
//!   the step's number, the file, and the caption, which is the `description` in the step's
//!   `Cargo.toml`. Lines that the step before does not have are marked. `<!-- listing: CAPTION -->`
//!   shows a further part under a caption of its own.
//! - `<!-- step: listing-20-24 -->`: what has changed since the step before, and how to get the step:
//!   a command, and a shell script, in which the step's files are, whole.
//! - `<!-- steps -->`: a table of all steps.
//! - `<!-- changes: listing-20-23, listing-20-24 -->`: what these steps change in `src/`, and no more.
//! - `<!-- timeline: 20-24-let, 20-24-while-let -->`: runs that were recorded, of which one at a time
//!   can be stepped through (see [`book::schedules`]). `<!-- timeline: ONE = OTHER -->`: two runs that
//!   are the same but for the turns that the threads take, side by side.
//!
//! A fence of `console`, which includes a recorded terminal, has its prompts told apart from what was
//! typed and printed. And where the prose mentions a listing, `Listing 20-24`, it links to it. To a
//! stock mdBook the marks are comments, and the pages are complete without what they stand for.

mod changes;
mod figure;
mod listings;
mod pages;
mod render;
mod terminal;
mod timeline;

use anyhow::bail;
use book::step;
use listings::Listings;
use mdbook_preprocessor::book::{Book, BookItem};
use mdbook_preprocessor::errors::Result;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use pages::Pages;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// With the chapter and the line: when a mark names no step, steps are out of order, or a listing
    /// or a terminal cannot be shown. When a step is on no page, or a listing cannot be read.
    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book> {
        let mut pages = Pages {
            root: &context.root,
            names: step::names(&context.root)?,
            listings: Listings::default(),
            shown: BTreeMap::new(),
        };
        for item in book.iter() {
            if let BookItem::Chapter(chapter) = item {
                pages.listings.read(chapter)?;
            }
        }
        // The index last: what is wrong is said where it is wrong.
        each(&mut book, |page, content| pages.expand(page, content))?;
        let mut names = pages.names.iter();
        if let Some(missing) = names.find(|name| !pages.shown.contains_key(*name)) {
            bail!(
                "no page shows what listings/{missing} changes: \
                 write `<!-- step: {missing} -->` on a line of its own, at its checkpoint"
            );
        }
        each(&mut book, |page, content| pages.finish(page, content))?;
        Ok(book)
    }
}

/// Replaces the content of each chapter.
fn each(book: &mut Book, mut replace: impl FnMut(&Path, &str) -> Result<String>) -> Result<()> {
    let mut result = Ok(());
    book.for_each_mut(|item| {
        if let (BookItem::Chapter(chapter), Ok(())) = (item, &result) {
            let page = chapter.source_path.clone().unwrap_or_default();
            result = replace(&page, &chapter.content).map(|content| chapter.content = content);
        }
    });
    result
}

/// The files of a step under their paths.
type Files = std::collections::BTreeMap<PathBuf, Vec<u8>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_on_a_page_is_said_before_what_is_missing_in_the_index() {
        let chapter = |content: &str| {
            BookItem::Chapter(mdbook_preprocessor::book::Chapter::new(
                "A page",
                content.into(),
                "page.md",
                Vec::new(),
            ))
        };
        let mut book = Book::new();
        book.push_item(chapter("<!-- steps -->\n"));
        book.push_item(chapter("\n<!-- lisitng -->\n"));
        let context = PreprocessorContext::new(book::root(), Default::default(), "html".into());
        let error = Steps.run(&context, book).unwrap_err().to_string();
        assert!(
            error.starts_with("src/page.md:2: `<!-- lisitng -->`"),
            "{error}"
        );
    }

    #[test]
    fn a_step_that_no_page_shows_is_an_error() {
        let root = book::root();
        let context = PreprocessorContext::new(root, Default::default(), "html".into());
        let error = Steps.run(&context, Book::new()).unwrap_err().to_string();
        assert!(
            error.starts_with("no page shows what listings/starting-point changes"),
            "{error}"
        );
    }
}
