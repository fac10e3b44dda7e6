//! `axum`, on the threads of `tokio`. It stops as its documentation of `with_graceful_shutdown` says.

use axum::{
    body::Bytes,
    response::Html,
    routing::{get, post},
    Router,
};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    signal::unix::{signal, SignalKind},
};

fn main() -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(servers::WORKERS)
        .enable_all()
        .build()?
        .block_on(serve())
}

async fn serve() -> io::Result<()> {
    let pages = Router::new()
        .route("/", get(|| async { Html(servers::PAGE) }))
        .route("/sleep", get(sleep))
        .route("/big", get(|| async { servers::big() }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/panic", get(panic));
    let listener = TcpListener::bind(servers::address()?).await?;
    servers::listening(listener.local_addr()?);
    axum::serve(listener, pages)
        .with_graceful_shutdown(asked_to_stop())
        .await
}

async fn asked_to_stop() {
    match signal(SignalKind::terminate()) {
        Ok(mut asked) => {
            asked.recv().await;
        }
        Err(error) => eprintln!("no signal will stop this: {error}"),
    }
}

async fn sleep() -> Html<&'static str> {
    wait("/sleep").await.expect("the gate opens");
    Html(servers::PAGE)
}

async fn panic() -> Html<&'static str> {
    wait("/panic").await.expect("the gate opens");
    panic!("as it was asked to")
}

/// Waits at the gate.
async fn wait(path: &str) -> io::Result<()> {
    let mut gate = TcpStream::connect(servers::gate()?).await?;
    gate.write_all(servers::at_gate(path).as_bytes()).await?;
    gate.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
