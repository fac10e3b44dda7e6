//! Changes to a listing that a page proposes, in fences ```` ```diff,LISTING,NAME ````.

use crate::page::{Page, Place};
use anyhow::{bail, ensure, Result};

/// A change to a listing's `src/lib.rs`, which is searched, or run, under a name of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub place: Place,
    pub listing: String,
    pub name: String,
    /// What is taken out, with the lines around it, and what comes in its place.
    pub from: String,
    pub to: String,
}

impl Proposal {
    /// The proposals of a page.
    ///
    /// # Errors
    ///
    /// Names the place of a fence that cannot be read.
    pub fn on(page: &Page) -> Result<Vec<Proposal>> {
        let mut proposals = Vec::new();
        for fence in page
            .fences
            .iter()
            .filter(|fence| fence.language() == "diff")
        {
            let place = &fence.place;
            let info = fence.info.as_deref().unwrap_or_default();
            let [_, listing, name] = info.split(',').collect::<Vec<_>>()[..] else {
                bail!(
                    "{place}: write ```diff,LISTING,NAME: the change is searched under that name"
                );
            };
            let (mut from, mut to) = (String::new(), String::new());
            for line in fence.body.lines() {
                let (old, new, rest) = match line.split_at_checked(1) {
                    Some(("-", rest)) => (true, false, rest),
                    Some(("+", rest)) => (false, true, rest),
                    Some((" ", rest)) => (true, true, rest),
                    None => (true, true, ""),
                    _ => bail!("{place}: a line of a diff begins with `+`, `-` or a space: {line}"),
                };
                for (text, is_there) in [(&mut from, old), (&mut to, new)] {
                    if is_there {
                        *text += rest;
                        text.push('\n');
                    }
                }
            }
            proposals.push(Proposal {
                place: place.clone(),
                listing: listing.to_owned(),
                name: name.to_owned(),
                from,
                to,
            });
        }
        Ok(proposals)
    }

    /// Whether a table on its page says what the search finds of it.
    pub fn is_searched(&self, page: &Page) -> bool {
        page.text.contains(&format!("| `{}` |", self.name))
    }

    /// The text of the listing's library with the change in it.
    ///
    /// # Errors
    ///
    /// When what is to be changed is not there once.
    pub fn apply(&self, library: &str) -> Result<String> {
        let found = library.matches(&self.from).count();
        ensure!(
            found == 1,
            "{}: what is to be changed is to be found once in {}/src/lib.rs, not {found} times:\n{}",
            self.place,
            self.listing,
            self.from
        );
        Ok(library.replace(&self.from, &self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(fence: &str) -> Result<Vec<Proposal>> {
        Proposal::on(&Page::parse("src/page.md", &format!("A\n\n{fence}")))
    }

    #[test]
    fn a_change_is_read_and_applied_where_its_lines_are_once() {
        let proposals = on("```diff,listing-1-1,mine\n a\n-b\n\n+c\n```\n").unwrap();
        let [proposal] = &proposals[..] else {
            panic!("{proposals:?}");
        };
        for (row, is_searched) in [("| `mine` | 2 |", true), ("| `mine-too` | 2 |", false)] {
            let page = Page::parse("src/page.md", row);
            assert_eq!(proposal.is_searched(&page), is_searched);
        }
        assert_eq!(
            (proposal.listing.as_str(), proposal.name.as_str()),
            ("listing-1-1", "mine")
        );
        assert_eq!(proposal.apply("x\na\nb\n\ny\n").unwrap(), "x\na\n\nc\ny\n");

        for (library, times) in [("a\n", "not 0 times"), ("a\nb\n\na\nb\n\n", "not 2 times")] {
            let error = proposal.apply(library).unwrap_err().to_string();
            assert!(
                error.starts_with("src/page.md:3: what is to be changed"),
                "{error}"
            );
            assert!(error.contains(times), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        for (fence, said) in [
            (
                "```diff\n-a\n```\n",
                "src/page.md:3: write ```diff,LISTING,NAME",
            ),
            (
                "```diff,a,b\n-a\nb\n```\n",
                "src/page.md:3: a line of a diff begins with",
            ),
        ] {
            let error = on(fence).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
