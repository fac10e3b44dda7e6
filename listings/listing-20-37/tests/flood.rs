//! Clients that never wait, as Listing 20-35 is checked for: how the event loop takes back what it has
//! lent decides whether all others get their turn.

#![cfg(unix)]

#[path = "common/client.rs"]
mod client;
mod common;

use client::{get, Client};
use common::{in_time, uninterrupted, wait_until, ANY_PORT};
use hello::{Limits, Request, Response, Server};
use std::{
    io::prelude::*,
    os::unix::net::UnixStream,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc, Arc, Mutex,
    },
    thread,
};

/// They do not wait for an answer, and so the server always has another request of theirs to refuse.
#[test]
fn clients_that_are_refused_again_and_again_keep_it_from_nothing_else() {
    let (go_on, wait) = mpsc::channel::<()>();
    let (begun, wait) = (Arc::new(AtomicUsize::new(0)), Mutex::new(wait));
    let counted = Arc::clone(&begun);
    let pages = move |_: &Request| {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = wait.lock().unwrap().recv(); // until the end of the test
        Response::html("200 OK", "")
    };
    let limits = Limits {
        queue: 0,
        ..Limits::default()
    };
    let server = Server::bind(ANY_PORT).unwrap();
    let server = server.with_limits(limits).with_pages(pages);
    let address = server.address().unwrap();
    let (asked, ask) = UnixStream::pair().unwrap();
    let ended = thread::spawn(move || server.run(asked).unwrap().finish());
    let ask_for = |path: &str| {
        let mut client = Client::to(address);
        client.send(get(path));
        client
    };

    let busy: Vec<_> = (0..4).map(|_| ask_for("/wait")).collect();
    wait_until("four pages are begun", || begun.load(Ordering::SeqCst) == 4);
    let many = get("/a").repeat(1000);
    let flood = Arc::new(AtomicUsize::new(0));
    let clients = (0..8).map(|_| {
        let (mut client, many) = (Client::to(address), many.clone());
        let mut answers = client.stream().try_clone().unwrap();
        thread::spawn(move || while client.try_to_send(&many).is_ok() {});
        let flood = Arc::clone(&flood);
        thread::spawn(move || {
            let mut some = [0; 64 * 1024];
            while let Ok(1..) = uninterrupted(|| answers.read(&mut some)) {
                flood.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    wait_until("they are refused", || flood.load(Ordering::SeqCst) > 100);

    let mut other = ask_for("/b");
    assert!(other.answer().head.starts_with("HTTP/1.1 503 "));
    drop((busy, other, ask, go_on));
    let ended = in_time(move || ended.join().expect("the server panicked"));
    assert!(ended.expect("it is joined").is_ok());
    for client in clients {
        client.join().unwrap();
    }
}
