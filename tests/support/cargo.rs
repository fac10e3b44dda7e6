//! Runs cargo on a listing, as a reader would.

use super::run;
use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longer than a listing's tests wait for the port.
pub const DEADLINE: Duration = Duration::from_secs(25 * 60);

/// Makes a command and what it starts see nothing of what the cargo that runs these tests has set, or
/// of what its user has.
fn without_cargos_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let mine = ["CARGO_HOME", "RUSTUP_", "CARGO_NET_", "CARGO_HTTP_"];
        let cargos = [
            "CARGO",
            "RUST",
            "LD_LIBRARY_PATH",
            "DYLD_FALLBACK_LIBRARY_PATH",
        ];
        if cargos.iter().any(|prefix| name.starts_with(prefix))
            && !mine.iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
}

/// Runs cargo on the crate in `folder`.
pub fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    without_cargos_variables(&mut command);
    command.args(arguments).current_dir(folder);
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TERM_COLOR", "never");
    // What is built here is run and forgotten: nothing is kept for a debugger or the next edit.
    command
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
    run(command, DEADLINE).map_err(|error| {
        format!(
            "`cargo {}` in {}: {error}",
            arguments.join(" "),
            folder.display()
        )
    })
}
