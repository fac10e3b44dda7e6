//! What of a source is code.

use book::models::comment_length;

/// The source with a space for each byte of its comments, texts and characters. Lines keep their
/// numbers.
pub(super) fn code(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = String::with_capacity(source.len());
    let mut place = 0;
    while let Some(next) = source[place..].chars().next() {
        let rest = &source[place..];
        // The `r` at the end of a word begins no raw text.
        let begins = place == 0 || !is_word(bytes[place - 1]);
        let (kept, length) = if rest.starts_with("//") {
            (0, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (0, comment_length(rest))
        } else if let Some(length) = begins.then(|| raw(rest)).flatten() {
            (0, length)
        } else if next == '"' {
            (0, text(rest))
        } else if let Some(length) = character(rest) {
            (0, length)
        } else {
            (next.len_utf8(), next.len_utf8())
        };
        code += &rest[..kept];
        for byte in rest[kept..length].bytes() {
            code.push(if byte == b'\n' { '\n' } else { ' ' });
        }
        place += length;
    }
    code
}

/// Whether the byte may be of a word. All that are not ASCII are taken for such.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The words of code.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}

/// The length of `"..."`.
fn text(source: &str) -> usize {
    let mut escaped = false;
    for (place, next) in source.char_indices().skip(1) {
        match next {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    source.len()
}

/// The length of `r#"..."#`, also of bytes or for C.
fn raw(source: &str) -> Option<usize> {
    let rest = source.strip_prefix(['b', 'c']).unwrap_or(source);
    let rest = rest.strip_prefix('r')?;
    let marks = rest.len() - rest.trim_start_matches('#').len();
    let inside = rest[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let begin = source.len() - inside.len();
    let found = inside.find(&end);
    Some(found.map_or(source.len(), |found| begin + found + end.len()))
}

/// The length of `'x'` or `'\n'`; `None`: it is a lifetime, or a label.
fn character(source: &str) -> Option<usize> {
    let rest = source.strip_prefix('\'')?;
    let length = match rest.strip_prefix('\\') {
        // What is escaped may be a quote itself.
        Some(escaped) => 2 + escaped.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0,
        None => {
            let first = rest.chars().next()?;
            rest[first.len_utf8()..].strip_prefix('\'')?;
            1 + first.len_utf8()
        }
    };
    Some(length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_no_code() {
        for (source, expected) in [
            ("a // b\nc", "a\nc"),
            ("a /* b /* c */ d\n */ e", "a\n e"),
            (r#"a("b\"c", d)"#, "a( , d)"),
            ("r\"a\\\" b r#\"c\" d\"# e br\"f\" g", "b e g"),
            ("bar\"a\" b", "bar b"),
            ("'\"' a '\\'' b '\\u{41}' 'c: &'d 'ä' e", "a b 'c: &'d e"),
            ("ä \"ü\n\" ö", "ä\n ö"),
        ] {
            let found = code(source);
            assert_eq!(found.lines().count(), source.lines().count(), "{source}");
            let tight = |text: &str| {
                let lines = text.lines();
                let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
                lines.collect::<Vec<_>>()
            };
            assert_eq!(tight(&found), tight(expected), "{source}");
        }
    }
}
