//! What the search cannot look into, in sentences: where it is, and what could be used instead.

// The same table that the model has, which takes long to build.
#[path = "../../../model/src/known.rs"]
#[allow(dead_code)]
mod known;

use super::package::FOLDER;
use anyhow::{bail, Result};
use serde_json::Value as Json;
use std::path::Path;

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
        &["signal-hook", "ctrlc", "mio", "polling"],
        "keep it out of the library: the search knows threads, and no signals or sockets",
    ),
];

/// The lines of a source that are no comments, with their numbers.
pub(super) fn code(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(source.lines());
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Refuses what is written past `std`, and notes what the search does not try all of.
///
/// # Errors
///
/// Names the line, and what could be written instead.
pub(super) fn look_at(path: &Path, source: &str) -> Result<()> {
    let counts = [
        "Arc::strong_count",
        "Arc::weak_count",
        "Arc::try_unwrap",
        "Arc::get_mut",
        "Arc::into_inner",
        "Rc::strong_count",
    ];
    for (number, line) in code(source) {
        let place = || format!("{}:{number}", path.display());
        let tight: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        for module in ["core::sync", "core::hint::spin_loop"] {
            if tight.contains(module) {
                let with_std = module.replace("core", "std");
                bail!(
                    "{}: the search does not see `{module}`; write `{with_std}`, which is the same",
                    place()
                );
            }
        }
        if tight.starts_with("#![no_std]") {
            bail!(
                "{}: a crate without `std` starts no threads that can be searched",
                place()
            );
        }
        if let Some(count) = counts.iter().find(|count| tight.contains(**count)) {
            eprintln!(
                "note: {}: when other threads let go of an `Arc` is not searched, so `{count}` can \
                 say more than the search sees",
                place()
            );
        }
    }
    Ok(())
}

/// Refuses a dependency of the library that has threads or locks of its own, and notes any other.
///
/// # Errors
///
/// Names its line in the manifest, and what could be used instead.
pub(super) fn dependency(name: &str, value: &toml::Value, manifest: &str) -> Result<()> {
    let package = value.get("package").and_then(toml::Value::as_str);
    let package = package.unwrap_or(name);
    let line = (1..).zip(manifest.lines()).find(|(_, line)| {
        let line = line.trim_start();
        let key = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let heading = line.trim_end().ends_with(&format!("dependencies.{name}]"));
        key.trim_matches(['"', '\'']) == name || heading
    });
    let place = match line {
        Some((number, _)) => format!("Cargo.toml:{number}"),
        None => "Cargo.toml".to_owned(),
    };
    let same = |other: &&str| other.replace('-', "_") == package.replace('-', "_");
    for (names, instead) in OTHERS {
        if names.iter().any(same) {
            bail!("{place}: the search does not see into `{package}`, which your library uses; {instead}");
        }
    }
    eprintln!(
        "note: {place}: the search does not see into `{package}`: if it starts threads, or has \
         locks or channels, what is found does not count"
    );
    Ok(())
}

/// What is said of a program that does not build.
pub(super) fn told(messages: &[Json], cargo: &str) -> String {
    let messages = messages.iter().map(|message| &message["message"]);
    let errors: Vec<_> = messages
        .filter(|message| message["level"] == "error")
        .collect();
    for error in &errors {
        let Some((file, line)) = place(error) else {
            continue;
        };
        let Some((_, file)) = file.rsplit_once(FOLDER) else {
            continue;
        };
        let message = error["message"].as_str().unwrap_or_default();
        // `std::time::SystemTime`, or a name alone.
        let names = message.split('`').skip(1).step_by(2);
        let mut names = names.filter_map(|name| name.rsplit("::").next());
        if let Some(item) = names.find_map(known::refused) {
            return format!(
                "{file}:{line}: the search does not know `std::{}`; {}",
                item.path, item.why
            );
        }
        let rendered = error["rendered"].as_str().unwrap_or_default();
        if ["pool_model", "shuttle", "modeled"]
            .iter()
            .any(|name| rendered.contains(name))
        {
            return format!(
                "{file}:{line}: what the search has in the place of std does not know this; \
                 write it in another way:\n{}",
                rendered.trim_end()
            );
        }
    }
    let is_readers = |error: &&&Json| place(error).is_some_and(|(file, _)| file.contains(FOLDER));
    let of_readers: Vec<_> = errors.iter().filter(is_readers).collect();
    if of_readers.is_empty() && !errors.is_empty() {
        let first = errors[0]["message"].as_str().unwrap_or_default();
        return format!(
            "the search needs a `pub struct ThreadPool` at the top of your library, with \
             `pub fn new(size: usize) -> ThreadPool` and `pub fn execute<F>(&self, job: F)`: {first}"
        );
    }
    let mut said = String::from("your crate does not build:");
    for error in of_readers {
        said += "\n";
        said += error["rendered"].as_str().unwrap_or_default().trim_end();
    }
    if errors.is_empty() {
        said += "\n";
        said += cargo.trim_end();
    }
    said.replace(FOLDER, "")
}

/// The file and the line that an error is about.
fn place(error: &Json) -> Option<(&str, u64)> {
    let spans = error["spans"].as_array()?;
    let span = spans.iter().find(|span| span["is_primary"] == true)?;
    Some((span["file_name"].as_str()?, span["line_start"].as_u64()?))
}
