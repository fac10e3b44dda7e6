//! `tiny_http`: a thread for each connection reads its requests, and four threads answer them.

use std::{
    error::Error,
    io::{self, Read},
    sync::Arc,
    thread,
};
use tiny_http::{Header, Method, Request, Response, Server};

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut asked = servers::asked_to_stop()?;
    let server = Arc::new(Server::http(servers::address()?)?);
    let address = server.server_addr().to_ip();
    servers::listening(address.ok_or("it does not listen at an address")?);

    let workers: Vec<_> = (0..servers::WORKERS)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                for request in server.incoming_requests() {
                    let _ = answer(request); // it fails if the client is gone
                }
            })
        })
        .collect();

    let _ = asked.read(&mut [0]);
    for _ in &workers {
        server.unblock(); // one of them
    }
    for worker in workers {
        let _ = worker.join();
    }
    Ok(())
}

fn answer(mut request: Request) -> io::Result<()> {
    let page = match (request.method(), request.url()) {
        (Method::Get, "/") => servers::PAGE.into(),
        (Method::Get, "/sleep") => {
            servers::wait_at_gate("/sleep")?;
            servers::PAGE.into()
        }
        (Method::Get, "/big") => servers::big(),
        (Method::Post, "/echo") => {
            let mut body = Vec::new();
            request.as_reader().read_to_end(&mut body)?;
            body
        }
        (Method::Get, "/panic") => {
            servers::wait_at_gate("/panic")?;
            panic!("as it was asked to")
        }
        _ => return request.respond(Response::empty(404)),
    };
    let html = Header::from_bytes("Content-Type", "text/html; charset=utf-8");
    // A page that is larger than that would be sent in chunks.
    let response = Response::from_data(page).with_chunked_threshold(usize::MAX);
    match html {
        Ok(html) => request.respond(response.with_header(html)),
        Err(()) => request.respond(response),
    }
}
