//! The promise: the Rust that the README asks for is new enough, as far as the Rust that runs these
//! tests can tell. No locked package asks for a newer one, of the workspace or of a listing; and the
//! manifests say so, for clippy: it names each part of the standard library that is too new.
//!
//! (Whether the language itself is too new, only an old compiler could tell.)

use crate::support::{expect_problem, report, told};
use book::{root, step};
use libtest_mimic::{Failed, Trial};
use regex::Regex;
use std::{env, fs, path::Path, process::Command};

/// Where readers are told which Rust they need.
const SAID_IN: [&str; 2] = ["README.md", "src/introduction.md"];

/// One trial for the workspace, and one for each listing.
pub fn trials() -> Result<Vec<Trial>, Failed> {
    let check = |name: &str, check: fn(&str) -> Result<Vec<String>, String>| {
        let listing = name.to_owned();
        Trial::test(format!("{name}::msrv"), move || report(check(&listing)?))
    };
    let mut trials = vec![check("workspace", |_| check_workspace())];
    let names = step::names(&root()).map_err(told)?;
    trials.extend(names.iter().map(|name| check(name, check_listing)));
    trials.extend(catches());
    Ok(trials)
}

fn check_workspace() -> Result<Vec<String>, String> {
    let manifest = read("Cargo.toml")?;
    let ours = declared("Cargo.toml", &manifest)?;
    let mut problems = check_packages("", &ours, &packages(&root())?);
    for file in SAID_IN {
        problems.extend(check_sentence(file, &read(file)?, &ours));
    }
    for (file, setting) in [
        // Without it, clippy looks at no test.
        ("clippy.toml", "check-incompatible-msrv-in-tests = true"),
        // Without it, `cargo update` takes what is newest.
        (
            ".cargo/config.toml",
            "incompatible-rust-versions = \"fallback\"",
        ),
    ] {
        if !read(file)?.lines().any(|line| line.starts_with(setting)) {
            problems.push(format!("{file}: does not say `{setting}`"));
        }
    }
    Ok(problems)
}

fn check_listing(listing: &str) -> Result<Vec<String>, String> {
    let folder = format!("listings/{listing}");
    let file = format!("{folder}/Cargo.toml");
    let readme = declared("Cargo.toml", &read("Cargo.toml")?)?;
    let ours = declared(&file, &read(&file)?)?;
    let mut problems = Vec::new();
    if newer(&ours, &readme) {
        problems.push(format!(
            "{file}: declares rust-version {ours}, and the workspace {readme}: a reader who has that \
             would not get far; take one of them back, or the other one along"
        ));
    }
    // Most listings depend on nothing, and there is nobody to ask.
    if read(&format!("{folder}/Cargo.lock"))?.contains("\nsource = ") {
        let packages = packages(&root().join(&folder))?;
        problems.extend(check_packages(&format!("{folder}/"), &ours, &packages));
    }
    Ok(problems)
}

/// What cargo knows of a package.
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
    /// Whether it comes from here, and not from a registry.
    own: bool,
}

/// No package is newer than `ours`, which is declared by all of our own. `folder` ends with a slash.
fn check_packages(folder: &str, ours: &str, packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        let (name, version) = (&package.name, &package.version);
        let theirs = package.rust_version.as_deref();
        if package.own && theirs != Some(ours) {
            problems.push(format!(
                "{folder}Cargo.toml: the package `{name}` beside it declares {}, not {ours}: write \
                 `rust-version = {ours:?}` into its manifest",
                theirs.map_or("no rust-version".into(), |theirs| format!("rust-version {theirs}"))
            ));
        } else if let Some(theirs) = theirs.filter(|theirs| newer(theirs, ours)) {
            problems.push(format!(
                "{folder}Cargo.lock: `{name}` {version} declares rust-version {theirs}, and we {ours}: \
                 take an older one (`cargo update {name} --precise VERSION` in {}), or raise ours in all \
                 manifests, and in {}",
                if folder.is_empty() { "the root" } else { folder },
                SAID_IN.join(" and ")
            ));
        }
    }
    problems
}

/// The page names the Rust that is needed once, as the manifests do.
fn check_sentence(file: &str, text: &str, ours: &str) -> Option<String> {
    let pattern = Regex::new(r"\b(1\.\d+(?:\.\d+)?) or\s+newer").expect("a pattern");
    let said: Vec<&str> = pattern
        .captures_iter(text)
        .filter_map(|captures| Some(captures.get(1)?.as_str()))
        .collect();
    (said != [ours]).then(|| {
        format!(
            "{file}: asks for Rust {said:?}, and Cargo.toml declares {ours}: it has to say \
             `{ours} or newer`, once"
        )
    })
}

/// The `rust-version` of a manifest.
fn declared(file: &str, manifest: &str) -> Result<String, String> {
    let manifest: toml::Table = manifest
        .parse()
        .map_err(|error| format!("{file}: {error}"))?;
    let version = manifest
        .get("package")
        .and_then(|package| package.get("rust-version")?.as_str());
    version.map(str::to_owned).ok_or_else(|| {
        format!(
            "{file}: declares no rust-version, so clippy does not look for what is too new; write \
             one under `edition`"
        )
    })
}

/// Whether a version such as 1.88 or 1.88.0 is newer than another.
fn newer(version: &str, than: &str) -> bool {
    let numbers = |version: &str| {
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        [(); 3].map(|()| numbers.next().unwrap_or(0_u64))
    };
    numbers(version) > numbers(than)
}

/// All packages that are locked in `folder`: those for other systems, too, if they are here. If not,
/// those that the tests build on this one, and cargo gets what is missing, as it would for them. In
/// CI, all have to be here.
fn packages(folder: &Path) -> Result<Vec<Package>, String> {
    let all = metadata(folder, &["--all-features", "--offline"]);
    if all.is_ok() || env::var_os("CI").is_some() {
        return all;
    }
    let host = cargo(folder, &["-vV"])?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("cargo does not say what machine this is")?;
    metadata(folder, &["--filter-platform", host])
}

fn metadata(folder: &Path, more: &[&str]) -> Result<Vec<Package>, String> {
    let asked = ["metadata", "--locked", "--format-version", "1"];
    let answer = cargo(folder, &[&asked[..], more].concat())?;
    let answer: serde_json::Value =
        serde_json::from_str(&answer).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = answer["packages"].as_array();
    let packages = packages.ok_or("cargo metadata: names no packages")?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let package = |package: &serde_json::Value| {
        Some(Package {
            name: text(&package["name"])?,
            version: text(&package["version"])?,
            rust_version: text(&package["rust_version"]),
            own: package["source"].is_null(),
        })
    };
    let packages: Option<_> = packages.iter().map(package).collect();
    packages.ok_or_else(|| "cargo metadata: a package without a name or version".into())
}

/// What cargo answers.
fn cargo(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let asked = format!("`cargo {}` in {}", arguments.join(" "), folder.display());
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|error| format!("{asked}: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{asked}: {why}(`cargo fetch --locked` gets all that is locked)"
        ));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{asked}: {error}"))
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("cannot read {path}: {error}"))
}

/// Each rule, shown something that breaks it, and something that does not.
fn catches() -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut catch = |name: &str, problems: Vec<String>, parts: &'static [&str]| {
        trials.push(Trial::test(format!("msrv::catches::{name}"), move || {
            let expected: Result<(), Failed> = match parts {
                [] => report(problems),
                parts => expect_problem(&problems, parts),
            };
            expected
        }));
    };

    let package = |own, rust_version: Option<&str>| {
        [Package {
            name: "a".into(),
            version: "2.0.1".into(),
            rust_version: rust_version.map(str::to_owned),
            own,
        }]
    };
    for (name, package, parts) in [
        (
            "newer_dependency",
            package(false, Some("1.89.1")),
            &[
                "listings/b/Cargo.lock: `a` 2.0.1 declares rust-version 1.89.1, and we 1.89",
                "`cargo update a --precise VERSION` in listings/b/",
            ][..],
        ),
        (
            "own_package_that_differs",
            package(true, Some("1.88")),
            &["`a` beside it declares rust-version 1.88, not 1.89"],
        ),
        (
            "own_package_without",
            package(true, None),
            &["declares no rust-version, not 1.89"],
        ),
        ("no_same_dependency", package(false, Some("1.89.0")), &[]),
        ("no_older_dependency", package(false, Some("1.9")), &[]),
        ("no_silent_dependency", package(false, None), &[]),
    ] {
        catch(name, check_packages("listings/b/", "1.89", &package), parts);
    }

    let sentence = |text| Vec::from_iter(check_sentence("README.md", text, "1.89"));
    for (name, text, parts) in [
        (
            "readme_that_differs",
            "Rust 1.90 or newer",
            &["README.md: asks for Rust [\"1.90\"], and Cargo.toml declares 1.89"][..],
        ),
        ("readme_without", "Rust", &["asks for Rust []"]),
        ("no_broken_line", "Rust\n1.89 or\nnewer", &[]),
    ] {
        catch(name, sentence(text), parts);
    }

    let without = declared("a/Cargo.toml", "[package]\nname = \"a\"\n");
    catch(
        "manifest_without",
        Vec::from_iter(without.err()),
        &["a/Cargo.toml: declares no rust-version"],
    );
    trials
}
