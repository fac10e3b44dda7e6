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
    /// The file of its library in its folder, if it has one.
    pub library: Option<PathBuf>,
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
            let mut kinds = kinds.map(|kind| kind.ends_with("lib"));
            kinds.any(|is_library| is_library)
        });
        let library = libraries.next().and_then(|library| {
            let path = Path::new(library["src_path"].as_str()?);
            Some(path.strip_prefix(&folder).ok()?.to_owned())
        });
        let top = known["workspace_root"].as_str().map(PathBuf::from);
        Ok(Package {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            manifest: on_its_own(&folder, top.as_deref().unwrap_or(&folder))?,
            library,
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
    for dependencies in all_dependencies(&mut manifest) {
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

/// The tables of a manifest that name dependencies, those for one kind of system among them.
pub(crate) fn all_dependencies(manifest: &mut Table) -> Vec<&mut Table> {
    let mut all = Vec::new();
    for (key, value) in manifest.iter_mut() {
        let Some(table) = value.as_table_mut() else {
            continue;
        };
        if key.ends_with("dependencies") {
            all.push(table);
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
/// control keeps, is left out.
///
/// # Errors
///
/// Names the file that cannot be read.
pub(crate) fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    collect(folder, Path::new(""), &mut Vec::new(), &mut files)?;
    Ok(files)
}

fn collect(
    top: &Path,
    folder: &Path,
    above: &mut Vec<PathBuf>,
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
) -> Result<()> {
    let path = top.join(folder);
    let cannot = || format!("cannot read {}", path.display());
    let here = fs::canonicalize(&path).with_context(cannot)?;
    if above.contains(&here) {
        return Ok(()); // a link leads back up
    }
    above.push(here);
    for entry in fs::read_dir(&path).with_context(cannot)? {
        let name = entry.with_context(cannot)?.file_name();
        let path = folder.join(&name);
        let full = top.join(&path);
        let kind = match fs::metadata(&full) {
            Ok(kind) => kind,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", full.display()))
            }
        };
        if kind.is_dir() {
            let built = full.join("CACHEDIR.TAG").exists();
            if path != Path::new("target") && name != ".git" && !built {
                collect(top, &path, above, files)?;
            }
        } else if kind.is_file() {
            let content =
                fs::read(&full).with_context(|| format!("cannot read {}", full.display()))?;
            files.insert(path, content);
        }
    }
    above.pop();
    Ok(())
}
