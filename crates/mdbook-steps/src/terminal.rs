//! A recorded terminal as HTML: the prompt, what was typed, and what was printed are told apart.

use crate::render::escape;
use anyhow::{Context, Result};
use book::page::Fence;
use book::transcripts::{typed, Transcript};
use std::path::Path;

/// The terminal that the fence includes; `None` if it includes none.
///
/// # Errors
///
/// When the transcript was not recorded, or has no such terminal.
pub(crate) fn terminal(root: &Path, fence: &Fence) -> Result<Option<String>> {
    let Some((file, anchor)) = fence
        .include()
        .and_then(|include| Some((&include.file, include.part.as_deref()?)))
    else {
        return Ok(None);
    };
    let name = Path::new(file)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let transcript = Transcript::read(root, &name)?;
    let text = transcript.text(anchor).with_context(|| {
        let terminals: Vec<_> = transcript.terminals().collect();
        let terminals = terminals.join(", ");
        format!("the transcript `{name}` has no terminal `{anchor}`; it has {terminals}")
    })?;
    Ok(Some(html(text)))
}

/// Typed is what follows a prompt, and a key such as Ctrl-C, which a terminal shows as `^C`.
fn html(text: &str) -> String {
    let mut html = "<pre class=\"terminal\"><code class=\"nohighlight\">".to_owned();
    for line in text.lines() {
        html += &match typed(line) {
            Some(typed) => format!(
                "<span class=\"prompt\">$ </span><kbd>{}</kbd>\n",
                escape(typed)
            ),
            None if line == "^C" => "<kbd>^C</kbd>\n".to_owned(),
            None => escape(line) + "\n",
        };
    }
    html + "</code></pre>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_typed_and_printed_are_told_apart() {
        assert_eq!(
            html("$ ask <me>\n\nan answer\n^C\n"),
            "<pre class=\"terminal\"><code class=\"nohighlight\">\
             <span class=\"prompt\">$ </span><kbd>ask &lt;me&gt;</kbd>\n\
             \nan answer\n<kbd>^C</kbd>\n</code></pre>\n"
        );
    }
}
