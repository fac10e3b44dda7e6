//! A listing as a figure: under which name, in which file, what it is about, and which of its lines
//! are new.

use crate::page::{Fence, Include};
use crate::render::{inline_code, reference, title};
use anyhow::{bail, ensure, Context, Result};
use book_commands::step;
use regex::Regex;
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The part of a listing's file that a fence includes.
pub(crate) struct Part<'c> {
    pub(crate) listing: String,
    pub(crate) file: PathBuf,
    anchor: &'c str,
}

impl<'c> Part<'c> {
    /// Reads what the fence includes; the path is one from a page in `src/`.
    ///
    /// # Errors
    ///
    /// When it includes no part of a listing.
    pub(crate) fn of(fence: &Fence<'c>) -> Result<Part<'c>> {
        let part = fence.include().and_then(|Include { path, anchor }| {
            let mut parts = path
                .components()
                .skip_while(|part| *part == Component::ParentDir);
            (parts.next()?.as_os_str() == "listings").then_some(())?;
            Some(Part {
                listing: parts.next()?.as_os_str().to_str()?.to_owned(),
                file: parts.collect(),
                anchor,
            })
        });
        part.context(
            "after `<!-- listing -->`, each fence includes a part of a listing and nothing else: \
             {{#rustdoc_include ../listings/NAME/FILE:ANCHOR}}",
        )
    }
}

/// The figure of these fences. `caption` is `None` for the step's own caption, which is the
/// `description` in its `Cargo.toml`; such a figure can be linked to as `#NAME`.
///
/// # Errors
///
/// When the fences do not show parts of one file of a step.
pub(crate) fn figure(
    root: &Path,
    names: &[String],
    caption: Option<&str>,
    fences: &[Fence],
) -> Result<String> {
    let parts = fences.iter().map(Part::of).collect::<Result<Vec<_>>>()?;
    let Some(Part {
        listing: name,
        file,
        ..
    }) = parts.first()
    else {
        bail!("after `<!-- listing -->` comes the listing: a fence of rust");
    };
    ensure!(
        names.contains(name),
        "there is no step `{name}`; there are: {}",
        names.join(", ")
    );
    ensure!(
        parts
            .iter()
            .all(|part| part.listing == *name && part.file == *file),
        "one figure shows parts of one file, here of listings/{name}/{}",
        file.display()
    );
    let source = root.join("listings").join(name).join(file);
    let source = fs::read_to_string(&source)
        .with_context(|| format!("the step `{name}` has no file {}", file.display()))?;
    let before = step::predecessor(names, name);
    let added = match before {
        Some(before) => added(&unmarked(root, before, file)?, &unmarked(root, name, file)?),
        None => BTreeSet::new(),
    };

    let mut code = String::new();
    let mut any = false;
    for (fence, part) in fences.iter().zip(&parts) {
        code += "<div class=\"code\">\n";
        for run in new_lines(&source, part.anchor, &added)? {
            code += &run.marker();
            any = true;
        }
        write!(code, "\n{}\n</div>\n\n", fence.text.trim_end())?;
    }

    let id = match caption {
        Some(_) => String::new(),
        None => format!(" id=\"{name}\""),
    };
    let caption = match caption {
        Some(caption) => caption.to_owned(),
        None => step::caption(root, name)?,
    };
    let key = match before.filter(|_| any) {
        Some(before) => format!(
            " <span class=\"key\">new since {}</span>",
            reference(before)
        ),
        None => String::new(),
    };
    let (title, file, caption) = (title(name), file.display(), inline_code(&caption));
    Ok(format!(
        "<figure class=\"listing\"{id}>\n<figcaption><strong>{title}</strong>, <code>{file}</code>: \
         {caption}{key}</figcaption>\n\n{code}</figure>\n"
    ))
}

/// A step's file without marks; empty if it has no such file.
fn unmarked(root: &Path, name: &str, file: &Path) -> Result<String> {
    let content = step::files(root, name)?.remove(file).unwrap_or_default();
    String::from_utf8(content).with_context(|| format!("{} is not UTF-8", file.display()))
}

/// The lines of `new`, counted from 0, that are not in `old`.
fn added(old: &str, new: &str) -> BTreeSet<usize> {
    let diff = TextDiff::from_lines(old, new);
    diff.iter_all_changes()
        .filter(|change| change.tag() == ChangeTag::Insert)
        .filter_map(|change| change.new_index())
        .collect()
}

/// New lines that follow each other in a part; the first and the last are not empty.
#[derive(Debug, PartialEq)]
struct Run {
    /// Its first line, counted from 0, in the part and in the whole file.
    line: usize,
    whole: usize,
    lines: usize,
}

impl Run {
    /// A bar beside these lines, which `theme/pages.css` puts in its place.
    fn marker(&self) -> String {
        let Run { line, whole, lines } = self;
        let label = match lines {
            1 => format!("Line {} is new.", line + 1),
            _ => format!("Lines {} to {} are new.", line + 1, line + lines),
        };
        format!(
            "<span class=\"new\" role=\"img\" aria-label=\"{label}\" \
             style=\"--line:{line};--whole:{whole};--lines:{lines}\"></span>\n"
        )
    }
}

/// Which lines of the part between the marks of `anchor` are among the `added` ones of the file.
fn new_lines(source: &str, anchor: &str, added: &BTreeSet<usize>) -> Result<Vec<Run>> {
    // mdBook's own patterns (mdbook-driver, `take_lines.rs`).
    let start = Regex::new(&format!(r"ANCHOR:\s*{anchor}\s*$"))?;
    let end = Regex::new(&format!(r"ANCHOR_END:\s*{anchor}\s*$"))?;
    let mut runs: Vec<Run> = Vec::new();
    let (mut whole, mut line) = (0, None);
    for text in source.lines() {
        if start.is_match(text) {
            line = Some(0);
        } else if end.is_match(text) {
            break;
        }
        if step::is_mark(text) {
            continue;
        }
        if let Some(line) = &mut line {
            if added.contains(&whole) && !text.trim().is_empty() {
                match runs.last_mut() {
                    Some(run)
                        if (run.whole + run.lines..whole).all(|line| added.contains(&line)) =>
                    {
                        run.lines = whole + 1 - run.whole;
                    }
                    _ => runs.push(Run {
                        line: *line,
                        whole,
                        lines: 1,
                    }),
                }
            }
            *line += 1;
        }
        whole += 1;
    }
    ensure!(line.is_some(), "the file has no anchor `{anchor}`");
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_are_counted_in_the_part_and_in_the_file() {
        let old = "a\nb\nc\nd\n";
        let new = "a\nx\n\ny\n\nb\nd\nz\n";
        let source =
            "a\n// ANCHOR: part\nx\n\n// ANCHOR: inner\ny\n\nb\nd\n// ANCHOR_END: part\nz\n";

        let runs = new_lines(source, "part", &added(old, new)).unwrap();
        assert_eq!(
            runs,
            [Run {
                line: 0,
                whole: 1,
                lines: 3
            }]
        );

        let runs = new_lines(source, "inner", &added(old, new)).unwrap();
        let run = |line, whole| Run {
            line,
            whole,
            lines: 1,
        };
        assert_eq!(runs, [run(0, 3), run(4, 7)]);
        assert!(new_lines(source, "nothing", &added(old, new)).is_err());
    }
}
