// ANCHOR: in_time
//! A connection that is not waited for beyond a deadline.

use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::Errno,
};
use std::{
    io::{
        self,
        prelude::*,
        ErrorKind::{TimedOut, WouldBlock},
    },
    net::TcpStream,
    time::{Duration, Instant},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The point in time that is `time` from now. (If that is too far for the clock:
/// in a year.)
pub fn from_now(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + 365 * DAY)
}

/// Reads what a client sends, and writes what it takes, as long as it does so in
/// time. The stream has to be one that does not wait itself.
pub struct InTime<'a> {
    pub stream: &'a TcpStream,
    pub deadline: Instant,
}

impl InTime<'_> {
    /// Waits until the client has done its part. All waits have one deadline.
    fn wait(&self, part: PollFlags) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // On some systems, `poll` takes no more than 24 days.
        let once = left.min(DAY);
        let time = Timespec::try_from(once).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(self.stream, part)], Some(&time)) {
            Ok(0) if once == left => Err(TimedOut.into()),
            Ok(_) | Err(Errno::INTR) => Ok(()), // look again
            Err(error) => Err(error.into()),
        }
    }
}

impl Read for InTime<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // What is there is read, whenever it came: only a wait has an end.
            match self.stream.read(buffer) {
                Err(error) if error.kind() == WouldBlock => self.wait(PollFlags::IN)?,
                done => return done,
            }
        }
    }
}

impl Write for InTime<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.stream.write(bytes) {
                Err(error) if error.kind() == WouldBlock => self.wait(PollFlags::OUT)?,
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
// ANCHOR_END: in_time
