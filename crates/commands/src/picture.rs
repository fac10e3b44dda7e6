//! Takes the pictures of pages that the README and the book show: `cargo book picture`.

use anyhow::{bail, Context, Result};
use site::said::print;
use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The README's page, as it is without scrolling.
const PAGE: &str = "end-the-workers.html";

/// The step whose docs are shown.
const DOCUMENTED: &str = "listing-20-26";

/// How long Chromium may take for a picture.
const DEADLINE: Duration = Duration::from_secs(60);

/// Builds the book, and takes a picture of a page in Chromium, as it is shown to a reader who prefers
/// light pages, and as to one who prefers dark ones: `page-light.png` and `page-dark.png` in
/// `recorded/pictures/`. `docs-light.png` and `docs-dark.png` show the docs of the documented pool;
/// a page loads them, and so they lie in `src/pictures/`.
///
/// # Errors
///
/// When the book or the docs cannot be built, when there is no `chromium`, and when it takes no
/// picture in time.
pub fn take(root: &Path) -> Result<ExitCode> {
    let folder = root.join("target").join("picture");
    let html = folder.join("html");
    site::build_in(root, &html)?;
    let pictures = root.join("recorded/pictures");
    shoot(
        &folder,
        &html.join(PAGE),
        &pictures.join("page"),
        "1200,1000",
    )?;

    let docs = folder.join("docs");
    let mut cargo = crate::cargo();
    cargo
        .args(["doc", "--lib", "--no-deps"])
        .current_dir(root.join("listings").join(DOCUMENTED))
        .env("CARGO_TARGET_DIR", &docs);
    run(&mut cargo)?;
    let page = docs.join("doc/hello/struct.ThreadPool.html");
    let pictures = root.join("src/pictures");
    shoot(&folder, &page, &pictures.join("docs"), "900,700")?;
    Ok(ExitCode::SUCCESS)
}

/// Takes the two pictures of a page, `PICTURE-light.png` and `PICTURE-dark.png`.
fn shoot(folder: &Path, page: &Path, picture: &Path, size: &str) -> Result<()> {
    for (look, preference) in [("light", None), ("dark", Some("--force-dark-mode"))] {
        let profile = folder.join("profile");
        if profile.exists() {
            fs::remove_dir_all(&profile)?; // it remembers the theme
        }
        let picture = format!("{}-{look}.png", picture.display());
        let mut chromium = Command::new("chromium");
        chromium
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--hide-scrollbars", "--disable-background-networking"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={size}"))
            .arg(format!("--screenshot={}", picture))
            .args(preference)
            .arg(format!("file://{}", page.display()));
        run(&mut chromium)?;
        print(&format!("{picture}\n"))?;
    }
    Ok(())
}

/// Runs the command to its end, but no longer than [`DEADLINE`].
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet
        .spawn()
        .with_context(|| format!("cannot run {name}; install it"))?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if start.elapsed() > DEADLINE => {
                child.kill()?;
                child.wait()?;
                bail!("{name} did not end within {DEADLINE:?}");
            }
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}
