//! What the help of a command holds.

use super::{printed, section, typed::read};
use crate::support::{expect_problem, report};
use libtest_mimic::Failed;
use regex::Regex;

/// Every command has its help, which is the same in every way of asking for it.
pub fn check() -> Result<(), Failed> {
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
pub fn check_unexplained() -> Result<(), Failed> {
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
