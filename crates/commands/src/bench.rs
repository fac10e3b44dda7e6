//! Measures what the pages say about speed: `cargo book bench`.

#[cfg(unix)]
mod crowd;
#[cfg(unix)]
mod handover;
#[cfg(unix)]
mod linger;
#[cfg(unix)]
mod load;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod servers;
#[cfg(unix)]
mod stopping;
#[cfg(unix)]
mod wrk;

use crate::progress;
use anyhow::{bail, Context, Result};
use clap::ValueEnum;
#[cfg(unix)]
use std::time::Duration;
use std::{fs, path::Path, process::ExitCode};

/// The step whose example `speedup` measures how much faster more workers are.
const SPEEDUP: &str = "listings/listing-20-30";

/// Measure anew what the pages say about speed
#[derive(clap::Args)]
#[command(after_help = "\
It takes some minutes, on a machine that does nothing else. For the servers it
needs the program `wrk`.

Example: cargo book bench servers")]
pub struct Arguments {
    /// What to measure [default: all]
    #[arg(value_name = "PART")]
    part: Option<Part>,
}

/// What is measured, in this order.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    Picture,
    Stopping,
    Linger,
    Servers,
    Load,
    Handover,
    Pools,
}

/// Measures everything anew, or the part that is named, and writes it to the folder of the pages. It
/// takes some minutes, and means little on a machine that does something else meanwhile.
///
/// # Errors
///
/// When something cannot be built or run, or its results cannot be written.
pub fn record(root: &Path, arguments: &Arguments) -> Result<ExitCode> {
    let parts = match &arguments.part {
        Some(part) => std::slice::from_ref(part),
        None => Part::value_variants(),
    };
    for (number, part) in (1..).zip(parts) {
        let place = format!("{number} of {}", parts.len());
        let shown = progress::begin()?;
        match part {
            Part::Picture => {
                progress::part(&format!("{place}, {SPEEDUP}"));
                record_speedup(root)?;
            }
            #[cfg(unix)]
            Part::Stopping => {
                progress::part(&format!("{place}, how a server stops"));
                stopping::record(root)?;
            }
            #[cfg(unix)]
            Part::Linger => {
                progress::part(&format!("{place}, connections that stay"));
                linger::record(root)?;
            }
            #[cfg(unix)]
            Part::Servers => {
                progress::part(&format!("{place}, the book's server and others"));
                servers::record(root)?;
            }
            #[cfg(unix)]
            Part::Load => {
                progress::part(&format!("{place}, what more requests cost"));
                load::record(root)?;
            }
            #[cfg(unix)]
            Part::Handover => {
                progress::part(&format!("{place}, a server in place of another"));
                handover::record(root)?;
            }
            #[cfg(not(unix))]
            Part::Stopping | Part::Linger | Part::Servers | Part::Load | Part::Handover => {} // the servers need Unix
            Part::Pools => {
                // From here on criterion says itself what it measures, and draws on the terminal for it.
                drop(shown);
                return bench_pools(root, &place);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn record_speedup(root: &Path) -> Result<()> {
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
        .env("CARGO_TARGET_DIR", root.join("target/bench"));
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
    keep(root, "bench-picture.txt", &recorded(measured))
}

fn bench_pools(root: &Path, place: &str) -> Result<ExitCode> {
    eprintln!("{place}, `cargo bench`: it says itself what it measures, each pool in some rounds");
    let status = crate::cargo()
        .args(["bench", "--package", "pools", "--features", "bench"])
        .current_dir(root)
        .env("RECORD", root.join("recorded"))
        .status()
        .context("cannot run cargo")?;
    Ok(crate::exit_code(status))
}

/// Keeps what was measured, in a file of the folder `recorded`.
fn keep(root: &Path, file: &str, text: &str) -> Result<()> {
    let file = root.join("recorded").join(file);
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The time in the middle.
#[cfg(unix)]
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// What is kept of a text that was measured.
fn recorded(measured: &str) -> String {
    format!(
        "Measured by `cargo book bench`: not to be edited, but measured again.\n\n\
         # ANCHOR: measured\n{measured}# ANCHOR_END: measured\n"
    )
}
