use super::{caught, End, Result, Thread};
use crate::modeled::run;
use crate::record::{note, What};
use crate::reduced;
use crate::search::lock;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// As `std::thread::Scope`.
pub struct Scope<'scope, 'env: 'scope> {
    scope: &'scope shuttle::thread::Scope<'scope, 'env>,
    threads: Arc<Threads>,
}

/// The threads of a scope.
#[derive(Default)]
struct Threads {
    /// How many have not ended.
    running: AtomicUsize,
    /// The function that was given to the scope has returned.
    is_left: AtomicBool,
    /// For these, threads wait that must not end before.
    leaving: Mutex<Vec<shuttle::sync::mpsc::Sender<()>>>,
    /// A thread has panicked, and nobody has heard of it.
    panicked: AtomicUsize,
}

/// As `std::thread::scope`.
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let threads = Arc::<Threads>::default();
    let of_all = Arc::clone(&threads);
    let result = shuttle::thread::scope(|scope| {
        // It has to live as long as shuttle's, which nobody can say of a variable of this function.
        // These few bytes are never given back.
        let scope = Box::leak(Box::new(Scope { scope, threads }));
        let result = f(scope);
        reduced::alone();
        scope.threads.is_left.store(true, Ordering::Relaxed);
        lock(&scope.threads.leaving).clear();
        result
    });
    if of_all.panicked.load(Ordering::Relaxed) > 0 {
        panic!("a scoped thread panicked");
    }
    result
}

impl Threads {
    /// The last thread that runs wakes, as it ends, the one with the scope, whatever that one waits
    /// for: so it does not end while that one still is in its function, unless it is being joined.
    fn ends(&self, is_joined: &AtomicBool) {
        reduced::alone();
        let is_last = self.running.load(Ordering::Relaxed) == 1;
        let is_left = self.is_left.load(Ordering::Relaxed);
        if is_last && !is_left && !is_joined.load(Ordering::Relaxed) {
            let (leaving, left) = shuttle::sync::mpsc::channel();
            lock(&self.leaving).push(leaving);
            let _ = left.recv();
        }
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<'scope> Scope<'scope, '_> {
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let threads = Arc::clone(&self.threads);
        threads.running.fetch_add(1, Ordering::Relaxed);
        let ending = Arc::new(Ending {
            end: End::default(),
            is_joined: AtomicBool::new(false),
            result: Mutex::new(None),
        });
        let theirs = Arc::clone(&ending);
        reduced::alone();
        let body = move || {
            let result = caught(f);
            let panicked = usize::from(result.is_err());
            threads.panicked.fetch_add(panicked, Ordering::Relaxed);
            *lock(&theirs.result) = Some(result);
            theirs.end.comes();
            threads.ends(&theirs.is_joined);
            reduced::ended();
        };
        let handle = reduced::spawn(|| self.scope.spawn(body));
        reduced::spawned();
        let thread = Thread(handle.thread().clone());
        let number = usize::from(thread.id());
        note(|| What::Starts(number));
        ScopedJoinHandle {
            handle,
            thread,
            ending,
            threads: Arc::clone(&self.threads),
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

struct Ending<T> {
    end: End,
    is_joined: AtomicBool,
    result: Mutex<Option<Result<T>>>,
}

/// As `std::thread::ScopedJoinHandle`.
pub struct ScopedJoinHandle<'scope, T> {
    handle: shuttle::thread::ScopedJoinHandle<'scope, ()>,
    thread: Thread,
    ending: Arc<Ending<T>>,
    threads: Arc<Threads>,
}

impl<T> ScopedJoinHandle<'_, T> {
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let thread = usize::from(self.thread.id());
        note(|| What::Joins(thread));
        run::point();
        if lock(&self.ending.result).is_none() {
            self.ending.is_joined.store(true, Ordering::Relaxed);
            let _ = self.handle.join();
        }
        note(|| What::Joined(thread));
        let result = lock(&self.ending.result).take();
        let result = result.expect("it is there when the thread has ended");
        let panicked = usize::from(result.is_err());
        self.threads.panicked.fetch_sub(panicked, Ordering::Relaxed);
        result
    }

    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread has ended. Who asks again and again lets others go on.
    pub fn is_finished(&self) -> bool {
        self.ending.end.is_seen()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
