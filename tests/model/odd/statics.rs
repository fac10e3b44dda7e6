//! What a `static` would keep from one interleaving to the next is refused, whichever type it has.

use super::super::EXPLORE;
use super::output;
use libtest_mimic::Failed;
use pool_model::modeled::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use pool_model::modeled::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};
use pool_model::{Case, Pool};
use std::env;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::atomic::{AtomicUsize as StdAtomicUsize, Ordering as StdOrdering};

/// What a pool has that uses a `static`.
struct Uses<const NUMBER: usize>;

static MUTEX: Mutex<u8> = Mutex::new(0);
static RW_LOCK: RwLock<u8> = RwLock::new(0);
static RW_LOCK_2: RwLock<u8> = RwLock::new(0);
static RW_LOCK_3: RwLock<u8> = RwLock::new(0);
static CONDVAR: Condvar = Condvar::new();
static BARRIER: Barrier = Barrier::new(1);
static ONCE_LOCK: OnceLock<u8> = OnceLock::new();
static LAZY_LOCK: LazyLock<u8> = LazyLock::new(|| 1);
static FLAG: AtomicBool = AtomicBool::new(false);
static NUMBER: AtomicUsize = AtomicUsize::new(0);
static POINTER: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static ONCE: Once = Once::new();

const USES: [(&str, fn()); 12] = [
    ("Mutex", || drop(MUTEX.lock())),
    ("RwLock::read", || drop(RW_LOCK.read())),
    ("RwLock::write", || drop(RW_LOCK_2.write())),
    ("RwLock::try_write", || drop(RW_LOCK_3.try_write())),
    ("Condvar", || CONDVAR.notify_all()),
    ("Barrier", || assert!(BARRIER.wait().is_leader())),
    ("OnceLock", || assert_eq!(ONCE_LOCK.get(), None)),
    ("LazyLock", || assert_eq!(*LAZY_LOCK, 1)),
    ("AtomicBool", || assert!(!FLAG.load(Ordering::SeqCst))),
    ("AtomicUsize", || {
        let same = NUMBER.fetch_update(Ordering::SeqCst, Ordering::SeqCst, Some);
        assert_eq!(same, Ok(0));
    }),
    ("AtomicPtr", || {
        assert!(POINTER.load(Ordering::SeqCst).is_null());
    }),
    ("Once", || {
        ONCE.call_once(|| {
            CALLED.fetch_add(1, StdOrdering::SeqCst);
        });
    }),
];
/// The one of them that each run has anew.
const ANEW: usize = USES.len() - 1;
static CALLED: StdAtomicUsize = StdAtomicUsize::new(0);

impl<const NUMBER: usize> Pool for Uses<NUMBER> {
    fn new(_: usize) -> Self {
        Uses
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let thread = pool_model::modeled::thread::spawn(job);
        USES[NUMBER].1();
        thread.join().unwrap();
    }
}

/// What the search of a pool says that uses the `static` of that number, and how many interleavings
/// there were.
fn found<const NUMBER: usize>() -> (String, usize) {
    let case = Case {
        workers: 1,
        jobs: 1,
        meet: false,
        pause: true,
    };
    let mut said = String::new();
    let endings = pool_model::search::<Uses<NUMBER>>(case, 1_000, |failure| {
        said.clone_from(&failure.message);
        ControlFlow::Break(())
    });
    let endings = endings.unwrap_or_else(|endings| endings);
    (said, endings.finish)
}

macro_rules! each {
    ($($number:literal)*) => { [$(found::<$number>()),*] };
}

/// The argument for the process of its own in which they are used.
pub const STATICS: &str = "statics";

/// In a process of its own, as shuttle says something of each failure.
pub fn check() -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    match output(command.args([EXPLORE, STATICS]))?.as_str() {
        "" => Ok(()),
        problems => Err(problems.into()),
    }
}

/// What is not refused, in lines.
pub fn problems() -> String {
    let mut problems = String::new();
    let mut add = |problem: String| problems += &format!("{problem}\n");
    let found = each!(0 1 2 3 4 5 6 7 8 9 10 11);
    for ((name, _), (number, (said, finish))) in USES.iter().zip(found.iter().enumerate()) {
        if finish < &1 {
            add(format!("{name}: the first run fails: {said}"));
        }
        if number != ANEW && !said.contains("this is a `static`") {
            add(format!(
                "{name}: expected that it is refused, and it says: {said:?}"
            ));
        }
    }
    let (said, runs) = &found[ANEW];
    let called = CALLED.load(StdOrdering::SeqCst);
    if !said.is_empty() || called != *runs || called < 2 {
        add(format!(
            "Once: called {called} times in {runs} runs: {said:?}"
        ));
    }
    problems
}
