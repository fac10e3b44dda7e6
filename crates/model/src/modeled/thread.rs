//! `std::thread`.

use crate::record::{self, note, What};
pub use shuttle::thread::*;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// As `std::thread::JoinHandle`.
#[derive(Debug)]
pub struct JoinHandle<T>(shuttle::thread::JoinHandle<Result<T>>);

impl<T> JoinHandle<T> {
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let thread = usize::from(self.0.thread().id());
        note(|| What::Joins(thread));
        let result = self.0.join().and_then(|result| result);
        note(|| What::Joined(thread));
        result
    }

    pub fn thread(&self) -> &Thread {
        self.0.thread()
    }
}

#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    started(shuttle::thread::spawn(|| body(f)))
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
        self.0.spawn(|| body(f)).map(started)
    }
}

#[track_caller]
fn started<T>(handle: shuttle::thread::JoinHandle<Result<T>>) -> JoinHandle<T> {
    let thread = usize::from(handle.thread().id());
    note(|| What::Starts(thread));
    JoinHandle(handle)
}

/// To shuttle a panic in any thread is the end of the run. When a run is recorded, it is what it
/// is to std: the end of that thread, which `join` reports.
fn body<T>(f: impl FnOnce() -> T) -> Result<T> {
    let result = match record::is_on() {
        true => catch_unwind(AssertUnwindSafe(f)),
        false => Ok(f()),
    };
    note(|| What::Ends);
    result
}
