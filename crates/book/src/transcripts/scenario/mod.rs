mod written;

use super::{folder, Rules};
use crate::{proposals::Proposal, sources::Sources};
use anyhow::{bail, ensure, Context, Result};
use regex::Regex;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    path::Path,
    process::{Command, Stdio},
    slice,
    time::Duration,
};
use written::{Find, RawScenario};

/// What a scenario may run, and a system may lack.
const TOOLS: [&str; 2] = ["curl", "haproxy"];

/// A script for one or more terminals, and the rules for what they show.
///
/// Its file is TOML:
///
/// ```toml
/// listing = "listing-20-25"   # in whose copy, named `hello`, the commands are typed
/// port = true                 # 127.0.0.1:7878 is used: one such scenario runs at a time
/// prebuild = true             # the default: build first, unshown, so that only the run is seen
/// files = ["recorded/haproxy.cfg"]  # files of the book that are put into the copy
///
/// [[edit]]                    # a change to the copy; `from` is there exactly once
/// file = "src/lib.rs"
/// from = "two"
/// to = "three"
///
/// [[edit]]                    # or one that a page shows, in a fence ```diff,LISTING,NAME
/// proposal = "sender-given-away"
///
/// [[step]]                    # a command that runs on while the next steps are taken
/// terminal = "server"
/// run = "cargo run"
/// background = true
///
/// [[step]]                    # a command that ends, with this status (else 0)
/// terminal = "client"
/// run = "curl http://127.0.0.1:7878/"
/// retry = true                # run again, unshown, while curl finds nobody listening
/// exit = [0, 7]               # or with one of these, if it is chance which
///
/// [[step]]                    # wait until the running command has shown this, in whole lines
/// terminal = "server"
/// until = 'Shutting down\.'
///
/// [[step]]                    # wait for seconds; the command must not end meanwhile
/// terminal = "server"
/// pause = 3
///
/// [[step]]                    # wait until the server has accepted so many, and read what they have sent
/// terminal = "client"
/// accepted = 1
///
/// [[step]]                    # the one key that can be pressed
/// terminal = "server"
/// press = "Ctrl-C"
///
/// [[step]]                    # wait for the end of a background command
/// terminal = "server"
/// exit = "SIGINT"             # or a status, such as 101
/// within = 30                 # any step's deadline in seconds: 120 if not said, and at most
///
/// [terminal.client]           # rules: the text is the same in every run,
/// same = true
///
/// [terminal.server]           # or its lines obey patterns and an order, see `Rules`
/// lines.job = { pattern = 'Worker (?<worker>\d) got a job; executing\.', times = 2 }
/// lines.interrupted = '\^C'
/// order = ["job < interrupted"]
/// ```
pub struct Scenario {
    /// The name of its files, without their extensions.
    pub name: String,
    /// The folder in `listings/` whose copy the commands are typed in.
    pub listing: String,
    /// What each terminal may show, by the terminal's name.
    pub rules: BTreeMap<String, Rules>,
    pub port: bool,
    pub prebuild: bool,
    /// By their paths in the book.
    pub files: Vec<String>,
    pub edits: Vec<Edit>,
    pub steps: Vec<Step>,
}

/// A replacement in a file of the working copy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub file: String,
    pub from: String,
    pub to: String,
}

/// Something done at a terminal, and how long it may take.
#[derive(Debug)]
pub struct Step {
    pub terminal: String,
    pub action: Action,
    pub deadline: Duration,
}

#[derive(Debug)]
pub enum Action {
    /// Type a command; wait for its end, unless it runs in the background.
    Run {
        command: String,
        retry: bool,
        expected: Option<Ending>,
    },
    Until(Regex),
    Pause(Duration),
    Accepted(usize),
    CtrlC,
    Exit(Ending),
}

/// How a command may end: in one way, or in one of several.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "an exit status such as 101, or \"SIGINT\", or a list of some"
)]
pub enum Ending {
    Only(Exit),
    OneOf(Vec<Exit>),
}

impl Ending {
    pub fn allows(&self, exit: Exit) -> bool {
        self.exits().contains(&exit)
    }

    fn exits(&self) -> &[Exit] {
        match self {
            Ending::Only(exit) => slice::from_ref(exit),
            Ending::OneOf(exits) => exits,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (number, exit) in self.exits().iter().enumerate() {
            let or = if number == 0 { "" } else { " or " };
            write!(f, "{or}{exit}")?;
        }
        Ok(())
    }
}

/// How a command ends: with a status, or by the signal of Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Exit {
    Status(i32),
    Signal(Signal),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum Signal {
    #[serde(rename = "SIGINT")]
    Interrupt,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Exit::Status(status) => write!(f, "status {status}"),
            Exit::Signal(Signal::Interrupt) => write!(f, "SIGINT"),
        }
    }
}

impl Scenario {
    /// Reads the scenario `name` of the book at `root`.
    ///
    /// # Errors
    ///
    /// When its file cannot be read or says something that cannot be done;
    /// the error names the file and what would be right.
    pub fn load(root: &Path, name: &str) -> Result<Scenario> {
        let file = folder(root).join(format!("{name}.toml"));
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let proposed = |proposal: &str| on_a_page(&Sources::read(root)?, proposal);
        Scenario::parse(name, &text, &proposed).with_context(|| format!("in {}", file.display()))
    }

    /// The scenario `name` of these sources; `None`: they have none.
    ///
    /// # Errors
    ///
    /// When it says something that cannot be done.
    pub fn of(sources: &Sources, name: &str) -> Option<Result<Scenario>> {
        let file = format!("recorded/transcripts/{name}.toml");
        let text = sources.text(&file)?;
        let proposed = |proposal: &str| on_a_page(sources, proposal);
        Some(Scenario::parse(name, text, &proposed).with_context(|| format!("in {file}")))
    }

    /// The program that the scenario runs and that is not on `PATH`, of those that not every system
    /// has.
    pub fn lacks(&self) -> Option<&'static str> {
        let path = env::var_os("PATH").unwrap_or_default();
        let is_there = |tool: &str| {
            let file = format!("{tool}{}", env::consts::EXE_SUFFIX);
            env::split_paths(&path).any(|folder| folder.join(&file).is_file())
        };
        let commands = self.terminals().into_iter();
        let commands: Vec<_> = commands.flat_map(|name| self.commands(name)).collect();
        let is_run = |tool: &str| {
            let mut words = commands.iter().flat_map(|command| command.split(' '));
            words.any(|word| word == tool)
        };
        TOOLS
            .into_iter()
            .find(|tool| is_run(tool) && !is_there(tool))
    }

    /// Whether the scenario has systemd's own program start a server, and that is not there.
    pub fn lacks_systemd(&self) -> bool {
        const PROGRAM: &str = "systemd-socket-activate";
        let mut commands = (self.terminals().into_iter()).flat_map(|name| self.commands(name));
        let mut attempt = Command::new(PROGRAM);
        attempt.arg("--version").stdout(Stdio::null());
        commands.any(|command| command.contains(PROGRAM)) && attempt.status().is_err()
    }

    /// Whether the scenario makes a program process 1 and sends it a signal, and that cannot be done
    /// here, or not by this user.
    pub fn lacks_process_1(&self) -> bool {
        let mut commands = (self.terminals().into_iter()).flat_map(|name| self.commands(name));
        let mut attempt = Command::new("sh");
        attempt.args(["-c", "unshare -r -pf --kill-child pkill --version"]);
        attempt.stdout(Stdio::null()).stderr(Stdio::null());
        commands.any(|command| command.contains("unshare "))
            && !attempt.status().is_ok_and(|status| status.success())
    }

    fn parse(name: &str, text: &str, proposed: &Find) -> Result<Scenario> {
        let scenario = toml::from_str::<RawScenario>(text)?.parse(name, proposed)?;
        scenario.check_background()?;
        scenario.check_terminals()?;
        scenario.check_port()?;
        Ok(scenario)
    }

    /// The commands typed at `terminal`, in order.
    pub fn commands(&self, terminal: &str) -> Vec<&str> {
        self.steps
            .iter()
            .filter(|step| step.terminal == terminal)
            .filter_map(|step| match &step.action {
                Action::Run { command, .. } => Some(command.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The terminals' names, in the order in which they are first used.
    pub fn terminals(&self) -> Vec<&str> {
        let mut terminals = Vec::new();
        for step in &self.steps {
            if !terminals.contains(&step.terminal.as_str()) {
                terminals.push(&step.terminal);
            }
        }
        terminals
    }

    fn check_terminals(&self) -> Result<()> {
        let used: BTreeSet<&str> = self.terminals().into_iter().collect();
        let ruled: BTreeSet<&str> = self.rules.keys().map(String::as_str).collect();
        for terminal in &used {
            ensure!(
                ruled.contains(terminal),
                "terminal `{terminal}` has no rules: add [terminal.{terminal}]"
            );
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
            ensure!(
                terminal.chars().all(plain),
                "terminal `{terminal}` names an anchor: letters, digits and `-` only"
            );
        }
        if let Some(terminal) = ruled.difference(&used).next() {
            bail!("[terminal.{terminal}] has rules, but no step uses that terminal");
        }
        Ok(())
    }

    fn check_port(&self) -> Result<()> {
        let uses_port = self.steps.iter().any(
            |step| matches!(&step.action, Action::Run { command, .. } if command.contains(":7878")),
        );
        ensure!(
            self.port || !uses_port,
            "a command uses port 7878: say `port = true` at the top"
        );
        Ok(())
    }

    /// What waits for a running command has one, and none is left running.
    fn check_background(&self) -> Result<()> {
        let mut running = BTreeSet::new();
        for (number, step) in (1..).zip(&self.steps) {
            let terminal = step.terminal.as_str();
            let busy = running.contains(terminal);
            match &step.action {
                Action::Run { .. } if busy => {
                    bail!(
                        "step {number}: a command still runs in `{terminal}`; wait for its end \
                         with a step `exit = …`"
                    )
                }
                Action::Run { expected, .. } => {
                    if expected.is_none() {
                        running.insert(terminal);
                    }
                }
                _ if !busy => bail!("step {number}: no command runs in `{terminal}`"),
                Action::Exit(_) => {
                    running.remove(terminal);
                }
                Action::Until(_) | Action::Pause(_) | Action::Accepted(_) | Action::CtrlC => {}
            }
        }
        if let Some(terminal) = running.first() {
            bail!("the command in `{terminal}` is left running: end with a step `exit = …`");
        }
        Ok(())
    }
}

/// The change of that name, from the page that proposes it.
fn on_a_page(sources: &Sources, name: &str) -> Result<Proposal> {
    for page in sources.pages() {
        let mut proposals = Proposal::on(&page)?.into_iter();
        if let Some(proposal) = proposals.find(|proposal| proposal.name == name) {
            return Ok(proposal);
        }
    }
    bail!("no page has a fence ```diff,LISTING,{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Page;

    const GOOD: &str = r#"
        listing = "listing-20-25"
        step = [
            { terminal = "one", run = "serve", background = true },
            { terminal = "two", run = "ask" },
            { terminal = "one", exit = "SIGINT", within = 20 },
        ]
        [terminal.one]
        same = true
        [terminal.two]
        same = true
    "#;

    /// A page that proposes the one change `dropped`.
    fn proposed(name: &str) -> Result<Proposal> {
        let page = Page::parse("page.md", "```diff,listing-20-25,dropped\n-a\n+b\n```\n");
        let mut proposals = Proposal::on(&page)?;
        ensure!(name == "dropped", "no page has {name}");
        Ok(proposals.remove(0))
    }

    fn parse(text: &str) -> Result<Scenario> {
        Scenario::parse("ping", text, &proposed)
    }

    fn error(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        match parse(&GOOD.replace(from, to)) {
            Ok(_) => panic!("{to} should be refused"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_scenario_is_read() {
        let scenario = parse(GOOD).unwrap();

        assert!(scenario.prebuild && !scenario.port);
        assert_eq!(scenario.terminals(), ["one", "two"]);
        assert_eq!(scenario.commands("one"), ["serve"]);
        assert_eq!(scenario.steps[2].deadline, Duration::from_secs(20));
    }

    #[test]
    fn what_is_lacking_is_asked_only_where_it_is_needed() {
        assert_eq!(parse(GOOD).unwrap().lacks(), None);
        assert!(!parse(GOOD).unwrap().lacks_process_1());
        let isolated = parse(&GOOD.replace("run = \"ask\"", "run = \"unshare -pf ask\""));
        let allowed = Command::new("unshare")
            .args(["-r", "-pf", "--kill-child", "pkill", "--version"])
            .output();
        let allowed = allowed.is_ok_and(|output| output.status.success());
        assert_eq!(isolated.unwrap().lacks_process_1(), !allowed);
    }

    #[test]
    fn a_command_may_end_in_one_of_several_ways() {
        let scenario = parse(&GOOD.replace(r#""SIGINT""#, r#"[52, "SIGINT"]"#)).unwrap();

        let Action::Exit(ending) = &scenario.steps[2].action else {
            panic!("{:?}", scenario.steps[2]);
        };
        assert!(ending.allows(Exit::Status(52)));
        assert!(ending.allows(Exit::Signal(Signal::Interrupt)));
        assert!(!ending.allows(Exit::Status(56)));
        assert_eq!(ending.to_string(), "status 52 or SIGINT");
    }

    #[test]
    fn an_edit_is_the_one_that_a_page_proposes() {
        let edits = r#"edit = [{ proposal = "dropped" }]"#;
        let scenario = parse(&format!("{edits}\n{GOOD}")).unwrap();

        let [Edit { file, from, to }] = &scenario.edits[..] else {
            panic!("{:?}", scenario.edits);
        };
        assert_eq!([file, from, to], ["src/lib.rs", "a\n", "b\n"]);
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_what_would_be_right() {
        for (from, to, expected) in [
            (r#"run = "ask""#, r#"rum = "ask""#, "unknown field `rum`"),
            (
                r#"step ="#,
                "edit = [{ proposal = \"kept\" }]\nstep =",
                "no page has kept",
            ),
            (
                r#"listing = "listing-20-25""#,
                "listing = \"listing-20-24\"\nedit = [{ proposal = \"dropped\" }]",
                "`dropped` changes listing-20-25",
            ),
            (
                r#"step ="#,
                "edit = [{ proposal = \"dropped\", file = \"a\" }]\nstep =",
                "an edit has `file`, `from` and `to`, or a `proposal`",
            ),
            (
                r#"run = "ask""#,
                r#"run = "ask", pause = 1"#,
                "exactly one of `run`",
            ),
            (r#"run = "ask""#, "pause = 1", "no command runs in `two`"),
            (r#"run = "ask""#, "accepted = 1", "no command runs in `two`"),
            (r#"run = "ask""#, "retry = true, exit = 0", "go with `run`"),
            (
                r#""SIGINT""#,
                r#""SIGHUP""#,
                "an exit status such as 101, or \"SIGINT\", or a list",
            ),
            (r#""SIGINT""#, "[52, \"SIGHUP\"]", "or a list of some"),
            (r#""SIGINT""#, "[]", "an empty list allows no end"),
            ("within = 20", "within = 121", "120 s at most"),
            (r#""ask""#, r#""curl localhost:7878""#, "`port = true`"),
            (
                "background = true",
                "background = true, exit = 0",
                "step of its own",
            ),
            ("background = true", "background = false", "no command runs"),
            (
                r#"{ terminal = "one", exit = "SIGINT", within = 20 },"#,
                "",
                "left running",
            ),
            (
                r#"{ terminal = "two", run"#,
                r#"{ terminal = "one", run"#,
                "still runs",
            ),
            ("[terminal.two]", "[terminal.three]", "[terminal.two]"),
            (
                "[terminal.two]\n        same = true",
                "[terminal.two]",
                "`same = true`",
            ),
        ] {
            let error = error(from, to);
            assert!(error.contains(expected), "{to}: {error}");
        }
    }
}
