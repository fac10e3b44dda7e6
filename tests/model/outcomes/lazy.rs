// What is made once.

use std::panic::{catch_unwind, AssertUnwindSafe};
use the_std::sync::atomic::{AtomicUsize, Ordering};
use the_std::sync::{Arc, LazyLock, Once, OnceLock};
use the_std::thread;

pub const PROGRAMS: &[Program] = &[
    Program::of_both("called once", &["sync::Once"], &["1"], || {
        let shared = Arc::new((Once::new(), AtomicUsize::new(0)));
        let theirs = Arc::clone(&shared);
        let call = |shared: &(Once, AtomicUsize)| {
            shared.0.call_once(|| {
                shared.1.fetch_add(1, Ordering::SeqCst);
            });
            // Whoever comes back from it finds that it was done.
            shared.1.load(Ordering::SeqCst)
        };
        let other = thread::spawn(move || call(&theirs));
        let here = call(&shared);
        assert_eq!(other.join().unwrap(), 1);
        here.to_string()
    }),
    Program::of_both(
        "was it called",
        &["sync::Once"],
        &["0, not yet", "0, called", "1, not yet", "1, called"],
        || {
            let shared = Arc::new((AtomicUsize::new(0), Once::new()));
            let theirs = Arc::clone(&shared);
            let other = thread::spawn(move || {
                theirs.0.store(1, Ordering::SeqCst);
                theirs.1.call_once(|| ());
            });
            let seen = shared.0.load(Ordering::SeqCst);
            let called = if shared.1.is_completed() {
                "called"
            } else {
                "not yet"
            };
            other.join().unwrap();
            assert!(shared.1.is_completed());
            format!("{seen}, {called}")
        },
    ),
    Program::of_both(
        "a call that panics",
        &["sync::Once", "sync::OnceState"],
        &["true, false, true"],
        || {
            let once = Once::new();
            let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
            assert!(panics(&|| once.call_once(|| panic!("on purpose"))));
            let again = panics(&|| once.call_once(|| ()));
            let done = once.is_completed();
            let mut poisoned = false;
            once.call_once_force(|state| poisoned = state.is_poisoned());
            assert!(once.is_completed());
            format!("{again}, {done}, {poisoned}")
        },
    ),
    Program::of_both(
        "set by two",
        &["sync::OnceLock"],
        &["1, second refused", "2, first refused"],
        || {
            let cell = Arc::new(OnceLock::new());
            let theirs = Arc::clone(&cell);
            let first = thread::spawn(move || theirs.set(1));
            let second = cell.set(2);
            let first = first.join().unwrap();
            let refused = match (first, second) {
                (Ok(()), Err(2)) => "second",
                (Err(1), Ok(())) => "first",
                _ => "neither or both",
            };
            format!("{}, {refused} refused", cell.get().unwrap())
        },
    ),
    Program::of_both(
        "is it set",
        &["sync::OnceLock"],
        &["None", "Some(1)"],
        || {
            let cell = Arc::new(OnceLock::new());
            let theirs = Arc::clone(&cell);
            let other = thread::spawn(move || theirs.set(1));
            let said = format!("{:?}", cell.get());
            other.join().unwrap().unwrap();
            let mut cell = Arc::into_inner(cell).unwrap();
            assert_eq!((cell.take(), cell.get()), (Some(1), None));
            said
        },
    ),
    Program::of_both(
        "made by one of two",
        &["sync::OnceLock"],
        &["1 and 1, made once", "2 and 2, made once"],
        || {
            let shared = Arc::new((OnceLock::new(), AtomicUsize::new(0)));
            let theirs = Arc::clone(&shared);
            let make = |shared: &(OnceLock<usize>, AtomicUsize), value| {
                *shared.0.get_or_init(|| {
                    shared.1.fetch_add(1, Ordering::SeqCst);
                    value
                })
            };
            let other = thread::spawn(move || make(&theirs, 1));
            let here = make(&shared, 2);
            let made = shared.1.load(Ordering::SeqCst);
            let made = if made == 1 { "once" } else { "twice" };
            format!("{here} and {}, made {made}", other.join().unwrap())
        },
    ),
    Program::of_both(
        "the making panics",
        &["sync::OnceLock"],
        &["None, 2"],
        || {
            let cell = OnceLock::new();
            let make = || *cell.get_or_init(|| panic!("on purpose"));
            assert!(catch_unwind(AssertUnwindSafe(make)).is_err());
            let after = cell.get().copied();
            format!("{after:?}, {}", cell.get_or_init(|| 2))
        },
    ),
    Program::of_both(
        "made when it is used",
        &["sync::LazyLock"],
        &["made once"],
        || {
            let made = Arc::new(AtomicUsize::new(0));
            let counts = Arc::clone(&made);
            let lazy = LazyLock::new(move || counts.fetch_add(1, Ordering::SeqCst));
            let lazy = Arc::new(lazy);
            let theirs = Arc::clone(&lazy);
            assert_eq!(made.load(Ordering::SeqCst), 0);
            let other = thread::spawn(move || **theirs);
            assert_eq!((*LazyLock::force(&lazy), other.join().unwrap()), (0, 0));
            if made.load(Ordering::SeqCst) == 1 {
                "made once"
            } else {
                "made twice"
            }
            .into()
        },
    ),
    Program::of_both(
        "the lazy making panics",
        &["sync::LazyLock"],
        &["panics, and panics again"],
        || {
            let lazy: LazyLock<i32, fn() -> i32> = LazyLock::new(|| panic!("on purpose"));
            let uses = || catch_unwind(AssertUnwindSafe(|| *lazy)).is_err();
            match (uses(), uses()) {
                (true, true) => "panics, and panics again",
                _ => "does not panic each time",
            }
            .into()
        },
    ),
];
