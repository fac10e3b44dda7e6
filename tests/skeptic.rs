//! The promise: every `rust` fence in every chapter and in the README compiles and, unless it is
//! marked `no_run`, runs; the final server serves two requests and shuts down cleanly.
//!
//! `build.rs` has mdBook expand the pages and skeptic turn their fences into functions. A test is
//! named after its fence: `LISTING::PAGE:LINE`.

use libtest_mimic::{Arguments, Trial};

include!(concat!(env!("OUT_DIR"), "/fences.rs"));

fn main() {
    let trials = FENCES.iter().map(|&(name, fence)| {
        Trial::test(name, move || {
            fence(); // panics when the code does not compile or run
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
