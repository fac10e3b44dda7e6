//! Makes the book's pool that prints nothing, for the bench: printing takes longer than
//! all else that the pool does.

use std::{env, fs, path::Path};

const LISTING: &str = "../../listings/listing-20-28/src/lib.rs";
const PRINTS: &str = r#"let _ = panic::catch_unwind(AssertUnwindSafe(|| println!("{line}")));"#;
const IS_SILENT: &str = "let _ = line;";

fn main() {
    println!("cargo::rerun-if-changed={LISTING}");

    let listing = fs::read_to_string(LISTING).expect("the listing can be read");
    let found = listing.matches(PRINTS).count();
    assert_eq!(found, 1, "{LISTING} has to have this line once: {PRINTS}");

    // The file is included inside a module, where these could not stand.
    let lines = listing.lines();
    let lines = lines.filter(|line| !line.starts_with("//!") && !line.starts_with("#!["));
    let silent: Vec<&str> = lines.collect();
    let silent = silent.join("\n").replace(PRINTS, IS_SILENT);

    let directory = env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR");
    let path = Path::new(&directory).join("silent.rs");
    fs::write(path, silent).expect("OUT_DIR can be written to");
}
