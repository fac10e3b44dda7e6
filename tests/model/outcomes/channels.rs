// Channels.

use the_std::sync::atomic::{AtomicBool, Ordering};
use the_std::sync::mpsc::{self, RecvTimeoutError, TryRecvError, TrySendError};
use the_std::sync::Arc;
use the_std::thread;
use the_std::time::{Duration, Instant};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn tried(result: Result<i32, TryRecvError>) -> String {
    match result {
        Ok(number) => number.to_string(),
        Err(TryRecvError::Empty) => "empty".into(),
        Err(TryRecvError::Disconnected) => "closed".into(),
    }
}

fn timed(result: Result<i32, RecvTimeoutError>) -> String {
    match result {
        Ok(number) => number.to_string(),
        Err(RecvTimeoutError::Timeout) => "time is up".into(),
        Err(RecvTimeoutError::Disconnected) => "closed".into(),
    }
}

fn try_sent(result: Result<(), TrySendError<i32>>) -> &'static str {
    match result {
        Ok(()) => "sent",
        Err(TrySendError::Full(_)) => "full",
        Err(TrySendError::Disconnected(_)) => "closed",
    }
}

pub const PROGRAMS: &[Program] = &[
    Program::of_both(
        "two senders",
        &[
            "sync::mpsc::channel",
            "sync::mpsc::Sender",
            "sync::mpsc::IntoIter",
        ],
        &["[1, 2, 3]", "[1, 3, 2]", "[3, 1, 2]"],
        || {
            let (sender, receiver) = mpsc::channel();
            let other = sender.clone();
            let sends = thread::spawn(move || {
                sender.send(1).unwrap();
                sender.send(2).unwrap();
            });
            other.send(3).unwrap();
            drop(other);
            sends.join().unwrap();
            format!("{:?}", receiver.into_iter().collect::<Vec<_>>())
        },
    ),
    Program::of_both(
        "receiving until it is closed",
        &["sync::mpsc::Receiver", "sync::mpsc::Iter"],
        &["[1, 2], closed"],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || (1..=2).for_each(|number| sender.send(number).unwrap()));
            let received: Vec<i32> = receiver.iter().collect();
            let end = if receiver.recv().is_err() {
                "closed"
            } else {
                "open"
            };
            format!("{received:?}, {end}")
        },
    ),
    Program::of_model(
        "nobody sends",
        &["sync::mpsc::Receiver"],
        &["deadlock"],
        || {
            let (_sender, receiver) = mpsc::channel::<i32>();
            format!("{:?}", receiver.recv())
        },
    ),
    Program::of_both(
        "asking twice",
        &["sync::mpsc::Receiver"],
        &["empty, empty", "empty, 1", "1, empty", "1, closed"],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || sender.send(1));
            let first = tried(receiver.try_recv());
            let second = tried(receiver.try_recv());
            // What it has not asked for is there all the same.
            assert!(first != "empty" || second != "closed" || receiver.recv().is_err());
            format!("{first}, {second}")
        },
    ),
    // A thread that asks again and again, and each time gets something, need not wait for the other.
    Program::of_both(
        "asking four times for what is there",
        &["sync::mpsc::Receiver"],
        &["too early", "before the end", "after the end"],
        || {
            let (sender, receiver) = mpsc::channel();
            let has_ended = Arc::new(AtomicBool::new(false));
            let end = Arc::clone(&has_ended);
            thread::spawn(move || {
                (1..=4).for_each(|number| sender.send(number).unwrap_or_default());
                end.store(true, Ordering::SeqCst);
            });
            if (1..=4).any(|_| receiver.try_recv().is_err()) {
                return "too early".into();
            }
            match has_ended.load(Ordering::SeqCst) {
                true => "after the end",
                false => "before the end",
            }
            .into()
        },
    ),
    Program::of_both(
        "all that is there",
        &["sync::mpsc::TryIter"],
        &["[]", "[1]", "[1, 2]"],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                (1..=2).for_each(|number| sender.send(number).unwrap_or_default())
            });
            format!("{:?}", receiver.try_iter().collect::<Vec<i32>>())
        },
    ),
    Program::of_both(
        "waiting twice for a time",
        &["sync::mpsc::Receiver"],
        &[
            "1, closed",
            "1, time is up",
            "time is up, 1",
            "time is up, time is up",
        ],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || sender.send(1));
            let first = timed(receiver.recv_timeout(ms(1)));
            let second = timed(receiver.recv_timeout(ms(1)));
            format!("{first}, {second}")
        },
    ),
    // A message costs no time, and a deadline all of it.
    Program::of_both(
        "how long it has waited",
        &["sync::mpsc::Receiver"],
        &[
            "1 in time",
            "1 late",
            "time is up in time",
            "time is up late",
        ],
        || {
            let (sender, receiver) = mpsc::channel();
            let start = Instant::now();
            thread::spawn(move || sender.send(1));
            let got = timed(receiver.recv_timeout(ms(5)));
            let elapsed = start.elapsed();
            assert!(got == "1" || elapsed >= ms(5));
            let late = elapsed > ms(5);
            format!("{got} {}", if late { "late" } else { "in time" })
        },
    ),
    Program::of_both(
        "giving up after three times",
        &["sync::mpsc::Receiver"],
        &["1 after 0", "1 after 1", "1 after 2", "given up"],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || sender.send(1));
            for tries in 0..3 {
                if let Ok(number) = receiver.recv_timeout(ms(1)) {
                    return format!("{number} after {tries}");
                }
            }
            "given up".into()
        },
    ),
    // So it is written in `fair`: who has waited three times and got nothing lets the others come to
    // their end before it waits once more.
    Program::of_model(
        "giving up after four times, which is not seen",
        &["sync::mpsc::Receiver"],
        &["1 after 0", "1 after 1", "1 after 2", "1 after 3"],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || sender.send(1));
            for tries in 0..4 {
                if let Ok(number) = receiver.recv_timeout(ms(1)) {
                    return format!("{number} after {tries}");
                }
            }
            "given up".into()
        },
    ),
    // As a pool waits for its workers, but not for longer than it has said.
    Program::of_both(
        "waiting until a deadline",
        &["sync::mpsc::Receiver", "time::Instant"],
        &["[1, 2]", "[1]", "[]"],
        || {
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                (1..=2).for_each(|number| sender.send(number).unwrap_or_default())
            });
            let deadline = Instant::now() + ms(2);
            let mut received = Vec::new();
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                match receiver.recv_timeout(left) {
                    Ok(number) => received.push(number),
                    Err(RecvTimeoutError::Timeout) if left.is_zero() => break,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            format!("{received:?}")
        },
    ),
    Program::of_both(
        "waiting for a message without end",
        &["sync::mpsc::Receiver"],
        &["Ok(1)"],
        || {
            let (sender, receiver) = mpsc::channel();
            let sends = thread::spawn(move || sender.send(1));
            let got = receiver.recv_timeout(Duration::MAX);
            sends.join().unwrap().unwrap();
            format!("{got:?}")
        },
    ),
    Program::of_both(
        "a full channel",
        &["sync::mpsc::sync_channel", "sync::mpsc::SyncSender"],
        &["[\"sent\", \"full\", \"closed\"]"],
        || {
            let (sender, receiver) = mpsc::sync_channel(1);
            let mut all = vec![try_sent(sender.try_send(1)), try_sent(sender.try_send(2))];
            drop(receiver);
            all.push(try_sent(sender.try_send(3)));
            format!("{all:?}")
        },
    ),
    Program::of_both(
        "room for one",
        &["sync::mpsc::sync_channel", "sync::mpsc::SyncSender"],
        &["1, waiting", "1 and 2, waiting", "1 and 2, through"],
        || {
            let (sender, receiver) = mpsc::sync_channel(1);
            let through = Arc::new(AtomicBool::new(false));
            let is_through = Arc::clone(&through);
            let sends = thread::spawn(move || {
                sender.send(1).unwrap();
                sender.send(2).unwrap();
                through.store(true, Ordering::SeqCst);
            });
            assert!(!is_through.load(Ordering::SeqCst));
            receiver.recv().unwrap();
            let second = receiver.try_recv().is_ok();
            let through = is_through.load(Ordering::SeqCst);
            if !second {
                receiver.recv().unwrap();
            }
            sends.join().unwrap();
            let received = if second { "1 and 2" } else { "1" };
            // It may be that the second fits in after the first was received, and is through.
            let through = if through && second {
                "through"
            } else {
                "waiting"
            };
            format!("{received}, {through}")
        },
    ),
    Program::of_both(
        "from hand to hand",
        &["sync::mpsc::sync_channel", "sync::mpsc::SyncSender"],
        &["waiting, then 1"],
        || {
            let (sender, receiver) = mpsc::sync_channel(0);
            let through = Arc::new(AtomicBool::new(false));
            let is_through = Arc::clone(&through);
            let sends = thread::spawn(move || {
                sender.send(1).unwrap();
                through.store(true, Ordering::SeqCst);
            });
            let before = if is_through.load(Ordering::SeqCst) {
                "through"
            } else {
                "waiting"
            };
            let got = receiver.recv().unwrap();
            sends.join().unwrap();
            format!("{before}, then {got}")
        },
    ),
    Program::of_both(
        "from hand to hand without waiting",
        &["sync::mpsc::SyncSender"],
        &["full, time is up", "sent, 1", "closed, time is up"],
        || {
            let (sender, receiver) = mpsc::sync_channel(0);
            let receives = thread::spawn(move || timed(receiver.recv_timeout(ms(1))));
            let sent = try_sent(sender.try_send(1));
            let got = receives.join().unwrap();
            format!("{sent}, {got}")
        },
    ),
    Program::of_model(
        "a sender that is kept",
        &["sync::mpsc::Sender"],
        &["deadlock"],
        || {
            let (sender, receiver) = mpsc::channel::<i32>();
            let kept = sender.clone();
            drop(sender);
            let left = receiver.iter().count();
            drop(kept);
            left.to_string()
        },
    ),
    // Between what its thread did before and the drop of the receiver, others can come.
    Program::of_both(
        "the receiver is dropped",
        &["sync::mpsc::Receiver", "sync::mpsc::Sender"],
        &["sent", "closed"],
        || {
            let (sender, receiver) = mpsc::channel();
            let (tell, told) = mpsc::channel();
            let drops = thread::spawn(move || {
                tell.send(()).unwrap();
                drop(receiver);
            });
            told.recv().unwrap();
            let sent = sender.send(1).is_ok();
            drops.join().unwrap();
            if sent { "sent" } else { "closed" }.into()
        },
    ),
    // Who waits for what a message carries hears of it, although the sender is still there.
    Program::of_both(
        "a message that nobody receives",
        &["sync::mpsc::Receiver", "sync::mpsc::Sender"],
        &["never asked"],
        || {
            let (sender, receiver) = mpsc::channel::<mpsc::Sender<i32>>();
            let (answer, answered) = mpsc::channel();
            sender.send(answer).unwrap();
            thread::spawn(move || drop(receiver));
            let said = match answered.recv() {
                Ok(number) => number.to_string(),
                Err(mpsc::RecvError) => "never asked".into(),
            };
            drop(sender);
            said
        },
    ),
    Program::of_both(
        "a sender that waits for room",
        &["sync::mpsc::SyncSender"],
        &["closed"],
        || {
            let (sender, receiver) = mpsc::sync_channel(0);
            let drops = thread::spawn(move || drop(receiver));
            let sent = sender.send(1);
            drops.join().unwrap();
            if sent.is_ok() { "sent" } else { "closed" }.into()
        },
    ),
];
