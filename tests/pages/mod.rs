//! The promise: in the rendered HTML every link, fragment and id resolves, every picture has a text
//! alternative, nothing loads from another host, no page shows what mdBook failed to expand, and none
//! is heavy.
//!
//! `build.rs` has rendered the book. Every HTML file in it is checked, and the three that are no
//! chapters by the same rules, with these differences: `print.html` has all the chapters' headings
//! instead of one; `toc.html`, the table of contents for readers without scripts, has none; and
//! `404.html` names the book's root as the base of its links, so that is where they start.

mod catches;
mod rules;
mod site;

use crate::support::{report, turns::turn};
use flate2::{write::GzEncoder, Compression};
use libtest_mimic::{Failed, Trial};
use rules::{check_content, check_drawn_code, check_hosts, check_ids, check_links};
use rules::{check_pictures, check_styles};
use scraper::Html;
use site::{select, Site};
use std::path::Path;
use std::sync::LazyLock;
use std::{fs, io::Write as _};

fn check_page(site: &Site, page: &str) -> Vec<String> {
    let document = Html::parse_document(&site.files[page]);
    let mut problems = check_links(site, page, &document);
    problems.extend(check_ids(page, &document));
    problems.extend(check_pictures(page, &document));
    problems.extend(check_drawn_code(page, &document));
    problems.extend(check_hosts(page, &document));
    problems.extend(check_content(page, &document));
    problems
}

/// How many bytes a page may weigh: its HTML, style sheets and scripts, each compressed as a host
/// compresses them. Fonts, and the index of the search, are loaded only when they are needed. The
/// heaviest page is that of the largest step, which shows each of its files: half of its weight.
const WEIGHT: usize = 165_000;
/// The timelines of a page, compressed, and what makes them step.
const TIMELINES: usize = 30_000;
const TIMELINE_SCRIPT: usize = 20_000;

/// The page weighs no more than [`WEIGHT`].
fn check_weight(root: &Path, page: &str) -> Result<Vec<String>, Failed> {
    let mut problems = Vec::new();
    let gzipped = |content: &[u8]| -> Result<usize, Failed> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(content)?;
        Ok(gzip.finish()?.len())
    };
    let compressed = |file: &str| gzipped(&fs::read(root.join(file))?);
    let document = Html::parse_document(&fs::read_to_string(root.join(page))?);
    let mut parts = vec![(compressed(page)?, page.to_owned())];
    let loaded = select("script[src], link[rel=stylesheet]");
    for element in document.select(&loaded) {
        let file = element.attr("src").or(element.attr("href"));
        let file = file.unwrap_or_default();
        let bytes = compressed(file)?;
        if file.contains("timeline") && bytes > TIMELINE_SCRIPT {
            problems.push(format!(
                "{file} weighs {bytes} bytes, more than {TIMELINE_SCRIPT}"
            ));
        }
        parts.push((bytes, file.to_owned()));
    }
    let timelines = select("schedule-timeline");
    let timelines = document.select(&timelines);
    let timelines: String = timelines.map(|timeline| timeline.html()).collect();
    let bytes = gzipped(timelines.as_bytes())?;
    if bytes > TIMELINES {
        problems.push(format!(
            "{page}: its timelines weigh {bytes} bytes, more than {TIMELINES}"
        ));
    }
    let weight: usize = parts.iter().map(|(bytes, _)| bytes).sum();
    if weight > WEIGHT {
        parts.sort();
        let parts = parts.iter().rev();
        let parts: Vec<_> = parts
            .map(|(bytes, file)| format!("{bytes:>7} {file}"))
            .collect();
        let parts = parts.join("\n");
        problems.push(format!(
            "{page} weighs {weight} bytes, more than {WEIGHT}:\n{parts}"
        ));
    }
    Ok(problems)
}

/// Where `build.rs` has rendered the book.
pub const RENDERED: &str = concat!(env!("OUT_DIR"), "/html");

static SITE: LazyLock<Result<Site, String>> = LazyLock::new(|| Site::read(Path::new(RENDERED)));

/// The names of the rendered pages.
pub fn names() -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for entry in fs::read_dir(RENDERED)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".html") {
            names.push(name);
        }
    }
    names.sort();
    if !names.iter().any(|name| name == "index.html") {
        return Err(format!(
            "there is no rendered book in {RENDERED}; does build.rs write it elsewhere now?"
        )
        .into());
    }
    Ok(names)
}

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let mut trials = catches::trials();
    for page in names()? {
        trials.push(Trial::test(format!("pages::{page}"), move || {
            let _turn = turn();
            let site = SITE.as_ref().map_err(Clone::clone)?;
            let mut problems = check_page(site, &page);
            // Paper weighs what it weighs; and two pages are loaded without the rest, or seldom.
            if !["print.html", "toc.html", "404.html"].contains(&page.as_str()) {
                problems.extend(check_weight(Path::new(RENDERED), &page)?);
            }
            report(problems)
        }));
    }
    trials.push(Trial::test("pages::styles", || {
        let _turn = turn();
        report(check_styles(SITE.as_ref().map_err(Clone::clone)?))
    }));
    Ok(trials)
}
