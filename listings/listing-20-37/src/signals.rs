// ANCHOR: uses
//! The signals that ask the program to stop.

use nix::sys::signal::{SigSet, Signal};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
    low_level::{pipe, signal_name},
};
use std::{
    fmt, io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
};
// ANCHOR_END: uses

// ANCHOR: signals
/// There is something to read here once a signal has come.
pub struct Signals {
    come: UnixStream,
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on, the first Ctrl-C (SIGINT) or SIGTERM is told here, and does
    /// nothing else. The second one ends the program at once.
    ///
    /// This is for a program that has only one thread yet.
    pub fn catch() -> io::Result<Signals> {
        let (come, write) = UnixStream::pair()?;
        let last = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));

        // What comes while the handler is made waits until it is complete.
        let both = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        both.thread_block()?;
        for signal in [SIGINT, SIGTERM] {
            // This is what the handler does, in this order. To write is its last
            // act, so whoever can read knows which signal it was.
            flag::register_usize(signal, last.clone(), signal as usize)?;
            flag::register_conditional_shutdown(signal, 128 + signal, again.clone())?;
            flag::register(signal, again.clone())?;
            pipe::register(signal, write.try_clone()?)?;
        }
        both.thread_unblock()?;
        Ok(Signals { come, last })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.come.as_fd()
    }
}

impl fmt::Display for Signals {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let last = self.last.load(Ordering::SeqCst) as i32;
        write!(f, "{}", signal_name(last).unwrap_or("no signal"))
    }
}
// ANCHOR_END: signals
