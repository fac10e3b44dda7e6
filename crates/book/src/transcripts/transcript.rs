use super::folder;
use anyhow::{bail, Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What stands before a typed command.
const PROMPT: &str = "$ ";

/// What the terminals of a scenario showed, each from its first line to its last.
///
/// In its file each terminal's text stands between two anchors, so that a page
/// can include it with `{{#include transcripts/NAME.txt:TERMINAL}}`.
#[derive(Debug, PartialEq)]
pub struct Transcript {
    name: String,
    terminals: Vec<(String, String)>,
}

/// The command typed in this line of a terminal, if it is one.
pub fn typed(line: &str) -> Option<&str> {
    line.strip_prefix(PROMPT)
}

/// The line that shows a command as typed.
pub fn prompt(command: &str) -> String {
    format!("{PROMPT}{command}\n")
}

impl Transcript {
    /// A transcript of terminals, each with its text, in the order to show them in.
    pub fn new(name: &str, terminals: Vec<(String, String)>) -> Transcript {
        Transcript {
            name: name.to_owned(),
            terminals,
        }
    }

    /// Where the transcript `name` of the book at `root` is kept.
    pub fn file(root: &Path, name: &str) -> PathBuf {
        folder(root).join(format!("{name}.txt"))
    }

    /// Reads the recorded transcript `name` of the book at `root`.
    ///
    /// # Errors
    ///
    /// When it has not been recorded, and when its file is not as `cargo book record`
    /// writes it.
    pub fn read(root: &Path, name: &str) -> Result<Transcript> {
        let file = Transcript::file(root, name);
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "cannot read {}: record it with `cargo book record {name}`",
                file.display()
            )
        })?;
        Transcript::parse(name, &text).with_context(|| format!("in {}", file.display()))
    }

    /// Writes the transcript to `file`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, self.render()).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The terminals' names, in order.
    pub fn terminals(&self) -> impl Iterator<Item = &str> {
        self.terminals.iter().map(|(name, _)| name.as_str())
    }

    /// What `terminal` showed.
    pub fn text(&self, terminal: &str) -> Option<&str> {
        let (_, text) = self.terminals.iter().find(|(name, _)| name == terminal)?;
        Some(text)
    }

    fn title(name: &str) -> String {
        format!("Recorded by `cargo book record {name}`: not to be edited, but recorded again.")
    }

    fn render(&self) -> String {
        let mut file = Transcript::title(&self.name) + "\n";
        for (terminal, text) in &self.terminals {
            file += &format!("\n# ANCHOR: {terminal}\n{text}# ANCHOR_END: {terminal}\n");
        }
        file
    }

    fn parse(name: &str, file: &str) -> Result<Transcript> {
        let mut terminals = Vec::new();
        let mut open: Option<(&str, String)> = None;
        for line in file.lines() {
            if let Some(terminal) = line.strip_prefix("# ANCHOR: ") {
                open = Some((terminal, String::new()));
            } else if line.starts_with("# ANCHOR_END: ") {
                let (terminal, text) = open.take().context("an anchor ends before it starts")?;
                terminals.push((terminal.to_owned(), text));
            } else if let Some((_, text)) = &mut open {
                *text += line;
                *text += "\n";
            }
        }
        let transcript = Transcript::new(name, terminals);
        if transcript.render() != file {
            bail!(
                "the file is not as it was recorded: record it again with `cargo book record {name}`"
            );
        }
        Ok(transcript)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_terminals() -> Transcript {
        let text = |text: &str| text.to_owned();
        Transcript::new(
            "ping",
            vec![
                (text("server"), text("$ serve\nserving\n")),
                (text("client"), text("$ ask\n\nanswer\n$ ask again\n")),
            ],
        )
    }

    #[test]
    fn what_is_written_is_read_back() {
        let file = two_terminals().render();

        assert!(file.starts_with("Recorded by `cargo book record ping`"));
        assert!(
            file.contains("# ANCHOR: server\n$ serve\nserving\n# ANCHOR_END: server\n"),
            "{file}"
        );
        assert_eq!(Transcript::parse("ping", &file).unwrap(), two_terminals());
    }

    #[test]
    fn a_file_without_its_title_or_an_anchor_is_refused() {
        let file = two_terminals().render();

        for broken in [
            file.replace("Recorded by", "Written by"),
            file.replace("# ANCHOR_END: client\n", ""),
            file.replace("# ANCHOR: server\n", ""),
            file.replace("\n", "\r\n"),
        ] {
            assert!(Transcript::parse("ping", &broken).is_err(), "{broken}");
        }
    }
}
