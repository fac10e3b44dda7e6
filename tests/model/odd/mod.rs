//! The promise: `cargo book search` takes a reader's crate as it is, or says in a sentence why it does
//! not, and it never writes to it.
//!
//! Crates as readers have them, each with what is said of it. They are made of a listing whose pool
//! always finishes. One that is searched has as many interleavings as the listing: with one thread or
//! channel that the search does not see, it would have fewer.

mod names;
mod refused;
mod settings;
mod shapes;
mod statics;

use super::output;
use super::programs::program;
use crate::support::report;
use book::{root, step};
use book_commands::search::{self, Search};
use libtest_mimic::Failed;
use pool_model::Case;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use settings::{
    check_check, check_folder, check_neighbors, check_replay, check_target, search_and_print,
    SEARCH,
};
pub use statics::{check as check_statics, problems as statics_problems, STATICS};

/// The listing that they are made of.
const LISTING: &str = "listing-20-24";

/// A crate as a reader has it.
pub struct Odd {
    name: &'static str,
    /// Where the crate is in the folder of that name.
    folder: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    /// Links, with where they lead.
    links: &'static [(&'static str, &'static str)],
    said: Said,
}

/// What the search says.
enum Said {
    /// As many interleavings as the listing, and all finish; and nothing is printed besides.
    Good,
    /// This, among other things.
    This(&'static str),
}

/// A crate that is one file of Rust and a manifest.
fn odd(name: &'static str, manifest: &str, source: impl Into<Vec<u8>>, said: Said) -> Odd {
    Odd {
        name,
        folder: "",
        files: vec![
            ("Cargo.toml", manifest.into()),
            ("src/lib.rs", source.into()),
        ],
        links: &[],
        said,
    }
}

impl Odd {
    fn and(mut self, path: &'static str, content: impl Into<Vec<u8>>) -> Odd {
        self.files.push((path, content.into()));
        self
    }

    fn at(self, folder: &'static str) -> Odd {
        Odd { folder, ..self }
    }

    fn top(&self) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("odd")
            .join(self.name)
    }

    /// What is in the file of that path.
    fn text(&self, path: &str) -> String {
        let file = self.files.iter().find(|(file, _)| *file == path);
        file.map_or(String::new(), |(_, content)| {
            String::from_utf8_lossy(content).into_owned()
        })
    }

    /// Writes it, and leaves what is there already as it is.
    fn write(&self) -> Result<PathBuf, Failed> {
        let folder = self.top().join(self.folder);
        for (path, content) in &self.files {
            let path = folder.join(path);
            if fs::read(&path).is_ok_and(|there| there == *content) {
                continue;
            }
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, content)?;
        }
        #[cfg(unix)]
        for (path, to) in self.links {
            let path = folder.join(path);
            if !path.is_symlink() {
                std::os::unix::fs::symlink(to, path)?;
            }
        }
        Ok(folder)
    }

    fn check(&self, good: &str) -> Result<(), String> {
        let (name, failed) = (self.name, |error: Failed| {
            error.message().unwrap_or_default().to_owned()
        });
        let folder = self.write().map_err(failed)?;
        let before = state(&self.top()).map_err(|error| format!("{name}: {error}"))?;
        let (said, copy) = searched(&folder)?;
        let (is_so, expected) = match self.said {
            Said::Good => (said.trim_end() == good, good),
            Said::This(expected) => (said.contains(expected), expected),
        };
        if !is_so {
            return Err(format!(
                "{name}: expected {expected:?}, and it says: {said}"
            ));
        }
        if matches!(self.said, Said::Good) {
            self.is_unchanged_in(&copy)?;
        }
        let after = state(&self.top()).map_err(|error| format!("{name}: {error}"))?;
        match before == after {
            true => Ok(()),
            false => Err(format!(
                "{name}: the search has changed the folder of the crate"
            )),
        }
    }
}

impl Odd {
    /// The sources that are searched are those of the reader, byte by byte.
    fn is_unchanged_in(&self, copy: &Path) -> Result<(), String> {
        let sources = self.files.iter().filter(|(path, _)| {
            let path = Path::new(path);
            path.extension().is_some_and(|extension| extension == "rs") && !path.starts_with("..")
        });
        for (path, content) in sources {
            let copied = fs::read(copy.join("readers-crate").join(path)).ok();
            if copied.as_ref() != Some(content) {
                return Err(format!("{}: {path} is not searched as it is", self.name));
            }
        }
        Ok(())
    }
}

/// What the search says of one job for one worker.
fn said(folder: &Path) -> Result<String, String> {
    searched(folder).map(|(said, _)| said)
}

/// That, and where the copy is that was searched, if there is one.
fn searched(folder: &Path) -> Result<(String, PathBuf), String> {
    let mut command = match search::command(&root(), &Search::of(folder, 1, 1)) {
        Ok(command) => command,
        Err(error) => return Ok((format!("{error:#}"), PathBuf::new())),
    };
    let program = Path::new(command.get_program()).file_stem();
    let copy = root()
        .join("target/search")
        .join(program.unwrap_or_default());
    Ok((output(&mut command)?, copy))
}

/// Every file and every link in a folder, with what is in it and when it was changed.
fn state(folder: &Path) -> std::io::Result<BTreeMap<PathBuf, (SystemTime, Vec<u8>)>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let known = fs::symlink_metadata(&path)?;
            let content = match known.is_file() {
                true => fs::read(&path)?,
                false => Vec::new(),
            };
            if known.is_dir() {
                folders.push(path.clone());
            }
            all.insert(path, (known.modified()?, content));
        }
    }
    Ok(all)
}

/// The listing's library, and its two halves: the pool without what it uses, and its worker.
pub struct Pool {
    whole: String,
    pool: String,
    worker: String,
}

impl Pool {
    fn read() -> Result<Pool, Failed> {
        let files = step::files(&root(), LISTING).map_err(|error| format!("{error:#}"))?;
        let whole = String::from_utf8_lossy(&files[Path::new("src/lib.rs")]).into_owned();
        let uses = "use std::{\n    sync::{mpsc, Arc, Mutex},\n    thread,\n};\n";
        let halves = whole.strip_prefix(uses);
        let halves = halves.and_then(|rest| rest.split_once("struct Worker {"));
        let (pool, worker) = halves.ok_or("the listing is not as it was: change this test, too")?;
        Ok(Pool {
            pool: pool.replace("type Job", "pub(crate) type Job"),
            worker: format!("struct Worker {{{worker}"),
            whole,
        })
    }

    /// The worker as a module of its own, which finds the type of a job there.
    fn worker_in_module(&self, job: &str) -> String {
        let worker = self.worker.replace("struct Worker", "pub struct Worker");
        let worker = worker.replace(
            "    id: usize,\n    thread",
            "    pub id: usize,\n    pub thread",
        );
        let worker = worker.replace("    fn new", "    pub(crate) fn new");
        format!("use std::{{sync::{{mpsc, Arc, Mutex}}, thread}};\nuse {job};\n{worker}")
    }

    /// With this done for each job.
    fn doing(&self, what: &str) -> String {
        let prints = "println!(\"Worker {id} got";
        self.whole.replace(prints, &format!("{what} {prints}"))
    }

    fn with(&self, more: &str) -> String {
        format!("{}\n{more}\n", self.whole)
    }
}

/// A manifest for a crate on its own.
fn manifest(edition: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n{more}\n[workspace]\n"
    )
}

/// Each says what it should.
pub fn check() -> Result<(), Failed> {
    let pool = Pool::read()?;
    let good = good()?;
    // Of a size that nobody has the memory for; it has no content.
    let huge = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd-huge");
    #[cfg(unix)]
    fs::File::create(&huge)?.set_len(1 << 40)?;
    let odd = shapes::all(&pool)
        .into_iter()
        .chain(names::all(&pool))
        .chain(refused::all(&pool));
    let problems: Vec<_> = odd.filter_map(|odd| odd.check(&good).err()).collect();
    let _ = fs::remove_file(huge);
    report(problems)
}

/// What is said of the listing itself.
fn good() -> Result<String, Failed> {
    let program = program(LISTING).ok_or("the listing has no model")?;
    let case = Case {
        workers: 1,
        jobs: 1,
        meet: false,
        pause: false,
    };
    let found = (program.search)(case, 1_000, &mut |_| ControlFlow::Continue(()));
    let found = found.map_err(|_| "it has more interleavings than it had")?;
    let all = found.finish;
    if found.deadlock + found.panic > 0 {
        return Err("the listing is not good any more".into());
    }
    Ok(format!(
        "1 worker, 1 job: {all} interleavings: {all} finish, 0 deadlock, 0 panic"
    ))
}
