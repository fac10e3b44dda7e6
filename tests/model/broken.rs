//! The promise: each pool with a fault compiles without a warning, and so does each that is mended,
//! but for the one of which the page says so. The fault shows in a case as small as the pages say.

use crate::support::{report, run, told};
use book::page::Page;
use book::proposals::Proposal;
use book::schedules::{broken, broken_names};
use book::tables::Row;
use libtest_mimic::Failed;
use std::fs;
use std::path::Path;
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

/// "All five compile without a warning".
pub fn compiles_without_a_warning() -> Result<(), Failed> {
    let mut problems = Vec::new();
    for pool in broken_names(&book::root())? {
        let file = broken(&book::root()).join(format!("{pool}.rs"));
        if let Err(error) = compile(&file) {
            problems.push(format!("crates/model/broken/{pool}.rs: {error}"));
        }
    }
    report(problems)
}

/// "The compiler then warns that `stopping` is unused": of the first pool, when it is mended. Of the
/// others, it warns of nothing.
pub fn mended_compiles_as_said() -> Result<(), Failed> {
    const PAGE: &str = "src/find-the-fault.md";
    let text = fs::read_to_string(book::root().join(PAGE))?;
    let away = tempfile::tempdir()?;
    let mut problems = Vec::new();
    for mended in Proposal::on(&Page::parse(PAGE, &text)).map_err(told)? {
        let pool = broken(&book::root()).join(format!("{}.rs", mended.listing));
        let library = mended.apply(&fs::read_to_string(pool)?).map_err(told)?;
        let file = away.path().join("mended.rs");
        fs::write(&file, library)?;
        let warned = compile(&file).err();
        let as_said = match mended.name.as_str() {
            "mended-1" => warned.as_ref().is_some_and(|warned| {
                warned.matches("error: ").count() == 2 // and that it aborts
                    && warned.contains("error: unused variable: `stopping`")
            }),
            _ => warned.is_none(),
        };
        if !as_said {
            let warned = warned.unwrap_or_default();
            problems.push(format!(
                "{}: not what the page says of it: {warned}",
                mended.place
            ));
        }
    }
    report(problems)
}

/// Compiles a library as whoever reads it would. A warning is an error.
fn compile(file: &Path) -> Result<(), String> {
    let away = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition=2021", "--crate-type=lib", "--emit=metadata"])
        .args(["--color=never", "-D", "warnings", "-o"])
        .arg(away.path().join("pool.rmeta"))
        .arg(file);
    run(rustc, DEADLINE)
}
