//! What counts as done: `cargo book check 20-27 FOLDER` runs this against a crate of your own. It runs
//! your tests, those in `src/lib.rs` and `tests/library.rs`, against your pool and against broken ones.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

// ANCHOR: mistakes
/// A name, and what is replaced by what in `src/lib.rs`.
type Mistake = (&'static str, &'static [(&'static str, &'static str)]);

const MISTAKES: &[Mistake] = &[
    (
        "zero workers are taken",
        &[("assert!(size > 0, \"a pool needs at least one worker\");", "")],
    ),
    (
        "one worker, however many are asked for",
        &[("(0..size)", "(0..size.min(1))")],
    ),
    (
        "worker 0 loses its jobs",
        &[("job();", "if id > 0 { job(); }")],
    ),
    (
        "the lock is held while a job runs",
        &[
            ("let message = receiver.lock().unwrap().recv();", ""),
            ("match message {", "match receiver.lock().unwrap().recv() {"),
        ],
    ),
    (
        "a closed channel is taken for a failure",
        &[(
            "receiver.lock().unwrap().recv();",
            "Ok::<Job, mpsc::RecvError>(receiver.lock().unwrap().recv().unwrap());",
        )],
    ),
    (
        "the channel is not closed",
        &[("drop(self.sender.take());", "")],
    ),
    ("the loop is not left", &[("break;", "")]),
    (
        "the drop does not wait",
        &[("thread.join().unwrap();", "drop(thread);")],
    ),
    (
        "what is queued at the drop is thrown away",
        &[
            ("type Job =", "static DROPPED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);\ntype Job ="),
            ("drop(self.sender.take());", "drop(self.sender.take()); DROPPED.store(true, std::sync::atomic::Ordering::SeqCst);"),
            ("Ok(job) => {", "Ok(job) => { if DROPPED.load(std::sync::atomic::Ordering::SeqCst) { continue; }"),
        ],
    ),
];
// ANCHOR_END: mistakes

/// How your tests end in a copy of this crate with a mistake in it.
#[derive(Debug, PartialEq)]
enum Ending {
    Pass,
    Fail,
    Hang,
}

/// The copies are made in a folder that ends with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let folder = env::temp_dir().join(format!("hello-mistakes-{}", process::id()));
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    /// A copy of this crate, but for the tests of the book.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.0.join(name);
        for file in ["Cargo.toml", "Cargo.lock", "src/lib.rs", "tests/library.rs"] {
            let to = copy.join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), to)
                .unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        copy
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A cargo command in the copy.
fn cargo(copy: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["test", "--lib", "--test", "library"])
        .args(arguments)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_TEST_DEBUG", "none")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Runs your tests in a copy. They have a minute.
fn run(copy: &Path) -> Ending {
    let built = cargo(copy, &["--no-run"]).status().unwrap();
    assert!(built.success(), "{} does not compile", copy.display());

    // Many at a time: those that fail do so by waiting. And nothing is kept of what they print.
    let run = [
        "--no-fail-fast",
        "--",
        "--test-threads",
        "16",
        "--nocapture",
    ];
    let mut tests = cargo(copy, &run).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(status) = tests.try_wait().unwrap() {
            return match status.success() {
                true => Ending::Pass,
                false => Ending::Fail,
            };
        }
        thread::sleep(Duration::from_millis(50));
    }
    // What cargo has started goes with it, where processes come in groups.
    #[cfg(unix)]
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", tests.id())])
        .status();
    let _ = tests.kill();
    tests.wait().unwrap();
    Ending::Hang
}

/// Makes the mistake in the copy.
fn make(copy: &Path, (name, changes): Mistake) {
    let library = copy.join("src/lib.rs");
    let mut text = fs::read_to_string(&library).unwrap();
    for (from, to) in changes {
        let found = text.matches(from).count();
        assert_eq!(
            found, 1,
            "for the mistake \"{name}\", `{from}` has to be in src/lib.rs once: \
             leave the pool as it is in Listing 20-26, and add tests"
        );
        text = text.replace(from, to);
    }
    fs::write(library, text).unwrap();
}

#[test]
fn your_tests_pass_with_your_pool_and_catch_each_mistake() {
    let folder = Folder::new();
    assert_eq!(
        run(&folder.copy("right")),
        Ending::Pass,
        "your tests, with your pool"
    );

    let folder = &folder;
    let endings: Vec<Ending> = thread::scope(|scope| {
        let runs: Vec<_> = (MISTAKES.iter().enumerate())
            .map(|(number, mistake)| {
                scope.spawn(move || {
                    let copy = folder.copy(&number.to_string());
                    make(&copy, *mistake);
                    run(&copy)
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });

    for ((name, _), ending) in MISTAKES.iter().zip(&endings) {
        match ending {
            Ending::Pass => println!("not caught: {name}"),
            Ending::Fail => println!("caught: {name}"),
            Ending::Hang => println!("caught, but a test has no deadline: {name}"),
        }
    }
    assert!(endings.iter().all(|ending| *ending == Ending::Fail));
}
