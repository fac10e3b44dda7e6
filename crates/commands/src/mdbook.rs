//! Finds an mdBook that can show this book, obtains one where there is none, and runs it.
//!
//! The book needs mdBook 0.5. One on `PATH` is used as it is, whatever its
//! patch version. Otherwise a pinned one is installed in the workspace's
//! `target/tools`, where it disturbs nothing else.

use anyhow::{bail, ensure, Context, Result};
use std::{
    env::{self, consts::EXE_SUFFIX},
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

/// Where an mdBook may be, and what could install one.
struct Places {
    path: OsString,
    tools: PathBuf,
    cargo: OsString,
}

impl Places {
    fn of(root: &Path) -> Places {
        Places {
            path: env::var_os("PATH").unwrap_or_default(),
            tools: root.join("target").join("tools"),
            cargo: crate::cargo().get_program().to_owned(),
        }
    }

    /// An mdBook 0.5: the one on `PATH`, else the one in `tools`, else a new one there.
    fn mdbook(&self) -> Result<PathBuf> {
        let on_path = env::split_paths(&self.path)
            .map(|folder| executable(&folder))
            .find(|file| file.is_file());
        let mut left_alone = String::new();
        if let Some(file) = on_path {
            match version(&file) {
                Some(version) if is_0_5(&version) => return Ok(file),
                other => {
                    let version = other.as_deref().unwrap_or("of unknown version");
                    left_alone = format!(
                        "\nThe mdBook on your PATH ({}, {version}) is left alone.",
                        file.display()
                    );
                }
            }
        }

        let own = executable(&self.tools.join("bin"));
        if version(&own).is_some_and(|version| is_0_5(&version)) {
            return Ok(own);
        }
        eprintln!(
            "This book needs mdBook 0.5. Building mdBook {PINNED} once, in {}:\n\
             it takes a minute or two, and nothing is installed globally.{left_alone}",
            self.tools.display()
        );
        self.install()?;
        Ok(own)
    }

    fn install(&self) -> Result<()> {
        // A debug build takes half as long, and renders this book as well.
        let status = process::Command::new(&self.cargo)
            .args(["install", "mdbook", "--version", PINNED])
            .args(["--locked", "--debug", "--root"])
            .arg(&self.tools)
            .status();
        let problem = match status {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("cargo install ended with {status}"),
            Err(error) => format!("cannot run {}: {error}", self.cargo.display()),
        };
        bail!(
            "mdBook {PINNED} could not be built: {problem}\n\
             Is there a network? Either install mdBook 0.5 yourself, so that it is on your PATH\n\
             (https://rust-lang.github.io/mdBook/guide/installation.html), and run this again;\n\
             or read the Markdown in src/, starting with src/SUMMARY.md."
        )
    }
}

fn executable(folder: &Path) -> PathBuf {
    folder.join(format!("mdbook{EXE_SUFFIX}"))
}

/// What `mdbook --version` says, such as `v0.5.4`.
fn version(mdbook: &Path) -> Option<String> {
    let output = process::Command::new(mdbook)
        .arg("--version")
        .output()
        .ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(said.trim().strip_prefix("mdbook ")?.to_owned())
}

fn is_0_5(version: &str) -> bool {
    version.starts_with("v0.5.")
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
        let here = env::current_dir().unwrap();
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

/// The choice between mdBooks, made among shell scripts that play their part.
#[cfg(all(test, unix))]
mod choice {
    use super::*;
    use std::{fs, process};

    /// A folder of its own for each test, with a `PATH` folder and a tools folder.
    struct Machine {
        folder: PathBuf,
        places: Places,
    }

    impl Machine {
        fn new(name: &str) -> Machine {
            let folder = env::temp_dir().join(format!("book-mdbook-{name}-{}", process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(folder.join("path")).unwrap();
            let places = Places {
                path: folder.join("path").into(),
                tools: folder.join("tools"),
                cargo: folder.join("cargo").into(),
            };
            Machine { folder, places }
        }

        fn script(&self, file: &str, body: &str) -> PathBuf {
            let file = self.folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            // A shell writes it: were it open for writing here while a test in another
            // thread starts a process, that process would have it open too, and the
            // system would refuse to run it ("text file busy").
            let written = process::Command::new("sh")
                .args([
                    "-c",
                    r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#,
                ])
                .arg(&file)
                .arg(body)
                .status()
                .unwrap();
            assert!(written.success());
            file
        }

        fn mdbook(&self, folder: &str, version: &str) -> PathBuf {
            self.script(
                &format!("{folder}/mdbook"),
                &format!("echo mdbook {version}"),
            )
        }

        /// A cargo that notes how it was called, and ends with `status`.
        fn cargo(&self, status: i32) {
            let log = self.folder.join("installed");
            self.script(
                "cargo",
                &format!("echo \"$@\" > '{}'; exit {status}", log.display()),
            );
        }

        fn installed(&self) -> Option<String> {
            fs::read_to_string(self.folder.join("installed")).ok()
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn mdbook_0_5_on_the_path_is_used_as_it_is() {
        let machine = Machine::new("on-path");
        let on_path = machine.mdbook("path", "v0.5.0");
        machine.mdbook("tools/bin", "v0.5.4");
        machine.cargo(0);

        assert_eq!(machine.places.mdbook().unwrap(), on_path);
        assert_eq!(machine.installed(), None);
    }

    #[test]
    fn mdbook_0_4_on_the_path_is_passed_over_for_the_books_own() {
        let machine = Machine::new("old-on-path");
        machine.mdbook("path", "v0.4.52");
        let own = machine.mdbook("tools/bin", "v0.5.4");
        machine.cargo(0);

        assert_eq!(machine.places.mdbook().unwrap(), own);
        assert_eq!(machine.installed(), None);
    }

    #[test]
    fn without_mdbook_the_pinned_one_is_installed_in_the_tools_folder() {
        let machine = Machine::new("none");
        machine.cargo(0);

        let own = machine.places.mdbook().unwrap();

        assert_eq!(own, machine.places.tools.join("bin/mdbook"));
        assert_eq!(
            machine.installed().unwrap().trim(),
            format!(
                "install mdbook --version {PINNED} --locked --debug --root {}",
                machine.places.tools.display()
            )
        );
    }

    #[test]
    fn a_failed_install_says_what_to_do() {
        let machine = Machine::new("failed");
        machine.mdbook("path", "v0.4.52");
        machine.cargo(101);

        let error = machine.places.mdbook().unwrap_err().to_string();

        assert!(error.contains("install mdBook 0.5 yourself"), "{error}");
        assert!(error.contains("read the Markdown in src/"), "{error}");
    }

    #[test]
    fn a_missing_cargo_says_what_to_do_too() {
        let machine = Machine::new("no-cargo");

        let error = machine.places.mdbook().unwrap_err().to_string();

        assert!(error.contains("install mdBook 0.5 yourself"), "{error}");
    }
}
