//! Runs a search, and shows how far it is.

use crate::progress;
use std::{
    io::{self, Read, Write},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Instant,
};

/// What `pool_model::progress` has as `ASKED` and `MARK`: the variable that asks for it, and how a
/// line of it begins. This program is built without the model, which takes long.
const ASKED: &str = "POOL_MODEL_PROGRESS";
const MARK: &str = "@pool-model ";

/// Runs the command to its end, and shows how far it says that it is. What else it prints on
/// standard error is dropped: a line from shuttle for each deadlock.
///
/// It ends when it cannot say how far it is, because this process is gone.
///
/// # Errors
///
/// When the command cannot be run, and when what it prints cannot be printed here.
pub(super) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    command.env(ASKED, "1");
    let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        if let Some(stderr) = stderr {
            scope.spawn(|| follow(stderr));
        }
        // Not by the child itself: on a terminal, a bar may be where it would print.
        stdout.map_or(Ok(()), |stdout| {
            progress::pieces(stdout, |piece| {
                progress::aside(|| io::stdout().write_all(piece.as_bytes()))
            })
        })
    })?;
    child.wait()
}

/// Shows what the search says of how far it is, until it ends.
fn follow(said: impl Read) {
    let mut case = String::new();
    let mut begun = Instant::now();
    // An error would be its end, too.
    let _ = progress::pieces(said, |line| {
        if let Some(so_far) = SoFar::read(line) {
            if so_far.case != case || so_far.done == 0 {
                case = so_far.case.to_owned();
                begun = Instant::now();
                progress::part(&case);
            }
            match so_far.all {
                Some(all) => {
                    progress::tell(&format!("{} of {all} interleavings", so_far.done));
                    progress::count(so_far.done, all);
                }
                None => {
                    let text = progress::so_far(so_far.done, "interleavings", begun.elapsed());
                    progress::tell(&text);
                }
            }
        }
        Ok(())
    });
}

/// A line that says how far the search is.
#[derive(Debug, PartialEq)]
struct SoFar<'l> {
    done: u64,
    all: Option<u64>,
    case: &'l str,
}

impl SoFar<'_> {
    /// `None`: the line says something else.
    fn read(line: &str) -> Option<SoFar<'_>> {
        let line = line.strip_prefix(MARK)?.trim_end();
        let (done, rest) = line.split_once(' ')?;
        let (all, case) = rest.split_once(' ')?;
        Some(SoFar {
            done: done.parse().ok()?,
            all: match all {
                "-" => None,
                all => Some(all.parse().ok()?),
            },
            case,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_is_told_from_what_shuttle_says() {
        let so_far = |done, all| {
            let case = "2 workers, 1 job";
            Some(SoFar { done, all, case })
        };
        let read = SoFar::read;
        assert_eq!(
            read("@pool-model 512 - 2 workers, 1 job\n"),
            so_far(512, None)
        );
        assert_eq!(
            read("@pool-model 0 9 2 workers, 1 job\n"),
            so_far(0, Some(9))
        );
        for other in [
            "test panicked in task 'main-thread(0)'",
            "@pool-model 512",
            "@pool-model many - 2 workers, 1 job",
            "",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    /// The two are not built together.
    #[test]
    fn the_model_has_the_same_marks() {
        let model = book::root().join("crates/model/src/progress.rs");
        let model = std::fs::read_to_string(model).unwrap();
        for text in [ASKED, MARK.trim_end()] {
            assert!(model.contains(&format!(": &str = \"{text}\";")), "{text}");
        }
    }
}
