//! `std::thread`.

use super::run;
use crate::reduced::{self, Operation};
use crate::record::{self, note, What};
pub use shuttle::thread::{current, panicking, park, scope, yield_now};
pub use shuttle::thread::{AccessError, Result, Scope, ScopedJoinHandle, Thread, ThreadId};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::num::NonZero;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// As `std::thread::sleep`: any thread that can go on may do so first.
#[track_caller]
pub fn sleep(time: Duration) {
    run::yields();
    shuttle::thread::sleep(time);
    run::advance(time);
}

/// As `std::thread::park_timeout`: the thread may go on at any point, whether it is unparked or not.
#[track_caller]
pub fn park_timeout(time: Duration) {
    sleep(time);
}

/// As `std::thread::available_parallelism`, on a machine with two processors.
#[allow(clippy::missing_errors_doc)]
pub fn available_parallelism() -> std::io::Result<NonZero<usize>> {
    Ok(NonZero::new(2).expect("it is not zero"))
}

/// As `std::thread::JoinHandle`.
#[derive(Debug)]
pub struct JoinHandle<T> {
    handle: shuttle::thread::JoinHandle<Result<T>>,
    finished: Arc<AtomicBool>,
}

impl<T> JoinHandle<T> {
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let thread = usize::from(self.handle.thread().id());
        note(|| What::Joins(thread));
        let join = || Operation::Join(reduced::of_thread(thread));
        let result = reduced::operate(join, || self.handle.join());
        let result = result.and_then(|result| result);
        note(|| What::Joined(thread));
        result
    }

    pub fn thread(&self) -> &Thread {
        self.handle.thread()
    }

    /// Whether the thread has ended. Who asks again and again lets others go on.
    pub fn is_finished(&self) -> bool {
        run::yields();
        shuttle::thread::sleep(Duration::ZERO);
        self.finished.load(Ordering::Relaxed)
    }
}

#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let finished = Arc::default();
    let ended = Arc::clone(&finished);
    let handle = reduced::quietly(|| shuttle::thread::spawn(|| body(f, ended)));
    started(handle, finished)
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
        let finished = Arc::default();
        let ended = Arc::clone(&finished);
        let handle = reduced::quietly(|| self.0.spawn(|| body(f, ended)));
        handle.map(|handle| started(handle, finished))
    }
}

#[track_caller]
fn started<T>(
    handle: shuttle::thread::JoinHandle<Result<T>>,
    finished: Arc<AtomicBool>,
) -> JoinHandle<T> {
    let thread = usize::from(handle.thread().id());
    note(|| What::Starts(thread));
    reduced::spawned();
    JoinHandle { handle, finished }
}

/// To shuttle a panic in any thread is the end of the run. When a run is recorded, it is what it
/// is to std: the end of that thread, which `join` reports.
fn body<T>(f: impl FnOnce() -> T, finished: Arc<AtomicBool>) -> Result<T> {
    let result = match record::is_on() {
        true => catch_unwind(AssertUnwindSafe(f)),
        false => Ok(f()),
    };
    finished.store(true, Ordering::Relaxed);
    note(|| What::Ends);
    reduced::ended();
    result
}

/// As `std::thread::LocalKey`.
#[derive(Debug)]
pub struct LocalKey<T: 'static>(shuttle::thread::LocalKey<T>);

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn from_init(init: fn() -> T) -> LocalKey<T> {
        LocalKey(shuttle::thread::LocalKey {
            init,
            _p: PhantomData,
        })
    }

    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.0.with(f)
    }

    #[allow(clippy::missing_errors_doc)]
    pub fn try_with<R>(
        &'static self,
        f: impl FnOnce(&T) -> R,
    ) -> std::result::Result<R, AccessError> {
        self.0.try_with(f)
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}
