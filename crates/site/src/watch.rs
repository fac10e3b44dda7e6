//! Sees when a file of the book changes.
//!
//! It looks at the times of all of them twice a second. That takes a millisecond or two, and finds
//! every change, also where a system does not tell of it: in folders that come over a network, or
//! into a container.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// What pages are made from, in the book's folder.
const PARTS: [&str; 5] = ["book.toml", "src", "listings", "recorded", "theme"];

/// When each file was changed last, and how long it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Files(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Files {
    /// The files of the book at `root`, as they are now. What goes away meanwhile is not there.
    pub(super) fn of(root: &Path) -> Files {
        let mut files = Files::default();
        for part in PARTS {
            files.add(&root.join(part));
        }
        files
    }

    fn add(&mut self, path: &Path) {
        let Ok(found) = fs::symlink_metadata(path) else {
            return;
        };
        if !found.is_dir() {
            // Of a link, what it leads to.
            if let Ok(found) = fs::metadata(path) {
                let state = (found.modified().ok(), found.len());
                self.0.insert(path.to_owned(), state);
            }
            return;
        }
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // What editors keep beside a file, and what cargo builds in a listing.
            if !(name.starts_with('.') || name.ends_with('~') || name == "target") {
                self.add(&entry.path());
            }
        }
    }

    /// A file that has changed since `before`, has come, or is gone.
    pub(super) fn changed_since<'a>(&'a self, before: &'a Files) -> Option<&'a Path> {
        let gone = || {
            before
                .0
                .iter()
                .find(|(path, _)| !self.0.contains_key(*path))
        };
        let mut mine = self.0.iter();
        let changed = mine.find(|(path, state)| before.0.get(*path) != Some(*state));
        changed.or_else(gone).map(|(path, _)| path.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_book;

    #[test]
    fn what_a_page_is_made_from_is_seen_to_change_and_nothing_else() {
        let book = small_book();
        let file = |name: &str| book.path().join(name);
        let mut before = Files::of(book.path());
        let mut changed = || {
            let now = Files::of(book.path());
            let changed = now.changed_since(&before).map(Path::to_owned);
            assert_eq!(changed.is_some(), now != before);
            before = now;
            changed
        };
        assert_eq!(changed(), None);

        fs::write(
            file("src/page.md"),
            "# A page\n\nAnother text, which is longer.\n",
        )
        .unwrap();
        assert_eq!(changed(), Some(file("src/page.md")));
        fs::create_dir_all(file("listings/a/src")).unwrap();
        fs::write(file("listings/a/src/lib.rs"), "").unwrap();
        assert_eq!(changed(), Some(file("listings/a/src/lib.rs")));
        fs::rename(
            file("listings/a/src/lib.rs"),
            file("listings/a/src/main.rs"),
        )
        .unwrap();
        assert!(changed().is_some());
        fs::remove_file(file("listings/a/src/main.rs")).unwrap();
        assert_eq!(changed(), Some(file("listings/a/src/main.rs")));

        fs::create_dir_all(file("listings/a/target/debug")).unwrap();
        for other in [
            "listings/a/target/debug/a",
            "src/.page.md.swp",
            "src/page.md~",
            "notes",
        ] {
            fs::write(file(other), "").unwrap();
            assert_eq!(changed(), None, "{other}");
        }
    }

    #[test]
    fn a_file_that_is_as_long_as_before_has_changed_too() {
        let book = small_book();
        let page = book.path().join("src/page.md");
        let before = Files::of(book.path());
        let later = SystemTime::now() + std::time::Duration::from_secs(1);

        fs::File::options()
            .write(true)
            .open(&page)
            .unwrap()
            .set_modified(later)
            .unwrap();

        assert_eq!(Files::of(book.path()).changed_since(&before), Some(&*page));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_into_folders() {
        let book = small_book();
        let before = Files::of(book.path());
        let link = |to, name| std::os::unix::fs::symlink(to, book.path().join(name)).unwrap();
        link("nobody@nowhere", "src/.#page.md");
        link("nowhere", "src/broken");
        assert_eq!(Files::of(book.path()), before);

        link(".", "src/here"); // one that is followed without end
        let now = Files::of(book.path());
        let link = book.path().join("src/here");
        assert_eq!(now.changed_since(&before), Some(&*link));
    }
}
