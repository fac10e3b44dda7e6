use super::{
    beginning,
    port::{self, Port, PORT},
    terminal::Running,
    working_copy,
};
use crate::{packages::unpack, progress};
use anyhow::{anyhow, bail, ensure, Context, Result};
use book::transcripts::{prompt, typed, Action, Ending, Exit, Scenario, Step, Transcript};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// A first build has all of the listing to compile, on a busy machine perhaps.
const BUILD_DEADLINE: Duration = Duration::from_secs(300);

/// A client that is accepted has sent its request within this time.
const IS_SENT: Duration = Duration::from_millis(500);
/// And where the system does not tell who is accepted, a client is within this time, and has sent it.
const IS_ACCEPTED: Duration = Duration::from_secs(2);

/// Where the copy seems to be. Styles (bold, colors) aside, it is the one thing that is
/// not shown as it was.
const SHOWN_FOLDER: &str = "~/hello";

/// Runs a scenario of the book at `root`, in a folder under `scratch`.
///
/// # Errors
///
/// When a step fails or exceeds its deadline; shows what the terminals showed so far.
pub(super) fn play(root: &Path, scenario: &Scenario, scratch: &Path) -> Result<Transcript> {
    let name = &scenario.name;
    run(root, scenario, scratch).with_context(|| format!("transcript `{name}`"))
}

fn run(root: &Path, scenario: &Scenario, scratch: &Path) -> Result<Transcript> {
    if let Some(tool) = scenario.lacks() {
        bail!("`{tool}` is run, which is not on your PATH: install it and try again");
    }
    let folder = prepare(root, scenario, scratch)?;
    // The servers are killed, and then the port is given back.
    let _port = scenario.port.then(Port::lock).transpose()?;
    let mut stage = Stage::new(scenario, folder);
    for (number, step) in (1..).zip(&scenario.steps) {
        progress::tell(&format!("step {number} of {}", scenario.steps.len()));
        stage.take(step).map_err(|problem| {
            anyhow!(
                "step {number}, in terminal `{}`: {problem:#}\n\nThe terminals show:\n\n{}",
                step.terminal,
                stage.shown()
            )
        })?;
    }
    stage.transcript(&scenario.name)
}

/// Makes the working copy, builds what is to be built unshown, and returns the folder.
pub(super) fn prepare(root: &Path, scenario: &Scenario, scratch: &Path) -> Result<PathBuf> {
    let folder = scratch.join(&scenario.name).join("hello");
    let listing = root.join("listings").join(&scenario.listing);
    unpack(root, scratch)?;
    if scenario.prebuild {
        beginning::copy(&listing, scratch, &folder, |copy| build(copy, scenario))?;
    }
    working_copy::sync(&listing, &folder, &scenario.edits)?;
    for file in &scenario.files {
        let file = root.join(file);
        let name = file.file_name().context("a file has a name")?;
        fs::copy(&file, folder.join(name))
            .with_context(|| format!("cannot copy {}", file.display()))?;
    }
    // The path as cargo prints it.
    let folder = fs::canonicalize(&folder)?;
    if scenario.prebuild {
        progress::tell("building the listing");
        build(&folder, scenario)?;
    }
    Ok(folder)
}

/// Builds what the scenario runs, each as its command would. The listing may depend on more features of a
/// package where an example is built, and then both are compiled once more: so no other example is.
fn build(folder: &Path, scenario: &Scenario) -> Result<()> {
    let commands = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Run { command, .. } => Some(&**command),
        _ => None,
    });
    for what in are_run(commands) {
        build_one(folder, &what)?;
    }
    Ok(())
}

fn build_one(folder: &Path, what: &str) -> Result<()> {
    let build = Running::start(&format!("cargo build {what}"), folder, false)?;
    match build.wait_for_end(BUILD_DEADLINE) {
        Some(Exit::Status(0)) => Ok(()),
        Some(exit) => bail!("the listing does not build ({exit}):\n\n{}", build.shown()),
        None => bail!(
            "building the listing takes more than {BUILD_DEADLINE:?}:\n\n{}",
            build.shown()
        ),
    }
}

/// What these commands have cargo run, as options of `cargo build`.
fn are_run<'c>(commands: impl IntoIterator<Item = &'c str>) -> BTreeSet<String> {
    let runs = commands.into_iter();
    let runs = runs.flat_map(|command| command.split("cargo run").skip(1));
    let built = runs.map(|arguments| {
        let mut words = arguments.split_whitespace();
        let example = words.find(|&word| word == "--example").and(words.next());
        example.map_or("--bins".to_owned(), |name| format!("--example {name}"))
    });
    let mut all: BTreeSet<_> = built.collect();
    if all.is_empty() {
        all.insert("--bins".to_owned()); // some are run by their paths
    }
    all
}

/// The terminals of a scenario that is being played.
struct Stage {
    folder: PathBuf,
    terminals: Vec<Terminal>,
}

struct Terminal {
    name: String,
    /// All but what the running command has shown.
    text: String,
    running: Option<Running>,
}

impl Stage {
    fn new(scenario: &Scenario, folder: PathBuf) -> Stage {
        let terminal = |name: &str| Terminal {
            name: name.to_owned(),
            text: String::new(),
            running: None,
        };
        let terminals = scenario.terminals().into_iter().map(terminal).collect();
        Stage { folder, terminals }
    }

    fn take(&mut self, step: &Step) -> Result<()> {
        let terminal = self
            .terminals
            .iter_mut()
            .find(|terminal| terminal.name == step.terminal)
            .context("there is no such terminal")?;
        let deadline = step.deadline;
        match &step.action {
            Action::Run {
                command,
                retry,
                expected,
            } => {
                terminal.text += &prompt(command);
                terminal.running = Some(Running::start(command, &self.folder, *retry)?);
                match expected {
                    Some(expected) => terminal.finish(expected, deadline),
                    None => Ok(()),
                }
            }
            Action::Until(pattern) => {
                let shown = terminal.running()?.wait_until(deadline, |shown| {
                    // A line may be written in pieces: the next step is to come after all of it.
                    let whole = shown.rfind('\n').map_or("", |end| &shown[..=end]);
                    pattern.is_match(whole)
                });
                ensure!(
                    shown,
                    "waited for `{pattern}` until the command's end or for {deadline:?}"
                );
                Ok(())
            }
            Action::Pause(pause) => {
                let ended = terminal.running()?.wait_for_end(*pause);
                ensure!(
                    ended.is_none(),
                    "the command should still run after {pause:?}"
                );
                Ok(())
            }
            Action::Accepted(number) => {
                let running = terminal.running()?;
                let start = Instant::now();
                let rest = loop {
                    match port::accepted(PORT) {
                        Some(accepted) if accepted < *number => {}
                        Some(_) => break IS_SENT,
                        None => break IS_ACCEPTED,
                    }
                    ensure!(
                        start.elapsed() < deadline,
                        "the server has not accepted {number} after {deadline:?}"
                    );
                    thread::sleep(Duration::from_millis(10));
                };
                ensure!(
                    running.wait_for_end(rest).is_none(),
                    "the command should still run when the server has accepted it"
                );
                Ok(())
            }
            Action::CtrlC => terminal.running()?.press_ctrl_c(),
            Action::Exit(expected) => terminal.finish(expected, deadline),
        }
    }

    fn shown(&self) -> String {
        let mut all = String::new();
        for terminal in &self.terminals {
            all += &format!("[{}]\n{}", terminal.name, terminal.shown());
        }
        all
    }

    fn transcript(self, name: &str) -> Result<Transcript> {
        let folder = self.folder.display().to_string();
        let mut terminals = Vec::new();
        for terminal in self.terminals {
            let text = terminal.text.replace(&folder, SHOWN_FOLDER);
            if let Some(odd) = text.chars().find(|c| c.is_control() && *c != '\n') {
                bail!("terminal `{}` was sent {odd:?}:\n\n{text}", terminal.name);
            }
            terminals.push((terminal.name, text));
        }
        Ok(Transcript::new(name, terminals))
    }
}

impl Terminal {
    fn running(&self) -> Result<&Running> {
        self.running.as_ref().context("no command runs there")
    }

    fn shown(&self) -> String {
        let mut shown = self.text.clone();
        if let Some(running) = &self.running {
            shown += &running.shown();
        }
        // A shell starts its prompt on a line of its own, also after `^C`.
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        shown
    }

    /// Waits for the end of the running command, and keeps what it has shown.
    fn finish(&mut self, expected: &Ending, deadline: Duration) -> Result<()> {
        let running = self.running()?;
        let ended = running.wait_for_end(deadline);
        if let Some(line) = running.shown().lines().find(|line| typed(line).is_some()) {
            bail!("this line of output looks like a typed command: {line:?}");
        }
        self.text = self.shown();
        self.running = None;
        match ended {
            Some(ended) if expected.allows(ended) => Ok(()),
            Some(ended) => bail!("the command ended with {ended}, not with {expected}"),
            None => bail!("the command had not ended after {deadline:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a command that runs on has shown `pattern` as far as a scenario can know.
    fn is_shown(command: &str, pattern: &str) -> Result<()> {
        let mut stage = Stage {
            folder: std::env::temp_dir(),
            terminals: vec![Terminal {
                name: "server".into(),
                text: String::new(),
                running: Some(Running::start(command, &std::env::temp_dir(), false)?),
            }],
        };
        stage.take(&Step {
            terminal: "server".into(),
            action: Action::Until(pattern.parse()?),
            deadline: Duration::from_secs(2),
        })
    }

    #[test]
    fn what_is_run_is_built_and_no_other_example() {
        let built = |commands: &[&'static str]| {
            let built = are_run(commands.iter().copied()).into_iter();
            built.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(built(&["cat src/main.rs", "target/debug/hello"]), "--bins");
        assert_eq!(built(&["cargo run -q --example gone"]), "--example gone");
        assert_eq!(
            built(&[
                "cargo run --example gone &",
                "exec cargo run -q -- --files ."
            ]),
            "--bins, --example gone"
        );
        assert_eq!(
            built(&["cargo run -- 7 && cargo run --example gone -- 4"]),
            "--bins, --example gone"
        );
    }

    #[test]
    fn a_line_is_shown_when_all_of_it_is() {
        is_shown(
            "echo SIGINT: stopping, 1 still to answer; sleep 60",
            "still to",
        )
        .unwrap();

        let pieces = "echo ready; printf 'SIGINT: stopping, 1 still to'; sleep 60";
        let problem = is_shown(pieces, "still to").unwrap_err();
        assert!(problem.to_string().contains("still to"), "{problem}");
        is_shown(pieces, "ready").unwrap();
    }
}
