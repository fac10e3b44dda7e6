//! `conformance` prints the table. `conformance ask POOL QUESTION` asks one pool one question.

use std::process::exit;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = std::env::current_exe().expect("the program knows its path");
    if let Err(error) = pools::conformance::main(&program, &arguments) {
        eprintln!("{error}");
        exit(2);
    }
    // Jobs and workers that are still there do not keep the process.
    exit(0);
}
