// What the types can be used for, and in: derived `Debug`, statics, `catch_unwind`.

use std::fmt::Debug;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;
use the_std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use the_std::sync::{mpsc, Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, Weak};
use the_std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// As a reader may hold them. Nothing says how to show a `Job`.
#[allow(dead_code)] // but by `Debug`
#[derive(Debug)]
struct Holds {
    sender: Option<mpsc::Sender<Job>>,
    bounded: mpsc::SyncSender<Job>,
    receiver: mpsc::Receiver<Job>,
    worker: Option<thread::JoinHandle<Job>>,
    lock: Mutex<i32>,
    other: RwLock<i32>,
    asleep: Condvar,
    count: AtomicUsize,
    done: AtomicBool,
    cell: OnceLock<i32>,
}

#[allow(clippy::extra_unused_type_parameters)] // they are what is asked
fn shared<T: Send + Sync + UnwindSafe + RefUnwindSafe + Debug>() -> usize {
    1
}

#[allow(clippy::extra_unused_type_parameters)] // they are what is asked
fn handed_over<T: Send + UnwindSafe + RefUnwindSafe + Debug>() -> usize {
    1
}

/// In a `static`, it would keep from one interleaving to the next what threads have done.
fn twice(f: fn()) -> String {
    let other = thread::spawn(thread::yield_now);
    f();
    other.join().unwrap();
    "done".into()
}

static LOCK: Mutex<()> = Mutex::new(());
static OTHER: RwLock<()> = RwLock::new(());
static COUNT: AtomicU32 = AtomicU32::new(0);
static POINTER: AtomicPtr<i32> = AtomicPtr::new(ptr::null_mut());
static ASLEEP: Condvar = Condvar::new();
static CELL: OnceLock<i32> = OnceLock::new();
static LAZY: LazyLock<i32> = LazyLock::new(|| 1);
static ONCE: Once = Once::new();

const KEPT: &[&str] = &["done", "refused: a static"];

pub const PROGRAMS: &[Program] = &[
    Program::of_both(
        "what a pool holds",
        &["sync::mpsc::Sender", "thread::JoinHandle"],
        &[
            "Holds { sender: Some(Sender { .. }), bounded: SyncSender { .. }, \
             receiver: Receiver { .. }, worker: Some(JoinHandle { .. }), \
             lock: Mutex { data: 1, poisoned: false, .. }, \
             other: RwLock { data: 2, poisoned: false, .. }, asleep: Condvar { .. }, \
             count: 3, done: false, cell: OnceLock(4) }",
        ],
        || {
            let ((sender, receiver), (bounded, _)) = (mpsc::channel(), mpsc::sync_channel(1));
            let holds = Holds {
                sender: Some(sender),
                bounded,
                receiver,
                worker: Some(thread::spawn(|| -> Job { Box::new(|| ()) })),
                lock: 1.into(),
                other: 2.into(),
                asleep: Condvar::default(),
                count: 3.into(),
                done: AtomicBool::default(),
                cell: 4.into(),
            };
            format!("{holds:?}")
        },
    ),
    Program::of_both("who may have it", &["sync::mpsc::Sender"], &["12"], || {
        let all = [
            shared::<mpsc::Sender<Job>>(),
            shared::<mpsc::SyncSender<Job>>(),
            shared::<Mutex<i32>>(),
            shared::<Condvar>(),
            shared::<Barrier>(),
            shared::<Once>(),
            shared::<OnceLock<i32>>(),
            shared::<AtomicUsize>(),
            shared::<AtomicBool>(),
            shared::<thread::Thread>(),
            shared::<thread::ThreadId>(),
            handed_over::<mpsc::Receiver<Job>>(),
        ];
        all.iter().sum::<usize>().to_string()
    }),
    Program::of_model("a static lock", &["sync::Mutex"], KEPT, || {
        twice(|| drop(LOCK.lock()))
    }),
    Program::of_model("another static lock", &["sync::RwLock"], KEPT, || {
        twice(|| drop(OTHER.read()))
    }),
    Program::of_model(
        "a static atomic",
        &["sync::atomic::AtomicU32"],
        KEPT,
        || twice(|| COUNT.store(1, Ordering::SeqCst)),
    ),
    Program::of_model(
        "a static pointer",
        &["sync::atomic::AtomicPtr"],
        KEPT,
        || twice(|| POINTER.store(ptr::null_mut(), Ordering::SeqCst)),
    ),
    Program::of_model("a static condvar", &["sync::Condvar"], KEPT, || {
        twice(|| ASLEEP.notify_all())
    }),
    Program::of_model("a static cell", &["sync::OnceLock"], KEPT, || {
        twice(|| assert_eq!(CELL.get_or_init(|| 1), &1))
    }),
    Program::of_model("a static lazy cell", &["sync::LazyLock"], KEPT, || {
        twice(|| assert_eq!(*LAZY, 1))
    }),
    // This one is another in each interleaving.
    Program::of_model("a static once", &["sync::Once"], &["done"], || {
        twice(|| {
            assert!(!ONCE.is_completed());
            ONCE.call_once(|| ());
        })
    }),
    Program::of_both(
        "the last handle of two",
        &["sync::Arc", "sync::Weak"],
        &["there, gone"],
        || {
            let handle = Arc::new(());
            let weak: Weak<()> = Arc::downgrade(&handle);
            let before = weak.upgrade().is_some();
            drop(handle);
            let after = weak.upgrade().is_some();
            let said = |is_there: bool| if is_there { "there" } else { "gone" };
            format!("{}, {}", said(before), said(after))
        },
    ),
    // std's own: that a handle is dropped is no point to switch at. A real thread may see it there.
    Program::of_model(
        "a handle that another thread drops, which is not seen",
        &["sync::Arc", "sync::Weak"],
        &["gone"],
        || {
            let handle = Arc::new(());
            let weak = Arc::downgrade(&handle);
            let (tell, told) = mpsc::channel();
            let other = thread::spawn(move || {
                tell.send(()).unwrap();
                drop(handle);
            });
            told.recv().unwrap();
            let said = if weak.upgrade().is_some() {
                "there"
            } else {
                "gone"
            };
            other.join().unwrap();
            said.into()
        },
    ),
];
