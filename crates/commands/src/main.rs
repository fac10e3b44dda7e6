use std::process::ExitCode;

fn main() -> ExitCode {
    book_commands::run(std::env::args_os().skip(1))
}
