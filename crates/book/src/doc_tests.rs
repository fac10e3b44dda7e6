//! What skeptic wraps a page's code in, and the names of the tests that it makes.

use crate::page::Page;
use crate::{models::has_other_files, schedules, step};
use anyhow::{ensure, Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The programs around a fence, with `__FENCE__` where it stands.
pub struct Wrappers<'w> {
    /// Ends a program that does not end.
    pub with_deadline: &'w str,
    /// Each further one under the name that a page gives it: `skt-LISTING-NAME`.
    pub named: &'w [(&'w str, &'w str)],
}

impl Wrappers<'_> {
    /// The template for fences that name none.
    pub fn default_template(&self) -> String {
        template("skeptic-template", &wrapper(self.with_deadline))
    }

    /// The templates that `skt-NAME` in a fence's info string picks: for each library, under its
    /// listing's name, a program that uses it; and a part of it. `None`: the listing has no library
    /// that a single file could be compiled with.
    pub fn templates(&self, libraries: &[(String, Option<PathBuf>)]) -> String {
        let mut templates = template(LIBRARY, "{}\nfn main() {{}}");
        for (name, library) in libraries {
            let (module, fence) = match library {
                Some(library) => (
                    format!("#[path = {library:?}]\nmod hello;"),
                    "{}\n#[allow(unused_imports)]\nuse super::hello;",
                ),
                None => (String::new(), "{}"),
            };
            let main = [("main", self.with_deadline)];
            for (kind, program) in main.iter().chain(self.named) {
                let program = wrapper(program).replace("{}", fence);
                templates += &template(&format!("skt-{name}-{kind}"), &(program + &module));
            }
            // A part that is compiled with its file, by cargo in its listing: here it has to be Rust.
            let part = "#[cfg(any())]\nmod page {{\n{}\n}}\nfn main() {{}}";
            templates += &template(&format!("skt-{name}{PART}"), part);
        }
        templates
    }
}

/// A fence that is a library.
const LIBRARY: &str = "skt-lib";

/// How the name of the template ends for a part of a listing.
const PART: &str = "-part";

/// Whether the program made of the fence with this info string does nothing: to compile it is enough, and
/// most of that would be to link it.
fn does_nothing(info: &str) -> bool {
    info.split(',').any(|word| word == LIBRARY) || info.ends_with(PART)
}

/// The libraries that the pages' code is compiled with, under the names of their listings, and those
/// of the pools with a fault.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn libraries(root: &Path) -> Result<Vec<(String, Option<PathBuf>)>> {
    let mut libraries = Vec::new();
    for name in step::names(root)? {
        let path = root.join("listings").join(&name).join("src/lib.rs");
        // One with more files may need other crates: only cargo compiles it, in its listing.
        let is_alone = match path.is_file() {
            true => !has_other_files(&fs::read_to_string(&path)?),
            false => false,
        };
        libraries.push((name, is_alone.then_some(path)));
    }
    for name in schedules::broken_names(root)? {
        let path = schedules::broken(root).join(format!("{name}.rs"));
        libraries.push((name, Some(path)));
    }
    Ok(libraries)
}

/// A program around a fence, as a skeptic template: `{}` stands for the fence.
fn wrapper(program: &str) -> String {
    let escaped = program.replace('{', "{{").replace('}', "}}");
    escaped.replace("__FENCE__", "{}")
}

fn template(mark: &str, text: &str) -> String {
    format!("```rust,{mark}\n{text}\n```\n\n")
}

/// For each `rust` fence of a page `LISTING::code_blocks::PAGE:LINE`, LISTING being the one that the fence
/// includes, or else the first of its page; and what stands behind the opening fence.
pub fn names(page: &Page) -> Vec<(String, String)> {
    let stem = Path::new(&page.file).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let includes = page.includes();
    let of_page = includes.iter().find_map(|include| include.listing());
    let fences = page
        .fences
        .iter()
        .filter(|fence| fence.language() == "rust");
    fences
        .map(|fence| {
            let listing = fence.includes.iter().find_map(|include| include.listing());
            let listing = listing.or(of_page).unwrap_or(&stem);
            let info = fence.info.clone().unwrap_or_default();
            (format!("{listing}::code_blocks::{}", fence.place), info)
        })
        .collect()
}

/// The functions that skeptic has generated, no tests any more, and a table of them:
/// `FENCES: &[(&str, &str, fn())]`, each with its name and info string. A program that does nothing is
/// compiled, and not run.
///
/// # Errors
///
/// When skeptic has found other fences than those that have names.
pub fn table(generated: &str, names: &[(String, String)]) -> Result<String> {
    let mut parts = generated.split("#[test] fn ");
    let mut table = parts.next().unwrap_or_default().to_owned();
    let functions: Vec<_> = parts
        .filter_map(|code| Some((code.split_once("() {")?.0, code)))
        .collect();
    ensure!(
        names.len() == functions.len(),
        "{} rust fences in the sources, but skeptic found {}: does an include hold a fence?",
        names.len(),
        functions.len()
    );
    for ((_, info), (_, code)) in names.iter().zip(&functions) {
        table += "fn ";
        table += &match does_nothing(info) {
            true => code.replace("skeptic::rt::run_test(", "skeptic::rt::compile_test("),
            false => (*code).to_owned(),
        };
    }
    table += "pub const FENCES: &[(&str, &str, fn())] = &[\n";
    for ((name, info), (function, _)) in names.iter().zip(functions) {
        writeln!(table, "    ({name:?}, {info:?}, {function}),").context("a table in memory")?;
    }
    Ok(table + "];\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_wraps_a_fence_for_each_library() {
        let wrappers = Wrappers {
            with_deadline: "fn a() {\n__FENCE__\n}\n",
            named: &[("serves", "fn b() { __FENCE__ }\n")],
        };
        assert_eq!(
            wrappers.default_template(),
            "```rust,skeptic-template\nfn a() {{\n{}\n}}\n\n```\n\n"
        );
        let libraries = [("x", Some("/x/lib.rs")), ("y", None)];
        let libraries = libraries.map(|(name, path)| (name.into(), path.map(PathBuf::from)));
        let templates = wrappers.templates(&libraries);
        let main = "```rust,skt-x-main\nfn a() {{\n{}\n#[allow(unused_imports)]\nuse super::hello;\
                    \n}}\n#[path = \"/x/lib.rs\"]\nmod hello;\n```\n";
        assert!(templates.contains(main), "{templates}");
        assert!(templates.contains("```rust,skt-y-serves\nfn b() {{ {} }}\n\n```"));
        assert!(templates.contains("```rust,skt-x-part\n"), "{templates}");
    }

    #[test]
    fn a_test_is_named_after_its_fence() {
        let text = "```rust\na\n```\n\n```rust,skt-2-1-part\n{{#include ../listings/listing-2-1/src/lib.rs:a}}\n\
                    ```\n\n```text\nb\n```\n";
        let of = |text| names(&Page::parse("src/page.md", text));
        let name = |name: &str, info: &str| (name.to_owned(), info.to_owned());
        let expected = [
            name("listing-2-1::code_blocks::src/page.md:1", "rust"),
            name(
                "listing-2-1::code_blocks::src/page.md:5",
                "rust,skt-2-1-part",
            ),
        ];
        assert_eq!(of(text), expected);
        assert_eq!(
            of("```rust\na\n```\n"),
            [name("page::code_blocks::src/page.md:1", "rust")]
        );

        let generated = "use a;\n#[test] fn one() {\nskeptic::rt::run_test(s);\n}\n\
                         #[test] fn two() {\nskeptic::rt::run_test(s);\n}\n";
        let table = table(generated, &of(text)).unwrap();
        let functions = "use a;\nfn one() {\nskeptic::rt::run_test(s);\n}\n\
                         fn two() {\nskeptic::rt::compile_test(s);\n}\n";
        assert!(table.starts_with(functions), "{table}");
        assert!(
            table.ends_with(
                "    (\"listing-2-1::code_blocks::src/page.md:5\", \"rust,skt-2-1-part\", two),\n];\n"
            ),
            "{table}"
        );
        assert!(super::table(generated, &[]).is_err());
    }
}
