//! `conformance SERVER` asks a server all scenarios, `conformance ./PROGRAM ARGUMENTS` one of yours, and
//! `conformance ask SCENARIO SERVER` asks one scenario and tells what happens in it.

use std::process::exit;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = std::env::current_exe().expect("the program knows its path");
    if let Err(error) = servers::conformance::main(&program, &arguments) {
        eprintln!("{error}");
        exit(2);
    }
    // Clients and gates that are still there do not keep the process.
    exit(0);
}
