// ANCHOR: range
//! The range of bytes that a client asks for.

/// Which bytes are sent.
#[derive(Debug, PartialEq)]
pub enum Range {
    Whole,
    /// From the byte with number `first`, so many.
    Part {
        first: u64,
        length: u64,
    },
    /// The file has none of those that are asked for.
    None,
}

/// What a header such as `bytes=100-199` means for a file of so many bytes. (RFC 9110, section 14:
/// what is no single range of bytes may be answered with the whole file.)
pub fn range(header: &str, size: u64) -> Range {
    let ends = header
        .split_once('=')
        .filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"))
        .and_then(|(_, range)| range.trim_matches([' ', '\t']).split_once('-'));
    let (first, end) = match ends.map(|(first, last)| (number(first), number(last))) {
        Some((Ok(first), Ok(last))) if first <= last => (first, last.saturating_add(1).min(size)),
        Some((Ok(first), Err(""))) => (first, size),
        // The last bytes, so many; or all, if the file has not as many.
        Some((Err(""), Ok(last))) if last > 0 && size == 0 => return Range::Whole,
        Some((Err(""), Ok(last))) => (size.saturating_sub(last), size),
        _ => return Range::Whole,
    };
    match first < end {
        true => Range::Part {
            first,
            length: end - first,
        },
        false => Range::None,
    }
}

/// The number that these digits are, or the most that there is; or what is there instead.
fn number(digits: &str) -> Result<u64, &str> {
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(digits.parse().unwrap_or(u64::MAX)),
        false => Err(digits),
    }
}
// ANCHOR_END: range
