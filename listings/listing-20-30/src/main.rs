// ANCHOR: uses
mod accept;
mod errors;
mod request;
mod response;
mod status;

use accept::accept;
use errors::{report, ServerError};
use hello::ThreadPool;
use response::handle_connection;
use std::{
    io::{self, prelude::*},
    net::TcpListener,
    process::ExitCode,
};

const ADDRESS: &str = "127.0.0.1:7878";
// ANCHOR_END: uses

// ANCHOR: main
fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), ServerError> {
    let listener = TcpListener::bind(ADDRESS).map_err(ServerError::Listen)?;
    let pool = ThreadPool::build(4).map_err(ServerError::Pool)?;

    for _ in 0..2 {
        let stream = accept(&listener)?;
        pool.execute(|| handle_connection(stream));
    }

    let _ = writeln!(io::stdout(), "Shutting down.");
    Ok(())
}
// ANCHOR_END: main
