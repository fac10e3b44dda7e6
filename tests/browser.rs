//! The promise: in a real Chromium the pages work with the keyboard alone, in every theme, on a
//! phone's width, on paper, without a console error, without asking another host, and pass axe-core.
//!
//! A test starts `chromedriver`, which starts a Chromium of its own. Where either is missing, that is
//! said, and the tests count as ignored; in CI they fail. What is asked of a page is in
//! `tests/browser/page.js`; axe-core 4.14.1 lies beside it with its license.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use libtest_mimic::{Failed, Trial};
use serde_json::{json, Value};
use std::collections::HashSet;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, thread};
use tokio::time::timeout;
use url::Url;

const THEMES: [&str; 5] = ["light", "rust", "coal", "navy", "ayu"];

/// A desk's screen and a phone's, in CSS pixels.
const WIDE: u32 = 1300;
const PHONE: u32 = 360;

/// The page whose step box is unfolded, too.
const WITH_STEPS: &str = "end-the-workers.html";

/// What is run in a page before anything is asked of it.
const AXE: &str = include_str!("browser/axe.min.js");
const PAGE: &str = include_str!("browser/page.js");

/// No test takes longer.
const DEADLINE: Duration = Duration::from_secs(180);

// Keys, as WebDriver writes them.
const TAB: char = '\u{E004}';
const ENTER: char = '\u{E007}';
const ESCAPE: char = '\u{E00C}';
const CONTROL: char = '\u{E009}';
const DOWN: char = '\u{E015}';
const LEFT: char = '\u{E012}';
const RIGHT: char = '\u{E014}';

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let missing = ["chromedriver", "chromium"].into_iter().find(|tool| {
        let mut command = Command::new(tool);
        let command = command.arg("--version").stdout(Stdio::null());
        command.stderr(Stdio::null()).status().is_err()
    });
    let skip = missing.is_some() && env::var_os("CI").is_none();
    if let (Some(tool), true) = (missing, skip) {
        eprintln!("the pages are not tried in a browser: install {tool} for that");
    }

    let site = Path::new(env!("OUT_DIR")).join("html");
    let mut pages = Vec::new();
    for entry in fs::read_dir(&site)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The first chapter once more, the contents without scripts, and all chapters once more.
        // And 404.html only works on a host, at its root.
        if name.ends_with(".html")
            && !["index.html", "toc.html", "print.html", "404.html"].contains(&&*name)
        {
            pages.push((name.into_owned(), path));
        }
    }
    pages.sort();

    let mut trials = Vec::new();
    for (name, path) in pages {
        let unfold = format!("book.fold(false, {})", name == WITH_STEPS);
        let test = move |page: Page| async move {
            page.width(WIDE).await?;
            page.load(&path).await?;
            let mut problems = keyboard(&page, WIDE, &unfold).await?;
            problems.extend(themes(&page, &unfold).await?);
            problems.extend(copied(&page).await?);

            page.width(PHONE).await?;
            page.load(&path).await?;
            problems.extend(keyboard(&page, PHONE, &unfold).await?);
            problems.extend(phone(&page, &unfold).await?);
            Ok(problems)
        };
        trials.push(trial(format!("browser::{name}"), test));
    }
    let index = site.join("index.html");
    trials.push(trial("browser::menus".into(), move |page| async move {
        menus(&page, &index).await
    }));
    let pages = ["starting-point.html", "end-the-workers.html"].map(|page| site.join(page));
    trials.push(trial("browser::timelines".into(), move |page| async move {
        timelines(&page, &pages).await
    }));
    let print = site.join("print.html");
    trials.push(trial(
        "browser::print.html".into(),
        move |page| async move { paper(&page, &print).await },
    ));
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(skip));
    Ok(trials.collect())
}

/// A test that has a browser of its own. What the page has logged and asked for is looked at in the
/// end.
fn trial<F, T>(name: String, test: F) -> Trial
where
    F: FnOnce(Page) -> T + Send + 'static,
    T: Future<Output = Result<Vec<String>, Failed>>,
{
    Trial::test(name, move || {
        let driver = Driver::start()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let problems = runtime.block_on(async {
            let page = timeout(DEADLINE, Page::open(&driver)).await??;
            let whole = async {
                let mut problems = test(page.clone()).await?;
                problems.extend(page.logged().await?);
                Ok::<_, Failed>(problems)
            };
            let problems = timeout(DEADLINE, whole).await;
            // Whatever has happened: a browser does not end with its driver.
            timeout(DEADLINE, page.0.close()).await??;
            problems.map_err(|_| Failed::from(format!("takes more than {DEADLINE:?}")))?
        });
        let mut problems = problems?;
        let mut seen = HashSet::new();
        problems.retain(|problem| seen.insert(problem.clone()));
        match problems.len() {
            0 => Ok(()),
            count => Err(format!("{count} problems:\n{}", problems.join("\n")).into()),
        }
    })
}

/// A running `chromedriver`, which ends with this value.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    fn start() -> Result<Driver, Failed> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!("cannot run chromedriver: {error}; install it, and chromium")
            })?;
        // It says on which port it listens; what else it says has to be read, too.
        let output = BufReader::new(process.stdout.take().ok_or("chromedriver is not heard")?);
        let (said, hears) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let port = line.split_once("successfully on port ");
                let port = port.and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
                port.map(|port: u16| said.send(port));
            }
        });
        let port = hears.recv_timeout(Duration::from_secs(60));
        let mut driver = Driver { process, port: 0 };
        driver.port = port.map_err(|_| "chromedriver does not say on which port it listens")?;
        Ok(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command that WebDriver does not have, but chromedriver does.
#[derive(Debug)]
struct Extension(&'static str, Value);

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.0
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
    }
}

/// A browser with one page in it.
#[derive(Clone)]
struct Page(Client);

impl Page {
    async fn open(driver: &Driver) -> Result<Page, Failed> {
        let capabilities = json!({
            "goog:chromeOptions": { "args": [
                "--headless=new",
                "--no-sandbox", // for containers; it shows nothing but this book
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--window-size=1300,900",
            ]},
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "script": 120_000 },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await?;
        Ok(Page(client))
    }

    /// Loads the page, in the theme that was chosen last.
    async fn load(&self, path: &Path) -> Result<(), Failed> {
        let url = Url::from_file_path(path).map_err(|()| format!("no path: {path:?}"))?;
        self.0.goto(url.as_str()).await?;
        self.run(&format!("{PAGE}\n{AXE}")).await?;
        Ok(())
    }

    /// Chooses a theme.
    async fn theme(&self, theme: &str) -> Result<(), Failed> {
        let choose = format!(
            "document.getElementById('mdbook-theme-{theme}').click(); \
             return document.documentElement.classList.contains('{theme}')"
        );
        match self.run(&choose).await? {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("the theme {theme} is not shown").into()),
        }
    }

    async fn run(&self, script: &str) -> Result<Value, Failed> {
        Ok(self.0.execute(script, Vec::new()).await?)
    }

    /// What a script returns as a list of problems, each with `context` before it.
    async fn problems(&self, context: &str, script: &str) -> Result<Vec<String>, Failed> {
        let script = format!(
            "const done = arguments[0]; Promise.resolve({script}).then(done, error => done([String(error)]))"
        );
        let found = self.0.execute_async(&script, Vec::new()).await?;
        let found = found
            .as_array()
            .ok_or_else(|| format!("{script}: {found}"))?;
        let texts = found.iter().filter_map(Value::as_str);
        Ok(texts.map(|text| format!("{context}: {text}")).collect())
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Result<Value, Failed> {
        let body = json!({ "cmd": command, "params": parameters });
        Ok(self
            .0
            .issue_cmd(Extension("goog/cdp/execute", body))
            .await?)
    }

    /// The screen as wide as `width` CSS pixels.
    async fn width(&self, width: u32) -> Result<(), Failed> {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await?;
        Ok(())
    }

    /// Presses and releases keys, one after the other.
    async fn press(&self, keys: impl IntoIterator<Item = char>) -> Result<(), Failed> {
        let mut actions = KeyActions::new("keyboard".into());
        for value in keys {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        Ok(self.0.perform_actions(actions).await?)
    }

    /// Presses Ctrl-V.
    async fn paste(&self) -> Result<(), Failed> {
        let keys = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value: CONTROL })
            .then(KeyAction::Down { value: 'v' })
            .then(KeyAction::Up { value: 'v' })
            .then(KeyAction::Up { value: CONTROL });
        Ok(self.0.perform_actions(keys).await?)
    }

    /// What the page has logged, and what it has asked of a host.
    async fn logged(&self) -> Result<Vec<String>, Failed> {
        let mut problems = Vec::new();
        let console = self
            .0
            .issue_cmd(Extension("se/log", json!({ "type": "browser" })))
            .await?;
        for entry in console.as_array().into_iter().flatten() {
            problems.push(format!("logged: {}", entry["message"]));
        }
        let network = self
            .0
            .issue_cmd(Extension("se/log", json!({ "type": "performance" })))
            .await?;
        for entry in network.as_array().into_iter().flatten() {
            let message: Value =
                serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"]
                    .as_str()
                    .unwrap_or_default();
                if !url.starts_with("file:") && !url.starts_with("data:") {
                    problems.push(format!("asks another host: {url}"));
                }
            }
        }
        Ok(problems)
    }
}

/// Everything can be reached with the Tab key, is seen when it has the focus, and obeys the keyboard.
async fn keyboard(page: &Page, width: u32, unfold: &str) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    let place = format!("{width} px wide");

    // The first key press shows the way past the menu.
    page.press([TAB]).await?;
    let first = page
        .run("return document.activeElement.textContent")
        .await?;
    if first != "Skip to the text" {
        problems.push(format!(
            "{place}: the first Tab leads to {first}, not past the menu"
        ));
    } else {
        page.press([ENTER]).await?;
        let skipped = page.run("return document.activeElement.id").await?;
        if skipped != "mdbook-content" {
            problems.push(format!("{place}: the way past the menu leads to {skipped}"));
        }
    }

    if width == WIDE {
        page.run(unfold).await?;
        let stops = page.run("return book.watchFocus()").await?;
        let stops = stops.as_u64().unwrap_or_default() as usize;
        page.press([TAB].repeat(stops + 40)).await?;
        problems.extend(page.problems(&place, "book.focusProblems()").await?);
    }

    // A summary unfolds, and folds again.
    page.run("book.fold(true)").await?;
    let opened = "return document.querySelectorAll('main details[open]').length";
    for expected in [1, 0] {
        let focus =
            "const s = document.querySelector('main summary'); if (s) s.focus(); return !!s";
        if page.run(focus).await? == true {
            page.press([ENTER]).await?;
            let found = page.run(opened).await?;
            if found != expected {
                problems.push(format!(
                    "{place}: Enter leaves {found} folds open, not {expected}"
                ));
            }
        }
    }
    Ok(problems)
}

/// Every copy button copies exactly its text. One that is pressed with the keyboard puts it on the
/// clipboard.
async fn copied(page: &Page) -> Result<Vec<String>, Failed> {
    page.run("book.fold(true)").await?; // lines that are hidden are not copied
                                        // A page may copy only what its reader asks for.
    let asked = json!({
        "expression": "book.copyProblems()", "userGesture": true, "returnByValue": true,
    });
    let found = page.devtools("Runtime.evaluate", asked).await?;
    let found = &found["result"]["value"];
    let found = found.as_array().ok_or("what is copied is not known")?;
    let found = found.iter().filter_map(Value::as_str);
    let mut problems: Vec<_> = found.map(str::to_owned).collect();

    let expected = page.run("return book.copies()[0] ?? null").await?;
    if expected != Value::Null {
        page.run("book.buttons[0].focus()").await?;
        page.press([ENTER]).await?;
        page.run("book.field()").await?;
        page.paste().await?;
        let pasted = page.run("return book.pasted()").await?;
        if pasted != expected {
            problems.push(format!(
                "the first button copies\n{pasted}\ninstead of\n{expected}"
            ));
        }
    }
    Ok(problems)
}

/// axe-core: all of its rules once, with everything unfolded that `unfold` does; those on colors in
/// every theme.
async fn themes(page: &Page, unfold: &str) -> Result<Vec<String>, Failed> {
    page.run(unfold).await?;
    let mut problems = page.problems("unfolded", "book.axe()").await?;
    // The other themes change colors, and nothing else.
    for theme in &THEMES[1..] {
        page.theme(theme).await?;
        problems.extend(page.problems(theme, "book.colors()").await?);
    }
    Ok(problems)
}

/// On a phone nothing is too wide, and what scrolls or is touched is as axe-core wants it.
async fn phone(page: &Page, unfold: &str) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    for fold in [unfold, "book.fold(true)"] {
        page.run(fold).await?;
        let place = format!("{PHONE} px wide");
        problems.extend(page.problems(&place, "book.overflow()").await?);
    }
    let place = format!("folded, {PHONE} px wide");
    problems.extend(page.problems(&place, "book.narrow()").await?);
    Ok(problems)
}

/// The menus, opened and used with the keyboard; their colors in every theme.
async fn menus(page: &Page, path: &Path) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    page.load(path).await?;

    let sidebar = "return document.documentElement.classList.contains('sidebar-visible')";
    for expected in [false, true] {
        page.run("document.getElementById('sidebar-toggle').focus()")
            .await?;
        page.press([ENTER]).await?;
        if page.run(sidebar).await? != expected {
            problems.push("Enter does not move the table of contents".into());
        }
    }

    page.run("document.getElementById('mdbook-search-toggle').focus()")
        .await?;
    page.press([ENTER]).await?;
    page.press("sender".chars()).await?;
    let results = "new Promise(done => { const look = () => \
         document.querySelector('#mdbook-searchresults li') ? done([]) : setTimeout(look, 50); \
         look(); })";
    problems.extend(page.problems("search", results).await?);

    // With the results found, and the list of themes open.
    for theme in THEMES {
        page.theme(theme).await?;
        page.run("document.getElementById('mdbook-theme-toggle').focus()")
            .await?;
        page.press([ENTER]).await?;
        let axe = match theme == THEMES[0] {
            true => "book.axe()",
            false => "book.colors()",
        };
        problems.extend(page.problems(&format!("{theme}, menus"), axe).await?);
        page.press([DOWN, ESCAPE]).await?;
    }

    // The theme that is chosen with the keyboard is shown.
    page.run("document.getElementById('mdbook-theme-toggle').focus()")
        .await?;
    page.press([ENTER]).await?;
    page.run("document.getElementById('mdbook-theme-coal').focus()")
        .await?;
    page.press([ENTER]).await?;
    if page
        .run("return document.documentElement.classList.contains('coal')")
        .await?
        != true
    {
        problems.push("Enter does not choose a theme".into());
    }
    Ok(problems)
}

/// The timelines say what their rows say, obey the keyboard, ask, and have addresses.
async fn timelines(page: &Page, paths: &[PathBuf; 2]) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    for path in paths {
        page.load(path).await?;
        let place = path.file_name().unwrap_or_default().to_string_lossy();
        problems.extend(page.problems(&place, "book.timelineProblems()").await?);
    }

    // The arrow keys step, and do not turn the page, even at the first step.
    let account = "const account = document.querySelector('schedule-timeline .account'); \
         return account ? account.textContent : `another page, ${document.title}`";
    page.load(&paths[0]).await?;
    page.run("document.querySelector('.player .next').focus()")
        .await?;
    page.press([LEFT, RIGHT, RIGHT, LEFT, ENTER, RIGHT]).await?;
    let said = page.run(account).await?;
    if !said.as_str().unwrap_or_default().starts_with("Step 4 of ") {
        problems.push(format!("the arrow keys lead to: {said}"));
    }

    page.load(&paths[0]).await?;

    // Before the decisive step the reader is asked; the answer is judged, and the step shown.
    let to_question =
        "for (let i = 0; i < 100 && !document.querySelector('.choices button'); i += 1) \
         document.querySelector('.player .next').click(); \
         return Array.from(document.querySelectorAll('.choices button'), b => b.textContent)";
    let choices = page.run(to_question).await?;
    let choices = choices.as_array().map_or(0, Vec::len);
    if !(2..=3).contains(&choices) {
        problems.push(format!("asks with {choices} choices"));
    }
    page.run("document.querySelector('.choices button').focus()")
        .await?;
    page.press([ENTER]).await?;
    let said = page.run(account).await?;
    let said = said.as_str().unwrap_or_default();
    if !said.contains("No: Nobody can go on") {
        problems.push(format!("to a wrong answer it says: {said}"));
    }

    // A run has an address.
    let mut url = Url::from_file_path(&paths[1]).map_err(|()| "no path")?;
    url.set_fragment(Some("run-20-24-while-let"));
    page.0.goto(url.as_str()).await?;
    let chosen = "return Array.from(document.querySelectorAll('.player select'), \
         select => select.value).join()";
    let chosen = page.run(chosen).await?;
    if !chosen
        .as_str()
        .unwrap_or_default()
        .ends_with("With while let")
    {
        problems.push(format!("an address leads to the run {chosen}"));
    }
    Ok(problems)
}

/// On paper nothing is folded away, and everything is dark on white, whatever the theme.
async fn paper(page: &Page, path: &Path) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    page.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" }))
        .await?;
    page.load(path).await?;
    page.theme("navy").await?;
    problems.extend(page.problems("print", "book.missingOnPaper()").await?);
    problems.extend(page.problems("print", "book.timelinesOnPaper()").await?);
    // The text is that of the pages, each of which is inspected in full.
    problems.extend(page.problems("print", "book.colors()").await?);
    Ok(problems)
}
