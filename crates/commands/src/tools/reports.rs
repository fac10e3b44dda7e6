//! Which lines of what a tool says are recorded.

/// The report of a data race, without the advice and the stack below it.
pub(super) fn miri_report(said: &str) -> String {
    let report = said.lines().skip_while(|line| !line.starts_with("error:"));
    let report = report.take_while(|line| !line.starts_with("   = "));
    report.map(|line| format!("{line}\n")).collect()
}

/// The first report of a data race: the two accesses, with the frames that are in the program, and
/// the summary. Then what the program itself says.
pub(super) fn tsan_report(said: &str) -> String {
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
pub(super) fn search_report(said: &str) -> String {
    let lines = said
        .lines()
        .filter(|line| line.contains(" interleavings, "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
