//! The promise: every checkpoint's script, taken from the rendered page, recreates the step in an
//! empty folder, file by file; and it touches nothing that is there.
//!
//! That the step builds and passes its tests, `tests/listings.rs` shows with the same files.

use crate::pages;
use crate::support::{told, turns::turn};
use book::{root, step};
use libtest_mimic::{Failed, Trial};
use scraper::{Html, Selector};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The script of each step that a rendered page shows: the text of its blocks, which
/// `theme/pages.js` copies; that it does, `tests/browser` shows.
static SCRIPTS: LazyLock<Result<BTreeMap<String, String>, String>> =
    LazyLock::new(|| scripts().map_err(|error| error.message().unwrap_or_default().to_owned()));

fn scripts() -> Result<BTreeMap<String, String>, Failed> {
    let steps = Selector::parse("main div.step").map_err(|error| error.to_string())?;
    let script = Selector::parse(".paste pre > code").map_err(|error| error.to_string())?;
    let mut scripts = BTreeMap::new();
    for page in pages::names()? {
        // The first chapter stands in index.html once more, and every chapter in print.html.
        if page == "index.html" || page == "print.html" {
            continue;
        }
        let text = fs::read_to_string(Path::new(pages::RENDERED).join(page))?;
        for shown in Html::parse_document(&text).select(&steps) {
            let id = shown.value().id().unwrap_or_default();
            let blocks = shown.select(&script).flat_map(|code| code.text());
            scripts.insert(id.trim_start_matches("step-").to_owned(), blocks.collect());
        }
    }
    Ok(scripts)
}

/// The script of the step `name`.
pub fn script(name: &str) -> Result<&'static str, Failed> {
    let scripts = SCRIPTS.as_ref().map_err(Clone::clone)?;
    let script = scripts.get(name).map(String::as_str);
    script.ok_or_else(|| format!("no page shows the script of listings/{name}").into())
}

/// Runs the script with a shell, as one that is pasted, in `folder`.
fn run(shell: &str, script: &str, folder: &Path) -> Result<bool, Failed> {
    let file = folder.join("script");
    fs::write(
        &file,
        format!("{script}\nended=$?\nrm script\nexit $ended\n"),
    )?;
    let output = Command::new(shell)
        .arg("script")
        .current_dir(folder)
        .output();
    let output = output.map_err(|error| format!("cannot run {shell}: {error}"))?;
    Ok(output.status.success())
}

fn recreates(shell: &str, script: &str, name: &str) -> Result<(), Failed> {
    let expected = step::files(&root(), name).map_err(told)?;
    let folder = tempfile::tempdir()?;
    if !run(shell, script, folder.path())? {
        return Err(format!("the script of {name} fails in {shell}").into());
    }
    let found = step::collect(&folder.path().join("hello")).map_err(told)?;
    for path in expected.keys().chain(found.keys()) {
        if expected.get(path) != found.get(path) {
            let path = path.display();
            return Err(format!("{shell}: hello/{path} is not that of listings/{name}").into());
        }
    }
    Ok(())
}

fn leaves_what_is_there(shell: &str, script: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("hello"))?;
    fs::write(folder.path().join("hello/mine"), "mine")?;
    if run(shell, script, folder.path())? {
        return Err(format!("{shell}: the script does not refuse a `hello` that is there").into());
    }
    let left: Vec<_> = step::collect(folder.path())
        .map_err(told)?
        .into_keys()
        .collect();
    if left != [PathBuf::from("hello/mine")] {
        return Err(format!("{shell}: the script has changed what was there: {left:?}").into());
    }
    Ok(())
}

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let there = |shell: &&str| Command::new(shell).args(["-c", ":"]).output().is_ok();
    let (here, missing): (Vec<_>, Vec<_>) =
        ["sh", "dash", "bash", "zsh"].into_iter().partition(there);
    let mut trials = Vec::new();
    for name in step::names(&root()).map_err(told)? {
        for shell in here.iter().chain(&missing).copied() {
            let title = format!("{name}::steps::{shell}");
            let name = name.clone();
            let check = move || {
                let _turn = turn();
                let script = script(&name)?;
                recreates(shell, script, &name)?;
                leaves_what_is_there(shell, script)
            };
            let is_missing = missing.contains(&shell);
            trials.push(Trial::test(title, check).with_ignored_flag(is_missing));
        }
    }
    Ok(trials)
}
