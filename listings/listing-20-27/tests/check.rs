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
        // A process that was ended may have left one behind, and this one may have its number.
        let folder = (0..100)
            .map(|count| env::temp_dir().join(format!("hello-mistakes-{}-{count}", process::id())))
            .find(|folder| fs::create_dir(folder).is_ok());
        Folder(folder.expect("a new folder for temporary files"))
    }

    /// A copy of this crate, but for this file.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.0.join(name);
        let mut files = vec![PathBuf::from("Cargo.toml"), PathBuf::from("Cargo.lock")];
        for folder in ["src", "tests", "tests/common"] {
            let entries = fs::read_dir(crate_folder().join(folder));
            let entries = entries.into_iter().flatten().map(|entry| entry.unwrap());
            let found = entries.map(|entry| Path::new(folder).join(entry.file_name()));
            files.extend(found.filter(|file| file.extension().is_some_and(|e| e == "rs")));
        }
        files.retain(|file| {
            !["tests/check.rs", "src/main.rs"]
                .map(Path::new)
                .contains(&&**file)
        });
        for file in files {
            let to = copy.join(&file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(crate_folder().join(file), to).unwrap();
        }
        copy
    }
}

fn crate_folder() -> &'static Path {
    Path::new(".") // there cargo runs each test
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

/// Runs your tests in a copy. They have two minutes, as the other copies need the processor as well.
fn run(copy: &Path) -> Ending {
    let built = cargo(copy, &["--no-run"])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    if !built.status.success() {
        panic!(
            "does not compile:\n{}",
            String::from_utf8_lossy(&built.stderr)
        );
    }

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
    while start.elapsed() < Duration::from_secs(120) {
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

/// The pool with the mistake in it. Your tests in the same file stay as they are.
fn with_mistake(library: &str, (name, changes): Mistake) -> String {
    let (pool, tests) = library.split_at(library.find("#[cfg(test)]").unwrap_or(library.len()));
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let mut pool: String = pool.split_inclusive('\n').filter(is_code).collect();
    for (from, to) in changes {
        let found = pool.matches(from).count();
        assert_eq!(
            found, 1,
            "for the mistake \"{name}\", the pool in src/lib.rs has to hold `{from}` once: \
             leave it as it is in Listing 20-26, and add tests"
        );
        pool = pool.replace(from, to);
    }
    pool + tests
}

#[test]
fn your_tests_pass_with_your_pool_and_catch_each_mistake() {
    let library = fs::read_to_string(crate_folder().join("src/lib.rs")).unwrap();
    let wrong = MISTAKES
        .iter()
        .map(|mistake| with_mistake(&library, *mistake));
    let wrong: Vec<String> = wrong.collect();
    assert!(
        crate_folder().join("tests/library.rs").is_file(),
        "your crate has no tests/library.rs yet: that is where your tests go"
    );

    let folder = Folder::new();
    assert_eq!(
        run(&folder.copy("right")),
        Ending::Pass,
        "your tests do not pass with your own pool, before any mistake is made; see \
         `cargo test --lib --test library` in your folder"
    );

    let folder = &folder;
    let endings: Vec<Ending> = thread::scope(|scope| {
        let runs: Vec<_> = (wrong.iter().enumerate())
            .map(|(number, library)| {
                scope.spawn(move || {
                    let copy = folder.copy(&number.to_string());
                    fs::write(copy.join("src/lib.rs"), library).unwrap();
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
    let caught = endings
        .iter()
        .filter(|ending| **ending == Ending::Fail)
        .count();
    assert_eq!(
        caught,
        MISTAKES.len(),
        "mistakes caught in time; the others are named above"
    );
}
