// Locks, condition variables and barriers.

use std::panic::{catch_unwind, AssertUnwindSafe};
use the_std::sync::atomic::{AtomicBool, Ordering};
use the_std::sync::{Arc, Barrier, Condvar, Mutex, RwLock, TryLockError, WaitTimeoutResult};
use the_std::thread;
use the_std::time::{Duration, Instant};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Panics, and goes on.
fn panics(f: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(|| {
        f();
        panic!("on purpose");
    }));
}

/// Runs it while a panic unwinds.
struct AtTheEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtTheEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn tried<T>(result: Result<T, TryLockError<T>>) -> &'static str {
    match result {
        Ok(_) => "free",
        Err(TryLockError::WouldBlock) => "held",
        Err(TryLockError::Poisoned(_)) => "poisoned",
    }
}

type Shared<T> = Arc<(Mutex<T>, Condvar)>;

fn shared<T>(value: T) -> (Shared<T>, Shared<T>) {
    let shared = Arc::new((Mutex::new(value), Condvar::new()));
    (Arc::clone(&shared), shared)
}

pub const PROGRAMS: &[Program] = &[
    Program::of_both(
        "one after the other",
        &["sync::Mutex", "sync::MutexGuard"],
        &["[1, 2]", "[2, 1]"],
        || {
            let list = Arc::new(Mutex::new(vec![]));
            let theirs = Arc::clone(&list);
            let other = thread::spawn(move || theirs.lock().unwrap().push(1));
            list.lock().unwrap().push(2);
            other.join().unwrap();
            let list = Arc::into_inner(list).unwrap().into_inner().unwrap();
            format!("{list:?}")
        },
    ),
    // Both threads read, and then both write: nothing is lost.
    Program::of_both(
        "the guard keeps others out",
        &["sync::MutexGuard"],
        &["2"],
        || {
            let count = Arc::new(Mutex::new(0));
            let theirs = Arc::clone(&count);
            let add = |count: &Mutex<i32>| {
                let mut guard = count.lock().unwrap();
                let seen = *guard;
                thread::yield_now();
                *guard = seen + 1;
            };
            let other = thread::spawn(move || add(&theirs));
            add(&count);
            other.join().unwrap();
            let count = *count.lock().unwrap();
            count.to_string()
        },
    ),
    Program::of_model("taken twice", &["sync::Mutex"], &["deadlock"], || {
        let lock = Mutex::new(());
        let _guard = lock.lock();
        let _again = lock.lock();
        "both".into()
    }),
    Program::of_model(
        "in opposite orders",
        &["sync::Mutex"],
        &["done", "deadlock"],
        || {
            let locks = Arc::new((Mutex::new(()), Mutex::new(())));
            let theirs = Arc::clone(&locks);
            let other = thread::spawn(move || {
                let _one = theirs.0.lock().unwrap();
                let _two = theirs.1.lock().unwrap();
            });
            {
                let _two = locks.1.lock().unwrap();
                let _one = locks.0.lock().unwrap();
            }
            other.join().unwrap();
            "done".into()
        },
    ),
    Program::of_both("trying", &["sync::Mutex"], &["free", "held"], || {
        let lock = Arc::new(Mutex::new(()));
        let theirs = Arc::clone(&lock);
        let other = thread::spawn(move || drop(theirs.lock().unwrap()));
        let said = tried(lock.try_lock());
        other.join().unwrap();
        said.into()
    }),
    Program::of_both(
        "trying what one holds",
        &["sync::Mutex"],
        &["held, free"],
        || {
            let lock = Mutex::new(());
            let guard = lock.lock().unwrap();
            let first = tried(lock.try_lock());
            drop(guard);
            format!("{first}, {}", tried(lock.try_lock()))
        },
    ),
    Program::of_both(
        "poison",
        &["sync::Mutex"],
        &["1, fine", "2, poisoned"],
        || {
            let lock = Arc::new(Mutex::new(1));
            let theirs = Arc::clone(&lock);
            let other = thread::spawn(move || {
                panics(|| {
                    let mut guard = theirs
                        .lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner());
                    *guard = 2;
                    // Held until it has panicked.
                    std::mem::forget(AtTheEnd(|| ()));
                    panic!("on purpose");
                });
            });
            let said = match lock.lock() {
                Ok(guard) => format!("{}, fine", *guard),
                Err(poisoned) => format!("{}, poisoned", *poisoned.into_inner()),
            };
            other.join().unwrap();
            assert!(lock.is_poisoned() && lock.lock().is_err());
            assert_eq!(tried(lock.try_lock()), "poisoned");
            lock.clear_poison();
            assert!(!lock.is_poisoned() && lock.lock().is_ok());
            said
        },
    ),
    // Only a panic that begins while the lock is held poisons it.
    Program::of_both(
        "taken while it unwinds",
        &["sync::Mutex", "sync::RwLock"],
        &["fine"],
        || {
            let (lock, other) = (Mutex::new(0), RwLock::new(0));
            panics(|| {
                let _end = AtTheEnd(|| {
                    *lock.lock().unwrap() += 1;
                    *other.write().unwrap() += 1;
                });
                panic!("on purpose");
            });
            let poisoned = lock.is_poisoned() || other.is_poisoned();
            assert!(lock.lock().is_ok() && other.read().is_ok());
            if poisoned { "poisoned" } else { "fine" }.into()
        },
    ),
    Program::of_both(
        "is it poisoned",
        &["sync::Mutex", "sync::RwLock"],
        &[
            "0: no, no",
            "0: no, yes",
            "0: yes, no",
            "0: yes, yes",
            "1: no, no",
            "1: no, yes",
            "1: yes, no",
            "1: yes, yes",
        ],
        || {
            let shared = Arc::new((AtomicBool::new(false), Mutex::new(()), RwLock::new(())));
            let theirs = Arc::clone(&shared);
            let other = thread::spawn(move || {
                theirs.0.store(true, Ordering::SeqCst);
                panics(|| {
                    let _guard = theirs.2.write().unwrap();
                    let _lock = theirs.1.lock().unwrap();
                    panic!("on purpose");
                });
            });
            let seen = u8::from(shared.0.load(Ordering::SeqCst));
            let poisoned = [shared.1.is_poisoned(), shared.2.is_poisoned()];
            let [one, two] = poisoned.map(|is_so| if is_so { "yes" } else { "no" });
            other.join().unwrap();
            format!("{seen}: {one}, {two}")
        },
    ),
    Program::of_both(
        "reading at the same time",
        &["sync::RwLock", "sync::RwLockReadGuard", "sync::Barrier"],
        &["1, 1"],
        || {
            let shared = Arc::new((RwLock::new(1), Barrier::new(2)));
            let theirs = Arc::clone(&shared);
            let read = |shared: &(RwLock<i32>, Barrier)| {
                let guard = shared.0.read().unwrap();
                shared.1.wait();
                *guard
            };
            let other = thread::spawn(move || read(&theirs));
            let here = read(&shared);
            format!("{here}, {}", other.join().unwrap())
        },
    ),
    Program::of_both(
        "reading and writing",
        &["sync::RwLock", "sync::RwLockWriteGuard"],
        &["0", "2"],
        || {
            let lock = Arc::new(RwLock::new(0));
            let theirs = Arc::clone(&lock);
            let writes = thread::spawn(move || {
                let mut guard = theirs.write().unwrap();
                *guard += 1;
                thread::yield_now();
                *guard += 1;
            });
            let seen = *lock.read().unwrap();
            writes.join().unwrap();
            seen.to_string()
        },
    ),
    Program::of_both(
        "trying to write",
        &["sync::RwLock"],
        &["free", "held"],
        || {
            let lock = Arc::new(RwLock::new(()));
            let theirs = Arc::clone(&lock);
            let reads = thread::spawn(move || drop(theirs.read().unwrap()));
            let said = tried(lock.try_write());
            reads.join().unwrap();
            said.into()
        },
    ),
    Program::of_both(
        "trying to read",
        &["sync::RwLock"],
        &["free, free", "free, held", "held, free", "held, held"],
        || {
            let lock = Arc::new(RwLock::new(()));
            let theirs = Arc::clone(&lock);
            let writes = thread::spawn(move || drop(theirs.write().unwrap()));
            let first = tried(lock.try_read());
            let second = tried(lock.try_read());
            writes.join().unwrap();
            format!("{first}, {second}")
        },
    ),
    Program::of_both(
        "trying to read twice",
        &["sync::RwLock", "sync::RwLockReadGuard"],
        &["free, held, held, free"],
        || {
            let lock = RwLock::new(());
            let first = lock.read().unwrap();
            let second = lock.try_read();
            let said = match &second {
                Ok(_) => "free",
                Err(_) => "held",
            };
            let both = tried(lock.try_write());
            drop(first);
            let one = tried(lock.try_write());
            drop(second);
            format!("{said}, {both}, {one}, {}", tried(lock.try_write()))
        },
    ),
    Program::of_both(
        "poisoned by a writer alone",
        &["sync::RwLock"],
        &["fine, poisoned, fine"],
        || {
            let lock = RwLock::new(1);
            panics(|| {
                let _guard = lock.read().unwrap();
                panic!("on purpose");
            });
            let after_reader = tried(lock.try_read());
            panics(|| {
                let _guard = lock.write().unwrap();
                panic!("on purpose");
            });
            assert!(lock.is_poisoned() && lock.write().is_err());
            let after_writer = tried(lock.try_read());
            lock.clear_poison();
            let cleared = lock.into_inner().is_ok();
            let after_reader = if after_reader == "free" {
                "fine"
            } else {
                after_reader
            };
            format!(
                "{after_reader}, {after_writer}, {}",
                if cleared { "fine" } else { "poisoned" }
            )
        },
    ),
    Program::of_both(
        "waiting for a change",
        &["sync::Condvar"],
        &["changed"],
        || {
            let (shared, theirs) = shared(false);
            let other = thread::spawn(move || {
                *theirs.0.lock().unwrap() = true;
                theirs.1.notify_one();
            });
            let guard = shared.0.lock().unwrap();
            let guard = shared.1.wait_while(guard, |changed| !*changed).unwrap();
            let said = if *guard { "changed" } else { "not yet" };
            drop(guard);
            other.join().unwrap();
            said.into()
        },
    ),
    Program::of_model(
        "woken before it waits",
        &["sync::Condvar"],
        &["woken", "deadlock"],
        || {
            let (shared, theirs) = shared(());
            let other = thread::spawn(move || theirs.1.notify_all());
            drop(shared.1.wait(shared.0.lock().unwrap()).unwrap());
            other.join().unwrap();
            "woken".into()
        },
    ),
    // Either is woken, and wakes the other one. (A thread starts the next when it has the lock: so that
    // one finds it waiting.)
    Program::of_model(
        "one of two is woken",
        &["sync::Condvar"],
        &["a, b", "b, a"],
        || {
            fn waits(
                name: &'static str,
                shared: &Shared<Vec<&'static str>>,
                next: impl FnOnce() + Send + 'static,
            ) {
                let guard = shared.0.lock().unwrap();
                let next = thread::spawn(next);
                let mut guard = shared.1.wait(guard).unwrap();
                guard.push(name);
                drop(guard);
                shared.1.notify_one();
                next.join().unwrap();
            }
            let (shared, of_a) = shared(Vec::new());
            let (of_b, of_last) = (Arc::clone(&shared), Arc::clone(&shared));
            let wakes = move || {
                drop(of_last.0.lock().unwrap());
                of_last.1.notify_one();
            };
            waits("a", &of_a, move || waits("b", &of_b, wakes));
            let woken = shared.0.lock().unwrap().join(", ");
            woken
        },
    ),
    Program::of_both(
        "waiting for a time",
        &["sync::Condvar", "sync::WaitTimeoutResult"],
        &["changed", "changed, time is up", "time is up"],
        || {
            let (shared, theirs) = shared(false);
            let other = thread::spawn(move || {
                *theirs.0.lock().unwrap() = true;
                theirs.1.notify_one();
            });
            let guard = shared.0.lock().unwrap();
            let (guard, result): (_, WaitTimeoutResult) =
                shared.1.wait_timeout(guard, ms(5)).unwrap();
            let said = match (*guard, result.timed_out()) {
                (true, false) => "changed",
                (true, true) => "changed, time is up",
                (false, true) => "time is up",
                (false, false) => "woken without a reason",
            };
            drop(guard);
            other.join().unwrap();
            said.into()
        },
    ),
    Program::of_both(
        "waiting for a change and a time",
        &["sync::Condvar", "sync::WaitTimeoutResult"],
        &["changed in time", "changed late", "time is up"],
        || {
            let (shared, theirs) = shared(false);
            let other = thread::spawn(move || {
                *theirs.0.lock().unwrap() = true;
                theirs.1.notify_one();
            });
            let start = Instant::now();
            let guard = shared.0.lock().unwrap();
            let waited = shared
                .1
                .wait_timeout_while(guard, ms(5), |changed| !*changed);
            let (guard, result) = waited.unwrap();
            let late = start.elapsed() >= ms(5);
            assert!(late || !result.timed_out());
            assert!(*guard != result.timed_out());
            let said = match (*guard, late) {
                (true, false) => "changed in time",
                (true, true) => "changed late",
                (false, _) => "time is up",
            };
            drop(guard);
            other.join().unwrap();
            said.into()
        },
    ),
    // Who is woken in vain does not wait for the whole time once more.
    Program::of_both(
        "woken in vain",
        &["sync::Condvar"],
        &["slept, exact", "slept, late", "woken, exact", "woken, late"],
        || {
            let (shared, theirs) = shared(());
            let start = Instant::now();
            let other = thread::spawn(move || {
                thread::sleep(ms(3));
                theirs.1.notify_one();
            });
            let mut asked = 0;
            let guard = shared.0.lock().unwrap();
            let waited = shared.1.wait_timeout_while(guard, ms(5), |()| {
                asked += 1;
                true
            });
            assert!(waited.unwrap().1.timed_out());
            let elapsed = start.elapsed();
            assert!(elapsed >= ms(5));
            other.join().unwrap();
            let woken = if asked > 2 { "woken" } else { "slept" };
            format!(
                "{woken}, {}",
                if elapsed == ms(5) { "exact" } else { "late" }
            )
        },
    ),
    Program::of_both(
        "waiting without end for a call",
        &["sync::Condvar", "sync::WaitTimeoutResult"],
        &["in time"],
        || {
            let (shared, theirs) = shared(false);
            let other = thread::spawn(move || {
                *theirs.0.lock().unwrap() = true;
                theirs.1.notify_one();
            });
            let mut said = "in time";
            let mut guard = shared.0.lock().unwrap();
            while !*guard {
                let result;
                (guard, result) = shared.1.wait_timeout(guard, Duration::MAX).unwrap();
                if result.timed_out() {
                    said = "time is up";
                }
            }
            drop(guard);
            other.join().unwrap();
            said.into()
        },
    ),
    Program::of_both(
        "waiting for a change without end",
        &["sync::Condvar"],
        &["changed"],
        || {
            let (shared, theirs) = shared(false);
            let other = thread::spawn(move || {
                *theirs.0.lock().unwrap() = true;
                theirs.1.notify_one();
            });
            let guard = shared.0.lock().unwrap();
            let waited = shared
                .1
                .wait_timeout_while(guard, Duration::MAX, |changed| !*changed);
            let timed_out = waited.unwrap().1.timed_out();
            other.join().unwrap();
            if timed_out { "time is up" } else { "changed" }.into()
        },
    ),
    // The first call wakes one of them, the one with a deadline or the other, and that one the other.
    // (With std's, one of them may also wake without a reason.)
    Program::of_model(
        "one with a time and one without",
        &["sync::Condvar"],
        &["with", "without", "time is up before", "time is up after"],
        || {
            let (shared, theirs) = shared("");
            let guard = shared.0.lock().unwrap();
            let with = thread::spawn(move || {
                let guard = theirs.0.lock().unwrap();
                let of_third = Arc::clone(&theirs);
                thread::spawn(move || {
                    drop(of_third.0.lock()); // when both wait
                    of_third.1.notify_one();
                });
                let (mut guard, result) = theirs.1.wait_timeout(guard, ms(5)).unwrap();
                let first = guard.is_empty();
                *guard = "over";
                drop(guard);
                theirs.1.notify_one();
                (result.timed_out(), first)
            });
            let mut guard = shared.1.wait(guard).unwrap();
            if guard.is_empty() {
                *guard = "over";
                shared.1.notify_one();
            }
            drop(guard);
            match with.join().unwrap() {
                (false, true) => "with",
                (false, false) => "without",
                (true, true) => "time is up before",
                (true, false) => "time is up after",
            }
            .into()
        },
    ),
    Program::of_both(
        "leaders",
        &["sync::Barrier", "sync::BarrierWaitResult"],
        &["one, one"],
        || {
            let barrier = Arc::new(Barrier::new(2));
            let theirs = Arc::clone(&barrier);
            let other =
                thread::spawn(move || [theirs.wait().is_leader(), theirs.wait().is_leader()]);
            let here = [barrier.wait().is_leader(), barrier.wait().is_leader()];
            let other = other.join().unwrap();
            let leaders = |round: usize| match usize::from(here[round]) + usize::from(other[round])
            {
                1 => "one",
                _ => "none or both",
            };
            format!("{}, {}", leaders(0), leaders(1))
        },
    ),
    Program::of_both(
        "who leads",
        &["sync::BarrierWaitResult"],
        &["main", "the other"],
        || {
            let barrier = Arc::new(Barrier::new(2));
            let theirs = Arc::clone(&barrier);
            let other = thread::spawn(move || theirs.wait().is_leader());
            let main = barrier.wait().is_leader();
            assert!(main != other.join().unwrap());
            if main { "main" } else { "the other" }.into()
        },
    ),
    Program::of_both(
        "behind the barrier",
        &["sync::Barrier"],
        &["both have come"],
        || {
            let shared = Arc::new((Barrier::new(2), AtomicBool::new(false)));
            let theirs = Arc::clone(&shared);
            let other = thread::spawn(move || {
                theirs.1.store(true, Ordering::SeqCst);
                theirs.0.wait();
            });
            shared.0.wait();
            let come = shared.1.load(Ordering::SeqCst);
            other.join().unwrap();
            if come {
                "both have come"
            } else {
                "one is missing"
            }
            .into()
        },
    ),
    Program::of_model(
        "a barrier for three",
        &["sync::Barrier"],
        &["deadlock"],
        || {
            let barrier = Arc::new(Barrier::new(3));
            let theirs = Arc::clone(&barrier);
            thread::spawn(move || theirs.wait().is_leader());
            barrier.wait();
            "through".into()
        },
    ),
];
