//! How a command is started in a new terminal, and how one has ended.

use crate::interrupt;
use anyhow::{Context, Result};
use book::transcripts::{Exit, Signal};
use pty_process::{
    blocking::{self, Pty},
    Size,
};
use rustix::process::Signal as UnixSignal;
use std::{
    env,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::PathBuf,
    process::{Child, ExitStatus},
    sync::Arc,
};

/// Wide, so that neither cargo nor the terminal breaks a line.
const SIZE: (u16, u16) = (50, 240);

pub(super) struct Command {
    pub(super) line: String,
    pub(super) folder: PathBuf,
    pub(super) retry: bool,
}

/// A command that was started, and the two ends of its terminal.
pub(super) struct Spawned {
    pub(super) pty: Arc<Pty>,
    pub(super) child: Child,
    pub(super) command_end: Arc<OwnedFd>,
}

impl Command {
    pub(super) fn spawn(&self) -> Result<Spawned> {
        // With a handler here, the command begins with the default, and not to ignore Ctrl-C.
        interrupt::heed()?;
        let (pty, pts) = blocking::open().context("cannot open a pseudo-terminal")?;
        pty.resize(Size::new(SIZE.0, SIZE.1))?;
        let command_end = pts.as_fd().try_clone_to_owned()?;
        let mut command = blocking::Command::new("sh")
            .args(["-c", &self.line])
            .current_dir(&self.folder);
        for (variable, _) in env::vars_os() {
            if is_of_cargo_or_rust(&variable.to_string_lossy()) {
                command = command.env_remove(variable);
            }
        }
        let child = command
            // A home of its own: in a shared one, cargo shows when it waits for another
            // cargo. What the listings depend on is unpacked beside it (see `packages`).
            .env("CARGO_HOME", self.folder.with_file_name("cargo-home"))
            // Whatever a configuration file says, so that cargo shows a short path.
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            // What is built is run a few times. With no debug information at all, cargo would say so.
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env("LC_ALL", "C")
            .env("TERM", "dumb")
            .env("no_proxy", "127.0.0.1")
            .spawn(pts)
            .with_context(|| format!("cannot run `sh -c {:?}`", self.line))?;
        Ok(Spawned {
            pty: Arc::new(pty),
            child,
            command_end: Arc::new(command_end),
        })
    }
}

/// Cargo and a test run set many variables that would change what a nested cargo
/// shows. Only those of rustup stay, which say where the compiler is.
fn is_of_cargo_or_rust(variable: &str) -> bool {
    (variable.starts_with("CARGO") || variable.starts_with("RUST"))
        && !variable.starts_with("RUSTUP_")
}

/// How a command ended; a shell reports a signal as 128 and its number.
pub(super) fn exit(status: ExitStatus) -> Exit {
    let interrupt = UnixSignal::INT.as_raw();
    match (status.code(), status.signal()) {
        (_, Some(signal)) if signal == interrupt => Exit::Signal(Signal::Interrupt),
        (Some(code), _) if code == 128 + interrupt => Exit::Signal(Signal::Interrupt),
        (Some(code), _) => Exit::Status(code),
        (None, signal) => Exit::Status(128 + signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_cargos_and_rusts_variables_only_rustups_are_kept() {
        for gone in [
            "CARGO",
            "CARGO_PKG_NAME",
            "RUST_BACKTRACE",
            "RUSTFLAGS",
            "CARGO_TARGET_DIR",
        ] {
            assert!(is_of_cargo_or_rust(gone), "{gone}");
        }
        for kept in ["RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "PATH", "HOME"] {
            assert!(!is_of_cargo_or_rust(kept), "{kept}");
        }
    }
}
