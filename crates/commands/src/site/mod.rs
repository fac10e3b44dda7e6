//! Makes the pages of the book, and shows them: `cargo book build` and `cargo book serve`.
//!
//! The pages are made in this process, and served by the server that the book teaches, so that who
//! reads the book needs neither an mdBook nor another server.

mod build;
#[cfg(unix)]
mod pages;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod watch;

pub use build::{build, build_in, Build};
#[cfg(unix)]
pub use pages::Site;
#[cfg(unix)]
pub use serve::serve;

use anyhow::Context;
use std::time::Duration;

/// Serve the book, and build it again when one of its files changes
#[derive(clap::Args)]
#[command(after_help = "\
The server is the newest one of the book, and stops as that does: Ctrl-C asks it
to, and a second Ctrl-C ends it at once. The status is 0 if everyone had an answer
in time, and 3 if not.

Example: cargo book serve --open --port 3001")]
pub struct Serve {
    /// The name or address of this machine that it is served at
    #[arg(short = 'n', long, value_name = "HOST", default_value = "localhost")]
    hostname: String,
    /// The port that it is served on; 0: one that is free
    #[arg(short, long, default_value_t = 3000)]
    port: u16,
    /// Show the book in a browser
    #[arg(short, long)]
    open: bool,
}

/// Shows an address or a file in the browser of this machine's user.
///
/// # Errors
///
/// When none can be started. The error says what to open instead.
fn open_browser(what: &str) -> anyhow::Result<()> {
    // Detached: a browser that this has to start is not to end with it, at Ctrl-C.
    open::that_detached_with_timeout(what, LAUNCHED)
        .with_context(|| format!("no browser can be started here; open {what} in one yourself"))
}

/// Within this time, what starts a browser has failed, or it has not.
const LAUNCHED: Duration = Duration::from_secs(2);

/// Elsewhere, the book's server is not there: it waits for sockets and signals as Unix does.
///
/// # Errors
///
/// Always.
#[cfg(not(unix))]
pub fn serve(_: &std::path::Path, _: &Serve) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!(
        "the book's server needs a Unix system; the pages do not need the server: \
         cargo book build --open"
    )
}

/// A book of one page, for tests.
#[cfg(test)]
fn small_book() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
    for part in ["src", "listings"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    write("book.toml", "[book]\ntitle = \"A small book\"\n");
    write("src/SUMMARY.md", "- [A page](page.md)\n");
    write("src/page.md", "# A page\n\nThe first text.\n");
    folder
}
