//! What a step may change, and where a page has to show it.

use book::anchors::{anchors, mark, Anchor};
use book::sources::Sources;
use book::step;
use similar::{capture_diff_slices, Algorithm, DiffOp, DiffTag};
use std::collections::BTreeSet;

/// The package has the name, version and edition that the reader's has, and locks what it uses.
pub fn check_package(sources: &Sources, listing: &str) -> Vec<String> {
    let file = format!("listings/{listing}/Cargo.toml");
    let Some(text) = sources.text(&file) else {
        return vec![format!(
            "{file}: there is none; each folder in listings/ is a package"
        )];
    };
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{file}: {error}")],
    };

    let mut problems = Vec::new();
    for (key, value) in [("name", "hello"), ("version", "0.1.0"), ("edition", "2021")] {
        let found = manifest
            .get("package")
            .and_then(|package| package.get(key)?.as_str());
        if found != Some(value) {
            problems.push(format!(
                "{file}: the package's {key} is {}; write `{key} = {value:?}`, as the reader's has it",
                found.map_or("missing".into(), |found| format!("{found:?}"))
            ));
        }
    }
    let lock = format!("listings/{listing}/Cargo.lock");
    if sources.text(&lock).is_none() {
        problems.push(format!(
            "{lock}: there is none; run `cargo check` in the folder, and keep it"
        ));
    }
    problems
}

/// A manifest without its `description`, which is the caption of the listing, and without what the
/// package depends on and which of its programs `cargo run` runs, which each page shows in its
/// difference from the step before.
fn comparable(manifest: &str) -> Option<toml::Table> {
    let mut manifest: toml::Table = manifest.parse().ok()?;
    let package = manifest.get_mut("package")?.as_table_mut()?;
    package.remove("description");
    package.remove("default-run");
    manifest.remove("dependencies");
    manifest.remove("dev-dependencies");
    Some(manifest)
}

/// Where the code is, and how it is to be run: each change to it is shown by a page.
fn is_code(path: &str) -> bool {
    ["src/", "examples/", "systemd/"]
        .iter()
        .any(|folder| path.starts_with(folder))
}

/// From this step on, the server listens where it is told to, and its tests start it otherwise.
pub const PORT_IS_FREE: &str = "listing-20-31";

/// From this step on, a connection stays, and its tests have a client that does.
const CONNECTIONS_STAY: &str = "listing-20-34";

/// From this step on, a server may be given its socket, and its tests start it so.
const SOCKET_IS_HANDED_ON: &str = "listing-20-36";

/// The listing differs from its predecessor where a page shows it, and nowhere else.
pub fn check_step(sources: &Sources, listing: &str) -> Vec<String> {
    let Some((chapter, number, variant)) = step::place(listing) else {
        return vec![format!(
            "listings/{listing}: the name gives it no place in the book; call it `starting-point`, \
             `listing-NN-MM`, or `listing-NN-MM-word` if it varies that listing"
        )];
    };
    let names = sources.listings().into_iter().map(str::to_owned);
    let mut names: Vec<_> = names.filter(|name| step::place(name).is_some()).collect();
    step::sort(&mut names);
    let Some(before) = step::predecessor(&names, listing) else {
        return Vec::new(); // the first
    };
    let varies = format!("listing-{chapter}-{number}");
    if variant.is_some() && before != varies {
        return vec![format!(
            "listings/{listing}: is named as a variant of {varies}, which there is not"
        )];
    }

    let old = sources.under(&format!("listings/{before}/"));
    let new = sources.under(&format!("listings/{listing}/"));
    let mut problems = Vec::new();
    let mut changed = false;
    for path in old
        .keys()
        .chain(new.keys())
        .copied()
        .collect::<BTreeSet<_>>()
    {
        let (old, new) = (old.get(path).copied(), new.get(path).copied());
        let file = format!("listings/{listing}/{path}");
        if path == "Cargo.toml" && old.map(comparable) == new.map(comparable) {
            continue;
        }
        if path == "Cargo.lock" && new.is_some() {
            continue; // it follows Cargo.toml: cargo is run with `--locked`
        }
        if is_code(path) && new.is_none() {
            changed = true; // the page's list of what has changed says that it is gone
        } else if is_code(path) {
            let included = included_anchors(sources, &file, new.unwrap_or_default());
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            changed |= shown_lines(old).1 != shown_lines(new).1;
            problems.extend(unshown_changes(&file, before, old, new, &included));
        } else if path.starts_with("tests/common/")
            && [PORT_IS_FREE, CONNECTIONS_STAY, SOCKET_IS_HANDED_ON].contains(&listing)
        {
            continue;
        } else if !path.starts_with("tests/") || path.starts_with("tests/common/") {
            let difference = match (old, new) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(_)) => "differs from",
                (None, _) => "is not in",
                (_, None) => "is missing here, but is in",
            };
            problems.push(format!(
                "{file}: {difference} listings/{before}; but for its code, its tests, and what it \
                 depends on, a step leaves every file as it was"
            ));
        }
    }
    if !changed && problems.is_empty() {
        problems.push(format!(
            "listings/{listing}: src/ and examples/ are the same as in listings/{before}; a step \
             changes something"
        ));
    }
    problems
}

/// The file's anchors that some page includes from it.
fn included_anchors(sources: &Sources, file: &str, text: &str) -> Vec<Anchor> {
    let includes = sources.includes();
    let (mut anchors, _) = anchors(file, text); // what is wrong with the others, includes.rs says
    anchors.retain(|anchor| {
        let shows = |part: &Option<String>| part.as_deref() == Some(&anchor.name);
        includes
            .iter()
            .any(|include| include.file == file && shows(&include.part))
    });
    anchors
}

/// The lines that mdBook would show of a file, and the number of each.
fn shown_lines(text: &str) -> (Vec<usize>, Vec<&str>) {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| mark(line).is_none())
        .unzip()
}

/// The changes from `old` to `new` that lie outside the included anchors of `new`.
fn unshown_changes(
    file: &str,
    before: &str,
    old: &str,
    new: &str,
    included: &[Anchor],
) -> Vec<String> {
    let (_, old) = shown_lines(old);
    let (numbers, new) = shown_lines(new);
    // The line of `new` on which a range that ends or begins there has its neighbor.
    let number = |index: usize| numbers.get(index).copied();

    let mut problems = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let unshown = |&index: &usize| {
            let within = |anchor: &Anchor| (anchor.start..anchor.end).contains(&numbers[index]);
            !new[index].trim().is_empty() && !included.iter().any(within)
        };
        let changed = op.new_range().filter(|_| op.tag() != DiffTag::Equal);
        let mut unshown = changed.filter(unshown);
        if let Some(first) = unshown.next() {
            let more = match unshown.count() {
                0 => "is".to_owned(),
                more => format!("(and {more} more) is"),
            };
            problems.push(format!(
                "{file}:{}: `{}` {more} not in listings/{before}, and no page shows this place; \
                 include an anchor around it, or take the change back",
                numbers[first],
                new[first].trim()
            ));
        }
        if let DiffOp::Delete {
            old_index,
            old_len,
            new_index,
        } = op
        {
            let above = new_index.checked_sub(1).and_then(number).unwrap_or(0);
            let below = number(new_index).unwrap_or(usize::MAX);
            let shown = included.iter().any(|a| a.start <= below && above <= a.end);
            let gone = old[old_index..old_index + old_len]
                .iter()
                .find(|l| !l.trim().is_empty());
            if let (false, Some(gone)) = (shown, gone) {
                problems.push(format!(
                    "{file}:{}: `{}` of listings/{before} was removed here, and no page shows this \
                     place; include an anchor that reaches it, or put the line back",
                    above.max(1),
                    gone.trim()
                ));
            }
        }
    }
    problems
}
