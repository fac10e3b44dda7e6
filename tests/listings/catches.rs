//! Each rule, shown something that breaks it.

use super::differences::{check_package, check_step};
use super::{BUILD, FMT, TEST};
use crate::support::cargo::cargo;
use crate::support::turns::turn;
use crate::support::{expect_problem, report, run};
use book::sources::Sources;
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

const MANIFEST: &str = "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.1.0\"\n";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut catch = |name: &str, check: Box<dyn Fn() -> Result<(), Failed> + Send>| {
        trials.push(Trial::test(format!("listings::catches::{name}"), check));
    };

    let cases = [
        (
            "bad_format",
            FMT,
            &[("src/lib.rs", "fn  a() {}")][..],
            &["`cargo fmt --check`", "Diff in"][..],
        ),
        (
            "warning",
            BUILD,
            &[("src/lib.rs", "fn a() {}\n")],
            &["never used"],
        ),
        (
            "lint",
            BUILD,
            &[("src/lib.rs", "pub fn a() -> u8 {\n    return 1;\n}\n")],
            &["needless_return"],
        ),
        (
            "failing_test",
            TEST,
            &[("src/lib.rs", "#[test]\nfn a() {\n    panic!(\"no!\");\n}\n")],
            &["`cargo test --locked`", "no!"],
        ),
        (
            "stale_lock",
            TEST,
            &[("src/lib.rs", ""), ("Cargo.lock", "version = 4\n")],
            &["Cargo.lock because --locked was passed"],
        ),
    ];
    for (name, arguments, files, parts) in cases {
        let mut all = BTreeMap::from([("Cargo.toml", MANIFEST), ("Cargo.lock", LOCK)]);
        all.extend(files.iter().copied());
        catch(
            name,
            Box::new(move || {
                let _turn = turn();
                let folder = tempfile::tempdir()?;
                write_files(folder.path(), all.clone())?;
                let target = folder.path().join("target");
                let problem = cargo(folder.path(), &target, arguments).err();
                expect_problem(problem.as_slice(), parts)
            }),
        );
    }
    #[cfg(unix)]
    catch(
        "command_past_its_deadline",
        Box::new(|| {
            let folder = tempfile::tempdir()?;
            let mut command = Command::new("sh");
            command.args(["-c", "echo begun; (sleep 1; echo late >late) & wait"]);
            command.current_dir(folder.path());
            let problem = run(command, Duration::from_millis(300)).err();
            expect_problem(problem.as_slice(), &["had not ended after 300ms", "begun"])?;
            thread::sleep(Duration::from_millis(1200));
            if folder.path().join("late").exists() {
                return Err("what the command had started was still running".into());
            }
            Ok(())
        }),
    );

    for (name, manifest, part) in [
        (
            "other_name",
            MANIFEST.replace("hello", "step"),
            "name is \"step\"",
        ),
        (
            "other_version",
            MANIFEST.replace("0.1.0", "0.2.0"),
            "version is \"0.2.0\"",
        ),
        (
            "no_edition",
            MANIFEST.replace("edition", "#"),
            "edition is missing",
        ),
        ("bad_manifest", "[".into(), "listings/a/Cargo.toml: "),
    ] {
        let files = [
            ("listings/a/Cargo.toml", manifest.as_str()),
            ("listings/a/Cargo.lock", LOCK),
        ];
        let sources = Sources::of(&files);
        catch(
            name,
            Box::new(move || expect_problem(&check_package(&sources, "a"), &[part])),
        );
    }
    let unlocked = Sources::of(&[("listings/a/Cargo.toml", MANIFEST)]);
    catch(
        "package_without_lock",
        Box::new(move || {
            expect_problem(
                &check_package(&unlocked, "a"),
                &["listings/a/Cargo.lock: there is none"],
            )
        }),
    );

    let first = "use a;\n// ANCHOR: x\nx1\nx2\n// ANCHOR_END: x\ny1\ny2\ny3\n";
    let cases: [(_, _, &[&str]); 9] = [
        (
            "change_outside_an_anchor",
            first.replace("y2", "Y"),
            &["listings/listing-1-2/src/lib.rs:7: `Y` is not in listings/starting-point"],
        ),
        (
            "addition_before_an_anchor",
            format!("use b;\n{first}"),
            &["src/lib.rs:1: `use b;`"],
        ),
        (
            "addition_at_the_end",
            format!("{first}z\n"),
            &["src/lib.rs:9: `z`"],
        ),
        (
            "removal_outside_an_anchor",
            first.replace("y2\n", ""),
            &["src/lib.rs:6: `y2` of listings/starting-point was removed"],
        ),
        (
            "removal_at_the_end",
            first.replace("y3\n", ""),
            &["src/lib.rs:7: `y3` of listings/starting-point was removed"],
        ),
        (
            "same_step",
            first.into(),
            &["listings/listing-1-2: src/ and examples/ are the same"],
        ),
        (
            "marks_are_no_change",
            first.replace("y2", "// ANCHOR: y\ny2\n// ANCHOR_END: y"),
            &["src/ and examples/ are the same"],
        ),
        (
            "change_in_an_anchor_shown_from_another_listing",
            first
                .replace("ANCHOR: x", "ANCHOR: w")
                .replace("END: x", "END: w")
                .replace("x1", "X"),
            &["src/lib.rs:3: `X`"],
        ),
        ("removed_file", String::new(), &["src/lib.rs:1: `use a;`"]),
    ];
    for (name, second, parts) in cases {
        let sources = two_steps(first, &second, &[]);
        catch(
            name,
            Box::new(move || expect_problem(&check_step(&sources, "listing-1-2"), parts)),
        );
    }
    let changed = first.replace("x2", "X");
    for (name, file, parts) in [
        (
            "other_file_added",
            "listings/listing-1-2/build.rs",
            &["listings/listing-1-2/build.rs: is not in listings/starting-point"][..],
        ),
        (
            "other_file_missing",
            "listings/starting-point/hello.html",
            &["listings/listing-1-2/hello.html: is missing here"],
        ),
        (
            "other_common",
            "listings/listing-1-2/tests/common/mod.rs",
            &["listings/listing-1-2/tests/common/mod.rs: differs"],
        ),
    ] {
        let sources = two_steps(first, &changed, &[(file, "other")]);
        catch(
            name,
            Box::new(move || expect_problem(&check_step(&sources, "listing-1-2"), parts)),
        );
    }

    // And what it must not catch.
    for (name, second) in [
        ("change", changed.clone()),
        ("addition", first.replace("x1", "x1\nx1a\n")),
        ("removal", first.replace("x2\n", "")),
        ("removal_at_its_edge", first.replace("y1\n", "")),
        ("removal_above_it", first.replace("use a;\n", "")),
    ] {
        let own_test = [("listings/listing-1-2/tests/pool.rs", "a test")];
        let sources = two_steps(first, &second, &own_test);
        catch(
            &format!("no_shown_{name}"),
            Box::new(move || report(check_step(&sources, "listing-1-2"))),
        );
    }

    for (name, listing, part) in [
        (
            "name_without_a_place",
            "chapter-3",
            "listings/chapter-3: the name gives it no place",
        ),
        (
            "variant_of_nothing",
            "listing-1-3-odd",
            "variant of listing-1-3, which there is not",
        ),
    ] {
        let file = format!("listings/{listing}/src/lib.rs");
        let sources = two_steps(first, &changed, &[(&file, "")]);
        catch(
            name,
            Box::new(move || expect_problem(&check_step(&sources, listing), &[part])),
        );
    }
    trials
}

/// A starting point and a listing 1-2 with these libraries, and a page that shows `x` of both.
fn two_steps(first: &str, second: &str, more: &[(&str, &str)]) -> Sources {
    let page = "{{#include ../listings/starting-point/src/lib.rs:x}}\n\
                {{#include ../listings/listing-1-2/src/lib.rs:x}}\n";
    let mut files = vec![
        ("src/page.md", page),
        ("listings/starting-point/src/lib.rs", first),
        ("listings/listing-1-2/src/lib.rs", second),
        ("listings/starting-point/tests/common/mod.rs", "common"),
        ("listings/listing-1-2/tests/common/mod.rs", "common"),
    ];
    files.extend(more);
    Sources::of(&files)
}

fn write_files(folder: &Path, files: BTreeMap<&str, &str>) -> Result<(), String> {
    for (path, text) in files {
        let path = folder.join(path);
        let made = fs::create_dir_all(path.parent().unwrap_or(folder));
        made.and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
