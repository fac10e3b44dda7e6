//! Builds the pages in a folder, which has either the old ones or all of the new ones.

use crate::{open_browser, said::print, Build};
use anyhow::{bail, ensure, Context, Result};
use std::{
    fs, io,
    path::{self, Path},
    process::ExitCode,
};

/// Builds the pages, and says where the first one is.
///
/// # Errors
///
/// As [`build_in`], and when there is no browser to show them, if one is asked for.
pub(super) fn build(root: &Path, arguments: &Build) -> Result<ExitCode> {
    let folder = match &arguments.dest_dir {
        Some(folder) => {
            path::absolute(folder).context("`--dest-dir` is not the name of a folder")?
        }
        None => root.join("target").join("book").join("html"),
    };
    build_in(root, &folder)?;
    let first = folder.join("index.html").display().to_string();
    print(&format!("{first}\n"))?;
    if arguments.open {
        open_browser(&first)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the pages of the book at `root` in `folder`, in the place of those that are there.
///
/// # Errors
///
/// When the folder has something else in it than a book, when it cannot be written, and when a page
/// cannot be built: then the pages that were there stay.
pub fn build_in(root: &Path, folder: &Path) -> Result<()> {
    ensure!(
        is_absent_or_a_book(folder).with_context(|| cannot("read", folder))?,
        "{} holds something else than the pages of a book, and would lose it; \
         name a new or an empty folder: cargo book build --dest-dir FOLDER",
        folder.display()
    );
    let parent = folder
        .parent()
        .context("a folder for pages lies in another")?;
    let beside = fs::create_dir_all(parent).and_then(|()| {
        // On the same file system, so that the pages only have to be renamed.
        tempfile::Builder::new().prefix(".book-").tempdir_in(parent)
    });
    let beside = beside.with_context(|| {
        let what = cannot("write in", parent);
        format!("{what}; name another folder: cargo book build --dest-dir FOLDER")
    })?;

    let (new, old) = (beside.path().join("new"), beside.path().join("old"));
    render(root, &new)?;
    if folder.exists() {
        fs::rename(folder, &old).with_context(|| cannot("replace", folder))?;
    }
    if let Err(error) = fs::rename(&new, folder) {
        let _ = fs::rename(&old, folder); // as it was
        return Err(error).context(cannot("replace", folder));
    }
    Ok(())
}

/// Renders the book, or says all that its author has to mend.
pub(super) fn render(root: &Path, folder: &Path) -> Result<()> {
    let rendered = render::render(root, folder).context("the book cannot be built")?;
    if rendered.complaints.is_empty() {
        return Ok(());
    }
    bail!(
        "the book cannot be built:\n{}",
        rendered.complaints.join("\n")
    )
}

fn cannot(act: &str, folder: &Path) -> String {
    format!("cannot {act} {}", folder.display())
}

/// Whether nothing would be lost with what is in the folder: it is not there, or empty, or mdBook has
/// written into it.
fn is_absent_or_a_book(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none() || folder.join("toc.html").exists()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_book;

    #[test]
    fn a_page_that_cannot_be_built_leaves_the_pages_that_were_there() {
        let book = small_book();
        let folder = book.path().join("pages");
        build_in(book.path(), &folder).unwrap();
        let page = || fs::read_to_string(folder.join("page.html")).unwrap();
        assert!(page().contains("The first text."));

        fs::write(
            book.path().join("src/page.md"),
            "Second.\n\n{{#include gone.txt}}\n",
        )
        .unwrap();
        let error = build_in(book.path(), &folder).unwrap_err().to_string();

        assert!(error.contains("\nsrc/page.md:3: "), "{error}");
        assert!(page().contains("The first text."));

        fs::write(book.path().join("src/page.md"), "Third.\n").unwrap();
        build_in(book.path(), &folder).unwrap();
        assert!(page().contains("Third."));
        let beside: Vec<_> = fs::read_dir(book.path()).unwrap().collect();
        assert_eq!(beside.len(), 4, "{beside:?}"); // book.toml, src, listings, pages
    }

    #[test]
    fn what_is_in_a_folder_and_no_page_is_not_removed() {
        let book = small_book();
        let folder = book.path().join("src");

        let error = build_in(book.path(), &folder).unwrap_err().to_string();

        assert!(
            error.contains("something else than the pages of a book"),
            "{error}"
        );
        assert!(error.contains(&folder.display().to_string()), "{error}");
        assert!(folder.join("page.md").is_file());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let book = small_book();
        let file = book.path().join("book.toml");
        let error = format!(
            "{:#}",
            build_in(book.path(), &file.join("a/b")).unwrap_err()
        );
        assert!(error.contains(&file.display().to_string()), "{error}");
        let error = format!("{:#}", build_in(book.path(), &file).unwrap_err());
        assert!(error.contains("cannot read"), "{error}");
    }
}
