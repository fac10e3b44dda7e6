//! A server as a scenario has it: started, with a gate for its handlers, and asked to stop.

use super::{
    client::{Client, A_WHILE, DEADLINE},
    gate::Gate,
    process::Process,
    sockets, Outcome, Wrong,
};
use crate::adapters::{Server, Settings};
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{self, Command, ExitStatus, Stdio},
    sync::LazyLock,
    time::Duration,
};

/// How a server is started.
pub struct Setup<'a> {
    server: &'a Server,
    settings: Settings,
    descriptors: Option<u32>,
    is_process_1: bool,
}

impl<'a> Setup<'a> {
    /// Its limits are far away: no scenario comes to them.
    pub fn new(server: &'a Server) -> Setup<'a> {
        let settings = Settings {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            gate: (Ipv4Addr::LOCALHOST, 0).into(),
            patience: Duration::from_secs(60),
            grace: Duration::from_secs(120),
            queue: None,
            folder: PathBuf::new(),
        };
        Setup {
            server,
            settings,
            descriptors: None,
            is_process_1: false,
        }
    }

    /// A client has a second, and the drain has five: for clients that never do what they should.
    pub fn hasty(mut self) -> Self {
        self.settings.patience = Duration::from_secs(1);
        self.settings.grace = Duration::from_secs(5);
        self
    }

    /// So many requests may wait for a worker, if the server has such a limit.
    pub fn with_queue(mut self, queue: usize) -> Self {
        self.settings.queue = Some(queue);
        self
    }

    /// The process may have so many descriptors.
    pub fn with_descriptors(mut self, descriptors: u32) -> Self {
        self.descriptors = Some(descriptors);
        self
    }

    /// It is the first process in a space of its own, as in a container.
    pub fn in_a_container(mut self) -> Self {
        self.is_process_1 = true;
        self
    }

    /// It listens there.
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.settings.address = address;
        self
    }

    /// Starts it, and waits until it listens.
    pub fn start(self) -> Result<Stage, Wrong> {
        let mut stage = self.begin()?;
        stage.address = match stage.is_silent {
            true => stage.process.listens_at(stage.address)?,
            false => stage.process.says_address()?,
        };
        Ok(stage)
    }

    /// Starts it, and does not wait.
    pub fn begin(mut self) -> Result<Stage, Wrong> {
        let is_silent = self.server.is_silent();
        if is_silent && self.settings.address.port() == 0 {
            self.settings.address = free_address();
        }
        let gate = Gate::open().map_err(fails)?;
        self.settings.gate = gate.address;
        // A folder for each, so that none finds what another has left there.
        fs::create_dir_all(folder()).map_err(fails)?;
        self.settings.folder = folder();

        let command = self.server.command(&self.settings).map_err(fails)?;
        let command = self.wrapped(command);
        let process = Process::start(command, self.is_process_1).map_err(fails)?;
        Ok(Stage {
            process,
            gate,
            address: self.settings.address,
            is_silent,
            signals: self.server.signals(),
        })
    }

    fn wrapped(&self, command: Command) -> Command {
        let mut words = Vec::new();
        if self.is_process_1 {
            words.extend(PROCESS_1.unwrap_or_default().iter().map(|w| w.to_string()));
        }
        if let Some(descriptors) = self.descriptors {
            let limit = format!("ulimit -n {descriptors} && exec \"$@\"");
            words.extend(["sh".into(), "-c".into(), limit, "sh".into()]);
        }
        let Some((first, rest)) = words.split_first() else {
            return command;
        };
        let mut wrapped = Command::new(first);
        wrapped.args(rest);
        wrapped.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            wrapped.env(name, value.unwrap_or_default());
        }
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        wrapped
    }
}

/// How a program becomes process 1; `None`: this system does not do that, or not for this user.
pub static PROCESS_1: LazyLock<Option<&[&str]>> = LazyLock::new(|| {
    const WAYS: [&[&str]; 2] = [
        &["unshare", "--pid", "--fork", "--kill-child"],
        &[
            "unshare",
            "--map-root-user",
            "--pid",
            "--fork",
            "--kill-child",
        ],
    ];
    let works = |way: &&[&str]| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg("true");
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    WAYS.into_iter().find(works)
});

/// Where the servers of this scenario may write. It is removed after the scenario.
pub fn folder() -> PathBuf {
    env::temp_dir().join(format!("servers-{}", process::id()))
}

/// An address that nobody has at the moment, on an interface that is this process's own. (A client that
/// asks for a port at 127.0.0.1 until somebody listens there may be given that same port, and then it is
/// connected with itself.)
pub fn free_address() -> SocketAddr {
    let [_, rest @ ..] = process::id().to_be_bytes();
    let [a, b, c] = rest;
    let listener = TcpListener::bind((Ipv4Addr::new(127, a, b, c), 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("the system has a port that is free")
}

fn fails(error: impl ToString) -> Wrong {
    Wrong::new(Outcome::Fails, error.to_string())
}

/// A server that runs.
pub struct Stage {
    pub process: Process,
    pub gate: Gate,
    pub address: SocketAddr,
    is_silent: bool,
    signals: [rustix::process::Signal; 2],
}

impl Stage {
    /// A connection to it. The name is for the list below the table.
    pub fn client(&self, name: &'static str) -> Result<Client, Wrong> {
        Client::connect(self.address, name)
            .map_err(|_| Wrong::new(Outcome::Closed, format!("{name}: cannot connect")))
    }

    /// Sends the signal that asks to stop.
    pub fn signal(&self) {
        println!("the server is asked to stop");
        self.process.signal(self.signals[0]);
    }

    /// Waits until the server has done all that it can do, sends the signal, and waits until the listener
    /// is closed: then the server knows. (Some do that late, or never. Those are waited for only a while.)
    ///
    /// # Errors
    ///
    /// [`Outcome::Dies`] if the signal ends it, as it does where nobody handles it.
    pub fn ask_to_stop(&mut self) -> Result<(), Wrong> {
        self.process.falls_asleep();
        self.signal();
        let address = self.address;
        super::client::soon(|| !sockets::listens(address));
        let time = match self.process.is_ending() {
            true => DEADLINE,
            false => Duration::ZERO,
        };
        match self.process.ended_within(time) {
            Some(status) if status.signal().is_some() => Err(died(status)),
            _ => Ok(()),
        }
    }

    /// Asks once more.
    pub fn ask_again(&self) {
        println!("the server is asked once more");
        self.process.signal(self.signals[1]);
    }

    /// Waits until it has ended by itself, with the status of success.
    pub fn ends(&mut self) -> Result<(), Wrong> {
        let status = self.ends_somehow()?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => {
                let what = format!("the server ends with status {code}");
                Err(Wrong::new(Outcome::Fails, what))
            }
            None => Err(died(status)),
        }
    }

    /// Waits until it has ended by itself, whatever it says of how that went.
    pub fn ends_in_time(&mut self) -> Result<(), Wrong> {
        let status = self.ends_somehow()?;
        match status.signal() {
            None => Ok(()),
            Some(_) => Err(died(status)),
        }
    }

    /// Waits until it has ended.
    pub fn ends_somehow(&mut self) -> Result<ExitStatus, Wrong> {
        let status = self.process.ended_within(DEADLINE);
        let status =
            status.ok_or_else(|| Wrong::new(Outcome::NeverEnds, "the server does not end"))?;
        println!("the server has ended: {status}");
        Ok(status)
    }

    /// If it is gone, and should not be, this says so in place of what clients have seen of that.
    pub fn explain(&mut self, wrong: Wrong) -> Wrong {
        let is_of_client = matches!(
            wrong.outcome,
            Outcome::Reset | Outcome::Closed | Outcome::Cut
        );
        let status = match is_of_client {
            true => self.process.ended_within(A_WHILE),
            false => None,
        };
        match status {
            Some(status) if !status.success() => died(status),
            _ => wrong,
        }
    }
}

fn died(status: ExitStatus) -> Wrong {
    let how = match (status.signal(), status.code()) {
        (Some(_), _) => "the signal ends the process".to_owned(),
        (None, Some(code)) => format!("the process ends at once, with status {code}"),
        (None, None) => "the process ends".to_owned(),
    };
    Wrong::new(Outcome::Dies, how)
}
