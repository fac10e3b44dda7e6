//! The promise: every crate under `listings/` builds without a warning, is formatted and passes
//! clippy, in its own folder; it passes its own `cargo test`, in a copy elsewhere; and each step
//! differs from the one before only where a page shows it.
//!
//! (The tests are run once, since those that start the server wait for each other's port: there they
//! show that a step needs nothing from around its folder.)
//!
//! Nothing is written into `listings/`: each crate is built in a target folder of its own, under
//! this package's. The tests of a listing take turns at the port by a lock file of their own.

mod support;

use book_commands::step;
use libtest_mimic::{Arguments, Failed, Trial};
use similar::{capture_diff_slices, Algorithm, DiffOp, DiffTag};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};
use support::{anchors, expect_problem, report, run, Anchor, Sources};

/// Longer than a listing's tests wait for the port.
const DEADLINE: Duration = Duration::from_secs(240);

const FMT: &[&str] = &["fmt", "--check"];
const CLIPPY: &[&str] = &[
    "clippy",
    "--all-targets",
    "--locked",
    "--",
    "-D",
    "warnings",
];
const TEST: &[&str] = &["test", "--locked"];

/// Runs cargo on the crate in `folder`, as a reader would.
fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("cargo");
    // What the cargo that runs these tests has set says nothing about the listing.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let mine = ["CARGO_HOME", "RUSTUP_", "CARGO_NET_", "CARGO_HTTP_"];
        let cargos = [
            "CARGO",
            "RUST",
            "LD_LIBRARY_PATH",
            "DYLD_FALLBACK_LIBRARY_PATH",
        ];
        if cargos.iter().any(|prefix| name.starts_with(prefix))
            && !mine.iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&*name);
        }
    }
    command.args(arguments).current_dir(folder);
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TERM_COLOR", "never");
    // What is built here is run and forgotten: nothing is kept for a debugger or the next edit.
    command
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
    run(command, DEADLINE).map_err(|error| {
        format!(
            "`cargo {}` in {}: {error}",
            arguments.join(" "),
            folder.display()
        )
    })
}

/// Runs `cargo test` in a copy of the listing in an otherwise empty folder: the copy that a reader
/// gets from `cargo book step`.
fn test_copy(root: &Path, listing: &str) -> Result<(), String> {
    let away = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
    let copy = away.path().join("hello");
    step::write(root, listing, &copy).map_err(|error| format!("{error:#}"))?;
    let target = copy.join("target");
    let run = |arguments| {
        cargo(&copy, &target, arguments)
            .map_err(|error| format!("a copy of listings/{listing}: {error}"))
    };
    run(FMT)?;
    run(TEST)
}

/// What a page shows as the picture that a step's example draws is what it draws, byte for byte.
fn check_picture(root: &Path, target: &Path) -> Result<(), String> {
    let shown = root.join("src").join(PICTURE);
    let away = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
    let drawn = away.path().join("drawn.png");
    let folder = root.join("listings/listing-20-30");
    let arguments = ["run", "--locked", "--example", "mandelbrot", "--"];
    cargo(
        &folder,
        target,
        &[&arguments[..], &[&drawn.to_string_lossy()]].concat(),
    )?;

    let read = |path: &Path| {
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    if read(&drawn)? == read(&shown)? {
        return Ok(());
    }
    Err(format!(
        "src/{PICTURE} is not what the example `mandelbrot` of listing-20-30 draws: draw it again there, \
         and look at it"
    ))
}

const PICTURE: &str = "pictures/seahorses.png";

/// The package has the name, version and edition that the reader's has, and locks what it uses.
fn check_package(sources: &Sources, listing: &str) -> Vec<String> {
    let file = format!("listings/{listing}/Cargo.toml");
    let Some(text) = sources.text(&file) else {
        return vec![format!(
            "{file}: there is none; each folder in listings/ is a package"
        )];
    };
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{file}: {error}")],
    };

    let mut problems = Vec::new();
    for (key, value) in [("name", "hello"), ("version", "0.1.0"), ("edition", "2021")] {
        let found = manifest
            .get("package")
            .and_then(|package| package.get(key)?.as_str());
        if found != Some(value) {
            problems.push(format!(
                "{file}: the package's {key} is {}; write `{key} = {value:?}`, as the reader's has it",
                found.map_or("missing".into(), |found| format!("{found:?}"))
            ));
        }
    }
    let lock = format!("listings/{listing}/Cargo.lock");
    if sources.text(&lock).is_none() {
        problems.push(format!(
            "{lock}: there is none; run `cargo check` in the folder, and keep it"
        ));
    }
    problems
}

/// A manifest without its `description`, which is the caption of the listing, and without what the
/// package depends on, which each page shows in its difference from the step before.
fn comparable(manifest: &str) -> Option<toml::Table> {
    let mut manifest: toml::Table = manifest.parse().ok()?;
    manifest
        .get_mut("package")?
        .as_table_mut()?
        .remove("description");
    manifest.remove("dependencies");
    manifest.remove("dev-dependencies");
    Some(manifest)
}

/// Where the code is: each change to it is shown by a page.
fn is_code(path: &str) -> bool {
    path.starts_with("src/") || path.starts_with("examples/")
}

/// The listing differs from its predecessor where a page shows it, and nowhere else.
fn check_step(sources: &Sources, listing: &str) -> Vec<String> {
    let Some((chapter, number, variant)) = step::place(listing) else {
        return vec![format!(
            "listings/{listing}: the name gives it no place in the book; call it `starting-point`, \
             `listing-NN-MM`, or `listing-NN-MM-word` if it varies that listing"
        )];
    };
    let names = sources.listings().into_iter().map(str::to_owned);
    let mut names: Vec<_> = names.filter(|name| step::place(name).is_some()).collect();
    step::sort(&mut names);
    let Some(before) = step::predecessor(&names, listing) else {
        return Vec::new(); // the first
    };
    let varies = format!("listing-{chapter}-{number}");
    if variant.is_some() && before != varies {
        return vec![format!(
            "listings/{listing}: is named as a variant of {varies}, which there is not"
        )];
    }

    let old = sources.under(&format!("listings/{before}/"));
    let new = sources.under(&format!("listings/{listing}/"));
    let mut problems = Vec::new();
    let mut changed = false;
    for path in old
        .keys()
        .chain(new.keys())
        .copied()
        .collect::<BTreeSet<_>>()
    {
        let (old, new) = (old.get(path).copied(), new.get(path).copied());
        let file = format!("listings/{listing}/{path}");
        if path == "Cargo.toml" && old.map(comparable) == new.map(comparable) {
            continue;
        }
        if path == "Cargo.lock" && new.is_some() {
            continue; // it follows Cargo.toml: cargo is run with `--locked`
        }
        if is_code(path) && new.is_none() {
            changed = true; // the page's list of what has changed says that it is gone
        } else if is_code(path) {
            let included = included_anchors(sources, &file, new.unwrap_or_default());
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            changed |= shown_lines(old).1 != shown_lines(new).1;
            problems.extend(unshown_changes(&file, before, old, new, &included));
        } else if !path.starts_with("tests/") || path.starts_with("tests/common/") {
            let difference = match (old, new) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(_)) => "differs from",
                (None, _) => "is not in",
                (_, None) => "is missing here, but is in",
            };
            problems.push(format!(
                "{file}: {difference} listings/{before}; but for its code, its tests, and what it \
                 depends on, a step leaves every file as it was"
            ));
        }
    }
    if !changed && problems.is_empty() {
        problems.push(format!(
            "listings/{listing}: src/ and examples/ are the same as in listings/{before}; a step \
             changes something"
        ));
    }
    problems
}

/// The file's anchors that some page includes from it.
fn included_anchors(sources: &Sources, file: &str, text: &str) -> Vec<Anchor> {
    let includes = sources.includes();
    let (mut anchors, _) = anchors(file, text); // what is wrong with the others, includes.rs says
    anchors.retain(|anchor| {
        let shows = |part: &Option<String>| part.as_deref() == Some(&anchor.name);
        includes
            .iter()
            .any(|include| include.file == file && shows(&include.part))
    });
    anchors
}

/// The lines that mdBook would show of a file, and the number of each.
fn shown_lines(text: &str) -> (Vec<usize>, Vec<&str>) {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| step::mark(line).is_none())
        .unzip()
}

/// The changes from `old` to `new` that lie outside the included anchors of `new`.
fn unshown_changes(
    file: &str,
    before: &str,
    old: &str,
    new: &str,
    included: &[Anchor],
) -> Vec<String> {
    let (_, old) = shown_lines(old);
    let (numbers, new) = shown_lines(new);
    // The line of `new` on which a range that ends or begins there has its neighbor.
    let number = |index: usize| numbers.get(index).copied();

    let mut problems = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let unshown = |&index: &usize| {
            let within = |anchor: &Anchor| (anchor.start..anchor.end).contains(&numbers[index]);
            !new[index].trim().is_empty() && !included.iter().any(within)
        };
        let changed = op.new_range().filter(|_| op.tag() != DiffTag::Equal);
        let mut unshown = changed.filter(unshown);
        if let Some(first) = unshown.next() {
            let more = match unshown.count() {
                0 => "is".to_owned(),
                more => format!("(and {more} more) is"),
            };
            problems.push(format!(
                "{file}:{}: `{}` {more} not in listings/{before}, and no page shows this place; \
                 include an anchor around it, or take the change back",
                numbers[first],
                new[first].trim()
            ));
        }
        if let DiffOp::Delete {
            old_index,
            old_len,
            new_index,
        } = op
        {
            let above = new_index.checked_sub(1).and_then(number).unwrap_or(0);
            let below = number(new_index).unwrap_or(usize::MAX);
            let shown = included.iter().any(|a| a.start <= below && above <= a.end);
            let gone = old[old_index..old_index + old_len]
                .iter()
                .find(|l| !l.trim().is_empty());
            if let (false, Some(gone)) = (shown, gone) {
                problems.push(format!(
                    "{file}:{}: `{}` of listings/{before} was removed here, and no page shows this \
                     place; include an anchor that reaches it, or put the line back",
                    above.max(1),
                    gone.trim()
                ));
            }
        }
    }
    problems
}

type SourceCheck = fn(&Sources, &str) -> Vec<String>;
type Check = Box<dyn Fn(&Sources) -> Result<(), Failed> + Send>;

fn main() -> Result<(), String> {
    let mut arguments = Arguments::from_args();
    // Many wait for the port most of their time, and leave the processor to others.
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    arguments.test_threads.get_or_insert(2 * cores);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets = Path::new(env!("CARGO_TARGET_TMPDIR")).join("listings");
    let sources = Arc::new(Sources::read(root)?);

    let mut trials = Vec::new();
    let mut trial = |name: String, check: Check| {
        let sources = Arc::clone(&sources);
        trials.push(Trial::test(name, move || check(&sources)));
    };
    let listings = root.join("listings");
    let cargo_in_place = |what: &'static [&'static str], listing: &str| -> Check {
        let (folder, target) = (listings.join(listing), targets.join(listing));
        Box::new(move |_| Ok(cargo(&folder, &target, what)?))
    };
    // Those that queue for the port come first, so that the others run while they wait.
    for listing in sources.listings() {
        let name = listing.to_owned();
        trial(
            format!("{listing}::test"),
            Box::new(move |_| Ok(test_copy(root, &name)?)),
        );
    }
    for listing in sources.listings() {
        trial(
            format!("{listing}::clippy"),
            cargo_in_place(CLIPPY, listing),
        );
        trial(format!("{listing}::fmt"), cargo_in_place(FMT, listing));
        for (what, check) in [
            ("package", check_package as SourceCheck),
            ("step", check_step),
        ] {
            let name = listing.to_owned();
            trial(
                format!("{listing}::{what}"),
                Box::new(move |sources| report(check(sources, &name))),
            );
        }
    }
    let target = targets.join("listing-20-30");
    trials.push(Trial::test("listing-20-30::picture", move || {
        Ok(check_picture(root, &target)?)
    }));
    trials.extend(catches());
    libtest_mimic::run(&arguments, trials).exit()
}

const MANIFEST: &str = "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.1.0\"\n";

/// Each rule, shown something that breaks it.
fn catches() -> Vec<Trial> {
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
            CLIPPY,
            &[("src/lib.rs", "fn a() {}\n")],
            &["never used"],
        ),
        (
            "lint",
            CLIPPY,
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
