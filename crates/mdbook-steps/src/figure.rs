//! A listing as a figure: under which name, in which file, what it is about, and which of its lines
//! are new.

use crate::render::{inline_code, reference, title};
use anyhow::{anyhow, bail, ensure, Context, Result};
use book::anchors::{mark, unmarked, Mark};
use book::page::{Fence, Include};
use book::schedules::broken;
use book::step;
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The part of a listing's file that a fence includes.
pub(crate) struct Part<'f> {
    pub(crate) listing: &'f str,
    pub(crate) file: &'f Path,
    anchor: &'f str,
    with_rest: bool,
}

impl<'f> Part<'f> {
    /// Reads what the fence includes.
    ///
    /// # Errors
    ///
    /// When it includes no part of a listing.
    pub(crate) fn of(fence: &'f Fence) -> Result<Part<'f>> {
        let part = fence.include().and_then(|include: &Include| {
            let (listing, file) = include.of_listing()?;
            Some(Part {
                listing,
                file: Path::new(file),
                anchor: include.part.as_deref()?,
                with_rest: include.with_rest,
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
    fences: &[&Fence],
) -> Result<String> {
    if let [fence] = fences {
        if let Some(pool) = faulty(fence) {
            return puzzle(root, pool, caption.unwrap_or_default(), fence);
        }
    }
    let parts = fences
        .iter()
        .copied()
        .map(Part::of)
        .collect::<Result<Vec<_>>>()?;
    let Some(&Part {
        listing: name,
        file,
        ..
    }) = parts.first()
    else {
        bail!("after `<!-- listing -->` comes the listing: a fence of rust");
    };
    ensure!(
        names.iter().any(|known| known == name),
        "there is no step `{name}`; there are: {}",
        names.join(", ")
    );
    ensure!(
        parts
            .iter()
            .all(|part| part.listing == name && part.file == file),
        "one figure shows parts of one file, here of listings/{name}/{}",
        file.display()
    );
    let Some(source) = read(root, name, file)? else {
        let files = step::files(root, name)?;
        let files: Vec<_> = files.keys().map(|file| file.to_string_lossy()).collect();
        bail!(
            "listings/{name} has no file {}; it has {}",
            file.display(),
            files.join(", ")
        );
    };
    let before = step::predecessor(names, name);
    let added = match before {
        Some(before) => {
            let old = read(root, before, file)?.unwrap_or_default();
            added(&unmarked(&old), &unmarked(&source))
        }
        None => BTreeSet::new(),
    };

    let mut code = String::new();
    let mut any = false;
    for (fence, part) in fences.iter().zip(&parts) {
        code += "<div class=\"code\">\n";
        let runs = new_lines(&source, part.anchor, &added);
        let runs = runs.map_err(|error| anyhow!("listings/{name}/{} {error}", file.display()));
        let shown = |run: &Run| part.with_rest || run.line.is_some();
        for mut run in runs?.into_iter().filter(shown) {
            if let (Some(line), false) = (run.line, part.with_rest) {
                run.whole = line; // the part is the whole
            }
            code += &run.marker();
            any |= run.line.is_some();
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

/// The number of the pool with a fault that the fence shows, and the part of its file.
fn faulty<'f>(fence: &'f Fence) -> Option<(&'f str, &'f str)> {
    let include = fence.include()?;
    let file = include.file.strip_prefix("crates/model/broken/broken-")?;
    Some((file.strip_suffix(".rs")?, include.part.as_deref()?))
}

/// The step that the pools with a fault are to be compared with: it has none.
const FAULTLESS: &str = "listing-20-24";

/// The figure of a pool with a fault, with bars beside the lines that the faultless one does not have.
fn puzzle(root: &Path, pool: (&str, &str), caption: &str, fence: &Fence) -> Result<String> {
    let (number, anchor) = pool;
    let file = broken(root).join(format!("broken-{number}.rs"));
    let source =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let old = read(root, FAULTLESS, Path::new("src/lib.rs"))?.unwrap_or_default();
    let runs = new_lines(&source, anchor, &added(&unmarked(&old), &unmarked(&source)));
    let runs = runs.map_err(|error| anyhow!("{} {error}", file.display()))?;
    let bars: String = runs.iter().map(Run::marker).collect();
    Ok(format!(
        "<figure class=\"listing\">\n<figcaption><strong>Pool {number}</strong>: {} \
         <span class=\"key\">not in {}</span></figcaption>\n\n<div class=\"code\">\n{bars}\n{}\n</div>\n\n\
         </figure>\n",
        inline_code(caption),
        reference(FAULTLESS),
        fence.text.trim_end()
    ))
}

/// A file of a step; `None` if the step has no such file.
fn read(root: &Path, name: &str, file: &Path) -> Result<Option<String>> {
    let file = root.join("listings").join(name).join(file);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// The lines of `new`, counted from 0, that are not in `old`. A line that has only moved to the right
/// or to the left is in it.
fn added(old: &str, new: &str) -> BTreeSet<usize> {
    let trimmed = |text: &str| -> String {
        let lines = text.lines().map(|line| line.trim().to_owned() + "\n");
        lines.collect()
    };
    let (old, new) = (trimmed(old), trimmed(new));
    let diff = TextDiff::from_lines(&old, &new);
    diff.iter_all_changes()
        .filter(|change| change.tag() == ChangeTag::Insert)
        .filter_map(|change| change.new_index())
        .collect()
}

/// New lines that follow each other, with nothing but empty lines between them; the first and the
/// last are not empty.
#[derive(Debug, PartialEq)]
struct Run {
    /// Its first line, counted from 0, in the part that is shown. `None`: it is in the rest of the
    /// file, which the eye button unfolds.
    line: Option<usize>,
    /// Its first line in the whole file.
    whole: usize,
    lines: usize,
}

impl Run {
    /// A bar beside these lines, which `theme/pages.css` puts in its place.
    fn marker(&self) -> String {
        let Run { line, whole, lines } = *self;
        let (class, place, of) = match line {
            Some(line) => ("new", line, ""),
            None => ("new rest", whole, " of the file"),
        };
        let label = match lines {
            1 => format!("Line {}{of} is new.", place + 1),
            _ => format!("Lines {} to {}{of} are new.", place + 1, place + lines),
        };
        format!(
            "<span class=\"{class}\" role=\"img\" aria-label=\"{label}\" \
             style=\"--line:{place};--whole:{whole};--lines:{lines}\"></span>\n"
        )
    }
}

/// The `added` lines of the file, with their places in the part between the marks of `anchor`.
fn new_lines(source: &str, anchor: &str, added: &BTreeSet<usize>) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut whole, mut line) = (0, None);
    let mut open = false; // whether a new line may still belong to the last run
    let mut anchors = Vec::new();
    for text in source.lines() {
        if let Some(mark) = mark(text) {
            if mark == Mark::Start(anchor) {
                (line, open) = (Some(0), false);
            } else if mark == Mark::End(anchor) {
                (line, open) = (None, false);
            }
            if let Mark::Start(name) = mark {
                anchors.push(name);
            }
            continue;
        }
        if !text.trim().is_empty() {
            match runs.last_mut() {
                _ if !added.contains(&whole) => open = false,
                Some(run) if open => run.lines = whole + 1 - run.whole,
                _ => {
                    runs.push(Run {
                        line,
                        whole,
                        lines: 1,
                    });
                    open = true;
                }
            }
        }
        line = line.map(|line| line + 1);
        whole += 1;
    }
    ensure!(
        anchors.contains(&anchor),
        "has no anchor `{anchor}`; it has {}",
        anchors.join(", ")
    );
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lines_are_counted_in_the_part_and_in_the_file() {
        let old = "a\nb\nc\nd\n";
        let new = "a\nx\n\ny\n\n  b\nd\nz\n";
        let source =
            "a\n// ANCHOR: part\nx\n\n// ANCHOR: inner\ny\n\n  b\nd\n// ANCHOR_END: part\nz\n";
        let run = |line, whole, lines| Run { line, whole, lines };

        let runs = new_lines(source, "part", &added(old, new)).unwrap();
        assert_eq!(runs, [run(Some(0), 1, 3), run(None, 7, 1)]);

        let runs = new_lines(source, "inner", &added(old, new)).unwrap();
        assert_eq!(
            runs,
            [run(None, 1, 1), run(Some(0), 3, 1), run(Some(4), 7, 1)]
        );

        let error = new_lines(source, "nothing", &added(old, new)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "has no anchor `nothing`; it has part, inner"
        );
    }
}
