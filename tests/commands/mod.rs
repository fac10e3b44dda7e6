//! The promise: `cargo book help` names every command, each command's help explains every argument, a
//! wrong call says what is wrong and how to call it, and every call in the README, on a page and in a
//! recording can be typed.

mod help;
mod serve;
mod typed;

use crate::support::{report, told};
use book::sources::Sources;
use libtest_mimic::{Failed, Trial};
use std::env;
use std::ffi::OsString;
use std::process::{Command, Output, Stdio};

/// With this as its first argument, this program is `cargo book`.
pub const BOOK: &str = "--cargo-book";

pub fn trials() -> Result<Vec<Trial>, Failed> {
    Ok(vec![
        Trial::test("commands::help", help::check),
        Trial::test("commands::unexplained", help::check_unexplained),
        Trial::test("commands::wrong_calls", check_wrong_calls),
        Trial::test("commands::failures", check_failures),
        Trial::test("commands::closed_pipe", check_closed_pipe),
        Trial::test("commands::serve", serve::check).with_ignored_flag(cfg!(not(unix))),
        Trial::test("commands::taken_port", serve::check_taken_port)
            .with_ignored_flag(cfg!(not(unix))),
        Trial::test("commands::no_browser", serve::check_no_browser)
            .with_ignored_flag(cfg!(not(target_os = "linux"))),
        Trial::test("commands::typed", || {
            report(typed::untypable(
                &Sources::read(&book::root()).map_err(told)?,
            ))
        }),
        Trial::test("commands::untypable", typed::check_untypable),
        Trial::test("commands::twice_read", typed::check_twice_read),
        Trial::test("commands::rendered", typed::check_rendered),
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

/// Wrong calls, and what is said of each beside the usage.
const WRONG: [(&str, &[&str]); 27] = [
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
    ("step listing-9-9 a", &["'listing-9-9'", "20-30"]),
    ("check 20-25 a", &["'20-25'", "20-26, 20-27,"]),
    ("check 20-26", &["<FOLDER>"]),
    ("search", &["<FOLDER>"]),
    ("search a 2", &["<JOBS>"]),
    ("search a two 1", &["'two'", "no number"]),
    ("search a 2 -1", &["'-1'"]),
    ("search a 0 1", &["'0'", "at least one worker"]),
    (
        "search a 2 1 mete",
        &["'mete'", "meet, classes, random, pct"],
    ),
    ("search a 2 3 meet", &["more jobs than workers cannot meet"]),
    (
        "search a 2 2 random pct",
        &["one of `classes`, `random`, and `pct`"],
    ),
    ("replay a 2 1", &["<SCHEDULE>"]),
    ("replay a 1 2 0011 meet", &["cannot meet"]),
    ("record 20-24-drp", &["'20-24-drp'", "'20-24-drop'"]),
    ("serve --prot 3001", &["'--prot'", "--port PORT"]),
    ("serve --port 99999", &["\"99999\"", "65535"]),
    // Both were mdBook's.
    ("serve --dest-dir html", &["'--dest-dir'"]),
    ("serve -- --watcher native", &["\"--watcher\""]),
    ("build -- --new", &["\"--new\""]),
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
