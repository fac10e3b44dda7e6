//! Tries the pages in a browser: see `tests/browser/mod.rs`.

use libtest_mimic::{run, Arguments, Failed};

#[path = "browser/mod.rs"]
mod browser;

fn main() -> Result<(), Failed> {
    run(&Arguments::from_args(), browser::trials()?).exit()
}
