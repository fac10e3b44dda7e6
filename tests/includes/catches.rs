//! Each rule, shown something that breaks it.

use super::{check_listing, check_page, check_pictures, check_summary};
use crate::support::{expect_problem, report};
use book::sources::Sources;
use libtest_mimic::{Failed, Trial};

pub fn trials() -> Vec<Trial> {
    // A page and a library, and the one problem that they have.
    let page_and_lib = |page: &str, lib: &str| {
        Sources::of(&[
            ("src/page.md", page),
            ("src/SUMMARY.md", "[P](page.md)"),
            ("listings/listing-1-1/src/lib.rs", lib),
        ])
    };
    let good_lib = "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n";
    let include = |path: &str| format!("```rust\n{{{{#rustdoc_include {path}}}}}\n```\n");
    let lib = "../listings/listing-1-1/src/lib.rs";

    let mut trials = Vec::new();
    let mut catch = |name: &str, sources: Sources, parts: &'static [&'static str]| {
        let check =
            move || -> Result<(), Failed> { expect_problem(&all_problems(&sources), parts) };
        trials.push(Trial::test(format!("includes::catches::{name}"), check));
    };

    let shown = include(&format!("{lib}:a"));
    for (name, path, parts) in [
        (
            "missing_file",
            "nothing.rs:a",
            &["src/page.md:5: there is no file src/nothing.rs"][..],
        ),
        (
            "missing_file_of_a_listing",
            "../listings/listing-1-1/src/x.rs:a",
            &["src/page.md:5: there is no file listings/listing-1-1/src/x.rs"],
        ),
        (
            "missing_anchor",
            "../listings/listing-1-1/src/lib.rs:b",
            &["src/page.md:5: ", "no anchor `b`", "it has: a"],
        ),
        (
            "whole_file",
            "../listings/listing-1-1/src/lib.rs",
            &["src/page.md:5: includes the whole"],
        ),
        (
            "line_numbers",
            "../listings/listing-1-1/src/lib.rs:2:3",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "line_number",
            "../listings/listing-1-1/src/lib.rs:2",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "lines_from",
            "../listings/listing-1-1/src/lib.rs:2:",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "lines_to",
            "../listings/listing-1-1/src/lib.rs::2",
            &["src/page.md:5: ", "line numbers"],
        ),
        (
            "whole_listing_file_as_svg",
            "lib.svg:a",
            &["src/page.md:5: there is no file src/lib.svg"],
        ),
    ] {
        catch(
            name,
            page_and_lib(&format!("{shown}{}", include(path)), good_lib),
            parts,
        );
    }

    for (name, lib, parts) in [
        ("unclosed_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\n", &["lib.rs:4: `ANCHOR: b` is never closed"][..]),
        ("unopened_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR_END: b\n", &["lib.rs:4: `ANCHOR_END: b` closes nothing"]),
        ("anchor_twice", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\nfn b() {}\n// ANCHOR: b\n// ANCHOR_END: b\n", &["lib.rs:4: ", "`b`", "more than once"]),
        ("end_first", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR_END: b\n// ANCHOR: b\n", &["lib.rs:4: `ANCHOR_END: b` stands before"]),
        ("empty_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\n\n// ANCHOR_END: b\n", &["lib.rs:4: nothing stands between"]),
        ("unused_anchor", "// ANCHOR: a\nfn a() {}\n// ANCHOR_END: a\n// ANCHOR: b\nfn b() {}\n// ANCHOR_END: b\n", &["listings/listing-1-1/src/lib.rs:4: no page includes the anchor `b`"]),
    ] {
        catch(name, page_and_lib(&shown, lib), parts);
    }

    for (name, page, parts) in [
        ("inline_directive", "See `{{#include a.svg}}`.\n", &["src/page.md:4: ", "does not begin its line"][..]),
        ("playground", "{{#playground a.rs}}\n", &["src/page.md:4: unknown directive `{{#playground}}`"]),
        ("fence_without_language", "```\nx\n```\n", &["src/page.md:4: the fence does not say"]),
        ("unknown_language", "```Rust\nfn main() {}\n```\n", &["src/page.md:4: unknown language `Rust`"]),
        ("rs_fence", "~~~rs\nfn main() {}\n~~~\n", &["src/page.md:4: unknown language `rs`"]),
        ("indented_code", "A\n\n    fn main() {}\n", &["src/page.md:6: indented"]),
        ("fence_in_a_list", "- A\n\n  ```\n  x\n  ```\n", &["src/page.md:6: the fence does not say"]),
        ("ignore", "```rust,ignore\nfn main() {}\n```\n", &["src/page.md:4: `ignore` may not"]),
        ("should_panic", "```rust,should_panic\nfn main() {}\n```\n", &["src/page.md:4: `should_panic` may not"]),
        ("compile_fail", "```rust,compile_fail\nfn main() {}\n```\n", &["src/page.md:4: `compile_fail` may not"]),
        ("space_in_info", "```rust no_run\nfn main() {}\n```\n", &["src/page.md:4: unknown language `rust no_run`"]),
        ("main_against_another_library", "```rust,skt-listing-9-9-main\n{{#rustdoc_include ../listings/listing-1-1/src/lib.rs:a}}\n```\n", &["src/page.md:4: ", "library of listing-9-9"]),
        ("typed_transcript", "```console\n$ cargo run\n```\n", &["src/page.md:4: a console fence shows a recorded run"]),
        ("rust_in_a_text_fence", "```text\nfn main() {}\n```\n", &["src/page.md:4: a text fence holds only"]),
        ("diff_that_is_not_searched", "```diff,listing-1-1,my-change\n-a\n+b\n```\n", &["src/page.md:4: a diff fence is"]),
        ("sh_with_prompt", "```sh\n$ cargo run\n```\n", &["src/page.md:4: `$ cargo run` has a prompt"]),
        ("quote_of_no_output", "It prints `Worker 7 got a job; executing.`\n", &["src/page.md:4: quotes the output `Worker 7 got"]),
        ("path_of_no_file", "It is in `tests/nothing.rs`.\n", &["src/page.md:4: names `tests/nothing.rs`"]),
        ("test_of_no_listing", "As `a_test_that_is_not` shows,\n", &["src/page.md:4: names the test `a_test_that_is_not`"]),
        ("mention_of_no_listing", "In Listing 1-2,\n", &["src/page.md:4: names Listing 1-2"]),
    ] {
        let page = format!("{shown}{page}");
        catch(name, Sources::of(&[
            ("src/page.md", &page),
            ("src/a.svg", "<svg/>"),
            ("src/SUMMARY.md", "[P](page.md)"),
            ("listings/listing-1-1/src/lib.rs", good_lib),
        ]), parts);
    }

    catch(
        "page_not_in_summary",
        Sources::of(&[("src/SUMMARY.md", ""), ("src/lost.md", "")]),
        &["src/lost.md:1: no reader finds"],
    );
    catch(
        "page_only_in_summary",
        Sources::of(&[("src/SUMMARY.md", "# S\n\n- [A](a.md)")]),
        &["src/SUMMARY.md:3: there is no src/a.md"],
    );
    catch(
        "no_summary",
        Sources::of(&[]),
        &["src/SUMMARY.md: there is none"],
    );
    catch(
        "unshown_listing",
        page_and_lib("", ""),
        &["listings/listing-1-1: no page shows"],
    );
    catch(
        "directive_in_readme",
        Sources::of(&[
            ("README.md", "{{#include a.txt:b}}"),
            ("src/SUMMARY.md", ""),
        ]),
        &["README.md:1: nothing expands"],
    );

    catch(
        "unclosed_anchor_of_a_transcript",
        Sources::of(&[
            (
                "src/page.md",
                "```console\n{{#include ../recorded/transcripts/t.txt:a}}\n```\n",
            ),
            ("recorded/transcripts/t.txt", "ANCHOR: a\n$ cargo run\n"),
            ("src/SUMMARY.md", "[P](page.md)"),
        ]),
        &["src/page.md:2: includes `a`, but recorded/transcripts/t.txt:1: `ANCHOR: a` is never closed"],
    );

    let picture = |svg: &'static str| {
        Sources::of(&[
            ("src/pictures/p.svg", svg),
            (
                "recorded/transcripts/t.txt",
                "# ANCHOR: a\n$ run\nOne\nTwo\n# ANCHOR_END: a\n",
            ),
            ("src/SUMMARY.md", ""),
        ])
    };
    for (name, svg, parts) in [
        ("picture_of_another_run", "<svg data-run=\"t:a\"><text class=\"said\">One</text><text class=\"said\">2</text></svg>", &["src/pictures/p.svg: is not what recorded/transcripts/t.txt says of `a`"][..]),
        ("picture_of_half_a_run", "<svg data-run=\"t:a\"><text class=\"said\">One</text></svg>", &["src/pictures/p.svg: is not what"]),
        ("picture_of_no_run", "<svg><text class=\"said\">One</text></svg>", &["src/pictures/p.svg: shows lines of a run; name it"]),
    ] {
        catch(name, picture(svg), parts);
    }
    let glossary = |entry: &str| {
        let page = "# P\n\nA lock.\n\n## A drop\n\nThe queue is\nfull.\n\n## More\n\nA job.\n";
        let text = format!("# G\n\n- **Full queue**: one. ([A drop](page.md#a-drop))\n{entry}");
        Sources::of(&[
            ("src/glossary.md", &text),
            ("src/page.md", page),
            ("src/SUMMARY.md", "[G](glossary.md)\n[P](page.md)"),
        ])
    };
    for (name, entry, parts) in [
        (
            "term_of_the_section_after",
            "- **Job**: one. ([A drop](page.md#a-drop))\n",
            &["src/glossary.md:4: leads to page.md#a-drop, where `job` does not stand"][..],
        ),
        (
            "term_of_no_section",
            "- **Lock**: one. ([X](page.md#x))\n",
            &["src/glossary.md:4: leads to page.md#x, where `lock`"],
        ),
        (
            "term_that_leads_nowhere",
            "- **Lock**: one.\n",
            &["src/glossary.md:4: leads nowhere"],
        ),
    ] {
        catch(name, glossary(entry), parts);
    }
    // A run of a changed library, a page that says something of it, and the problem.
    let run = |scenario: &str, page: &str| {
        let page = format!(
            "{shown}{page}\n```console\n{{{{#include ../recorded/transcripts/t.txt:a}}}}\n```\n"
        );
        let rules =
            "[[step]]\nterminal = \"a\"\nrun = \"tail -n +3 x.rs\"\n[terminal.a]\nsame = true\n";
        let scenario = format!("listing = \"listing-1-1\"\n[[edit]]\n{scenario}\n{rules}");
        Sources::of(&[
            ("src/page.md", &page),
            ("src/SUMMARY.md", "[P](page.md)"),
            ("listings/listing-1-1/src/lib.rs", good_lib),
            ("listings/listing-1-1/build.rs", "one\ntwo\n"),
            ("listings/listing-1-1/x.rs", "// one\ntwo\nthree\n"),
            (
                "recorded/transcripts/t.txt",
                "# ANCHOR: a\n$ run\n# ANCHOR_END: a\n",
            ),
            ("recorded/transcripts/t.toml", &scenario),
        ])
    };
    let of_build = "file = \"build.rs\"\nfrom = \"two\"\nto = \"three\"";
    let diff = "```diff,listing-1-1,mine\n-a\n+b\n```\n";
    for (name, scenario, page, parts) in [
        (
            "change_that_comes_unsaid",
            of_build,
            "No more two.\n",
            &["the edit of build.rs: changes `three`, of which src/page.md says nothing"][..],
        ),
        (
            "change_that_goes_unsaid",
            of_build,
            "Now three.\n",
            &["the edit of build.rs: changes `two`"],
        ),
        (
            "program_without_its_head",
            "file = \"x.rs\"\nfrom = \"three\"\nto = \"four\"",
            "",
            &["`tail -n +3 x.rs` does not show `two`"],
        ),
        (
            "diff_of_another_run",
            "proposal = \"yours\"",
            "",
            &["no page has a fence ```diff,LISTING,yours"],
        ),
    ] {
        catch(name, run(scenario, page), parts);
    }
    for (name, scenario, page) in [
        (
            "no_change_that_is_said",
            of_build,
            "No more two, but three.\n",
        ),
        ("no_diff_that_is_run", "proposal = \"mine\"", diff),
    ] {
        let sources = run(scenario, page);
        trials.push(Trial::test(
            format!("includes::catches::{name}"),
            move || report(all_problems(&sources)),
        ));
    }
    let good = picture(
        "<svg data-run=\"t:a\"><text class=\"said\">One</text><text class=\"said\" x=\"1\">Two</text></svg>",
    );
    trials.push(Trial::test(
        "includes::catches::no_good_picture",
        move || report(all_problems(&good)),
    ));

    // And what it must not catch.
    let good = page_and_lib(
        &format!(
            "{{{{#title T}}}}\n{shown}\\{{{{#include nothing.rs}}}}\n\n```rust,no_run,skt-x\n```\n\n\
             {shown}\n\nListing 1-1\n"
        ),
        good_lib,
    );
    trials.push(Trial::test("includes::catches::nothing_else", move || {
        report(all_problems(&good))
    }));
    trials
}

fn all_problems(sources: &Sources) -> Vec<String> {
    let mut problems = check_summary(sources);
    problems.extend(check_pictures(sources));
    for page in sources.pages() {
        problems.extend(check_page(sources, &page));
    }
    for listing in sources.listings() {
        problems.extend(check_listing(sources, listing));
    }
    problems
}
