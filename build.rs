//! Turns the book into what the tests in `tests/` read, so that what is tested is what is shown: the
//! rendered pages, every `rust` fence as a skeptic test, and each listing's pool as a model.

use anyhow::{Context, Result};
use book::page::Page;
use book::{doc_tests, models};
use std::path::{Path, PathBuf};
use std::{env, fs};

const WRAPPERS: doc_tests::Wrappers = doc_tests::Wrappers {
    with_deadline: include_str!("tests/code_blocks/with-deadline.rs"),
    named: &[(
        "serves-two-requests-and-stops",
        include_str!("tests/code_blocks/serves-two-requests-and-stops.rs"),
    )],
};

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for path in [
        "book.toml",
        "README.md",
        "src",
        "listings",
        "recorded",
        "crates/model",
        "theme",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }

    let (files, expanded) = render(&root, &out)?;
    let mut texts = Vec::new();
    for file in &files {
        texts.push(fs::read_to_string(root.join(file)).with_context(|| file.clone())?);
    }
    let pages = files.iter().zip(&texts);
    let pages: Vec<_> = pages.map(|(file, text)| Page::parse(file, text)).collect();

    write_doc_tests(&root, &out, &pages, &expanded)?;
    let models = models::models(&root, &pages)?;
    let folder = out.join("models");
    for (name, model) in &models {
        write(&folder.join(format!("{name}.rs")), model)?;
    }
    write(&out.join("models.rs"), &models::modules(&models, &folder))
}

/// Renders the book to `OUT_DIR/html`. Returns the files of its pages and, in the same order, what
/// mdBook expands them to. The README is one of them, and is as it is.
fn render(root: &Path, out: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let rendered = render::render(root, &out.join("html"))?;
    for complaint in rendered.complaints {
        // A test tells more of it, and the others are run as well.
        println!("cargo:warning={}", complaint.replace('\n', " "));
    }
    let readme = fs::read_to_string(root.join("README.md"))?;
    let pages = rendered.pages.into_iter();
    let pages = pages.map(|page| (page.file, page.text));
    Ok([("README.md".to_owned(), readme)]
        .into_iter()
        .chain(pages)
        .unzip())
}

/// Has skeptic make a test of each `rust` fence. What it wraps them in stands behind each page, and
/// in a file beside it.
fn write_doc_tests(root: &Path, out: &Path, pages: &[Page], expanded: &[String]) -> Result<()> {
    let libraries = doc_tests::libraries(root)?;
    let templates = WRAPPERS.templates(&libraries);
    let mut paths = Vec::new();
    for (page, text) in pages.iter().zip(expanded) {
        let path = out.join("book").join(&page.file);
        let beside = out.join("book").join(format!("{}.skt.md", page.file));
        write(&path, &format!("{text}\n\n{}", WRAPPERS.default_template()))?;
        write(&beside, &templates)?;
        // Skeptic tells cargo to build again when one of them has changed. They are as old as the page, or
        // cargo would find them newer than this build.
        let date = fs::metadata(root.join(&page.file))?.modified()?;
        for path in [&path, &beside] {
            fs::File::options()
                .write(true)
                .open(path)?
                .set_modified(date)?;
        }
        paths.push(path);
    }
    skeptic::generate_doc_tests(&paths);

    let generated = fs::read_to_string(out.join("skeptic-tests.rs"))?;
    let names: Vec<_> = pages.iter().flat_map(doc_tests::names).collect();
    write(
        &out.join("fences.rs"),
        &doc_tests::table(&generated, &names)?,
    )
}

/// Writes a file and the folders above it. A file that says the same already keeps its date, so that
/// nothing is built again because of it.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let folder = path.parent().context("a file in no folder")?;
    fs::create_dir_all(folder)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
