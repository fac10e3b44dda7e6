//! A step as Markdown: its changes as diffs, and its files as one script, folded away.

use crate::Files;
use anyhow::{ensure, Context, Result};
use similar::{ChangeTag, TextDiff};
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

/// A unified diff for each file that differs, all but the sources' folded away. Of a file that has
/// little in common with what it was, only that is said: its diff would be longer than the file.
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
        let changes = diff.iter_all_changes();
        let kept = changes.filter(|change| change.tag() == ChangeTag::Equal);
        let (kept, lines) = (kept.count(), new_text.lines().count());
        if kept * 2 < old_text.lines().count() && kept * 4 < lines {
            writeln!(
                part,
                "`{name}` is rewritten: {lines} lines, which are all below.\n"
            )?;
            continue;
        }
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

/// The command that writes the step to a folder, and every file, folded away, in a script for bash,
/// zsh and dash that recreates the step in a folder `hello`.
///
/// The script is the text of its blocks, one after the other: a block for each file, and between
/// them what the shell has to do. So each file is on the page once, to be read and to be copied.
fn paste(name: &str, files: &Files) -> Result<String> {
    let mut folders: Vec<_> = files.keys().filter_map(|path| path.parent()).collect();
    folders.sort();
    folders.dedup();
    let folders: Vec<_> = folders
        .iter()
        .map(|folder| format!("hello/{}", folder.display()))
        .collect();
    // In parentheses, so that `exit` does not end the shell that it is pasted into.
    let mut shell = format!(
        "(\nset -e\nif [ -e hello ]; then\n  \
         echo \"There is a 'hello' here already. It was left as it is.\" &gt;&amp;2\n  \
         echo \"Give it another name, or paste this in another folder.\" &gt;&amp;2\n  \
         exit 1\nfi\nmkdir -p {}\n",
        folders.join(" ")
    );
    let mut blocks = String::new();
    for path in files.keys() {
        let content = text(files, path)?;
        let name = path.display();
        ensure!(
            content.ends_with('\n'),
            "{name} does not end with a new line"
        );
        ensure!(
            content.lines().all(|line| line != END),
            "{name} has a line `{END}`"
        );
        write!(
            shell,
            "cat &gt;hello/<b>{name}</b> &lt;&lt;'{END}'\n</code></pre>\n"
        )?;
        blocks += SHELL;
        blocks += &shell;
        blocks += &code(language(path), content);
        shell = format!("{END}\n");
    }
    let title = title(name);
    let short = name.strip_prefix("listing-").unwrap_or(name);
    let command =
        format!("cargo book step {short} ../hello-{short}\ncd ../hello-{short}\ncargo test\n");
    Ok(format!(
        "To have the step in a new folder, type in the book's folder:\n\n{}\n\
         Without that folder, one paste is enough. The script makes the step in a new folder \
         `hello`, and leaves a `hello` that is there already as it is.\n\n\
         <div class=\"paste\">\n<details>\n\
         <summary>Every file of the step, in one script</summary>\n\n\
         <noscript>\n<p>The button that copies the script needs JavaScript. Without it, copy the \
         files one by one: the line above each says where it belongs.</p>\n</noscript>\n\n\
         {blocks}{SHELL}{shell}\
         echo \"{title} is in hello. Now: cd hello &amp;&amp; cargo run\"\n)\n</code></pre>\n\
         </details>\n</div>\n\n",
        code("sh", &command),
    ))
}

/// What the shell does between two files of a script: shown, but not copied by itself.
const SHELL: &str = "<pre class=\"shell\"><code class=\"nohighlight\">";

/// What the highlighter calls the language of a file. Not `rust`: such a block mdBook would take for
/// a program of the page, hide lines of it, and cut off its end.
fn language(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => "rs",
        Some("toml" | "lock") => "toml",
        Some("html") => "html",
        _ => "text",
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_little_of_the_old_one_is_no_diff() {
        let file = |text: &str| Files::from([("src/lib.rs".into(), text.into())]);
        let said = |old: &str, new: &str| changes("listing-1-1", &file(old), &file(new)).unwrap();
        let old = "a\nb\nc\n";

        let rewritten = said(old, "v\na\nw\nx\ny\n");
        let expected = "What has changed since Listing 1-1:\n\n\
                        `src/lib.rs` is rewritten: 5 lines, which are all below.\n\n";
        assert_eq!(rewritten, expected);

        // Enough of the new one, or of the old one, has stayed.
        for new in ["v\na\nw\nx\n", "a\nb\nv\nw\nx\ny\nz\n1\n2\n"] {
            let diff = said(old, new);
            assert!(
                diff.contains("`src/lib.rs` differs:\n\n```diff\n"),
                "{diff}"
            );
        }
    }
}
