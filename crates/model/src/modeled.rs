//! `std`, with shuttle's threads and what they share in the place of its own, which tell a recorder
//! what they do.
//!
//! None of them adds a point at which shuttle may switch threads: whether a run is recorded or not,
//! it has the same interleavings. shuttle switches *before* an operation. So what is noted right
//! after one returns is noted before any other thread does anything.

pub use std::*;

/// A line of a pool goes to the recorder, not to the terminal: a search would print millions.
#[macro_export]
macro_rules! recorded_println {
    ($($text:tt)*) => { $crate::modeled::print(format_args!($($text)*)) };
}

/// What [`recorded_println!`](crate::recorded_println!) does in the code of a pool.
#[track_caller]
pub fn print(text: std::fmt::Arguments) {
    use crate::record::{note, What};
    note(|| What::Prints(text.to_string()));
}

pub mod thread {
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
}

pub mod sync {
    use crate::record::{note, note_when_chosen, What};
    pub use shuttle::sync::*;
    use std::fmt;
    use std::ops::{Deref, DerefMut};

    /// As `std::sync::Mutex`.
    #[derive(Debug, Default)]
    pub struct Mutex<T: ?Sized>(shuttle::sync::Mutex<T>);

    /// As `std::sync::MutexGuard`.
    pub struct MutexGuard<'m, T: ?Sized> {
        /// There until the guard is dropped, or waits at a condition variable.
        guard: Option<shuttle::sync::MutexGuard<'m, T>>,
        mutex: &'m Mutex<T>,
    }

    const HELD: &str = "a guard that can be used holds its lock";

    impl<T> Mutex<T> {
        #[track_caller]
        pub const fn new(value: T) -> Mutex<T> {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        #[allow(clippy::missing_errors_doc)]
        pub fn into_inner(self) -> LockResult<T> {
            self.0.into_inner()
        }
    }

    impl<T: ?Sized> Mutex<T> {
        /// What tells this lock from others.
        fn id(&self) -> usize {
            std::ptr::from_ref(&self.0).cast::<()>().addr()
        }

        #[track_caller]
        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            note(|| What::Wants(self.id()));
            let result = self.0.lock();
            self.taken(result)
        }

        #[track_caller]
        pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(guard) => Ok(self.taken(Ok(guard))?),
                Err(TryLockError::Poisoned(poisoned)) => Ok(self.taken(Err(poisoned))?),
                Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            }
        }

        #[track_caller]
        fn taken<'m>(
            &'m self,
            result: LockResult<shuttle::sync::MutexGuard<'m, T>>,
        ) -> LockResult<MutexGuard<'m, T>> {
            note(|| What::Holds(self.id(), result.is_err()));
            let guard = |guard| MutexGuard {
                guard: Some(guard),
                mutex: self,
            };
            match result {
                Ok(free) => Ok(guard(free)),
                Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
            }
        }

        #[allow(clippy::missing_errors_doc)]
        pub fn get_mut(&mut self) -> LockResult<&mut T> {
            self.0.get_mut()
        }

        pub fn clear_poison(&self) {
            self.0.clear_poison();
        }
    }

    impl<T: ?Sized> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            if let Some(guard) = self.guard.take() {
                drop(guard);
                note(|| What::Releases(self.mutex.id()));
            }
        }
    }

    impl<T: ?Sized> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.guard.as_ref().expect(HELD)
        }
    }

    impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.guard.as_mut().expect(HELD)
        }
    }

    impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    /// As `std::sync::Condvar`, but it never wakes without reason: shuttle's does not.
    #[derive(Debug, Default)]
    pub struct Condvar(shuttle::sync::Condvar);

    impl Condvar {
        #[track_caller]
        pub const fn new() -> Condvar {
            Condvar(shuttle::sync::Condvar::new())
        }

        #[track_caller]
        pub fn wait<'m, T>(&self, mut guard: MutexGuard<'m, T>) -> LockResult<MutexGuard<'m, T>> {
            let (mutex, guard) = (guard.mutex, guard.guard.take().expect(HELD));
            // It gives the lock back and begins to wait in one step, but not yet.
            note_when_chosen(|| What::Sleeps(mutex.id()));
            let result = self.0.wait(guard);
            mutex.taken(result)
        }

        #[track_caller]
        pub fn wait_while<'m, T>(
            &self,
            mut guard: MutexGuard<'m, T>,
            mut condition: impl FnMut(&mut T) -> bool,
        ) -> LockResult<MutexGuard<'m, T>> {
            while condition(&mut guard) {
                guard = self.wait(guard)?;
            }
            Ok(guard)
        }

        #[track_caller]
        pub fn notify_one(&self) {
            self.0.notify_one();
            note(|| What::Wakes("one"));
        }

        #[track_caller]
        pub fn notify_all(&self) {
            self.0.notify_all();
            note(|| What::Wakes("all"));
        }
    }

    pub mod atomic {
        use crate::record::{note, What};
        pub use shuttle::sync::atomic::*;
        use std::ops::Deref;

        /// As its namesake in `std::sync::atomic`. What is not told of to a recorder is reached
        /// through `Deref`.
        macro_rules! atomic {
            ($name:ident, $value:ty, $($change:ident)*) => {
                #[derive(Debug, Default)]
                pub struct $name(shuttle::sync::atomic::$name);

                impl $name {
                    #[track_caller]
                    pub const fn new(value: $value) -> $name {
                        $name(shuttle::sync::atomic::$name::new(value))
                    }

                    #[track_caller]
                    pub fn load(&self, order: Ordering) -> $value {
                        let value = self.0.load(order);
                        note(|| What::Reads(value.to_string()));
                        value
                    }

                    #[track_caller]
                    pub fn store(&self, value: $value, order: Ordering) {
                        self.0.store(value, order);
                        note(|| What::Writes(value.to_string()));
                    }

                    $(
                        #[track_caller]
                        pub fn $change(&self, value: $value, order: Ordering) -> $value {
                            let old = self.0.$change(value, order);
                            note(|| What::Changes(stringify!($change), old.to_string()));
                            old
                        }
                    )*
                }

                impl Deref for $name {
                    type Target = shuttle::sync::atomic::$name;
                    fn deref(&self) -> &Self::Target {
                        &self.0
                    }
                }
            };
        }

        atomic!(AtomicBool, bool, swap fetch_and fetch_or);
        atomic!(AtomicUsize, usize, swap fetch_add fetch_sub);
    }

    pub mod mpsc {
        use crate::record::{channel_id, note, What};
        pub use shuttle::sync::mpsc::*;
        use std::time::Duration;

        #[track_caller]
        pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
            let (sender, receiver) = shuttle::sync::mpsc::channel();
            let id = channel_id();
            note(|| What::Opens {
                channel: id,
                jobs: std::any::type_name::<T>().contains("FnOnce"),
            });
            (Sender { sender, id }, Receiver { receiver, id })
        }

        #[track_caller]
        pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
            let (sender, receiver) = shuttle::sync::mpsc::sync_channel(bound);
            let id = channel_id();
            note(|| What::Opens {
                channel: id,
                jobs: std::any::type_name::<T>().contains("FnOnce"),
            });
            (SyncSender { sender, id }, Receiver { receiver, id })
        }

        macro_rules! sender {
            ($name:ident) => {
                /// As its namesake in `std::sync::mpsc`.
                #[derive(Debug)]
                pub struct $name<T> {
                    sender: shuttle::sync::mpsc::$name<T>,
                    id: usize,
                }

                impl<T> $name<T> {
                    #[track_caller]
                    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
                        let result = self.sender.send(message);
                        note(|| What::Sends(self.id, result.is_ok()));
                        result
                    }
                }

                impl<T> Clone for $name<T> {
                    #[track_caller]
                    fn clone(&self) -> $name<T> {
                        let sender = self.sender.clone();
                        note(|| What::ClonesSender(self.id));
                        $name {
                            sender,
                            id: self.id,
                        }
                    }
                }

                impl<T> Drop for $name<T> {
                    fn drop(&mut self) {
                        // Whether the channel is closed before or after what another thread does is
                        // to be searched, too. To shuttle, dropping a sender is no point to switch at.
                        if !std::thread::panicking() {
                            shuttle::thread::sleep(Duration::ZERO);
                        }
                        // The sender itself is dropped right after, and no thread comes between.
                        note(|| What::DropsSender(self.id));
                    }
                }
            };
        }

        sender!(Sender);
        sender!(SyncSender);

        impl<T> SyncSender<T> {
            #[track_caller]
            pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
                let result = self.sender.try_send(message);
                if result.is_ok() {
                    note(|| What::Sends(self.id, true));
                }
                result
            }
        }

        /// As `std::sync::mpsc::Receiver`.
        #[derive(Debug)]
        pub struct Receiver<T> {
            receiver: shuttle::sync::mpsc::Receiver<T>,
            id: usize,
        }

        impl<T> Receiver<T> {
            #[track_caller]
            pub fn recv(&self) -> Result<T, RecvError> {
                note(|| What::Receives(self.id));
                let result = self.receiver.recv();
                note(|| What::Received(self.id, result.is_ok()));
                result
            }

            #[track_caller]
            pub fn try_recv(&self) -> Result<T, TryRecvError> {
                let result = self.receiver.try_recv();
                match result {
                    Err(TryRecvError::Empty) => note(|| What::FindsEmpty(self.id)),
                    _ => note(|| What::Received(self.id, result.is_ok())),
                }
                result
            }

            /// The model has no time: it waits as long as it takes.
            #[track_caller]
            pub fn recv_timeout(&self, _: Duration) -> Result<T, RecvTimeoutError> {
                self.recv().map_err(|_| RecvTimeoutError::Disconnected)
            }

            #[track_caller]
            pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
                std::iter::from_fn(|| self.recv().ok())
            }

            #[track_caller]
            pub fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
                std::iter::from_fn(|| self.try_recv().ok())
            }
        }

        impl<T> IntoIterator for Receiver<T> {
            type Item = T;
            type IntoIter = IntoIter<T>;
            fn into_iter(self) -> IntoIter<T> {
                IntoIter(self)
            }
        }

        /// As `std::sync::mpsc::IntoIter`.
        #[derive(Debug)]
        pub struct IntoIter<T>(Receiver<T>);

        impl<T> Iterator for IntoIter<T> {
            type Item = T;
            fn next(&mut self) -> Option<T> {
                self.0.recv().ok()
            }
        }
    }
}
