//! The calls of `cargo book` that the pages show, read as they would be typed.

use crate::pages;
use crate::support::{expect_problem, report};
use book::page::line_of;
use book::sources::Sources;
use book_commands::{Command, ErrorKind};
use libtest_mimic::Failed;
use regex::Regex;
use scraper::{Html, Selector};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Reads a call as it is typed, with `cargo book` and perhaps a comment. Help is one, too.
///
/// What shows the book is read twice: by clap, for its help, and by the program that does it, which has
/// no clap. Both have to read the same.
pub fn read(typed: &str) -> Result<(), (ErrorKind, String)> {
    let typed = typed.split(" #").next().unwrap_or_default();
    let words = typed.split_whitespace().skip(2);
    let shown = match Command::read(words.clone()) {
        Err(error) if error.use_stderr() => return Err((error.kind(), error.to_string())),
        Ok(Command::Serve(how)) => how.to_show(),
        Ok(Command::Build(how)) => how.to_show(),
        _ => return Ok(()),
    };
    match site::Command::read(words.map(OsString::from)) {
        Ok(read) if read == shown => Ok(()),
        read => Err((
            ErrorKind::InvalidValue,
            format!("`site` reads {read:?}, and clap {shown:?}"),
        )),
    }
}

/// Each option of what shows the book is read by both, in each way it can be written.
pub fn check_twice_read() -> Result<(), Failed> {
    let calls = [
        "",
        "serve",
        "serve -n ::1 -p 0 -o",
        "serve -o -p3001 --hostname=localhost",
        "serve --open --port 65535 --hostname 127.0.0.1",
        "build",
        "build -od pages",
        "build --open --dest-dir ../pages",
        "build --dest-dir=pages",
    ];
    let read = |call: &&str| read(&format!("cargo book {call}")).err();
    report(calls.iter().filter_map(read).map(|(_, why)| why).collect())
}

/// The calls that cannot be typed. In a line of its own, or behind a `$`, stands a whole one; between
/// backticks, arguments may be left out, and a word in capitals is any.
pub fn untypable(sources: &Sources) -> Vec<String> {
    let whole = Regex::new(r"(?m)^ *(?:\$ )?(cargo book(?: .*)?)$").expect("a pattern");
    let named = Regex::new(r"`(cargo\s+(?://[/!])?\s*book(?:\s[^`]*)?)`").expect("a pattern");
    let comment = Regex::new(r"\n\s*(//[/!])?").expect("a pattern");
    let mut problems = Vec::new();
    for (path, text) in sources.under("") {
        let mut check = |offset: usize, typed: &str, is_named: bool| {
            let any = typed.split(' ').any(|word| {
                word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase())
            });
            match read(typed) {
                Err((ErrorKind::MissingRequiredArgument, _)) if is_named => {}
                Err((ErrorKind::InvalidValue, _)) if is_named && any => {}
                Err((_, why)) => {
                    let line = line_of(text, offset);
                    problems.push(format!("{path}:{line}: `{typed}` cannot be typed: {why}"));
                }
                Ok(()) => {}
            }
        };
        if path.ends_with(".md") || path.starts_with("recorded/") {
            for call in whole.captures_iter(text) {
                check(call.get_match().start(), &call[1], false);
            }
        }
        for call in named.captures_iter(text) {
            let typed = comment.replace_all(&call[1], " ");
            check(call.get_match().start(), &typed, true);
        }
    }
    problems
}

/// What the test above is for, it finds.
pub fn check_untypable() -> Result<(), Failed> {
    let page = |text: &str| untypable(&Sources::of(&[("src/a.md", text)]));
    for right in [
        "```sh\ncargo book\n```",
        "```sh\ncargo book search a 2 2 meet    # to the end\n```",
        "see `cargo book check`, `cargo book record NAME` and `cargo book help`",
        "see `cargo\nbook step 20-24 ../hello`",
        "see `cargo book replay ../hello 2 1 01a` and `cargo book replay ../hello 2 1 01a meet`",
    ] {
        report(page(right))?;
    }
    for (wrong, part) in [
        ("```sh\ncargo book serach a\n```", "src/a.md:2"),
        ("```sh\ncargo book step 20-24\n```", "<FOLDER>"),
        ("```console\n$ cargo book search a 2 2 met\n```", "'met'"),
        ("see `cargo book recrod NAME`", "'recrod'"),
        ("see `cargo\nbook step 20-99 ../hello`", "'20-99'"),
    ] {
        expect_problem(&page(wrong), &[part])?;
    }
    Ok(())
}

/// What the preprocessor writes to be typed can be typed, too.
pub fn check_rendered() -> Result<(), Failed> {
    let code = Selector::parse("pre > code").map_err(|error| error.to_string())?;
    let (mut problems, mut calls) = (Vec::new(), 0);
    for page in pages::names()? {
        let text = fs::read_to_string(Path::new(pages::RENDERED).join(&page))?;
        for code in Html::parse_document(&text).select(&code) {
            let code: String = code.text().collect();
            for typed in code.lines().filter(|line| line.starts_with("cargo book")) {
                calls += 1;
                if let Err((_, why)) = read(typed) {
                    problems.push(format!("{page}: `{typed}` cannot be typed: {why}"));
                }
            }
        }
    }
    if calls == 0 {
        problems.push("no page has a call of `cargo book`".to_owned());
    }
    report(problems)
}
