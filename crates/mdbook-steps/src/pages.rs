//! The pages with their marks replaced, one after the other.

use crate::listings::Listings;
use crate::{changes, figure, render, terminal, timeline};
use anyhow::{bail, ensure, Context, Result};
use book::marks::{pieces, Piece};
use book::page::Page;
use book::step;
use std::collections::BTreeMap;
use std::path::Path;

/// A chapter, by its path in `src/`, to be read.
pub(crate) fn page_of<'c>(path: &Path, content: &'c str) -> Page<'c> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    Page::parse(&format!("src/{}", parts.join("/")), content)
}

/// Where the index goes, until all pages are expanded.
const INDEX: &str = "\u{0}steps\u{0}";

/// What is known while the pages are expanded, one after the other.
pub(crate) struct Pages<'r> {
    pub(crate) root: &'r Path,
    /// All steps, in order.
    pub(crate) names: Vec<String>,
    pub(crate) listings: Listings,
    /// Where the pages so far have shown which step.
    pub(crate) shown: BTreeMap<String, String>,
}

impl Pages<'_> {
    /// The chapter with its marks replaced, but for that of the index.
    pub(crate) fn expand(&mut self, page: &Path, content: &str) -> Result<String> {
        let page = page_of(page, content);
        let mut expanded = String::with_capacity(content.len());
        for piece in pieces(&page) {
            expanded += &match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Step { line, name } => {
                    let place = page.place(line);
                    let step = self.step(name, &place.to_string());
                    step.with_context(|| format!("{place}: the step `{name}`"))?
                }
                Piece::Unknown { line, comment } => bail!(
                    "{}: `{comment}` is no mark; there are `<!-- listing -->`, \
                     `<!-- listing: CAPTION -->`, `<!-- step: NAME -->`, `<!-- steps -->`, \
                     `<!-- changes: NAME, NAME -->` and `<!-- timeline: NAME -->`, each at the \
                     beginning of its line",
                    page.place(line)
                ),
                Piece::Changes { line, names } => {
                    self.changes(names).with_context(|| page.place(line))?
                }
                Piece::Index => INDEX.to_owned(),
                Piece::Listing {
                    line,
                    caption,
                    fences,
                } => figure::figure(self.root, &self.names, caption, &fences)
                    .with_context(|| page.place(line))?,
                Piece::Timeline { line, names } => {
                    timeline::timeline(self.root, names).with_context(|| page.place(line))?
                }
                Piece::Proposal(fence) => changes::proposal(fence),
                Piece::Terminal(fence) => terminal::terminal(self.root, fence)
                    .with_context(|| fence.place.clone())?
                    .unwrap_or_else(|| fence.text.to_owned()),
            };
        }
        Ok(expanded)
    }

    /// The expanded chapter with its index, and with links from the mentions of listings.
    pub(crate) fn finish(&self, page: &Path, expanded: &str) -> Result<String> {
        let mut finished = expanded.to_owned();
        if expanded.contains(INDEX) {
            let index = self.listings.index(self.root, &self.names, page)?;
            finished = finished.replace(INDEX, &index);
        }
        Ok(self.listings.link_mentions(&finished, page))
    }

    /// The sources' changes in each of these steps.
    fn changes(&self, names: &str) -> Result<String> {
        let mut shown = String::new();
        for name in names.split(", ") {
            let before = step::predecessor(&self.names, name);
            let before = before.with_context(|| {
                let known = self.names.iter().skip(1);
                let known: Vec<_> = known.map(String::as_str).collect();
                format!(
                    "no step `{name}` follows another one; these do: {}",
                    known.join(", ")
                )
            })?;
            let (old, new) = (
                step::files(self.root, before)?,
                step::files(self.root, name)?,
            );
            let caption = step::caption(self.root, name)?;
            let diffs = render::sources(name, &caption, &old, &new)?;
            shown += &changes::by_item(&diffs, &new);
        }
        Ok(shown)
    }

    /// Everything that is shown of a step at its checkpoint.
    fn step(&mut self, name: &str, place: &str) -> Result<String> {
        ensure!(
            self.names.iter().any(|known| known == name),
            "there is none; there are: {}",
            self.names.join(", ")
        );
        if let Some(first) = self.shown.get(name) {
            bail!("it is on {first} already; take one of the two out");
        }
        let before = step::predecessor(&self.names, name);
        if let Some(before) = before.filter(|before| !self.shown.contains_key(*before)) {
            bail!("it is out of order: {before} comes first");
        }
        self.shown.insert(name.to_owned(), place.to_owned());
        let files = step::files(self.root, name)?;
        let before = match before {
            Some(before) => Some((before, step::files(self.root, before)?)),
            None => None,
        };
        render::step(name, &files, before.as_ref().map(|(n, f)| (*n, f)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_page(content: &str, shown: usize) -> Result<String> {
        let root = book::root();
        let mut pages = Pages {
            root: &root,
            names: step::names(&root)?,
            listings: Listings::default(),
            shown: (step::names(&book::root())?.into_iter().take(shown))
                .map(|name| (name, "src/first.md:1".to_owned()))
                .collect(),
        };
        pages.expand(Path::new("page.md"), content)
    }

    fn error_of(content: &str, shown: usize) -> String {
        format!("{:#}", expand_page(content, shown).unwrap_err())
    }

    #[test]
    fn a_mark_becomes_the_changes_the_files_and_the_script() {
        let page = "Before\n\n<!-- step: listing-20-23 -->\n\nAfter\n";

        let page = expand_page(page, 1).unwrap();

        assert!(page.starts_with(
            "Before\n\n<div class=\"step\" id=\"step-listing-20-23\">\n\
             <p class=\"title\">Checkpoint: Listing 20-23</p>\n\n\
             What has changed since the starting point:\n\n`src/lib.rs` differs:\n\n\
             ```diff\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ "
        ));
        assert!(
            page.contains("+        drop(self.sender.take());\n"),
            "{page}"
        );
        assert!(
            page.contains("-    sender: mpsc::Sender&lt;Job&gt;")
                || page.contains("-    sender: mpsc::Sender<Job>,\n")
        );
        assert!(page.contains("mkdir -p"));
        let text = "This server has no page at that address.";
        assert_eq!(page.matches(text).count(), 1, "each file stands there once");
        assert!(!page.contains("ANCHOR"));
        assert!(page.ends_with("</div>\n\nAfter\n"));
    }

    fn listing(mark: &str, include: &str) -> String {
        format!("{mark}\n\n```rust,skt-lib\n{{{{#rustdoc_include ../listings/{include}}}}}\n```\n\nAfter\n")
    }

    #[test]
    fn a_listing_becomes_a_figure_with_its_address_and_its_new_lines() {
        let page = listing("<!-- listing -->", "listing-20-24/src/lib.rs:worker");
        let page = expand_page(&page, 0).unwrap();
        assert!(
            page.starts_with(
                "<figure class=\"listing\" id=\"listing-20-24\">\n<figcaption><strong>Listing 20-24</strong>, \
                 <code>src/lib.rs</code>: Explicitly breaking out of the loop when <code>recv</code> returns an \
                 error <span class=\"key\">new since Listing 20-23</span></figcaption>\n\n<div class=\"code\">\n\
                 <span class=\"new\" role=\"img\" aria-label=\"Lines 9 to 12 are new.\" style=\"--line:8;"
            ),
            "{page}"
        );
        assert!(
            page.ends_with(":worker}}\n```\n</div>\n\n</figure>\n\nAfter\n"),
            "{page}"
        );

        let page = listing(
            "<!-- listing: a `part` -->",
            "starting-point/src/lib.rs:worker",
        );
        let page = expand_page(&page, 0).unwrap();
        assert!(
            page.starts_with(
                "<figure class=\"listing\">\n<figcaption><strong>Starting point</strong>, \
                 <code>src/lib.rs</code>: a <code>part</code></figcaption>\n\n<div class=\"code\">\n\n```rust"
            ),
            "{page}"
        );
    }

    #[test]
    fn a_pool_with_a_fault_has_bars_beside_what_the_right_one_does_not_have() {
        let page = "<!-- listing: a flag -->\n\n```rust,skt-lib\n\
                    {{#rustdoc_include ../crates/model/broken/broken-1.rs:pool}}\n```\n";
        let page = expand_page(page, 0).unwrap();
        let begin = "<figure class=\"listing\">\n<figcaption><strong>Pool 1</strong>: a flag \
                     <span class=\"key\">not in Listing 20-24</span></figcaption>\n\n<div class=\"code\">\n\
                     <span class=\"new\" role=\"img\" aria-label=\"Lines 2 to 5 are new.\"";
        assert!(page.starts_with(begin), "{page}");
        assert!(
            page.ends_with(":pool}}\n```\n</div>\n\n</figure>\n"),
            "{page}"
        );
    }

    #[test]
    fn a_listing_that_cannot_be_shown_is_named_with_its_place() {
        for (include, said) in [
            (
                "listing-9-9/src/lib.rs:a",
                "there is no step `listing-9-9`; there are: starting-point, ",
            ),
            (
                "listing-20-24/src/no.rs:a",
                "listings/listing-20-24 has no file src/no.rs; it has 404.html, ",
            ),
            ("listing-20-24/src/lib.rs:no", "listings/listing-20-24/src/lib.rs has no anchor `no`; it has types, pool, drop, worker"),
            (
                "listing-20-24/src/lib.rs",
                "after `<!-- listing -->`, each fence includes a part",
            ),
        ] {
            let error = error_of(&listing("<!-- listing -->", include), 0);
            assert!(
                error.starts_with(&format!("src/page.md:1: {said}")),
                "{error}"
            );
        }
        let error = error_of("\n<!-- listing -->\n\nNo fence\n", 0);
        assert_eq!(
            error,
            "src/page.md:2: after `<!-- listing -->` comes the listing: a fence of rust"
        );
    }

    #[test]
    fn a_terminal_that_was_not_recorded_is_named_with_its_place() {
        let fence =
            "\n```console\n{{#include ../recorded/transcripts/20-24-drop.txt:nothing}}\n```\n";
        assert_eq!(
            error_of(fence, 0),
            "src/page.md:2: the transcript `20-24-drop` has no terminal `nothing`; it has pool"
        );
        let page = expand_page(&fence.replace(":nothing", ":pool"), 0).unwrap();
        assert!(
            page.contains("<span class=\"prompt\">$ </span><kbd>cargo run "),
            "{page}"
        );
    }

    #[test]
    fn changes_stand_below_each_other_and_a_step_without_a_step_before_is_named() {
        let page = expand_page("<!-- changes: listing-20-23, listing-20-25 -->\n", 0).unwrap();
        let begin = "**Listing 20-23**: Explicitly dropping `sender` before joining the `Worker` threads\n\n\
                     ```diff\nin ThreadPool:\n     workers: Vec<Worker>,\n\
                     -    sender: mpsc::Sender<Job>,\n+    sender: Option<mpsc::Sender<Job>>,\n }\n\
                     in ThreadPool::new:\n";
        assert!(page.starts_with(begin), "{page}");
        assert!(page.contains("\n\n**Listing 20-25**: "), "{page}");
        assert!(
            page.contains("\n+    println!(\"Shutting down.\");\n"),
            "{page}"
        );
        assert!(!page.contains("+//!"), "only what is in src/: {page}");
        assert!(!page.contains("@@"), "each part has its item: {page}");

        let error = error_of("\n<!-- changes: starting-point -->\n", 0);
        let said = "src/page.md:2: no step `starting-point` follows another one; these do: \
                    listing-20-23, ";
        assert!(error.starts_with(said), "{error}");
    }

    #[test]
    fn a_timeline_is_one_block_of_html_and_an_unknown_run_is_named_with_its_place() {
        let page = expand_page("<!-- timeline: 20-24-let, 20-24-while-let -->\n", 0).unwrap();
        assert_eq!(page.matches("<details class=\"run\"").count(), 2, "{page}");
        assert_eq!(
            page.matches("<details class=\"source\"").count(),
            2,
            "{page}"
        );
        // An empty line would end it.
        assert_eq!(page.trim_end().matches("\n\n").count(), 0, "{page}");

        let error = error_of("\n<!-- timeline: 20-24-let, no -->\n", 0);
        let said = "src/page.md:2: there is no run `no`; there are 20-23-cascade, ";
        assert!(error.starts_with(said), "{error}");
    }

    #[test]
    fn a_mark_in_a_fence_is_left_alone() {
        let page = "```text\n<!-- step: listing-20-23 -->\n```\n";
        assert_eq!(expand_page(page, 0).unwrap(), page);
    }

    #[test]
    fn an_unknown_mark_is_named_with_its_place() {
        for mark in [
            "<!-- lisitng -->",
            "<!--listing-->",
            " <!-- listing -->",
            "<!-- step -->",
        ] {
            let error = error_of(&format!("\n{mark}\n"), 0);
            let said = format!("src/page.md:2: `{}` is no mark; there are ", mark.trim());
            assert!(error.starts_with(&said), "{error}");
        }
    }

    #[test]
    fn a_step_that_is_shown_twice_is_named_with_both_places() {
        assert_eq!(
            error_of("<!-- step: starting-point -->\n", 1),
            "src/page.md:1: the step `starting-point`: it is on src/first.md:1 already; \
             take one of the two out"
        );
    }

    #[test]
    fn an_unknown_step_is_named_with_its_place() {
        let error = error_of("# Page\n\n<!-- step: listing-9-9 -->\n", 0);
        assert!(
            error.starts_with(
                "src/page.md:3: the step `listing-9-9`: there is none; there are: starting-point, "
            ),
            "{error}"
        );
    }

    #[test]
    fn a_step_out_of_order_is_named_with_its_place() {
        let error = error_of("<!-- step: listing-20-24 -->\n", 1);
        assert_eq!(
            error,
            "src/page.md:1: the step `listing-20-24`: it is out of order: listing-20-23 comes first"
        );
    }
}
