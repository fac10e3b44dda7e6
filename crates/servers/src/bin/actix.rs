//! `actix-web`, which handles SIGTERM by itself.

use actix_web::{
    web::{get, post, Bytes},
    App, HttpResponse, HttpServer, Responder,
};
use std::io;

fn main() -> io::Result<()> {
    actix_web::rt::System::new().block_on(serve())
}

async fn serve() -> io::Result<()> {
    let app = || {
        App::new()
            .route("/", get().to(page))
            .route("/sleep", get().to(sleep))
            .route("/big", get().to(|| async { servers::big() }))
            .route("/echo", post().to(|body: Bytes| async { body }))
            .route("/panic", get().to(panic))
    };
    let mut server = HttpServer::new(app).workers(servers::WORKERS);
    let (patience, grace) = servers::limits();
    if let Some(patience) = patience {
        server = server.client_request_timeout(patience);
    }
    if let Some(grace) = grace {
        server = server.shutdown_timeout(grace.as_secs()); // for the workers of a stop
    }
    let server = server.bind(servers::address()?)?;
    for address in server.addrs() {
        servers::listening(address);
    }
    server.run().await
}

async fn page() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(servers::PAGE)
}

async fn sleep() -> impl Responder {
    servers::wait_at_gate_async("/sleep")
        .await
        .expect("the gate opens");
    page().await
}

async fn panic() -> HttpResponse {
    servers::wait_at_gate_async("/panic")
        .await
        .expect("the gate opens");
    panic!("as it was asked to")
}
