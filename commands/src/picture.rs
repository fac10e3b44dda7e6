//! Takes the README's pictures of a page: `cargo book picture`.

use crate::mdbook;
use anyhow::{bail, Context, Result};
use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The page, as it is without scrolling.
const PAGE: &str = "end-the-workers.html";
const SIZE: &str = "1200,1000";

/// How long Chromium may take for a picture.
const DEADLINE: Duration = Duration::from_secs(60);

/// Builds the book, and takes a picture of a page in Chromium, as it is shown to a reader who prefers
/// light pages, and as to one who prefers dark ones: `page-light.png` and `page-dark.png` in
/// `src/pictures/`.
///
/// # Errors
///
/// When the book cannot be built, when there is no `chromium`, and when it takes no picture in time.
pub fn take(root: &Path) -> Result<ExitCode> {
    let folder = root.join("target").join("picture");
    let page = mdbook::build_in(root, &folder)?.join(PAGE);
    for (name, preference) in [
        ("page-light.png", None),
        ("page-dark.png", Some("--force-dark-mode")),
    ] {
        let profile = folder.join("profile");
        if profile.exists() {
            fs::remove_dir_all(&profile)?; // it remembers the theme
        }
        let picture = root.join("src").join("pictures").join(name);
        let mut chromium = Command::new("chromium");
        chromium
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--hide-scrollbars", "--disable-background-networking"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={SIZE}"))
            .arg(format!("--screenshot={}", picture.display()))
            .args(preference)
            .arg(format!("file://{}", page.display()));
        run(&mut chromium)?;
        println!("{}", picture.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the command to its end, but no longer than [`DEADLINE`].
fn run(command: &mut Command) -> Result<()> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet
        .spawn()
        .context("cannot run chromium, which takes the picture; install it")?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if start.elapsed() > DEADLINE => {
                child.kill()?;
                child.wait()?;
                bail!("chromium took no picture within {DEADLINE:?}");
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    if !status.success() {
        bail!("chromium ended with {status}");
    }
    Ok(())
}
