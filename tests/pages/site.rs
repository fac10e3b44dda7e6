//! The rendered book, and what its elements are, name, and load.

use book::sources::{join, relative};
use book::step::collect;
use regex::Regex;
use scraper::{ElementRef, Html, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

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
pub struct Site {
    pub files: BTreeMap<String, String>,
    pub ids: BTreeMap<String, BTreeSet<String>>,
}

impl Site {
    pub fn read(root: &Path) -> Result<Site, String> {
        let mut files = BTreeMap::new();
        let found = collect(root).map_err(|error| format!("the rendered book: {error:#}"))?;
        for (path, content) in found {
            let path = relative(Path::new(""), &path);
            let is_text = path.ends_with(".html") || path.ends_with(".css");
            let content = if is_text { content } else { Vec::new() };
            let text = String::from_utf8(content).map_err(|error| format!("{path}: {error}"))?;
            files.insert(path, text);
        }
        Ok(Site::new(files))
    }

    pub fn new(files: BTreeMap<String, String>) -> Site {
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
    pub fn broken(&self, page: &str, folder: &str, url: &str) -> Option<String> {
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
pub struct Place<'p>(pub &'p str, pub ElementRef<'p>);

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

pub fn elements(document: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    document.tree.nodes().filter_map(ElementRef::wrap)
}

pub fn is_inside(element: ElementRef, test: impl Fn(ElementRef) -> bool) -> bool {
    element.ancestors().filter_map(ElementRef::wrap).any(test)
}

pub fn has_class(element: ElementRef, class: &str) -> bool {
    element.value().classes().any(|c| c == class)
}

pub fn select(selector: &str) -> Selector {
    Selector::parse(selector).expect("a selector of this file")
}

/// What begins with a scheme or names a host.
pub fn is_absolute(url: &str) -> bool {
    static SCHEME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?i)([a-z][a-z0-9+.-]*:|//)").expect("a pattern"));
    SCHEME.is_match(url)
}

/// The `url(...)`s and `@import`s of a style sheet.
pub fn style_urls(style: &str) -> Vec<String> {
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
pub struct Urls<'p> {
    /// Where a reader may go.
    pub links: Vec<(ElementRef<'p>, String)>,
    /// What the browser fetches by itself.
    pub loads: Vec<(ElementRef<'p>, String)>,
}

pub fn urls(document: &Html) -> Urls<'_> {
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
