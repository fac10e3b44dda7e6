//! The promise: every crate under `listings/` is formatted, builds without a warning of the compiler's
//! or of clippy's, and passes its own `cargo test`; and each step differs from the one before only
//! where a page shows it.
//!
//! All of this is done in a copy, as a reader gets it from `cargo book step`, which shows that a step
//! needs nothing from around its folder but packages, and nothing is written into `listings/`. Each
//! copy has a target folder of its own. A new one begins with what was compiled for another copy of a
//! listing with the same dependencies. The tests of a listing take turns at the port by a lock file of
//! their own; later ones need no turn.

mod catches;
mod differences;

use crate::support::cargo::{building, cargo, copies, DEADLINE};
use crate::support::network::with_port;
use crate::support::turns::turn;
use crate::support::{report, told};
use book::{sources::Sources, step};
use book_commands::step::update;
use differences::{check_package, check_step, PORT_IS_FREE};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

const FMT: &[&str] = &["fmt", "--check"];
/// Also what `cargo test` leaves out, a benchmark.
const BUILD: &[&str] = &["build", "--locked", "--all-targets"];
const TEST: &[&str] = &["test", "--locked"];

/// A copy of a listing: the one that a reader gets from `cargo book step`.
struct Copy {
    listing: String,
    folder: PathBuf,
    built: OnceLock<Result<(), String>>,
}

impl Copy {
    fn of(listing: &str) -> Arc<Copy> {
        Arc::new(Copy {
            listing: listing.to_owned(),
            folder: copies().join(listing).join("hello"),
            built: OnceLock::new(),
        })
    }

    /// Makes the copy what the listing is now, and builds it and its tests, once, if it is formatted.
    fn build(&self) -> Result<(), String> {
        let build = || {
            let _turn = turn();
            let updated = update(&book::root(), &self.listing, &self.folder);
            updated.map_err(|error| format!("{error:#}"))?;
            self.cargo(FMT)?;
            let target = self.folder.join("target");
            building(&self.folder, &target, || self.cargo(BUILD))
        };
        self.built.get_or_init(build).clone()
    }

    /// Builds it, and runs its tests.
    fn test(&self, trial: &str) -> Result<(), Failed> {
        self.build()?;
        match step::place(&self.listing) < step::place(PORT_IS_FREE) {
            true => with_port(trial, DEADLINE, || Ok(self.cargo(TEST)?)),
            false => Ok(self.cargo(TEST)?),
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Result<(), String> {
        cargo(&self.folder, &self.folder.join("target"), arguments)
            .map_err(|error| format!("a copy of listings/{}: {error}", self.listing))
    }
}

/// What a page shows as the picture that a step's example draws is what it draws, byte for byte.
fn check_picture(copy: &Copy) -> Result<(), String> {
    let shown = book::root().join("src").join(PICTURE);
    let away = tempfile::tempdir().map_err(|error| format!("cannot make a folder: {error}"))?;
    let drawn = away.path().join("drawn.png");
    copy.build()?;
    let arguments = ["run", "--locked", "--example", "mandelbrot", "--"];
    let drawn_to = drawn.to_string_lossy();
    copy.cargo(&[&arguments[..], &[&*drawn_to]].concat())?;

    let read = |path: &Path| {
        fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    if read(&drawn)? == read(&shown)? {
        return Ok(());
    }
    Err(format!(
        "src/{PICTURE} is not what the example `mandelbrot` of {DRAWS} draws: draw it again there, and look \
         at it"
    ))
}

const PICTURE: &str = "pictures/seahorses.png";
const DRAWS: &str = "listing-20-30";

type SourceCheck = fn(&Sources, &str) -> Vec<String>;

pub fn trials() -> Result<Vec<Trial>, Failed> {
    let root = book::root();
    let sources = Sources::read(&root).map_err(told)?;
    let sources = Arc::new(sources);

    let mut trials = Vec::new();
    // The last has the most dependencies: whoever comes later has some of them in common with it.
    let listings = sources.listings();
    let copies = listings.iter().rev().map(|listing| Copy::of(listing));
    let copies: Vec<_> = copies.collect();
    for copy in &copies {
        let copy = Arc::clone(copy);
        let name = format!("{}::listings::build", copy.listing);
        trials.push(Trial::test(name, move || Ok(copy.build()?)));
    }
    for copy in copies {
        if copy.listing == DRAWS {
            let copy = Arc::clone(&copy);
            trials.push(Trial::test(
                format!("{DRAWS}::listings::picture"),
                move || Ok(check_picture(&copy)?),
            ));
        }
        let name = format!("{}::listings::test", copy.listing);
        trials.push(Trial::test(name.clone(), move || copy.test(&name)));
    }
    for &listing in &listings {
        for (what, check) in [
            ("package", check_package as SourceCheck),
            ("step", check_step),
        ] {
            let (sources, name) = (Arc::clone(&sources), listing.to_owned());
            trials.push(Trial::test(
                format!("{listing}::listings::{what}"),
                move || report(check(&sources, &name)),
            ));
        }
    }
    trials.extend(catches::trials());
    Ok(trials)
}
