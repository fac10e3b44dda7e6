//! Searches every interleaving of a reader's own pool, and replays one: `cargo book search FOLDER`,
//! `cargo book replay FOLDER ...`.

mod code;
mod followed;
mod package;
mod refusals;

use crate::{progress, step::write_files};
use anyhow::{bail, ensure, Context, Result};
use package::{Copied, Places};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Output, Stdio},
};

/// More interleavings than this take minutes.
const MOST: usize = 1_000_000;
/// As many as are tried where they cannot be searched.
const TRIES: usize = 10_000;

/// What is known of a program besides its code.
const LINES: &str = "line-tables-only";

/// What runs the search, beside the reader's crate.
const MAIN: &str = r"/// The pool, as the search takes it.
struct Searched(readers::ThreadPool);

impl pool_model::Pool for Searched {
    fn new(size: usize) -> Self {
        Searched(readers::ThreadPool::new(size))
    }
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.execute(job);
    }
}

fn main() -> std::process::ExitCode {
    pool_model::program::<Searched>()
}
";

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
    command.args(["replay", package::FOLDER, &case, schedule]);
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
    let path = Path::new(pool);
    let full = fs::canonicalize(path).with_context(|| format!("there is no {pool}"))?;
    // A name of its own: to cargo, programs of one name are the same file.
    let name = format!(
        "search-{:08x}",
        crc32fast::hash(full.as_os_str().as_encoded_bytes())
    );
    let searches = root.join("target/search");
    let model = root.join("crates/model");
    let places = package::Places {
        name: &name,
        scratch: &searches.join(&name),
        core: package::write_core(&searches, &model)?,
        model: &model,
    };
    let copied = package::copied(&full, &places)?;
    let around = around(root, &places, &copied.patch)?;
    let mut files = copied.files.clone();
    files.extend(around);
    write_files(places.scratch, &files)?;

    let built = cargo(root, &places, &["build"])?;
    let messages = messages(&built);
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        let plain = || {
            files.extend(copied.plain.clone());
            without_the_model(root, &places, &files)
        };
        let Copied { unseen, pools, .. } = &copied;
        bail!(refusals::told(&messages, &said, unseen, pools, plain)?);
    }

    // Where the program is depends on the configuration of whoever calls.
    let program = messages
        .iter()
        .find_map(|message| message.get("executable")?.as_str());
    let mut command = Command::new(program.context("cargo does not say what it has built")?);
    command.stderr(Stdio::null()); // a line from shuttle for each deadlock
    Ok(command)
}

/// The lock file without what is patched: it would hold for that, and the patch would not.
fn without(lock: &str, patch: &toml::Table) -> Result<String> {
    let patched = |name: &str| {
        let mut registries = patch.values().filter_map(toml::Value::as_table);
        registries.any(|patched| patched.contains_key(name))
    };
    if patch.is_empty() {
        return Ok(lock.to_owned());
    }
    let mut lock: toml::Table = toml::from_str(lock).context("Cargo.lock")?;
    let packages = lock.get_mut("package").and_then(toml::Value::as_array_mut);
    if let Some(packages) = packages {
        packages.retain(|package| {
            let name = package.get("name").and_then(toml::Value::as_str);
            !name.is_some_and(patched)
        });
    }
    Ok(toml::to_string(&lock)?)
}

/// Runs cargo on the program.
fn cargo(root: &Path, places: &Places, arguments: &[&str]) -> Result<Output> {
    let mut cargo = crate::cargo();
    cargo
        .args(arguments)
        .args(["--quiet", "--message-format=json"]);
    cargo.current_dir(places.scratch);
    cargo.env("CARGO_TARGET_DIR", root.join("target"));
    // A replay tells lines.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", LINES);
    if let Some(mut flags) = env::var_os("RUSTFLAGS") {
        flags.push(format!(" -C debuginfo={LINES}"));
        cargo.env("RUSTFLAGS", flags);
    }
    progress::output(&mut cargo, |_| {}).context("cannot run cargo")
}

fn messages(output: &Output) -> Vec<Value> {
    let messages = serde_json::Deserializer::from_slice(&output.stdout);
    messages.into_iter::<Value>().flatten().collect()
}

/// What the compiler says of the reader's crate on std itself; `None`: it builds.
fn without_the_model(
    root: &Path,
    places: &Places,
    files: &BTreeMap<PathBuf, Vec<u8>>,
) -> Result<Option<String>> {
    write_files(places.scratch, files)?;
    let package = package::of(places.name, package::FOLDER);
    let checked = cargo(root, places, &["check", "--package", &package])?;
    if checked.status.success() {
        return Ok(None);
    }
    let messages = messages(&checked);
    let errors = messages.iter().map(|message| &message["message"]);
    let errors = errors.filter(|message| message["level"] == "error");
    let said: String = errors
        .filter_map(|error| error["rendered"].as_str())
        .filter(|said| !said.starts_with("error: aborting due to"))
        .collect();
    Ok(Some(match said.is_empty() {
        true => String::from_utf8_lossy(&checked.stderr).into_owned(),
        false => said,
    }))
}

/// What that program consists of, beside the reader's crate.
fn around(root: &Path, places: &Places, patch: &toml::Table) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    // Built as the book's own search is, so that the two share what they are built from.
    let book = root.join("Cargo.toml");
    let book: toml::Table = toml::from_str(&fs::read_to_string(book)?)?;
    let profile = book.get("profile").context("Cargo.toml has no profile")?;
    let rest = toml::Table::from_iter([
        ("profile".to_owned(), profile.clone()),
        ("patch".to_owned(), patch.clone().into()),
    ]);
    let Places { name, model, .. } = places;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dependencies]\npool-model = {{ path = {model:?} }}\n\
         readers = {{ path = {:?}, package = {:?} }}\n\n[workspace]\n\n{}",
        package::FOLDER,
        package::of(name, package::FOLDER),
        toml::to_string(&rest)?
    );
    // The versions that the book is tested with.
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let lock = without(&lock, patch)?.into_bytes();
    let files = [
        ("Cargo.toml", manifest.into_bytes()),
        ("Cargo.lock", lock),
        ("src/main.rs", MAIN.as_bytes().to_vec()),
    ];
    let files = files.map(|(path, content)| (PathBuf::from(path), content));
    Ok(files.into())
}
