//! Makes modules of two of the book's pools: that of Listing 20-35 without its server; and both
//! without what they print, for the benches: printing takes longer than all else that a pool does.

use book::models::without_other_files;
use std::{env, fs, path::Path};

const PRINTS: &str = r#"let _ = panic::catch_unwind(AssertUnwindSafe(|| println!("{line}")));"#;
const IS_SILENT: &str = "let _ = line;";

fn main() {
    let channel = pool("listing-20-28");
    let queue = pool("listing-20-35");
    write("silent.rs", &silent(&channel));
    write("queue.rs", &queue);
    write("queue-silent.rs", &silent(&queue));
}

/// The library of a listing, to be included inside a module: without the lines that could not stand
/// there, without its other files, and without what it exports of them.
fn pool(listing: &str) -> String {
    let path = format!("../../listings/{listing}/src/lib.rs");
    println!("cargo::rerun-if-changed={path}");
    let library = fs::read_to_string(path).expect("the listing can be read");
    let library = without_other_files(&library);
    let is_for_whole = |line: &&str| line.starts_with("//!") || line.starts_with("#![");
    let kept: Vec<_> = library.lines().filter(|line| !is_for_whole(line)).collect();
    kept.join("\n")
}

fn silent(pool: &str) -> String {
    let found = pool.matches(PRINTS).count();
    assert_eq!(found, 1, "a pool has to have this line once: {PRINTS}");
    pool.replace(PRINTS, IS_SILENT)
}

fn write(name: &str, module: &str) {
    let directory = env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR");
    let path = Path::new(&directory).join(name);
    fs::write(path, module).expect("OUT_DIR can be written to");
}
