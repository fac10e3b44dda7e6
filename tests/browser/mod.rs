//! The promise: in a real Chromium the pages work with the keyboard alone, in every theme, on a
//! phone's width, on paper, without a console error, without asking another host, and pass axe-core.
//! They come from the book's own server, and one more from its folder.
//!
//! The tests share that server and a few browsers, each of which shows one page after the other: Chromium
//! without a window (`chromium-headless-shell`) where it is installed, and `chromium` elsewhere. Where both or
//! `chromedriver` are missing, that is said, and the tests count as ignored; in CI they fail. What is
//! asked of a page in it is in `page.js`; axe-core 4.14.1 lies beside it with its license. One more
//! test is of the browser itself, of which a page says something.

mod checks;
mod driver;
mod page;
mod server;
mod tabs;

pub use server::{serve, SERVE};

use crate::pages;
use crate::support::turns::turn;
use driver::Browser;
use libtest_mimic::{Failed, Trial};
use page::{Kinds, Page};
use serde_json::Value;
use server::Server;
use std::collections::HashSet;
use std::env;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

const THEMES: [&str; 5] = ["light", "rust", "coal", "navy", "ayu"];

/// A desk's screen and a phone's, in CSS pixels.
const WIDE: u32 = 1300;
const PHONE: u32 = 360;

/// The page whose step box is unfolded, too.
const WITH_STEPS: &str = "end-the-workers.html";

/// The page whose whole table of contents is inspected. What is in it of other pages is the same on each.
const WITH_CONTENTS: &str = "introduction.html";

/// Pages with timelines. The last one has two runs side by side as well.
const WITH_TIMELINES: [&str; 3] = [
    "starting-point.html",
    "end-the-workers.html",
    "prove-a-shutdown.html",
];

/// No test takes longer.
const DEADLINE: Duration = Duration::from_secs(600);

/// So many browsers are open at once: also with fewer processors, as where others are busy, who does more at
/// a time gets a larger share.
const BROWSERS: usize = 3;

/// One test for each page, and some for what pages have in common.
pub fn trials() -> Result<Vec<Trial>, Failed> {
    let missing = if !runs("chromedriver") {
        Some("chromedriver")
    } else if driver::shell().is_none() && !runs("chromium") {
        Some("chromium")
    } else {
        None
    };
    let skip = missing.is_some() && env::var_os("CI").is_none();
    if let (Some(tool), true) = (missing, skip) {
        eprintln!("the pages are not tried in a browser: install {tool} for that");
    }

    let mut names = pages::names()?;
    // The first chapter once more, the contents without scripts, and all chapters once more.
    names.retain(|name| !["index.html", "toc.html", "print.html"].contains(&&**name));

    let browsers = Arc::new(Browsers {
        missing,
        ..Browsers::default()
    });
    let mut trials = Vec::new();
    // First what takes longest.
    trials.push(trial(&browsers, "print.html", |page| {
        checks::paper(page, WITH_STEPS, "print.html")
    }));
    trials.push(trial(&browsers, "timelines", |page| {
        checks::timelines(page, WITH_TIMELINES)
    }));
    trials.push(trial(&browsers, "without_scripts", |page| {
        checks::without_scripts(page, WITH_STEPS)
    }));
    trials.push(trial(&browsers, "menus", |page| {
        checks::menus(page, "index.html")
    }));
    for name in names {
        let unfold = format!("book.fold(false, {})", name == WITH_STEPS);
        let load = |page: &Page, name: &str| {
            page.load(name)?;
            match name {
                WITH_CONTENTS => Ok(Value::Null),
                _ => page.run("book.withoutOthersContents()"),
            }
        };
        trials.push(trial(&browsers, &name.clone(), move |page| {
            load(page, &name)?;
            let mut problems = checks::keyboard(page, WIDE, &unfold)?;
            problems.extend(checks::themes(page, &unfold)?);
            problems.extend(checks::copied(page)?);
            problems.extend(checks::fits(page, WIDE)?);

            page.width(PHONE)?;
            load(page, &name)?;
            problems.extend(checks::keyboard(page, PHONE, &unfold)?);
            problems.extend(checks::phone(page)?);
            Ok(problems)
        }));
    }
    let folder = || Ok(server::folder());
    trials.push(trial_of(&browsers, "from_a_folder", folder, |page| {
        checks::menus(page, "index.html")
    }));
    let shared = Arc::clone(&browsers);
    trials.push(Trial::test("browser::stop", move || {
        shared.lend(stops_beside_an_open_page)
    }));
    trials.push(Trial::test("browser::tabs", move || {
        if let Some(tool) = missing {
            return Err(not_there(tool));
        }
        let _turn = turn();
        tabs::one_address_once_at_a_time(Browser::start()?)
    }));
    let trials = trials.into_iter();
    Ok(trials.map(|trial| trial.with_ignored_flag(skip)).collect())
}

/// A test in a browser, which loads its pages from the server.
fn trial<T>(browsers: &Arc<Browsers>, name: &str, test: T) -> Trial
where
    T: FnOnce(&Page) -> Result<Vec<String>, Failed> + Send + 'static,
{
    let server = Arc::clone(browsers);
    trial_of(browsers, name, move || server.root(), test)
}

/// A test in a browser, of pages at some address. What the page has logged and asked for is looked at
/// in the end.
fn trial_of<R, T>(browsers: &Arc<Browsers>, name: &str, root: R, test: T) -> Trial
where
    R: FnOnce() -> Result<String, Failed> + Send + 'static,
    T: FnOnce(&Page) -> Result<Vec<String>, Failed> + Send + 'static,
{
    let browsers = Arc::clone(browsers);
    Trial::test(format!("browser::{name}"), move || {
        let mut problems = browsers.lend(|browser| {
            let root = root()?;
            let page = Page::new(browser, &root, &browsers.kinds);
            page.width(WIDE)?;
            page.media("")?;
            let tested = test(&page);
            let logged = page.logged();
            match tested {
                Ok(problems) => Ok([problems, logged?].concat()),
                // What the page could not load may be why.
                Err(failed) => {
                    let why = failed.message().unwrap_or_default().to_owned();
                    Err([vec![why], logged.unwrap_or_default()]
                        .concat()
                        .join("\n")
                        .into())
                }
            }
        })?;
        let mut seen = HashSet::new();
        problems.retain(|problem| seen.insert(problem.clone()));
        match problems.len() {
            0 => Ok(()),
            count => Err(format!("{count} problems:\n{}", problems.join("\n")).into()),
        }
    })
}

/// The server stops although a browser shows one of its pages and keeps its connections, and cuts off
/// nobody. From then on, it is not there.
fn stops_beside_an_open_page(browser: &Browser) -> Result<(), Failed> {
    let server = Server::start()?;
    let page = format!("{}index.html", server.root());
    browser.goto(&page)?;
    if browser.run("return document.title")? == "" {
        return Err("the page is not shown".into());
    }
    let status = server.stop()?;
    if !status.success() {
        return Err(format!("the server has stopped with {status}").into());
    }
    let again = browser.goto(&page);
    browser.goto("about:blank")?;
    browser.log("browser")?; // that the page is gone is no fault of the next one
    browser.log("performance")?;
    match again {
        Err(error) if error.message().unwrap_or_default().contains("REFUSED") => Ok(()),
        other => Err(format!("the server that has stopped: {other:?}").into()),
    }
}

fn runs(tool: &str) -> bool {
    let mut command = Command::new(tool);
    let command = command.arg("--version").stdout(Stdio::null());
    command.stderr(Stdio::null()).status().is_ok()
}

fn not_there(tool: &str) -> Failed {
    format!("cannot run {tool}: install it").into()
}

/// The browsers, which the tests own together: they end with the last test, run or left out. A
/// static would not do, since the program may end without dropping it.
#[derive(Default)]
struct Browsers {
    /// What has to be installed first.
    missing: Option<&'static str>,
    state: Mutex<State>,
    returned: Condvar,
    kinds: Kinds,
    server: OnceLock<Result<Server, String>>,
}

#[derive(Default)]
struct State {
    idle: Vec<Browser>,
    lent: usize,
}

impl Browsers {
    /// Waits for a browser, or starts one, and lends it. It is lent again if all went well; what
    /// state it is in otherwise is not known, so it is ended.
    fn lend<T>(&self, act: impl FnOnce(&Browser) -> Result<T, Failed>) -> Result<T, Failed> {
        if let Some(tool) = self.missing {
            return Err(not_there(tool));
        }
        let state = self.state();
        let mut state = self
            .returned
            .wait_while(state, |state| state.lent >= BROWSERS)
            .unwrap_or_else(PoisonError::into_inner);
        state.lent += 1;
        let idle = state.idle.pop();
        drop(state);
        let _lent = Lent(self);
        let _turn = turn();

        let mut browser = match idle {
            Some(browser) => browser,
            None => {
                let browser = Browser::start()?;
                Page::prepare(&browser)?;
                browser
            }
        };
        browser.within(DEADLINE);
        let result = act(&browser)?;
        self.state().idle.push(browser);
        Ok(result)
    }

    /// The address of the pages. The server is started for the first test that needs it.
    fn root(&self) -> Result<String, Failed> {
        let server = self.server.get_or_init(|| {
            let started = Server::start();
            started.map_err(|error| error.message().unwrap_or_default().to_owned())
        });
        Ok(server.as_ref().map_err(Clone::clone)?.root().to_owned())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the browsers that may be open is in use, for as long as this value lives: also when a
/// test panics.
struct Lent<'a>(&'a Browsers);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.state().lent -= 1;
        self.0.returned.notify_one();
    }
}
