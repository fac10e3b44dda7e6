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
