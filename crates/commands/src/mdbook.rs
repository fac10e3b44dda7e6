//! Finds an mdBook that can show this book, obtains one where there is none, and runs it.
//!
//! The book needs mdBook 0.5. One on `PATH` is used as it is, whatever its
//! patch version. Otherwise a pinned one is installed in the workspace's
//! `target/tools`, where it disturbs nothing else.

mod places;

use anyhow::{bail, ensure, Context, Result};
use places::Places;
use std::{
    ffi::OsString,
    io::ErrorKind,
    net::{TcpListener, ToSocketAddrs},
    path::{self, Path, PathBuf},
    process::{self, ExitCode},
};

/// The version that is installed where mdBook 0.5 is missing.
pub const PINNED: &str = "0.5.4";

/// Serve the book, and build it again when one of its files changes
#[derive(clap::Args)]
#[command(after_help = "\
`mdbook serve` gets all of this. What else it takes follows `--`, such as `-- --watcher native`.

Example: cargo book serve --open --port 3001")]
pub struct Serve {
    /// The name or address of this machine that it is served at
    #[arg(short = 'n', long, value_name = "HOST", default_value = "localhost")]
    hostname: String,
    /// The port that it is served on
    #[arg(short, long, default_value_t = 3000)]
    port: u16,
    #[command(flatten)]
    build: Build,
}

/// Build the book's pages
#[derive(clap::Args)]
#[command(after_help = "\
`mdbook build` gets all of this.

Example: cargo book build --open")]
pub struct Build {
    /// Show the book in a browser
    #[arg(short, long)]
    open: bool,
    /// The folder for the pages [default: target/book in the folder of this book]
    #[arg(short, long, value_name = "FOLDER")]
    dest_dir: Option<PathBuf>,
    /// What else mdBook takes
    #[arg(last = true, value_name = "ARGUMENT")]
    more: Vec<OsString>,
}

impl Serve {
    /// For mdBook.
    fn words(&self) -> Result<Vec<OsString>> {
        let own = [
            format!("--hostname={}", self.hostname),
            format!("--port={}", self.port),
        ];
        let mut words = Vec::from(own.map(OsString::from));
        words.extend(self.build.words()?);
        Ok(words)
    }
}

impl Build {
    /// For mdBook, which runs in the book's folder.
    fn words(&self) -> Result<Vec<OsString>> {
        let mut words = Vec::new();
        if self.open {
            words.push("--open".into());
        }
        if let Some(folder) = &self.dest_dir {
            let folder = path::absolute(folder);
            let folder = folder.context("`--dest-dir` is not the name of a folder")?;
            words.extend(["--dest-dir".into(), folder.into()]);
        }
        words.extend_from_slice(&self.more);
        Ok(words)
    }
}

/// Serves the book with `mdbook serve` until it is interrupted.
///
/// # Errors
///
/// When there is no mdBook 0.5 and none can be obtained, when the port is
/// taken, and when mdBook cannot be started.
pub fn serve(root: &Path, arguments: &Serve) -> Result<ExitCode> {
    // mdBook notices only once the book is built, and calls it a panic.
    ensure_port_is_free(&arguments.hostname, arguments.port)?;
    run(root, "serve", &arguments.words()?)
}

/// Builds the book with `mdbook build`.
///
/// # Errors
///
/// When there is no mdBook 0.5 and none can be obtained, and when it cannot be started.
pub fn build(root: &Path, arguments: &Build) -> Result<ExitCode> {
    run(root, "build", &arguments.words()?)
}

/// Builds the book's HTML in `folder`, and returns where it is.
///
/// # Errors
///
/// As [`build`], and when mdBook fails.
pub fn build_in(root: &Path, folder: &Path) -> Result<PathBuf> {
    let mdbook = Places::of(root).mdbook()?;
    let mut command = process::Command::new(&mdbook);
    command.arg("build").arg("--dest-dir").arg(folder);
    let status = command
        .current_dir(root)
        .status()
        .with_context(|| format!("cannot run {}", mdbook.display()))?;
    ensure!(status.success(), "mdBook ended with {status}");
    // Where there is more than one renderer, each has a folder of its own.
    let html = folder.join("html");
    Ok(if html.is_dir() {
        html
    } else {
        folder.to_owned()
    })
}

fn run(root: &Path, subcommand: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let mdbook = Places::of(root).mdbook()?;
    let mut command = process::Command::new(&mdbook);
    command.arg(subcommand).args(arguments).current_dir(root);
    replace_process(&mut command).with_context(|| format!("cannot run {}", mdbook.display()))
}

/// Runs the command in the place of this process, so that whoever ends this one ends it.
#[cfg(unix)]
fn replace_process(command: &mut process::Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()) // returns only if it fails
}

/// Runs the command to its end, and passes its exit status on.
#[cfg(not(unix))]
fn replace_process(command: &mut process::Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code();
    Ok(ExitCode::from(code.map_or(1, |code| code.min(255) as u8)))
}

fn ensure_port_is_free(host: &str, port: u16) -> Result<()> {
    // Another problem with the address is mdBook's to tell.
    let Some(address) = (host, port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
    else {
        return Ok(());
    };
    match TcpListener::bind(address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} is taken: another program listens on {address}, perhaps this book in \
             another terminal.\nEnd it, or choose another port: cargo book serve --port {}",
            port.checked_add(1).unwrap_or(3000)
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;
    use std::ffi::OsStr;

    #[test]
    fn mdbook_is_called_as_this_is() {
        let here = std::env::current_dir().unwrap();
        let html = here.join("html").display().to_string();
        for (line, expected) in [
            ("serve", "--hostname=localhost --port=3000"),
            ("serve -p 3001", "--hostname=localhost --port=3001"),
            (
                "serve -p3001 --open",
                "--hostname=localhost --port=3001 --open",
            ),
            ("serve -p=3001 -n ::1", "--hostname=::1 --port=3001"),
            (
                "serve --port=3001 -o -- --watcher native",
                "--hostname=localhost --port=3001 --open --watcher native",
            ),
            ("build", ""),
            ("build -o -d html", &format!("--open --dest-dir {html}")),
        ] {
            let words = match Command::read(line.split(' ')).unwrap() {
                Command::Serve(arguments) => arguments.words(),
                Command::Build(arguments) => arguments.words(),
                _ => panic!("{line}"),
            };
            assert_eq!(words.unwrap().join(OsStr::new(" ")), expected, "{line}");
        }
    }

    #[test]
    fn without_an_argument_the_book_is_opened() {
        let Ok(Command::Serve(arguments)) = Command::read([""; 0]) else {
            panic!("it is not served");
        };
        let words = arguments.words().unwrap().join(OsStr::new(" "));
        assert_eq!(words, "--hostname=localhost --port=3000 --open");
    }

    #[test]
    fn a_taken_port_is_an_error_that_names_another() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();

        let error = ensure_port_is_free("127.0.0.1", port).unwrap_err();

        let error = error.to_string();
        assert!(error.contains(&format!("port {port} is taken")), "{error}");
        assert!(error.contains("cargo book serve --port"), "{error}");
    }
}
