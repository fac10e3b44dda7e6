//! The promise: in a real Chromium the pages work with the keyboard alone, in every theme, on a
//! phone's width, on paper, without a console error, without asking another host, and pass axe-core.
//!
//! The tests share a few browsers, each of which shows one page after the other. Where `chromium` or
//! `chromedriver` is missing, that is said, and the tests count as ignored; in CI they fail. What is
//! asked of a page in it is in `page.js`; axe-core 4.14.1 lies beside it with its license. One more
//! test is of the browser itself, of which a page says something.

mod checks;
mod driver;
mod page;
mod tabs;

use crate::pages;
use crate::support::turns::turn;
use driver::Browser;
use libtest_mimic::{Failed, Trial};
use page::{Kinds, Page};
use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, thread};

const THEMES: [&str; 5] = ["light", "rust", "coal", "navy", "ayu"];

/// A desk's screen and a phone's, in CSS pixels.
const WIDE: u32 = 1300;
const PHONE: u32 = 360;

/// The page whose step box is unfolded, too.
const WITH_STEPS: &str = "end-the-workers.html";

/// No test takes longer.
const DEADLINE: Duration = Duration::from_secs(180);

/// No more browsers are open at once, even with more processors.
const BROWSERS: usize = 3;

/// One test for each page, and some for what pages have in common.
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

    let site = Path::new(pages::RENDERED);
    let mut names = pages::names()?;
    // The first chapter once more, the contents without scripts, and all chapters once more. And
    // 404.html only works on a host, at its root.
    names.retain(|name| !["index.html", "toc.html", "print.html", "404.html"].contains(&&**name));

    let browsers = Arc::new(Browsers {
        missing,
        ..Browsers::default()
    });
    let mut trials = Vec::new();
    // First what takes longest.
    let print = site.join("print.html");
    trials.push(trial(&browsers, "print.html", move |page| {
        checks::paper(page, &print)
    }));
    // The last one has two runs side by side as well.
    let players = ["starting-point", "end-the-workers", "prove-a-shutdown"];
    let players = players.map(|page| site.join(page).with_extension("html"));
    trials.push(trial(&browsers, "timelines", move |page| {
        checks::timelines(page, &players)
    }));
    let steps = site.join(WITH_STEPS);
    trials.push(trial(&browsers, "without_scripts", move |page| {
        checks::without_scripts(page, &steps)
    }));
    let index = site.join("index.html");
    trials.push(trial(&browsers, "menus", move |page| {
        checks::menus(page, &index)
    }));
    for name in names {
        let path = site.join(&name);
        let unfold = format!("book.fold(false, {})", name == WITH_STEPS);
        trials.push(trial(&browsers, &name, move |page| {
            page.load(&path)?;
            let mut problems = checks::keyboard(page, WIDE, &unfold)?;
            problems.extend(checks::themes(page, &unfold)?);
            problems.extend(checks::copied(page)?);
            problems.extend(checks::fits(page, WIDE)?);

            page.width(PHONE)?;
            page.load(&path)?;
            problems.extend(checks::keyboard(page, PHONE, &unfold)?);
            problems.extend(checks::phone(page)?);
            Ok(problems)
        }));
    }
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

/// A test in a browser. What the page has logged and asked for is looked at in the end.
fn trial<T>(browsers: &Arc<Browsers>, name: &str, test: T) -> Trial
where
    T: FnOnce(&Page) -> Result<Vec<String>, Failed> + Send + 'static,
{
    let browsers = Arc::clone(browsers);
    Trial::test(format!("browser::{name}"), move || {
        let mut problems = browsers.lend(|browser| {
            let page = Page::new(browser, &browsers.kinds);
            page.width(WIDE)?;
            page.media("")?;
            let mut problems = test(&page)?;
            problems.extend(page.logged()?);
            Ok(problems)
        })?;
        let mut seen = HashSet::new();
        problems.retain(|problem| seen.insert(problem.clone()));
        match problems.len() {
            0 => Ok(()),
            count => Err(format!("{count} problems:\n{}", problems.join("\n")).into()),
        }
    })
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
        let limit = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(BROWSERS);
        let state = self.state();
        let mut state = self
            .returned
            .wait_while(state, |state| state.lent >= limit)
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
