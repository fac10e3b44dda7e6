//! Runs a search, and shows how far it is.

use crate::progress;
use std::{
    io::{self, Write},
    process::{Command, ExitStatus, Stdio},
    time::Instant,
};

/// What `pool_model::progress` has as `ASKED` and `MARK`: the variable that asks for it, and how a
/// line of it begins. This program is built without the model, which takes long.
const ASKED: &str = "POOL_MODEL_PROGRESS";
const MARK: &str = "@pool-model ";

/// Runs the command to its end, shows how far it says that it is, and prints what else it prints.
///
/// It ends when it cannot say how far it is, because this process is gone.
///
/// # Errors
///
/// When the command cannot be run, and when what it prints cannot be printed here.
pub(super) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = command.env(ASKED, "1").stdout(Stdio::piped()).spawn()?;
    if let Some(stdout) = child.stdout.take() {
        let mut begun = Instant::now();
        progress::pieces(stdout, |line| match SoFar::read(line) {
            Some(so_far) => {
                if so_far.done == 0 {
                    begun = Instant::now();
                    progress::part(&format!("searching {}", so_far.case));
                }
                so_far.show(begun);
                Ok(())
            }
            // Not by the search itself: on a terminal, a bar is where it would print.
            None => progress::aside(|| io::stdout().write_all(line.as_bytes())),
        })?;
    }
    child.wait()
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

    fn show(&self, begun: Instant) {
        let done = self.done;
        match self.all {
            Some(all) => {
                progress::tell(&format!("{done} of {all} runs"));
                progress::count(done, all);
            }
            None => {
                let said = progress::so_far(done, "runs", begun.elapsed());
                progress::tell(&said);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_is_told_from_what_is_found() {
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
            "2 workers, 1 job: 541 interleavings: 0 finish, 541 deadlock, 0 panic\n",
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
