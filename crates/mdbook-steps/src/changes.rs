//! Changes for readers, not for a program that applies them. What a page proposes says its name, and
//! which step it changes. Where the changes of some steps stand on one page, each part of a diff says
//! in which item it is, instead of on which lines.

use crate::render::title;
use crate::Files;
use book::page::Fence;
use std::path::Path;

/// A change that a page proposes, as a figure that says what it changes, and its name: by that, a
/// table has what the search finds of it.
pub(crate) fn proposal(fence: &Fence) -> String {
    let info = fence.info.as_deref().unwrap_or_default();
    let [_, listing, name] = info.split(',').collect::<Vec<_>>()[..] else {
        return fence.text.to_owned(); // the tests refuse it
    };
    let of = match listing.strip_prefix("broken-") {
        Some(number) => format!("Pool {number}"),
        None if listing == "starting-point" || listing.starts_with("listing-") => title(listing),
        None => return fence.text.to_owned(),
    };
    let text = fence.text.trim_end();
    format!(
        "<figure class=\"listing\">\n<figcaption><code>{name}</code>: a change to \
         <strong>{of}</strong></figcaption>\n\n{text}\n\n</figure>\n"
    )
}

/// The Markdown of diffs with each part under the name of its item. `new` are the files after the
/// change.
pub(crate) fn by_item(diffs: &str, new: &Files) -> String {
    let mut named = String::new();
    let mut lines = diffs.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(start) = new_start(line) else {
            named += line;
            named.push('\n');
            continue;
        };
        let mut part = Vec::new();
        while let Some(line) = lines.next_if(|line| new_start(line).is_none() && *line != "```") {
            part.push(line);
        }
        if let Some(item) = item(&part, start, new) {
            named += &format!("in {item}:\n");
        }
        for line in part {
            named += line;
            named.push('\n');
        }
    }
    named
}

/// The first line of the part in the new file, counted from 1, from `@@ -1,3 +1,4 @@`.
fn new_start(line: &str) -> Option<usize> {
    let (_, new) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let digits = new.find(|c: char| !c.is_ascii_digit())?;
    new[..digits].parse().ok()
}

/// The item that the first change of the part is in, as a path: `ThreadPool::drop`.
fn item(part: &[&str], start: usize, new: &Files) -> Option<String> {
    let there: Vec<&str> = part
        .iter()
        .filter(|line| !line.starts_with('-'))
        .map(|line| line.get(1..).unwrap_or_default())
        .collect();
    let texts = new.iter().filter(|(path, _)| is_source(path));
    let mut files = texts.filter_map(|(_, content)| {
        let lines: Vec<&str> = std::str::from_utf8(content).ok()?.lines().collect();
        let found = lines.get(start.checked_sub(1)?..)?.starts_with(&there);
        found.then_some(lines)
    });
    let lines = files.next()?;
    let mut changed = part.iter().filter(|line| line.starts_with(['+', '-']));
    let changed = changed.find(|line| line.len() > 1)?;
    let unchanged = part.iter().take_while(|line| !line.starts_with(['+', '-']));
    let mut depth = indentation(&changed[1..]);
    let mut path = Vec::new();
    for line in lines[..start - 1 + unchanged.count()].iter().rev() {
        if let Some(name) = name(line).filter(|_| indentation(line) < depth) {
            depth = indentation(line);
            path.push(name);
        }
    }
    path.reverse();
    (!path.is_empty()).then(|| path.join("::"))
}

pub(crate) fn is_source(path: &Path) -> bool {
    path.starts_with("src")
}

/// The name of the item that this line begins.
fn name(line: &str) -> Option<&str> {
    let line = line.trim().trim_end_matches([' ', '{']);
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let (kind, rest) = line.split_once(' ')?;
    match kind {
        "fn" | "struct" | "enum" => rest.split(['(', '<', ' ']).next(),
        "impl" => rest.rsplit(' ').next(),
        _ => None,
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use book::page::Page;

    #[test]
    fn a_proposal_says_what_it_changes() {
        for (listing, said) in [
            ("listing-20-24", "Listing 20-24"),
            ("starting-point", "Starting point"),
            ("broken-2", "Pool 2"),
        ] {
            let text = format!("```diff,{listing},mine\n-a\n```\n");
            let page = Page::parse("src/page.md", &text);
            let figure = proposal(&page.fences[0]);
            let caption = format!(
                "<figcaption><code>mine</code>: a change to <strong>{said}</strong></figcaption>"
            );
            assert!(figure.contains(&caption), "{figure}");
            assert!(figure.contains(&text), "{figure}");
        }
    }

    #[test]
    fn each_part_is_under_its_item() {
        let source = "struct A {\n    a: u8,\n}\n\nimpl Drop for A {\n    fn drop<F>(&mut self)\n    where\n\
                      F: B,\n    {\n\n        for b in c {\n            b();\n        }\n    }\n}\n";
        let files = [
            ("src/empty.rs".into(), Vec::new()),
            ("src/a.rs".into(), source.into()),
        ];
        let diff =
            "**A**: b\n\n```diff\n@@ -1,3 +1,3 @@\n struct A {\n-    a: u16,\n+    a: u8,\n }\n\
                    @@ -9,3 +9,4 @@\n     {\n+\n-        for b in d {\n\
                    +        for b in c {\n             b();\n```\n\n";
        let named = by_item(diff, &files.into());
        assert_eq!(
            named,
            "**A**: b\n\n```diff\nin A:\n struct A {\n-    a: u16,\n+    a: u8,\n }\n\
             in A::drop:\n     {\n+\n-        for b in d {\n+        for b in c {\n             b();\n\
             ```\n\n"
        );
    }
}
