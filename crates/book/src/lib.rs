//! Reads the book: what it is made from, and what was recorded of it.
//!
//! It knows nobody. The preprocessor, the commands, the tests and `build.rs` read the book through
//! it, and nothing else parses a page, a mark or a recording.
//!
//! - [`page`]: a page's blocks of code, running text, links, and what it includes
//! - [`marks`]: the comments on a page that `mdbook-steps` replaces
//! - [`proposals`]: changes that a page proposes
//! - [`models`]: the programs that are searched
//! - [`anchors`]: the parts of a file that a page can show
//! - [`step`]: the packages under `listings/`, in their order
//! - [`sources`]: all files of the book, as text
//! - [`tables`]: the tables that say how a search ended
//! - [`schedules`]: the runs that can be stepped through
//! - [`transcripts`]: the terminals, and the rules that every run obeys
//! - [`doc_tests`]: how a page's code becomes tests

pub mod anchors;
pub mod doc_tests;
pub mod marks;
pub mod models;
pub mod page;
pub mod proposals;
pub mod schedules;
pub mod sources;
pub mod step;
pub mod tables;
pub mod transcripts;

use std::path::{Path, PathBuf};

/// The book's folder: the one that holds `book.toml`.
pub fn root() -> PathBuf {
    // Cargo compiles this again if the folder has been moved since. The variable is not there if cargo
    // is called from elsewhere: then it has not read `.cargo/config.toml`.
    if let Some(root) = option_env!("BOOK_ROOT") {
        return Path::new(root).components().collect(); // without the `.` at its end
    }
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_folder.ancestors().nth(2);
    root.expect("this crate is `crates/book` of the book")
        .to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_root_is_the_folder_of_the_book() {
        assert!(super::root().join("book.toml").is_file());
    }

    #[test]
    fn the_root_is_known_anew_when_the_folder_is_moved() {
        // The same text, from a variable whose change makes cargo compile this again.
        let compiled = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let told = option_env!("BOOK_ROOT").map(|root| root.trim_end_matches("/."));
        let told = told.map(std::path::Path::new);
        assert_eq!(
            told,
            compiled.ancestors().nth(2),
            "`.cargo/config.toml` sets it"
        );
    }
}
