//! Asks all pools all questions, and shows that each question finds the fault it is for.

use pools::conformance::{ask_all, table, Outcome, Question, POOLS};
use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs};

const PROGRAM: &str = env!("CARGO_BIN_EXE_conformance");

/// With `UPDATE=1`, writes the table instead of comparing it.
#[test]
fn the_table_is_what_the_pools_do() {
    const HEAD: &str = "Compared with the pools by pools/tests/conformance.rs, \
        and written by `UPDATE=1 cargo test -p pools`.";
    let pools: Vec<&str> = POOLS.iter().map(|pool| pool.name).collect();
    let found = table(Path::new(PROGRAM), &pools);
    let found = format!("{HEAD}\n\nANCHOR: table\n{found}ANCHOR_END: table\n");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/pools.txt");
    if env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(path, found).unwrap();
        return;
    }
    let shown = fs::read_to_string(path).unwrap();
    let (shown, found): (Vec<_>, Vec<_>) = (shown.lines().collect(), found.lines().collect());
    for line in 0..shown.len().max(found.len()) {
        let (shown, found) = (shown.get(line), found.get(line));
        assert_eq!(
            shown,
            found,
            "src/pools.txt:{}: the pools do otherwise",
            line + 1
        );
    }
}

/// What the hand-written pool without a fault answers.
fn sound() -> &'static [Outcome] {
    static SOUND: OnceLock<Vec<Outcome>> = OnceLock::new();
    SOUND.get_or_init(|| ask_all(Path::new(PROGRAM), "no-fault"))
}

/// Checks that a pool differs from the sound one in these answers and in no other.
#[track_caller]
fn assert_differs(pool: &str, expected: &[(Question, Outcome)]) {
    let answers = ask_all(Path::new(PROGRAM), pool);
    let both = Question::ALL.iter().zip(answers.into_iter().zip(sound()));
    let differing = both.filter(|(_, (answer, sound))| answer != *sound);
    let found: Vec<_> = differing
        .map(|(question, (answer, _))| (*question, answer))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_pool_without_a_fault_is_sound() {
    use Outcome::*;
    let expected = [
        Yes, Yes, No, Nothing, Returns, Yes, Before, Before, Returns, Absent, NotAsked, AfterClose,
        Yes, Nothing,
    ];
    assert_eq!(sound(), expected);
}

#[test]
fn a_dropped_job_is_found() {
    assert_differs("dropped-job", &[(Question::EveryJobOnce, Outcome::Loses)]);
}

#[test]
fn a_job_that_runs_twice_is_found() {
    assert_differs(
        "repeated-job",
        &[(Question::EveryJobOnce, Outcome::Repeats)],
    );
}

#[test]
fn a_drop_that_does_not_wait_is_found() {
    // Then the queue is run after the drop, too.
    assert_differs(
        "drop-does-not-wait",
        &[
            (Question::DropWaits, Outcome::No),
            (Question::QueueAtDrop, Outcome::After),
            (Question::QueueOfIdle, Outcome::Late),
        ],
    );
}

#[test]
fn a_drop_that_hangs_is_found() {
    // By every question that drops the pool.
    assert_differs(
        "drop-hangs",
        &[
            (Question::DropAfterPanic, Outcome::Hangs),
            (Question::DropWaits, Outcome::Hangs),
            (Question::QueueAtDrop, Outcome::Hangs),
            (Question::QueueOfIdle, Outcome::Hangs),
            (Question::DropInside, Outcome::Hangs),
        ],
    );
}

#[test]
fn a_lock_that_is_held_during_jobs_is_found() {
    // A job that drops the pool then waits for a worker that waits for the job's lock.
    assert_differs(
        "lock-held",
        &[
            (Question::AtOnce, Outcome::No),
            (Question::HeldUp, Outcome::Yes),
            (Question::DropInside, Outcome::Hangs),
        ],
    );
}

#[test]
fn a_worker_that_is_lost_to_a_panic_is_found() {
    assert_differs("lost-worker", &[(Question::PanicCost, Outcome::Worker)]);
}

#[test]
fn a_queue_that_is_discarded_at_the_drop_is_found() {
    assert_differs(
        "discarded-queue",
        &[
            (Question::QueueAtDrop, Outcome::Never),
            (Question::QueueOfIdle, Outcome::Partly),
        ],
    );
}

#[test]
fn a_pool_of_one_that_pretends_to_be_four_is_found() {
    // One worker is also held up by a job that waits, like workers that share a lock.
    assert_differs(
        "one-worker",
        &[
            (Question::AtOnce, Outcome::No),
            (Question::HeldUp, Outcome::Yes),
        ],
    );
}

#[test]
fn a_queue_that_is_discarded_by_idle_workers_is_found() {
    assert_differs(
        "discarded-by-idle",
        &[(Question::QueueOfIdle, Outcome::Partly)],
    );
}

#[test]
fn a_drop_that_panics_is_found() {
    // A worker is lost before that.
    assert_differs(
        "drop-panics",
        &[
            (Question::PanicCost, Outcome::Worker),
            (Question::DropAfterPanic, Outcome::Panics),
        ],
    );
}
