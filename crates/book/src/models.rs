//! The programs that are searched: each listing's pool, each pool with a fault, and each change that a
//! page proposes, on the threads, locks and channels of `pool_model`.

use crate::page::Page;
use crate::proposals::Proposal;
use crate::{schedules, step};
use anyhow::{Context, Result};
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// The one program of them that has no pool: it has a data race that the model does not see.
pub fn handover(root: &Path) -> PathBuf {
    root.join("crates/model/handover.rs")
}

/// The models of the book at `root` under their names, in the order of the book.
///
/// # Errors
///
/// When a listing cannot be read, and when a proposal on a page fits no listing.
pub fn models(root: &Path, pages: &[Page]) -> Result<Vec<(String, String)>> {
    let mut models: Vec<(String, String)> = Vec::new();
    for listing in step::names(root)? {
        let files = step::files(root, &listing)?;
        // A server on a published pool has no library of its own.
        if let Some(source) = files.get(Path::new("src/lib.rs")) {
            let source = std::str::from_utf8(source);
            let source = source.with_context(|| format!("listings/{listing}/src/lib.rs"))?;
            models.push((listing, modeled(source)));
        }
    }
    for name in schedules::broken_names(root)? {
        let source = schedules::source(root, &name)?;
        models.push((name, modeled(&source)));
    }
    for page in pages {
        for proposal in Proposal::on(page)? {
            let Proposal { place, listing, .. } = &proposal;
            let of_listing = |(name, _): &&(String, String)| name == listing;
            let model = models.iter().find(of_listing);
            let (_, model) =
                model.with_context(|| format!("{place}: there is no listing `{listing}`"))?;
            let model = proposal.apply(model)?;
            models.push((proposal.name, model));
        }
    }
    let source = fs::read_to_string(handover(root)).context("crates/model/handover.rs")?;
    models.push(("handover".to_owned(), modeled(&source)));
    Ok(models)
}

/// The modules of those models, whose files lie in `folder`, and a call of `models!` that names all
/// that have a pool.
pub fn modules(models: &[(String, String)], folder: &Path) -> String {
    let (mut modules, mut table) = (String::new(), String::from("models! {\n"));
    for (name, _) in models {
        let path = folder.join(format!("{name}.rs"));
        let module = name.replace('-', "_");
        // A change can leave something unused; the one `main` is not what is searched.
        modules += &format!("#[allow(unused)]\n#[path = {path:?}]\nmod {module};\n");
        if name != "handover" {
            table += &format!("    {name:?} => {module},\n");
        }
    }
    format!("{modules}{table}}}\n")
}

/// The code of a pool on the threads, locks and channels of the model. Its own tests are left out.
pub fn modeled(source: &str) -> String {
    let (code, _) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
    let std = Regex::new(r"(^|[^\w:]|\B::)std::").expect("it is a valid expression");
    let lines = code.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("//") => line.to_owned(),
        _ => std
            .replace_all(line, "${1}pool_model::modeled::")
            .into_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_std_comes_from_the_model() {
        let source = "\
use std::sync::Mutex;
use std::{thread, time::Duration}; // std::time
/// See std::thread.
fn a() -> ::std::io::Result<()> {
    let my_std::a = std::thread::spawn(|| x::std::b);
}
#[cfg(test)]
mod tests;
";
        let expected = "\
use pool_model::modeled::sync::Mutex;
use pool_model::modeled::{thread, time::Duration}; // pool_model::modeled::time
/// See std::thread.
fn a() -> ::pool_model::modeled::io::Result<()> {
    let my_std::a = pool_model::modeled::thread::spawn(|| x::std::b);
}
";
        assert_eq!(modeled(source), expected);
    }
}
