//! The promise: the published pools answer as their table says; and each question finds the fault
//! that it is for, in a pool that has it on purpose.
//!
//! A question can hang or abort, so each is asked in a process of its own: this program.

mod said;

use libtest_mimic::{Failed, Trial};
use pools::conformance::{self, ask_all, table, Outcome, Question, POOLS};
use std::process::ExitCode;
use std::sync::LazyLock;
use std::{env, fs};
use Outcome::*;
use Question::*;

pub use conformance::ASK;

/// Asks a pool a question in this process.
pub fn ask(arguments: &[&str]) -> ExitCode {
    let arguments: Vec<_> = [&[ASK], arguments]
        .concat()
        .iter()
        .map(|a| a.to_string())
        .collect();
    let program = env::current_exe().expect("the program knows its path");
    if let Err(error) = conformance::main(&program, &arguments) {
        eprintln!("{error}");
        std::process::exit(2);
    }
    // Jobs and workers that are still there do not keep the process.
    std::process::exit(0)
}

/// With `UPDATE=1`, writes the table instead of comparing it.
fn check_table() -> Result<(), Failed> {
    const FILE: &str = "recorded/pools.txt";
    const HEAD: &str = "Compared with the pools by tests/pools.rs, and written by \
        `UPDATE=1 cargo test pools::table`.";
    let pools: Vec<&str> = POOLS.iter().map(|pool| pool.name).collect();
    let found = table(&env::current_exe()?, &pools);
    let found = format!("{HEAD}\n\nANCHOR: table\n{found}ANCHOR_END: table\n");

    let path = book::root().join(FILE);
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(path, found)?;
        return Ok(());
    }
    let shown = fs::read_to_string(path)?;
    let (shown, found): (Vec<_>, Vec<_>) = (shown.lines().collect(), found.lines().collect());
    for line in 0..shown.len().max(found.len()) {
        let (shown, found) = (shown.get(line), found.get(line));
        if shown != found {
            let line = line + 1;
            return Err(format!(
                "{FILE}:{line}: says {shown:?}, and the pools do otherwise: {found:?}"
            )
            .into());
        }
    }
    Ok(())
}

/// What the hand-written pool without a fault answers.
static SOUND: LazyLock<Vec<Outcome>> = LazyLock::new(|| answers("no-fault"));

fn answers(pool: &str) -> Vec<Outcome> {
    let program = env::current_exe().expect("the program knows its path");
    ask_all(&program, pool)
}

fn check_sound() -> Result<(), Failed> {
    let expected = [
        Yes, Yes, No, Nothing, Returns, Yes, Before, Before, Returns, Absent, NotAsked, AfterClose,
        Yes, Nothing,
    ];
    match *SOUND == expected {
        true => Ok(()),
        false => Err(format!("it answers {:?}", *SOUND).into()),
    }
}

/// A pool differs from the sound one in these answers and in no other.
fn check_differs(pool: &str, expected: &[(Question, Outcome)]) -> Result<(), Failed> {
    let both = Question::ALL
        .iter()
        .zip(answers(pool).into_iter().zip(&*SOUND));
    let differing = both.filter(|(_, (answer, sound))| answer != *sound);
    let found: Vec<_> = differing
        .map(|(question, (answer, _))| (*question, answer))
        .collect();
    match found == expected {
        true => Ok(()),
        false => Err(format!("{pool} differs in {found:?}, not in {expected:?}").into()),
    }
}

/// Its queue has a limit, and in all else it is as it was.
fn check_later() -> Result<(), Failed> {
    check_differs("book-20-35", &[])
}

type Fault = (&'static str, &'static str, &'static [(Question, Outcome)]);

/// What each fault is found by.
const FAULTS: [Fault; 10] = [
    (
        "a_dropped_job_is_found",
        "dropped-job",
        &[(EveryJobOnce, Loses)],
    ),
    (
        "a_job_that_runs_twice_is_found",
        "repeated-job",
        &[(EveryJobOnce, Repeats)],
    ),
    (
        "a_drop_that_does_not_wait_is_found",
        "drop-does-not-wait",
        // Then the queue is run after the drop, too.
        &[(DropWaits, No), (QueueAtDrop, After), (QueueOfIdle, Late)],
    ),
    (
        "a_drop_that_hangs_is_found",
        "drop-hangs",
        // By every question that drops the pool.
        &[
            (DropAfterPanic, Hangs),
            (DropWaits, Hangs),
            (QueueAtDrop, Hangs),
            (QueueOfIdle, Hangs),
            (DropInside, Hangs),
        ],
    ),
    (
        "a_lock_that_is_held_during_jobs_is_found",
        "lock-held",
        // A job that drops the pool then waits for a worker that waits for the job's lock.
        &[(AtOnce, No), (HeldUp, Yes), (DropInside, Hangs)],
    ),
    (
        "a_worker_that_is_lost_to_a_panic_is_found",
        "lost-worker",
        &[(PanicCost, Worker)],
    ),
    (
        "a_queue_that_is_discarded_at_the_drop_is_found",
        "discarded-queue",
        &[(QueueAtDrop, Never), (QueueOfIdle, Partly)],
    ),
    (
        "a_pool_of_one_that_pretends_to_be_four_is_found",
        "one-worker",
        // One worker is also held up by a job that waits, like workers that share a lock.
        &[(AtOnce, No), (HeldUp, Yes)],
    ),
    (
        "a_queue_that_is_discarded_by_idle_workers_is_found",
        "discarded-by-idle",
        &[(QueueOfIdle, Partly)],
    ),
    (
        "a_drop_that_panics_is_found",
        "drop-panics",
        // A worker is lost before that.
        &[(PanicCost, Worker), (DropAfterPanic, Panics)],
    ),
];

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let mut trials = vec![
        Trial::test("pools::table", check_table),
        Trial::test("pools::the_pool_without_a_fault_is_sound", check_sound),
        Trial::test(
            "listing-20-35::pools::answers_as_the_sound_one",
            check_later,
        ),
        Trial::test("pools::said", said::check),
    ];
    for (name, pool, expected) in FAULTS {
        trials.push(Trial::test(format!("pools::{name}"), move || {
            check_differs(pool, expected)
        }));
    }
    Ok(trials)
}
