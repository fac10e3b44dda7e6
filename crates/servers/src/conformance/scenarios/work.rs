//! Handlers that run, wait, panic, or never end.

use super::Played;
use crate::{
    conformance::{
        client::{get, Client},
        gate::Held,
        stage::{Setup, Stage},
        Outcome, Wrong,
    },
    WORKERS,
};

pub fn handler_running(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send(get("/sleep"))?;
    let handler = server.gate.begun()?;
    server.ask_to_stop()?;
    handler.release();
    client.page()?;
    server.ends()
}

pub fn says_close(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut client = server.client("the client")?;
    client.send(get("/sleep"))?;
    let handler = server.gate.begun()?;
    server.ask_to_stop()?;
    handler.release();
    match client.page()?.is_last() {
        true => Ok(()),
        false => Err(client.wrong(Outcome::Other, "not told that this is the last answer")),
    }
}

/// Clients of as many handlers as there are workers, all of which wait at the gate.
fn keep_all_busy(server: &Stage) -> Result<(Vec<Client>, Vec<Held>), Wrong> {
    let (mut clients, mut handlers) = (Vec::new(), Vec::new());
    for _ in 0..WORKERS {
        let mut client = server.client("a client of a worker")?;
        client.send(get("/sleep"))?;
        handlers.push(server.gate.begun()?);
        clients.push(client);
    }
    Ok((clients, handlers))
}

/// As many handlers as there are workers wait, and one request more.
pub fn waits_for_worker(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let (mut clients, handlers) = keep_all_busy(&server)?;
    let mut client = server.client("the one that waits")?;
    client.send_and_wait(get("/"))?;
    clients.push(client);
    server.ask_to_stop()?;
    handlers.into_iter().for_each(|handler| handler.release());
    let answers: Vec<_> = clients.iter_mut().map(Client::page).collect();
    answers
        .into_iter()
        .try_for_each(|answer| answer.map(drop))?;
    server.ends()
}

/// More than that: those for whom there is no place may be refused, but have to be told.
pub fn full_house(setup: Setup) -> Played {
    const QUEUE: usize = 2;
    let mut server = setup.with_queue(QUEUE).start()?;
    let (mut clients, handlers) = keep_all_busy(&server)?;
    for _ in 0..3 * QUEUE {
        let mut client = server.client("one of those without a worker")?;
        client.send_and_wait(get("/"))?;
        clients.push(client);
    }
    server.ask_to_stop()?;
    handlers.into_iter().for_each(|handler| handler.release());
    let answers: Vec<_> = clients.iter_mut().map(Client::answer).collect();
    for (client, answer) in clients.iter().zip(answers) {
        let status = answer?.status;
        if status != 200 && status != 503 {
            return Err(client.wrong(Outcome::Other, format!("{status}")));
        }
    }
    drop(clients);
    server.ends()
}

/// It costs its own client the page, but nobody else.
pub fn panic(setup: Setup) -> Played {
    let mut server = setup.start()?;
    let mut other = server.client("the other client")?;
    other.send(get("/sleep"))?;
    let handler = server.gate.begun()?;
    let mut client = server.client("the client of the panic")?;
    client.send(get("/panic"))?;
    let panics = server.gate.begun()?;
    server.ask_to_stop()?;

    panics.release();
    let answer = client.answer();
    handler.release();
    other.page().map_err(|wrong| server.explain(wrong))?;
    let status = answer?.status;
    if status != 500 {
        return Err(client.wrong(Outcome::Other, format!("{status}, not 500")));
    }
    server.ends()
}

/// The drain has a deadline.
pub fn stuck_handler(setup: Setup) -> Played {
    let mut server = setup.hasty().start()?;
    let mut client = server.client("the client")?;
    client.send(get("/sleep"))?;
    let _handler = server.gate.begun()?;
    server.ask_to_stop()?;
    server.ends_in_time()
}
