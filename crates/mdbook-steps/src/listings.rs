//! What the chapters say of the listings: where each one is shown, and how dropping its pool ended in
//! the search.

use crate::figure::Part;
use crate::pages::page_of;
use anyhow::{bail, Context, Result};
use book::marks::{pieces, Piece};
use book::step;
use book::tables::{self, Endings};
use mdbook_preprocessor::book::Chapter;
use regex::Regex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A listing as a page shows it.
struct Shown {
    page: PathBuf,
    chapter: String,
    place: String,
}

/// The listings of the book, by their names.
#[derive(Default)]
pub(crate) struct Listings {
    shown: BTreeMap<String, Shown>,
    /// How the runs of all its cases end.
    endings: BTreeMap<String, Endings>,
}

impl Listings {
    /// Notes what the chapter says: the listings that it shows, and the rows of its tables.
    ///
    /// # Errors
    ///
    /// When a listing's figure is on a page already.
    pub(crate) fn read(&mut self, chapter: &Chapter) -> Result<()> {
        let Some(page) = &chapter.source_path else {
            return Ok(());
        };
        let text = page_of(page, &chapter.content);
        for piece in pieces(&text) {
            let Piece::Listing {
                line,
                caption: None,
                fences,
            } = piece
            else {
                continue;
            };
            // What is wrong with a fence is said when it is shown.
            let Some(Ok(part)) = fences.first().map(|&fence| Part::of(fence)) else {
                continue;
            };
            let name = part.listing.to_owned();
            if let Some(Shown { place, .. }) = self.shown.get(&name) {
                bail!(
                    "{}: {name} has its figure on {place} already; give this one a caption of its \
                     own: `<!-- listing: CAPTION -->`",
                    text.place(line)
                );
            }
            let shown = Shown {
                page: page.clone(),
                chapter: chapter.name.clone(),
                place: text.place(line).to_string(),
            };
            self.shown.insert(name, shown);
        }
        // A row that cannot be read is for the tests to name.
        for row in tables::rows(&text).unwrap_or_default() {
            let endings = self.endings.entry(row.listing).or_default();
            endings.finish += row.said.finish;
            endings.deadlock += row.said.deadlock;
            endings.panic += row.said.panic;
        }
        Ok(())
    }

    /// All steps as a table: number, caption, page, and what dropping the pool does.
    ///
    /// # Errors
    ///
    /// When a listing has no caption, or is on no page.
    pub(crate) fn index(&self, root: &Path, names: &[String], page: &Path) -> Result<String> {
        let mut table =
            String::from("| Step | Dropping its pool | What it does |\n| --- | --- | --- |\n");
        for name in names {
            let shown = self.shown.get(name).with_context(|| {
                format!(
                    "no page shows listings/{name}: write `<!-- listing -->` on a line of its own, \
                     above the fence that includes it"
                )
            })?;
            let step = name.strip_prefix("listing-").unwrap_or("start");
            let link = self.link(name, page);
            let ends = self.endings.get(name).copied().unwrap_or_default();
            let ending = match (ends.finish > 0, ends.deadlock > 0, ends.panic > 0) {
                (true, false, false) => "always finishes",
                (false, true, false) => "always hangs",
                (false, false, true) => "always panics",
                (true, true, false) => "finishes, or hangs if jobs wait for each other",
                _ => "",
            };
            let (chapter, caption) = (&shown.chapter, step::caption(root, name)?);
            let _ = writeln!(
                table,
                "| [{step}]({link}) | {ending} | {caption} (*{chapter}*) |"
            );
        }
        Ok(table)
    }

    /// The chapter with each mention of a listing in its prose made a link to that listing.
    pub(crate) fn link_mentions(&self, content: &str, page: &Path) -> String {
        static MENTION: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"\bListing (\d+-\d+)\b").expect("a pattern"));

        let mut linked = content.to_owned();
        // From the end, so that the places before stay where they are.
        for range in page_of(page, content).prose.into_iter().rev() {
            let mentions: Vec<_> = MENTION.captures_iter(&content[range.clone()]).collect();
            for mention in mentions.into_iter().rev() {
                let name = format!("listing-{}", &mention[1]);
                let Some(found) = mention.get(0).filter(|_| self.shown.contains_key(&name)) else {
                    continue;
                };
                let link = format!("[{}]({})", found.as_str(), self.link(&name, page));
                let start = range.start + found.start();
                linked.replace_range(start..start + found.len(), &link);
            }
        }
        linked
    }

    fn link(&self, name: &str, from: &Path) -> String {
        match self.shown.get(name) {
            Some(shown) if shown.page != from => format!("{}#{name}", shown.page.display()),
            _ => format!("#{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listings() -> Listings {
        let content = "<!-- listing -->\n\n```rust\n\
                       {{#include ../listings/listing-20-25/src/main.rs:main}}\n```\n\n\
                       | Step | Workers | Jobs | Searched | Runs | finish | deadlock | panic |\n\
                       | `listing-20-25` | 2 | 1 | orders | 1,865 | 0 | 1,865 | 0 |\n";
        let chapter = Chapter::new("A page", content.into(), "page.md", Vec::new());
        let mut listings = Listings::default();
        listings.read(&chapter).unwrap();
        listings
    }

    #[test]
    fn the_index_is_made_of_captions_figures_and_tables() {
        let names = ["listing-20-25".into()];
        let index = listings().index(&book::root(), &names, Path::new("intro.md"));
        let row =
            "| [20-25](page.md#listing-20-25) | always hangs | Shutting down the server after \
                   serving two requests by exiting the loop (*A page*) |\n";
        assert!(index.unwrap().ends_with(row));
    }

    #[test]
    fn a_second_figure_of_the_same_listing_is_named_with_both_places() {
        let content = "\n<!-- listing -->\n\n```rust\n\
                       {{#include ../listings/listing-20-25/src/main.rs:main}}\n```\n";
        let chapter = Chapter::new("Another", content.into(), "other.md", Vec::new());
        let error = listings().read(&chapter).unwrap_err().to_string();
        assert!(
            error.starts_with("src/other.md:2: listing-20-25 has its figure on src/page.md:1"),
            "{error}"
        );
    }

    #[test]
    fn mentions_in_the_prose_are_linked_and_no_others() {
        let page = "# Listing 20-25\n\nSee Listing 20-25, not `Listing 20-25`, [Listing 20-25](x) or Listing 9-9.\n\n\
                    ```text\nListing 20-25\n```\n\n<p>Listing 20-25</p>\n";
        let linked = listings().link_mentions(page, Path::new("other.md"));
        let expected = page.replacen(
            "See Listing 20-25",
            "See [Listing 20-25](page.md#listing-20-25)",
            1,
        );
        assert_eq!(linked, expected);
    }
}
