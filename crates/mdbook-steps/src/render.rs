//! A step as Markdown: its changes as diffs, its files and its script as folded HTML.

use crate::Files;
use anyhow::{ensure, Context, Result};
use similar::TextDiff;
use std::fmt::Write as _;
use std::path::Path;

/// Ends each file in the script.
const END: &str = "END_OF_FILE";

/// Everything that is shown of the step `name`. `before` is the step that it follows.
pub(crate) fn step(name: &str, files: &Files, before: Option<(&str, &Files)>) -> Result<String> {
    let mut html = format!(
        "<div class=\"step\" id=\"step-{name}\">\n<p class=\"title\">Checkpoint: {}</p>\n\n",
        title(name)
    );
    if let Some((before, old)) = before {
        html += &changes(before, old, files)?;
    }
    html += &whole(files)?;
    html += &paste(name, files)?;
    html += "</div>\n";
    Ok(html)
}

/// Text as HTML, with what is between backticks as code.
pub(crate) fn inline_code(text: &str) -> String {
    let text = escape(text);
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(index, piece)| match index % 2 {
            0 => piece.to_owned(),
            _ => format!("<code>{piece}</code>"),
        })
        .collect()
}

/// What a step is called: `Listing 20-24`, or `Starting point`.
pub(crate) fn title(name: &str) -> String {
    match name.strip_prefix("listing-") {
        Some(number) => format!("Listing {number}"),
        None => "Starting point".to_owned(),
    }
}

/// A step as it is named within a sentence.
pub(crate) fn reference(name: &str) -> String {
    match name {
        "starting-point" => "the starting point".to_owned(),
        _ => title(name),
    }
}

/// A unified diff for each file that differs, all but the sources' folded away.
fn changes(before: &str, old: &Files, new: &Files) -> Result<String> {
    let (mut sources, mut others) = (String::new(), String::new());
    let mut paths: Vec<_> = old.keys().chain(new.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let (old_text, new_text) = (text(old, path)?, text(new, path)?);
        if old_text == new_text {
            continue;
        }
        let part = match path.starts_with("src") || path.starts_with("examples") {
            true => &mut sources,
            false => &mut others,
        };
        let name = path.display();
        if !old.contains_key(path) {
            let lines = new_text.lines().count();
            writeln!(
                part,
                "`{name}` is new: {lines} lines, which are all below.\n"
            )?;
            continue;
        }
        if !new.contains_key(path) {
            writeln!(part, "`{name}` is gone.\n")?;
            continue;
        }
        let diff = TextDiff::from_lines(old_text, new_text);
        let mut diff = diff.unified_diff();
        let diff = diff.header(&format!("a/{name}"), &format!("b/{name}"));
        writeln!(part, "`{name}` differs:\n\n```diff\n{diff}```\n")?;
    }

    let before = reference(before);
    let mut html = format!("What has changed since {before}:\n\n{sources}");
    if !others.is_empty() {
        let summary = "What has changed in its other files";
        write!(
            html,
            "<details>\n<summary>{summary}</summary>\n\n{others}</details>\n\n"
        )?;
    }
    Ok(html)
}

/// What a step changes in `src/`, with a line around each change, under its caption.
pub(crate) fn sources(name: &str, caption: &str, old: &Files, new: &Files) -> Result<String> {
    let mut diffs = String::new();
    for path in new.keys().filter(|path| path.starts_with("src")) {
        let diff = TextDiff::from_lines(text(old, path)?, text(new, path)?);
        write!(diffs, "{}", diff.unified_diff().context_radius(1))?;
    }
    ensure!(!diffs.is_empty(), "{name} changes nothing in src/");
    Ok(format!(
        "**{}**: {caption}\n\n```diff\n{diffs}```\n\n",
        title(name)
    ))
}

/// Every file, folded away.
fn whole(files: &Files) -> Result<String> {
    let mut html = "<details>\n<summary>The whole step, file by file</summary>\n\n".to_owned();
    for path in files.keys() {
        let language = match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => "rust",
            Some("toml" | "lock") => "toml",
            Some("html") => "html",
            _ => "text",
        };
        html += &format!(
            "`{}`\n\n{}\n",
            path.display(),
            code(language, text(files, path)?)
        );
    }
    Ok(html + "</details>\n\n")
}

/// The command that writes the step to a folder, and a script for bash, zsh and dash that recreates
/// it in a folder `hello`.
fn paste(name: &str, files: &Files) -> Result<String> {
    // In parentheses, so that `exit` does not end the shell that it is pasted into.
    let mut script = String::from(
        "(\nset -e\nif [ -e hello ]; then\n  \
         echo \"There is a 'hello' here already. It was left as it is.\" >&2\n  \
         echo \"Give it another name, or paste this in another folder.\" >&2\n  exit 1\nfi\n",
    );
    let mut folders: Vec<_> = files.keys().filter_map(|path| path.parent()).collect();
    folders.sort();
    folders.dedup();
    let folders: Vec<_> = folders
        .iter()
        .map(|folder| format!("hello/{}", folder.display()))
        .collect();
    writeln!(script, "mkdir -p {}", folders.join(" "))?;
    for path in files.keys() {
        let content = text(files, path)?;
        let path = path.display();
        ensure!(
            content.ends_with('\n'),
            "{path} does not end with a new line"
        );
        ensure!(
            content.lines().all(|line| line != END),
            "{path} has a line `{END}`"
        );
        write!(script, "cat >hello/{path} <<'{END}'\n{content}{END}\n")?;
    }
    write!(
        script,
        "echo \"{} is in hello. Now: cd hello && cargo run\"\n)\n",
        title(name)
    )?;
    let short = name.strip_prefix("listing-").unwrap_or(name);
    let command =
        format!("cargo book step {short} ../hello-{short}\ncd ../hello-{short}\ncargo test\n");
    let summary = "One paste: a script that makes this step in a new folder <code>hello</code>";
    Ok(format!(
        "To have the step in a new folder, type in the book's folder:\n\n{}\n\
         <div class=\"paste\">\n<details>\n<summary>{summary}</summary>\n\n{}\n</details>\n</div>\n\n",
        code("sh", &command),
        code("text", &script)
    ))
}

/// A block of code as HTML: a fence would be compiled as a program of the page.
fn code(language: &str, text: &str) -> String {
    let text = escape(text);
    format!("<pre><code class=\"language-{language}\">{text}</code></pre>\n")
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn text<'f>(files: &'f Files, path: &Path) -> Result<&'f str> {
    let content = files.get(path).map_or(&[][..], Vec::as_slice);
    std::str::from_utf8(content).with_context(|| format!("{} is not UTF-8", path.display()))
}
