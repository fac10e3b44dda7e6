//! A page of the book in a browser, and what is asked of it with `page.js` and `room.js`.

use super::driver::Browser;
use libtest_mimic::Failed;
use serde_json::{json, Value};
use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Run in each page before its own scripts.
const AXE: &str = include_str!("axe.min.js");
const PAGE: &str = include_str!("page.js");
const ROOM: &str = include_str!("room.js");

/// Kinds of elements whose colors have been found good, by theme: see `colors` in `page.js`.
#[derive(Default)]
pub struct Kinds(Mutex<HashMap<String, HashSet<u64>>>);

impl Kinds {
    fn known(&self, theme: &str) -> Vec<u64> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.get(theme).into_iter().flatten().copied().collect()
    }

    fn add(&self, theme: &str, fresh: impl Iterator<Item = u64>) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.entry(theme.to_owned()).or_default().extend(fresh);
    }
}

/// A page, in a browser that has not shown anything else before, as far as the page can tell.
pub struct Page<'a> {
    browser: &'a Browser,
    /// The address that the names of pages are added to.
    root: &'a str,
    kinds: &'a Kinds,
}

impl Deref for Page<'_> {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        self.browser
    }
}

impl<'a> Page<'a> {
    /// Prepares a browser that has just been started.
    pub fn prepare(browser: &Browser) -> Result<(), Failed> {
        let scripts = json!({ "source": format!("{PAGE}\n{ROOM}\n{AXE}") });
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", scripts)?;
        Ok(())
    }

    pub fn new(browser: &'a Browser, root: &'a str, kinds: &'a Kinds) -> Page<'a> {
        Page {
            browser,
            root,
            kinds,
        }
    }

    /// Loads the page as if it were the reader's first, in the first theme.
    pub fn load(&self, name: &str) -> Result<(), Failed> {
        // On a busy machine, chromedriver may say that a page is loaded when the one before is still
        // shown.
        self.run("window.isLeft = true")?;
        self.goto(&format!("{}{name}", self.root))?;
        let loaded = "return !window.isLeft && document.readyState === 'complete'";
        while self.run(loaded)? != true {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Chooses a theme.
    pub fn theme(&self, theme: &str) -> Result<(), Failed> {
        self.run(&format!("book.theme('{theme}')")).map(drop)
    }

    /// What a script returns as a list of problems, each with `context` before it.
    pub fn problems(&self, context: &str, script: &str) -> Result<Vec<String>, Failed> {
        let found = self.promised(script, json!([]))?;
        texts(context, &found).ok_or_else(|| format!("{script}: {found}").into())
    }

    /// What axe-core says of the colors in these themes. Kinds of elements that it finds good are not
    /// looked at again, on any page.
    pub fn colors(&self, context: &str, themes: &[&str]) -> Result<Vec<String>, Failed> {
        let known: HashMap<_, _> = themes
            .iter()
            .map(|theme| (theme, self.kinds.known(theme)))
            .collect();
        let found = self.promised("book.colors(arguments[0])", json!([known]))?;
        let problems = texts(context, &found[0]);
        let problems = problems.ok_or_else(|| format!("{context}, colors: {found}"))?;
        if problems.is_empty() {
            for theme in themes {
                let fresh = found[1][theme].as_array().into_iter().flatten();
                self.kinds.add(theme, fresh.filter_map(Value::as_u64));
            }
        }
        Ok(problems)
    }

    /// What the promise that a script makes is resolved with, or why it is not, as a list.
    fn promised(&self, script: &str, arguments: Value) -> Result<Value, Failed> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; \
             Promise.resolve({script}).then(done, error => done([String(error)]))"
        );
        self.run_async(&script, arguments)
    }

    /// The screen as wide as `width` CSS pixels.
    pub fn width(&self, width: u32) -> Result<(), Failed> {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size)?;
        Ok(())
    }

    /// Whether the pages that are loaded from now on may run scripts.
    pub fn scripts(&self, run: bool) -> Result<(), Failed> {
        let disabled = json!({ "value": !run });
        self.devtools("Emulation.setScriptExecutionDisabled", disabled)?;
        Ok(())
    }

    /// What the page looks like on `media`: a screen if that is empty.
    pub fn media(&self, media: &str) -> Result<(), Failed> {
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": media }))?;
        Ok(())
    }

    /// What the page has logged, and what it has asked of another host.
    pub fn logged(&self) -> Result<Vec<String>, Failed> {
        let mut problems = Vec::new();
        for entry in self.log("browser")? {
            problems.push(format!("logged: {}", entry["message"]));
        }
        for entry in self.log("performance")? {
            let message: Value =
                serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"]
                    .as_str()
                    .unwrap_or_default();
                if !url.starts_with(self.root) && !url.starts_with("data:") {
                    problems.push(format!("asks another host: {url}"));
                }
            }
        }
        Ok(problems)
    }
}

/// The texts of a list, each with `context` before it.
fn texts(context: &str, list: &Value) -> Option<Vec<String>> {
    let text = |text: &Value| Some(format!("{context}: {}", text.as_str()?));
    list.as_array()?.iter().map(text).collect()
}
