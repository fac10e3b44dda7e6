//! The programs that are searched: each listing's pool, each pool with a fault, and each change that a
//! page proposes, with `pool_model` in the place of `std`.

use crate::page::Page;
use crate::proposals::Proposal;
use crate::{schedules, step};
use anyhow::{ensure, Context, Result};
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
            models.push((listing.clone(), modeled(source)));
        }
        if let Some(source) = files.get(Path::new(LENDER)) {
            let source = std::str::from_utf8(source);
            let source = source.with_context(|| format!("listings/{listing}/{LENDER}"))?;
            models.extend(lenders(&listing, source)?);
        }
    }
    for name in schedules::broken_names(root)? {
        let source = schedules::source(root, &name)?;
        models.push((name, modeled(&source)));
    }
    for page in pages {
        let proposals = Proposal::on(page)?.into_iter();
        // What is only run may be something that does not compile.
        for proposal in proposals.filter(|proposal| proposal.is_searched(page)) {
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

/// What lends things to the workers of a pool, in a file of its own.
pub const LENDER: &str = "src/lender.rs";

/// How the name of a program ends that searches it.
pub const LENDS: &str = "-lender";

/// The end of its name, what is there, and what the mistake makes of it.
pub type Mistake = (&'static str, &'static str, &'static str);

/// Mistakes that one could make in it.
const LENDER_MISTAKES: [Mistake; 6] = [
    (
        "wakes-first",
        "let _ = self.give_back.send(thing);\n            (self.wake)();",
        "(self.wake)();\n            let _ = self.give_back.send(thing);",
    ),
    ("never-wakes", "            (self.wake)();\n", ""),
    ("counts-none", "self.lent += 1;", ""),
    (
        "keeps-after-a-panic",
        "if let Some(thing) = self.thing.take() {",
        "if let Some(thing) = self.thing.take().filter(|_| !std::thread::panicking()) {",
    ),
    (
        "forgets-after-the-look",
        "self.is_woken.store(false, Ordering::SeqCst);\n        let thing = self.returned.try_recv().ok()?;",
        "let thing = self.returned.try_recv();\n        self.is_woken.store(false, Ordering::SeqCst);\n        let thing = thing.ok()?;",
    ),
    (
        "wakes-once-for-all",
        "self.is_woken.store(false, Ordering::SeqCst);",
        "",
    ),
];

/// The mistakes that can be made in the lender with this source. Some need the flag by which a wake-up
/// is left out if one is on its way.
pub fn lender_mistakes(source: &str) -> impl Iterator<Item = Mistake> + '_ {
    let needs = |text: &str| text.contains("is_woken");
    let mistakes = LENDER_MISTAKES.into_iter();
    mistakes.filter(move |(_, from, _)| needs(source) || !needs(from))
}

/// The name of a program in which things are lent to the workers of this listing's pool.
pub fn lender_name(listing: &str) -> String {
    format!("{listing}{LENDS}")
}

/// The lender of a listing, on the model of its pool, and the same with each mistake.
fn lenders(listing: &str, source: &str) -> Result<Vec<(String, String)>> {
    let pool = format!("pub use super::{}::", listing.replace('-', "_"));
    let model = modeled(source).replace("use crate::", &pool);
    let name = lender_name(listing);
    let mut lenders = Vec::new();
    for (mistake, from, to) in lender_mistakes(source) {
        let found = model.matches(from).count();
        ensure!(
            found == 1,
            "listings/{listing}/{LENDER}: what `{mistake}` changes is there {found} times: {from}"
        );
        lenders.push((format!("{name}-{mistake}"), model.replace(from, to)));
    }
    lenders.push((name, model));
    Ok(lenders)
}

/// The modules of those models, whose files lie in `folder`, and a call of `models!` that names all
/// that have a pool, those whose pool can be shut down with a deadline once more, and those that lend
/// things to a pool's workers.
pub fn modules(models: &[(String, String)], folder: &Path) -> String {
    let (mut modules, mut table) = (String::new(), String::from("models! {\n"));
    let mut in_time = String::from("    in time:\n");
    let mut lending = String::from("    lending:\n");
    for (name, model) in models {
        let path = folder.join(format!("{name}.rs"));
        let module = name.replace('-', "_");
        // A change can leave something unused; the one `main` is not what is searched.
        modules += &format!("#[allow(unused)]\n#[path = {path:?}]\nmod {module};\n");
        if model.contains("pub struct Lender<") {
            lending += &format!("    {name:?}, \"{}\" => {module},\n", in_time_name(name));
            continue;
        }
        if name != "handover" {
            table += &format!("    {name:?} => {module},\n");
        }
        if model.contains("pub fn shutdown(") {
            in_time += &format!("    \"{}\" => {module},\n", in_time_name(name));
        }
    }
    format!("{modules}{table}{in_time}{lending}}}\n")
}

/// The name of a program that shuts this pool down with a deadline, and does not drop it; or that does
/// not wait until all that is lent has come back.
pub fn in_time_name(pool: &str) -> String {
    format!("{pool}-in-time")
}

/// What makes a module of the tests see the model as `std`. A reader's crate has it as a dependency of
/// that name.
const ITEM: &str = "#[allow(unused)] use pool_model as std;";

/// The code of a pool as a module on the threads, locks and channels of the model. Its own tests would
/// be tests of the program that the module is in, and see two names `std`.
fn modeled(source: &str) -> String {
    without_other_files(&with_item(source, ITEM)).replace("#[cfg(test)]", "#[cfg(any())]")
}

/// The source without its modules in files of their own, in which is no pool, and without what it
/// exports of them. Each line keeps its number.
pub fn without_other_files(source: &str) -> String {
    fn module(line: &str) -> Option<&str> {
        line.strip_prefix("mod ")?.strip_suffix(';')
    }
    let modules: Vec<_> = source.lines().filter_map(module).collect();
    let is_of_one = |line: &str| {
        let exported = line.strip_prefix("pub use ");
        let exported = exported.and_then(|path| path.split_once("::"));
        let exported = exported.map(|(module, _)| module);
        let named = module(line).or(exported);
        named.is_some_and(|name| modules.contains(&name))
    };
    let kept = |line| if is_of_one(line) { "" } else { line };
    source
        .lines()
        .map(|line| kept(line).to_owned() + "\n")
        .collect()
}

/// Whether a library has modules in files of their own. They may need other crates.
pub(crate) fn has_other_files(source: &str) -> bool {
    without_other_files(source).trim_end() != source.trim_end()
}

/// The source of a module with one more item, in front of all others. It is put into a line
/// that is there, so that each line keeps its number.
fn with_item(source: &str, item: &str) -> String {
    let place = first_item(source);
    format!("{}{item} {}", &source[..place], &source[place..])
}

/// Where the items begin: behind what stands for the whole, which are the mark of a file in Unicode,
/// the line for a shell, comments on the inside, and attributes of it.
fn first_item(source: &str) -> usize {
    let text = source.trim_start_matches('\u{feff}');
    let mut place = source.len() - text.len();
    // `#![` may be an attribute, with space between.
    if let Some(rest) = text.strip_prefix("#!") {
        if !rest.trim_start().starts_with('[') {
            place += line_length(text);
        }
    }
    // What has been looked at, if it is followed by something for the whole.
    let mut ahead = place;
    loop {
        let rest = &source[ahead..];
        let blank = rest.len() - rest.trim_start().len();
        let start = &rest[blank..];
        let (length, is_for_whole) = if start.starts_with("//!") {
            (line_length(start), true)
        } else if start.starts_with("//") && !is_outer(start, "///", "////") {
            (line_length(start), false)
        } else if start.starts_with("/*") && !is_outer(start, "/**", "/***") {
            (comment_length(start), start.starts_with("/*!"))
        } else if let Some(length) = attribute_length(start) {
            (length, true)
        } else {
            return place;
        };
        ahead += blank + length;
        if is_for_whole {
            place = ahead;
        }
    }
}

/// A comment that documents the item after it. With one more character it does not, and with none in
/// it, `/**/`, neither.
fn is_outer(text: &str, outer: &str, more: &str) -> bool {
    text.starts_with(outer) && !text.starts_with(more) && !text.starts_with("/**/")
}

fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |end| end + 1)
}

/// The length of the comment with which the text begins, `/* ... */`. Such comments stand inside each
/// other.
pub fn comment_length(text: &str) -> usize {
    let (mut depth, mut place) = (0_usize, 0);
    while let Some(found) = text[place..].find(['/', '*']) {
        place += found;
        match text.get(place..place + 2) {
            Some("/*") => (depth, place) = (depth + 1, place + 2),
            Some("*/") => (depth, place) = (depth - 1, place + 2),
            _ => place += 1,
        }
        if depth == 0 {
            return place;
        }
    }
    text.len()
}

/// The length of `#![...]`. A bracket in a text or a comment of it is none.
fn attribute_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('#')?.trim_start();
    let rest = rest.strip_prefix('!')?.trim_start();
    rest.strip_prefix('[')?;
    let mut place = text.len() - rest.len();
    let mut depth = 0_usize;
    while let Some(next) = text[place..].chars().next() {
        let here = &text[place..];
        place += match next {
            '[' => {
                depth += 1;
                1
            }
            ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(place + 1);
                }
                1
            }
            '"' => text_length(here),
            'r' if raw_length(here).is_some() => raw_length(here).unwrap_or(1),
            '/' if here.starts_with("//") => line_length(here),
            '/' if here.starts_with("/*") => comment_length(here),
            // `r` inside a word begins no raw text.
            next if next.is_alphanumeric() || next == '_' => {
                let word = here.find(|c: char| !c.is_alphanumeric() && c != '_');
                word.unwrap_or(here.len())
            }
            next => next.len_utf8(),
        };
    }
    None
}

fn text_length(text: &str) -> usize {
    let mut escaped = true; // the first is where it begins
    for (place, next) in text.char_indices() {
        match next {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped || place == 0,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of `r#"..."#`.
fn raw_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    let marks = rest.len() - rest.trim_start_matches('#').len();
    let begin = 1 + marks + 1;
    rest[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let found = text[begin..].find(&end);
    Some(found.map_or(text.len(), |found| begin + found + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_other_files_is_left_out_and_no_line_moves() {
        let source = "mod a;\nmod b {}\n\npub use a::A;\npub use std::a;\nfn c() {}\n";
        assert_eq!(
            without_other_files(source),
            "\nmod b {}\n\n\npub use std::a;\nfn c() {}\n"
        );
        assert!(has_other_files(source));
        assert!(!has_other_files("fn c() {}"));
    }

    #[test]
    fn the_item_comes_behind_what_is_for_the_whole_and_no_line_moves() {
        for (source, expected) in [
            ("use a;\n", "ITEM use a;\n"),
            ("", "ITEM "),
            ("\u{feff}use a;", "\u{feff}ITEM use a;"),
            ("#!/bin/sh\nuse a;", "#!/bin/sh\nITEM use a;"),
            ("#! [a]\nuse a;", "#! [a]ITEM \nuse a;"),
            ("//! A.\r\n//! B.\r\n\r\nuse a;", "//! A.\r\n//! B.\r\nITEM \r\nuse a;"),
            ("/// A.\nfn a() {}", "ITEM /// A.\nfn a() {}"),
            ("// A.\n\n#![a]\n// B.\nuse a;", "// A.\n\n#![a]ITEM \n// B.\nuse a;"),
            ("//// A.\n#![a]", "//// A.\n#![a]ITEM "),
            ("/* a /* b */ */ #![a] fn a() {}", "/* a /* b */ */ #![a]ITEM  fn a() {}"),
            ("/**/#![a]\n", "/**/#![a]ITEM \n"),
            ("/*! A. */ fn a() {}", "/*! A. */ITEM  fn a() {}"),
            (
                "#![doc = \"]\\\"]\"]\n#![doc = r#\"]\"]\"#]\n#![a(\n    b, // ]\n    for[c],\n)]\n#[d]\nmod a;",
                "#![doc = \"]\\\"]\"]\n#![doc = r#\"]\"]\"#]\n#![a(\n    b, // ]\n    for[c],\n)]ITEM \n#[d]\nmod a;",
            ),
        ] {
            assert_eq!(with_item(source, "ITEM"), expected, "{source}");
        }
    }
}
