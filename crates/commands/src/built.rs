//! Target folders that need not be built from nothing: cargo takes what was copied, with all dates, for
//! what it has built.
//!
//! To cargo, a package of the same name and version is the same wherever its folder is, and a package
//! from a registry is as long as it is unpacked in the same place. So two steps share what they depend on, and
//! two copies of one step share all.

use anyhow::{Context, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// The name of the listings' packages.
const HELLO: &str = "hello";

/// Copies a folder with all that is in it to a new one. All files keep their dates.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    Copy::of(&|_| true).folder(from, to)
}

/// Copies from a listing's target folder to another's, a new one, what cargo has compiled of others than
/// the listing itself.
///
/// # Errors
///
/// When a file cannot be read or written.
fn copy_dependencies(from: &Path, to: &Path) -> Result<()> {
    let wanted = |name: &OsStr| {
        let name = name.to_string_lossy();
        let of_listing = name.starts_with(HELLO) || name.starts_with(&format!("lib{HELLO}"));
        !of_listing && !["examples", "incremental", "tmp", "doc"].contains(&&*name)
    };
    Copy::of(&wanted).folder(from, to)
}

/// What is copied, by the names of files and folders.
struct Copy<'w> {
    wanted: &'w dyn Fn(&OsStr) -> bool,
    /// Where those are that have more than one name, as a program has that cargo shows: cargo links them.
    linked: BTreeMap<u64, PathBuf>,
}

impl Copy<'_> {
    fn of(wanted: &dyn Fn(&OsStr) -> bool) -> Copy<'_> {
        let linked = BTreeMap::new();
        Copy { wanted, linked }
    }

    fn folder(&mut self, from: &Path, to: &Path) -> Result<()> {
        fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
        let entries = fs::read_dir(from);
        for entry in entries.with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            if !(self.wanted)(&entry.file_name()) {
                continue;
            }
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if entry.file_type()?.is_dir() {
                self.folder(&from, &to)?;
                continue;
            }
            self.file(&from, &to)
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path) -> Result<()> {
        let there = fs::metadata(from)?;
        if let Some(number) = number_of_linked(&there) {
            if let Some(copied) = self.linked.get(&number) {
                return Ok(fs::hard_link(copied, to)?);
            }
            self.linked.insert(number, to.to_owned());
        }
        fs::copy(from, to)?;
        let to = fs::File::options().write(true).open(to)?;
        Ok(to.set_modified(there.modified()?)?)
    }
}

/// What a file with several names has in common under all of them.
#[cfg(unix)]
fn number_of_linked(file: &fs::Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    (file.nlink() > 1).then(|| file.ino())
}

/// Elsewhere, each name gets a copy.
#[cfg(not(unix))]
fn number_of_linked(_: &fs::Metadata) -> Option<u64> {
    None
}

/// A target folder with what a package depends on.
#[derive(Clone)]
pub struct Other {
    pub target: PathBuf,
    /// The `Cargo.lock` of the package.
    pub lock: String,
    /// Somebody is still building in it.
    pub unfinished: bool,
}

/// Those of the listings' copies.
pub static TARGETS: Targets = Targets::new();

/// The target folders in which this program builds, or has built.
#[derive(Default)]
pub struct Targets {
    all: Mutex<Vec<Other>>,
    ended: Condvar,
}

impl Targets {
    pub const fn new() -> Targets {
        Targets {
            all: Mutex::new(Vec::new()),
            ended: Condvar::new(),
        }
    }

    /// Waits until nobody else builds in `target`, a folder for a package with this `Cargo.lock`. If there is no
    /// such folder yet, it begins with what was compiled in the one whose package has most dependencies in
    /// common, here or `before` this program was started; if that one is being built, this waits for it.
    /// Until what is returned is dropped, others wait who ask for this folder, or for a new one that would
    /// begin with it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or written.
    ///
    /// # Examples
    ///
    /// ```
    /// use book_commands::built::Targets;
    ///
    /// static TARGETS: Targets = Targets::new();
    /// # fn main() -> anyhow::Result<()> {
    /// let folder = std::env::temp_dir().join("no-such-target");
    /// let unfinished = TARGETS.begin(&folder, "checksum = \"1\"\n", Vec::new())?;
    /// // ... cargo builds in it ...
    /// unfinished.finish();
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin<'t>(
        &'t self,
        target: &'t Path,
        lock: &str,
        before: Vec<Other>,
    ) -> Result<Unfinished<'t>> {
        let mut all = self.all();
        loop {
            let is_used = all
                .iter()
                .any(|other| other.unfinished && other.target == target);
            if !is_used {
                let known = |before: &&Other| all.iter().any(|other| other.target == before.target);
                let before = before.iter().filter(|before| !known(before));
                let others = all.iter().chain(before).cloned();
                if target.exists() || begin(target, lock, others)? {
                    break;
                }
            }
            let waited = self.ended.wait(all);
            all = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let built = all.len();
        all.retain(|other| other.target != target);
        let helps = all.len() < built;
        all.push(Other {
            target: target.to_owned(),
            lock: lock.to_owned(),
            unfinished: true,
        });
        Ok(Unfinished {
            targets: self,
            target,
            helps,
        })
    }

    fn all(&self) -> MutexGuard<'_, Vec<Other>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody builds in a target folder, until this is dropped.
#[must_use]
pub struct Unfinished<'t> {
    targets: &'t Targets,
    target: &'t Path,
    /// An earlier build in the folder, or this one, is finished.
    helps: bool,
}

impl Unfinished<'_> {
    /// What is in the folder helps whoever comes later, also if a later build fails.
    pub fn finish(mut self) {
        self.helps = true;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let mut all = self.targets.all();
        all.retain(|other| self.helps || other.target != self.target);
        for other in all.iter_mut() {
            other.unfinished &= other.target != self.target;
        }
        self.targets.ended.notify_all();
    }
}

/// Has a new target folder begin with what was compiled, of others than itself, for the package that has
/// most dependencies in common with this `Cargo.lock`. If none has any, it begins with nothing. If that one
/// is unfinished, nothing is done, and it is worth waiting for: returns whether the folder has begun.
fn begin(target: &Path, lock: &str, others: impl IntoIterator<Item = Other>) -> Result<bool> {
    let others = others.into_iter();
    let others = others.map(|other| (in_common(lock, &other.lock), other));
    match others.max_by_key(|(common, other)| (*common, !other.unfinished)) {
        Some((common, closest)) if common > 0 => match closest.unfinished {
            true => Ok(false),
            false => copy_dependencies(&closest.target, target).map(|()| true),
        },
        _ => Ok(true),
    }
}

/// Among locked packages, those of the first `Cargo.lock` that are in the second, too: how many.
fn in_common(lock: &str, other: &str) -> usize {
    let of = |lock| -> BTreeSet<String> {
        let lines = str::lines(lock).filter(|line| line.starts_with("checksum = "));
        lines.map(str::to_owned).collect()
    };
    of(lock).intersection(&of(other)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};
    use std::{env, process, sync::mpsc, thread};

    #[test]
    fn dependencies_are_copied_with_their_dates_and_the_listing_is_not() {
        let folder = env::temp_dir().join(format!("book-built-{}", process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        let files = [
            ("debug/deps/libnix-0a.rlib", true),
            ("debug/.fingerprint/nix-0a/lib-nix", true),
            ("debug/deps/libhello-0b.rlib", false),
            ("debug/hello", false),
            ("debug/examples/slow", false),
        ];
        let date = SystemTime::now() - Duration::from_secs(3600);
        for (path, _) in files {
            let path = from.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "built").unwrap();
            let file = fs::File::options().write(true).open(path);
            file.unwrap().set_modified(date).unwrap();
        }

        copy_dependencies(&from, &to).unwrap();

        for (path, copied) in files {
            let modified = fs::metadata(to.join(path)).and_then(|file| file.modified());
            assert_eq!(modified.ok(), copied.then_some(date), "{path}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_two_names_is_copied_once() {
        use std::os::unix::fs::MetadataExt;
        let folder = env::temp_dir().join(format!("book-linked-{}", process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        fs::create_dir_all(from.join("deps")).unwrap();
        fs::write(from.join("deps/hello-0a"), "program").unwrap();
        fs::hard_link(from.join("deps/hello-0a"), from.join("hello")).unwrap();

        copy(&from, &to).unwrap();

        let file = |name| fs::metadata(to.join(name)).unwrap();
        assert_eq!(file("hello").ino(), file("deps/hello-0a").ino());
        assert_ne!(
            file("hello").ino(),
            fs::metadata(from.join("hello")).unwrap().ino()
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_closest_is_worth_waiting_for() {
        let folder = env::temp_dir().join(format!("book-begins-{}", process::id()));
        let target = folder.join("target");
        let other = |name: &str, lock: &str, unfinished| {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("libnix.rlib"), name).unwrap();
            Other {
                target: folder.join(name),
                lock: lock.to_owned(),
                unfinished,
            }
        };
        let (one, both) = ("checksum = \"1\"\n", "checksum = \"1\"\nchecksum = \"2\"\n");
        let begins = |others: Vec<Other>| begin(&target, both, others).unwrap();

        assert!(!begins(vec![
            other("a", one, false),
            other("b", both, true)
        ]));
        assert!(begins(vec![other("c", "", true)]));
        assert!(!target.exists());
        let none_is_closer = vec![other("d", one, false), other("e", one, true)];
        assert!(begins(none_is_closer));
        assert_eq!(fs::read(target.join("libnix.rlib")).unwrap(), b"d");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_is_built_in_by_one_at_a_time_and_helps_who_comes_later() {
        let folder = env::temp_dir().join(format!("book-targets-{}", process::id()));
        let (one, two) = (folder.join("one"), folder.join("two"));
        let lock = "checksum = \"1\"\n";
        let targets = Targets::new();

        // One that fails leaves the next with nothing.
        drop(targets.begin(&one, lock, Vec::new()).unwrap());
        drop(targets.begin(&two, lock, Vec::new()).unwrap());
        assert!(!two.exists());

        let first = targets.begin(&one, lock, Vec::new()).unwrap();
        fs::create_dir_all(&one).unwrap();
        let (begun, begins) = mpsc::channel();
        let begin = |target: &Path| {
            let _unfinished = targets.begin(target, lock, Vec::new()).unwrap();
            begun.send(()).unwrap();
            fs::read(target.join("libnix.rlib")).unwrap()
        };
        let built = thread::scope(|scope| {
            let second = scope.spawn(|| begin(&two));
            let same = scope.spawn(|| begin(&one));
            // A slow machine may hide who does not wait, and fails nobody who does.
            assert!(begins.recv_timeout(Duration::from_millis(100)).is_err());
            fs::write(one.join("libnix.rlib"), "built").unwrap();
            first.finish();
            [second.join().unwrap(), same.join().unwrap()]
        });
        assert_eq!(built, [b"built", b"built"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn locked_packages_are_counted_that_are_in_both() {
        let lock = "name = \"a\"\nchecksum = \"1\"\nname = \"b\"\nchecksum = \"2\"\n";
        assert_eq!(in_common(lock, "name = \"a\"\nchecksum = \"2\"\n"), 1);
        assert_eq!(in_common(lock, ""), 0);
    }
}
