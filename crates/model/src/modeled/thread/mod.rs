//! `std::thread`.

mod local;
mod park;
mod scope;

use super::{clock, run};
use crate::record::{self, note, What};
use crate::reduced::{self, Operation};
pub use local::LocalKey;
pub use park::{current, park, park_timeout, Thread};
pub use scope::{scope, Scope, ScopedJoinHandle};
pub use shuttle::thread::{panicking, AccessError, Result, ThreadId};
use std::fmt;
use std::num::NonZero;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// A run begins.
pub(super) fn begin() {
    park::begin();
}

/// As `std::thread::sleep`: any thread that can go on may do so first.
#[track_caller]
pub fn sleep(time: Duration) {
    let Some(deadline) = clock::deadline(time) else {
        return wait_for_ever();
    };
    yield_now();
    clock::pass(deadline);
}

/// As `std::thread::yield_now`.
pub fn yield_now() {
    run::asks();
    reduced::operate(|| Operation::Pause, run::point);
}

fn wait_for_ever() {
    let (_sender, receiver) = shuttle::sync::mpsc::channel::<()>();
    let _ = receiver.recv();
}

/// As `std::thread::available_parallelism`, on a machine with two processors.
#[allow(clippy::missing_errors_doc)]
pub fn available_parallelism() -> std::io::Result<NonZero<usize>> {
    Ok(NonZero::new(2).expect("it is not zero"))
}

/// As `std::thread::JoinHandle`.
pub struct JoinHandle<T> {
    handle: shuttle::thread::JoinHandle<Result<T>>,
    thread: Thread,
    end: Arc<End>,
}

impl<T> JoinHandle<T> {
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let thread = usize::from(self.thread.id());
        note(|| What::Joins(thread));
        let join = || Operation::Join(reduced::of_thread(thread));
        let result = reduced::operate(join, || self.handle.join());
        run::got();
        let result = result.and_then(|result| result);
        note(|| What::Joined(thread));
        result
    }

    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread has ended. Who asks again and again lets others go on.
    pub fn is_finished(&self) -> bool {
        self.end.is_seen()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

/// The end of a thread, as others can ask for it.
#[derive(Default)]
struct End {
    has_come: AtomicBool,
    was_late: AtomicBool,
}

impl End {
    fn comes(&self) {
        self.has_come.store(true, Ordering::Relaxed);
        note(|| What::Ends);
    }

    /// Between the last thing that others can see of a thread and its end, there is no point at which
    /// they can come: it would double what has to be searched of each thread, and few ask. So who asks
    /// after the end may still be told, once, that it has not come.
    fn is_seen(&self) -> bool {
        run::asks();
        run::point();
        let has_come = self.has_come.load(Ordering::Relaxed);
        if has_come && !self.was_late.load(Ordering::Relaxed) {
            let is_late = run::choose(2) == 1;
            self.was_late.store(true, Ordering::Relaxed);
            return !is_late;
        }
        has_come
    }
}

#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_boxed(Box::new(f))
}

/// As `std::thread::Builder`.
#[derive(Debug, Default)]
pub struct Builder(shuttle::thread::Builder);

impl Builder {
    pub fn new() -> Builder {
        Builder::default()
    }

    #[must_use]
    pub fn name(self, name: String) -> Builder {
        Builder(self.0.name(name))
    }

    #[must_use]
    pub fn stack_size(self, size: usize) -> Builder {
        // What the model's own frames need is more than a reader's thread asks for.
        let _ = size;
        self
    }

    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> std::io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        spawn_boxed_by(self.0, Box::new(f))
    }
}

/// What a thread runs. It is no parameter of a type, so that what shuttle has around it is compiled once for
/// each result, and not for each function.
type Boxed<T> = Box<dyn FnOnce() -> T + Send>;

#[track_caller]
fn spawn_boxed<T: Send + 'static>(f: Boxed<T>) -> JoinHandle<T> {
    let end = Arc::default();
    let comes = Arc::clone(&end);
    let handle = reduced::spawn(|| shuttle::thread::spawn(move || body(f, &comes)));
    started(handle, end)
}

#[track_caller]
fn spawn_boxed_by<T: Send + 'static>(
    builder: shuttle::thread::Builder,
    f: Boxed<T>,
) -> std::io::Result<JoinHandle<T>> {
    let end = Arc::default();
    let comes = Arc::clone(&end);
    let handle = reduced::spawn(|| builder.spawn(move || body(f, &comes)));
    handle.map(|handle| started(handle, end))
}

#[track_caller]
fn started<T>(handle: shuttle::thread::JoinHandle<Result<T>>, end: Arc<End>) -> JoinHandle<T> {
    let thread = Thread(handle.thread().clone());
    let number = usize::from(thread.id());
    note(|| What::Starts(number));
    reduced::spawned();
    JoinHandle {
        handle,
        thread,
        end,
    }
}

fn body<T>(f: impl FnOnce() -> T, end: &End) -> Result<T> {
    let result = caught(f);
    end.comes();
    reduced::ended();
    result
}

/// To shuttle a panic in any thread is the end of the run. When a run is recorded, it is what it
/// is to std: the end of that thread, which `join` reports.
fn caught<T>(f: impl FnOnce() -> T) -> Result<T> {
    match record::is_on() {
        true => catch_unwind(AssertUnwindSafe(f)),
        false => Ok(f()),
    }
}
