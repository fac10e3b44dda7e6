//! Each rule, shown something that breaks it.

use super::{check_page, check_styles, Site};
use crate::support::{expect_problem, report};
use libtest_mimic::{Failed, Trial};

pub fn trials() -> Vec<Trial> {
    let site = |page: &str, main: &str, style: &str| {
        let html = format!("<html><body><main><h1 id='top'>T</h1>{main}</main></body></html>");
        let other = "<main><h1 id='there'>O</h1></main>";
        let files = [
            (page, html.as_str()),
            ("other.html", other),
            ("folder/other.html", other),
            ("picture.svg", ""),
            ("css/book.css", style),
        ];
        Site::new(files.map(|(path, text)| (path.into(), text.into())).into())
    };
    let all_problems = |site: &Site| {
        let mut problems = check_styles(site);
        for page in site.ids.keys() {
            problems.extend(check_page(site, page));
        }
        problems
    };

    let mut trials = Vec::new();
    for (name, main, part) in [
        (
            "link_to_no_file",
            "<a href='no.html'>x</a>",
            "page.html: <a href=\"no.html\">: `no.html` leads to no.html, which is not",
        ),
        (
            "picture_of_other_code",
            "<pre><code>let a =\n  b;</code></pre><svg role='img'><title>T</title>\
             <text class='source'>let a = b;</text><text class='source'>let c;</text></svg>",
            "page.html: a picture shows `let c;`, which no code on the page does",
        ),
        (
            "link_above_the_book",
            "<a href='../listings/a.rs'>x</a>",
            "leads to ../listings/a.rs",
        ),
        (
            "link_to_a_folder",
            "<a href='folder'>x</a>",
            "leads to folder, which is not",
        ),
        (
            "link_to_no_index",
            "<a href='folder/'>x</a>",
            "leads to folder/index.html, which is not",
        ),
        (
            "link_from_the_root",
            "<a href='/other.html'>x</a>",
            "begins at the host's root",
        ),
        (
            "fragment_of_this_page",
            "<a href='#no'>x</a>",
            "leads to the id `no`, which page.html does not",
        ),
        (
            "fragment_of_another_page",
            "<a href='other.html#top'>x</a>",
            "leads to the id `top`, which other.html does not",
        ),
        (
            "picture_of_no_file",
            "<img alt='' src='no.png'>",
            "leads to no.png",
        ),
        (
            "use_of_no_id",
            "<svg aria-hidden=true><use href='#no'/></svg>",
            "<use href=\"#no\">: `#no` leads to the id",
        ),
        (
            "old_use_of_no_id",
            "<svg aria-hidden=true><use xlink:href='#no'/></svg>",
            "leads to the id `no`",
        ),
        (
            "fill_of_no_id",
            "<svg aria-hidden=true><rect fill='url(#no)'/></svg>",
            "leads to the id `no`",
        ),
        (
            "label_of_no_id",
            "<svg role=img aria-labelledby='top no'></svg>",
            "`aria-labelledby` names the id `no`",
        ),
        (
            "description_of_no_id",
            "<p aria-describedby='no'>x</p>",
            "`aria-describedby` names the id `no`",
        ),
        (
            "for_no_id",
            "<label for='no'>x</label>",
            "`for` names the id `no`",
        ),
        (
            "id_twice",
            "<p id='top'>x</p>",
            "<p id=\"top\">: the id `top` is on this page already",
        ),
        ("id_of_two_words", "<p id='a b'>x</p>", "an id is one word"),
        (
            "picture_without_alt",
            "<img src='picture.svg'>",
            "<img src=\"picture.svg\">: has no text alternative",
        ),
        (
            "svg_without_role",
            "<svg><title>T</title></svg>",
            "<svg>: has no text alternative",
        ),
        (
            "svg_without_title",
            "<svg role=img></svg>",
            "<svg role=\"img\">: has no text alternative",
        ),
        (
            "svg_with_empty_title",
            "<svg role=img><title> </title></svg>",
            "has no text alternative",
        ),
        (
            "icon_in_a_chapter",
            "<span class='fa-svg'><svg></svg></span>",
            "has no text alternative",
        ),
        (
            "script_from_a_host",
            "<script src='https://a.example/x.js'></script>",
            "loads `https://a.example/x.js`",
        ),
        (
            "picture_from_a_host",
            "<img alt='' src='//a.example/x.png'>",
            "loads `//a.example/x.png`",
        ),
        (
            "picture_set_from_a_host",
            "<img alt='' srcset='picture.svg 1x, http://a.example/x.png 2x'>",
            "loads `http://a.example/x.png`",
        ),
        (
            "frame_from_a_host",
            "<iframe src='https://docs.rs/x'></iframe>",
            "loads `https://docs.rs/x`",
        ),
        (
            "font_from_a_host",
            "<link rel=stylesheet href='https://a.example/x.css'>",
            "loads `https://a.example/x.css`",
        ),
        (
            "style_from_a_host",
            "<style>@import 'https://a.example/x.css';</style>",
            "loads `https://a.example/x.css`",
        ),
        (
            "background_from_a_host",
            "<p style='background: url(https://a.example/x.png)'>x</p>",
            "loads `https://a.example/x.png`",
        ),
        (
            "link_to_another_host",
            "<a href='https://a.example/'>x</a>",
            "leads out of the book to none of",
        ),
        (
            "link_to_a_host_that_looks_alike",
            "<a href='https://docs.rs.example/'>x</a>",
            "leads out of the book",
        ),
        (
            "link_without_tls",
            "<a href='http://docs.rs/'>x</a>",
            "leads out of the book",
        ),
        (
            "script_link",
            "<a href='javascript:x()'>x</a>",
            "leads out of the book",
        ),
        (
            "two_headings",
            "<h1>U</h1>",
            "page.html: <main> has 2 <h1>, where one",
        ),
        (
            "empty_code",
            "<pre><code class='language-rust'>\n</code></pre>",
            "<code class=\"language-rust\">: shows nothing",
        ),
        (
            "only_hidden_code",
            "<pre><code><span class='boring'>fn main() {}\n</span>\n</code></pre>",
            "shows nothing",
        ),
        (
            "directive_in_text",
            "<p>a {{#include b.rs:c}}</p>",
            "<p>: `{{#include b.rs:c}}` was not expanded",
        ),
        (
            "directive_in_a_fence",
            "<pre><code class='language-rust'>{{#include b.rs:c}}</code></pre>",
            "was not expanded",
        ),
    ] {
        let site = site("page.html", main, "");
        trials.push(Trial::test(format!("pages::catches::{name}"), move || {
            expect_problem(&all_problems(&site), &[part])
        }));
    }
    for (name, style, part) in [
        (
            "sheet_from_a_host",
            "@import url(https://a.example/x.css);",
            "css/book.css: loads `https://a.example/x.css`",
        ),
        (
            "bare_import",
            "@import \"//a.example/x.css\";",
            "css/book.css: loads `//a.example/x.css`",
        ),
        (
            "font_of_no_file",
            "src: url('../fonts/no.woff2') format('woff2')",
            "css/book.css: `../fonts/no.woff2` leads to fonts/no.woff2",
        ),
    ] {
        let site = site("page.html", "", style);
        trials.push(Trial::test(format!("pages::catches::{name}"), move || {
            expect_problem(&all_problems(&site), &[part])
        }));
    }
    let no_heading = Site::new([("page.html".into(), "<main></main>".into())].into());
    trials.push(Trial::test("pages::catches::no_heading", move || {
        expect_problem(
            &all_problems(&no_heading),
            &["page.html: <main> has 0 <h1>"],
        )
    }));

    // And what it must not catch.
    for (name, page, main) in [
        (
            "in_a_page",
            "page.html",
            "<a href='other.html?x=1#there'>x</a> <a href='#top'>x</a> <a href='#'>x</a> \
            <a href='https://docs.rs/x'>x</a> <a href='https://github.com/rust-lang/book'>x</a> \
            <img alt='' src='picture.svg'> <img alt='' src='data:image/png;base64,AA=='> \
            <svg role=img aria-label=x><svg></svg><rect fill='url(#top)'/></svg> \
            <svg aria-hidden=true></svg> <code>{{#include a}}</code> \
            <pre><code class='language-text'>{{#include a}}</code></pre> \
            <pre><code><span class='boring'>a</span>b</code></pre>",
        ),
        (
            "in_a_folder",
            "deep/page.html",
            "<a href='../other.html#there'>x</a> <a href='page.html#top'>x</a>",
        ),
        ("in_print", "print.html", "<h1>U</h1>"),
        (
            "in_404",
            "deep/404.html",
            "<base href='/'><a href='other.html'>x</a>",
        ),
    ] {
        let site = site(
            page,
            main,
            "/* url(no.png) */ a { background: url(../picture.svg) } b { fill: url(data:x) }",
        );
        trials.push(Trial::test(
            format!("pages::catches::nothing_else_{name}"),
            move || -> Result<(), Failed> { report(all_problems(&site)) },
        ));
    }
    trials
}
