//! What the search cannot look into, in sentences: where it is, and what could be used instead.

// The same table that the model has, which takes long to build.
#[path = "../../../model/src/known.rs"]
#[allow(dead_code)]
mod known;

use super::code::words;
use super::package::FOLDER;
use anyhow::{bail, Result};
use serde_json::Value as Json;
use std::path::Path;
use toml::Value;

/// What other crates bring of their own that the search does not see.
const OTHERS: &[(&[&str], &str)] = &[
    (
        &[
            "crossbeam",
            "crossbeam-channel",
            "flume",
            "kanal",
            "async-channel",
            "loole",
        ],
        "use `std::sync::mpsc`",
    ),
    (
        &[
            "parking_lot",
            "spin",
            "event-listener",
            "lock_api",
            "atomic-waker",
        ],
        "use `std::sync`",
    ),
    (
        &[
            "crossbeam-deque",
            "crossbeam-queue",
            "crossbeam-epoch",
            "crossbeam-utils",
            "arc-swap",
            "dashmap",
            "concurrent-queue",
        ],
        "use what a `std::sync::Mutex` protects",
    ),
    (
        &["once_cell", "lazy_static"],
        "use `std::sync::OnceLock` or `std::sync::LazyLock`",
    ),
    (
        &[
            "rayon",
            "rayon-core",
            "threadpool",
            "scoped_threadpool",
            "tokio",
            "async-std",
            "smol",
            "futures",
            "futures-executor",
            "async-executor",
        ],
        "start the threads of your pool with `std::thread`",
    ),
    (
        &["loom", "shuttle"],
        "the search is one of these itself: use `std` when they are not asked for",
    ),
    (
        &["signal-hook", "ctrlc", "mio", "polling"],
        "keep it out of the library: the search knows threads, and no signals or sockets",
    ),
];

/// Refuses what keeps something from one interleaving to the next without the model's knowledge, and
/// notes what the search does not try all of. The code is that of `file`, without comments and texts.
///
/// # Errors
///
/// Names the line, and what could be written instead.
pub(super) fn look_at(file: &str, code: &str) -> Result<()> {
    let counts = [
        "Arc::strong_count",
        "Arc::weak_count",
        "Arc::try_unwrap",
        "Arc::get_mut",
        "Arc::into_inner",
        "Rc::strong_count",
    ];
    for (number, line) in (1..).zip(code.lines()) {
        let tight: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        let words: Vec<_> = words(line).collect();
        if words.windows(2).any(|two| two == ["static", "mut"]) {
            bail!(
                "{file}:{number}: a `static mut` keeps its value from one interleaving to the \
                 next: make it a field of the pool, behind an `Arc`, and of a type of `std::sync`"
            );
        }
        if let Some(count) = counts.iter().find(|count| tight.contains(**count)) {
            eprintln!(
                "note: {file}:{number}: when other threads let go of an `Arc` is not searched, so \
                 `{count}` can say more than the search sees"
            );
        }
    }
    Ok(())
}

/// A dependency of the library that has threads or locks of its own, which the search does not see. It
/// is left out: the compiler then says where it is used, if it is.
pub(super) struct Unseen {
    /// What the library calls it.
    name: String,
    /// What is said of it.
    why: String,
}

impl Unseen {
    /// `None`: it is not known to be one.
    pub(super) fn of(name: &str, value: &Value, manifest: &str, shown: &str) -> Option<Unseen> {
        let package = package(name, value);
        let same = |other: &&str| other.replace('-', "_") == package.replace('-', "_");
        let known = OTHERS.iter().find(|(names, _)| names.iter().any(same));
        known.map(|(_, instead)| Unseen {
            name: name.replace('-', "_"),
            why: format!(
                "the search does not see into `{package}` of {shown}{}; {instead}",
                place_of(name, manifest)
            ),
        })
    }
}

fn package<'v>(name: &'v str, value: &'v Value) -> &'v str {
    let package = value.get("package").and_then(Value::as_str);
    package.unwrap_or(name)
}

/// Where the dependency stands in the manifest.
fn place_of(name: &str, manifest: &str) -> String {
    let line = (1..).zip(manifest.lines()).find(|(_, line)| {
        let line = line.trim_start();
        let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let heading = line.trim_end().ends_with(&format!("dependencies.{name}]"));
        key.trim_matches(['"', '\'']) == name || heading
    });
    match line {
        Some((number, _)) => format!("Cargo.toml:{number}"),
        None => "Cargo.toml".to_owned(),
    }
}

/// Notes any other dependency, into which the search does not see.
pub(super) fn note(name: &str, value: &Value, manifest: &str, shown: &str) {
    eprintln!(
        "note: {shown}{}: the search does not see into `{}`: if it starts threads, or has locks or \
         channels, what is found does not count",
        place_of(name, manifest),
        package(name, value)
    );
}

/// What is said of a program that does not build. `plain` is what the compiler says of the crate
/// without the model: nothing, if it builds so. `pools` is what [`pool_in`] says
/// of its files.
pub(super) fn told(
    messages: &[Json],
    cargo: &str,
    unseen: &[Unseen],
    pools: &[String],
    plain: impl FnOnce() -> Result<Option<String>>,
) -> Result<String> {
    let messages = messages.iter().map(|message| &message["message"]);
    let errors: Vec<_> = messages
        .filter(|message| message["level"] == "error")
        .collect();
    let of_readers = errors.iter().filter_map(|error| {
        let (file, line) = place(error)?;
        let (_, file) = file.rsplit_once(FOLDER)?;
        Some((format!("{file}:{line}"), error))
    });
    let of_readers: Vec<_> = of_readers.collect();
    for (place, error) in &of_readers {
        let message = error["message"].as_str().unwrap_or_default();
        // `std::time::SystemTime`, or a name alone.
        let names: Vec<_> = message.split('`').skip(1).step_by(2).collect();
        let unseen = unseen.iter().find(|unseen| {
            let mut names = names.iter();
            names.any(|name| name.split("::").next() == Some(unseen.name.as_str()))
        });
        if let Some(unseen) = unseen {
            return Ok(format!("{place}: {}", unseen.why));
        }
        if error["code"]["code"] == "unused_crate_dependencies" {
            return Ok(format!(
                "{place}: the search gives your crate the dependencies `std` and `core`, which the \
                 lint `unused_crate_dependencies` minds: allow it while you search"
            ));
        }
        if let Some(path) = message.strip_prefix("couldn't read `") {
            let path = path.split('`').next().unwrap_or_default();
            return Ok(format!(
                "{place}: the search takes what is in the folder of your crate, and there is no {}",
                shown(path)
            ));
        }
        let mut last = names.iter().filter_map(|name| name.rsplit("::").next());
        if let Some(item) = last.find_map(known::refused) {
            return Ok(format!(
                "{place}: the search does not know `std::{}`; {}",
                item.path, item.why
            ));
        }
    }
    if let Some((place, error)) = of_readers.first() {
        let (what, said) = match plain()? {
            Some(said) => ("your crate does not build:".to_owned(), said),
            None => (
                format!(
                    "{place}: what the search has in the place of std does not know this; write it \
                     in another way:"
                ),
                error["rendered"].as_str().unwrap_or_default().to_owned(),
            ),
        };
        return Ok(format!("{what}\n{}", shown(&said)));
    }
    let of_main = |error: &&&Json| place(error).is_some_and(|(file, _)| file == "src/main.rs");
    if let Some(error) = errors.iter().find(of_main) {
        return Ok(no_pool(error, pools));
    }
    Ok(format!(
        "the search of your crate does not build:\n{}",
        shown(cargo)
    ))
}

/// What is said of a library whose pool the search cannot use.
fn no_pool(error: &Json, pools: &[String]) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let message = text(&error["message"]);
    let is_missing = message.contains("`ThreadPool`") && !message.contains("generics");
    let why = match (is_missing, pools) {
        (true, [pool]) => format!("yours is in {pool}"),
        (true, []) => {
            "if yours has another name, write `pub use ITS_NAME as ThreadPool;` at the top"
                .to_owned()
        }
        _ if error["code"]["code"] == "E0596" => {
            "your `execute` takes `&mut self`, so that nobody else could queue a job".to_owned()
        }
        _ if message == "mismatched types" => {
            let spans = error["spans"].as_array().into_iter().flatten();
            let mut spans = spans.filter(|span| span["is_primary"] == true);
            spans.next().map_or(message, |span| text(&span["label"]))
        }
        _ => message,
    };
    format!(
        "the search needs a `pub struct ThreadPool` at the top of your library, with \
         `pub fn new(size: usize) -> ThreadPool` and `pub fn execute<F>(&self, job: F)`: {why}"
    )
}

/// Where the code of the file has a pool, and what has to be done so that it can be used from outside,
/// if each file is the module of its name.
pub(super) fn pool_in(file: &Path, library: &Path, code: &str) -> Option<String> {
    let is_pool = |line: &str| {
        let words: Vec<_> = words(line).collect();
        let mut pairs = words.windows(2);
        pairs.any(|two| ["struct", "enum", "type"].contains(&two[0]) && two[1] == "ThreadPool")
    };
    let line = code.lines().position(is_pool)?;
    let place = format!("{}:{}", file.display(), line + 1);
    if file == library {
        return Some(format!(
            "{place}: make it `pub`; if it is in a module, write `pub use` of it at the top"
        ));
    }
    let path = file.strip_prefix(library.parent()?).ok()?;
    let path = path.with_extension("");
    let names = path.iter().map(|name| name.to_string_lossy());
    let names: Vec<_> = names.filter(|name| name != "mod").collect();
    let module = names.join("::");
    Some(format!(
        "{place}: make it `pub`, and write `pub use {module}::ThreadPool;` at the top"
    ))
}

/// What the compiler prints, with the reader's names for the files.
pub(super) fn shown(said: &str) -> String {
    said.trim_end().replace(FOLDER, "")
}

/// The file and the line that an error is about.
fn place(error: &Json) -> Option<(&str, u64)> {
    let spans = error["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    Some((span["file_name"].as_str()?, span["line_start"].as_u64()?))
}
