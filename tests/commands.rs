//! The promise: `cargo book help` names every command, each command's help explains every argument, a
//! wrong call says what is wrong and how to call it, and every call in the README, on a page and in a
//! recording can be typed.

use crate::pages;
use crate::support::{expect_problem, report, told};
use book::page::line_of;
use book::sources::Sources;
use book_commands::{Command as Call, ErrorKind};
use libtest_mimic::{Failed, Trial};
use regex::Regex;
use scraper::{Html, Selector};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// With this as its first argument, this program is `cargo book`.
pub const BOOK: &str = "--cargo-book";

pub fn trials() -> Result<Vec<Trial>, Failed> {
    Ok(vec![
        Trial::test("commands::help", check_help),
        Trial::test("commands::unexplained", check_unexplained),
        Trial::test("commands::wrong_calls", check_wrong_calls),
        Trial::test("commands::failures", check_failures),
        Trial::test("commands::closed_pipe", check_closed_pipe),
        #[cfg(unix)]
        Trial::test("commands::mdbook", check_mdbook),
        Trial::test("commands::typed", || {
            report(typed(&Sources::read(&book::root()).map_err(told)?))
        }),
        Trial::test("commands::untypable", check_untypable),
        Trial::test("commands::rendered", check_rendered),
    ])
}

/// `cargo book` with these arguments, on a terminal of 80 columns that wants colors.
fn book(arguments: &[OsString]) -> Result<Command, Failed> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(BOOK).args(arguments).stdin(Stdio::null());
    command.env("COLUMNS", "80").env("CLICOLOR_FORCE", "1");
    Ok(command)
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn output(line: &str) -> Result<Output, Failed> {
    Ok(book(&words(line))?.output()?)
}

/// What `cargo book` prints on standard output, with the status 0.
fn printed(line: &str) -> Result<String, Failed> {
    let output = output(line)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || !errors.is_empty() {
        let status = output.status;
        return Err(format!("`cargo book {line}` ends with {status}, and says {errors}").into());
    }
    Ok(String::from_utf8(output.stdout).map_err(|error| error.to_string())?)
}

/// The lines of a section, such as `Commands:`, up to an empty line.
fn section<'t>(text: &'t str, title: &str) -> Vec<&'t str> {
    let lines = text.lines().skip_while(|line| *line != title).skip(1);
    lines.take_while(|line| !line.is_empty()).collect()
}

fn check_help() -> Result<(), Failed> {
    let help = printed("help")?;
    let mut problems = Vec::new();
    for line in ["--help", "-h"] {
        if printed(line)? != help {
            problems.push(format!("`cargo book {line}` is not `cargo book help`"));
        }
    }
    let commands = section(&help, "Commands:");
    for command in &commands {
        if command.starts_with("   ") {
            problems.push(format!(
                "`cargo book help`: a summary takes a second line: {command}"
            ));
            continue;
        }
        let (name, summary) = command.trim_start().split_once(' ').unwrap_or_default();
        if name == "help" {
            continue; // the one that was asked
        }
        let text = printed(&format!("help {name}"))?;
        for line in [format!("{name} --help"), format!("{name} -h")] {
            if printed(&line)? != text {
                problems.push(format!(
                    "`cargo book {line}` is not `cargo book help {name}`"
                ));
            }
        }
        problems.extend(problems_of_help(name, summary.trim(), &text));
    }
    for name in ["search", "serve", "step", "help"] {
        let line = format!("  {name} ");
        if !commands.iter().any(|command| command.starts_with(&line)) {
            problems.push(format!("`cargo book help` does not name {name}"));
        }
    }
    report(problems)
}

/// What is missing in the help of the command `name`.
fn problems_of_help(name: &str, summary: &str, text: &str) -> Vec<String> {
    let place = format!("`cargo book {name} --help`");
    let mut problems = Vec::new();
    let mut problem = |what: String| problems.push(format!("{place}: {what}"));
    let call = format!("cargo book {name}");

    let mut lines = text.lines();
    if lines.next() != Some(summary) || summary.is_empty() || lines.next() != Some("") {
        problem(format!("it does not begin with the summary {summary:?}"));
    }
    let usage = lines.next().unwrap_or_default();
    if !usage.starts_with(&format!("Usage: {call}")) {
        problem("its third line does not say how it is called".to_owned());
    }

    // `  <NAME>...  What it is`, `  -n, --name <NAME>  What it is`.
    let entry = Regex::new(r"^ +(\S.*?)  +\S").expect("a pattern");
    let entries = ["Arguments:", "Options:"].map(|title| section(text, title));
    let explained: Vec<_> = entries
        .concat()
        .iter()
        .filter_map(|line| Some(entry.captures(line)?[1].to_owned()))
        .collect();
    let argument = Regex::new(r"[<\[](--? )?<?([A-Z]+)[>\]]").expect("a pattern");
    for argument in argument.captures_iter(usage) {
        let name = &argument[2];
        let means = |entry: &&String| {
            entry.contains(&format!("<{name}>")) || entry.contains(&format!("[{name}]"))
        };
        let is_there = match name {
            "OPTIONS" => explained.iter().any(|entry| entry.starts_with('-')),
            _ => explained.iter().any(|entry| means(&entry)),
        };
        if !is_there {
            problem(format!("it does not explain {name}"));
        }
    }
    // What is indented more is the rest of an explanation.
    let unexplained = entries.concat().into_iter().filter(|line| {
        let entry = line.trim_start();
        line.len() - entry.len() <= 6 && !entry.contains("  ")
    });
    for line in unexplained {
        problem(format!("it does not explain {}", line.trim()));
    }

    let example = text.lines().find_map(|line| line.strip_prefix("Example: "));
    match example.map(|example| (example, read(example))) {
        Some((example, Ok(_))) if example.split_whitespace().take(3).eq(call.split(' ')) => {}
        Some((example, Err((_, why)))) => problem(format!("`{example}` cannot be typed: {why}")),
        _ => problem(format!("it has no `Example: {call} ...`")),
    }
    if text.contains('\x1b') {
        problem("there are colors in it".to_owned());
    }
    for line in text.lines().filter(|line| line.chars().count() > 80) {
        problem(format!("on 80 columns, this line is too long: {line}"));
    }
    problems
}

/// What the test above is for, it finds.
fn check_unexplained() -> Result<(), Failed> {
    let help = printed("step --help")?;
    let summary = help.lines().next().unwrap_or_default();
    let problems = |text: &str| problems_of_help("step", summary, text);
    report(problems(&help))?;
    let lines = |keep: fn(&str) -> bool| {
        let lines = help.lines().filter(|line| keep(line));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let gone = lines(|line| !line.starts_with("  <FOLDER>"));
    expect_problem(&problems(&gone), &["does not explain FOLDER"])?;
    let gone = lines(|line| !line.starts_with("Example"));
    expect_problem(&problems(&gone), &["no `Example: cargo book step"])?;
    let other = help.replace("step 20-24", "step 19-1");
    expect_problem(&problems(&other), &["cannot be typed", "19-1"])?;
    let bare = help.replace("  Print help", "");
    expect_problem(&problems(&bare), &["does not explain -h, --help"])?;
    let colored = help.replace("Usage", "\x1b[1mUsage\x1b[0m");
    let colored = problems(&colored);
    match colored.iter().any(|problem| problem.contains("colors")) {
        true => Ok(()),
        false => Err(format!("colors are not seen: {colored:?}").into()),
    }
}

/// Wrong calls, and what is said of each beside the usage.
const WRONG: [(&str, &[&str]); 24] = [
    ("serach", &["'serach'", "'search'"]),
    ("--versoin", &["'--versoin'"]),
    ("help nothing", &["'nothing'"]),
    ("step", &["<STEP>", "<FOLDER>"]),
    ("step 20-24", &["<FOLDER>"]),
    ("step 20-24 a b", &["'b'"]),
    (
        "step 20-99 a",
        &["'20-99'", "starting-point, 20-23, 20-24,"],
    ),
    ("step listing-9-9 a", &["'listing-9-9'", "20-30]"]),
    ("check 20-25 a", &["'20-25'", "20-26, 20-27,"]),
    ("check 20-26", &["<FOLDER>"]),
    ("search", &["<FOLDER>"]),
    ("search a 2", &["<JOBS>"]),
    ("search a two 1", &["'two'", "no number"]),
    ("search a 2 -1", &["'-1'"]),
    ("search a 0 1", &["'0'", "at least one worker"]),
    ("search a 2 1 mete", &["'mete'", "meet, random, pct"]),
    ("search a 2 3 meet", &["more jobs than workers cannot meet"]),
    ("search a 2 2 random pct", &["one of `random` and `pct`"]),
    ("replay a 2 1", &["<SCHEDULE>"]),
    ("replay a 1 2 0011 meet", &["cannot meet"]),
    ("record 20-24-drp", &["'20-24-drp'", "'20-24-drop'"]),
    ("serve --prot 3001", &["'--prot'", "'--port'"]),
    ("serve --port 99999", &["'99999'", "65535"]),
    ("mutants fast", &["'fast'"]),
];

fn check_wrong_calls() -> Result<(), Failed> {
    let mut problems = Vec::new();
    for (line, parts) in WRONG {
        problems.extend(problem_of_wrong(line, &words(line), parts)?);
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let words = ["step", "20-\u{fffd}", "a"].map(|word| match word.split_once('\u{fffd}') {
            Some((start, _)) => OsString::from_vec([start.as_bytes(), b"\xff"].concat()),
            None => word.into(),
        });
        problems.extend(problem_of_wrong("step 20-\\xff a", &words, &["UTF-8"])?);
    }
    report(problems)
}

/// A wrong call ends with the status 2, says what is wrong, and how the command is called.
fn problem_of_wrong(
    line: &str,
    words: &[OsString],
    parts: &[&str],
) -> Result<Option<String>, Failed> {
    let output = book(words)?.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let name = line.split(' ').next().unwrap_or_default();
    let usage = match section(&printed("help")?, "Commands:")
        .iter()
        .any(|command| name != "help" && command.starts_with(&format!("  {name} ")))
    {
        true => format!("Usage: cargo book {name}"),
        false => "Usage: cargo book [COMMAND]".to_owned(),
    };
    let as_expected = output.status.code() == Some(2)
        && output.stdout.is_empty()
        && said.lines().any(|line| line.starts_with(&usage))
        && said.starts_with("error: ")
        && parts.iter().all(|part| said.contains(part))
        && !said.contains('\x1b');
    Ok((!as_expected).then(|| {
        let printed = String::from_utf8_lossy(&output.stdout);
        format!(
            "`cargo book {line}` has to be refused with the status 2, {parts:?} and {usage:?}; it \
             ends with {}, prints {printed:?} and says {said}",
            output.status
        )
    }))
}

/// A right call whose work fails is no wrong call: its status is 1, and it does not say the usage.
fn check_failures() -> Result<(), Failed> {
    let mut problems = Vec::new();
    for (line, part) in [
        ("step 20-24 /nowhere/hello", "there is no folder /nowhere"),
        ("check 20-26 /nowhere", "there is no crate of yours"),
        ("search /nowhere 2 1", "there is no /nowhere"),
        ("search -- -x", "there is no -x"),
    ] {
        let output = output(line)?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(1) || !said.contains(part) || said.contains("Usage") {
            let status = output.status;
            problems.push(format!(
                "`cargo book {line}` ends with {status}, and says {said}"
            ));
        }
    }
    report(problems)
}

/// `cargo book help | head -1`: whoever reads has gone.
fn check_closed_pipe() -> Result<(), Failed> {
    for line in ["help", "search --help"] {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let output = book(&words(line))?.stdout(writer).output()?;
        if !output.status.success() || !output.stderr.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`cargo book {line}`: {}, {said}", output.status).into());
        }
    }
    Ok(())
}

/// What belongs to mdBook reaches it, and its status comes back; but on a port that is taken, it is not
/// even started.
#[cfg(unix)]
fn check_mdbook() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    // A shell writes it: a process that another thread starts meanwhile has no hold on it.
    let mdbook = "#!/bin/sh\n[ \"$1\" = --version ] && echo mdbook v0.5.0 && exit\n\
                  printf '%s\\n' \"$@\"\nexit 7\n";
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf %s \"$0\" >mdbook && chmod +x mdbook", mdbook]);
    shell.current_dir(folder.path()).status()?;
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [folder.path().to_owned()]
        .into_iter()
        .chain(env::split_paths(&path));
    let path = env::join_paths(path)?;
    let run = |line: &str| -> Result<_, Failed> {
        let mut command = book(&words(line))?;
        command.env("PATH", &path).current_dir(folder.path());
        let output = command.output()?;
        let told = [output.stdout, output.stderr].concat();
        Ok((
            output.status.code(),
            String::from_utf8_lossy(&told).into_owned(),
        ))
    };

    let html = fs::canonicalize(folder.path())?.join("html");
    let expected = format!("build\n--open\n--dest-dir\n{}\n--new\nx\n", html.display());
    let (status, told) = run("build -o -d html -- --new x")?;
    if (status, &told) != (Some(7), &expected) {
        return Err(format!("mdBook is called with {told}, and the status is {status:?}").into());
    }
    let holder = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port();
    let (status, told) = run(&format!("serve -n 127.0.0.1 -p {port}"))?;
    match status == Some(1) && told.contains(&format!("port {port} is taken")) {
        true => Ok(()),
        false => Err(format!("a taken port: {status:?}, {told}").into()),
    }
}

/// Reads a call as it is typed, with `cargo book` and perhaps a comment. Help is one, too.
fn read(typed: &str) -> Result<(), (ErrorKind, String)> {
    let typed = typed.split(" #").next().unwrap_or_default();
    match Call::read(typed.split_whitespace().skip(2)) {
        Err(error) if error.use_stderr() => Err((error.kind(), error.to_string())),
        _ => Ok(()),
    }
}

/// The calls that cannot be typed. In a line of its own, or behind a `$`, stands a whole one; between
/// backticks, arguments may be left out, and a word in capitals is any.
fn typed(sources: &Sources) -> Vec<String> {
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
fn check_untypable() -> Result<(), Failed> {
    let page = |text: &str| typed(&Sources::of(&[("src/a.md", text)]));
    for right in [
        "```sh\ncargo book\n```",
        "```sh\ncargo book search a 2 2 meet    # to the end\n```",
        "see `cargo book check`, `cargo book record NAME` and `cargo book help`",
        "see `cargo\nbook step 20-24 ../hello`",
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
fn check_rendered() -> Result<(), Failed> {
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
