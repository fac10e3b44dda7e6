//! The book's newest server. Besides `/` it has `/10ms`, which takes a worker that long. A second
//! argument says how many requests may wait for a worker; without it, there is no bound.

use hello::{Limits, Request, Response, Server};
use std::{env, error::Error, thread, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let asked = servers::asked_to_stop()?;
    let queue = match env::args().nth(2) {
        Some(queue) => queue.parse()?,
        None => usize::MAX,
    };
    let limits = Limits {
        connections: 20_000,
        queue,
        ..Limits::default()
    };
    let server = Server::bind(&servers::address()?)?;
    let server = server.with_limits(limits).with_pages(page);
    servers::listening(server.address()?);
    server.run(asked)?.finish()?;
    Ok(())
}

fn page(request: &Request) -> Response {
    let (status, body) = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => ("200 OK", servers::PAGE),
        ("GET", "/10ms") => {
            thread::sleep(Duration::from_millis(10));
            ("200 OK", servers::PAGE)
        }
        _ => ("404 NOT FOUND", ""),
    };
    Response::html(status, body)
}
