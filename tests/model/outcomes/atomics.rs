// Atomics.

use the_std::sync::atomic::{
    compiler_fence, fence, AtomicBool, AtomicI16, AtomicI32, AtomicI64, AtomicI8, AtomicIsize,
    AtomicPtr, AtomicU16, AtomicU32, AtomicU64, AtomicU8, AtomicUsize, Ordering,
};
use the_std::sync::Arc;
use the_std::thread;

/// What each operation returns, and leaves behind.
macro_rules! all_operations {
    ($atomic:ident, $value:ty) => {{
        let atomic = $atomic::new(6);
        let o = Ordering::SeqCst;
        let mut said: Vec<$value> = vec![atomic.load(o)];
        atomic.store(7, o);
        said.extend([
            atomic.swap(12, o),
            atomic.fetch_add(1, o),
            atomic.fetch_sub(3, o),
        ]);
        said.extend([
            atomic.fetch_and(6, o),
            atomic.fetch_or(9, o),
            atomic.fetch_xor(3, o),
        ]);
        said.extend([
            atomic.fetch_nand(5, o),
            atomic.fetch_max(100, o),
            atomic.fetch_min(20, o),
        ]);
        said.push(atomic.compare_exchange(20, <$value>::MAX, o, o).unwrap());
        said.push(atomic.compare_exchange(20, 1, o, o).unwrap_err());
        said.push(atomic.fetch_add(2, o)); // wraps around
        said.push(
            atomic
                .fetch_update(o, o, |old| old.checked_sub(1))
                .unwrap_or_else(|old| old),
        );
        let mut atomic = $atomic::from(atomic.load(o));
        *atomic.get_mut() = 5;
        said.push(atomic.into_inner());
        let name = |number: &$value| match *number {
            <$value>::MAX => "max".into(),
            number if number == <$value>::MIN + 1 => "min + 1".into(),
            number => number.to_string(),
        };
        said.iter().map(name).collect::<Vec<_>>().join(", ")
    }};
}

pub const PROGRAMS: &[Program] = &[
    Program::of_both(
        "signed",
        &[
            "sync::atomic::AtomicI8",
            "sync::atomic::AtomicI16",
            "sync::atomic::AtomicI32",
            "sync::atomic::AtomicI64",
            "sync::atomic::AtomicIsize",
        ],
        &["6, 7, 12, 13, 10, 2, 11, 8, -1, 100, 20, max, max, min + 1, 5"],
        || {
            let mut said = vec![
                all_operations!(AtomicI8, i8),
                all_operations!(AtomicI16, i16),
            ];
            said.extend([
                all_operations!(AtomicI32, i32),
                all_operations!(AtomicI64, i64),
            ]);
            said.push(all_operations!(AtomicIsize, isize));
            said.dedup();
            said.join("\n")
        },
    ),
    Program::of_both(
        "unsigned",
        &[
            "sync::atomic::AtomicU8",
            "sync::atomic::AtomicU16",
            "sync::atomic::AtomicU32",
            "sync::atomic::AtomicU64",
            "sync::atomic::AtomicUsize",
        ],
        &["6, 7, 12, 13, 10, 2, 11, 8, max, max, 20, max, max, min + 1, 5"],
        || {
            let mut said = vec![
                all_operations!(AtomicU8, u8),
                all_operations!(AtomicU16, u16),
            ];
            said.extend([
                all_operations!(AtomicU32, u32),
                all_operations!(AtomicU64, u64),
            ]);
            said.push(all_operations!(AtomicUsize, usize));
            said.dedup();
            said.join("\n")
        },
    ),
    Program::of_both(
        "yes or no",
        &["sync::atomic::AtomicBool"],
        &["[false, true, true, false, true, true, true, false, false, true]"],
        || {
            let atomic = AtomicBool::new(false);
            let o = Ordering::SeqCst;
            let mut said = vec![atomic.load(o)];
            atomic.store(true, o);
            said.extend([
                atomic.swap(true, o),
                atomic.fetch_and(false, o),
                atomic.fetch_or(true, o),
            ]);
            said.extend([
                atomic.fetch_xor(false, o),
                atomic.fetch_nand(false, o),
                atomic.fetch_not(o),
            ]);
            said.push(atomic.compare_exchange(false, true, o, o).unwrap());
            said.push(!atomic.compare_exchange(false, true, o, o).unwrap_err());
            said.push(atomic.into_inner());
            format!("{said:?}")
        },
    ),
    Program::of_both(
        "a pointer",
        &["sync::atomic::AtomicPtr"],
        &["null, 1, 2, taken"],
        || {
            let (mut one, mut two) = (1, 2);
            let (one, two): (*mut i32, *mut i32) = (&raw mut one, &raw mut two);
            let names = |pointer: *mut i32| match pointer {
                null if null.is_null() => "null",
                other if other == one => "1",
                _ => "2",
            };
            let o = Ordering::SeqCst;
            let atomic = AtomicPtr::default();
            let first = names(atomic.swap(one, o));
            let second = names(atomic.load(o));
            atomic.store(two, o);
            let third = names(atomic.compare_exchange(two, one, o, o).unwrap());
            let taken = if names(atomic.into_inner()) == "1" {
                "taken"
            } else {
                "lost"
            };
            format!("{first}, {second}, {third}, {taken}")
        },
    ),
    Program::of_both(
        "counted by two",
        &["sync::atomic::AtomicUsize"],
        &["2"],
        || {
            let count = Arc::new(AtomicUsize::new(0));
            let theirs = Arc::clone(&count);
            let other = thread::spawn(move || theirs.fetch_add(1, Ordering::Relaxed));
            count.fetch_add(1, Ordering::Relaxed);
            other.join().unwrap();
            count.load(Ordering::Relaxed).to_string()
        },
    ),
    Program::of_both(
        "read and then written by two",
        &["sync::atomic::AtomicUsize"],
        &["1", "2"],
        || {
            let count = Arc::new(AtomicUsize::new(0));
            let theirs = Arc::clone(&count);
            let add = |count: &AtomicUsize| {
                count.store(count.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
            };
            let other = thread::spawn(move || add(&theirs));
            add(&count);
            other.join().unwrap();
            count.load(Ordering::SeqCst).to_string()
        },
    ),
    Program::of_both(
        "exchanged by one of two",
        &["sync::atomic::AtomicI32"],
        &["main", "the other"],
        || {
            let taken = Arc::new(AtomicI32::new(0));
            let theirs = Arc::clone(&taken);
            let take = |taken: &AtomicI32| {
                let result = taken.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
                result.is_ok()
            };
            let other = thread::spawn(move || take(&theirs));
            let here = take(&taken);
            assert!(here != other.join().unwrap());
            if here { "main" } else { "the other" }.into()
        },
    ),
    Program::of_both(
        "updated by two",
        &["sync::atomic::AtomicU64"],
        &["2"],
        || {
            let count = Arc::new(AtomicU64::new(0));
            let theirs = Arc::clone(&count);
            let add = |count: &AtomicU64| {
                let one_more = |old| Some(old + 1);
                count
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more)
                    .unwrap()
            };
            let other = thread::spawn(move || add(&theirs));
            add(&count);
            other.join().unwrap();
            count.load(Ordering::SeqCst).to_string()
        },
    ),
    // Each says that it is there, and looks for the other. They cannot both be overlooked.
    Program::of_both(
        "both look",
        &["sync::atomic::AtomicBool", "sync::atomic::fence"],
        &["main sees", "the other sees", "both see"],
        || {
            let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
            let theirs = Arc::clone(&flags);
            let look = |flags: &[AtomicBool; 2], mine: usize| {
                flags[mine].store(true, Ordering::SeqCst);
                fence(Ordering::SeqCst);
                compiler_fence(Ordering::SeqCst);
                flags[1 - mine].load(Ordering::SeqCst)
            };
            let other = thread::spawn(move || look(&theirs, 1));
            match (look(&flags, 0), other.join().unwrap()) {
                (true, false) => "main sees",
                (false, true) => "the other sees",
                (true, true) => "both see",
                (false, false) => "neither sees",
            }
            .into()
        },
    ),
];
