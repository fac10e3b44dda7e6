//! Searches every interleaving of a reader's own pool, and replays one: `cargo book search` and `cargo
//! book replay`.

mod code;
mod followed;
mod package;
mod refusals;

use crate::progress;
use anyhow::{bail, Context, Result};
use book::{step, tables::with_commas};
use package::{Copied, Places};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fmt, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Output, Stdio},
};

/// More interleavings than this take minutes.
const MOST: usize = 1_000_000;
/// As many classes: four workers with eight jobs have not quite as many.
const MOST_CLASSES: usize = 2_000_000;
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

/// Search every interleaving of your own pool
#[derive(clap::Args)]
#[command(after_help = format!(
    "Without numbers, it draws some runs of 4 workers with 4 jobs, and of 4 workers with 4 jobs that \
     meet. If one fails, it looks for the smallest case in which one does. If none does, it proves: of \
     all interleavings that differ only in the order of steps that have nothing to do with each other, \
     it runs one. Where these are too many, it says which smaller cases are complete.\n\n\
     The status is 0 if every interleaving that was tried finishes, 1 if one does not, and 2 if there \
     are more than {} (or {} classes; without numbers, sooner).\n\n\
     Example: cargo book search ../hello 2 2 meet",
    with_commas(MOST),
    with_commas(MOST_CLASSES)
))]
pub struct Search {
    /// The folder of your crate, or a file of Rust with a `ThreadPool`; neither is changed
    folder: PathBuf,
    /// How many workers the pool has [default: 4, with 4 jobs, and again with 4 jobs that meet]
    #[arg(value_parser = workers, requires = "jobs")]
    workers: Option<usize>,
    /// How many jobs it is given
    #[arg(value_parser = number)]
    jobs: Option<usize>,
    #[arg(num_args = 1..=2, help = format!(
        "`meet`: each job waits until all have begun. Where all interleavings are too many, `classes`: \
         one is run of all those that differ only in the order of steps that have nothing to do with \
         each other; `random` or `pct`: {} are tried, drawn at random or by PCT",
        with_commas(TRIES)
    ))]
    how: Vec<How>,
}

/// A word after the numbers.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum How {
    Meet,
    Classes,
    Random,
    Pct,
}

impl Search {
    /// The search of every interleaving of the pool in `folder`, in one case.
    pub fn of(folder: &Path, workers: usize, jobs: usize) -> Search {
        Search {
            folder: folder.to_owned(),
            workers: Some(workers),
            jobs: Some(jobs),
            how: Vec::new(),
        }
    }

    /// Whether the words go together, and if not, why.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let is_meet = |how: &How| *how == How::Meet;
        match self.how.iter().filter(|how| is_meet(how)).count() {
            meet if meet > 1 || self.how.len() - meet > 1 => {
                Err("give `meet` once, and one of `classes`, `random`, and `pct`")
            }
            _ => self.case().map_or(Ok(()), |case| case.check()),
        }
    }

    /// The case that is asked for, if one is.
    fn case(&self) -> Option<Case> {
        Some(Case {
            workers: self.workers?,
            jobs: self.jobs?,
            meet: self.how.contains(&How::Meet),
        })
    }
}

/// Show what each thread does in an interleaving that was found
#[derive(clap::Args)]
#[command(after_help = "\
The status is 0 if the interleaving finishes, 1 if it does not, and 2 if the schedule is none of this pool.

Example: cargo book replay ../hello 2 1 00011112")]
pub struct Replay {
    /// The folder of your crate, or a file of Rust, as it was searched
    folder: PathBuf,
    /// How many workers the pool has
    #[arg(value_parser = workers)]
    workers: usize,
    /// How many jobs it is given
    #[arg(value_parser = number)]
    jobs: usize,
    /// Which thread goes on at each choice, as the search has printed it: 0 is `main`, 1 is worker 0
    schedule: String,
    /// `meet`: each job waits until all have begun
    how: Option<Meet>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Meet {
    Meet,
}

impl Replay {
    /// The replay of one interleaving of the pool in `folder`, in one case.
    pub fn of(folder: &Path, workers: usize, jobs: usize, schedule: &str) -> Replay {
        Replay {
            folder: folder.to_owned(),
            workers,
            jobs,
            schedule: schedule.to_owned(),
            how: None,
        }
    }

    /// Whether the numbers go together, and if not, why.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.case().check()
    }

    fn case(&self) -> Case {
        Case {
            workers: self.workers,
            jobs: self.jobs,
            meet: self.how.is_some(),
        }
    }
}

struct Case {
    workers: usize,
    jobs: usize,
    meet: bool,
}

impl Case {
    fn check(&self) -> Result<(), &'static str> {
        match self.meet && self.jobs > self.workers {
            true => Err("more jobs than workers cannot meet: each waits for all others to begin"),
            false => Ok(()),
        }
    }
}

/// As the program reads it.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let meet = if self.meet { ":meet" } else { "" };
        write!(f, "{}:{}{meet}", self.workers, self.jobs)
    }
}

fn workers(text: &str) -> Result<usize, &'static str> {
    match number(text)? {
        0 => Err("a pool has at least one worker"),
        workers => Ok(workers),
    }
}

fn number(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "it is no number, such as 2")
}

/// Runs `cargo book search`. What the search finds, its exit code says.
///
/// # Errors
///
/// As [`command`].
pub fn run(root: &Path, arguments: &Search) -> Result<ExitCode> {
    let shown = progress::begin()?;
    progress::part("building the search");
    let status = followed::run(&mut command(root, arguments)?)
        .context("cannot run the search, or print what it finds")?;
    drop(shown);
    Ok(exit_code(status))
}

/// Runs `cargo book replay`.
///
/// # Errors
///
/// As [`command`].
pub fn run_replay(root: &Path, arguments: &Replay) -> Result<ExitCode> {
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
/// When there is no pool where they say, and when the search cannot be built.
pub fn command(root: &Path, arguments: &Search) -> Result<Command> {
    let folder = &arguments.folder;
    let mut command = build(root, folder)?;
    let shown = folder.to_string_lossy(); // the program prints it
    let Some(case) = arguments.case() else {
        command.args(["prove", &shown]);
        return Ok(command);
    };
    let (how, tries) = match arguments.how.iter().find(|how| **how != How::Meet) {
        Some(How::Classes) => ("classes", MOST_CLASSES),
        Some(How::Random) => ("random", TRIES),
        Some(_) => ("pct", TRIES),
        None => ("all", MOST),
    };
    command.args(["search", &shown, &tries.to_string(), how, &case.to_string()]);
    Ok(command)
}

/// Builds the replay that the arguments ask for, and returns the command that runs it.
///
/// # Errors
///
/// As [`command`].
pub fn replay_command(root: &Path, arguments: &Replay) -> Result<Command> {
    let mut command = build(root, &arguments.folder)?;
    let case = arguments.case().to_string();
    command.args(["replay", package::FOLDER, &case, &arguments.schedule]);
    Ok(command)
}

/// Builds the program that does something with a pool, and returns the command that runs it. It is
/// kept, so that nothing is built a second time for the same pool.
fn build(root: &Path, pool: &Path) -> Result<Command> {
    let full = fs::canonicalize(pool).with_context(|| format!("there is no {}", pool.display()))?;
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
    step::write(places.scratch, &files)?;

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
    step::write(places.scratch, files)?;
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
    // Built as the book's own search is, so that the two share what they are built from. The pool, and
    // what the model is for its types, are built for a search of a million runs.
    let book = root.join("Cargo.toml");
    let mut book: toml::Table = toml::from_str(&fs::read_to_string(book)?)?;
    let profile = book.get_mut("profile");
    let profile = profile.context("Cargo.toml has no profile")?;
    for (of, level) in [("/dev", 1), ("/dev/package/*", 0)] {
        let table = of
            .split('/')
            .skip(1)
            .try_fold(&mut *profile, |table, name| table.get_mut(name));
        let table = table.and_then(toml::Value::as_table_mut);
        let table = table.with_context(|| format!("Cargo.toml has no profile{of}"))?;
        table.insert("opt-level".to_owned(), level.into());
    }
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
