//! The promise: every `rust` fence in every chapter and in the README compiles and, unless it is
//! marked `no_run` or is no program, runs; the final server serves two requests and shuts down cleanly.
//!
//! `build.rs` has mdBook expand the pages and skeptic turn their fences into functions. A test is
//! named after its fence: `LISTING::code_blocks::PAGE:LINE`.

use crate::support::{network::with_port, turns::turn};
use libtest_mimic::{Failed, Trial};
use std::time::Duration;

/// What a fence is marked with, so that the server in it is started and asked.
const SERVES: &str = "serves-two-requests-and-stops";

/// For that one: longer than it takes to compile, and to serve.
const DEADLINE: Duration = Duration::from_secs(240);

include!(concat!(env!("OUT_DIR"), "/fences.rs"));

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let trials = FENCES.iter().map(|&(name, info, fence)| {
        let check = move || {
            let _turn = turn();
            fence(); // panics when the code does not compile or run
            Ok(())
        };
        Trial::test(name, move || match info.ends_with(SERVES) {
            true => with_port(name, DEADLINE, check),
            false => check(),
        })
    });
    Ok(trials.collect())
}
