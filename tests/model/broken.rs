//! The promise: each pool with a fault compiles without a warning, and so does each that is mended,
//! but for the one of which the page says so. The fault shows in a case as small as the pages say.

use crate::support::{report, run, told};
use book::page::Page;
use book::proposals::Proposal;
use book::schedules::{broken, broken_names};
use book::tables::{Endings, Row};
use libtest_mimic::Failed;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);

/// "Of the broken pools of this page and of Find the fault, all but one fail with two workers and two
/// jobs, or fewer, one of these only if the jobs wait for each other." The one that is left needs a third
/// worker. (That the rows of the tables are right is tested one by one.)
pub fn fails_in_a_small_case(rows: &[Row]) -> Result<(), Failed> {
    let mut only_if_they_meet = Vec::new();
    let mut only_with_three = Vec::new();
    for pool in broken_names(&book::root())? {
        let failing = rows.iter().filter(|row| {
            let Endings {
                finish,
                deadlock,
                panic,
            } = row.said;
            row.listing == pool && finish > 0 && deadlock + panic > 0
        });
        let failing: Vec<_> = failing.collect();
        let is_small = |row: &&&Row| row.workers <= 2 && row.jobs <= 2;
        let small: Vec<_> = failing.iter().filter(is_small).collect();
        if small.is_empty() {
            only_with_three.push((pool, failing.iter().any(|row| row.workers == 3)));
        } else if small.iter().all(|row| row.meet) {
            only_if_they_meet.push(pool);
        }
    }
    let mut problems = Vec::new();
    if only_if_they_meet.len() != 1 {
        problems.push(format!(
            "src/prove-a-shutdown.md: says that one pool fails only if the jobs wait for each \
             other, and it is {only_if_they_meet:?}"
        ));
    }
    if !matches!(only_with_three[..], [(_, true)]) {
        problems.push(format!(
            "src/prove-a-shutdown.md: says that one pool needs more to fail, which is a third worker, \
             and the tables say so of {only_with_three:?}"
        ));
    }
    report(problems)
}

/// "All six compile without a warning".
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
