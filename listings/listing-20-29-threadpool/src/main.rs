// ANCHOR: uses
mod accept;
mod errors;
mod request;
mod response;
mod status;

use accept::accept;
use errors::{report, ServerError};
use response::handle_connection;
use std::{
    io::{self, prelude::*},
    net::TcpListener,
    process::ExitCode,
};
use threadpool::ThreadPool;

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
    let pool = ThreadPool::new(4);

    let served = (0..2).try_for_each(|_| {
        let stream = accept(&listener)?;
        pool.execute(|| handle_connection(stream));
        Ok(())
    });

    let _ = writeln!(io::stdout(), "Shutting down.");
    // The drop would not wait.
    pool.join();
    served
}
// ANCHOR_END: main
