//! The steps of the book: the packages under `listings/`, in their order, and their files.

use crate::anchors::unmarked;
use anyhow::{Context, Result};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The names of the steps of the book at `root`: the folders of `listings/`, the starting point
/// first.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let listings = root.join("listings");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(&listings).with_context(|| format!("cannot read {}", listings.display()))?
    {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    sort(&mut names);
    Ok(names)
}

/// Puts the names of steps in the order of the book.
pub fn sort(names: &mut [String]) {
    names.sort_by(|a, b| place(a).cmp(&place(b)));
}

/// Where a step stands in the book, by its name: the numbers of `listing-NN-MM` and, for a variant
/// of that listing, the word after them. The starting point comes first. `None`: the name is no
/// step's.
pub fn place(name: &str) -> Option<(u32, u32, Option<&str>)> {
    if name == "starting-point" {
        return Some((0, 0, None));
    }
    let mut parts = name.strip_prefix("listing-")?.splitn(3, '-');
    let chapter = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    Some((chapter, number, parts.next()))
}

/// The caption of a step: the `description` in its `Cargo.toml`, with `code` between backticks.
///
/// # Errors
///
/// When the manifest cannot be read, and when it has no description.
pub fn caption(root: &Path, name: &str) -> Result<String> {
    let file = root.join("listings").join(name).join("Cargo.toml");
    package_key(&file, "description")?.with_context(|| {
        format!(
            "{}: write the listing's caption as `description = \"...\"`",
            file.display()
        )
    })
}

/// What the manifest says under `package`, where it is text.
///
/// # Errors
///
/// When the manifest cannot be read.
pub fn package_key(manifest: &Path, key: &str) -> Result<Option<String>> {
    let text = fs::read_to_string(manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let table: toml::Table =
        toml::from_str(&text).with_context(|| format!("in {}", manifest.display()))?;
    let value = table.get("package").and_then(|package| package.get(key));
    Ok(value.and_then(|value| value.as_str()).map(str::to_owned))
}

/// The step that `name` follows: the one with the number before, or for a variant, such as
/// `listing-20-24-while-let`, the step that it varies. The starting point follows none.
pub fn predecessor<'n>(names: &'n [String], name: &str) -> Option<&'n str> {
    let known = names.iter().map(String::as_str);
    let before = known.filter(|known| place(known) < place(name));
    let main_line = before.filter(|known| matches!(place(known), Some((_, _, None))));
    main_line.max_by_key(|known| place(known))
}

/// The content of files, by their paths in a folder.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files of a step under their paths in its folder, as a reader has them: without the marks
/// (`// ANCHOR: name`) by which the book's pages show parts of them, and without what was built.
///
/// # Errors
///
/// When a file cannot be read.
pub fn files(root: &Path, name: &str) -> Result<Files> {
    let folder = root.join("listings").join(name);
    let mut files = collect(&folder)?;
    for (path, content) in &mut files {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::str::from_utf8(content)
                .with_context(|| format!("{} is not UTF-8", folder.join(path).display()))?;
            *content = unmarked(text).into_bytes();
        }
    }
    Ok(files)
}

/// Every file below `folder`, but for what is in its `target`.
///
/// # Errors
///
/// When a folder or a file cannot be read.
pub fn collect(folder: &Path) -> Result<Files> {
    let read = |path: PathBuf| fs::read(folder.join(&path)).map(|content| (path, content));
    let files = paths(folder).and_then(|paths| paths.into_iter().map(read).collect());
    files.with_context(|| format!("cannot read {}", folder.display()))
}

/// The paths in `folder` of all that can be read there as a file, but for what is in its `target`.
fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(folder.join(&inside))? {
            let entry = entry?;
            let path = inside.join(entry.file_name());
            if path == Path::new("target") {
                continue; // also where it is a link to another disk
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() || kind.is_symlink() {
                paths.push(path);
            } // a socket that a program has left there cannot be read
        }
    }
    Ok(paths)
}

/// Makes `folder` hold these files under their paths and no others, but for its `target`. A file that
/// is as it should be keeps its date, so that cargo does not build it again.
///
/// # Errors
///
/// When one cannot be read, written or removed.
pub fn write(folder: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let present = paths(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for path in present.iter().filter(|path| !files.contains_key(*path)) {
        let path = folder.join(path);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    for (path, content) in files {
        let path = folder.join(path);
        if fs::read(&path).is_ok_and(|present| present == *content) {
            continue;
        }
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, content))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_by_number_and_variants_follow_what_they_vary() {
        let mut names = ["listing-20-100", "listing-20-24-while-let", "listing-20-9"]
            .map(str::to_owned)
            .to_vec();
        names.extend(["listing-20-24".to_owned(), "starting-point".to_owned()]);
        sort(&mut names);

        let before: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), predecessor(&names, name)))
            .collect();
        assert_eq!(
            before,
            [
                ("starting-point", None),
                ("listing-20-9", Some("starting-point")),
                ("listing-20-24", Some("listing-20-9")),
                ("listing-20-24-while-let", Some("listing-20-24")),
                ("listing-20-100", Some("listing-20-24")),
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_in_a_folder_is_no_file_of_it() {
        let folder = std::env::temp_dir().join(format!("book-socket-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("file"), "text").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();

        let files = collect(&folder);
        fs::remove_dir_all(&folder).unwrap();

        let paths: Vec<_> = files.unwrap().into_keys().collect();
        assert_eq!(paths, [Path::new("file")]);
    }

    #[cfg(unix)] // elsewhere a file takes place for what is not written
    #[test]
    fn what_a_program_has_left_is_removed_unread_and_what_has_not_changed_keeps_its_date() {
        let folder = std::env::temp_dir().join(format!("book-left-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // What was built is elsewhere, and stays.
        std::os::unix::fs::symlink("/", folder.join("target")).unwrap();
        // More than any memory holds, and nothing on the disk.
        let large = fs::File::create(folder.join("large")).unwrap();
        large.set_len(1 << 42).unwrap();
        let files = ["kept", "src/changed"].map(|name| (name.into(), b"text".to_vec()));
        let files = Files::from(files);
        fs::write(folder.join("kept"), "text").unwrap();
        let written = fs::File::open(folder.join("kept")).unwrap();
        written.set_modified(std::time::UNIX_EPOCH).unwrap();

        let done = write(&folder, &files);
        let date = fs::metadata(folder.join("kept")).and_then(|kept| kept.modified());
        let found = collect(&folder);
        let built = folder.join("target").is_symlink();
        fs::remove_dir_all(&folder).unwrap();

        done.unwrap();
        assert_eq!((date.unwrap(), built), (std::time::UNIX_EPOCH, true));
        assert_eq!(found.unwrap(), files);
    }
}
