// ANCHOR: uses
mod accept;
mod errors;
mod request;
mod response;
mod status;

use accept::accept;
use errors::{report, ServerError};
use rayon::ThreadPoolBuilder;
use response::handle_connection;
use std::{
    io::{self, prelude::*},
    net::TcpListener,
    panic,
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
    let pool = ThreadPoolBuilder::new()
        .num_threads(4)
        .build()
        .map_err(ServerError::Pool)?;

    // The drop would not wait. A scope does, for each job that was spawned in it.
    pool.in_place_scope(|scope| {
        for _ in 0..2 {
            let stream = accept(&listener)?;
            // What a job panics with would go on in this thread, and end the server.
            scope.spawn(|_| drop(panic::catch_unwind(|| handle_connection(stream))));
        }
        let _ = writeln!(io::stdout(), "Shutting down.");
        Ok(())
    })
}
// ANCHOR_END: main
