//! What a scenario begins with: its listing, as it is, built once for all that run it. So a scenario
//! compiles only what it changes.

use super::working_copy;
use crate::built::{self, Other, TARGETS};
use anyhow::{Context, Result};
use std::{fs, path::Path};

/// Makes `copy` a copy of the listing in which it is built, if it is none yet. What has changed since in
/// the listing's own files is left to the next build; with other dependencies, it begins anew.
///
/// # Errors
///
/// When the listing does not build, and when a file cannot be read or written.
pub(super) fn copy(
    listing: &Path,
    scratch: &Path,
    copy: &Path,
    build: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let locked = |folder: &Path| fs::read_to_string(folder.join("Cargo.lock"));
    let lock = locked(listing).with_context(|| listing.display().to_string())?;
    // No scenario has a name with a dot.
    let all = scratch.join("built.listings");
    let name = listing.file_name().context("a listing without a name")?;
    let folder = all.join(name).join("hello");
    let target = folder.join("target");

    // Who comes second finds what the first has built, also of what another listing depends on.
    let unfinished = TARGETS.begin(&target, &lock, built_before(&all))?;
    if copy.join("target").is_dir() && locked(copy).is_ok_and(|there| there == lock) {
        return Ok(());
    }
    working_copy::sync(listing, &folder, &[])?;
    build(&folder.canonicalize()?)?;
    if copy.exists() {
        fs::remove_dir_all(copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    }
    built::copy(&folder, copy)?;
    unfinished.finish();
    Ok(())
}

/// The target folders in which listings are built already.
fn built_before(all: &Path) -> Vec<Other> {
    let folders = fs::read_dir(all).into_iter().flatten().flatten();
    let folders = folders.map(|entry| entry.path().join("hello"));
    let built = folders.filter_map(|folder| {
        let lock = fs::read_to_string(folder.join("Cargo.lock")).ok()?;
        let target = folder.join("target");
        target.is_dir().then_some(Other {
            target,
            lock,
            unfinished: false,
        })
    });
    built.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, env, path::PathBuf, process};

    /// As cargo would, with a dependency.
    fn build(folder: &Path) -> Result<()> {
        fs::create_dir_all(folder.join("target/deps"))?;
        fs::write(folder.join("target/hello"), "program")?;
        let dependency = folder.join("target/deps/libnix.rlib");
        match dependency.exists() {
            true => Ok(()),
            false => Ok(fs::write(dependency, folder.to_string_lossy().as_bytes())?),
        }
    }

    fn listing(folder: &Path, name: &str, lock: &str) -> PathBuf {
        let listing = folder.join("listings").join(name);
        fs::create_dir_all(listing.join("src")).unwrap();
        fs::write(listing.join("src/main.rs"), name).unwrap();
        fs::write(listing.join("Cargo.lock"), lock).unwrap();
        listing
    }

    #[test]
    fn a_scenario_begins_with_what_was_built_for_others() {
        let folder = env::temp_dir().join(format!("book-beginning-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
        let builds = Cell::new(0);
        let copy = |listing: &Path, name: &str| {
            let to = folder.join(name).join("hello");
            let build = |at: &Path| {
                builds.set(builds.get() + 1);
                build(at)
            };
            super::copy(listing, &folder, &to, build).unwrap();
        };

        let first = listing(&folder, "listing-1", "checksum = \"a\"\n");
        copy(&first, "one");
        assert_eq!(read("one/hello/target/hello"), "program");
        assert_eq!(read("one/hello/src/main.rs"), "listing-1");

        // What there is already is left to the scenario's own build.
        fs::write(folder.join("one/hello/target/hello"), "its own").unwrap();
        copy(&first, "one");
        assert_eq!(
            (builds.get(), read("one/hello/target/hello")),
            (1, "its own".into())
        );

        // Another listing with the same dependency does not build that again.
        let second = listing(&folder, "listing-2", "checksum = \"a\"\nchecksum = \"b\"\n");
        copy(&second, "two");
        let built_for = read("two/hello/target/deps/libnix.rlib");
        assert!(built_for.contains("listing-1"), "{built_for}");
        assert_eq!(read("two/hello/src/main.rs"), "listing-2");

        // With other dependencies, the scenario begins anew.
        listing(&folder, "listing-1", "checksum = \"c\"\n");
        copy(&first, "one");
        assert_eq!(read("one/hello/target/hello"), "program");
        fs::remove_dir_all(folder).unwrap();
    }
}
