//! What a command says while it runs, piece by piece.

use super::lock;
use crate::interrupt::{also_ends, Signal};
use anyhow::Result;
use std::{
    io::{self, BufRead, BufReader, Read},
    process::{Command, Output, Stdio},
    sync::Mutex,
    thread,
};

/// Runs the command to its end, and tells of every piece of what it prints, on either stream. Whatever
/// ends this process interrupts it.
///
/// # Errors
///
/// When it cannot be run.
pub(crate) fn output(command: &mut Command, heard: impl FnMut(&str) + Send) -> Result<Output> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = pipes.stderr(Stdio::piped()).spawn()?;
    let _ends = also_ends(&child, Signal::INT);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let heard = Mutex::new(heard);
    let read = |stream: Option<Box<dyn Read + Send>>| {
        let mut all = String::new();
        if let Some(stream) = stream {
            pieces(stream, |piece| {
                all += piece;
                lock(&heard)(piece);
                Ok(())
            })?;
        }
        Ok::<_, io::Error>(all.into_bytes())
    };
    let (stdout, stderr) = thread::scope(|scope| {
        let errors = scope.spawn(|| read(stderr.map(|stderr| Box::new(stderr) as _)));
        let stdout = read(stdout.map(|stdout| Box::new(stdout) as _));
        (stdout, errors.join().unwrap_or_else(|_| Ok(Vec::new()))) // it does not panic
    });
    Ok(Output {
        status: child.wait()?,
        stdout: stdout?,
        stderr: stderr?,
    })
}

/// Tells of every piece of what is read, with the `\n` or `\r` at its end.
///
/// # Errors
///
/// When it cannot be read, and at the first piece that `heard` fails with.
pub(crate) fn pieces(
    read: impl Read,
    mut heard: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut read = BufReader::new(read);
    let mut piece = Vec::new();
    loop {
        let available = match read.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = available.iter().position(|byte| b"\r\n".contains(byte));
        let taken = end.map_or(available.len(), |end| end + 1);
        piece.extend_from_slice(&available[..taken]);
        let at_end = taken == 0;
        read.consume(taken);
        if end.is_some() || at_end && !piece.is_empty() {
            heard(&String::from_utf8_lossy(&piece))?;
            piece.clear();
        }
        if at_end {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_with_a_line_or_where_the_next_one_is_written_over_it() {
        let mut heard = Vec::new();
        let read = &b"\rround 1\rround 2\rend\n\nrest"[..];
        pieces(read, |piece| {
            heard.push(piece.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(
            heard,
            ["\r", "round 1\r", "round 2\r", "end\n", "\n", "rest"]
        );
    }
}
