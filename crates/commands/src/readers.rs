//! A reader's crate as it is: its files, and its manifest with what it takes from a workspace.

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// What cargo knows of a crate.
pub(crate) struct Package {
    pub name: String,
    pub folder: PathBuf,
    pub manifest: Table,
    /// The file of its library, if it has one: in its folder, or from the root of all when it is not
    /// there.
    pub library: Option<PathBuf>,
    pub library_name: String,
    /// The library is one of macros, which the compiler runs.
    pub is_macro: bool,
}

impl Package {
    /// Asks cargo about the crate in `folder`. Nothing is written there.
    ///
    /// # Errors
    ///
    /// When there is no crate in it, and what cargo has to say against its manifest.
    pub fn read(folder: &Path) -> Result<Package> {
        let manifest = folder.join("Cargo.toml");
        ensure!(
            manifest.is_file(),
            "there is no crate of yours: cannot read {}",
            manifest.display()
        );
        let folder = fs::canonicalize(folder)?;
        let manifest = folder.join("Cargo.toml");
        let asked = crate::cargo()
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .arg("--manifest-path")
            .arg(&manifest)
            .output()
            .context("cannot run cargo")?;
        ensure!(
            asked.status.success(),
            "cargo cannot read {}:\n{}",
            manifest.display(),
            String::from_utf8_lossy(&asked.stderr).trim_end()
        );
        let known: Json = serde_json::from_slice(&asked.stdout)?;
        let packages = known["packages"].as_array().into_iter().flatten();
        let mut packages = packages.filter(|package| {
            let path = package["manifest_path"].as_str();
            path.is_some_and(|path| Path::new(path) == manifest)
        });
        let Some(package) = packages.next() else {
            bail!(
                "{} is a workspace, not a crate: give the folder of the crate in it",
                folder.display()
            );
        };
        let targets = package["targets"].as_array().into_iter().flatten();
        let mut libraries = targets.filter(|target| {
            let kinds = target["kind"].as_array().into_iter().flatten();
            let kinds = kinds.filter_map(Json::as_str);
            let mut kinds = kinds.map(|kind| kind.ends_with("lib") || kind == "proc-macro");
            kinds.any(|is_library| is_library)
        });
        let library = libraries.next();
        let top = known["workspace_root"].as_str().map(PathBuf::from);
        let top = top.as_deref().unwrap_or(&folder);
        Ok(Package {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            manifest: on_its_own(&folder, top)?,
            library: library.and_then(|library| {
                let path = Path::new(library["src_path"].as_str()?);
                Some(path.strip_prefix(&folder).unwrap_or(path).to_owned())
            }),
            library_name: library
                .map_or("", |library| library["name"].as_str().unwrap_or_default())
                .replace('-', "_"),
            is_macro: library.is_some_and(|library| library["kind"][0] == "proc-macro"),
            folder,
        })
    }
}

fn table(path: &Path) -> Result<Table> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // The mark of a file in Unicode is not for TOML.
    let text = text.trim_start_matches('\u{feff}');
    toml::from_str(text).with_context(|| format!("in {}", path.display()))
}

/// The manifest as it has to be outside of its workspace.
fn on_its_own(folder: &Path, top: &Path) -> Result<Table> {
    let mut manifest = table(&folder.join("Cargo.toml"))?;
    let above = match top == folder {
        true => manifest.clone(),
        false => table(&top.join("Cargo.toml"))?,
    };
    let workspace = above.get("workspace").and_then(Value::as_table);
    let workspace = workspace.cloned().unwrap_or_default();
    let shared = |key: &str| workspace.get(key).and_then(Value::as_table);
    if let Some(package) = manifest.get_mut("package").and_then(Value::as_table_mut) {
        for (key, value) in package.iter_mut().filter(|(_, value)| inherits(value)) {
            let given = shared("package").and_then(|package| package.get(key));
            *value = given.with_context(|| missing(key, top))?.clone();
        }
        // What these name is not copied.
        for key in ["workspace", "readme", "license-file"] {
            package.remove(key);
        }
    }
    if manifest.get("lints").is_some_and(inherits) {
        manifest.remove("lints");
        let lints = workspace.get("lints").cloned();
        manifest.extend(lints.map(|lints| ("lints".to_owned(), lints)));
    }
    for (_, dependencies) in all_dependencies(&mut manifest) {
        for (name, dependency) in dependencies.iter_mut() {
            let mut from = folder;
            if inherits(dependency) {
                let given = shared("dependencies").and_then(|all| all.get(name));
                let mut whole = match given.with_context(|| missing(name, top))? {
                    Value::Table(table) => table.clone(),
                    version => Table::from_iter([("version".to_owned(), version.clone())]),
                };
                for (key, value) in dependency.as_table().into_iter().flatten() {
                    match (whole.get_mut(key), value) {
                        (Some(Value::Array(there)), Value::Array(more)) => {
                            there.extend(more.iter().cloned());
                        }
                        _ if key == "workspace" => {}
                        _ => drop(whole.insert(key.clone(), value.clone())),
                    }
                }
                *dependency = Value::Table(whole);
                from = top;
            }
            if let Some(Value::String(path)) = dependency.get_mut("path") {
                *path = from.join(&*path).to_string_lossy().into_owned();
            }
        }
    }
    manifest.insert("patch".to_owned(), patch(above, top).into());
    manifest.insert("workspace".to_owned(), Value::Table(Table::new()));
    Ok(manifest)
}

fn missing(key: &str, top: &Path) -> String {
    let top = top.join("Cargo.toml");
    format!("{} does not have the `{key}` to inherit", top.display())
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// What the manifest at the top says under `[patch]`, with its paths from the root of all.
fn patch(mut manifest: Table, top: &Path) -> Table {
    let Some(Value::Table(mut patch)) = manifest.remove("patch") else {
        return Table::new();
    };
    for (_, of_registry) in patch.iter_mut() {
        for (_, instead) in of_registry.as_table_mut().into_iter().flatten() {
            if let Some(Value::String(path)) = instead.get_mut("path") {
                *path = top.join(&*path).to_string_lossy().into_owned();
            }
        }
    }
    patch
}

/// The tables of a manifest that name dependencies, those for one kind of system among them, and what
/// each is called.
pub(crate) fn all_dependencies(manifest: &mut Table) -> Vec<(&str, &mut Table)> {
    let mut all = Vec::new();
    for (key, value) in manifest.iter_mut() {
        let Some(table) = value.as_table_mut() else {
            continue;
        };
        if key.ends_with("dependencies") {
            all.push((key.as_str(), table));
        } else if key == "target" {
            let targets = table
                .iter_mut()
                .filter_map(|(_, target)| target.as_table_mut());
            for target in targets {
                all.extend(all_dependencies(target));
            }
        }
    }
    all
}

/// Every file of a crate by its path in its folder, as its build sees them: what a link leads to is
/// there, and what leads nowhere, as an editor's lock does, is not. What was built, and what a version
/// control keeps, is left out, and so is, with a note, what cannot be read or is too large, and what a
/// link leads to that is no part of a crate: it leads out of the folder to more than any crate has.
///
/// # Errors
///
/// Names the folder that cannot be read.
pub(crate) fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let top = fs::canonicalize(folder);
    let top = top.with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = BTreeMap::new();
    let mut collected = Collected {
        top: &top,
        above: Vec::new(),
        files: &mut files,
        left: None,
    };
    collected.collect(Path::new(""))?;
    Ok(files)
}

/// So many files, and bytes in them, may be where a link leads to that leads out of a crate.
const MOST_FILES: usize = 500;
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// No file of a crate is larger.
const MOST_OF_ONE: u64 = 64 * 1024 * 1024;

struct Collected<'f> {
    top: &'f Path,
    /// The folders that are being read, to see where a link leads back up.
    above: Vec<PathBuf>,
    files: &'f mut BTreeMap<PathBuf, Vec<u8>>,
    /// Behind a link that leads out: how many files, and bytes, it may still lead to.
    left: Option<(usize, u64)>,
}

/// A link leads to more than a crate has.
#[derive(Debug)]
struct TooMuch;

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "there is more than {MOST_FILES} files")
    }
}

impl std::error::Error for TooMuch {}

impl Collected<'_> {
    fn collect(&mut self, folder: &Path) -> Result<()> {
        let path = self.top.join(folder);
        let cannot = || format!("cannot read {}", path.display());
        let here = fs::canonicalize(&path).with_context(cannot)?;
        if self.above.contains(&here) {
            return Ok(()); // a link leads back up
        }
        if self.left.is_some() || here.starts_with(self.top) {
            return self.collect_from(folder, &here);
        }
        // What cannot be read there is not the reader's mistake.
        let mut behind = BTreeMap::new();
        let mut collected = Collected {
            top: self.top,
            above: self.above.clone(),
            files: &mut behind,
            left: Some((MOST_FILES, MOST_BYTES)),
        };
        match collected.collect_from(folder, &here) {
            Ok(()) => self.files.append(&mut behind),
            Err(error) => eprintln!(
                "note: {} leads to {}, and is left out: {error:#}",
                folder.display(),
                here.display()
            ),
        }
        Ok(())
    }

    fn collect_from(&mut self, folder: &Path, here: &Path) -> Result<()> {
        self.above.push(here.to_owned());
        let cannot = || format!("cannot read {}", here.display());
        for entry in fs::read_dir(here).with_context(cannot)? {
            let name = entry.with_context(cannot)?.file_name();
            let path = folder.join(&name);
            let full = here.join(&name);
            let kind = match fs::metadata(&full) {
                Ok(kind) => kind,
                Err(_) if full.is_symlink() => continue, // it leads nowhere, or round and round
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read {}", full.display()))
                }
            };
            if kind.is_dir() {
                let built = full.join("CACHEDIR.TAG").exists();
                if path != Path::new("target") && name != ".git" && !built {
                    self.collect(&path)?;
                }
            } else if kind.is_file() {
                if let Some((files, bytes)) = &mut self.left {
                    *files = files.checked_sub(1).ok_or(TooMuch)?;
                    *bytes = bytes.checked_sub(kind.len()).ok_or(TooMuch)?;
                }
                // If it is needed after all, the compiler says so.
                let content = match kind.len() > MOST_OF_ONE {
                    true => Err("it is larger than what a crate has".to_owned()),
                    false => fs::read(&full).map_err(|error| format!("it cannot be read: {error}")),
                };
                let content = match content {
                    Ok(content) => content,
                    Err(why) => {
                        eprintln!("note: {} is left out: {why}", path.display());
                        continue;
                    }
                };
                self.files.insert(path, content);
            }
        }
        self.above.pop();
        Ok(())
    }
}
