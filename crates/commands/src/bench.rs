//! Measures what the pages say about speed: `cargo book bench`.

#[cfg(unix)]
mod stopping;

use crate::progress;
use anyhow::{bail, Context, Result};
use std::{fs, path::Path, process::ExitCode};

/// The step whose example `speedup` measures how much faster more workers are.
const SPEEDUP: &str = "listings/listing-20-30";

/// Measures everything anew, and writes it to the folder of the pages. It takes some minutes, and
/// means little on a machine that does something else meanwhile.
///
/// # Errors
///
/// When something cannot be built or run, or its results cannot be written.
pub fn record(root: &Path) -> Result<ExitCode> {
    let target = root.join("target");
    let shown = progress::begin()?;
    progress::part(&format!("1 of 3, {SPEEDUP}"));
    let mut speedup = crate::cargo();
    speedup
        .args([
            "run",
            "--release",
            "--locked",
            "--quiet",
            "--example",
            "speedup",
        ])
        .current_dir(root.join(SPEEDUP))
        .env("CARGO_TARGET_DIR", target.join("bench"));
    let output = progress::output(&mut speedup, |piece| {
        // It says which round begins, and ends that with the `\r` before what it says next.
        if let Some(round) = piece.strip_suffix('\r').filter(|round| !round.is_empty()) {
            progress::tell(&format!("{round} is done"));
        }
    });
    let output = output.context("cannot run cargo")?;
    let printed = String::from_utf8_lossy(&output.stderr);
    // What it says of its progress stands in the same line, before it.
    let measured = printed.rsplit_once('\r').map(|(_, measured)| measured);
    let (Some(measured), true) = (measured, output.status.success()) else {
        bail!("the example `speedup` of {SPEEDUP} has not measured anything: {printed}");
    };
    fs::write(root.join("recorded/bench-picture.txt"), recorded(measured))
        .context("cannot write recorded/bench-picture.txt")?;

    #[cfg(unix)]
    {
        progress::part("2 of 3, how a server stops");
        stopping::record(root)?;
    }

    // From here on criterion says itself what it measures, and draws on the terminal for it.
    drop(shown);
    eprintln!("3 of 3, `cargo bench`: it says itself what it measures, each pool in some rounds");
    let status = crate::cargo()
        .args(["bench", "--package", "pools", "--features", "bench"])
        .current_dir(root)
        .env("RECORD", root.join("recorded"))
        .status()
        .context("cannot run cargo")?;
    Ok(crate::exit_code(status))
}

/// What is kept of a text that was measured.
fn recorded(measured: &str) -> String {
    format!(
        "Measured by `cargo book bench`: not to be edited, but measured again.\n\n\
         # ANCHOR: measured\n{measured}# ANCHOR_END: measured\n"
    )
}
