//! `axum`, on the threads of `tokio`.

use axum::{response::Html, routing::get, Router};
use std::io;
use tokio::{
    net::TcpListener,
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
    let mut asked = signal(SignalKind::terminate())?;
    let pages = Router::new().route("/", get(|| async { Html(servers::PAGE) }));
    let listener = TcpListener::bind(servers::address()?).await?;
    servers::listening(listener.local_addr()?);
    axum::serve(listener, pages)
        .with_graceful_shutdown(async move {
            asked.recv().await;
        })
        .await
}
