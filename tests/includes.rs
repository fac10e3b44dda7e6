//! The promise: every include names an anchor that exists once, is closed and is not empty; no
//! fence goes untested, no include counts lines, and whatever a listing holds is shown.
//!
//! mdBook itself is silent about most of this: a missing anchor gives an empty block, an unclosed
//! one runs to the end of the file, and a missing file leaves the directive on the page.

mod support;

use book_commands::{mutants, root, tools};
use libtest_mimic::{Arguments, Failed, Trial};
use mdbook_markdown::pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};
use mdbook_markdown::{new_cmark_parser, MarkdownOptions};
use regex::Regex;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use support::{anchors, directives, includes, join, line_of, relative, report, Include, Sources};

/// What a fence may hold. Any other word is an error: ```` ```Rust ```` would escape the tests.
const LANGUAGES: [&str; 5] = ["rust", "console", "diff", "sh", "text"];

/// The directives that have a meaning here. mdBook's `playground` makes fences that are not tested.
const DIRECTIVES: [&str; 3] = ["include", "rustdoc_include", "title"];

/// What a chapter's Markdown holds, read with mdBook's own parser.
#[derive(Default)]
struct Page {
    fences: Vec<Fence>,
    /// Code spans in the prose, with their lines.
    spans: Vec<(usize, String)>,
}

struct Fence {
    line: usize,
    end: usize,
    /// `None`: the block is one by its indentation.
    info: Option<String>,
    body: String,
}

fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut fence: Option<Fence> = None;
    for (event, range) in new_cmark_parser(text, &MarkdownOptions::default()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                fence = Some(Fence {
                    line: line_of(text, range.start),
                    end: line_of(text, range.end),
                    info: match kind {
                        CodeBlockKind::Fenced(info) => Some(info.into_string()),
                        CodeBlockKind::Indented => None,
                    },
                    body: String::new(),
                });
            }
            Event::End(TagEnd::CodeBlock) => page.fences.extend(fence.take()),
            Event::Text(text) => {
                if let Some(fence) = &mut fence {
                    fence.body += &text;
                }
            }
            Event::Code(code) => {
                let line = line_of(text, range.start);
                page.spans.push((line, code.into_string()));
            }
            _ => {}
        }
    }
    page
}

/// What is wrong with an include of a file: the file is there, and so is its anchor.
fn check_include(sources: &Sources, include: &Include) -> Option<String> {
    let Include { place, file, part } = include;
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
fn check_directives(sources: &Sources, page: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for directive in directives(page, text) {
        let (place, kind) = (&directive.place, &directive.kind);
        if page == "README.md" {
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
    let includes = includes(page, text).into_iter().filter(elsewhere);
    if page != "README.md" {
        problems.extend(includes.filter_map(|include| check_include(sources, &include)));
    }
    problems
}

/// Every fence says what it holds, and none escapes the tests.
fn check_fences(page: &str, text: &str) -> Vec<String> {
    static TRANSCRIPT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\{\{#include transcripts/[\w-]+\.txt:[\w-]+\}\}\n?$").expect("a pattern")
    });
    let mut problems = Vec::new();
    for Fence {
        line,
        end,
        info,
        body,
    } in parse(text).fences
    {
        let place = format!("{page}:{line}");
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
                 LANGUAGES in tests/includes.rs together with a test of what such a fence holds"
            ));
        }
        // What a change does to a pool is searched, under the name that the fence gives it.
        if language == "diff" {
            let row = words.nth(1).map(|name| format!("| `{name}` |"));
            if row.is_none_or(|row| !text.contains(&row)) {
                problems.push(format!(
                    "{place}: a diff fence is ```diff,LISTING,NAME, and a table on its page has a \
                     row that begins with `NAME`: what the search found for this change"
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
            let inside = |include: &Include| (line..=end).contains(&include.place.line);
            let included = includes(page, text).into_iter().find(inside);
            if let (Some(against), Some(included)) = (against, &included) {
                if included.listing() != Some(against) {
                    problems.push(format!(
                        "{place}: a part of {} is compiled against the library of {against}; \
                         name its own listing in `{word}`",
                        included.file
                    ));
                }
            }
        }
        if language == "console" && !TRANSCRIPT.is_match(&body) {
            problems.push(format!(
                "{place}: a console fence shows a recorded run, and holds exactly one line, \
                 `{{{{#include transcripts/NAME.txt:anchor}}}}`; record the run, or use ```sh for \
                 commands to type"
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

/// The listings that the page names exist.
fn check_mentions(sources: &Sources, page: &str, text: &str) -> Vec<String> {
    static MENTION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bListing (\d+-\d+)").expect("a pattern"));
    let listings = sources.listings();
    let mentions = MENTION.captures_iter(text);
    mentions
        .filter(|mention| !listings.contains(format!("listing-{}", &mention[1]).as_str()))
        .map(|mention| {
            let line = line_of(text, mention.get_match().start());
            let number = &mention[1];
            format!(
                "{page}:{line}: names Listing {number}, but there is no listings/listing-{number}; \
                 correct the number"
            )
        })
        .collect()
}

/// A picture of a run, `<svg data-run="TRANSCRIPT:TERMINAL">`, shows what was recorded: its
/// `<text class="said">` are what that terminal showed to its end, line by line.
fn check_pictures(sources: &Sources) -> Vec<String> {
    static RUN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"data-run="([\w-]+):([\w-]+)""#).expect("a pattern"));
    static SAID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"<text class="said"[^>]*>([^<]*)</text>"#).expect("a pattern")
    });
    let mut problems = Vec::new();
    for (picture, svg) in sources.under("src/pictures/") {
        let place = format!("src/pictures/{picture}");
        let said: Vec<_> = SAID
            .captures_iter(svg)
            .map(|said| said[1].to_owned())
            .collect();
        let Some(run) = RUN.captures(svg) else {
            if !said.is_empty() {
                problems.push(format!(
                    "{place}: shows lines of a run; name it: `<svg data-run=\"TRANSCRIPT:TERMINAL\">`"
                ));
            }
            continue;
        };
        let (name, terminal) = (&run[1], &run[2]);
        let file = format!("src/transcripts/{name}.txt");
        let recorded: Vec<&str> = (sources.text(&file).unwrap_or_default().lines())
            .skip_while(|line| *line != format!("# ANCHOR: {terminal}"))
            .skip(1)
            .take_while(|line| *line != format!("# ANCHOR_END: {terminal}"))
            .skip_while(|line| said.first().is_none_or(|first| line != first))
            .collect();
        if said.is_empty() || said != recorded {
            problems.push(format!(
                "{place}: is not what {file} says of `{terminal}`; draw it again.\nrecorded:\n{}\n\
                 drawn:\n{}",
                recorded.join("\n"),
                said.join("\n")
            ));
        }
    }
    problems
}

/// What the prose quotes of a program's output stands in a recording that the page shows: when a
/// transcript is recorded anew, the reading of it has to follow.
fn check_quotes(sources: &Sources, page: &str, text: &str) -> Vec<String> {
    static OUTPUT: LazyLock<Regex> = LazyLock::new(|| {
        let lines = [
            r"Worker \d .+",
            r"Shutting down.*",
            r"Job \d runs\.",
            r"Dropping the pool\.",
            r"The pool is gone\.",
        ];
        Regex::new(&format!("^({})$", lines.join("|"))).expect("a pattern")
    });

    let includes = includes(page, text);
    let shown: BTreeSet<&str> = (includes.iter())
        .filter(|include| include.file.contains("/transcripts/") || include.listing().is_some())
        .filter_map(|include| sources.text(&include.file))
        .flat_map(str::lines)
        .map(|line| {
            line.trim()
                .trim_start_matches("println!(\"")
                .trim_end_matches("\");")
        })
        .collect();
    let quotes = parse(text).spans.into_iter();
    quotes
        .filter(|(_, span)| OUTPUT.is_match(span) && !shown.contains(span.as_str()))
        .map(|(line, span)| {
            format!(
                "{page}:{line}: quotes the output `{span}`, which no transcript on this page shows; \
                 read the recording again, and mend the text"
            )
        })
        .collect()
}

/// The tests that the prose names exist: a name of three words or more, such as `a_job_is_lost`.
fn check_tests(sources: &Sources, page: &str, text: &str) -> Vec<String> {
    static TEST: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[a-z]+(_[a-z0-9]+){2,}$").expect("a pattern"));
    let listings = sources.under("listings/");
    let exists = |name: &str| {
        let function = format!("fn {name}(");
        listings.values().any(|text| text.contains(&function))
    };
    let spans = parse(text).spans.into_iter();
    spans
        .filter(|(_, span)| TEST.is_match(span) && !exists(span))
        .map(|(line, span)| {
            format!(
                "{page}:{line}: names the test `{span}`, which no listing has; correct the name"
            )
        })
        .collect()
}

/// The record of cargo-mutants is of the pool and the tests as they are now.
fn check_mutants(sources: &Sources) -> Vec<String> {
    let title = mutants::title(&root());
    check_record(
        sources,
        &mutants::file(Path::new("")),
        title,
        "cargo book mutants",
    )
}

/// The record of Miri and the others is of the programs as they are now.
fn check_tools(sources: &Sources) -> Vec<String> {
    let title = tools::title(&root());
    check_record(
        sources,
        &tools::file(Path::new("")),
        title,
        "cargo book tools",
    )
}

/// A record begins with its title, which changes with what was recorded.
fn check_record(
    sources: &Sources,
    file: &Path,
    title: Result<String, impl Display>,
    command: &str,
) -> Vec<String> {
    let file = relative(Path::new(""), file);
    let recorded = sources.text(&file).unwrap_or_default();
    match title {
        Ok(title) if recorded.starts_with(&title) => Vec::new(),
        Ok(_) => vec![format!(
            "{file}: what it was recorded from has changed since; record it again with `{command}`"
        )],
        Err(error) => vec![format!("{error:#}")],
    }
}

/// The table of contents and the folder agree.
fn check_summary(sources: &Sources) -> Vec<String> {
    const SUMMARY: &str = "src/SUMMARY.md";
    let Some(summary) = sources.text(SUMMARY) else {
        return vec![format!("{SUMMARY}: there is none; list the pages in it")];
    };
    let mut listed = BTreeSet::new();
    let mut problems = Vec::new();
    let parser = new_cmark_parser(summary, &MarkdownOptions::default());
    for (event, range) in parser.into_offset_iter() {
        let Event::Start(Tag::Link { dest_url, .. }) = event else {
            continue;
        };
        let file = join("src", &dest_url);
        let place = format!("{SUMMARY}:{}", line_of(summary, range.start));
        if sources.text(&file).is_none() {
            problems.push(format!(
                "{place}: there is no {file}; write it, or take it out"
            ));
        }
        listed.insert(file);
    }
    for (page, _) in sources.pages() {
        if ![SUMMARY, "README.md"].contains(&page) && !listed.contains(page) {
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

fn main() -> Result<(), String> {
    let arguments = Arguments::from_args();
    let sources = Arc::new(Sources::read(Path::new(env!("CARGO_MANIFEST_DIR")))?);

    let mut trials = catches();
    let mut trial = |name: String, check: Check| {
        let sources = Arc::clone(&sources);
        trials.push(Trial::test(name, move || report(check(&sources))));
    };
    for (page, text) in sources.pages() {
        let (page, text) = (page.to_owned(), text.to_owned());
        let name = page.trim_start_matches("src/");
        trial(
            format!("includes::{name}"),
            Box::new(move |sources| {
                let mut problems = check_directives(sources, &page, &text);
                problems.extend(check_fences(&page, &text));
                problems.extend(check_mentions(sources, &page, &text));
                problems.extend(check_tests(sources, &page, &text));
                problems.extend(check_quotes(sources, &page, &text));
                problems
            }),
        );
    }
    for listing in sources.listings() {
        let name = listing.to_owned();
        trial(
            format!("{listing}::includes"),
            Box::new(move |sources| check_listing(sources, &name)),
        );
    }
    trial("includes::summary".into(), Box::new(check_summary));
    trial("listing-20-27::mutants".into(), Box::new(check_mutants));
    trial("includes::tools".into(), Box::new(check_tools));
    trial("includes::pictures".into(), Box::new(check_pictures));

    libtest_mimic::run(&arguments, trials).exit()
}

/// Each rule, shown something that breaks it.
fn catches() -> Vec<Trial> {
    // A page and a library, and the one problem that they have.
    let page_and_lib = |page: &str, lib: &str| {
        Sources::of(&[
            ("src/page.md", page),
            ("src/SUMMARY.md", "[P](page.md)"),
            ("listings/listing-1-1/src/lib.rs", lib),
        ])
    };
    let good_lib = "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n";
    let include = |path: &str| format!("```rust\n{{{{#rustdoc_include {path}}}}}\n```\n");
    let lib = "../listings/listing-1-1/src/lib.rs";

    let mut trials = Vec::new();
    let mut catch = |name: &str, sources: Sources, parts: &'static [&'static str]| {
        let check = move || -> Result<(), Failed> {
            support::expect_problem(&all_problems(&sources), parts)
        };
        trials.push(Trial::test(format!("includes::catches::{name}"), check));
    };

    let shown = include(&format!("{lib}:a"));
    for (name, path, parts) in [
        (
            "missing_file",
            "nothing.rs:a",
            &["src/page.md:5: there is no file src/nothing.rs"][..],
        ),
        (
            "missing_file_of_a_listing",
            "../listings/listing-1-1/src/x.rs:a",
            &["src/page.md:5: there is no file listings/listing-1-1/src/x.rs"],
        ),
        (
            "missing_anchor",
            "../listings/listing-1-1/src/lib.rs:b",
            &["src/page.md:5: ", "no anchor `b`", "it has: a"],
        ),
        (
            "whole_file",
            "../listings/listing-1-1/src/lib.rs",
            &["src/page.md:5: includes the whole"],
        ),
        (
            "line_numbers",
            "../listings/listing-1-1/src/lib.rs:2:3",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "line_number",
            "../listings/listing-1-1/src/lib.rs:2",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "lines_from",
            "../listings/listing-1-1/src/lib.rs:2:",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "lines_to",
            "../listings/listing-1-1/src/lib.rs::2",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "whole_listing_file_as_svg",
            "lib.svg:a",
            &["src/page.md:5: there is no file src/lib.svg"],
        ),
    ] {
        catch(
            name,
            page_and_lib(&format!("{shown}{}", include(path)), good_lib),
            parts,
        );
    }

    for (name, lib, parts) in [
        ("unclosed_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\n", &["lib.rs:4: `ANCHOR: b` is never closed"][..]),
        ("unopened_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR_END: b\n", &["lib.rs:4: `ANCHOR_END: b` closes nothing"]),
        ("anchor_twice", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\nfn b() {}\n// ANCHOR: b\n// ANCHOR_END: b\n", &["lib.rs:4: ", "`b`", "more than once"]),
        ("end_first", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR_END: b\n// ANCHOR: b\n", &["lib.rs:4: `ANCHOR_END: b` stands before"]),
        ("empty_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\n\n// ANCHOR_END: b\n", &["lib.rs:4: nothing stands between"]),
        ("unused_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\nfn b() {}\n// ANCHOR_END: b\n", &["listings/listing-1-1/src/lib.rs:4: no page includes the anchor `b`"]),
    ] {
        catch(name, page_and_lib(&shown, lib), parts);
    }

    for (name, page, parts) in [
        ("inline_directive", "See `{{#include a.svg}}`.\n", &["src/page.md:4: ", "does not begin its line"][..]),
        ("playground", "{{#playground a.rs}}\n", &["src/page.md:4: unknown directive `{{#playground}}`"]),
        ("fence_without_language", "```\nx\n```\n", &["src/page.md:4: the fence does not say"]),
        ("unknown_language", "```Rust\nfn main() {}\n```\n", &["src/page.md:4: unknown language `Rust`"]),
        ("rs_fence", "~~~rs\nfn main() {}\n~~~\n", &["src/page.md:4: unknown language `rs`"]),
        ("indented_code", "A\n\n    fn main() {}\n", &["src/page.md:6: indented"]),
        ("fence_in_a_list", "- A\n\n  ```\n  x\n  ```\n", &["src/page.md:6: the fence does not say"]),
        ("ignore", "```rust,ignore\nfn main() {}\n```\n", &["src/page.md:4: `ignore` may not"]),
        ("should_panic", "```rust,should_panic\nfn main() {}\n```\n", &["src/page.md:4: `should_panic` may not"]),
        ("compile_fail", "```rust,compile_fail\nfn main() {}\n```\n", &["src/page.md:4: `compile_fail` may not"]),
        ("space_in_info", "```rust no_run\nfn main() {}\n```\n", &["src/page.md:4: unknown language `rust no_run`"]),
        ("main_against_another_library", "```rust,skt-listing-9-9-main\n{{#rustdoc_include ../listings/listing-1-1/src/lib.rs:a}}\n```\n", &["src/page.md:4: ", "library of listing-9-9"]),
        ("typed_transcript", "```console\n$ cargo run\n```\n", &["src/page.md:4: a console fence shows a recorded run"]),
        ("diff_that_is_not_searched", "```diff,listing-1-1,my-change\n-a\n+b\n```\n", &["src/page.md:4: a diff fence is"]),
        ("sh_with_prompt", "```sh\n$ cargo run\n```\n", &["src/page.md:4: `$ cargo run` has a prompt"]),
        ("quote_of_no_output", "It prints `Worker 7 got a job; executing.`\n", &["src/page.md:4: quotes the output `Worker 7 got"]),
        ("test_of_no_listing", "As `a_test_that_is_not` shows,\n", &["src/page.md:4: names the test `a_test_that_is_not`"]),
        ("mention_of_no_listing", "In Listing 1-2,\n", &["src/page.md:4: names Listing 1-2"]),
    ] {
        let page = format!("{shown}{page}");
        catch(name, Sources::of(&[
            ("src/page.md", &page),
            ("src/a.svg", "<svg/>"),
            ("src/SUMMARY.md", "[P](page.md)"),
            ("listings/listing-1-1/src/lib.rs", good_lib),
        ]), parts);
    }

    catch(
        "page_not_in_summary",
        Sources::of(&[("src/SUMMARY.md", ""), ("src/lost.md", "")]),
        &["src/lost.md:1: no reader finds"],
    );
    catch(
        "page_only_in_summary",
        Sources::of(&[("src/SUMMARY.md", "# S\n\n- [A](a.md)")]),
        &["src/SUMMARY.md:3: there is no src/a.md"],
    );
    catch(
        "no_summary",
        Sources::of(&[]),
        &["src/SUMMARY.md: there is none"],
    );
    catch(
        "unshown_listing",
        page_and_lib("", ""),
        &["listings/listing-1-1: no page shows"],
    );
    catch(
        "directive_in_readme",
        Sources::of(&[
            ("README.md", "{{#include a.txt:b}}"),
            ("src/SUMMARY.md", ""),
        ]),
        &["README.md:1: nothing expands"],
    );

    catch(
        "unclosed_anchor_of_a_transcript",
        Sources::of(&[
            (
                "src/page.md",
                "```console\n{{#include transcripts/t.txt:a}}\n```\n",
            ),
            ("src/transcripts/t.txt", "ANCHOR: a\n$ cargo run\n"),
            ("src/SUMMARY.md", "[P](page.md)"),
        ]),
        &["src/page.md:2: includes `a`, but src/transcripts/t.txt:1: `ANCHOR: a` is never closed"],
    );

    let picture = |svg: &'static str| {
        Sources::of(&[
            ("src/pictures/p.svg", svg),
            (
                "src/transcripts/t.txt",
                "# ANCHOR: a\n$ run\nOne\nTwo\n# ANCHOR_END: a\n",
            ),
            ("src/SUMMARY.md", ""),
        ])
    };
    for (name, svg, parts) in [
        ("picture_of_another_run", "<svg data-run=\"t:a\"><text class=\"said\">One</text><text class=\"said\">2</text></svg>", &["src/pictures/p.svg: is not what src/transcripts/t.txt says of `a`"][..]),
        ("picture_of_half_a_run", "<svg data-run=\"t:a\"><text class=\"said\">One</text></svg>", &["src/pictures/p.svg: is not what"]),
        ("picture_of_no_run", "<svg><text class=\"said\">One</text></svg>", &["src/pictures/p.svg: shows lines of a run; name it"]),
    ] {
        catch(name, picture(svg), parts);
    }
    let good = picture(
        "<svg data-run=\"t:a\"><text class=\"said\">One</text><text class=\"said\" x=\"1\">Two</text></svg>",
    );
    trials.push(Trial::test(
        "includes::catches::no_good_picture",
        move || report(all_problems(&good)),
    ));

    // And what it must not catch.
    let good = page_and_lib(
        &format!(
            "{{{{#title T}}}}\n{shown}\\{{{{#include nothing.rs}}}}\n\n```rust,no_run,skt-x\n```\n\n\
             {shown}\n\nListing 1-1\n"
        ),
        good_lib,
    );
    trials.push(Trial::test("includes::catches::nothing_else", move || {
        report(all_problems(&good))
    }));
    trials
}

fn all_problems(sources: &Sources) -> Vec<String> {
    let mut problems = check_summary(sources);
    problems.extend(check_pictures(sources));
    for (page, text) in sources.pages() {
        problems.extend(check_directives(sources, page, text));
        problems.extend(check_fences(page, text));
        problems.extend(check_mentions(sources, page, text));
        problems.extend(check_tests(sources, page, text));
        problems.extend(check_quotes(sources, page, text));
    }
    for listing in sources.listings() {
        problems.extend(check_listing(sources, listing));
    }
    problems
}
