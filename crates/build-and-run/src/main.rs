//! Builds a program of this workspace, and runs it: `build-and-run PROGRAM [ARGUMENT...]`.
//!
//! `book` is two programs: whoever wants to read does not wait until the other one is compiled, which
//! records, searches and measures.
//!
//! In a new clone there is much to compile, and whoever waits wants to see what. `cargo run --quiet`
//! does not say it; without `--quiet` it says two lines each time there is nothing to compile, and
//! mdBook runs its preprocessor up to four times for each change. This says what is compiled, and
//! nothing else.

mod named;

use std::{
    env::{self, consts::EXE_SUFFIX},
    ffi::{OsStr, OsString},
    io::{self, BufRead, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("error: call it with a program of this workspace: build-and-run mdbook-steps");
        return ExitCode::from(2);
    };
    let rest: Vec<_> = arguments.collect();
    let program = named::named(&program, &rest);
    build_and_run(program, &rest).unwrap_or_else(|error| {
        let program = program.to_string_lossy();
        eprintln!("error: `{program}` cannot be built and run: {error}");
        ExitCode::FAILURE
    })
}

fn build_and_run(program: &OsStr, arguments: &[OsString]) -> io::Result<ExitCode> {
    let status = build(program)?;
    if !status.success() {
        return Ok(exit_code(status)); // cargo has said why
    }
    // Cargo has built this program in the same way, and so in the same folder.
    let program = beside(&env::current_exe()?, program);
    replace_process(Command::new(program).args(arguments))
}

/// The book's folder. Cargo compiles this again if it has been moved since. (Without the variable, cargo
/// was called from elsewhere, and has not read `.cargo/config.toml`.)
const ROOT: &str = match option_env!("BOOK_ROOT") {
    Some(root) => root,
    None => concat!(env!("CARGO_MANIFEST_DIR"), "/../.."),
};

/// Builds the program, and shows what cargo says of that, but for its last line.
///
/// As a program of the whole workspace, not of its package alone: so each crate that it needs has the
/// features that `cargo test` needs too, and is compiled once for both.
fn build(program: &OsStr) -> io::Result<ExitStatus> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--bin"])
        .arg(program)
        .arg("--manifest-path")
        .arg(Path::new(ROOT).join("Cargo.toml"));
    // Both are for the program: mdBook hands it the book, and reads the book that it writes.
    cargo.stdin(Stdio::null()).stdout(Stdio::null());
    let set = |name| env::var_os(name).is_some();
    if io::stderr().is_terminal() && !set("NO_COLOR") && !set("CARGO_TERM_COLOR") {
        cargo.env("CARGO_TERM_COLOR", "always"); // it sees a pipe
    }
    let mut child = cargo.stderr(Stdio::piped()).spawn()?;
    if let Some(said) = child.stderr.take() {
        for line in BufReader::new(said).split(b'\n') {
            let line = line?;
            if !is_the_end(&String::from_utf8_lossy(&line)) {
                let line = [&line[..], b"\n"].concat();
                io::stderr().write_all(&line)?;
            }
        }
    }
    child.wait()
}

/// Whether the line says that all is built, perhaps in colors.
fn is_the_end(line: &str) -> bool {
    line.contains("Finished") && line.contains(" target(s) in ")
}

fn beside(program: &Path, name: &OsStr) -> PathBuf {
    let mut name = name.to_owned();
    name.push(EXE_SUFFIX);
    program.with_file_name(name)
}

/// Runs the command in the place of this process, so that whoever ends this one ends it.
#[cfg(unix)]
fn replace_process(command: &mut Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()) // returns only if it fails
}

#[cfg(not(unix))]
fn replace_process(command: &mut Command) -> io::Result<ExitCode> {
    Ok(exit_code(command.status()?))
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_is_left_out() {
        let end = "Finished `dev` profile [unoptimized + debuginfo] target(s) in 0.05s";
        assert!(is_the_end(&format!("    {end}")));
        assert!(is_the_end(&format!(
            "\x1b[1m\x1b[92m    {}",
            end.replace('`', "\x1b[0m`")
        )));
        for line in [
            "   Compiling mdbook-steps v0.1.0 (/book/crates/mdbook-steps)",
            "    Blocking waiting for file lock on build directory",
            "error: expected `;`, found keyword `let`",
            "warning: unused variable: `Finished`",
            "",
        ] {
            assert!(!is_the_end(line), "{line}");
        }
    }

    #[test]
    fn whoever_wants_to_read_does_not_wait_for_all_commands() {
        let named = |program: &'static str, words: &str| {
            let words: Vec<_> = words.split_whitespace().map(OsString::from).collect();
            named::named(OsStr::new(program), &words).to_owned()
        };
        for words in [
            "",
            "serve",
            "serve --open -p 3001",
            "build --dest-dir pages",
        ] {
            assert_eq!(named("book", words), "site", "{words}");
        }
        for words in [
            "help",
            "help serve",
            "serve --help",
            "build -h",
            "--help",
            "step",
            "serach",
        ] {
            assert_eq!(named("book", words), "book-commands", "{words}");
        }
        assert_eq!(named("mdbook-steps", "serve"), "mdbook-steps");
    }

    #[test]
    fn a_program_is_beside_this_one() {
        let program = beside(
            Path::new("target/debug/build-and-run"),
            OsStr::new("mdbook-steps"),
        );
        let name = format!("target/debug/mdbook-steps{EXE_SUFFIX}");
        assert_eq!(program, Path::new(&name));
    }
}
