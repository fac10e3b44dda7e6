//! How far work is, and how a command is called, seen in a terminal.

use super::terminal::Running;
use book::transcripts::{Exit, Signal};
use std::{env, process::Command, time::Duration};

const SOON: Duration = Duration::from_secs(30);

/// What indicatif sends, after a `\r`, so that the line is empty.
const CLEARED: &str = "\x1b[2K";

/// A test of this crate, in a terminal.
fn start(variables: &str, test: &str) -> Running {
    let program = env::current_exe().unwrap();
    let line = format!(
        "stty cols 60 rows 20; \
         exec env -u CI {variables} '{}' --ignored --nocapture --exact {test}",
        program.display()
    );
    Running::start(&line, &env::temp_dir(), false).unwrap()
}

#[test]
fn a_terminal_is_shown_a_bar_and_is_empty_again_at_the_end() {
    let running = start("TERM=xterm", "progress::tests::digs");
    assert!(running.wait_until(SOON, |shown| shown.contains("digging: 2 of 3 holes")));
    assert!(
        running.shown().contains("[========>   ]"),
        "{}",
        running.shown()
    );

    assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(0)));

    // What is printed meanwhile is printed where the bar was, and so is what is printed afterwards.
    let shown = running.shown();
    for printed in ["found", "test progress::tests::digs ... ok"] {
        let printed = format!("{CLEARED}{printed}");
        assert!(shown.contains(&printed), "{shown:?}");
    }
}

#[test]
fn a_terminal_that_cannot_be_redrawn_is_shown_plain_lines() {
    for variables in ["TERM=dumb", "TERM=xterm CI=true"] {
        let running = start(variables, "progress::tests::digs");
        assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(0)));
        let shown = running.shown();
        assert!(shown.contains("digging\n"), "{variables}: {shown:?}");
        let drawn = |c: char| c.is_control() && c != '\n';
        assert!(!shown.contains(drawn), "{variables}: {shown:?}");
    }
}

#[test]
fn ctrl_c_clears_the_line_and_ends_what_was_started() {
    let running = start("TERM=xterm", "progress::tests::digs_until_it_is_ended");
    let child = |shown: &str| {
        let (_, child) = shown.split_once("digging: as ")?;
        Some(child.split_once('.')?.0.to_owned())
    };
    assert!(running.wait_until(SOON, |shown| child(shown).is_some()));
    let child = child(&running.shown()).unwrap();

    running.press_ctrl_c().unwrap();

    let interrupted = Some(Exit::Signal(Signal::Interrupt));
    assert_eq!(running.wait_for_end(SOON), interrupted);
    let shown = running.shown();
    assert!(shown.ends_with(&format!("\r{CLEARED}")), "{shown:?}");
    let is_alive = || {
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -0 {child} 2>&1")])
            .output();
        kill.unwrap().status.success()
    };
    let start = std::time::Instant::now();
    while is_alive() {
        assert!(start.elapsed() < SOON, "{child} still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn help_is_as_wide_as_the_terminal_and_has_no_colors() {
    let running = start("TERM=xterm", "command::tests::says_how_a_step_is_written");
    assert_eq!(running.wait_for_end(SOON), Some(Exit::Status(0)));
    let shown = running.shown();
    let lines = shown.lines().skip_while(|line| !line.starts_with("Usage"));
    let widths = lines
        .take_while(|line| !line.starts_with("Example"))
        .map(|line| line.trim_end().len());
    let widest = widths.max();
    assert!((40..=60).contains(&widest.unwrap_or(0)), "{shown}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
}
