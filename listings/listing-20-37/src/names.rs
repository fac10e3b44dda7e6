// ANCHOR: names
//! The names in a path. Strangers send them.

/// The names on the way to a file, from the folder's own on. `None`: no file has that path.
pub fn names(path: &str) -> Option<Vec<Vec<u8>>> {
    let mut sent: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if let Some(last) = sent.last_mut().filter(|last| last.is_empty()) {
        *last = "index.html"; // the page of a folder
    }
    sent.into_iter().map(name).collect()
}

/// What a name stands for, if a file that is for everybody can have it.
fn name(sent: &str) -> Option<Vec<u8>> {
    let name = decoded(sent)?;
    // A file whose name begins with a dot is hidden; and so are `.` and `..`, whatever they were
    // sent as. No name has a slash or a zero in it, and what a backslash means, not all agree.
    let is_hidden = name.is_empty() || name.starts_with(b".");
    let is_one = !name.iter().any(|byte| b"/\\\0".contains(byte));
    (!is_hidden && is_one).then_some(name)
}

/// The bytes that `%41` and its like stand for, and all others. This is done once.
fn decoded(sent: &str) -> Option<Vec<u8>> {
    let mut rest = sent.bytes();
    let mut bytes = Vec::with_capacity(sent.len());
    while let Some(mut byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            byte = (digit()? * 16 + digit()?) as u8;
        }
        bytes.push(byte);
    }
    Some(bytes)
}
// ANCHOR_END: names
