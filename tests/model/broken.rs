//! The promise: each pool with a fault compiles without a warning, and its fault shows in a case as
//! small as the pages say.

use crate::support::{report, run};
use book::schedules::{broken, broken_names};
use book::tables::Row;
use libtest_mimic::Failed;
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);

/// "Each broken pool of this page and the next fails in a case this small, one only if the jobs wait
/// for each other": with two workers and two jobs at most. (That the rows of
/// the tables are right is tested one by one.)
pub fn fails_in_a_small_case(rows: &[Row]) -> Result<(), Failed> {
    let mut problems = Vec::new();
    let mut only_if_they_meet = Vec::new();
    for pool in broken_names(&book::root())? {
        let small = rows.iter().filter(|row| row.listing == pool);
        let small = small.filter(|row| row.workers <= 2 && row.jobs <= 2);
        let failing =
            small.filter(|row| row.said.finish > 0 && row.said.deadlock + row.said.panic > 0);
        let failing: Vec<_> = failing.collect();
        if failing.is_empty() {
            problems.push(format!(
                "{pool}: no table has a case of two workers and two jobs or fewer in which it \
                 fails in some orders and finishes in others; src/prove-a-shutdown.md and \
                 src/find-the-fault.md say that it does"
            ));
        } else if failing.iter().all(|row| row.meet) {
            only_if_they_meet.push(pool);
        }
    }
    if only_if_they_meet.len() != 1 {
        problems.push(format!(
            "src/prove-a-shutdown.md: says that one pool fails only if the jobs wait for each \
             other, and it is {only_if_they_meet:?}"
        ));
    }
    report(problems)
}

/// "All five compile without a warning", as whoever reads them would compile them.
pub fn compiles_without_a_warning() -> Result<(), Failed> {
    let away = tempfile::tempdir()?;
    let mut problems = Vec::new();
    for pool in broken_names(&book::root())? {
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition=2021", "--crate-type=lib", "--emit=metadata"])
            .args(["-D", "warnings", "-o"])
            .arg(away.path().join("pool.rmeta"))
            .arg(broken(&book::root()).join(format!("{pool}.rs")));
        if let Err(error) = run(rustc, DEADLINE) {
            problems.push(format!("crates/model/broken/{pool}.rs: {error}"));
        }
    }
    report(problems)
}
