//! Which program is meant: a module that the tests have, too.

use std::ffi::{OsStr, OsString};

/// The program that is meant. What `cargo book` can do, help included, one of two does.
pub fn named<'p>(program: &'p OsStr, arguments: &[OsString]) -> &'p OsStr {
    if program != "book" {
        return program;
    }
    let shows = arguments
        .first()
        .is_none_or(|first| first == "serve" || first == "build");
    let asks = arguments
        .iter()
        .any(|word| word == "--help" || word == "-h");
    OsStr::new(match shows && !asks {
        true => "site",
        false => "book-commands",
    })
}
