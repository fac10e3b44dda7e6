//! Connections that are idle, new, slow, or given up.

use super::Played;
use crate::conformance::{
    client::{get, Client, DEADLINE, PAGE_BIG},
    stage::Setup,
    Outcome,
};
use std::{
    thread,
    time::{Duration, Instant},
};

pub fn idle(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the idle client")?;
    client.send(get("/"))?;
    client.page()?;
    server.ask_to_stop()?;
    client.end()?;
    server.ends()
}

pub fn silent(setup: Setup) -> Played {
    let mut server = setup.hasty().start()?;
    let client = server.client("the silent client")?;
    client.is_read();
    server.ask_to_stop()?;
    server.ends_in_time()
}

/// While the server is frozen, both come: requests on connections that were idle, and the signal.
pub fn crosses(setup: Setup) -> Played {
    const CLIENTS: usize = 20;
    let mut server = setup.start()?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = server.client("a first request")?;
        client.send(get("/"))?;
        client.page()?;
        client.is_now("some of the requests that cross");
        clients.push(client);
    }
    server.process.falls_asleep();
    server.process.freeze();
    for client in &mut clients {
        client.send(get("/"))?;
    }
    server.signal();
    server.process.thaw();
    all_have_the_page(&mut clients)?;
    server.ends()
}

/// Every one of them is read, and then the first failure is told.
fn all_have_the_page(clients: &mut [Client]) -> Played {
    let pages: Vec<_> = clients.iter_mut().map(Client::page).collect();
    pages.into_iter().try_for_each(|page| page.map(drop))
}

/// It looks before it asks again, as a client does that keeps connections.
pub fn every_50_ms(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the first request")?;
    client.send(get("/"))?;
    client.page()?;
    client.is_now("a request of many");
    server.ask_to_stop()?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        thread::sleep(Duration::from_millis(50));
        if client.has_something() {
            break; // the end, if it is one
        }
        client.send(get("/"))?;
        let answer = client.page().map_err(|wrong| server.explain(wrong))?;
        if answer.is_last() {
            break;
        }
        if Instant::now() > deadline {
            return Err(client.wrong(Outcome::NeverEnds, "it is never told to go"));
        }
    }
    client.end()?;
    server.ends()
}

/// While a handler holds up the drain, somebody comes: who is let in has to get an answer.
pub fn new_one(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut first = server.client("the first client")?;
    first.send(get("/sleep"))?;
    let handler = server.gate.begun()?;
    server.ask_to_stop()?;

    let late = Client::connect(server.address, "the client that comes late");
    if let Ok(mut late) = late {
        let sent = late.send(get("/"));
        handler.release();
        first.page()?;
        sent?;
        late.page()?;
    } else {
        handler.release();
        first.page()?;
    }
    server.ends()
}

/// The server is frozen, so that none of them can be accepted before the signal comes.
pub fn backlog(setup: Setup) -> Played {
    const CLIENTS: usize = 20;
    let mut server = setup.start()?;
    let mut client = server.client("the client before")?;
    client.send(get("/"))?;
    client.page()?;
    drop(client);
    server.process.freeze();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = server.client("some of the twenty")?;
        client.send(get("/"))?;
        clients.push(client);
    }
    server.signal();
    server.process.thaw();
    all_have_the_page(&mut clients)?;
    server.ends()
}

pub fn slow_reader(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the slow reader")?;
    client.send(get("/big"))?;
    let mut answer = client.head()?;
    server.ask_to_stop()?;
    client.body(&mut answer, |_| thread::sleep(Duration::from_millis(1)))?;
    if answer.status != 200 || answer.body.len() != PAGE_BIG {
        return Err(client.wrong(Outcome::Other, "another page"));
    }
    server.ends()
}

pub fn never_reads(setup: Setup) -> Played {
    let mut server = setup.hasty().start()?;
    let mut client = server.client("the client that never reads")?;
    client.send_and_wait(get("/big"))?;
    server.ask_to_stop()?;
    server.ends_in_time()
}

/// It has hung up its own direction. It still listens.
pub fn half_closed(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client that has hung up half")?;
    client.send(get("/sleep"))?;
    let handler = server.gate.begun()?;
    client.hang_up_half();
    server.ask_to_stop()?;
    handler.release();
    client.page()?;
    server.ends()
}
