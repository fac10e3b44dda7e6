//! The rules that every page obeys, and the style sheets.

use super::site::{elements, has_class, is_absolute, is_inside, select, style_urls, urls};
use super::site::{Place, Site, Urls};
use scraper::{ElementRef, Html, Node};
use std::collections::BTreeSet;

/// Where a link may lead outside the book. A host is added here with a page that needs it.
const LINKED: [&str; 4] = [
    "doc.rust-lang.org",
    "docs.rs",
    "github.com/rust-lang",
    "www.rfc-editor.org",
];

/// The attributes that hold ids of the same page.
const REFERENCES: [&str; 6] = [
    "for",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-details",
    "aria-owns",
];

/// Every relative link leads to a file of the book, and to an id in it; so does every reference.
pub fn check_links(site: &Site, page: &str, document: &Html) -> Vec<String> {
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
pub fn check_ids(page: &str, document: &Html) -> Vec<String> {
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
pub fn check_pictures(page: &str, document: &Html) -> Vec<String> {
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
pub fn check_drawn_code(page: &str, document: &Html) -> Vec<String> {
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
pub fn check_hosts(page: &str, document: &Html) -> Vec<String> {
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
pub fn check_content(page: &str, document: &Html) -> Vec<String> {
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
pub fn check_styles(site: &Site) -> Vec<String> {
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
