//! Turns the book into what the tests in `tests/` read, so that what is tested is what is shown:
//! the rendered pages, every `rust` fence as a skeptic test, and each listing's pool as a model.

use anyhow::{bail, ensure, Context, Result};
use book_commands::{schedules, search, step, tools};
use mdbook_driver::book::BookItem;
use mdbook_driver::MDBook;
use mdbook_html::HtmlHandlebars;
use mdbook_steps::Steps;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for path in [
        "book.toml",
        "README.md",
        "src",
        "listings",
        "model/broken",
        "model/handover.rs",
        "theme",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }

    let listings = step::names(&root)?;
    let documents = expand(&root, &out)?;
    let paths = write_documents(&root, &out, &listings, &documents)?;
    skeptic::generate_doc_tests(&paths);
    write_fence_list(&out, &documents)?;
    write_models(&root, &out, &listings, &documents)
}

/// A text whose fences are tested: a chapter as mdBook expands it, or the README.
struct Document {
    /// Its file, and what that says.
    source: PathBuf,
    text: String,
    expanded: String,
}

/// Renders the book to `OUT_DIR/html`, and returns its chapters and the README.
fn expand(root: &Path, out: &Path) -> Result<Vec<Document>> {
    let rendered = out.join("html");
    if rendered.exists() {
        fs::remove_dir_all(&rendered)?; // what an earlier build left of pages that are gone
    }
    let mut book = MDBook::load(root)?;
    book.config.build.build_dir = out.to_path_buf();
    // In place of the command of that name in book.toml: cargo must not be run from here.
    book.with_preprocessor(Steps);
    let html = HtmlHandlebars::new();
    book.execute_build_process(&html)?;

    let (expanded, _) = book.preprocess_book(&html)?;
    let mut documents = Vec::new();
    for item in expanded.iter() {
        if let BookItem::Chapter(chapter) = item {
            let path = chapter
                .source_path
                .as_ref()
                .context("a chapter without a file in SUMMARY.md")?;
            let source = Path::new("src").join(path);
            documents.push(Document {
                text: fs::read_to_string(root.join(&source))?,
                source,
                expanded: chapter.content.clone(),
            });
        }
    }
    let readme = fs::read_to_string(root.join("README.md"))?;
    documents.push(Document {
        source: "README.md".into(),
        text: readme.clone(),
        expanded: readme,
    });
    Ok(documents)
}

/// Writes each document to `OUT_DIR/book`, and beside it what skeptic wraps its fences in: a
/// template without a name for all of them, and others that `skt-NAME` in the info string picks.
fn write_documents(
    root: &Path,
    out: &Path,
    listings: &[String],
    documents: &[Document],
) -> Result<Vec<PathBuf>> {
    let with_deadline = wrapper(include_str!("tests/templates/with-deadline.rs"));
    let serves = wrapper(include_str!(
        "tests/templates/serves-two-requests-and-stops.rs"
    ));
    let mut named = template("skt-lib", "{}\nfn main() {{}}");
    let of_listing = |name: &String| {
        let library = root.join("listings").join(name).join("src/lib.rs");
        (name.clone(), library)
    };
    let mut libraries: Vec<_> = listings.iter().map(of_listing).collect();
    for path in files(&schedules::broken(root))? {
        libraries.push((stem(&path), path));
    }
    for (name, library) in libraries {
        // A server on a published pool has no library of its own.
        let (module, fence) = match library.is_file() {
            true => (
                format!("#[path = {library:?}]\nmod hello;"),
                "{}\n#[allow(unused_imports)]\nuse super::hello;",
            ),
            false => (String::new(), "{}"),
        };
        for (kind, wrapper) in [
            ("main", &with_deadline),
            ("serves-two-requests-and-stops", &serves),
        ] {
            let text = format!("{}{module}", wrapper.replace("{}", fence));
            named += &template(&format!("skt-{name}-{kind}"), &text);
        }
        // A part that is compiled with its file, by cargo in its listing: here it has to be Rust.
        let part = format!("#![allow(unused)]\n#[cfg(any())]\nmod page {{{{\n{{}}\n}}}}\nfn main() {{{{}}}}\n{module}");
        named += &template(&format!("skt-{name}-part"), &part);
    }
    let default = template("skeptic-template", &with_deadline);

    let mut paths = Vec::new();
    for Document {
        source, expanded, ..
    } in documents
    {
        let path = out.join("book").join(source);
        write(&path, &format!("{expanded}\n\n{default}"))?;
        let mut templates = path.clone().into_os_string();
        templates.push(".skt.md");
        write(Path::new(&templates), &named)?;
        paths.push(path);
    }
    Ok(paths)
}

/// A program around a fence, as a skeptic template: `{}` stands for the fence.
fn wrapper(program: &str) -> String {
    let escaped = program.replace('{', "{{").replace('}', "}}");
    escaped.replace("__FENCE__", "{}")
}

fn template(mark: &str, text: &str) -> String {
    format!("```rust,{mark}\n{text}\n```\n\n")
}

/// Names skeptic's tests after the listing, page and line of their fence, for `tests/skeptic.rs`.
fn write_fence_list(out: &Path, documents: &[Document]) -> Result<()> {
    let generated = fs::read_to_string(out.join("skeptic-tests.rs"))?;
    let functions = generated
        .lines()
        .filter_map(|line| line.strip_prefix("#[test] fn ")?.strip_suffix("() {"));

    let mut names = Vec::new();
    for document in documents {
        names.extend(fence_names(document));
    }
    let functions: Vec<_> = functions.collect();
    ensure!(
        names.len() == functions.len(),
        "{} rust fences in the sources, but skeptic found {}: does an include hold a fence?",
        names.len(),
        functions.len()
    );

    let mut list = generated.replace("#[test] fn ", "fn ");
    list.push_str("pub const FENCES: &[(&str, fn())] = &[\n");
    for (name, function) in names.iter().zip(functions) {
        writeln!(list, "    ({name:?}, {function}),")?;
    }
    list.push_str("];\n");
    write(&out.join("fences.rs"), &list)?;
    Ok(())
}

/// A block of code in a document's source.
struct Fence<'t> {
    line: usize,
    info: &'t str,
    body: Vec<&'t str>,
}

fn fences(text: &str) -> Vec<Fence<'_>> {
    let mut fences = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((line, opening)) = lines.next() {
        if let Some(info) = opening.strip_prefix("```") {
            let body = lines.by_ref().map(|(_, line)| line);
            let body = body.take_while(|&line| line != "```").collect();
            fences.push(Fence { line, info, body });
        }
    }
    fences
}

/// `LISTING::PAGE:LINE` for each `rust` fence, LISTING being the one that the fence includes, or
/// else the first of its page.
fn fence_names(document: &Document) -> Vec<String> {
    fn listing_in<'t>(line: &&'t str) -> Option<&'t str> {
        line.split_once("../listings/")?.1.split('/').next()
    }
    let page = document.source.display();
    let stem = document.source.file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let of_page = document.text.lines().find_map(|line| listing_in(&line));

    let fences = fences(&document.text).into_iter();
    fences
        .filter(|fence| fence.info.split(',').next() == Some("rust"))
        .map(|fence| {
            let listing = fence.body.iter().find_map(listing_in).or(of_page);
            format!("{}::{page}:{}", listing.unwrap_or(&stem), fence.line)
        })
        .collect()
}

/// Each listing's `src/lib.rs`, each pool with a fault, each change to one that a page proposes, and
/// `model/handover.rs`, on the threads of `pool_model`. Nothing else is changed.
fn write_models(
    root: &Path,
    out: &Path,
    listings: &[String],
    documents: &[Document],
) -> Result<()> {
    let mut models: Vec<(String, String)> = Vec::new();
    for listing in listings {
        let place = format!("listings/{listing}/src/lib.rs");
        let files = step::files(root, listing)?;
        let Some(source) = files.get(Path::new("src/lib.rs")) else {
            continue;
        };
        let source = std::str::from_utf8(source).context(place)?;
        let model = search::modeled(source);
        models.push((listing.clone(), model));
    }
    for path in files(&schedules::broken(root))? {
        let name = stem(&path);
        let source = schedules::source(root, &name)?;
        models.push((name, search::modeled(&source)));
    }
    for document in documents {
        for change in changes(document)? {
            let of_listing = |(name, _): &&(String, String)| *name == change.listing;
            let (_, model) = models.iter().find(of_listing).with_context(|| {
                format!("{}: there is no listing `{}`", change.place, change.listing)
            })?;
            let found = model.matches(&change.from).count();
            ensure!(
                found == 1,
                "{}: what is to be changed is to be found once in {}/src/lib.rs, not {found} times:\n{}",
                change.place,
                change.listing,
                change.from
            );
            let model = model.replace(&change.from, &change.to);
            models.push((change.name, model));
        }
    }

    // The one program of them that has no pool. Its `main` is not what is searched.
    let handover = fs::read_to_string(tools::handover(root)).context("model/handover.rs")?;
    let handover = search::modeled(&handover);
    let handover = write(&out.join("models/handover.rs"), &handover)?;

    let mut modules = format!("#[allow(dead_code)]\n#[path = {handover:?}]\nmod handover;\n");
    let mut table = String::from("models! {\n");
    for (name, model) in models {
        let path = write(&out.join("models").join(format!("{name}.rs")), &model)?;
        let module = name.replace('-', "_");
        // A change can leave something unused.
        writeln!(
            modules,
            "#[allow(unused)]\n#[path = {path:?}]\nmod {module};"
        )?;
        writeln!(table, "    {name:?} => {module},")?;
    }
    write(&out.join("models.rs"), &format!("{modules}{table}}}\n"))?;
    Ok(())
}

/// A change to a listing's `src/lib.rs`, from a fence ```` ```diff,LISTING,NAME ```` on a page.
struct Change {
    place: String,
    listing: String,
    name: String,
    from: String,
    to: String,
}

fn changes(document: &Document) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for Fence { line, info, body } in fences(&document.text) {
        let Some(info) = info.strip_prefix("diff") else {
            continue;
        };
        let place = format!("{}:{line}", document.source.display());
        let Some((listing, name)) = info.strip_prefix(',').and_then(|info| info.split_once(','))
        else {
            bail!("{place}: write ```diff,LISTING,NAME: the change is searched under that name");
        };
        let (mut from, mut to) = (String::new(), String::new());
        for line in body {
            match line.split_at_checked(1) {
                Some(("-", rest)) => writeln!(from, "{rest}")?,
                Some(("+", rest)) => writeln!(to, "{rest}")?,
                Some((" ", rest)) => {
                    writeln!(from, "{rest}")?;
                    writeln!(to, "{rest}")?;
                }
                None => {
                    writeln!(from)?;
                    writeln!(to)?;
                }
                _ => bail!("{place}: a line of a diff begins with `+`, `-` or a space: {line}"),
            }
        }
        changes.push(Change {
            place,
            listing: listing.to_owned(),
            name: name.to_owned(),
            from,
            to,
        });
    }
    Ok(changes)
}

/// The files in a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

/// A file's name without its extension.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Writes a file and the folders above it, and returns its path. A file that says the same already
/// keeps its date, so that nothing is built again because of it.
fn write(path: &Path, text: &str) -> Result<PathBuf> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(path.to_path_buf());
    }
    let folder = path.parent().context("a file in no folder")?;
    fs::create_dir_all(folder)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.to_path_buf())
}
