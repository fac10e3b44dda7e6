use std::process::ExitCode;

fn main() -> ExitCode {
    site::run(std::env::args_os().skip(1))
}
