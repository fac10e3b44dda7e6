//! The promise: what a page quotes of what the search says, it says.

use crate::support::report;
use libtest_mimic::Failed;
use std::fs;

/// A page, what it quotes, and the code that says it.
const SAID: &[(&str, &str, &str)] = &[(
    "src/prove-a-shutdown.md",
    "the run goes on and on",
    "crates/model/src/report.rs",
)];

pub fn check() -> Result<(), Failed> {
    let read = |file: &str| fs::read_to_string(book::root().join(file));
    let mut problems = Vec::new();
    for (page, quote, code) in SAID {
        if !read(page)?.contains(&format!("`{quote}`")) {
            problems.push(format!("{page}: does not quote `{quote}`"));
        }
        if !read(code)?.contains(quote) {
            problems.push(format!(
                "{page}: quotes `{quote}`, and {code} does not say so; quote what it says"
            ));
        }
    }
    report(problems)
}
