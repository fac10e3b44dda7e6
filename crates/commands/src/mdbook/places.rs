//! Finds an mdBook that can show this book, and obtains one where there is none.

use super::PINNED;
use anyhow::{bail, Result};
use std::{
    env::{self, consts::EXE_SUFFIX},
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Where an mdBook may be, and what could install one.
pub(super) struct Places {
    path: OsString,
    tools: PathBuf,
    cargo: OsString,
}

impl Places {
    pub(super) fn of(root: &Path) -> Places {
        Places {
            path: env::var_os("PATH").unwrap_or_default(),
            tools: root.join("target").join("tools"),
            cargo: crate::cargo().get_program().to_owned(),
        }
    }

    /// An mdBook 0.5: the one on `PATH`, else the one in `tools`, else a new one there.
    pub(super) fn mdbook(&self) -> Result<PathBuf> {
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
        let status = Command::new(&self.cargo)
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
    let output = Command::new(mdbook).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(said.trim().strip_prefix("mdbook ")?.to_owned())
}

fn is_0_5(version: &str) -> bool {
    version.starts_with("v0.5.")
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
            let written = Command::new("sh")
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
