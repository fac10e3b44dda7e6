//! The promise: every include names an anchor that exists once, is closed and is not empty; no
//! fence goes untested, no include counts lines, and whatever a listing holds is shown.
//!
//! mdBook itself is silent about most of this: a missing anchor gives an empty block, an unclosed
//! one runs to the end of the file, and a missing file leaves the directive on the page.

mod catches;
mod claims;

use crate::support::{report, told};
use book::anchors::anchors;
use book::page::{Fence, Include, Page};
use book::sources::{join, Sources};
use claims::{check_edits, check_mentions, check_mutants, check_paths, check_pictures};
use claims::{check_quotes, check_terms, check_tests, check_tools, transcripts};
use libtest_mimic::{Failed, Trial};
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// What a fence may hold. Any other word is an error: ```` ```Rust ```` would escape the tests.
const LANGUAGES: [&str; 5] = ["rust", "console", "diff", "sh", "text"];

/// The directives that have a meaning here. mdBook's `playground` makes fences that are not tested.
const DIRECTIVES: [&str; 3] = ["include", "rustdoc_include", "title"];

/// What is wrong with an include of a file: the file is there, and so is its anchor.
fn check_include(sources: &Sources, include: &Include) -> Option<String> {
    let Include {
        place, file, part, ..
    } = include;
    let Some(text) = sources.text(file) else {
        return Some(format!(
            "{place}: there is no file {file}; correct the path, which is read from the page's folder"
        ));
    };
    let Some(part) = part else {
        return (!file.ends_with(".svg")).then(|| {
            format!(
                "{place}: includes the whole of {file}; name a part of it, as in \
                 `{file}:anchor`, and mark that part with `ANCHOR: anchor` and `ANCHOR_END: anchor`"
            )
        });
    };
    if part.contains(':') || part.is_empty() || part.parse::<usize>().is_ok() {
        return Some(format!(
            "{place}: `{file}:{part}` includes by line numbers, which shift as the file is edited; \
             mark the part with `ANCHOR: name` and `ANCHOR_END: name`, and include `{file}:name`"
        ));
    }
    let (good, problems) = anchors(file, text);
    if good.iter().any(|anchor| anchor.name == *part) {
        return None;
    }
    let marked = format!("`ANCHOR: {part}`");
    let marked_end = format!("`ANCHOR_END: {part}`");
    let named = format!("the anchor `{part}`");
    let its = |problem: &&String| {
        [&marked, &marked_end, &named]
            .iter()
            .any(|mark| problem.contains(*mark))
    };
    Some(match problems.iter().find(its) {
        Some(problem) => format!("{place}: includes `{part}`, but {problem}"),
        None => {
            let names: Vec<_> = good.iter().map(|anchor| anchor.name.as_str()).collect();
            format!(
                "{place}: {file} has no anchor `{part}` (it has: {}); correct the name, or mark \
                 the part with `ANCHOR: {part}` and `ANCHOR_END: {part}`",
                names.join(", ")
            )
        }
    })
}

/// The form of the page's directives, and the includes that lead to no listing.
fn check_directives(sources: &Sources, page: &Page) -> Vec<String> {
    let mut problems = Vec::new();
    for directive in &page.directives {
        let (place, kind) = (&directive.place, &directive.kind);
        if page.file == "README.md" {
            problems.push(format!(
                "{place}: nothing expands `{{{{#{kind}}}}}` in the README; write out what it stands for"
            ));
        } else if !DIRECTIVES.contains(&kind.as_str()) {
            problems.push(format!(
                "{place}: unknown directive `{{{{#{kind}}}}}`; use one of {DIRECTIVES:?}, or write \
                 `\\{{{{#` to show a directive as it stands"
            ));
        } else if !directive.at_line_start {
            problems.push(format!(
                "{place}: `{{{{#{kind}}}}}` does not begin its line, so mdBook would put only the \
                 first line there; move it to the first column, or write `\\{{{{#` to show it"
            ));
        }
    }
    let listings = sources.listings();
    let elsewhere = |include: &Include| !listings.contains(include.listing().unwrap_or_default());
    let includes = page.includes();
    let includes = includes.iter().filter(|include| elsewhere(include));
    if page.file != "README.md" {
        problems.extend(includes.filter_map(|include| check_include(sources, include)));
    }
    problems
}

/// Every fence says what it holds, and none escapes the tests.
fn check_fences(sources: &Sources, page: &Page) -> Vec<String> {
    static TRANSCRIPT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\{\{#include \.\./recorded/transcripts/[\w-]+\.txt:[\w-]+\}\}\n?$")
            .expect("a pattern")
    });
    let mut problems = Vec::new();
    for fence in &page.fences {
        let Fence {
            place, info, body, ..
        } = fence;
        let Some(info) = info else {
            problems.push(format!(
                "{place}: indented by four spaces, this is a code block that is not tested; \
                 use a fence, or indent less"
            ));
            continue;
        };
        let mut words = info.split(',');
        let language = words.next().unwrap_or_default();
        if language.is_empty() {
            problems.push(format!(
                "{place}: the fence does not say what it holds; write ```text, or another of {LANGUAGES:?}"
            ));
        } else if !LANGUAGES.contains(&language) {
            problems.push(format!(
                "{place}: unknown language `{language}`; use one of {LANGUAGES:?}, or add it to \
                 LANGUAGES in tests/includes together with a test of what such a fence holds"
            ));
        }
        // What a change does is searched, or run, under the name that the fence gives it.
        if language == "diff" {
            let row = |name: &str| page.text.contains(&format!("| `{name}` |"));
            let run = |name: &str| is_run(sources, page, name);
            if words.nth(1).is_none_or(|name| !row(name) && !run(name)) {
                problems.push(format!(
                    "{place}: a diff fence is ```diff,LISTING,NAME. Either a table on its page has a \
                     row that begins with `NAME`, what the search found for this change; or a \
                     transcript there is a run of it, with an edit `proposal = \"NAME\"`"
                ));
            }
        }
        for word in words {
            let template = word.strip_prefix("skt-");
            if language != "rust" || word != "no_run" && template.is_none() {
                problems.push(format!(
                    "{place}: `{word}` may not stand on a {language} fence; on a rust fence, \
                     `no_run` and `skt-NAME` may, because such a fence is still compiled"
                ));
            }
            // A program is compiled against a library: its own.
            let against = template.and_then(|template| template.strip_suffix("-main"));
            if let (Some(against), Some(included)) = (against, fence.includes.first()) {
                if included.listing() != Some(against) {
                    problems.push(format!(
                        "{place}: a part of {} is compiled against the library of {against}; \
                         name its own listing in `{word}`",
                        included.file
                    ));
                }
            }
        }
        if language == "console" && !TRANSCRIPT.is_match(body) {
            problems.push(format!(
                "{place}: a console fence shows a recorded run, and holds exactly one line, \
                 `{{{{#include ../recorded/transcripts/NAME.txt:anchor}}}}`; record the run, or use ```sh for \
                 commands to type"
            ));
        }
        if language == "text" && !body.lines().all(|line| line.starts_with("{{#include ")) {
            problems.push(format!(
                "{place}: a text fence holds only what a command has recorded, or a part of a \
                 listing: include it; code of its own is a rust fence, which is compiled"
            ));
        }
        if language == "sh" {
            let output = |line: &&str| line.starts_with("$ ") || line.starts_with("> ");
            problems.extend(body.lines().find(output).map(|line| {
                format!(
                    "{place}: `{line}` has a prompt; an sh fence holds commands as they are typed \
                     and no output, a console fence a recorded run"
                )
            }));
        }
    }
    problems
}

/// A transcript on this page shows a run with the change of that name.
fn is_run(sources: &Sources, page: &Page, name: &str) -> bool {
    let edit = format!("proposal = \"{name}\"");
    let scenarios = transcripts(page).into_iter();
    let mut texts = scenarios
        .filter_map(|transcript| sources.text(&format!("recorded/transcripts/{transcript}.toml")));
    texts.any(|text| text.lines().any(|line| line == edit))
}

/// The table of contents and the folder agree.
fn check_summary(sources: &Sources) -> Vec<String> {
    const SUMMARY: &str = "src/SUMMARY.md";
    let Some(summary) = sources.text(SUMMARY) else {
        return vec![format!("{SUMMARY}: there is none; list the pages in it")];
    };
    let mut listed = BTreeSet::new();
    let mut problems = Vec::new();
    let summary = Page::parse(SUMMARY, summary);
    for link in &summary.links {
        let file = join("src", &link.text);
        let place = summary.place(link.line);
        if sources.text(&file).is_none() {
            problems.push(format!(
                "{place}: there is no {file}; write it, or take it out"
            ));
        }
        listed.insert(file);
    }
    for Page { file: page, .. } in sources.pages() {
        if ![SUMMARY, "README.md"].contains(&page.as_str()) && !listed.contains(&page) {
            problems.push(format!(
                "{page}:1: no reader finds this page; add it to {SUMMARY}, or remove it"
            ));
        }
    }
    problems
}

/// A listing's marks are in order, everything marked is shown, and whatever shows it, shows it right.
fn check_listing(sources: &Sources, listing: &str) -> Vec<String> {
    let all = sources.includes();
    let here: Vec<_> = all
        .iter()
        .filter(|include| include.listing() == Some(listing))
        .collect();

    let mut problems = Vec::new();
    if here.is_empty() {
        problems.push(format!(
            "listings/{listing}: no page shows any of it; include a part, or remove the folder"
        ));
    }
    problems.extend(
        here.into_iter()
            .filter_map(|include| check_include(sources, include)),
    );

    // The same part of the same file, from whichever listing.
    let shown: BTreeSet<_> = all
        .iter()
        .filter_map(|include| {
            let path = include.file.strip_prefix("listings/")?.split_once('/')?.1;
            Some((path, include.part.as_deref()?))
        })
        .collect();
    for (path, text) in sources.under(&format!("listings/{listing}/")) {
        let file = format!("listings/{listing}/{path}");
        let (anchors, wrong) = anchors(&file, text);
        problems.extend(wrong);
        for anchor in anchors {
            if !shown.contains(&(path, anchor.name.as_str())) {
                problems.push(format!(
                    "{file}:{}: no page includes the anchor `{}` from any listing; remove its \
                     marks, or show it",
                    anchor.start, anchor.name
                ));
            }
        }
    }
    problems
}

type Check = Box<dyn Fn(&Sources) -> Vec<String> + Send>;

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let sources = Sources::read(&book::root()).map_err(told)?;
    let sources = Arc::new(sources);

    let mut trials = catches::trials();
    let mut trial = |name: String, check: Check| {
        let sources = Arc::clone(&sources);
        trials.push(Trial::test(name, move || report(check(&sources))));
    };
    for Page { file, .. } in sources.pages() {
        let name = format!("includes::{}", file.trim_start_matches("src/"));
        let check = move |sources: &Sources| {
            let text = sources.text(&file).unwrap_or_default();
            check_page(sources, &Page::parse(&file, text))
        };
        trial(name, Box::new(check));
    }
    for listing in sources.listings() {
        let name = listing.to_owned();
        trial(
            format!("{listing}::includes"),
            Box::new(move |sources| check_listing(sources, &name)),
        );
    }
    trial("includes::summary".into(), Box::new(check_summary));
    trial(
        "listing-20-27::includes::mutants".into(),
        Box::new(check_mutants),
    );
    trial("includes::tools".into(), Box::new(check_tools));
    trial("includes::pictures".into(), Box::new(check_pictures));
    Ok(trials)
}

fn check_page(sources: &Sources, page: &Page) -> Vec<String> {
    let mut problems = check_directives(sources, page);
    problems.extend(check_fences(sources, page));
    problems.extend(check_mentions(sources, page));
    problems.extend(check_paths(sources, page));
    problems.extend(check_tests(sources, page));
    problems.extend(check_quotes(sources, page));
    problems.extend(check_terms(sources, page));
    problems.extend(check_edits(sources, page));
    problems
}
