//! A browser that is told what to do: `chromedriver`, the Chromium that it starts, and as much of
//! WebDriver (JSON over HTTP) as the tests use.

use libtest_mimic::Failed;
use minreq::{Method, Request};
use serde_json::{json, Value};
use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SHELL: &str = "chromium-headless-shell";

/// A browser starts within this time.
const START: Duration = Duration::from_secs(60);

/// A browser ends within this time, or is ended.
const END: Duration = Duration::from_secs(10);

// Keys, as WebDriver writes them.
pub const TAB: char = '\u{E004}';
pub const ENTER: char = '\u{E007}';
pub const ESCAPE: char = '\u{E00C}';
pub const CONTROL: char = '\u{E009}';
pub const DOWN: char = '\u{E015}';
pub const LEFT: char = '\u{E012}';
pub const RIGHT: char = '\u{E014}';

/// A running `chromedriver` and its Chromium, both of which end with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: Option<String>,
    /// Until when what is asked for has to be done.
    until: Instant,
    /// Where both put their files. Removed after they have ended.
    _folder: TempDir,
}

/// The Chromium that has no window, where it is installed: the same pages, at less than half the work.
/// Otherwise, `chromedriver` starts the one that it finds.
pub fn shell() -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    let mut files = env::split_paths(&folders).map(|folder| folder.join(SHELL));
    files.find(|file| file.is_file())
}

impl Browser {
    pub fn start() -> Result<Browser, Failed> {
        let folder = tempfile::tempdir()?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot run chromedriver: {error}"))?;
        let output = driver.stdout.take();
        let mut browser = Browser {
            driver,
            port: 0,
            session: None,
            until: Instant::now() + START,
            _folder: folder,
        };

        // It says on which port it listens; what else it says has to be read, too.
        let output = BufReader::new(output.ok_or("chromedriver is not heard")?);
        let (said, hears) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let port = line.split_once("successfully on port ");
                let port = port.and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
                port.map(|port: u16| said.send(port));
            }
        });
        browser.port = hears
            .recv_timeout(START)
            .map_err(|_| "chromedriver does not say on which port it listens")?;

        let mut capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": {
                "args": [
                    "--headless=new",
                    "--no-sandbox", // for containers; it shows nothing but this book
                    "--disable-gpu",
                    "--in-process-gpu", // one process less to talk to
                    "--disable-dev-shm-usage",
                    "--disable-background-networking",
                    "--window-size=1300,900",
                    // Over a pipe, not a port: whatever ends chromedriver closes the pipe, and
                    // Chromium ends when it is closed.
                    "--remote-debugging-pipe",
                ],
                "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false },
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "script": 300_000, "pageLoad": 300_000 },
        }}});
        if let Some(shell) = shell() {
            capabilities["capabilities"]["alwaysMatch"]["goog:chromeOptions"]["binary"] =
                json!(shell);
        }
        let started = browser.call(Method::Post, "/session", &capabilities)?;
        let session = started["sessionId"].as_str();
        browser.session = Some(session.ok_or("chromedriver starts no session")?.to_owned());
        Ok(browser)
    }

    /// From now on, everything that is asked for has to be done within this time, taken together.
    pub fn within(&mut self, time: Duration) {
        self.until = Instant::now() + time;
    }

    pub fn goto(&self, url: &str) -> Result<(), Failed> {
        self.ask("url", &json!({ "url": url })).map(drop)
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Result<Value, Failed> {
        self.ask("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What a script passes to its last argument, a function; the others are `arguments`.
    pub fn run_async(&self, script: &str, arguments: Value) -> Result<Value, Failed> {
        let body = json!({ "script": script, "args": arguments });
        self.ask("execute/async", &body)
    }

    /// Presses and releases keys, one after the other.
    pub fn press(&self, keys: impl IntoIterator<Item = char>) -> Result<(), Failed> {
        let keys = keys.into_iter();
        self.keys(keys.flat_map(|key| [("keyDown", key), ("keyUp", key)]))
    }

    /// Holds a key down until it has repeated itself so often, and releases it.
    pub fn hold(&self, key: char, times: usize) -> Result<(), Failed> {
        self.keys(
            [("keyDown", key)]
                .repeat(times)
                .into_iter()
                .chain([("keyUp", key)]),
        )
    }

    /// Presses Ctrl-V.
    pub fn paste(&self) -> Result<(), Failed> {
        let (down, up) = ("keyDown", "keyUp");
        self.keys([(down, CONTROL), (down, 'v'), (up, 'v'), (up, CONTROL)])
    }

    fn keys(&self, keys: impl IntoIterator<Item = (&'static str, char)>) -> Result<(), Failed> {
        let keys = keys.into_iter();
        let keys = keys.map(|(kind, key)| json!({ "type": kind, "value": key }));
        let keyboard =
            json!({ "type": "key", "id": "keyboard", "actions": keys.collect::<Vec<_>>() });
        self.ask("actions", &json!({ "actions": [keyboard] }))
            .map(drop)
    }

    /// A command of the DevTools protocol, which chromedriver passes on.
    pub fn devtools(&self, command: &str, parameters: Value) -> Result<Value, Failed> {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("goog/cdp/execute", &body)
    }

    /// What has been logged since this was called last.
    pub fn log(&self, kind: &str) -> Result<Vec<Value>, Failed> {
        match self.ask("se/log", &json!({ "type": kind }))? {
            Value::Array(entries) => Ok(entries),
            other => Err(format!("chromedriver has no log of type {kind}: {other}").into()),
        }
    }

    fn ask(&self, command: &str, body: &Value) -> Result<Value, Failed> {
        let session = self.session.as_deref().ok_or("no session is open")?;
        self.call(Method::Post, &format!("/session/{session}/{command}"), body)
    }

    fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failed> {
        // Without the session's number.
        let name = path.splitn(4, '/').nth(3).unwrap_or("session");
        let place = |problem: String| Failed::from(format!("chromedriver, {name}: {problem}"));
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(place("the time is over".into()));
        }
        let request = Request::new(method, format!("http://127.0.0.1:{}{path}", self.port))
            .with_header("Content-Type", "application/json")
            .with_timeout(left.as_secs() + 1) // 0 would not be one
            .with_body(body.to_string());
        let response = request.send().map_err(|error| place(error.to_string()))?;
        let mut answer: Value = serde_json::from_slice(response.as_bytes())
            .map_err(|error| place(format!("answers no JSON: {error}")))?;
        let value = answer["value"].take();
        match response.status_code {
            200 => Ok(value),
            _ => Err(place(format!("{}: {}", value["error"], value["message"]))),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.until = Instant::now() + END;
        if let Some(session) = &self.session {
            // Ends Chromium, and waits for that. Where it does not answer, Chromium ends after its
            // driver.
            let _ = self.call(Method::Delete, &format!("/session/{session}"), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
