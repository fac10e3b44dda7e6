//! What the search knows of each item of std's `sync`, `thread` and `time`.
//!
//! [`ITEMS`] is all of them that are stable. The tests compare it with what the compiler has. What is
//! [`Refused`] is not in the modules of this crate, so that the compiler stops at it;
//! `cargo book search` then says what [`Item::why`] says. That nothing is std's own which makes a
//! verdict wrong, is decided here.
//!
//! `cargo book` reads this file without building the rest of this crate.

/// What the search makes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the model's own, or shuttle's.
    Modeled,
    /// It is std's: it holds nothing that threads could come to in different orders.
    Harmless,
    /// It is not there.
    Refused,
}

use Verdict::{Harmless, Modeled, Refused};

/// An item of std's.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Without `std::`.
    pub path: &'static str,
    pub verdict: Verdict,
    /// How it is modeled, why it does no harm, or what can be used instead.
    pub why: &'static str,
}

const fn item(path: &'static str, verdict: Verdict, why: &'static str) -> Item {
    Item { path, verdict, why }
}

const SWITCH: &str = "other threads can come before each operation";
const VALUE: &str = "a value or a type that no two threads share";
const OLD: &str = "use `new` of its type";
const MILLIS: &str = "use the function with a `Duration`";

/// The Rust whose std it is: 95 for 1.95.
pub const OF: u32 = 95;

/// Each of them, with what the search makes of it.
#[rustfmt::skip]
pub const ITEMS: &[Item] = &[
    item("sync::Arc", Harmless, "what it points to is reached in an order that is searched; what the counts say is not, and the search notes where they are asked for"),
    item("sync::Weak", Harmless, "as `Arc`; whether it leads to something while another thread lets go of that, is not searched"),
    item("sync::Barrier", Modeled, SWITCH),
    item("sync::BarrierWaitResult", Modeled, VALUE),
    item("sync::Condvar", Modeled, "none wakes without reason, and each that waits with a deadline can go on at any point"),
    item("sync::WaitTimeoutResult", Modeled, VALUE),
    item("sync::LazyLock", Modeled, SWITCH),
    item("sync::OnceLock", Modeled, SWITCH),
    item("sync::Mutex", Modeled, SWITCH),
    item("sync::MutexGuard", Modeled, SWITCH),
    item("sync::Once", Modeled, "also in a `static`, where each run begins with a new one"),
    item("sync::OnceState", Modeled, VALUE),
    item("sync::RwLock", Modeled, SWITCH),
    item("sync::RwLockReadGuard", Modeled, SWITCH),
    item("sync::RwLockWriteGuard", Modeled, SWITCH),
    item("sync::LockResult", Harmless, VALUE),
    item("sync::PoisonError", Harmless, VALUE),
    item("sync::TryLockError", Harmless, VALUE),
    item("sync::TryLockResult", Harmless, VALUE),
    item("sync::ONCE_INIT", Refused, OLD),
    item("sync::atomic::AtomicBool", Modeled, "every ordering is taken for `SeqCst`"),
    item("sync::atomic::AtomicI8", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicI16", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicI32", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicI64", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicIsize", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicU8", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicU16", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicU32", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicU64", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicUsize", Modeled, "as `AtomicBool`"),
    item("sync::atomic::AtomicPtr", Modeled, "as `AtomicBool`"),
    item("sync::atomic::Ordering", Harmless, VALUE),
    item("sync::atomic::fence", Modeled, "every ordering is taken for `SeqCst`"),
    item("sync::atomic::compiler_fence", Harmless, "every ordering is taken for `SeqCst`"),
    item("sync::atomic::spin_loop_hint", Refused, "use `std::hint::spin_loop`"),
    item("sync::atomic::ATOMIC_BOOL_INIT", Refused, OLD),
    item("sync::atomic::ATOMIC_ISIZE_INIT", Refused, OLD),
    item("sync::atomic::ATOMIC_USIZE_INIT", Refused, OLD),
    item("sync::mpsc::channel", Modeled, "and dropping a sender is a point to switch at, too"),
    item("sync::mpsc::sync_channel", Modeled, "as `channel`"),
    item("sync::mpsc::Sender", Modeled, SWITCH),
    item("sync::mpsc::SyncSender", Modeled, SWITCH),
    item("sync::mpsc::Receiver", Modeled, "and `recv_timeout` can go on at any point"),
    item("sync::mpsc::Iter", Modeled, SWITCH),
    item("sync::mpsc::TryIter", Modeled, SWITCH),
    item("sync::mpsc::IntoIter", Modeled, SWITCH),
    item("sync::mpsc::RecvError", Harmless, VALUE),
    item("sync::mpsc::RecvTimeoutError", Harmless, VALUE),
    item("sync::mpsc::SendError", Harmless, VALUE),
    item("sync::mpsc::TryRecvError", Harmless, VALUE),
    item("sync::mpsc::TrySendError", Harmless, VALUE),
    item("thread::spawn", Modeled, SWITCH),
    item("thread::Builder", Modeled, "but the size of a stack is the model's"),
    item("thread::Builder::spawn_scoped", Refused, "use `Scope::spawn`"),
    item("thread::JoinHandle", Modeled, SWITCH),
    item("thread::Result", Harmless, VALUE),
    item("thread::scope", Modeled, SWITCH),
    item("thread::Scope", Modeled, SWITCH),
    item("thread::ScopedJoinHandle", Modeled, SWITCH),
    item("thread::Thread", Modeled, SWITCH),
    item("thread::ThreadId", Modeled, VALUE),
    item("thread::current", Modeled, VALUE),
    item("thread::park", Modeled, "while others can go on, it may return without a reason, as std's may"),
    item("thread::park_timeout", Modeled, "it can go on at any point"),
    item("thread::park_timeout_ms", Refused, MILLIS),
    item("thread::sleep", Modeled, "it can go on at any point"),
    item("thread::sleep_ms", Refused, MILLIS),
    item("thread::yield_now", Modeled, SWITCH),
    item("thread::panicking", Harmless, "a thread asks about itself"),
    item("thread::available_parallelism", Modeled, "two"),
    item("thread::LocalKey", Modeled, "each run has its own"),
    item("thread::AccessError", Modeled, VALUE),
    item("time::Duration", Harmless, VALUE),
    item("time::TryFromFloatSecsError", Harmless, VALUE),
    item("time::Instant", Modeled, "each time it is looked at, no time has passed, or that until a known instant, or a very long one"),
    item("time::SystemTime", Refused, "use `std::time::Instant`: then the search tries both that a deadline has passed and that it has not"),
    item("time::SystemTimeError", Refused, "use `std::time::Instant`"),
    item("time::UNIX_EPOCH", Refused, "use `std::time::Instant`"),
];

/// The refused item with this name.
pub fn refused(name: &str) -> Option<&'static Item> {
    let refused = ITEMS.iter().filter(|item| item.verdict == Refused);
    let named = |item: &&Item| item.path.rsplit("::").next() == Some(name);
    refused.into_iter().find(named)
}
