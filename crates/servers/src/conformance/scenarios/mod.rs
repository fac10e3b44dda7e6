//! The scenarios. Each is a few lines of client, with the signal in the middle.
//!
//! Nothing waits for a time to pass, but for something to happen: that a server has read what was
//! sent, has closed its listener, has begun a handler, has ended.

mod connections;
mod process;
mod requests;
mod work;

use super::{stage::Setup, Scenario, Wrong};
use crate::adapters::Server;
use std::env;

/// What a scenario shows.
type Played = Result<(), Wrong>;

/// Plays a scenario with a server of its own.
pub fn play(server: &Server, scenario: Scenario) -> Played {
    let rounds = if is_close(scenario) { rounds() } else { 1 };
    for _ in 1..rounds {
        play_once(server, Setup::new(server), scenario)?;
    }
    play_once(server, Setup::new(server), scenario)
}

/// In these, two things come at the same moment, and it may depend on who is quicker. So they are played
/// more than once: some times, or as often as the variable `ROUNDS` says.
pub fn is_close(scenario: Scenario) -> bool {
    matches!(
        scenario,
        Scenario::Backlog | Scenario::Crosses | Scenario::StartUp
    )
}

fn rounds() -> usize {
    let rounds = env::var("ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(5)
}

fn play_once(server: &Server, setup: Setup, scenario: Scenario) -> Played {
    match scenario {
        Scenario::IdleKeepAlive => connections::idle(setup),
        Scenario::SilentNew => connections::silent(setup),
        Scenario::Crosses => connections::crosses(setup),
        Scenario::Every50ms => connections::every_50_ms(setup),
        Scenario::NewConnection => connections::new_one(setup),
        Scenario::Backlog => connections::backlog(setup),
        Scenario::SlowReader => connections::slow_reader(setup),
        Scenario::NeverReads => connections::never_reads(setup),
        Scenario::HalfClosed => connections::half_closed(setup),
        Scenario::HalfHead => requests::half_head(setup),
        Scenario::HalfSecondHead => requests::half_second_head(setup),
        Scenario::HalfHeadForEver => requests::half_head_for_ever(setup),
        Scenario::HalfBody => requests::half_body(setup),
        Scenario::Expect => requests::expect(setup),
        Scenario::UnreadBody => requests::unread_body(setup),
        Scenario::TwoAtOnce => requests::two_at_once(setup),
        Scenario::Http10 => requests::http_1_0(setup),
        Scenario::HandlerRunning => work::handler_running(setup),
        Scenario::SaysClose => work::says_close(setup),
        Scenario::WaitsForWorker => work::waits_for_worker(setup),
        Scenario::FullHouse => work::full_house(setup),
        Scenario::Panic => work::panic(setup),
        Scenario::StuckHandler => work::stuck_handler(setup),
        Scenario::SecondSignal => process::second_signal(setup),
        Scenario::StartUp => process::start_up(setup),
        Scenario::NoDescriptors => process::no_descriptors(setup),
        Scenario::Restart => process::restart(server),
        Scenario::Process1 => process::process_1(setup),
    }
}
