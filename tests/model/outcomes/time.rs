// Instants, durations, and what it means that time passes.

use the_std::sync::mpsc;
use the_std::thread;
use the_std::time::{Duration, Instant};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// How a time compares with what it has to be at least.
fn compared(elapsed: Duration, least: Duration) -> &'static str {
    match elapsed {
        early if early < least => "early",
        exact if exact == least => "exact",
        _ => "late",
    }
}

pub const PROGRAMS: &[Program] = &[
    Program::of_both(
        "two looks",
        &["time::Instant"],
        &["the same", "later"],
        || {
            let first = Instant::now();
            let second = Instant::now();
            assert!(second >= first);
            if first == second { "the same" } else { "later" }.into()
        },
    ),
    Program::of_both(
        "arithmetic",
        &["time::Instant", "time::Duration"],
        &["as it should be"],
        || {
            let now = Instant::now();
            let then = now + ms(5);
            assert_eq!(then - now, ms(5));
            assert_eq!(now - then, ms(0));
            assert_eq!(then.duration_since(now), ms(5));
            assert_eq!(now.duration_since(then), ms(0));
            assert_eq!(now.saturating_duration_since(then), ms(0));
            assert_eq!(then.saturating_duration_since(now), ms(5));
            assert_eq!(now.checked_duration_since(then), None);
            assert_eq!(then.checked_duration_since(now), Some(ms(5)));
            assert_eq!(then - ms(5), now);
            assert_eq!(now.checked_add(ms(5)), Some(then));
            assert_eq!(then.checked_sub(ms(5)), Some(now));
            assert_eq!(now.checked_add(Duration::MAX), None);
            assert_eq!(now.checked_sub(Duration::MAX), None);
            let mut moved = now;
            moved += ms(7);
            moved -= ms(2);
            assert_eq!(moved, then);
            assert!(now < then && then.max(now) == then);
            "as it should be".into()
        },
    ),
    Program::of_both(
        "too late",
        &["time::Instant"],
        &["panic: overflow when adding duration to instant"],
        || format!("{:?}", Instant::now() + Duration::MAX),
    ),
    Program::of_both(
        "two deadlines",
        &["time::Instant"],
        &["none", "the first", "both"],
        || {
            let start = Instant::now();
            let (first, second) = (start + ms(100), start + ms(200));
            let now = Instant::now();
            match (now >= first, now >= second) {
                (false, false) => "none",
                (true, false) => "the first",
                (true, true) => "both",
                (false, true) => "the second",
            }
            .into()
        },
    ),
    // The model knows the first of them in advance, and not the second.
    Program::of_both(
        "a deadline and a time",
        &["time::Instant"],
        &["none", "the first", "both"],
        || {
            let start = Instant::now();
            let deadline = start + ms(100);
            let elapsed = start.elapsed();
            match (start + elapsed >= deadline, elapsed > ms(500)) {
                (false, _) => "none",
                (true, false) => "the first",
                (true, true) => "both",
            }
            .into()
        },
    ),
    Program::of_both(
        "elapsed",
        &["time::Instant"],
        &["in time", "too late"],
        || {
            let start = Instant::now();
            if start.elapsed() > ms(500) {
                "too late"
            } else {
                "in time"
            }
            .into()
        },
    ),
    Program::of_both(
        "in time for each of four",
        &["time::Instant"],
        &["0", "1", "2", "3", "4"],
        || {
            let deadline = Instant::now() + ms(500);
            (0..4)
                .take_while(|_| Instant::now() < deadline)
                .count()
                .to_string()
        },
    ),
    Program::of_both(
        "waiting for a deadline",
        &["time::Instant", "thread::yield_now"],
        &["done"],
        || {
            let deadline = Instant::now() + ms(2);
            let other = thread::spawn(move || {
                while Instant::now() < deadline {
                    thread::yield_now();
                }
            });
            while Instant::now() < deadline {
                thread::yield_now();
            }
            other.join().unwrap();
            "done".into()
        },
    ),
    Program::of_both("sleeping", &["thread::sleep"], &["exact", "late"], || {
        let start = Instant::now();
        thread::sleep(ms(2));
        thread::sleep(ms(3));
        compared(start.elapsed(), ms(5)).into()
    }),
    Program::of_model(
        "sleeping for two years",
        &["thread::sleep"],
        &["exact", "late"],
        || {
            let years = Duration::from_secs(2 * 365 * 24 * 60 * 60);
            let start = Instant::now();
            thread::sleep(years);
            compared(start.elapsed(), years).into()
        },
    ),
    Program::of_model(
        "sleeping for ever",
        &["thread::sleep"],
        &["deadlock"],
        || {
            thread::sleep(Duration::MAX);
            "awake".into()
        },
    ),
    // The same five milliseconds pass for both.
    Program::of_both(
        "sleeping at the same time",
        &["thread::sleep"],
        &["exact", "late"],
        || {
            let start = Instant::now();
            let other = thread::spawn(|| thread::sleep(ms(5)));
            thread::sleep(ms(5));
            other.join().unwrap();
            compared(start.elapsed(), ms(5)).into()
        },
    ),
    // Who has slept may go on late. But nobody goes on early, and the clock does not go back.
    Program::of_both(
        "a long sleep and a short one",
        &["thread::sleep"],
        &[
            "short at 1 ms, long at 9 ms",
            "short at 9 ms, long at 9 ms",
            "long at 9 ms, short at 1 ms",
            "long at 9 ms, short at 9 ms",
        ],
        || {
            let (tell, told) = mpsc::channel();
            let start = Instant::now();
            let sleep = move |name, time, tell: mpsc::Sender<_>| {
                thread::sleep(time);
                let elapsed = start.elapsed();
                assert!(elapsed >= time);
                // As exact as the real clock can be read.
                let at = if elapsed < ms(9) { 1 } else { 9 };
                tell.send(format!("{name} at {at} ms")).unwrap();
            };
            let other = tell.clone();
            thread::spawn(move || sleep("short", ms(1), other));
            sleep("long", ms(9), tell);
            told.iter().collect::<Vec<_>>().join(", ")
        },
    ),
    Program::of_both(
        "what was seen elsewhere",
        &["time::Instant"],
        &["not before"],
        || {
            let (tell, told) = mpsc::channel();
            let other = thread::spawn(move || {
                thread::sleep(ms(3));
                tell.send(Instant::now()).unwrap();
            });
            let seen = told.recv_timeout(ms(1)).or_else(|_| told.recv()).unwrap();
            other.join().unwrap();
            if Instant::now() >= seen {
                "not before"
            } else {
                "before"
            }
            .into()
        },
    ),
    Program::of_both(
        "a short deadline after a long one",
        &["sync::mpsc::Receiver"],
        &["exact", "late"],
        || {
            let (tell, told) = mpsc::channel::<()>();
            let start = Instant::now();
            let told = thread::spawn(move || {
                let _ = told.recv_timeout(ms(1));
                told
            });
            thread::sleep(ms(5));
            let _told = told.join().unwrap();
            drop(tell);
            compared(start.elapsed(), ms(5)).into()
        },
    ),
    Program::of_both(
        "polling",
        &["thread::sleep", "time::Instant"],
        &["stopped", "time is up"],
        || {
            let (stop, stopped) = mpsc::channel::<()>();
            let other = thread::spawn(move || {
                let start = Instant::now();
                while start.elapsed() < ms(4) {
                    thread::sleep(ms(1));
                    if stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                        return "stopped";
                    }
                }
                "time is up"
            });
            drop(stop);
            other.join().unwrap().into()
        },
    ),
];
