//! What Ctrl-C ends, and what it leaves: the terminal as it was, and nothing that still runs.

#[cfg(not(unix))]
pub(crate) use elsewhere::{also_ends, heed, rest_if_ending, Signal};
#[cfg(unix)]
pub(crate) use unix::{also_ends, heed, rest_if_ending, Signal};

#[cfg(unix)]
mod unix {
    use crate::progress;
    use anyhow::{anyhow, Result};
    pub(crate) use rustix::process::Signal;
    use rustix::process::{kill_process_group, Pid};
    use signal_hook::{flag, low_level};
    use std::{
        io::{self, Read},
        os::unix::net::UnixStream,
        process::Child,
        sync::{
            atomic::{AtomicBool, Ordering},
            Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError,
        },
        thread,
        time::Duration,
    };

    /// The process groups that are to be ended too, and how.
    static GROUPS: Mutex<Vec<(Pid, Signal)>> = Mutex::new(Vec::new());

    /// Whether a signal has come that ends this process.
    static ENDING: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

    /// Longer than it takes to end.
    const SOON: Duration = Duration::from_secs(10);

    /// From now on, what Ctrl-C or a `kill` ends does not end before it has cleared its line on the
    /// terminal, and ended what [`also_ends`] says. Whoever does not want to wait for that presses
    /// Ctrl-C again.
    ///
    /// A process that was started in the background may have been told to ignore Ctrl-C, and hands
    /// that on to what it starts. It does not hand on a handler: with one here, each command begins
    /// with the default, to be ended by the signal.
    ///
    /// # Errors
    ///
    /// When the system does not allow it.
    pub(crate) fn heed() -> Result<()> {
        static HEEDED: OnceLock<Result<(), String>> = OnceLock::new();
        let heeded = HEEDED.get_or_init(|| {
            [Signal::INT, Signal::TERM]
                .into_iter()
                .try_for_each(|signal| listen(signal.as_raw()))
                .map_err(|error| error.to_string())
        });
        let heeded = heeded.as_ref();
        heeded.map_err(|error| anyhow!("cannot listen to Ctrl-C: {error}"))?;
        Ok(())
    }

    fn listen(signal: i32) -> io::Result<()> {
        let (mut told, tell) = UnixStream::pair()?;
        // In this order: the first signal does not see what it sets itself.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&ENDING))?;
        flag::register(signal, Arc::clone(&ENDING))?;
        low_level::pipe::register(signal, tell)?;
        thread::spawn(move || {
            // It is there for as long as the process is: the handler holds the other end.
            if told.read_exact(&mut [0]).is_ok() {
                progress::clear();
                end_groups();
                // As if nobody had listened, so that a shell sees what has ended it.
                let _ = low_level::emulate_default_handler(signal);
            }
        });
        Ok(())
    }

    /// Does nothing more where this process is being ended: what it has started has ended for the same
    /// reason, and that is no result.
    pub(crate) fn rest_if_ending() {
        if ENDING.load(Ordering::SeqCst) {
            thread::sleep(SOON);
        }
    }

    fn end_groups() {
        for (group, signal) in groups().iter() {
            // That it is gone already is fine.
            let _ = kill_process_group(*group, *signal);
        }
    }

    fn groups() -> MutexGuard<'static, Vec<(Pid, Signal)>> {
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until this is dropped, a group is ended too.
    pub(crate) struct AlsoEnds(Pid);

    /// What ends this process is to end the child's process group too, which is its own: the
    /// terminal does not send Ctrl-C there. To be dropped when the child has ended.
    pub(crate) fn also_ends(child: &Child, signal: Signal) -> AlsoEnds {
        let group = Pid::from_child(child);
        groups().push((group, signal));
        AlsoEnds(group)
    }

    impl Drop for AlsoEnds {
        fn drop(&mut self) {
            groups().retain(|(group, _)| *group != self.0);
            rest_if_ending();
        }
    }
}

/// There, Ctrl-C ends all that was started from the same terminal.
#[cfg(not(unix))]
mod elsewhere {
    use std::process::Child;

    pub(crate) enum Signal {
        INT,
        KILL,
    }

    pub(crate) struct AlsoEnds;

    pub(crate) fn heed() -> anyhow::Result<()> {
        Ok(())
    }

    pub(crate) fn also_ends(_: &Child, _: Signal) -> AlsoEnds {
        AlsoEnds
    }

    pub(crate) fn rest_if_ending() {}
}
