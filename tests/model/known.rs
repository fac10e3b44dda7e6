//! The promise: of each stable item of std's `sync`, `thread` and `time`, the model says whether it is
//! modeled, harmless, or refused, and that is so.

use crate::support::report;
use libtest_mimic::Failed;
use pool_model::known::{Item, Verdict, ITEMS, OF};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What of std is compared.
const MODULES: [&str; 3] = ["sync", "thread", "time"];

pub fn check() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let minor = minor()?;
    let mut problems = match minor > OF {
        true => {
            eprintln!("note: std of Rust 1.{minor} may have items that crates/model/src/known.rs does not know: it is of 1.{OF}");
            Vec::new()
        }
        false => unknown(folder.path())?,
    };
    problems.extend(wrong(folder.path())?);
    report(problems)
}

/// The items that std has and the table has not. rustdoc says what std has, with what is not stable;
/// the compiler says which that is.
fn unknown(folder: &Path) -> Result<Vec<String>, Failed> {
    let inlined = MODULES.map(|module| format!("#[doc(inline)]\npub use std::{module};\n"));
    let source = folder.join("documented.rs");
    fs::write(&source, inlined.concat())?;
    let mut rustdoc = Command::new("rustdoc");
    rustdoc.args(["--edition=2021", "--crate-name=documented", "--output"]);
    let said = rustdoc.arg(folder).arg(&source).output()?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into_owned().into());
    }
    let mut items = BTreeSet::new();
    for module in MODULES {
        items_of(&folder.join("documented"), module, &mut items)?;
    }
    let known: BTreeSet<_> = ITEMS.iter().map(|item| item.path.to_owned()).collect();
    if items.is_disjoint(&known) {
        return Err("what rustdoc writes has another form than it had".into());
    }
    let unknown: Vec<_> = items.difference(&known).collect();
    let uses = unknown
        .iter()
        .map(|item| format!("use std::{item} as _;\n"));
    let errors = errors(folder, &uses.collect::<String>(), &[])?;
    let stable = unknown.iter().enumerate().filter(|(line, _)| {
        let codes = errors.get(line);
        !codes.is_some_and(|codes| codes.contains("E0658"))
    });
    let problem = |(_, item)| format!("crates/model/src/known.rs does not have `{item}`");
    Ok(stable.map(problem).collect())
}

/// The items of the module, and of those in it.
fn items_of(folder: &Path, module: &str, items: &mut BTreeSet<String>) -> Result<(), Failed> {
    let here = folder.join(module.replace("::", "/"));
    let listed = fs::read_to_string(here.join("sidebar-items.js"))?;
    let listed = listed.find('{').map(|begin| &listed[begin..]);
    let listed = listed.unwrap_or_default().trim_end().trim_end_matches(';');
    let listed: BTreeMap<String, Vec<String>> = serde_json::from_str(listed)?;
    for (kind, names) in listed {
        for name in names {
            let path = format!("{module}::{name}");
            match kind.as_str() {
                "mod" => items_of(folder, &path, items)?,
                _ => drop(items.insert(path)),
            }
        }
    }
    Ok(())
}

/// The items of which the table says something else than the compiler.
fn wrong(folder: &Path) -> Result<Vec<String>, Failed> {
    let (model, dependencies) = model()?;
    let mut arguments = vec![
        format!("--extern=model={}", model.display()),
        "-Dambiguous-glob-reexports".to_owned(),
    ];
    let dependencies = dependencies.iter();
    arguments.extend(dependencies.map(|folder| format!("-Ldependency={}", folder.display())));
    let uses = |of: &str| -> String {
        let line = |item: &Item| match is_of_type(item) {
            true => format!("pub fn f() {{ let _ = {of}::{}::<(), ()>; }}\n", item.path),
            false => format!("use {of}::{} as _;\n", item.path),
        };
        ITEMS.iter().map(line).collect()
    };
    let missing = errors(folder, &uses("model"), &arguments)?;
    // An older compiler does not have each of them.
    let too_new = errors(folder, &uses("std"), &arguments)?;
    let is_there = |line: &usize| !missing.contains_key(line) && !too_new.contains_key(line);
    // Two globs may bring the same item under one name, but not two items.
    let lines = ITEMS.iter().enumerate().map(|(number, item)| {
        let path = item.path;
        match is_there(&number) {
            true => format!(
                "pub mod m{number} {{ mod a {{ pub use std::{path} as X; }} mod b {{ pub use model::{path} as X; }} \
                 pub use a::*; pub use b::*; }}\n"
            ),
            false => "\n".to_owned(),
        }
    });
    let others = errors(folder, &lines.collect::<String>(), &arguments)?;
    let mut problems = Vec::new();
    for (line, item) in ITEMS.iter().enumerate() {
        let found = match (missing.contains_key(&line), others.get(&line)) {
            (true, _) => Verdict::Refused,
            (false, None) => Verdict::Harmless,
            (false, Some(codes)) if codes.contains("ambiguous_glob_reexports") => Verdict::Modeled,
            (false, Some(codes)) => return Err(format!("{}: {codes:?}", item.path).into()),
        };
        if found != item.verdict && (found == Verdict::Refused || is_there(&line)) {
            problems.push(format!(
                "crates/model/src/known.rs: `{}` is {found:?}, and not {:?}",
                item.path, item.verdict
            ));
        }
    }
    Ok(problems)
}

/// Whether it is a function of a type, and no item of a module.
fn is_of_type(item: &Item) -> bool {
    let parent = item.path.rsplit_once("::").map(|(parent, _)| parent);
    ITEMS.iter().any(|other| Some(other.path) == parent)
}

/// The codes of the errors in each line of the source, from 0 on.
fn errors(
    folder: &Path,
    lines: &str,
    arguments: &[String],
) -> Result<BTreeMap<usize, BTreeSet<String>>, Failed> {
    let source = folder.join("probe.rs");
    fs::write(&source, lines)?;
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2021", "--crate-type=lib", "--emit=metadata"]);
    rustc.args(["--error-format=json", "--out-dir"]);
    let said = rustc.arg(folder).args(arguments).arg(&source).output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let mut errors: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for message in said.lines() {
        let message: Json = serde_json::from_str(message)?;
        if message["level"] != "error" {
            continue;
        }
        let spans = message["spans"].as_array().into_iter().flatten();
        let mut spans = spans.filter(|span| span["is_primary"] == true);
        let line = spans.next().and_then(|span| span["line_start"].as_u64());
        let (Some(line), Some(code)) = (line, message["code"]["code"].as_str()) else {
            continue;
        };
        let line = usize::try_from(line)? - 1;
        errors.entry(line).or_default().insert(code.to_owned());
    }
    Ok(errors)
}

/// The library of the model, as it was built for these tests, and the folders of what it depends on:
/// macros are elsewhere if cargo is told for which target it builds.
fn model() -> Result<(PathBuf, BTreeSet<PathBuf>), Failed> {
    let mut cargo = Command::new("cargo");
    // With one of its tests, so that its dependencies have the features that they have in these tests:
    // built alone, all of it would be built anew.
    cargo.args(["test", "--no-run", "--test", "reduced"]);
    cargo.args(["--quiet", "--message-format=json"]);
    let said = cargo.current_dir(book::root()).output()?.stdout;
    let (mut model, mut folders) = (None, BTreeSet::new());
    for said in serde_json::Deserializer::from_slice(&said).into_iter::<Json>() {
        let said = said?;
        let files = said["filenames"].as_array().into_iter().flatten();
        for file in files.filter_map(Json::as_str).map(Path::new) {
            folders.extend(file.parent().map(Path::to_owned));
            if said["target"]["name"] == "pool_model" && file.extension() == Some("rmeta".as_ref())
            {
                model = Some(file.to_owned());
            }
        }
    }
    Ok((
        model.ok_or("cargo does not say where the model is")?,
        folders,
    ))
}

/// Of which Rust the compiler is: 95 for 1.95.
fn minor() -> Result<u32, Failed> {
    let version = Command::new("rustc").arg("--version").output()?.stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    let minor = version
        .split('.')
        .nth(1)
        .and_then(|minor| minor.parse().ok());
    Ok(minor.ok_or("rustc does not say its version")?)
}
