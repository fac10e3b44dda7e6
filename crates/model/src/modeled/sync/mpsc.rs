//! `std::sync::mpsc`.

use crate::modeled::{clock, run};
use crate::record::{channel_id, note, What};
use crate::reduced::{self, Identity, Object, Operation};
use crate::search::lock;
use shuttle::future::block_on;
use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = shuttle::sync::mpsc::channel();
    let channel = opened(None);
    let theirs = Arc::clone(&channel);
    (Sender { sender, channel }, Receiver::new(receiver, theirs))
}

#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = shuttle::sync::mpsc::sync_channel(bound);
    let channel = opened(Some(bound));
    let theirs = Arc::clone(&channel);
    (
        SyncSender { sender, channel },
        Receiver::new(receiver, theirs),
    )
}

/// Numbers a new channel, and notes that it is there.
#[track_caller]
fn opened<T>(bound: Option<usize>) -> Arc<Channel<T>> {
    let id = channel_id();
    note(|| What::Opens {
        channel: id,
        carries: carries(std::any::type_name::<T>()),
    });
    let object = Identity::new();
    object.get(|| Object::channel(bound));
    Arc::new(Channel {
        id,
        object,
        bound,
        state: Mutex::new(State {
            queue: VecDeque::new(),
            senders: 1,
            is_awaited: false,
            waiting: Vec::new(),
        }),
    })
}

/// What messages of the type with this name are called.
fn carries(name: &str) -> &'static str {
    match name.rsplit("::").next() {
        _ if name.contains("FnOnce") => "job",
        Some("Thing") => "thing",
        Some("WakeUp") => "wake-up",
        _ => "message",
    }
}

/// What both ends share. shuttle's channel, which says who waits and who goes on, carries nothing: it
/// would keep messages that nobody can receive any more, until the last sender is gone.
struct Channel<T> {
    id: usize,
    object: Identity,
    bound: Option<usize>,
    state: Mutex<State<T>>,
}

struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
    /// Somebody is in `recv_timeout`, which is not known to shuttle.
    is_awaited: bool,
    /// Who waits for room in a bounded channel, and is woken when there may be some.
    waiting: Vec<Waker>,
}

impl<T> Channel<T> {
    /// Its number in a search that does not repeat itself: it was made when the channel was.
    fn object(&self) -> usize {
        self.object.get(|| Object::channel(self.bound))
    }

    /// Where a sender and the receiver wait for each other, what they do is not declared.
    fn is_declared(&self) -> bool {
        self.bound != Some(0)
    }

    fn operate<R>(&self, operation: fn(usize) -> Operation, act: impl FnOnce() -> R) -> R {
        match self.is_declared() {
            true => reduced::operate(|| operation(self.object()), act),
            false => act(),
        }
    }

    /// Right after shuttle's channel has taken something.
    #[track_caller]
    fn sent(&self, message: T) {
        lock(&self.state).queue.push_back(message);
        note(|| What::Sends(self.id, true));
    }

    /// Until the receiver takes a message, or is gone.
    fn wait_for_room(&self) {
        let mut has_waited = false;
        block_on(poll_fn(|context| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            lock(&self.state).waiting.push(context.waker().clone());
            Poll::Pending
        }));
    }

    /// All who wait for room look whether there is some.
    fn wake(&self) {
        let waiting = std::mem::take(&mut lock(&self.state).waiting);
        waiting.into_iter().for_each(Waker::wake);
    }
}

macro_rules! sender {
    ($name:ident) => {
        /// As its namesake in `std::sync::mpsc`.
        pub struct $name<T> {
            sender: shuttle::sync::mpsc::$name<()>,
            channel: Arc<Channel<T>>,
        }

        impl<T> $name<T> {
            #[track_caller]
            pub fn send(&self, message: T) -> Result<(), SendError<T>> {
                let send = || self.send_one();
                if self.channel.operate(Operation::Send, send).is_ok() {
                    self.channel.sent(message);
                    return Ok(());
                }
                note(|| What::Sends(self.channel.id, false));
                Err(SendError(message))
            }
        }

        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> $name<T> {
                let sender = self.sender.clone();
                lock(&self.channel.state).senders += 1;
                reduced::sender_added(self.channel.object());
                note(|| What::ClonesSender(self.channel.id));
                let channel = Arc::clone(&self.channel);
                $name { sender, channel }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                // Whether the channel is closed before or after what another thread does is
                // to be searched, too. To shuttle, dropping a sender is no point to switch at.
                if !std::thread::panicking() || reduced::is_on() {
                    self.channel.operate(Operation::DropSender, run::point);
                }
                lock(&self.channel.state).senders -= 1;
                // The sender itself is dropped right after, and no thread comes between.
                note(|| What::DropsSender(self.channel.id));
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        // As std's, whatever `T` is.
        impl<T> UnwindSafe for $name<T> {}
        impl<T> RefUnwindSafe for $name<T> {}
    };
}

sender!(Sender);
sender!(SyncSender);

impl<T> Sender<T> {
    fn send_one(&self) -> Result<(), SendError<()>> {
        self.sender.send(())
    }
}

impl<T> SyncSender<T> {
    /// Who comes first when there is room, gets it. In shuttle's channel, it is kept for the one that has
    /// waited longest, also where that one has not gone on yet.
    fn send_one(&self) -> Result<(), SendError<()>> {
        if self.channel.bound == Some(0) {
            return self.sender.send(());
        }
        loop {
            match self.sender.try_send(()) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(())) => return Err(SendError(())),
                Err(TrySendError::Full(())) => self.channel.wait_for_room(),
            }
        }
    }

    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let send = || self.sender.try_send(());
        match self.channel.operate(Operation::TrySend, send) {
            Ok(()) => self.channel.sent(message),
            Err(TrySendError::Disconnected(())) => return Err(TrySendError::Disconnected(message)),
            Err(TrySendError::Full(())) if self.is_awaited() => self.channel.sent(message),
            Err(TrySendError::Full(())) => return Err(TrySendError::Full(message)),
        }
        Ok(())
    }

    /// Whether there is no room, but somebody to whom a message can be handed.
    fn is_awaited(&self) -> bool {
        let mut state = lock(&self.channel.state);
        self.channel.bound == Some(0) && std::mem::take(&mut state.is_awaited)
    }
}

/// As `std::sync::mpsc::Receiver`.
pub struct Receiver<T> {
    /// There until it is dropped.
    receiver: Option<shuttle::sync::mpsc::Receiver<()>>,
    channel: Arc<Channel<T>>,
    /// It is for one thread at a time, as std's.
    of_one_thread: PhantomData<Cell<T>>,
}

impl<T> Receiver<T> {
    fn new(receiver: shuttle::sync::mpsc::Receiver<()>, channel: Arc<Channel<T>>) -> Receiver<T> {
        Receiver {
            receiver: Some(receiver),
            channel,
            of_one_thread: PhantomData,
        }
    }

    fn receiver(&self) -> &shuttle::sync::mpsc::Receiver<()> {
        self.receiver.as_ref().expect("it is there until the drop")
    }

    /// Right after shuttle's channel has said that there is one.
    fn message(&self) -> T {
        run::got();
        let message = lock(&self.channel.state).queue.pop_front();
        self.channel.wake();
        message.expect("there is a message for each of shuttle's")
    }

    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        note(|| What::Receives(self.channel.id));
        let receive = || self.receiver().recv();
        let result = self.channel.operate(Operation::Receive, receive);
        let result = result.map(|()| self.message());
        note(|| What::Received(self.channel.id, result.is_ok()));
        result
    }

    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        // Who asks again and again lets others go on.
        run::asks();
        let receive = || self.receiver().try_recv();
        let result = self.channel.operate(Operation::TryReceive, receive);
        let result = result.map(|()| self.message());
        match result {
            Err(TryRecvError::Empty) => note(|| What::FindsEmpty(self.channel.id)),
            _ => note(|| What::Received(self.channel.id, result.is_ok())),
        }
        result
    }

    /// Another thread can come first, for as long as it likes, and then there is a message, or the
    /// time is up: so each end of the waiting is tried, at each point.
    #[track_caller]
    pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        let Some(deadline) = clock::deadline(time) else {
            return self.recv().map_err(|_| RecvTimeoutError::Disconnected);
        };
        run::asks();
        let result = match self.is_handed() {
            Some(message) => Ok(message),
            None => {
                let receive = || self.receiver().try_recv();
                let result = self.channel.operate(Operation::TryReceive, receive);
                result.map(|()| self.message())
            }
        };
        match result {
            Err(TryRecvError::Empty) => {
                clock::pass(deadline);
                note(|| What::TimeIsUp);
            }
            _ => note(|| What::Received(self.channel.id, result.is_ok())),
        }
        result.map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// Where there is no room for a message, one that was handed over while this thread waits.
    fn is_handed(&self) -> Option<T> {
        if self.channel.bound != Some(0) {
            return None;
        }
        lock(&self.channel.state).is_awaited = true;
        run::point();
        let mut state = lock(&self.channel.state);
        state.is_awaited = false;
        let message = state.queue.pop_front()?;
        run::got();
        Some(message)
    }

    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // As with a sender. If there is none, nobody can notice.
        if reduced::is_on() && self.channel.is_declared() {
            self.channel.operate(Operation::DropReceiver, || {});
        } else if !std::thread::panicking() && lock(&self.channel.state).senders > 0 {
            run::point();
        }
        drop(self.receiver.take());
        self.channel.wake();
        // What nobody can receive is dropped, and what that does can be seen.
        let left = std::mem::take(&mut lock(&self.channel.state).queue);
        drop(left);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

// As std's, whatever `T` is.
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

/// As `std::sync::mpsc::Iter`.
#[derive(Debug)]
pub struct Iter<'r, T>(&'r Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

/// As `std::sync::mpsc::TryIter`.
#[derive(Debug)]
pub struct TryIter<'r, T>(&'r Receiver<T>);

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

impl<'r, T> IntoIterator for &'r Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'r, T>;
    fn into_iter(self) -> Iter<'r, T> {
        self.iter()
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
