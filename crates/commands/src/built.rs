//! Target folders that need not be built from nothing: cargo takes what was copied, with all dates, for
//! what it has built.
//!
//! To cargo, a package of the same name and version is the same wherever its folder is, and a package
//! from a registry is as long as it is unpacked in the same place. So two steps share what they depend on, and
//! two copies of one step share all.

use anyhow::{Context, Result};
use std::{collections::BTreeSet, ffi::OsStr, fs, path::Path};

/// The name of the listings' packages.
const HELLO: &str = "hello";

/// Copies a folder with all that is in it to a new one. All files keep their dates.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_what(from, to, &|_| true)
}

/// Copies from a listing's target folder to another's, a new one, what cargo has compiled of others than
/// the listing itself.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn copy_dependencies(from: &Path, to: &Path) -> Result<()> {
    copy_what(from, to, &|name| {
        let name = name.to_string_lossy();
        let of_listing = name.starts_with(HELLO) || name.starts_with(&format!("lib{HELLO}"));
        !of_listing && !["examples", "incremental", "tmp", "doc"].contains(&&*name)
    })
}

fn copy_what(from: &Path, to: &Path, wanted: &dyn Fn(&OsStr) -> bool) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        if !wanted(&entry.file_name()) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_what(&from, &to, wanted)?;
        } else {
            copy_file(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)?;
    let date = fs::metadata(from)?.modified()?;
    let to = fs::File::options().write(true).open(to)?;
    Ok(to.set_modified(date)?)
}

/// Among locked packages, those of the first `Cargo.lock` that are in the second, too: how many.
pub fn in_common(lock: &str, other: &str) -> usize {
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
    use std::{env, process};

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

    #[test]
    fn locked_packages_are_counted_that_are_in_both() {
        let lock = "name = \"a\"\nchecksum = \"1\"\nname = \"b\"\nchecksum = \"2\"\n";
        assert_eq!(in_common(lock, "name = \"a\"\nchecksum = \"2\"\n"), 1);
        assert_eq!(in_common(lock, ""), 0);
    }
}
