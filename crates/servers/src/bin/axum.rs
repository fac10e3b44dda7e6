//! `axum`, on the threads of `tokio`. If the variable `ORDERS` names a file, it takes orders, too: each
//! writes its path there, and takes ten milliseconds.

use axum::{
    http::Uri,
    response::Html,
    routing::{get, post},
    Router,
};
use std::{env, fs::OpenOptions, io, io::Write, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{signal, SignalKind},
    time::sleep,
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
    let mut pages = Router::new().route("/", get(|| async { Html(servers::PAGE) }));
    if env::var_os("ORDERS").is_some() {
        pages = pages.route("/order/{number}", post(order));
    }
    let listener = TcpListener::bind(servers::address()?).await?;
    servers::listening(listener.local_addr()?);
    axum::serve(listener, pages)
        .with_graceful_shutdown(async move {
            asked.recv().await;
        })
        .await
}

async fn order(path: Uri) -> Html<&'static str> {
    if let Err(error) = write(&path) {
        eprintln!("{path} is not written: {error}");
    }
    sleep(Duration::from_millis(10)).await;
    Html(servers::PAGE)
}

/// A line is so short that no thread waits for it.
fn write(path: &Uri) -> io::Result<()> {
    let file = env::var_os("ORDERS").unwrap_or_default();
    let mut orders = OpenOptions::new().append(true).open(file)?;
    orders.write_all(format!("{path}\n").as_bytes())
}
