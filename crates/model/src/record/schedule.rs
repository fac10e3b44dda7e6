//! A schedule, and how it is written: which thread was chosen at each point where there was a choice.

/// The schedule as a text: a digit for each choice, `a` for thread 10.
pub fn written(schedule: &[usize]) -> String {
    let digit = |&thread: &usize| {
        u32::try_from(thread)
            .ok()
            .and_then(|n| char::from_digit(n, 36))
    };
    schedule
        .iter()
        .map(|thread| digit(thread).unwrap_or('?'))
        .collect()
}

/// Reads what [`written`] has written.
///
/// # Errors
///
/// Names the character that is none of it.
pub fn read(schedule: &str) -> Result<Vec<usize>, String> {
    let thread = |digit: char| match digit.to_digit(36) {
        Some(thread) => Ok(thread as usize),
        None => Err(format!("`{digit}` is no thread of a schedule")),
    };
    schedule.chars().map(thread).collect()
}

/// How often a schedule goes from one thread to another.
pub fn switches(schedule: &[usize]) -> usize {
    schedule
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count()
}
