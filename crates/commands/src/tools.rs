//! What other tools find in what the model passes, and what they do not: `cargo book tools` runs
//! Miri, ThreadSanitizer, a stress run and the model's own search on a few programs, and records
//! what each one says.

use crate::{interrupt, progress, step::write_files};
use anyhow::{bail, ensure, Context, Result};
use book::{anchors::unmarked, models::handover, schedules, step};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The step whose pool is run, and its files that the outcome depends on.
const STEP: &str = "listing-20-24";
const STEP_FILES: [&str; 2] = ["src/lib.rs", "examples/drop_pool.rs"];

/// A pool that the search finds a lost wakeup in.
const BROKEN: &str = "lost-wakeup";

/// Runs a pool again and again, and watches it.
const STRESS: &str = include_str!("tools/stress.rs");

/// The section that holds how many interleavings the search has seen.
pub const SEARCH: &str = "handover-search";

/// What a command may take that has much to build first: std for ThreadSanitizer, or the book.
const DEADLINE: Duration = Duration::from_secs(20 * 60);

/// Where it is recorded in the book at `root`.
pub fn file(root: &Path) -> PathBuf {
    root.join("recorded").join("tools.txt")
}

/// What the section of that name holds.
pub fn section<'r>(recorded: &'r str, name: &str) -> Option<&'r str> {
    let (_, rest) = recorded.split_once(&format!("# ANCHOR: {name}\n"))?;
    let (section, _) = rest.split_once(&format!("# ANCHOR_END: {name}\n"))?;
    Some(section)
}

/// What the first line of the record begins with. It changes with the programs that are run; what
/// follows it names the tools that have run them.
///
/// # Errors
///
/// When one of the programs cannot be read.
pub fn title(root: &Path) -> Result<String> {
    let mut checksum = crc32fast::Hasher::new();
    for text in Programs::read(root)?.0.values() {
        checksum.update(text.as_bytes());
    }
    Ok(format!(
        "Recorded by `cargo book tools` from {STEP}, {BROKEN} and handover.rs ({:08x})",
        checksum.finalize()
    ))
}

/// The programs' texts under their paths in the scratch folder, as a reader has them: a tool names
/// the lines that a page shows.
struct Programs(BTreeMap<PathBuf, String>);

impl Programs {
    fn read(root: &Path) -> Result<Programs> {
        let step = step::files(root, STEP)?;
        let of_step = |file: &str| {
            let content = step.get(Path::new(file));
            let content = content.with_context(|| format!("listings/{STEP} has no {file}"))?;
            Ok::<_, anyhow::Error>(String::from_utf8(content.clone())?)
        };

        let mut programs = BTreeMap::new();
        for file in STEP_FILES {
            programs.insert(Path::new("hello").join(file), of_step(file)?);
        }
        let path = handover(root);
        let handover = fs::read_to_string(&path);
        let handover = handover.with_context(|| format!("cannot read {}", path.display()))?;
        programs.insert("handover/src/main.rs".into(), unmarked(&handover));
        for name in [STEP, BROKEN] {
            let pool = schedules::source(root, name)?;
            let folder = Path::new("stress/src/bin").join(name);
            programs.insert(folder.join("main.rs"), STRESS.to_owned());
            programs.insert(folder.join("pool.rs"), pool);
        }
        Ok(Programs(programs))
    }

    /// Writes the programs to the new folder `scratch`, each with its manifest.
    fn write(&self, scratch: &Path) -> Result<()> {
        let mut files: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
        for (path, text) in &self.0 {
            files.insert(path.clone(), text.clone().into_bytes());
        }
        for package in ["hello", "handover", "stress"] {
            let manifest = format!(
                "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
                 [workspace]\n"
            );
            files.insert(Path::new(package).join("Cargo.toml"), manifest.into_bytes());
        }
        write_files(scratch, &files)
    }
}

/// Runs every tool, and records what each says.
///
/// # Errors
///
/// When a tool is missing, when one ends in another way than it is recorded for, and when that cannot
/// be written.
pub fn record(root: &Path) -> Result<ExitCode> {
    let nightly = Nightly::find()?;
    let stable = said(Command::new("rustc").arg("--version")).context("cannot run rustc")?;

    // Of what is run, not of what is there in some minutes.
    let title = title(root)?;
    let scratch = env::temp_dir().join(format!("book-tools-{}", process::id()));
    // ThreadSanitizer names files by their whole path, as rustc was given it.
    Programs::read(root)?.write(&scratch)?;
    let scratch = fs::canonicalize(scratch)?;
    let recorded = sections(root, &scratch, &nightly.host).with_context(|| {
        let scratch = scratch.display();
        format!("this was run in {scratch}, which is left there to be looked at")
    })?;
    let text = format!(
        "{title}, with {} and {} for Miri and ThreadSanitizer, {stable} for the rest.\n\n\
         The packages that the commands run in: hello is {STEP}; the others have these programs\n\
         as their src/main.rs: crates/model/handover.rs, and crates/commands/src/tools/stress.rs for each pool.\n\
         ThreadSanitizer runs with TSAN_OPTIONS=\"{TSAN_FORMAT} strip_path_prefix=...\",\n\
         so that a frame of a stack takes one short line. Lines are left out of the two reports of a\n\
         data race, and none is changed.\n{recorded}",
        nightly.rustc,
        nightly.miri
    );
    fs::write(file(root), text)?;
    fs::remove_dir_all(&scratch)?;
    Ok(ExitCode::SUCCESS)
}

/// A frame without the address and the build's id, which no reader can use.
const TSAN_FORMAT: &str = "stack_trace_format='    #%n %f %S'";

/// Every section of the record.
fn sections(root: &Path, scratch: &Path, host: &str) -> Result<String> {
    let runner = Runner { root, scratch };
    let sanitized = format!(
        "RUSTFLAGS=-Zsanitizer=thread cargo +nightly run --quiet -Zbuild-std --target {host}"
    );
    let mut parts: Vec<(&str, Vec<Run>)> = Vec::new();
    let mut add = |name, commands: &[Run]| parts.push((name, commands.to_vec()));

    let hello = |command| Run::of("hello", command);
    add(
        "miri-pool",
        &[
            hello(
                "MIRIFLAGS=-Zmiri-many-seeds=0..64 cargo +nightly miri run --quiet \
                 --example drop_pool >runs.txt 2>&1",
            ),
            hello("grep -c 'Trying seed' runs.txt"),
            hello("grep -c 'The pool is gone.' runs.txt"),
        ],
    );
    add(
        "miri-handover",
        &[Run {
            finds: Some("Undefined Behavior: Data race detected"),
            shorten: miri_report,
            ..Run::of("handover", "cargo +nightly miri run --quiet --bin handover")
        }],
    );
    add(
        "tsan-pool",
        &[hello(&format!("{sanitized} --example drop_pool"))],
    );
    add(
        "tsan-handover",
        &[Run {
            finds: Some("WARNING: ThreadSanitizer: data race"),
            shorten: tsan_report,
            ..Run::of("handover", &format!("{sanitized} --bin handover"))
        }],
    );
    let stress = "cargo run --release --quiet --bin";
    add(
        "stress",
        &[
            Run::of("stress", &format!("{stress} {STEP} -- 4 8")),
            Run::of("stress", &format!("{stress} {BROKEN} -- 1 0")),
        ],
    );
    add(
        "handover",
        &[Run::of("handover", &format!("{stress} handover -- 100000"))],
    );
    let search = "cargo test --quiet --test promises -- --explore handover";
    add(
        SEARCH,
        &[Run {
            shorten: search_report,
            ..Run::of_book(search)
        }],
    );

    let _shown = progress::begin()?;
    let (mut number, mut recorded) = (0, String::new());
    let all = parts
        .iter()
        .map(|(_, commands)| commands.len() as u64)
        .sum();
    for (name, commands) in &parts {
        let mut text = String::new();
        for run in commands {
            let part = format!("{} of {all}, {}", number + 1, run.command);
            progress::part_of(number, all, &part);
            text += &runner.run(run)?;
            number += 1;
        }
        progress::aside(|| print!("{text}"));
        recorded += &format!("\n# ANCHOR: {name}\n{text}# ANCHOR_END: {name}\n");
    }
    Ok(recorded)
}

/// A command, as it is typed and recorded.
#[derive(Clone)]
struct Run {
    command: String,
    /// The package of the scratch folder that it is run in. `None`: the book.
    package: Option<&'static str>,
    /// What it finds: it has to say so, and to fail. `None`: it has to succeed.
    finds: Option<&'static str>,
    /// Which lines of what it says are recorded.
    shorten: fn(&str) -> String,
}

impl Run {
    fn of(package: &'static str, command: &str) -> Run {
        Run {
            package: Some(package),
            ..Run::of_book(command)
        }
    }

    fn of_book(command: &str) -> Run {
        Run {
            command: command.to_owned(),
            package: None,
            finds: None,
            shorten: str::to_owned,
        }
    }
}

struct Runner<'r> {
    root: &'r Path,
    scratch: &'r Path,
}

impl Runner<'_> {
    /// Runs the command in a shell, and returns it with what it says.
    fn run(&self, run: &Run) -> Result<String> {
        let line = &run.command;
        let output = self.scratch.join("output.txt");
        let file = fs::File::create(&output)?;

        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).stdin(Stdio::null());
        // One file for both, so that what is said stays in its order.
        shell.stdout(file.try_clone()?).stderr(file);
        for variable in ["RUSTFLAGS", "MIRIFLAGS", "RUST_BACKTRACE", "NO_COLOR"] {
            shell.env_remove(variable); // the command says what it needs
        }
        match run.package {
            None => shell.current_dir(self.root),
            Some(package) => {
                let folder = self.scratch.join(package);
                let prefix = format!("{TSAN_FORMAT} strip_path_prefix={}/", folder.display());
                shell
                    .env("TSAN_OPTIONS", prefix)
                    // One for all, as std takes a minute to build. It is not kept for another time:
                    // what Miri keeps there names the folder that it was built in.
                    .env("CARGO_TARGET_DIR", self.scratch.join("target"))
                    .current_dir(folder)
            }
        };
        let status = wait(&mut shell, DEADLINE).with_context(|| format!("`{line}`"))?;

        let said = String::from_utf8_lossy(&fs::read(&output)?).into_owned();
        match run.finds {
            None => ensure!(status.success(), "`{line}` ended with {status}:\n{said}"),
            Some(what) => ensure!(
                !status.success() && said.contains(what),
                "`{line}` ended with {status}, and has not found \"{what}\":\n{said}"
            ),
        }
        let shown = (run.shorten)(&said);
        for folder in [self.scratch, self.root] {
            ensure!(
                !shown.contains(&*folder.to_string_lossy()),
                "a path of this machine would be recorded:\n{shown}"
            );
        }
        Ok(format!("$ {line}\n{shown}"))
    }
}

/// Waits for the command, which is ended with all that it has started when it takes too long.
fn wait(command: &mut Command, deadline: Duration) -> Result<process::ExitStatus> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut child = command.spawn().context("cannot run it")?;
    let _ends = interrupt::also_ends(&child, interrupt::Signal::KILL);
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > deadline {
            end(&mut child)?;
            bail!("it did not end within {deadline:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ends a child and, where there are process groups, what it has started.
fn end(child: &mut Child) -> Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{kill_process_group, Pid, Signal};
        kill_process_group(Pid::from_child(child), Signal::KILL)?;
    }
    #[cfg(not(unix))]
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// The report of a data race, without the advice and the stack below it.
fn miri_report(said: &str) -> String {
    let report = said.lines().skip_while(|line| !line.starts_with("error:"));
    let report = report.take_while(|line| !line.starts_with("   = "));
    report.map(|line| format!("{line}\n")).collect()
}

/// The first report of a data race: the two accesses, with the frames that are in the program, and
/// the summary. Then what the program itself says.
fn tsan_report(said: &str) -> String {
    let is_own = |line: &&str| !line.starts_with("    #") || line.contains(" src/main.rs:");
    let report = said
        .lines()
        .skip_while(|line| !line.starts_with("WARNING:"));
    let accesses = report.clone().take_while(|line| {
        // Where the memory is from, and where the thread was started.
        !line.starts_with("  Location ") && !line.starts_with("  Thread ")
    });
    let accesses = accesses.take_while(|line| !line.starts_with("SUMMARY:"));
    let summary = report.clone().find(|line| line.starts_with("SUMMARY:"));
    let own = report.filter(|line| line.contains(" runs saw "));
    let lines = accesses.filter(is_own).chain(summary).chain(own);
    lines.map(|line| format!("{line}\n")).collect()
}

/// What the search says, without what rustc says of the models that are built for it.
fn search_report(said: &str) -> String {
    let lines = said
        .lines()
        .filter(|line| line.contains(" interleavings, "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The tools of a nightly Rust.
struct Nightly {
    rustc: String,
    miri: String,
    host: String,
}

impl Nightly {
    /// # Errors
    ///
    /// When one is missing: how to get it.
    fn find() -> Result<Nightly> {
        let rustc = said(Command::new("rustc").args(["+nightly", "--version"])).context(
            "this needs a nightly Rust, by rustup: rustup toolchain install nightly \
             --component miri --component rust-src",
        )?;
        let miri = said(Command::new("cargo").args(["+nightly", "miri", "--version"]))
            .context("this needs Miri: rustup component add miri --toolchain nightly")?;
        let sysroot = said(Command::new("rustc").args(["+nightly", "--print", "sysroot"]))?;
        let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock");
        ensure!(
            library.is_file(),
            "this needs std's source: rustup component add rust-src --toolchain nightly"
        );
        let version = said(Command::new("rustc").args(["+nightly", "-vV"]))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host
            .context("`rustc +nightly -vV` names no host")?
            .to_owned();
        Ok(Nightly { rustc, miri, host })
    }
}

/// What a command says that has to succeed.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_what_stands_between_its_marks() {
        let recorded =
            "title\n# ANCHOR: a\n$ a\n1\n# ANCHOR_END: a\n# ANCHOR: b\n# ANCHOR_END: b\n";
        assert_eq!(section(recorded, "a"), Some("$ a\n1\n"));
        assert_eq!(section(recorded, "b"), Some(""));
        assert_eq!(section(recorded, "c"), None);
    }

    #[test]
    fn of_miris_report_its_advice_is_left_out() {
        let said = "\
Preparing a sysroot
error: Undefined Behavior: Data race detected
  --> src/main.rs:25:29
   |
25 |         unsafe { *ours.result.get() }
   |                  ^^^^^^^^^^^^^^^^^^ (2) just happened here
   |
help: and (1) occurred earlier here
   = help: this indicates a bug in the program
   = note: stack backtrace:
           0: hand_over
note: some details are omitted
";
        let lines: Vec<_> = said.split_inclusive('\n').collect();
        assert_eq!(miri_report(said), lines[1..8].concat());
    }

    #[test]
    fn of_thread_sanitizers_report_the_first_race_and_own_frames_are_kept() {
        let said = "\
==================
WARNING: ThreadSanitizer: data race (pid=1)
  Read of size 8 at 0x72 by main thread:
    #0 handover::hand_over src/main.rs:25:29
    #1 core::ops::function::FnOnce::call_once /rust/src/function.rs:250:5

  Previous write of size 8 at 0x72 by thread T1:
    #0 handover::hand_over::{closure#0} src/main.rs:20:18

  Location is heap block of size 32 at 0x72 allocated by main thread:
    #0 handover::hand_over src/main.rs:17:5

SUMMARY: ThreadSanitizer: data race src/main.rs:25:29 in handover::hand_over
==================
WARNING: ThreadSanitizer: data race (pid=1)
SUMMARY: another
==================
948 of 1000 runs saw the result
ThreadSanitizer: reported 2 warnings
";
        let lines: Vec<_> = said.split_inclusive('\n').collect();
        let kept = [1, 2, 3, 5, 6, 7, 8, 12, 17].map(|line| lines[line]);
        assert_eq!(tsan_report(said), kept.concat());
    }

    #[cfg(unix)]
    #[test]
    fn what_takes_too_long_is_ended_with_what_it_has_started() {
        let folder = env::temp_dir().join(format!("book-tools-wait-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "(sleep 2 && touch ended) & wait"]);
        shell.current_dir(&folder);

        let error = wait(&mut shell, Duration::from_millis(100)).unwrap_err();

        assert!(error.to_string().contains("did not end"), "{error}");
        thread::sleep(Duration::from_secs(3));
        assert!(!folder.join("ended").exists());
        fs::remove_dir(folder).unwrap();
    }
}
