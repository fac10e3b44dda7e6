//! The reader's crate as a part of the search: a copy, with the model in the place of `std`.

use super::refusals;
use crate::readers::{self, Package};
use anyhow::{bail, ensure, Context, Result};
use book::models::with_item;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Where it is in the program. The model knows this name: what comes behind it is the reader's name
/// for a file.
pub(super) const FOLDER: &str = "readers-crate/";
/// The one item that is added: every path of the crate that begins with `std`, and every macro of
/// std's, is the model's.
const ITEM: &str = "#[allow(unused_extern_crates, unused_imports)] #[macro_use] \
                    extern crate pool_model as std;";

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What it is called in the program of that name: to cargo, two of one name would be the same file.
pub(super) fn of(name: &str) -> String {
    format!("{name}-pool")
}

/// The files of the crate at `pool`, which is a folder or a file of Rust, as they are in the program.
///
/// # Errors
///
/// When there is no crate with a library, and when something in it cannot be searched.
pub(super) fn files(pool: &Path, name: &str, model: &Path) -> Result<Files> {
    let mut files = Files::new();
    match folder_of(pool) {
        Some(folder) => copy(folder, name, model, &mut files)?,
        None => {
            let source = fs::read_to_string(pool);
            let source = source.with_context(|| format!("cannot read {}", pool.display()))?;
            refusals::look_at(Path::new("src/lib.rs"), &source)?;
            let mut manifest = toml::toml! {
                [package]
                edition = "2021"
                [dependencies]
            };
            finish(&mut manifest, name, model);
            let source = with_item(&source, ITEM).into_bytes();
            files.insert(Path::new(FOLDER).join("src/lib.rs"), source);
            let manifest = toml::to_string(&manifest)?.into_bytes();
            files.insert(Path::new(FOLDER).join("Cargo.toml"), manifest);
        }
    }
    Ok(files)
}

/// The folder of the crate; `None`: it is a single file. A crate's `src/lib.rs` is no such file.
fn folder_of(pool: &Path) -> Option<&Path> {
    if pool.is_dir() {
        return Some(pool);
    }
    let source = pool.parent()?;
    let folder = source.parent()?;
    let is_library = pool.ends_with("src/lib.rs") && folder.join("Cargo.toml").is_file();
    is_library.then_some(folder)
}

fn copy(folder: &Path, name: &str, model: &Path, files: &mut Files) -> Result<()> {
    let mut package = Package::read(folder)?;
    let Some(library) = package.library.clone() else {
        bail!(
            "the crate `{}` has no library, or not in its folder: the search needs your pool in a \
             src/lib.rs, as `pub struct ThreadPool`",
            package.name
        );
    };
    let edition = package
        .manifest
        .get("package")
        .and_then(|package| package.get("edition"));
    ensure!(
        edition.is_some_and(|edition| edition.as_str() != Some("2015")),
        "the crate `{}` is of the edition 2015, in which the search cannot take the place of `std`: \
         write `edition = \"2021\"` under [package] in its Cargo.toml; `cargo fix --edition` helps",
        package.name
    );
    let all = readers::files(&package.folder)?;
    let sources = sources(&library, &all)?;
    for (path, source) in &sources {
        refusals::look_at(path, source)?;
    }
    let text = all
        .get(Path::new("Cargo.toml"))
        .cloned()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    for dependencies in readers::all_dependencies(&mut package.manifest) {
        // What only tests, examples and the program need has not to be built.
        dependencies.retain(|name, _| is_used(name, &sources));
        for (name, dependency) in dependencies.iter() {
            refusals::dependency(name, dependency, &text)?;
        }
    }
    keep_features(&mut package.manifest);
    finish(&mut package.manifest, name, model);

    for (path, content) in all {
        let content = match sources.get(&path) {
            Some(source) if path == library => with_item(source, ITEM).into_bytes(),
            _ => content,
        };
        if path != Path::new("Cargo.lock") {
            files.insert(Path::new(FOLDER).join(path), content);
        }
    }
    let manifest = toml::to_string(&package.manifest)?.into_bytes();
    files.insert(Path::new(FOLDER).join("Cargo.toml"), manifest);
    Ok(())
}

/// The text of each file of Rust that may be of the library, and of its build script.
fn sources(library: &Path, all: &Files) -> Result<BTreeMap<PathBuf, String>> {
    let of_others = ["tests", "examples", "benches", "src/bin", "src/main.rs"];
    let mut sources = BTreeMap::new();
    for (path, content) in all {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if is_rust && !of_others.iter().any(|other| path.starts_with(other)) {
            let text = String::from_utf8(content.clone());
            let text = text.with_context(|| format!("{} is not UTF-8", path.display()));
            sources.insert(path.clone(), text?);
        }
    }
    let source = sources.get(library);
    source.with_context(|| format!("cannot read {}", library.display()))?;
    Ok(sources)
}

/// Whether the sources have the name of a dependency in them.
fn is_used(name: &str, sources: &BTreeMap<PathBuf, String>) -> bool {
    let name = name.replace('-', "_");
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    sources.values().any(|source| {
        let mut code = refusals::code(source);
        code.any(|(_, line)| line.split(|c| !is_word(c)).any(|word| word == name))
    })
}

/// The features, without what they ask of a dependency that is left out.
fn keep_features(manifest: &mut Table) {
    let mut names = Vec::new();
    for dependencies in readers::all_dependencies(manifest) {
        names.extend(dependencies.keys().cloned());
    }
    let Some(Value::Table(features)) = manifest.get_mut("features") else {
        return;
    };
    let known: Vec<_> = features.keys().cloned().collect();
    for (_, asks) in features.iter_mut() {
        let Some(asks) = asks.as_array_mut() else {
            continue;
        };
        asks.retain(|ask| {
            let ask = ask.as_str().unwrap_or_default();
            let name = ask.trim_start_matches("dep:");
            let name = name.split(['/', '?']).next().unwrap_or_default();
            known.iter().chain(&names).any(|known| known == name)
        });
    }
}

/// Makes it a part of the program: only its library, which sees the model as `std`.
fn finish(manifest: &mut Table, name: &str, model: &Path) {
    for key in [
        "bin",
        "test",
        "example",
        "bench",
        "profile",
        "patch",
        "workspace",
        "dev-dependencies",
        "lints",
        "badges",
        "replace",
    ] {
        manifest.remove(key);
    }
    let package = table(manifest, "package");
    package.insert("name".into(), of(name).into());
    package.insert("version".into(), "0.1.0".into());
    package.remove("rust-version"); // it is built with what there is
    package.remove("default-run");
    for key in ["autobins", "autotests", "autoexamples", "autobenches"] {
        package.insert(key.into(), false.into());
    }
    let library = table(manifest, "lib");
    library.insert("name".into(), "readers_crate".into());
    library.remove("crate-type");
    let model = Table::from_iter([
        (
            "path".to_owned(),
            Value::from(model.to_string_lossy().into_owned()),
        ),
        ("package".to_owned(), "pool-model".into()),
    ]);
    table(manifest, "dependencies").insert("pool-model".into(), model.into());
}

fn table<'m>(manifest: &'m mut Table, key: &str) -> &'m mut Table {
    let value = manifest.entry(key).or_insert_with(|| Table::new().into());
    if !value.is_table() {
        *value = Table::new().into();
    }
    value.as_table_mut().expect("it was made one above")
}
