//! The reader's crate as a part of the search: a copy of it, and of each crate beside it that it needs,
//! in which nothing is changed but the manifest. That gives it two more dependencies, of the names
//! `std` and `core`: to the compiler, what is named so on its command line takes the place of its own.

use super::code;
use super::refusals::{self, Unseen};
use crate::readers::{self, Package};
use anyhow::{bail, Context, Result};
use book::step;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Where it is in the program. The model knows this name: what comes behind it is the reader's name
/// for a file.
pub(super) const FOLDER: &str = "readers-crate/";
/// What its library is called there.
const LIBRARY: &str = "readers_crate";
/// Where the crates beside it are: `helper/src/lib.rs` is then the reader's name for a file of one.
const OTHERS: &str = "others/readers-crate/";
/// The model as `core`. A crate cannot depend on one other crate under two names.
const CORE: &str = "model-as-core";

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What a program needs of a reader's crate.
#[derive(Default)]
pub(super) struct Copied {
    pub files: Files,
    /// The dependencies that it does not get.
    pub unseen: Vec<Unseen>,
    /// Where there is a pool in it.
    pub pools: Vec<String>,
    /// What `[patch]` says for all that the program is built of.
    pub patch: Table,
    /// The same manifests without the model, to see what the compiler says of the crates themselves.
    pub plain: Files,
    /// The crates beside it, by their folders.
    others: BTreeMap<PathBuf, Other>,
}

/// Where things are.
pub(super) struct Places<'p> {
    /// The name of the program.
    pub name: &'p str,
    pub scratch: &'p Path,
    pub model: &'p Path,
    /// Where the model as `core` is.
    pub core: PathBuf,
}

/// What the reader's crate, or one beside it, is called in the program of that name. To cargo, two of
/// one name would be the same, if they are at the same place in their programs.
pub(super) fn of(name: &str, folder: &str) -> String {
    match folder {
        FOLDER => format!("{name}-pool"),
        other => format!("{name}-with-{other}"),
    }
}

/// Writes the model as `core`, which all programs share, to a folder in `searches`.
///
/// # Errors
///
/// When it cannot be written.
pub(super) fn write_core(searches: &Path, model: &Path) -> Result<PathBuf> {
    let folder = searches.join(CORE);
    let manifest = format!(
        "[package]\nname = \"{CORE}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
         [dependencies]\npool-model = {{ path = {model:?} }}\n"
    );
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", "pub use pool_model::*;\n"),
    ];
    let files = files.map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
    step::write(&folder, &files.into())?;
    Ok(folder)
}

/// The crate at `pool`, which is a folder or a file of Rust, as it is in the program.
///
/// # Errors
///
/// When there is no crate with a library, and when something in it cannot be searched.
pub(super) fn copied(pool: &Path, places: &Places) -> Result<Copied> {
    let mut copied = Copied::default();
    match folder_of(pool) {
        Some(folder) => {
            let package = Package::read(folder)?;
            let patch = package.manifest.get("patch").and_then(Value::as_table);
            copied.patch = patch.cloned().unwrap_or_default();
            copy(package, FOLDER, places, &mut copied)?;
        }
        None => {
            let source = fs::read_to_string(pool);
            let source = source.with_context(|| format!("cannot read {}", pool.display()))?;
            refusals::look_at("src/lib.rs", &code::code(&source))?;
            let manifest = toml::toml! {
                [package]
                edition = "2021"
            };
            copied.add(FOLDER, LIBRARY, manifest, places)?;
            let path = Path::new(FOLDER).join("src/lib.rs");
            copied.files.insert(path, source.into_bytes());
        }
    }
    Ok(copied)
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

/// Copies the crate to that place in the program.
fn copy(mut package: Package, to: &str, places: &Places, copied: &mut Copied) -> Result<()> {
    let name = &package.name;
    let library = package.library.take().with_context(|| {
        format!(
            "the crate `{name}` has no library, but only a program: the search needs your pool in \
             a src/lib.rs, as `pub struct ThreadPool`; src/main.rs then says `use {}::ThreadPool;`",
            name.replace('-', "_")
        )
    })?;
    if library.is_absolute() || library.starts_with("..") {
        bail!(
            "the library of the crate `{name}` is outside of its folder, in {}: the search takes \
             what is in the folder; move it there",
            library.display()
        );
    }
    let all = readers::files(&package.folder)?;
    let script = package.manifest.get("package");
    let script = script.and_then(|package| package.get("build")?.as_str());
    let sources = sources(&library, script.unwrap_or("build.rs"), &all)?;
    // A crate beside the reader's is named by its folder.
    let shown = to.strip_prefix(OTHERS).unwrap_or_default();
    for (path, code) in &sources {
        refusals::look_at(&format!("{shown}{}", path.display()), code)?;
        if to == FOLDER {
            copied.pools.extend(refusals::pool_in(path, &library, code));
        }
    }
    for settings in [".cargo/config.toml", ".cargo/config"] {
        if all.contains_key(Path::new(settings)) {
            eprintln!("note: {shown}{settings}: the search builds your crate without it");
        }
    }
    take_dependencies(&mut package, &all, &sources, shown, places, copied)?;
    let name = match to {
        FOLDER => LIBRARY,
        _ => &package.library_name,
    };
    copied.add(to, name, package.manifest, places)?;
    let own = [Path::new("Cargo.toml"), Path::new("Cargo.lock")];
    for (path, content) in all {
        if !own.contains(&&*path) {
            copied.files.insert(Path::new(to).join(path), content);
        }
    }
    Ok(())
}

/// Leaves in the manifest what the library needs and the search can take, and copies the crates beside
/// it.
fn take_dependencies(
    package: &mut Package,
    all: &Files,
    sources: &BTreeMap<PathBuf, String>,
    shown: &str,
    places: &Places,
    copied: &mut Copied,
) -> Result<()> {
    let text = all.get(Path::new("Cargo.toml"));
    let text = String::from_utf8_lossy(text.map_or(&[], Vec::as_slice)).into_owned();
    package.manifest.remove("dev-dependencies");
    let mut left_out = Vec::new();
    let mut beside = Vec::new();
    for (kind, dependencies) in readers::all_dependencies(&mut package.manifest) {
        if kind != "dependencies" {
            continue; // what a build script does is not searched
        }
        dependencies.retain(|name, dependency| {
            let unseen = Unseen::of(name, dependency, &text, shown);
            // What only tests, examples and the program need has not to be built.
            let path = dependency.get("path").and_then(Value::as_str);
            let library =
                path.and_then(|path| Some(Package::read(Path::new(path)).ok()?.library_name));
            let names = [Some(name), library.as_deref()];
            let is_used = names
                .into_iter()
                .flatten()
                .any(|name| is_used(name, sources));
            let keeps = unseen.is_none() && is_used;
            if !keeps {
                left_out.push((name.to_owned(), is_optional(dependency)));
            }
            copied.unseen.extend(unseen);
            keeps
        });
        for (name, dependency) in dependencies.iter_mut() {
            match dependency.get("path").and_then(Value::as_str) {
                Some(path) => beside.push((name.clone(), PathBuf::from(path), dependency)),
                None => refusals::note(name, dependency, &text, shown),
            }
        }
    }
    let mut renamed = Vec::new();
    for (name, path, dependency) in beside {
        let Some(other) = other(&path, places, copied)? else {
            refusals::note(&name, dependency, &text, shown);
            continue;
        };
        let folder = places.scratch.join(OTHERS).join(&other.folder);
        let dependency = dependency.as_table_mut().context("it has a path")?;
        let folder = folder.to_string_lossy().into_owned();
        dependency.insert("path".into(), folder.into());
        let before = dependency.insert("package".into(), of(places.name, &other.folder).into());
        // Without another name for it, the name of the library was what the reader has used.
        if before.is_none() && other.library != name.replace('-', "_") {
            renamed.push((name, other.library));
        }
    }
    for (_, dependencies) in readers::all_dependencies(&mut package.manifest) {
        for (name, library) in &renamed {
            if let Some(dependency) = dependencies.remove(name) {
                dependencies.insert(library.clone(), dependency);
            }
        }
    }
    keep_features(&mut package.manifest, &left_out);
    Ok(())
}

/// A crate beside the reader's.
#[derive(Clone)]
struct Other {
    /// What its folder is called among these.
    folder: String,
    /// What its library is called.
    library: String,
}

/// Copies a crate beside the reader's. `None`: it is a part of the compiler while it runs, and stays
/// where it is.
fn other(path: &Path, places: &Places, copied: &mut Copied) -> Result<Option<Other>> {
    let package = Package::read(path)?;
    if package.is_macro {
        return Ok(None);
    }
    if let Some(known) = copied.others.get(&package.folder) {
        return Ok(Some(known.clone()));
    }
    let name = &package.name;
    let folder = match copied.others.values().any(|other| other.folder == *name) {
        true => format!("{name}-{}", copied.others.len()),
        false => name.clone(),
    };
    let library = package.library_name.clone();
    let to = format!("{OTHERS}{folder}/");
    let other = Other { folder, library };
    copied.others.insert(package.folder.clone(), other.clone());
    copy(package, &to, places, copied)?;
    Ok(Some(other))
}

/// The code of each file of Rust that may be of the library.
fn sources(library: &Path, script: &str, all: &Files) -> Result<BTreeMap<PathBuf, String>> {
    let others = [
        "tests",
        "examples",
        "benches",
        "src/bin",
        "src/main.rs",
        script,
    ];
    let mut sources = BTreeMap::new();
    for (path, content) in all {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if path == library || is_rust && !others.iter().any(|other| path.starts_with(other)) {
            sources.insert(path.clone(), code::code(&String::from_utf8_lossy(content)));
        }
    }
    let source = sources.get(library);
    source.with_context(|| format!("cannot read {}", library.display()))?;
    Ok(sources)
}

/// Whether the sources have the name of a dependency in them. Its library may have a shorter one, as
/// `md5` of `md-5`.
fn is_used(name: &str, sources: &BTreeMap<PathBuf, String>) -> bool {
    let name = name.replace(['-', '_'], "");
    let mut sources = sources.values();
    sources.any(|code| code::words(code).any(|word| word.replace('_', "") == name))
}

fn is_optional(dependency: &Value) -> bool {
    dependency.get("optional").and_then(Value::as_bool) == Some(true)
}

/// The features, without what they ask of a dependency that is left out. The feature that an optional
/// one has stays.
fn keep_features(manifest: &mut Table, left_out: &[(String, bool)]) {
    let mut names = Vec::new();
    for (_, dependencies) in readers::all_dependencies(manifest) {
        names.extend(dependencies.keys().cloned());
    }
    let mut features = match manifest.remove("features") {
        Some(Value::Table(features)) => features,
        _ => Table::new(),
    };
    for (name, is_optional) in left_out {
        if *is_optional {
            let none = || Value::Array(Vec::new());
            features.entry(name.clone()).or_insert_with(none);
        }
    }
    let known: Vec<_> = features.keys().cloned().collect();
    for (_, asks) in features.iter_mut() {
        let Some(asks) = asks.as_array_mut() else {
            continue;
        };
        asks.retain(|ask| {
            let ask = ask.as_str().unwrap_or_default();
            match ask
                .strip_prefix("dep:")
                .or(ask.split_once(['/', '?']).map(|(name, _)| name))
            {
                Some(of_dependency) => names.iter().any(|name| name == of_dependency),
                None => known.iter().chain(&names).any(|known| known == ask),
            }
        });
    }
    if !features.is_empty() {
        manifest.insert("features".to_owned(), features.into());
    }
}

impl Copied {
    /// Adds the manifest of a crate: only its library, which sees the model as `std` and as `core`.
    fn add(
        &mut self,
        to: &str,
        library_name: &str,
        mut manifest: Table,
        places: &Places,
    ) -> Result<()> {
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
        let package = table(&mut manifest, "package");
        let folder = to
            .strip_prefix(OTHERS)
            .map(|folder| folder.trim_end_matches('/'));
        let name = of(places.name, folder.unwrap_or(FOLDER));
        package.insert("name".into(), name.into());
        package.remove("rust-version"); // it is built with what there is
        package.remove("default-run");
        for key in ["autobins", "autotests", "autoexamples", "autobenches"] {
            package.insert(key.into(), false.into());
        }
        let library = table(&mut manifest, "lib");
        library.insert("name".into(), library_name.into());
        library.remove("crate-type");
        let path = Path::new(to).join("Cargo.toml");
        let plain = toml::to_string(&manifest)?.into_bytes();
        self.plain.insert(path.clone(), plain);

        let dependency = |path: &Path, package: &str| {
            Table::from_iter([
                (
                    "path".to_owned(),
                    path.to_string_lossy().into_owned().into(),
                ),
                ("package".to_owned(), Value::from(package)),
            ])
        };
        let dependencies = table(&mut manifest, "dependencies");
        let model = dependency(places.model, "pool-model");
        dependencies.insert("std".into(), model.into());
        dependencies.insert("core".into(), dependency(&places.core, CORE).into());
        let manifest = toml::to_string(&manifest)?.into_bytes();
        self.files.insert(path, manifest);
        Ok(())
    }
}

fn table<'m>(manifest: &'m mut Table, key: &str) -> &'m mut Table {
    let value = manifest.entry(key).or_insert_with(|| Table::new().into());
    if !value.is_table() {
        *value = Table::new().into();
    }
    value.as_table_mut().expect("it was made one above")
}
