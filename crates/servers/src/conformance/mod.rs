//! The scenarios: a few lines of client and a signal each, and what comes of it.
//!
//! A scenario can hang, and the server that it is asked of can. So [`ask`] has it asked by a child
//! process, the binary `conformance`, and ends the child, its server and all at a deadline.

mod asking;
mod client;
mod gate;
mod process;
mod scenarios;
mod sockets;
mod stage;

pub use asking::{ask, ask_all, main, table, told, Answer, ASK};
pub use client::PAGE_BIG;
pub use scenarios::is_close;

use std::fmt;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $word] $variant,)* }

        impl $name {
            /// All of them, in the order of the table.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The words for it in the table.
            pub fn words(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// The one with these words.
            pub fn from_words(words: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|one| one.words() == words)
            }

            /// The one that is called `name`, as `Debug` prints it.
            pub fn from_name(name: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|one| format!("{one:?}") == name)
            }
        }
    };
}

words! {
    /// What is asked of every server.
    Scenario {
        IdleKeepAlive = "an idle connection",
        SilentNew = "a new connection that says nothing",
        HalfHead = "half a head, then the rest",
        HalfSecondHead = "the same, as a second request",
        HalfHeadForEver = "half a head, for ever",
        HalfBody = "half a body, then the rest",
        Expect = "`Expect: 100-continue`, then the body",
        Crosses = "a request and the signal cross",
        HandlerRunning = "a handler runs",
        SaysClose = "its answer says `Connection: close`",
        TwoAtOnce = "two requests at once",
        Every50ms = "a request every 50 ms",
        WaitsForWorker = "accepted, and no worker is free",
        FullHouse = "the workers busy, the queue full",
        Backlog = "twenty in the backlog",
        NewConnection = "a new connection during the drain",
        SlowReader = "a slow reader of 32 MiB",
        NeverReads = "a client that never reads",
        HalfClosed = "a client that has hung up half",
        UnreadBody = "a body that nobody reads",
        Http10 = "a client of HTTP/1.0",
        Panic = "a handler panics during the drain",
        StuckHandler = "a handler that never ends",
        SecondSignal = "a second signal",
        StartUp = "a signal during the start",
        NoDescriptors = "no descriptor is left",
        Restart = "a restart on the same port",
        Process1 = "process 1 of a container",
    }
}

words! {
    /// What comes of it.
    Outcome {
        Right = "✓",
        Dies = "dies",
        Reset = "reset",
        Closed = "lost",
        Cut = "cut",
        Silent = "waits",
        Other = "wrong",
        NeverEnds = "hangs",
        Fails = "fails",
        NotAsked = "–",
    }
}

/// What a server has not done as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What the table says.
    pub outcome: Outcome,
    /// In which part of the scenario, for the list below the table.
    pub detail: String,
}

impl Wrong {
    fn new(outcome: Outcome, detail: impl Into<String>) -> Wrong {
        let detail = detail.into();
        Wrong { outcome, detail }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.outcome.words(), self.detail)
    }
}
