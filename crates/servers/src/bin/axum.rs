//! `axum`, on the threads of `tokio`. It stops as its documentation of `with_graceful_shutdown` says.
//! If the variable `ORDERS` names a file, it takes orders, too: each writes its path there, and takes ten
//! milliseconds.

use axum::{
    body::Bytes,
    http::Uri,
    response::Html,
    routing::{get, post},
    Router,
};
use std::{env, fs::OpenOptions, io, io::Write, time::Duration};
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
    let mut pages = Router::new()
        .route("/", get(|| async { Html(servers::PAGE) }))
        .route("/sleep", get(sleep))
        .route("/big", get(|| async { servers::big() }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/panic", get(panic));
    if env::var_os("ORDERS").is_some() {
        pages = pages.route("/order/{number}", post(order));
    }
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
    servers::wait_at_gate_async("/sleep")
        .await
        .expect("the gate opens");
    Html(servers::PAGE)
}

async fn panic() -> Html<&'static str> {
    servers::wait_at_gate_async("/panic")
        .await
        .expect("the gate opens");
    panic!("as it was asked to")
}

async fn order(path: Uri) -> Html<&'static str> {
    if let Err(error) = write(&path) {
        eprintln!("{path} is not written: {error}");
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    Html(servers::PAGE)
}

/// A line is so short that no thread waits for it.
fn write(path: &Uri) -> io::Result<()> {
    let file = env::var_os("ORDERS").unwrap_or_default();
    let mut orders = OpenOptions::new().append(true).open(file)?;
    orders.write_all(format!("{path}\n").as_bytes())
}
