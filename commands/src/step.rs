//! Copies a step of the book out, for a reader to work on: `cargo book step NAME FOLDER`.

use anyhow::{bail, ensure, Context, Result};
use regex::Regex;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::LazyLock,
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
pub(crate) fn package_key(manifest: &Path, key: &str) -> Result<Option<String>> {
    let text = fs::read_to_string(manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let table: toml::Table =
        toml::from_str(&text).with_context(|| format!("in {}", manifest.display()))?;
    let value = table.get("package").and_then(|package| package.get(key));
    Ok(value.and_then(|value| value.as_str()).map(str::to_owned))
}

/// Ensures that there is a package `hello` in `folder`, as the reader's is called.
///
/// # Errors
///
/// When there is none, or another.
pub(crate) fn expect_hello(folder: &Path) -> Result<()> {
    let package =
        package_key(&folder.join("Cargo.toml"), "name").context("there is no crate of yours")?;
    ensure!(
        package.as_deref() == Some("hello"),
        "this is for a package `hello`, and {} holds another; begin with a copy of a step: \
         cargo book step 20-25 ../hello",
        folder.display()
    );
    Ok(())
}

/// The step that `name` follows: the one with the number before, or for a variant, such as
/// `listing-20-24-while-let`, the step that it varies. The starting point follows none.
pub fn predecessor<'n>(names: &'n [String], name: &str) -> Option<&'n str> {
    let known = names.iter().map(String::as_str);
    let before = known.filter(|known| place(known) < place(name));
    let main_line = before.filter(|known| matches!(place(known), Some((_, _, None))));
    main_line.max_by_key(|known| place(known))
}

/// A line by which a page can show a part of a file, and which mdBook leaves out of what it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark<'l> {
    /// `// ANCHOR: NAME`
    Start(&'l str),
    /// `// ANCHOR_END: NAME`
    End(&'l str),
}

/// The mark that mdBook takes the line for, if it takes it for one. The pattern is mdBook's own
/// (mdbook-driver, `take_lines.rs`).
pub fn mark(line: &str) -> Option<Mark<'_>> {
    static MARK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"ANCHOR(_END)?:\s*([\w_-]+)").expect("a pattern"));
    let found = MARK.captures(line)?;
    let name = found.get(2)?.as_str();
    Some(match found.get(1) {
        None => Mark::Start(name),
        Some(_) => Mark::End(name),
    })
}

/// The text without its marks.
pub fn unmarked(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| mark(line).is_none()).collect()
}

/// The files of a step under their paths in its folder, as a reader has them: without the marks
/// (`// ANCHOR: name`) by which the book's pages show parts of them, and without what was built.
///
/// # Errors
///
/// When a file cannot be read.
pub fn files(root: &Path, name: &str) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let folder = root.join("listings").join(name);
    let mut files = BTreeMap::new();
    collect(&folder, Path::new(""), &mut files)
        .with_context(|| format!("cannot read {}", folder.display()))?;
    for (path, content) in &mut files {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::str::from_utf8(content)
                .with_context(|| format!("{} is not UTF-8", folder.join(path).display()))?;
            *content = unmarked(text).into_bytes();
        }
    }
    Ok(files)
}

/// Every file below `folder`, by its path from the top, but for the top's `target`.
pub(crate) fn collect(
    top: &Path,
    folder: &Path,
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> io::Result<()> {
    for entry in fs::read_dir(top.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if path == Path::new("target") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(top, &path, files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Writes the step to a new folder. What is there already is never touched.
///
/// # Errors
///
/// When there is no such step, when `folder` exists, when it would lie inside the book (cargo would
/// take it for a part of the book's workspace), and when it cannot be written.
pub fn write(root: &Path, name: &str, folder: &Path) -> Result<()> {
    let known = names(root)?;
    ensure!(
        known.iter().any(|step| step == name),
        "there is no step `{name}`; there are:\n  {}",
        known.join("\n  ")
    );
    let files = files(root, name)?;

    let parent = match folder.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let parent = fs::canonicalize(parent)
        .with_context(|| format!("there is no folder {} to put it in", parent.display()))?;
    ensure!(
        !parent.starts_with(fs::canonicalize(root)?),
        "{} is inside the book, and cargo would take it for a part of it; \
         choose a place outside, such as ../hello",
        folder.display()
    );
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} exists already, and nothing in it was changed; choose another name",
            folder.display()
        ),
        made => made.with_context(|| format!("cannot make {}", folder.display()))?,
    }
    write_files(folder, &files)
}

/// Writes each file under its path in the folder.
///
/// # Errors
///
/// When one cannot be written.
pub(crate) fn write_files(folder: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for (path, content) in files {
        let path = folder.join(path);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, content))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The name of a step that may be written short: `listing-20-24` for `20-24`.
///
/// # Errors
///
/// When the folder of the listings cannot be read.
pub(crate) fn full_name(root: &Path, name: &str) -> Result<String> {
    let full = format!("listing-{name}");
    Ok(match names(root)?.contains(&full) {
        true => full,
        false => name.to_owned(),
    })
}

/// Runs `cargo book step NAME FOLDER`. The name may be short: `20-24` for `listing-20-24`.
///
/// # Errors
///
/// As [`write`]; without both arguments, the error says how to call it and which steps there are.
pub fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let [name, folder] = arguments else {
        bail!(
            "call it with a step and a new folder: cargo book step 20-24 ../hello\n\
             The steps are:\n  {}",
            names(root)?.join("\n  ")
        );
    };
    let name = full_name(root, name)?;
    write(root, &name, Path::new(folder))?;
    println!("{name} is in {folder}. Now:\n\n    cd {folder}\n    cargo run\n    cargo test");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process};

    /// A folder outside the book, which does not exist yet.
    fn new_folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("book-step-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_step_is_written_without_the_marks_of_the_book() {
        let root = crate::root();
        let folder = new_folder("written");

        write(&root, "listing-20-24", &folder).unwrap();

        let listing = fs::read_to_string(root.join("listings/listing-20-24/src/lib.rs")).unwrap();
        let copy = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(listing.contains("ANCHOR") && !copy.contains("ANCHOR"));
        let unmarked: Vec<_> = listing.lines().filter(|l| !l.contains("ANCHOR")).collect();
        assert_eq!(copy.lines().collect::<Vec<_>>(), unmarked);
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            "hello.html",
            "tests/common/mod.rs",
        ] {
            assert!(folder.join(file).is_file(), "{file}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

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

    #[test]
    fn what_is_there_is_not_touched() {
        let folder = new_folder("there");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("mine"), "mine").unwrap();

        let error = write(&crate::root(), "starting-point", &folder).unwrap_err();

        assert!(error.to_string().contains("exists already"), "{error}");
        let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_known_ones() {
        let folder = new_folder("unknown");

        let error = write(&crate::root(), "listing-9-9", &folder).unwrap_err();

        let error = error.to_string();
        assert!(error.contains("there is no step `listing-9-9`"), "{error}");
        assert!(
            error.contains("\n  starting-point\n  listing-20-23\n"),
            "{error}"
        );
        assert!(!folder.exists());
    }

    #[test]
    fn a_place_inside_the_book_is_refused() {
        let folder = crate::root().join("hello");

        let error = write(&crate::root(), "starting-point", &folder).unwrap_err();

        assert!(error.to_string().contains("inside the book"), "{error}");
        assert!(!folder.exists());
    }
}
