//! What the book is made from, as text: the pages, the listings, the recordings, the model's programs.

use crate::page::{Include, Page};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The book's sources: the text of each file, under its path from the root, with `/` between.
#[derive(Default)]
pub struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Reads the README, the prose, the listings, what was recorded, and the programs of the model.
    ///
    /// # Errors
    ///
    /// When a folder or a file cannot be read.
    pub fn read(root: &Path) -> Result<Sources> {
        let readme = root.join("README.md");
        let text = fs::read_to_string(&readme);
        let text = text.with_context(|| format!("cannot read {}", readme.display()))?;
        let mut sources = Sources(BTreeMap::from([("README.md".to_owned(), text)]));
        for folder in ["src", "listings", "recorded", "crates/model"] {
            sources
                .read_folder(root, &root.join(folder))
                .with_context(|| format!("cannot read {folder}"))?;
        }
        Ok(sources)
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    self.read_folder(root, &path)?;
                }
                continue;
            }
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let text = String::from_utf8_lossy(&bytes).into_owned(); // pictures, too
            self.0.insert(relative(root, &path), text);
        }
        Ok(())
    }

    /// Made-up sources, for the tests of the tests.
    pub fn of(files: &[(&str, &str)]) -> Sources {
        let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
        Sources(files.iter().map(own).collect())
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The files whose path begins with `folder`, under the rest of their path.
    pub fn under<'s>(&'s self, folder: &str) -> BTreeMap<&'s str, &'s str> {
        let rest = |(path, text): (&'s String, &'s String)| {
            Some((path.strip_prefix(folder)?, text.as_str()))
        };
        self.0.iter().filter_map(rest).collect()
    }

    /// The README, and every Markdown file of the prose.
    pub fn pages(&self) -> impl Iterator<Item = Page<'_>> {
        let is_page =
            |path: &str| path == "README.md" || path.starts_with("src/") && path.ends_with(".md");
        let pages = self.0.iter().filter(move |(path, _)| is_page(path));
        pages.map(|(path, text)| Page::parse(path, text))
    }

    /// The names of the folders under `listings/`.
    pub fn listings(&self) -> BTreeSet<&str> {
        let files = self.under("listings/").into_keys();
        files
            .filter_map(|path| Some(path.split_once('/')?.0))
            .collect()
    }

    /// Every include on every page.
    pub fn includes(&self) -> Vec<Include> {
        self.pages().flat_map(|page| page.includes()).collect()
    }
}

/// The path from `root` to `path`, with `/` between, on every system.
pub fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// The path that `path` means, read in `folder`.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_read_with_its_pages_and_without_what_was_built() {
        let sources = Sources::read(&crate::root()).unwrap();
        assert!(sources.listings().contains("listing-20-24"));
        assert!(sources.text("listings/listing-20-24/src/lib.rs").is_some());
        assert!(sources
            .pages()
            .any(|page| page.file == "src/introduction.md"));
        assert!(!sources.0.keys().any(|path| path.contains("/target/")));
    }

    #[test]
    fn a_path_is_read_in_its_folder() {
        for (folder, path, meant) in [
            ("src", "../listings/a/b.rs", "listings/a/b.rs"),
            ("src/deep", "./c.md", "src/deep/c.md"),
            ("", "../a", "../a"),
        ] {
            assert_eq!(join(folder, path), meant);
        }
    }
}
