use anyhow::{ensure, Context, Result};
use std::{path::Path, process::Command};

/// The tools of a nightly Rust.
pub(super) struct Nightly {
    pub(super) rustc: String,
    pub(super) miri: String,
    pub(super) host: String,
}

impl Nightly {
    /// # Errors
    ///
    /// When one is missing: how to get it.
    pub(super) fn find() -> Result<Nightly> {
        let rustc = said(Command::new("rustc").args(["+nightly", "--version"])).context(
            "this needs a nightly Rust, by rustup: rustup toolchain install nightly \
             --component miri --component rust-src",
        )?;
        let miri = said(Command::new("cargo").args(["+nightly", "miri", "--version"]))
            .context("this needs Miri: rustup component add miri --toolchain nightly")?;
        let sysroot = said(Command::new("rustc").args(["+nightly", "--print", "sysroot"]))?;
        let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock");
        ensure!(
            library.is_file(),
            "this needs std's source: rustup component add rust-src --toolchain nightly"
        );
        let version = said(Command::new("rustc").args(["+nightly", "-vV"]))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host
            .context("`rustc +nightly -vV` names no host")?
            .to_owned();
        Ok(Nightly { rustc, miri, host })
    }
}

/// What a command says that has to succeed.
pub(super) fn said(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
