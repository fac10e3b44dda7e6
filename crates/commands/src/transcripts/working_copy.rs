use anyhow::{bail, Context, Result};
use book::{
    step::{self, Files},
    transcripts::Edit,
};
use std::path::Path;

/// Makes `copy` the same as `listing`, but for the edits and what was built in it.
///
/// Its `target` is kept, and a file that is as it should be is not written
/// again: so a second run has nothing to compile.
pub(crate) fn sync(listing: &Path, copy: &Path, edits: &[Edit]) -> Result<()> {
    let mut files = step::collect(listing)?;
    for edit in edits {
        apply(edit, &mut files).with_context(|| format!("the edit of {}", edit.file))?;
    }
    step::write(copy, &files)
}

fn apply(edit: &Edit, files: &mut Files) -> Result<()> {
    let content = files
        .get_mut(Path::new(&edit.file))
        .context("the listing has no such file")?;
    let text = String::from_utf8(content.clone()).context("it is not UTF-8")?;
    let found = text.matches(&edit.from).count();
    if found != 1 {
        bail!(
            "`from` should be found once, and is found {found} times:\n{}",
            edit.from
        );
    }
    *content = text.replacen(&edit.from, &edit.to, 1).into_bytes();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, path::PathBuf, process};

    /// A listing with a manifest and two more files, and a place for its copy.
    fn listing(name: &str) -> (PathBuf, PathBuf) {
        let folder = env::temp_dir().join(format!("book-copy-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        let listing = folder.join("listing");
        fs::create_dir_all(listing.join("src")).unwrap();
        fs::write(listing.join("Cargo.toml"), "[package]\n").unwrap();
        fs::write(listing.join("src/lib.rs"), "one two two\n").unwrap();
        fs::write(listing.join("src/main.rs"), "main\n").unwrap();
        (listing, folder.join("hello"))
    }

    fn edit(from: &str) -> Edit {
        Edit {
            file: "src/lib.rs".into(),
            from: from.into(),
            to: "three".into(),
        }
    }

    #[test]
    fn the_copy_follows_the_listing_and_keeps_what_was_built() {
        let (listing, copy) = listing("follows");
        sync(&listing, &copy, &[]).unwrap();
        fs::create_dir_all(copy.join("target")).unwrap();
        fs::write(copy.join("target/built"), "").unwrap();
        fs::remove_file(listing.join("src/main.rs")).unwrap();

        sync(&listing, &copy, &[edit("one")]).unwrap();

        assert!(copy.join("target/built").exists());
        assert!(!copy.join("src/main.rs").exists());
        let lib = fs::read_to_string(copy.join("src/lib.rs")).unwrap();
        assert_eq!(lib, "three two two\n");
        fs::remove_dir_all(copy.parent().unwrap()).unwrap();
    }

    #[test]
    fn an_edit_is_refused_unless_its_place_is_found_once() {
        let (listing, copy) = listing("refused");

        for (from, times) in [("two", "2 times"), ("four", "0 times")] {
            let error = sync(&listing, &copy, &[edit(from)]).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains("src/lib.rs"), "{error}");
            assert!(error.contains(times), "{error}");
        }
        fs::remove_dir_all(listing.parent().unwrap()).unwrap();
    }
}
