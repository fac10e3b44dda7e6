//! Searches every interleaving of a reader's own pool, and replays one: `cargo book search FOLDER`,
//! `cargo book replay FOLDER ...`.

mod followed;

use crate::{
    progress,
    step::{expect_hello, write_files},
};
use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

/// More interleavings than this take minutes.
const MOST: usize = 1_000_000;
/// As many as are tried where they cannot be searched.
const TRIES: usize = 10_000;

/// What is known of a program besides its code.
const LINES: &str = "line-tables-only";

/// What runs the search, beside the reader's pool.
const MAIN: &str = r#"// What a pool prints, it would print in each interleaving.
macro_rules! println {
    ($($text:tt)*) => { pool_model::recorded_println!($($text)*) };
}

#[allow(dead_code, unused)]
mod pool;

pool_model::implement_pool!(pool::ThreadPool);

fn main() -> std::process::ExitCode {
    pool_model::program::<pool::ThreadPool>()
}
"#;

/// Runs `cargo book search FOLDER [WORKERS JOBS [meet]]`. What the search finds, its exit code says.
///
/// # Errors
///
/// As [`command`].
pub fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let shown = progress::begin()?;
    progress::part("building the search");
    let status = followed::run(&mut command(root, arguments)?)
        .context("cannot run the search, or print what it finds")?;
    drop(shown);
    Ok(exit_code(status))
}

/// Runs `cargo book replay FOLDER WORKERS JOBS [meet] SCHEDULE`.
///
/// # Errors
///
/// As [`command`].
pub fn run_replay(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let shown = progress::begin()?;
    progress::part("building the replay");
    let mut command = replay_command(root, arguments)?;
    drop(shown);
    let status = command.status().context("cannot run the search")?;
    Ok(exit_code(status))
}

/// Ends as the search does: it tells by its status what it has found.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Builds the search that the arguments ask for, and returns the command that runs it.
///
/// # Errors
///
/// When the arguments are not those of `cargo book search`, when there is no pool where they say,
/// and when the search cannot be built.
pub fn command(root: &Path, arguments: &[String]) -> Result<Command> {
    let (pool, cases, sampling) = match arguments {
        [pool] => (pool, vec!["2:1".to_owned(), "2:2:meet".to_owned()], None),
        [pool, workers, jobs, rest @ ..] => {
            let (rest, sampling) = match rest {
                [rest @ .., how] if how == "random" || how == "pct" => (rest, Some(how)),
                rest => (rest, None),
            };
            (pool, vec![read_case(workers, jobs, rest)?], sampling)
        }
        _ => bail!(CALL),
    };
    let (how, tries) = match sampling {
        Some(how) => (how.as_str(), TRIES),
        None => ("all", MOST),
    };
    let mut command = build(root, pool)?;
    command
        .args(["search", pool, &tries.to_string(), how])
        .args(cases);
    Ok(command)
}

/// Builds the replay that the arguments ask for, and returns the command that runs it.
///
/// # Errors
///
/// As [`command`].
pub fn replay_command(root: &Path, arguments: &[String]) -> Result<Command> {
    let [pool, workers, jobs, rest @ .., schedule] = arguments else {
        bail!(
            "call it with the folder of your crate, and what `cargo book search` has printed as a \
             schedule: cargo book replay ../hello 2 1 00011112"
        );
    };
    let case = read_case(workers, jobs, rest)?;
    let mut command = build(root, pool)?;
    command.args(["replay", "src/pool.rs", &case, schedule]);
    Ok(command)
}

const CALL: &str =
    "call it with the folder of your crate, or with a file of Rust, and if you like with a number \
     of workers and of jobs, which can wait for each other: cargo book search ../hello 2 2 meet; at \
     the end, `random` or `pct` tries some interleavings of a case that has too many for all";

/// The case, as the program reads it.
fn read_case(workers: &str, jobs: &str, rest: &[String]) -> Result<String> {
    ensure!(rest.is_empty() || rest == ["meet"], CALL);
    let number = |text: &str, what| {
        let number = text.parse::<usize>();
        number.with_context(|| format!("`{text}` is no number of {what}"))
    };
    let (workers, jobs) = (number(workers, "workers")?, number(jobs, "jobs")?);
    ensure!(workers > 0, "a pool has at least one worker");
    ensure!(
        rest.is_empty() || jobs <= workers,
        "{jobs} jobs cannot meet with fewer workers, {workers}: each waits for all others to begin"
    );
    let meet = if rest.is_empty() { "" } else { ":meet" };
    Ok(format!("{workers}:{jobs}{meet}"))
}

/// Builds the program that does something with a pool, and returns the command that runs it. It is
/// kept, so that nothing is built a second time for the same pool.
fn build(root: &Path, pool: &str) -> Result<Command> {
    let library = library(pool)?;
    let path =
        fs::canonicalize(&library).with_context(|| format!("cannot read {}", library.display()))?;
    // A name of its own: to cargo, programs of one name are the same file.
    let name = format!(
        "search-{:08x}",
        crc32fast::hash(path.as_os_str().as_encoded_bytes())
    );
    let scratch = root.join("target/search").join(&name);
    prepare(root, &library, &name, &scratch)?;

    let mut cargo = crate::cargo();
    cargo.args(["build", "--quiet"]).current_dir(&scratch);
    cargo.env("CARGO_TARGET_DIR", root.join("target"));
    // A replay tells lines.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", LINES);
    if let Some(mut flags) = env::var_os("RUSTFLAGS") {
        flags.push(format!(" -C debuginfo={LINES}"));
        cargo.env("RUSTFLAGS", flags);
    }
    let built = progress::run(&mut cargo).context("cannot run cargo")?;
    ensure!(built.success(), "the search of this pool cannot be built");

    // Where the program is depends on the configuration of whoever calls.
    let said = cargo.arg("--message-format=json").output();
    let said = said.context("cannot run cargo")?.stdout;
    let messages = serde_json::Deserializer::from_slice(&said).into_iter::<Value>();
    let program = messages
        .flatten()
        .find_map(|message| Some(message.get("executable")?.as_str()?.to_owned()));

    let mut command = Command::new(program.context("cargo does not say what it has built")?);
    command.stderr(Stdio::null()); // a line from shuttle for each deadlock
    Ok(command)
}

/// The library of a reader's crate, or a file of Rust.
fn library(pool: &str) -> Result<PathBuf> {
    let mut library = PathBuf::from(pool);
    if library
        .extension()
        .is_none_or(|extension| extension != "rs")
    {
        expect_hello(&library)?;
        library.push("src/lib.rs");
    }
    Ok(library)
}

/// Writes that program to the folder `scratch`. The reader's pool is not touched.
fn prepare(root: &Path, library: &Path, name: &str, scratch: &Path) -> Result<()> {
    let source = fs::read_to_string(library)
        .with_context(|| format!("cannot read {}", library.display()))?;

    // Built as the book's own search is, so that the two share what they are built from.
    let book = root.join("Cargo.toml");
    let book: toml::Table = toml::from_str(&fs::read_to_string(book)?)?;
    let profile = book.get("profile").context("Cargo.toml has no profile")?;
    let profile = toml::Table::from_iter([("profile".to_owned(), profile.clone())]);
    let model = root.join("crates/model");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dependencies]\npool-model = {{ path = {model:?} }}\n\n[workspace]\n\n{}",
        toml::to_string(&profile)?
    );
    // The versions that the book is tested with.
    let lock = fs::read(root.join("Cargo.lock"))?;
    let files = [
        ("Cargo.toml", manifest.into_bytes()),
        ("Cargo.lock", lock),
        ("src/main.rs", MAIN.as_bytes().to_vec()),
        ("src/pool.rs", book::models::modeled(&source).into_bytes()),
    ];
    let files = files.map(|(path, content)| (PathBuf::from(path), content));
    write_files(scratch, &files.into())
}
