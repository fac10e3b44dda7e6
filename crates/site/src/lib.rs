//! Makes the pages of the book, and shows them: `cargo book build` and `cargo book serve`.
//!
//! The pages are made in this process, and served by the server that the book teaches, so that who
//! reads the book needs neither an mdBook nor another server.

mod build;
mod call;
#[cfg(unix)]
mod pages;
pub mod said;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod watch;

pub use build::build_in;
#[cfg(unix)]
pub use pages::Site;

use anyhow::{Context, Result};
#[cfg(not(unix))]
use elsewhere::serve;
#[cfg(unix)]
use serve::serve;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// What this program does: it serves the book, or only builds its pages.
#[derive(Debug, PartialEq)]
pub enum Command {
    Serve(Serve),
    Build(Build),
}

/// How the book is served. By default, as mdBook serves it, on this machine only.
#[derive(Debug, PartialEq)]
pub struct Serve {
    /// The name or address of this machine that it is served at.
    pub hostname: String,
    /// 0: one that is free.
    pub port: u16,
    /// Whether a browser shows it.
    pub open: bool,
}

/// How the pages are built.
#[derive(Debug, Default, PartialEq)]
pub struct Build {
    /// The folder for them, if it is not `target/book/html` in that of the book, where mdBook puts them.
    pub dest_dir: Option<PathBuf>,
    /// Whether a browser shows them.
    pub open: bool,
}

impl Default for Serve {
    fn default() -> Self {
        Serve {
            hostname: "localhost".into(),
            port: 3000,
            open: false,
        }
    }
}

/// For whoever says no more than `cargo book`.
impl Default for Command {
    fn default() -> Self {
        Command::Serve(Serve {
            open: true,
            ..Serve::default()
        })
    }
}

/// Runs `cargo book` where it is to show the book, with these arguments, and returns the status to
/// exit with: 2 after a wrong call, and 1 or what the command's help says where it fails.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Command::read(arguments) {
        Ok(command) => said::status(command.run(&book::root())),
        Err(wrong) => {
            said::say(&wrong);
            ExitCode::from(2)
        }
    }
}

impl Command {
    /// Builds the pages of the book at `root`, or serves them until it is asked to stop.
    ///
    /// # Errors
    ///
    /// When that fails. The error says what to do.
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        match self {
            Command::Serve(how) => serve(root, how),
            Command::Build(how) => build::build(root, how),
        }
    }
}

/// Shows an address or a file in the browser of this machine's user.
///
/// # Errors
///
/// When none can be started. The error says what to open instead.
fn open_browser(what: &str) -> Result<()> {
    // Detached: a browser that this has to start is not to end with it, at Ctrl-C.
    open::that_detached_with_timeout(what, LAUNCHED)
        .with_context(|| format!("no browser can be started here; open {what} in one yourself"))
}

/// Within this time, what starts a browser has failed, or it has not.
const LAUNCHED: Duration = Duration::from_secs(2);

/// There, the book's server is not: it waits for sockets and signals as Unix does.
#[cfg(not(unix))]
mod elsewhere {
    pub(super) fn serve(_: &std::path::Path, _: &super::Serve) -> super::Result<super::ExitCode> {
        anyhow::bail!(
            "the book's server needs a Unix system; the pages do not need the server: \
             cargo book build --open"
        )
    }
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
