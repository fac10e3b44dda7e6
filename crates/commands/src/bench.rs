//! Measures what the pages say about speed: `cargo book bench`.

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
    let output = crate::cargo()
        .args([
            "run",
            "--release",
            "--locked",
            "--quiet",
            "--example",
            "speedup",
        ])
        .current_dir(root.join(SPEEDUP))
        .env("CARGO_TARGET_DIR", target.join("bench"))
        .output()
        .context("cannot run cargo")?;
    let printed = String::from_utf8_lossy(&output.stderr);
    // What it says of its progress stands in the same line, before it.
    let measured = printed.rsplit_once('\r').map(|(_, measured)| measured);
    let (Some(measured), true) = (measured, output.status.success()) else {
        bail!("the example `speedup` of {SPEEDUP} has not measured anything: {printed}");
    };
    let text = format!(
        "Measured by `cargo book bench`: not to be edited, but measured again.\n\n\
         # ANCHOR: measured\n{measured}# ANCHOR_END: measured\n"
    );
    fs::write(root.join("recorded/speedup.txt"), text)
        .context("cannot write recorded/speedup.txt")?;

    let status = crate::cargo()
        .args(["bench", "--package", "pools", "--features", "bench"])
        .current_dir(root)
        .env("RECORD", root.join("recorded"))
        .status()
        .context("cannot run cargo")?;
    Ok(crate::exit_code(status))
}
