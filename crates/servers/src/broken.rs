//! The book's last server with one fault each, to show that the scenarios find it.

use crate::{
    conformance::Scenario::{self, *},
    listing::Change,
};

/// A fault, and what finds it.
pub struct Broken {
    /// The name to give on the command line.
    pub name: &'static str,
    /// The fault.
    pub change: Change,
    /// The scenarios that then go wrong, and no others do.
    pub found_by: &'static [Scenario],
    /// These may find it, too: how far the server or the client is when the signal comes, nobody says.
    pub perhaps: &'static [Scenario],
}

const LOOP: &str = "src/event_loop.rs";
const CONVERSATION: &str = "src/conversation.rs";

/// In a stop, this is done with each connection that waits for its client.
const EACH: &str =
    "                connection.stop();\n                connection.hurry(linger);\n";

/// All of them.
pub const ALL: &[Broken] = &[
    Broken {
        name: "idle-are-kept",
        change: (LOOP, EACH, "                connection.stop();\n"),
        found_by: &[IdleKeepAlive],
        perhaps: &[],
    },
    Broken {
        name: "idle-are-cut-off",
        change: (
            LOOP,
            EACH,
            "                connection.stop();
                if connection.phase() == Phase::Idle {
                    connection.hurry(Instant::now());
                    connection.time_is_over();
                }
",
        ),
        found_by: &[Crosses],
        perhaps: &[],
    },
    Broken {
        name: "begun-requests-are-refused",
        change: (
            LOOP,
            EACH,
            "                connection.stop();
                connection.hurry(linger);
                if connection.phase() == Phase::Receiving {
                    connection.time_is_over();
                }
",
        ),
        found_by: &[HalfHead, HalfSecondHead, HalfBody, Expect],
        perhaps: &[StartUp],
    },
    Broken {
        name: "answers-are-cut-off",
        change: (
            LOOP,
            EACH,
            "                connection.stop();
                connection.hurry(linger);
                if connection.phase() == Phase::Sending {
                    connection.time_is_over();
                }
",
        ),
        found_by: &[SlowReader],
        perhaps: &[],
    },
    Broken {
        name: "no-look-into-the-backlog",
        change: (
            LOOP,
            "            self.ask = Some(Instant::now()); // once more\n",
            "            self.ask = None;\n",
        ),
        found_by: &[Backlog],
        perhaps: &[StartUp],
    },
    Broken {
        name: "waiting-requests-are-refused",
        change: (
            LOOP,
            "                    connection.begin();\n",
            "                    if stops.load(Ordering::SeqCst) {
                        return; // as if the queue were full
                    }
                    connection.begin();
",
        ),
        found_by: &[
            HalfHead,
            HalfSecondHead,
            HalfBody,
            Expect,
            Crosses,
            WaitsForWorker,
            Backlog,
        ],
        perhaps: &[StartUp, Every50ms],
    },
    Broken {
        name: "too-many-are-not-told",
        change: (
            CONVERSATION,
            "                self.respond(refusal(status::UNAVAILABLE));
                self.next()
",
            "                self.close()\n",
        ),
        found_by: &[FullHouse],
        perhaps: &[],
    },
    Broken {
        name: "the-last-is-not-told",
        change: (
            CONVERSATION,
            r#"            (true, _) => "Connection: close\r\n","#,
            r#"            (true, _) => "","#,
        ),
        found_by: &[SaysClose, TwoAtOnce],
        perhaps: &[],
    },
    Broken {
        name: "no-goodbye",
        change: (
            CONVERSATION,
            "            self.phase = Phase::Leaving;
            return Next::HangUp;
",
            "            self.phase = Phase::Closed;\n",
        ),
        found_by: &[UnreadBody],
        perhaps: &[],
    },
    Broken {
        name: "nobody-says-continue",
        change: (
            CONVERSATION,
            "        if waits_for_us && received == 0 {",
            "        if waits_for_us && received == usize::MAX {",
        ),
        found_by: &[Expect],
        perhaps: &[],
    },
    Broken {
        name: "half-is-all",
        change: (
            "src/connection.rs",
            "        self.conversation.respond(response);
",
            "        // Who will say nothing more is taken to be gone.
        if matches!(self.stream.peek(&mut [0]), Ok(0)) {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        self.conversation.respond(response);
",
        ),
        found_by: &[HalfClosed],
        perhaps: &[],
    },
    Broken {
        name: "the-old-are-refused",
        change: (
            "src/request.rs",
            r#"        b"1.0" => true,"#,
            r#"        b"1.0" => return Err(status::VERSION_NOT_SUPPORTED),"#,
        ),
        found_by: &[Http10],
        perhaps: &[],
    },
    Broken {
        name: "a-panic-is-silent",
        change: (
            CONVERSATION,
            "            Phase::Answering if self.is_begun => self.refuse(status::SERVER_ERROR),",
            "            Phase::Answering if self.is_begun => self.close(),",
        ),
        found_by: &[Panic],
        perhaps: &[],
    },
    Broken {
        name: "no-limits",
        change: (
            "src/asked.rs",
            "    let patience = number(\"PATIENCE\").map(Duration::from_millis);
",
            "    let patience = Some(Duration::MAX);
    env::set_var(\"GRACE\", \"4000000000\");
",
        ),
        found_by: &[SilentNew, HalfHeadForEver, NeverReads, StuckHandler],
        perhaps: &[],
    },
    Broken {
        name: "no-grace",
        change: (
            LOOP,
            "            self.grace = Some(from_now(self.limits.grace));",
            "            self.grace = Some(from_now(DAY));",
        ),
        found_by: &[StuckHandler],
        perhaps: &[],
    },
    Broken {
        name: "the-door-stays-open",
        change: (
            "src/server.rs",
            "        let mut listener = mio::net",
            "        std::mem::forget(self.listener.try_clone());
        let mut listener = mio::net",
        ),
        found_by: &[NewConnection],
        perhaps: &[],
    },
    Broken {
        name: "asked-once",
        change: (
            "src/signals.rs",
            "            flag::register_conditional_shutdown(signal, 128 + signal, again.clone())?;\n",
            "",
        ),
        found_by: &[SecondSignal],
        perhaps: &[],
    },
    Broken {
        name: "signals-come-last",
        change: (
            "src/main.rs",
            "    let signals = Signals::catch()?;
    let server = match place {
        Place::Address(ref address) => Server::bind(address)?,
        Place::StandardInput => handed::standard_input()?,
        Place::Any => match handed::listen_fds()? {
            Some(server) => server,
            None => Server::bind(\"127.0.0.1:7878\")?,
        },
    };
    let address = server.address()?;
",
            "    let server = match place {
        Place::Address(ref address) => Server::bind(address)?,
        Place::StandardInput => handed::standard_input()?,
        Place::Any => match handed::listen_fds()? {
            Some(server) => server,
            None => Server::bind(\"127.0.0.1:7878\")?,
        },
    };
    let address = server.address()?;
    std::thread::sleep(Duration::from_millis(100)); // as if there were more to do
    let signals = Signals::catch()?;
",
        ),
        found_by: &[StartUp],
        perhaps: &[],
    },
    Broken {
        name: "who-waits-is-forgotten",
        change: (
            LOOP,
            "        if has_place && mem::take(&mut self.is_full) {",
            "        if has_place && mem::take(&mut self.is_full) && self.next == 0 {",
        ),
        found_by: &[NoDescriptors],
        perhaps: &[],
    },
    Broken {
        name: "a-file-is-left",
        change: (
            "src/main.rs",
            "    let draining = server.run(&signals)?;\n",
            "    let folder = env::var(\"FOLDER\")?;
    std::fs::File::create_new(format!(\"{folder}/{}\", address.port()))?;
    let draining = server.run(&signals)?;
",
        ),
        found_by: &[Restart],
        perhaps: &[],
    },
    Broken {
        name: "no-drain",
        change: (
            "src/main.rs",
            "    let unanswered = draining.unanswered();\n",
            "    std::process::exit(0);\n    #[allow(unreachable_code)]\n    let unanswered = draining.unanswered();\n",
        ),
        found_by: &[
            HalfHead,
            HalfSecondHead,
            HalfBody,
            Expect,
            Crosses,
            HandlerRunning,
            SaysClose,
            TwoAtOnce,
            WaitsForWorker,
            FullHouse,
            Backlog,
            NewConnection,
            SlowReader,
            HalfClosed,
            Http10,
            Panic,
        ],
        perhaps: &[StartUp],
    },
    Broken {
        name: "only-ctrl-c",
        change: (
            "src/signals.rs",
            "        for signal in [SIGINT, SIGTERM] {",
            "        for signal in [SIGINT] {",
        ),
        // All but those that do not mind how it ends.
        found_by: &[
            IdleKeepAlive, SilentNew, HalfHead, HalfSecondHead, HalfHeadForEver, HalfBody, Expect, Crosses,
            HandlerRunning, SaysClose, TwoAtOnce, Every50ms, WaitsForWorker, FullHouse, Backlog,
            NewConnection, SlowReader, NeverReads, HalfClosed, UnreadBody, Http10, Panic, StuckHandler,
            SecondSignal, StartUp, NoDescriptors, Process1,
        ],
        perhaps: &[],
    },
];
