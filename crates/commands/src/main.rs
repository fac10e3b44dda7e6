use std::process::ExitCode;

fn main() -> ExitCode {
    book_commands::run(std::env::args().skip(1).collect())
}
