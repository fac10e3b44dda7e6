//! What is asked of the pages. Each check returns the problems that it has found.

use super::driver::{DOWN, ENTER, ESCAPE, LEFT, RIGHT, TAB};
use super::page::Page;
use super::{PHONE, THEMES, WIDE};
use crate::steps;
use libtest_mimic::Failed;
use serde_json::{json, Value};

/// Everything can be reached with the Tab key, is seen when it has the focus, and obeys the keyboard.
pub fn keyboard(page: &Page, width: u32, unfold: &str) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    let place = format!("{width} px wide");

    // The first key press shows the way past the menu.
    page.press([TAB])?;
    let first = page.run("return document.activeElement.textContent")?;
    if first != "Skip to the text" {
        problems.push(format!(
            "{place}: the first Tab leads to {first}, not past the menu"
        ));
    } else {
        page.press([ENTER])?;
        let skipped = page.run("return document.activeElement.id")?;
        if skipped != "mdbook-content" {
            problems.push(format!("{place}: the way past the menu leads to {skipped}"));
        }
    }

    if width == WIDE {
        page.run(unfold)?;
        let stops = page.run("return book.watchFocus()")?;
        let stops = stops.as_u64().unwrap_or_default() as usize;
        // What scrolls is a stop, too, which is not counted: a few times more.
        let mut missed = Vec::new();
        for count in [stops + 5, 20, 20] {
            page.hold(TAB, count)?;
            missed = page.problems(&place, "book.focusProblems()")?;
            if missed.is_empty() {
                break;
            }
        }
        problems.extend(missed);
    }

    // A summary unfolds, and folds again.
    page.run("book.fold(true)")?;
    let opened = "return document.querySelectorAll('main details[open]').length";
    for expected in [1, 0] {
        let focus =
            "const s = document.querySelector('main summary'); if (s) s.focus(); return !!s";
        if page.run(focus)? == true {
            page.press([ENTER])?;
            let found = page.run(opened)?;
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
/// clipboard, and so does each one that copies a step's script: that one which `tests/steps.rs` runs.
pub fn copied(page: &Page) -> Result<Vec<String>, Failed> {
    page.run("book.fold(true)")?; // lines that are hidden are not copied
    page.run("document.querySelectorAll('main details').forEach(one => { one.open = true; })")?;
    let expected = page.run("return book.expected = book.copies()")?;
    let expected = expected
        .as_array()
        .ok_or("what is to be copied is not known")?;
    let mut problems = Vec::new();
    let mut next = 0;
    while next < expected.len() {
        // A page may copy only what its reader asks for.
        let asked = json!({
            "expression": format!("book.copyProblems({next}, book.expected)"),
            "userGesture": true,
            "returnByValue": true,
        });
        let found = page.devtools("Runtime.evaluate", asked)?;
        let found = &found["result"]["value"];
        let reached = found[0]
            .as_u64()
            .and_then(|next| usize::try_from(next).ok());
        next = reached.ok_or("what is copied is not known")?;
        let wrong = found[1].as_array().ok_or("what is copied is not known")?;
        problems.extend(wrong.iter().filter_map(Value::as_str).map(str::to_owned));
    }

    if let Some(expected) = expected.first() {
        let pasted = pasted(page, "book.buttons[0]")?;
        if pasted != *expected {
            problems.push(format!(
                "the first button copies\n{pasted}\ninstead of\n{expected}"
            ));
        }
    }

    let shown = "return Array.from(document.querySelectorAll('main div.step'), step => step.id)";
    let shown = page.run(shown)?;
    for id in shown
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let expected = steps::script(id.trim_start_matches("step-"))?;
        let button = format!("document.querySelector('#{id} .paste > button')");
        let pasted = pasted(page, &button)?;
        if pasted != expected {
            problems.push(format!(
                "the button of {id} copies\n{pasted}\ninstead of\n{expected}"
            ));
        }
    }
    Ok(problems)
}

/// What can be pasted after the button has been pressed.
fn pasted(page: &Page, button: &str) -> Result<Value, Failed> {
    page.run(&format!("{button}.focus()"))?;
    page.press([ENTER])?;
    page.run("book.field()")?;
    page.paste()?;
    page.run("return book.pasted()")
}

/// Without JavaScript, the page says how to copy a step's files, and every block of the script can be
/// selected.
pub fn without_scripts(page: &Page, name: &str) -> Result<Vec<String>, Failed> {
    page.scripts(false)?;
    page.load(name)?;
    let problems = page.run(
        "const problems = [];
        for (const paste of document.querySelectorAll('.paste')) {
            paste.querySelector('details').open = true;
            const said = paste.querySelector('noscript p');
            if (!said || !said.checkVisibility()) {
                problems.push('does not say how to copy the files');
            }
            for (const code of paste.querySelectorAll('pre > code')) {
                getSelection().selectAllChildren(code);
                const selected = getSelection().toString();
                if (selected.trimEnd() !== code.textContent.trimEnd()) {
                    problems.push(`cannot be selected: ${code.textContent}`);
                }
            }
        }
        return document.querySelector('.paste') ? problems : ['shows no step'];",
    )?;
    page.scripts(true)?;
    let problems = problems.as_array().into_iter().flatten();
    let problems = problems.filter_map(Value::as_str);
    Ok(problems
        .map(|problem| format!("without scripts: {problem}"))
        .collect())
}

/// axe-core: all of its rules once, with everything unfolded that `unfold` does; those on colors in
/// every theme.
pub fn themes(page: &Page, unfold: &str) -> Result<Vec<String>, Failed> {
    page.run(unfold)?;
    let mut problems = page.problems("unfolded", "book.axe()")?;
    // The themes change colors, and nothing else.
    problems.extend(page.colors("unfolded", &THEMES)?);
    Ok(problems)
}

/// Nothing is too wide, unfolded or folded.
pub fn fits(page: &Page, width: u32) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    let place = format!("{width} px wide");
    for fold in ["book.fold(false, true)", "book.fold(true)"] {
        page.run(fold)?;
        problems.extend(page.problems(&place, "book.overflow()")?);
    }
    Ok(problems)
}

/// On a phone nothing is too wide, and what scrolls or is touched is as axe-core wants it.
pub fn phone(page: &Page) -> Result<Vec<String>, Failed> {
    let mut problems = fits(page, PHONE)?;
    let place = format!("folded, {PHONE} px wide");
    problems.extend(page.problems(&place, "book.narrow()")?);
    Ok(problems)
}

/// The menus, opened and used with the keyboard; their colors in every theme.
pub fn menus(page: &Page, name: &str) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    page.load(name)?;

    let sidebar = "return document.documentElement.classList.contains('sidebar-visible')";
    for expected in [false, true] {
        page.run("document.getElementById('sidebar-toggle').focus()")?;
        page.press([ENTER])?;
        if page.run(sidebar)? != expected {
            problems.push("Enter does not move the table of contents".into());
        }
    }

    page.run("document.getElementById('mdbook-search-toggle').focus()")?;
    page.press([ENTER])?;
    page.press("sender".chars())?;
    let results = "new Promise(done => { const look = () => \
         document.querySelector('#mdbook-searchresults li') ? done([]) : setTimeout(look, 50); \
         look(); })";
    problems.extend(page.problems("search", results)?);

    // With the results found, and the list of themes open.
    for theme in THEMES {
        page.theme(theme)?;
        page.run("document.getElementById('mdbook-theme-toggle').focus()")?;
        page.press([ENTER])?;
        let place = format!("{theme}, menus");
        if theme == THEMES[0] {
            problems.extend(page.problems(&place, "book.axe()")?);
        }
        problems.extend(page.colors(&place, &[theme])?);
        page.press([DOWN, ESCAPE])?;
    }

    // The theme that is chosen with the keyboard is shown.
    page.run("document.getElementById('mdbook-theme-toggle').focus()")?;
    page.press([ENTER])?;
    page.run("document.getElementById('mdbook-theme-coal').focus()")?;
    page.press([ENTER])?;
    if page.run("return document.documentElement.classList.contains('coal')")? != true {
        problems.push("Enter does not choose a theme".into());
    }
    Ok(problems)
}

/// The timelines say what their rows say, obey the keyboard, ask, and have addresses.
pub fn timelines(page: &Page, names: [&str; 3]) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    for name in names {
        page.load(name)?;
        problems.extend(page.problems(name, "book.timelineProblems()")?);
    }
    problems.extend(page.problems("side by side", "book.sameRunsProblems()")?);

    // The arrow keys step, and do not turn the page, even at the first step.
    let account = "const account = document.querySelector('schedule-timeline .account'); \
         return account ? account.textContent : `another page, ${document.title}`";
    page.load(names[0])?;
    page.run("document.querySelector('.player .next').focus()")?;
    page.press([LEFT, RIGHT, RIGHT, LEFT, ENTER, RIGHT])?;
    let said = page.run(account)?;
    if !said.as_str().unwrap_or_default().starts_with("Step 4 of ") {
        problems.push(format!("the arrow keys lead to: {said}"));
    }

    page.load(names[0])?;

    // Before the decisive step the reader is asked; the answer is judged, and the step shown.
    let to_question =
        "for (let i = 0; i < 100 && !document.querySelector('.choices button'); i += 1) \
         document.querySelector('.player .next').click(); \
         return Array.from(document.querySelectorAll('.choices button'), b => b.textContent)";
    let choices = page.run(to_question)?;
    let choices = choices.as_array().map_or(0, Vec::len);
    if !(2..=3).contains(&choices) {
        problems.push(format!("asks with {choices} choices"));
    }
    page.run("document.querySelector('.choices button').focus()")?;
    page.press([ENTER])?;
    let said = page.run(account)?;
    let said = said.as_str().unwrap_or_default();
    if !said.contains("No: Nobody can go on") {
        problems.push(format!("to a wrong answer it says: {said}"));
    }

    // A run has an address.
    page.load(&format!("{}#run-20-24-while-let", names[1]))?;
    let chosen = "return Array.from(document.querySelectorAll('.player select'), \
         select => select.value).join()";
    let chosen = page.run(chosen)?;
    if !chosen
        .as_str()
        .unwrap_or_default()
        .ends_with("With while let")
    {
        problems.push(format!("an address leads to the run {chosen}"));
    }

    // And it opens where it becomes interesting.
    let opened = "return Array.from(document.querySelectorAll('schedule-timeline .account p'), \
         account => account.textContent).pop()";
    let opened = page.run(opened)?;
    if !opened
        .as_str()
        .unwrap_or_default()
        .ends_with("Worker 0 begins job 1.")
    {
        problems.push(format!("the last run opens at: {opened}"));
    }
    Ok(problems)
}

/// On paper nothing is folded away, and everything is dark on white, whatever the theme. One page is
/// printed; the one with all chapters, of which that takes minutes, is told that it will be.
pub fn paper(page: &Page, printed: &str, all: &str) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    page.load(printed)?;
    page.run("addEventListener('beforeprint', () => { book.missed = book.missingOnPaper(); })")?;
    page.devtools("Page.printToPDF", json!({ "pageRanges": "1" }))?;
    problems.extend(page.problems("printed", "book.missed")?);

    page.media("print")?;
    page.load(all)?;
    page.theme("navy")?;
    page.run("dispatchEvent(new Event('beforeprint'))")?;
    problems.extend(page.problems("print", "book.missingOnPaper()")?);
    problems.extend(page.problems("print", "book.timelinesOnPaper()")?);
    // The text is that of the pages, each of which is inspected in full.
    problems.extend(page.colors("print", &["navy"])?);
    Ok(problems)
}
