//! What was sent to a terminal, as text.

/// The shown bytes as plain text: `\n` where the terminal was sent any `\r`s and a
/// `\n`, and nothing where it was told to make what follows bold or colored.
pub(super) fn plain(shown: &[u8]) -> String {
    let text = String::from_utf8_lossy(shown);
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                push_unstyled(&mut plain, &overwritten(line.trim_end_matches('\r')));
                plain.push('\n');
            }
            None => push_unstyled(&mut plain, line),
        }
    }
    plain
}

/// The line as it stands at last, where a `\r` has sent what follows back to its beginning.
fn overwritten(line: &str) -> String {
    line.split('\r').fold(String::new(), |shown, over| {
        let rest = shown.chars().skip(over.chars().count());
        over.chars().chain(rest).collect()
    })
}

/// curl prints a header's name in bold, whatever `TERM` says.
fn push_unstyled(plain: &mut String, line: &str) {
    let mut pieces = line.split("\x1b[");
    plain.extend(pieces.next());
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            // Another escape sequence is kept, and refused when the transcript is made.
            None => plain.extend(["\x1b[", piece]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_plain() {
        assert_eq!(plain(b"a\r\n\r\nb\r\r\nc\r"), "a\n\nb\nc\r");
    }

    #[test]
    fn a_line_that_is_overwritten_is_what_it_was_at_last() {
        assert_eq!(
            plain(b"9 of 10\r10 of 10\r\nlong\rno\n"),
            "10 of 10\nnong\n"
        );
    }

    #[test]
    fn styles_are_left_out_and_other_escape_sequences_kept() {
        assert_eq!(
            plain(b"\x1b[1mName\x1b[0m: \x1b[1;31mred\r\n"),
            "Name: red\n"
        );
        assert_eq!(plain(b"a\x1b[2Kb\n"), "a\x1b[2Kb\n");
    }
}
