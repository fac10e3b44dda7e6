//! What the prose and the pictures name, quote, and say that was recorded.

use book::page::{line_of, Page};
use book::sources::{relative, Sources};
use book::transcripts::Scenario;
use book_commands::{mutants, tools};
use regex::Regex;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;
use std::sync::LazyLock;

/// The listings that the page names exist.
pub fn check_mentions(sources: &Sources, page: &Page) -> Vec<String> {
    static MENTION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\bListing (\d+-\d+)").expect("a pattern"));
    let listings = sources.listings();
    let mentions = MENTION.captures_iter(page.text);
    mentions
        .filter(|mention| !listings.contains(format!("listing-{}", &mention[1]).as_str()))
        .map(|mention| {
            let place = page.place(line_of(page.text, mention.get_match().start()));
            let number = &mention[1];
            format!(
                "{place}: names Listing {number}, but there is no listings/listing-{number}; \
                 correct the number"
            )
        })
        .collect()
}

/// A picture of a run, `<svg data-run="TRANSCRIPT:TERMINAL">`, shows what was recorded: its
/// `<text class="said">` are what that terminal showed to its end, line by line.
pub fn check_pictures(sources: &Sources) -> Vec<String> {
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
        let file = format!("recorded/transcripts/{name}.txt");
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
pub fn check_quotes(sources: &Sources, page: &Page) -> Vec<String> {
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

    let includes = page.includes();
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
    let quotes = page.spans.iter();
    quotes
        .filter(|span| OUTPUT.is_match(&span.text) && !shown.contains(span.text.as_str()))
        .map(|span| {
            let (place, span) = (page.place(span.line), &span.text);
            format!(
                "{place}: quotes the output `{span}`, which no transcript on this page shows; \
                 read the recording again, and mend the text"
            )
        })
        .collect()
}

/// The files and folders that the prose names exist, in the book or in a listing: `tests/pool.rs`.
pub fn check_paths(sources: &Sources, page: &Page) -> Vec<String> {
    static PATH: LazyLock<Regex> = LazyLock::new(|| {
        let top = "crates|listings|recorded|src|tests|theme";
        Regex::new(&format!(r"^({top})/[a-z0-9_./-]*$")).expect("a pattern")
    });
    let listings = sources.listings();
    let exists = |path: &str| {
        let in_listing = |name: &&str| book::root().join("listings").join(name).join(path).exists();
        book::root().join(path).exists() || listings.iter().any(in_listing)
    };
    let spans = page.spans.iter();
    spans
        .filter(|span| PATH.is_match(&span.text) && !exists(&span.text))
        .map(|span| {
            let (place, path) = (page.place(span.line), &span.text);
            format!("{place}: names `{path}`, which is neither here nor in a listing; correct it")
        })
        .collect()
}

/// The tests that the prose names exist: a name of three words or more, such as `a_job_is_lost`.
pub fn check_tests(sources: &Sources, page: &Page) -> Vec<String> {
    static TEST: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[a-z]+(_[a-z0-9]+){2,}$").expect("a pattern"));
    let listings = sources.under("listings/");
    let exists = |name: &str| {
        let function = format!("fn {name}(");
        listings.values().any(|text| text.contains(&function))
    };
    let spans = page.spans.iter();
    spans
        .filter(|span| TEST.is_match(&span.text) && !exists(&span.text))
        .map(|span| {
            let (place, span) = (page.place(span.line), &span.text);
            format!("{place}: names the test `{span}`, which no listing has; correct the name")
        })
        .collect()
}

/// What the glossary explains stands where its entry leads.
pub fn check_terms(sources: &Sources, page: &Page) -> Vec<String> {
    static TERM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\*\*([^*]+)\*\*").expect("a pattern"));
    static PLACE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\(([\w-]+\.md)#([\w-]+)\)").expect("a pattern"));
    if page.file != "src/glossary.md" {
        return Vec::new();
    }
    // "Gracefully", and "shut down", hold the words of "graceful shutdown".
    let squeezed = |text: &str| text.to_lowercase().split_whitespace().collect::<String>();
    let mut problems = Vec::new();
    for (start, _) in page.text.match_indices("\n- **") {
        let entry = &page.text[start + 1..];
        let entry = &entry[..entry.find("\n- ").unwrap_or(entry.len())];
        let place = page.place(line_of(page.text, start + 1));
        let Some(leads) = PLACE.captures(entry) else {
            problems.push(format!(
                "{place}: leads nowhere; add a link: `page.md#section`"
            ));
            continue;
        };
        let (file, id) = (&leads[1], &leads[2]);
        let text = sources.text(&format!("src/{file}")).unwrap_or_default();
        let explained = squeezed(section(text, id));
        let terms = TERM
            .captures_iter(entry)
            .map(|term| squeezed_words(&term[1]));
        for word in terms.flatten() {
            if !explained.contains(&word) {
                problems.push(format!(
                    "{place}: leads to {file}#{id}, where `{word}` does not stand; correct the link, \
                     or use the word there"
                ));
            }
        }
    }
    problems
}

fn squeezed_words(term: &str) -> Vec<String> {
    let words = term.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The section of that id: from its heading to the next.
fn section<'t>(text: &'t str, id: &str) -> &'t str {
    static HEADING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^#+ (.*)$").expect("a pattern"));
    let plain = |heading: &str| -> String {
        let heading = heading.to_lowercase().replace(' ', "-");
        let of_an_id = |c: &char| c.is_alphanumeric() || ['-', '_'].contains(c);
        heading.chars().filter(of_an_id).collect()
    };
    let mut headings = HEADING.captures_iter(text);
    let Some(heading) = headings.find(|heading| plain(&heading[1]) == id) else {
        return "";
    };
    let rest = &text[heading.get_match().start()..];
    let end = headings
        .next()
        .map(|next| next.get_match().start() - heading.get_match().start());
    &rest[..end.unwrap_or(rest.len())]
}

/// The names of the transcripts that the page shows.
pub fn transcripts(page: &Page) -> BTreeSet<String> {
    let files = page.includes().into_iter().map(|include| include.file);
    let names = files.filter_map(|file| {
        let name = file.strip_prefix("recorded/transcripts/")?;
        Some(name.strip_suffix(".txt")?.to_owned())
    });
    names.collect()
}

/// Whoever makes the change that the page asks for has what was run. A program that is shown with
/// `tail` stands there to be pasted: nothing but comments is cut off. Of any other change, the page
/// has the lines that come and, in code, those that go.
pub fn check_edits(sources: &Sources, page: &Page) -> Vec<String> {
    static TAIL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^tail -n (\+?)(\d+) (\S+)$").expect("a pattern"));
    let mut problems = Vec::new();
    for name in transcripts(page) {
        let scenario = match Scenario::of(sources, &name) {
            Some(Ok(scenario)) => scenario,
            Some(Err(error)) => {
                problems.push(format!("{error:#}"));
                continue;
            }
            None => continue,
        };
        let recorded = sources.text(&format!("recorded/transcripts/{name}.txt"));
        let shown = [page.text, recorded.unwrap_or_default()];
        let terminals = scenario.terminals().into_iter();
        let commands: Vec<_> = terminals.flat_map(|t| scenario.commands(t)).collect();
        for edit in &scenario.edits {
            let place = format!(
                "recorded/transcripts/{name}.toml, the edit of {}",
                edit.file
            );
            let tails = commands.iter().filter_map(|command| TAIL.captures(command));
            if let Some(tail) = tails.into_iter().find(|tail| tail[3] == edit.file) {
                let file = format!("listings/{}/{}", scenario.listing, edit.file);
                let text = sources.text(&file).unwrap_or_default();
                let text = text.replacen(&edit.from, &edit.to, 1);
                let count: usize = tail[2].parse().unwrap_or_default();
                let hidden = match &tail[1] {
                    "+" => count.saturating_sub(1),
                    _ => text.lines().count().saturating_sub(count),
                };
                let mut hidden = text.lines().take(hidden);
                if let Some(line) = hidden.find(|line| is_code(line)) {
                    problems.push(format!(
                        "{place}: `{}` does not show `{line}`, without which the program cannot be \
                         pasted from {}; show it",
                        &tail[0], page.file
                    ));
                }
                continue;
            }
            // With `if false`, something is taken out so that the compiler does not miss it.
            let lines = |text: &str| -> BTreeSet<String> {
                let lines = text.lines().filter(|line| is_code(line));
                let lines = lines.filter(|line| line.trim() != "if false {");
                lines.map(|line| line.trim().to_owned()).collect()
            };
            let (from, to) = (lines(&edit.from), lines(&edit.to));
            let changed = match edit.file.ends_with(".rs") {
                true => from.symmetric_difference(&to).collect::<Vec<_>>(),
                false => to.difference(&from).collect(),
            };
            for line in changed {
                if !shown.iter().any(|text| text.contains(line)) {
                    problems.push(format!(
                        "{place}: changes `{line}`, of which {} says nothing; show the change there, \
                         in a fence ```diff,LISTING,NAME, and take it from there: `proposal = \"NAME\"`",
                        page.file
                    ));
                }
            }
        }
    }
    problems
}

fn is_code(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//")
}

/// The record of cargo-mutants is of the pool and the tests as they are now.
pub fn check_mutants(sources: &Sources) -> Vec<String> {
    let title = mutants::title(&book::root());
    check_record(
        sources,
        &mutants::file(Path::new("")),
        title,
        "cargo book mutants",
    )
}

/// The record of Miri and the others is of the programs as they are now.
pub fn check_tools(sources: &Sources) -> Vec<String> {
    let title = tools::title(&book::root());
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
