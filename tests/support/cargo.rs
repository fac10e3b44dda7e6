//! Runs cargo on a listing, as a reader would.

use super::run;
use book_commands::{built::TARGETS, packages::unpack};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

/// Longer than a listing's tests wait for the port.
pub const DEADLINE: Duration = Duration::from_secs(25 * 60);

/// Removes what was built for these tests where the book's folder was before: a program knows the paths
/// of others, and cargo does not build it again for that.
pub fn forget_what_was_moved() -> io::Result<()> {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let file = Path::new(folder).join("built-in");
    if fs::read_to_string(&file).is_ok_and(|built| built == folder) {
        return Ok(());
    }
    if Path::new(folder).exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    fs::write(file, folder)
}

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

/// Has a cargo build in this folder, on its own, and for nobody but these tests.
pub fn isolate(command: &mut Command, target: &Path) {
    without_cargos_variables(command);
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TERM_COLOR", "never")
        // What is built here is run and forgotten: nothing is kept for a debugger or the next edit.
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
}

/// What has cargo compile a crate, and nothing that it depends on, with the compiler that `cargo clippy` uses,
/// which lints what it compiles. What is run does not hear of it.
const LINTED: [&str; 2] = [
    "--config",
    "build.rustc-workspace-wrapper = 'clippy-driver'",
];

/// Runs cargo on the crate in `folder`. Its lints are errors, and so are warnings.
pub fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command.args(LINTED).args(arguments).current_dir(folder);
    isolate(&mut command, target);
    command
        .env("CLIPPY_ARGS", "-Dwarnings")
        .env("CLIPPY_CONF_DIR", book::root());
    run(command, DEADLINE).map_err(|error| {
        format!(
            "`cargo {}` in {}: {error}",
            arguments.join(" "),
            folder.display()
        )
    })
}

/// Where copies of listings are. What they depend on is there, too, and compiled in one way.
pub fn copies() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("copies")
}

/// Has `build` run an isolated cargo on the crate in `folder`, which is among the copies. A target folder
/// that is new begins with what was compiled in the one whose package has most dependencies in common; if
/// that one is being built, this waits for it.
pub fn building(
    folder: &Path,
    target: &Path,
    build: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    unpack(&book::root(), &copies()).map_err(|error| format!("{error:#}"))?;
    let lock = fs::read_to_string(folder.join("Cargo.lock")).unwrap_or_default();
    let unfinished = TARGETS.begin(target, &lock, Vec::new());
    let unfinished = unfinished.map_err(|error| format!("{error:#}"))?;
    build()?;
    unfinished.finish();
    Ok(())
}
