//! The promise: in the rendered HTML every link, fragment and id resolves, every picture has a text
//! alternative, nothing loads from another host, no page shows what mdBook failed to expand, and none
//! is heavy.
//!
//! `build.rs` has rendered the book. Every HTML file in it is checked, and the three that are no
//! chapters by the same rules, with these differences: `print.html` has all the chapters' headings
//! instead of one; `toc.html`, the table of contents for readers without scripts, has none; and
//! `404.html` names the book's root as the base of its links, so that is where they start.

mod catches;

use crate::support::{report, turns::turn};
use book::sources::{join, relative};
use book::step::collect;
use flate2::{write::GzEncoder, Compression};
use libtest_mimic::{Failed, Trial};
use regex::Regex;
use scraper::{ElementRef, Html, Node, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;
use std::{fmt, fs, io::Write as _};

/// Where a link may lead outside the book. A host is added here with a page that needs it.
const LINKED: [&str; 3] = ["doc.rust-lang.org", "docs.rs", "github.com/rust-lang"];

/// The attributes that hold ids of the same page.
const REFERENCES: [&str; 6] = [
    "for",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-details",
    "aria-owns",
];

/// The attributes that may hold `url(...)`.
const STYLES: [&str; 9] = [
    "style",
    "fill",
    "stroke",
    "filter",
    "mask",
    "clip-path",
    "marker-start",
    "marker-mid",
    "marker-end",
];

/// The rendered book: the text of its pages and style sheets, the names of the other files.
struct Site {
    files: BTreeMap<String, String>,
    ids: BTreeMap<String, BTreeSet<String>>,
}

impl Site {
    fn read(root: &Path) -> Result<Site, String> {
        let mut files = BTreeMap::new();
        let mut found = BTreeMap::new();
        collect(root, Path::new(""), &mut found)
            .map_err(|error| format!("cannot read the rendered book: {error}"))?;
        for (path, content) in found {
            let path = relative(Path::new(""), &path);
            let is_text = path.ends_with(".html") || path.ends_with(".css");
            let content = if is_text { content } else { Vec::new() };
            let text = String::from_utf8(content).map_err(|error| format!("{path}: {error}"))?;
            files.insert(path, text);
        }
        Ok(Site::new(files))
    }

    fn new(files: BTreeMap<String, String>) -> Site {
        let pages = files.iter().filter(|(path, _)| path.ends_with(".html"));
        let ids = pages.map(|(path, text)| {
            let document = Html::parse_document(text);
            let ids = elements(&document).filter_map(|e| Some(e.attr("id")?.to_owned()));
            (path.clone(), ids.collect())
        });
        Site {
            ids: ids.collect(),
            files,
        }
    }

    /// What is wrong with a link to `url` out of a file in `folder`; `None`: it resolves.
    fn broken(&self, page: &str, folder: &str, url: &str) -> Option<String> {
        let (path, fragment) = match url.split_once('#') {
            Some((path, fragment)) => (path, Some(fragment)),
            None => (url, None),
        };
        let path = path.split('?').next().unwrap_or_default();
        let file = match path {
            "" => page.to_owned(),
            path if path.ends_with('/') => join(folder, &format!("{path}index.html")),
            path => join(folder, path),
        };
        if path.starts_with('/') {
            return Some(
                "begins at the host's root, where the book may not be; make it relative".into(),
            );
        }
        if !self.files.contains_key(&file) {
            return Some(format!(
                "leads to {file}, which is not in the book; correct the path"
            ));
        }
        let fragment = fragment.filter(|fragment| !fragment.is_empty())?;
        let found = self
            .ids
            .get(&file)
            .is_some_and(|ids| ids.contains(fragment));
        (!found).then(|| {
            format!("leads to the id `{fragment}`, which {file} does not have; correct it")
        })
    }
}

/// An element as it is named in a message: the page, and the tag as it begins.
struct Place<'p>(&'p str, ElementRef<'p>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Place(page, element) = self;
        write!(f, "{page}: <{}", element.value().name())?;
        for (name, value) in element.value().attrs() {
            let short: String = value.chars().take(80).collect();
            write!(f, " {name}=\"{short}\"")?;
        }
        write!(f, ">")
    }
}

fn elements(document: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    document.tree.nodes().filter_map(ElementRef::wrap)
}

fn is_inside(element: ElementRef, test: impl Fn(ElementRef) -> bool) -> bool {
    element.ancestors().filter_map(ElementRef::wrap).any(test)
}

fn has_class(element: ElementRef, class: &str) -> bool {
    element.value().classes().any(|c| c == class)
}

fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("a selector of this file")
}

/// What begins with a scheme or names a host.
fn is_absolute(url: &str) -> bool {
    static SCHEME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?i)([a-z][a-z0-9+.-]*:|//)").expect("a pattern"));
    SCHEME.is_match(url)
}

/// The `url(...)`s and `@import`s of a style sheet.
fn style_urls(style: &str) -> Vec<String> {
    static COMMENT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?s)/\*.*?\*/").expect("a pattern"));
    static URL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)url\(\s*["']?([^"')]*)|@import\s+["']([^"']*)"#).expect("a pattern")
    });
    let style = COMMENT.replace_all(style, "");
    let urls = URL.captures_iter(&style);
    urls.filter_map(|url| Some(url.get(1).or(url.get(2))?.as_str().trim().to_owned()))
        .collect()
}

/// A page's URLs, each with its element.
struct Urls<'p> {
    /// Where a reader may go.
    links: Vec<(ElementRef<'p>, String)>,
    /// What the browser fetches by itself.
    loads: Vec<(ElementRef<'p>, String)>,
}

fn urls(document: &Html) -> Urls<'_> {
    let (mut links, mut loads) = (Vec::new(), Vec::new());
    for element in elements(document) {
        let name = element.value().name();
        for (attribute, value) in element.value().attrs() {
            match attribute {
                "href" if ["a", "area"].contains(&name) => links.push((element, value.to_owned())),
                "action" | "formaction" => links.push((element, value.to_owned())),
                "href" if name == "base" => {}
                // `href` may be `xlink:href`, too.
                "href" | "src" | "data" | "poster" => loads.push((element, value.to_owned())),
                "srcset" => loads.extend(value.split(',').filter_map(|candidate| {
                    Some((element, candidate.split_whitespace().next()?.to_owned()))
                })),
                _ if STYLES.contains(&attribute) => {
                    loads.extend(style_urls(value).into_iter().map(|url| (element, url)));
                }
                _ => {}
            }
        }
        if name == "style" {
            let style: String = element.text().collect();
            loads.extend(style_urls(&style).into_iter().map(|url| (element, url)));
        }
    }
    Urls { links, loads }
}

/// Every relative link leads to a file of the book, and to an id in it; so does every reference.
fn check_links(site: &Site, page: &str, document: &Html) -> Vec<String> {
    let based_on_root = document.select(&select("base[href='/']")).next().is_some();
    let folder = match page.rsplit_once('/') {
        Some((folder, _)) if !based_on_root => folder,
        _ => "",
    };
    let Urls { links, loads } = urls(document);
    let mut problems = Vec::new();
    for (element, url) in links.into_iter().chain(loads) {
        if !is_absolute(&url) {
            let broken = site.broken(page, folder, &url);
            problems.extend(broken.map(|why| format!("{}: `{url}` {why}", Place(page, element))));
        }
    }
    // mdBook's search field names its description wrongly; theme/pages.js corrects that.
    let corrected = |element: &ElementRef| element.attr("id") != Some("mdbook-searchbar");
    for element in elements(document).filter(corrected) {
        for reference in REFERENCES {
            let ids = element
                .attr(reference)
                .unwrap_or_default()
                .split_whitespace();
            for id in ids.filter(|id| !site.ids[page].contains(*id)) {
                problems.push(format!(
                    "{}: `{reference}` names the id `{id}`, which the page does not have; correct it",
                    Place(page, element)
                ));
            }
        }
    }
    problems
}

/// No id stands twice on a page.
fn check_ids(page: &str, document: &Html) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for element in elements(document) {
        let Some(id) = element.attr("id") else {
            continue;
        };
        if id.is_empty() || id.contains(char::is_whitespace) {
            problems.push(format!("{}: an id is one word", Place(page, element)));
        } else if !seen.insert(id) {
            problems.push(format!(
                "{}: the id `{id}` is on this page already; ids are unique over the whole book, \
                 because print.html holds all of it",
                Place(page, element)
            ));
        }
    }
    problems
}

/// Every picture can be heard.
fn check_pictures(page: &str, document: &Html) -> Vec<String> {
    let filled = |text: &str| !text.trim().is_empty();
    let mut problems = Vec::new();
    for element in elements(document) {
        match element.value().name() {
            "img" if element.attr("alt").is_none() => problems.push(format!(
                "{}: has no text alternative; say in `alt` what it shows, or write `alt=\"\"` if \
                 the text beside it says so",
                Place(page, element)
            )),
            "svg"
                if !is_icon(element)
                    && element.attr("aria-hidden") != Some("true")
                    && !is_inside(element, |above| above.value().name() == "svg") =>
            {
                let title = element
                    .child_elements()
                    .find(|child| child.value().name() == "title");
                let named = title.is_some_and(|title| filled(&title.text().collect::<String>()))
                    || element.attr("aria-label").is_some_and(filled)
                    || element.attr("aria-labelledby").is_some_and(filled);
                if element.attr("role") != Some("img") || !named {
                    problems.push(format!(
                        "{}: has no text alternative; give it `role=\"img\"` and a `<title>` (or \
                         `aria-label`, `aria-labelledby`), or `aria-hidden=\"true\"` if it is decoration",
                        Place(page, element)
                    ));
                }
            }
            _ => {}
        }
    }
    problems
}

/// What a picture shows as `<text class="source">` is code of its page; where it breaks its lines is
/// up to it.
fn check_drawn_code(page: &str, document: &Html) -> Vec<String> {
    let tight = |element: ElementRef| -> String {
        let text = element.text().flat_map(str::chars);
        text.filter(|c| !c.is_whitespace()).collect()
    };
    let blocks: Vec<_> = document.select(&select("main pre code")).collect();
    let blocks: Vec<_> = blocks.into_iter().map(tight).collect();
    let drawn = document
        .select(&select("svg text.source"))
        .collect::<Vec<_>>();
    let lost = drawn.into_iter().filter(|line| {
        let code = tight(*line);
        !blocks.iter().any(|block| block.contains(&code))
    });
    lost.map(|line| {
        let code: String = line.text().collect();
        format!("{page}: a picture shows `{code}`, which no code on the page does; draw it again")
    })
    .collect()
}

/// mdBook's own icons, in its frame around the chapter and in its notes' titles, stand beside a
/// text or in a named button. An icon put into a chapter by its author is not excused.
fn is_icon(svg: ElementRef) -> bool {
    let parent = svg.parent().and_then(ElementRef::wrap);
    parent.is_some_and(|parent| parent.value().name() == "span" && has_class(parent, "fa-svg"))
        && (is_inside(svg, |above| has_class(above, "blockquote-tag-title"))
            || !is_inside(svg, |above| above.value().name() == "main"))
}

/// Nothing is loaded from another host, and links lead only to hosts that were looked at.
fn check_hosts(page: &str, document: &Html) -> Vec<String> {
    let Urls { links, loads } = urls(document);
    let mut problems = Vec::new();
    for (element, url) in loads {
        if is_absolute(&url) && !url.starts_with("data:") {
            problems.push(format!(
                "{}: loads `{url}`; keep a copy in the book, so that reading it needs no other host",
                Place(page, element)
            ));
        }
    }
    for (element, url) in links {
        let allowed = LINKED.iter().any(|place| {
            let rest = url
                .strip_prefix("https://")
                .and_then(|rest| rest.strip_prefix(place));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#', '?']))
        });
        if is_absolute(&url) && !allowed {
            problems.push(format!(
                "{}: leads out of the book to none of {LINKED:?} by https; link there, or add the \
                 host to LINKED in tests/pages",
                Place(page, element)
            ));
        }
    }
    problems
}

/// The page has its heading, no empty code, and nothing that should have been expanded.
fn check_content(page: &str, document: &Html) -> Vec<String> {
    let mut problems = Vec::new();

    let headings = document.select(&select("main h1")).count();
    let (fits, wanted) = match page {
        "toc.html" => (headings == 0, "no"),
        "print.html" => (headings > 0, "each chapter's"),
        _ => (headings == 1, "one"),
    };
    if !fits {
        problems.push(format!(
            "{page}: <main> has {headings} <h1>, where {wanted} `# Heading` should be"
        ));
    }

    for element in document.select(&select("main code")) {
        let hidden = |text: ElementRef| has_class(text, "boring");
        let shown = element.descendants().any(|node| match node.value() {
            Node::Text(text) if !text.trim().is_empty() => {
                !node.ancestors().filter_map(ElementRef::wrap).any(hidden)
            }
            _ => false,
        });
        if !shown {
            problems.push(format!(
                "{}: shows nothing; does its include name a missing anchor?",
                Place(page, element)
            ));
        }
    }

    for node in document.tree.nodes() {
        let Node::Text(text) = node.value() else {
            continue;
        };
        let Some(at) = text.find("{{#") else { continue };
        let Some(element) = node.parent().and_then(ElementRef::wrap) else {
            continue;
        };
        let is_code = |e: ElementRef| e.value().name() == "code";
        let in_code = is_code(element) || is_inside(element, is_code);
        let in_pre = is_inside(element, |above| above.value().name() == "pre");
        // On purpose: in inline code, and in a fence of text.
        if !in_code || in_pre && !has_class(element, "language-text") {
            let directive: String = text[at..].chars().take(60).collect();
            problems.push(format!(
                "{}: `{}` was not expanded; correct it, or show it in inline code or a text fence",
                Place(page, element),
                directive.lines().next().unwrap_or_default()
            ));
        }
    }
    problems
}

/// The style sheets, too, load nothing from another host, and what they load is there.
fn check_styles(site: &Site) -> Vec<String> {
    let mut problems = Vec::new();
    for (file, style) in site.files.iter().filter(|(path, _)| path.ends_with(".css")) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        for url in style_urls(style) {
            if url.starts_with("data:") || url.starts_with('#') {
                continue;
            } else if is_absolute(&url) {
                problems.push(format!(
                    "{file}: loads `{url}`; keep a copy in the book, so that reading it needs no \
                     other host"
                ));
            } else if let Some(why) = site.broken(file, folder, &url) {
                problems.push(format!("{file}: `{url}` {why}"));
            }
        }
    }
    problems
}

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
/// compresses them. Fonts, and the index of the search, are loaded only when they are needed.
const WEIGHT: usize = 130_000;
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
