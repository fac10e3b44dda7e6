//! `std::sync::mpsc`.

use crate::modeled::run;
use crate::record::{channel_id, note, What};
use crate::reduced::{self, Identity, Object, Operation};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::sync::Arc;
use std::time::Duration;

#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = shuttle::sync::mpsc::channel();
    let id = opened::<T>();
    let object = Arc::new(Identity::new());
    object.get(|| Object::channel(None));
    (
        Sender {
            sender,
            id,
            object: Some(Arc::clone(&object)),
        },
        Receiver {
            receiver,
            id,
            object: Some(object),
        },
    )
}

#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = shuttle::sync::mpsc::sync_channel(bound);
    let id = opened::<T>();
    // Where each waits for the other, what they do is not declared.
    let object = (bound > 0).then(|| Arc::new(Identity::new()));
    if let Some(object) = &object {
        object.get(|| Object::channel(Some(bound)));
    }
    (
        SyncSender {
            sender,
            id,
            object: object.clone(),
        },
        Receiver {
            receiver,
            id,
            object,
        },
    )
}

/// Numbers a new channel, and notes that it is there.
#[track_caller]
fn opened<T>() -> usize {
    let id = channel_id();
    note(|| What::Opens {
        channel: id,
        jobs: std::any::type_name::<T>().contains("FnOnce"),
    });
    id
}

/// The channel's number in this run.
fn number(object: &Identity) -> usize {
    object.get(|| Object::channel(None)) // it was made when the channel was
}

fn operate<T>(
    object: &Option<Arc<Identity>>,
    operation: fn(usize) -> Operation,
    act: impl FnOnce() -> T,
) -> T {
    match object {
        Some(object) => reduced::operate(|| operation(number(object)), act),
        None => act(),
    }
}

macro_rules! sender {
    ($name:ident) => {
        /// As its namesake in `std::sync::mpsc`.
        #[derive(Debug)]
        pub struct $name<T> {
            sender: shuttle::sync::mpsc::$name<T>,
            id: usize,
            object: Option<Arc<Identity>>,
        }

        impl<T> $name<T> {
            #[track_caller]
            pub fn send(&self, message: T) -> Result<(), SendError<T>> {
                let result = operate(&self.object, Operation::Send, || self.sender.send(message));
                note(|| What::Sends(self.id, result.is_ok()));
                result
            }
        }

        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> $name<T> {
                let sender = self.sender.clone();
                if let Some(object) = &self.object {
                    reduced::sender_added(number(object));
                }
                note(|| What::ClonesSender(self.id));
                $name {
                    sender,
                    id: self.id,
                    object: self.object.clone(),
                }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                // Whether the channel is closed before or after what another thread does is
                // to be searched, too. To shuttle, dropping a sender is no point to switch at.
                if reduced::is_on() && self.object.is_some() {
                    operate(&self.object, Operation::DropSender, || {});
                } else if !std::thread::panicking() {
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
        let result = operate(&self.object, Operation::TrySend, || self.sender.try_send(message));
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
    object: Option<Arc<Identity>>,
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(object) = &self.object {
            reduced::receiver_dropped(number(object));
        }
    }
}

impl<T> Receiver<T> {
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        note(|| What::Receives(self.id));
        let result = operate(&self.object, Operation::Receive, || self.receiver.recv());
        note(|| What::Received(self.id, result.is_ok()));
        result
    }

    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        // Who asks again and again lets others go on.
        run::yields();
        let result = operate(&self.object, Operation::TryReceive, || self.receiver.try_recv());
        match result {
            Err(TryRecvError::Empty) => note(|| What::FindsEmpty(self.id)),
            _ => note(|| What::Received(self.id, result.is_ok())),
        }
        result
    }

    /// Another thread can come first, for as long as it likes, and then there is a message, or the
    /// time is up: so each end of the waiting is tried, at each point.
    #[track_caller]
    pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        run::yields();
        let result = operate(&self.object, Operation::TryReceive, || self.receiver.try_recv());
        match result {
            Err(TryRecvError::Empty) => {
                run::advance(time);
                note(|| What::TimeIsUp);
            }
            _ => note(|| What::Received(self.id, result.is_ok())),
        }
        result.map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

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
