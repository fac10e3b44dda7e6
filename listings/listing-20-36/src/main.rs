// ANCHOR: uses
mod handed;
mod signals;

use hello::{report, tell, Limits, Server};
use signals::Signals;
use std::{env, error::Error, process::ExitCode, time::Duration};
// ANCHOR_END: uses

// ANCHOR: main
/// The status if the grace was over before everyone had an answer.
const CUT_OFF: u8 = 3;

fn main() -> ExitCode {
    // `env::args` would panic over an argument that is no text.
    let arguments = env::args_os().skip(1);
    let arguments: Vec<_> = arguments
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let Some((place, limits)) = understood(&arguments) else {
        tell(format_args!(
            "usage: hello [--grace SECONDS] [ADDRESS:PORT | --inherit]"
        ));
        return ExitCode::from(2);
    };

    match serve(place, limits) {
        Ok(status) => status,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}
// ANCHOR_END: main

// ANCHOR: place
/// Where the socket comes from.
enum Place<'a> {
    Address(&'a str),
    StandardInput,
    /// Nothing was said. `LISTEN_FDS` may say it.
    Any,
}

/// Where to listen, and how long to wait for others, if the arguments say that.
fn understood<'a>(arguments: &[&'a str]) -> Option<(Place<'a>, Limits)> {
    let mut limits = Limits::default();
    let rest = match arguments {
        ["--grace", seconds, rest @ ..] => {
            limits.grace = Duration::from_secs(seconds.parse::<u32>().ok()?.into());
            rest
        }
        rest => rest,
    };
    match rest {
        [] => Some((Place::Any, limits)),
        ["--inherit"] => Some((Place::StandardInput, limits)),
        [address] if !address.starts_with('-') => Some((Place::Address(address), limits)),
        _ => None,
    }
}
// ANCHOR_END: place

// ANCHOR: serve
/// The status to end with, after the server has been asked to stop.
fn serve(place: Place, limits: Limits) -> Result<ExitCode, Box<dyn Error>> {
    // In this order: once there is a socket, clients are connected.
    let signals = Signals::catch()?;
    let server = match place {
        Place::Address(address) => Server::bind(address)?,
        Place::StandardInput => handed::standard_input()?,
        Place::Any => match handed::listen_fds()? {
            Some(server) => server,
            None => Server::bind("127.0.0.1:7878")?,
        },
    };
    let address = server.address()?;
    let server = server.with_limits(limits).ready()?;
    tell(format_args!("listening on {address}"));
    // One of them has started it. What the variable says was for the supervisor, if there is one.
    let is_supervised = matches!(place, Place::StandardInput);
    if is_supervised {
        handed::say_ready()?;
    } else {
        handed::notify("READY=1")?;
    }
    let draining = server.run(&signals)?;

    if is_supervised {
        handed::stop_alone();
    } else {
        let _ = handed::notify("STOPPING=1"); // it stops in any case
    }
    let unanswered = draining.unanswered();
    tell(format_args!(
        "{signals}: stopping, {unanswered} still to answer"
    ));
    match draining.finish() {
        Ok(()) => {
            tell(format_args!("stopped"));
            Ok(ExitCode::SUCCESS)
        }
        Err(unfinished) => {
            let (running, never_begun) = (unfinished.running, unfinished.never_begun);
            tell(format_args!(
                "out of time: cut off {running} in the middle, \
                 and {never_begun} that had not begun"
            ));
            Ok(ExitCode::from(CUT_OFF))
        }
    }
}
// ANCHOR_END: serve
