//! What becomes of the process.

use super::Played;
use crate::{
    adapters::Server,
    conformance::{
        client::{get, Client, DEADLINE},
        stage::{free_address, Setup},
        Outcome, Wrong,
    },
};
use std::{thread, time::Instant};

/// A handler runs that does not end. Who asks twice does not want to wait for it.
pub fn second_signal(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send(get("/sleep"))?;
    let _handler = server.gate.begun()?;
    server.ask_to_stop()?;
    server.ask_again();
    server.ends_somehow().map(drop)
}

/// The signal comes as soon as somebody is connected.
pub fn start_up(setup: Setup) -> Played {
    let address = free_address();
    let mut server = setup.at(address).begin()?;
    let mut connected = None;
    let deadline = Instant::now() + DEADLINE;
    while connected.is_none() && Instant::now() < deadline {
        connected = Client::connect(address, "the first client").ok();
        thread::yield_now();
    }
    let Some(mut client) = connected else {
        return Err(Wrong::new(Outcome::Fails, "it does not listen"));
    };
    let sent = client.send(get("/"));
    server.signal();
    // Whether the process dies or its client is thrown away depends on who is quicker.
    sent.and_then(|()| client.page())?;
    server.ends()
}

/// Silent clients have all descriptors, and one more client waits. When they go, it has its turn.
pub fn no_descriptors(setup: Setup) -> Played {
    const DESCRIPTORS: u32 = 64;
    let mut server = setup.with_descriptors(DESCRIPTORS).start()?;
    let mut crowd = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        crowd.push(server.client("one of the crowd")?);
    }
    let mut client = server.client("the one that waits for them to go")?;
    client.send(get("/"))?;
    // By then it has tried, or knows that it need not.
    crowd[2 * DESCRIPTORS as usize - 1].is_read();
    drop(crowd);
    client.page()?;
    drop(client);
    server.ask_to_stop()?;
    server.ends()
}

/// The server closes a connection first, so that the system keeps its address for a while.
pub fn restart(server: &Server) -> Played {
    let mut first = Setup::new(server).start()?;
    let address = first.address;
    let mut client = first.client("the client before")?;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    client.page()?;
    client.end()?;
    first.signal();
    first.ends_somehow()?;

    let again = Setup::new(server).at(address).start()?;
    let mut client = again.client("the client after")?;
    client.send(get("/"))?;
    client.page().map(drop)
}

/// The system ignores signals to such a process that it does not handle.
pub fn process_1(setup: Setup) -> Played {
    let mut server = setup.in_a_container().start()?;
    let mut client = server.client("the client")?;
    client.send(get("/"))?;
    client.page()?;
    drop(client);
    server.ask_to_stop()?;
    server.ends()
}
