//! The promise: the README's table names every folder of the project, and the picture of the crates
//! shows who uses whom.

use crate::support::{report, told};
use book::sources::Sources;
use libtest_mimic::{Failed, Trial};
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let folders = || report(check_folders(&book::root())?);
    let arrows = || report(check_arrows(&book::root())?);
    Ok(vec![
        Trial::test("folders::in_the_readme", folders),
        Trial::test("folders::arrows", arrows),
    ])
}

/// The names of the folders in a folder, but for what is hidden or built.
fn folders(folder: &Path) -> Result<BTreeSet<String>, Failed> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('.') && name != "target" {
            names.insert(name);
        }
    }
    Ok(names)
}

fn check_folders(root: &Path) -> Result<Vec<String>, Failed> {
    let mut there = folders(root)?;
    there.remove("crates");
    let crates = folders(&root.join("crates"))?;
    there.extend(crates.iter().map(|name| format!("crates/{name}")));

    let readme = fs::read_to_string(root.join("README.md"))?;
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: BTreeSet<_> = rows
        .filter_map(|row| Some(row.split_once("/`")?.0.to_owned()))
        .collect();
    let missing = there.difference(&named);
    let missing = missing.map(|folder| {
        format!("README.md: its table does not say what {folder}/ is for; add a row")
    });
    let gone = named.difference(&there);
    let gone =
        gone.map(|folder| format!("README.md: its table names {folder}/, which is not there"));
    Ok(missing.chain(gone).collect())
}

/// Each arrow of the picture is a dependency of one of the workspace's packages on another, and the
/// other way round.
fn check_arrows(root: &Path) -> Result<Vec<String>, Failed> {
    const PICTURE: &str = "src/pictures/crates.svg";
    let sources = Sources::read(root).map_err(told)?;
    let arrow = Regex::new(r#"data-uses="([\w-]+) ([\w-]+)""#)?;
    let picture = sources.text(PICTURE).unwrap_or_default();
    let drawn: BTreeSet<_> = arrow
        .captures_iter(picture)
        .map(|arrow| (arrow[1].to_owned(), arrow[2].to_owned()))
        .collect();

    let mut used = BTreeSet::new();
    let mut manifests = vec![root.join("Cargo.toml")];
    for name in folders(&root.join("crates"))? {
        manifests.push(root.join("crates").join(name).join("Cargo.toml"));
    }
    for path in manifests {
        let manifest: toml::Table = fs::read_to_string(&path)?.parse()?;
        let package = manifest["package"]["name"].as_str().unwrap_or_default();
        // For each system alike, or for one only.
        let targets = manifest
            .get("target")
            .and_then(|targets| targets.as_table());
        let targets = targets.into_iter().flatten();
        let tables = targets.filter_map(|(_, target)| target.as_table());
        for table in tables.chain([&manifest]) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let dependencies = table.get(kind).and_then(|table| table.as_table());
                for (name, dependency) in dependencies.into_iter().flatten() {
                    if dependency.get("path").is_some() {
                        used.insert((package.to_owned(), name.clone()));
                    }
                }
            }
        }
    }
    let told = |(from, to): &(String, String), what| format!("{PICTURE}: {what} {from} uses {to}");
    let undrawn = used.difference(&drawn);
    let undrawn = undrawn.map(|arrow| told(arrow, "does not show that"));
    let untrue = drawn.difference(&used);
    let untrue = untrue.map(|arrow| told(arrow, "no manifest says that"));
    Ok(undrawn.chain(untrue).collect())
}
