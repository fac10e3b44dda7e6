//! The servers: how each is started with the same pages, and asked to stop.
//!
//! Each has `/` and `/sleep`, which are one small page, `/big` of 32 MiB, `/echo`, which sends back what was
//! sent to it, and `/panic`. The handlers of `/sleep` and `/panic` connect to the gate of [`Settings`],
//! and go on when that hangs up.

use crate::{
    broken::{self, Broken},
    conformance::{Scenario, PAGE_BIG},
    listing::{program, scratch, Change, Listing},
    PAGE, WORKERS,
};
use book::root;
use rustix::process::Signal;
use std::{env, fs, net::SocketAddr, path::PathBuf, process::Command, sync::Mutex, time::Duration};

/// What a server is told. Its address is its first argument; the others are variables.
pub struct Settings {
    /// Where to listen. If the port is 0, the system chooses one, and the server says which:
    /// `listening on ADDRESS`.
    pub address: SocketAddr,
    /// `GATE`: where handlers wait.
    pub gate: SocketAddr,
    /// `PATIENCE`, in milliseconds: how long a client may take for a request, or for an answer.
    pub patience: Duration,
    /// `GRACE`, in milliseconds: how long the drain may take.
    pub grace: Duration,
    /// `QUEUE`: how many requests may wait for a worker.
    pub queue: Option<usize>,
    /// Where the server may write.
    pub folder: PathBuf,
}

/// A server that can be asked.
pub struct Server {
    /// The name to show, and to give on the command line.
    pub name: &'static str,
    program: Program,
}

enum Program {
    /// A listing, in a copy with some changes.
    Listing(Listing),
    /// A program of this crate, in `src/bin`.
    Ours(&'static str),
    Go,
    Nginx,
    Node,
    /// A command that somebody else has given.
    Theirs(Vec<String>),
}

/// The listing that the last server of the book is.
pub const LAST: &str = "listing-20-37";

/// What the last one is asked with: its own `main`, but for pages and limits.
pub const ASKED: &[Change] = &[
    ("src/main.rs", "mod handed;\n", "mod asked;\nmod handed;\n"),
    (
        "src/main.rs",
        "server.with_limits(limits);",
        "server.with_limits(asked::limits(limits));",
    ),
    (
        "src/main.rs",
        "        None => server,\n",
        "        None => server.with_pages(asked::pages),\n",
    ),
];

/// What that needs.
pub const ASKED_FILES: &[(&str, &str)] = &[("src/asked.rs", include_str!("../peers/asked.rs"))];

/// Listing 20-25 is told where to listen, and has the pages that it can have: it reads no body.
const FIRST: &[Change] = &[
    (
        "src/main.rs",
        r#"    let listener = TcpListener::bind("127.0.0.1:7878").unwrap();"#,
        r#"    let listener = TcpListener::bind(std::env::args().nth(1).unwrap()).unwrap();
    eprintln!("listening on {}", listener.local_addr().unwrap());"#,
    ),
    (
        "src/main.rs",
        "            // A page that takes a long time to make, so that one worker is busy.
            thread::sleep(Duration::from_secs(5));
",
        "            wait(\"/sleep\");
",
    ),
    (
        "src/main.rs",
        r#"        _ => ("HTTP/1.1 404 NOT FOUND", "404.html"),
"#,
        r#"        "GET /big HTTP/1.1" => ("HTTP/1.1 200 OK", "../../pages/big"),
        "GET /panic HTTP/1.1" => {
            wait("/panic");
            panic!("as it was asked to")
        }
        _ => ("HTTP/1.1 404 NOT FOUND", "404.html"),
"#,
    ),
    ("src/main.rs", "    thread,\n    time::Duration,\n", ""),
    ("src/main.rs", "// ANCHOR: handle\n", WAIT),
];

/// The same for Listing 20-29.
const SECOND: &[Change] = &[
    (
        "src/main.rs",
        "    let listener = TcpListener::bind(ADDRESS).map_err(ServerError::Listen)?;",
        r#"    let address = std::env::args().nth(1).unwrap_or_default();
    let listener = TcpListener::bind(address).map_err(ServerError::Listen)?;
    eprintln!("listening on {}", listener.local_addr().unwrap());"#,
    ),
    (
        "src/response.rs",
        "            // A page that takes a long time to make, so that one worker is busy.
            thread::sleep(Duration::from_secs(5));
",
        "            wait(\"/sleep\");
",
    ),
    (
        "src/response.rs",
        r#"        _ => ("404 NOT FOUND", "404.html"),
"#,
        r#"        "/big" => ("200 OK", "../../pages/big"),
        "/panic" => {
            wait("/panic");
            panic!("as it was asked to")
        }
        _ => ("404 NOT FOUND", "404.html"),
"#,
    ),
    ("src/response.rs", "    thread,\n", ""),
    ("src/response.rs", "// ANCHOR: handle\n", WAIT),
];

const WAIT: &str = r#"fn wait(path: &str) {
    let mut gate = TcpStream::connect(std::env::var("GATE").unwrap()).unwrap();
    write!(gate, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    gate.read_to_end(&mut Vec::new()).unwrap();
}

"#;

/// The servers of the table.
pub fn servers() -> Vec<Server> {
    let listing = |name, folder, changes, files| Server {
        name,
        program: Program::Listing(Listing {
            folder,
            changes,
            fault: None,
            files,
        }),
    };
    let server = |name, program| Server { name, program };
    vec![
        listing("20-37", LAST, ASKED, ASKED_FILES),
        server("tiny_http", Program::Ours("tiny_http")),
        server("axum", Program::Ours("axum")),
        server("actix-web", Program::Ours("actix")),
        server("nginx", Program::Nginx),
        server("Go", Program::Go),
        server("Node", Program::Node),
        listing("20-25", "listing-20-25", FIRST, &[]),
        listing("20-29", "listing-20-29", SECOND, &[]),
    ]
}

/// The last server, with a fault.
fn faulty(broken: &Broken) -> Server {
    Server {
        name: broken.name,
        program: Program::Listing(Listing {
            folder: LAST,
            changes: ASKED,
            fault: Some(broken.change),
            files: ASKED_FILES,
        }),
    }
}

impl Server {
    /// The server that is called so, or that is started by this command: its program has a slash in its path.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(arguments: &[String]) -> Result<Server, String> {
        match arguments {
            [program, ..] if program.contains('/') => Ok(Server {
                name: "yours",
                program: Program::Theirs(arguments.to_vec()),
            }),
            [name] => {
                let mut all = servers();
                all.extend(broken::ALL.iter().map(faulty));
                let names: Vec<_> = all.iter().map(|server| server.name).collect();
                let names = names.join(", ");
                let server = all.into_iter().find(|server| server.name == name);
                server.ok_or_else(|| format!("there is no {name}, but {names}"))
            }
            _ => Err("usage: conformance SERVER | conformance ./PROGRAM ARGUMENTS".to_owned()),
        }
    }

    /// Builds what has to be built.
    ///
    /// # Errors
    ///
    /// If that fails, or what the server needs is not installed.
    pub fn prepare(&self) -> Result<(), String> {
        match &self.program {
            Program::Listing(listing) => {
                write_pages().map_err(|error| error.to_string())?;
                listing.build(self.name)
            }
            Program::Ours(name) => match ours(name).exists() {
                true => Ok(()),
                false => Err("build it first: cargo build --package servers --bins".to_owned()),
            },
            Program::Go => {
                installed("go", "version")?;
                write_pages().map_err(|error| error.to_string())?;
                let source = root().join("crates/servers/peers/main.go");
                fs::create_dir_all(go().parent().unwrap_or(&root())).map_err(|e| e.to_string())?;
                let mut build = Command::new("go");
                build.arg("build").arg("-o").arg(go()).arg(source);
                // Without a home, it does not know where to keep what it has built.
                build.env("GOCACHE", scratch().join("go-cache"));
                match build.status().is_ok_and(|status| status.success()) {
                    true => Ok(()),
                    false => Err("the server in Go does not build".to_owned()),
                }
            }
            Program::Nginx => {
                installed("nginx", "-v")?;
                write_pages().map_err(|error| error.to_string())
            }
            Program::Node => {
                installed("node", "--version")?;
                write_pages().map_err(|error| error.to_string())
            }
            Program::Theirs(_) => Ok(()),
        }
    }

    /// How it is started.
    pub(crate) fn command(&self, settings: &Settings) -> std::io::Result<Command> {
        let mut command = match &self.program {
            Program::Listing(_) => {
                let mut command = Command::new(program(self.name));
                command.current_dir(scratch().join("copies").join(self.name)); // where its pages are
                command
            }
            Program::Ours(name) => Command::new(ours(name)),
            Program::Go => Command::new(go()),
            Program::Node => {
                let mut command = Command::new("node");
                command.arg(root().join("crates/servers/peers/main.js"));
                command
            }
            Program::Theirs(words) => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]);
                command
            }
            Program::Nginx => return nginx(settings),
        };
        command.arg(settings.address.to_string());
        command.env("GATE", settings.gate.to_string());
        command.env("PATIENCE", settings.patience.as_millis().to_string());
        command.env("GRACE", settings.grace.as_millis().to_string());
        command.env("FOLDER", &settings.folder);
        command.env("PAGE", pages().join("index.html"));
        if let Some(queue) = settings.queue {
            command.env("QUEUE", queue.to_string());
        }
        Ok(command)
    }

    /// It does not say where it listens.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.program, Program::Nginx)
    }

    /// What asks it to stop, and what says so once more.
    pub(crate) fn signals(&self) -> [Signal; 2] {
        match self.program {
            // Its manual: QUIT shuts down gracefully, TERM fast.
            Program::Nginx => [Signal::QUIT, Signal::TERM],
            _ => [Signal::TERM, Signal::TERM],
        }
    }

    /// Why a scenario has no meaning for it.
    pub(crate) fn is_not_asked(&self, scenario: Scenario) -> Option<&'static str> {
        match (&self.program, scenario) {
            (Program::Nginx, Scenario::Panic) => Some("it has no handlers"),
            _ => None,
        }
    }
}

/// A program of this crate, which is beside this one, or beside the folder of the tests.
fn ours(name: &str) -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let folders = program.ancestors().skip(1).take(2);
    let mut programs = folders.map(|folder| folder.join(name));
    programs
        .find(|program| program.is_file())
        .unwrap_or_default()
}

fn go() -> PathBuf {
    scratch().join("programs/go")
}

fn pages() -> PathBuf {
    scratch().join("pages")
}

/// The pages, for servers that have them in files.
fn write_pages() -> std::io::Result<()> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    fs::create_dir_all(pages())?;
    for (name, page) in [("index.html", PAGE.into()), ("big", vec![b'.'; PAGE_BIG])] {
        let file = pages().join(name);
        if fs::metadata(&file).map_or(0, |file| file.len()) != page.len() as u64 {
            fs::write(file, page)?;
        }
    }
    Ok(())
}

fn installed(program: &str, argument: &str) -> Result<(), String> {
    match Command::new(program).arg(argument).output() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("there is no {program}")),
    }
}

/// Its settings are a file.
fn nginx(settings: &Settings) -> std::io::Result<Command> {
    let file = settings.folder.join("nginx.conf");
    let text = include_str!("../peers/nginx.conf")
        .replace("@WORKERS@", &WORKERS.to_string())
        .replace("@ADDRESS@", &settings.address.to_string())
        .replace("@GATE@", &settings.gate.to_string())
        .replace("@PATIENCE@", &settings.patience.as_millis().to_string())
        .replace("@GRACE@", &settings.grace.as_millis().to_string())
        .replace("@PAGES@", &pages().to_string_lossy())
        .replace("@FOLDER@", &settings.folder.to_string_lossy());
    fs::write(&file, text)?;
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(&settings.folder)
        .arg("-e")
        .arg("stderr")
        .arg("-c")
        .arg(file);
    Ok(command)
}
