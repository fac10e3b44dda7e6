// ANCHOR: uses
mod handed;
mod signals;

use hello::{report, tell, Files, Limits, Server};
use signals::Signals;
use std::{
    env,
    error::Error,
    ffi::{OsStr, OsString},
    process::ExitCode,
    time::Duration,
};
// ANCHOR_END: uses

// ANCHOR: main
/// The status if the grace was over before everyone had an answer.
const CUT_OFF: u8 = 3;

fn main() -> ExitCode {
    // `env::args` would panic over an argument that is no text. A folder's name may be none.
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let Some((place, limits, folder)) = understood(&arguments) else {
        tell(format_args!(
            "usage: hello [--grace SECONDS] [--files FOLDER] [ADDRESS:PORT | --inherit]"
        ));
        return ExitCode::from(2);
    };

    match serve(place, limits, folder) {
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
enum Place {
    Address(String),
    StandardInput,
    /// Nothing was said. `LISTEN_FDS` may say it.
    Any,
}

/// Where to listen, how long to wait for others, and whose files to send, if the arguments say that.
fn understood(arguments: &[OsString]) -> Option<(Place, Limits, Option<&OsStr>)> {
    let (mut limits, mut folder) = (Limits::default(), None);
    let mut rest = arguments;
    while let [option, value, after @ ..] = rest {
        match option.to_str() {
            Some("--grace") => {
                let seconds = value.to_str()?.parse::<u32>().ok()?;
                limits.grace = Duration::from_secs(seconds.into());
            }
            Some("--files") => folder = Some(value.as_os_str()),
            _ => return None,
        }
        rest = after;
    }
    let place = match rest.first().map(|place| place.to_string_lossy()) {
        None => Place::Any,
        Some(option) if option == "--inherit" => Place::StandardInput,
        Some(address) if !address.starts_with('-') => Place::Address(address.into_owned()),
        Some(_) => return None,
    };
    Some((place, limits, folder))
}
// ANCHOR_END: place

// ANCHOR: serve
/// The status to end with, after the server has been asked to stop.
fn serve(place: Place, limits: Limits, folder: Option<&OsStr>) -> Result<ExitCode, Box<dyn Error>> {
    let files = folder.map(Files::in_folder).transpose()?;
    // In this order: once there is a socket, clients are connected.
    let signals = Signals::catch()?;
    let server = match place {
        Place::Address(ref address) => Server::bind(address)?,
        Place::StandardInput => handed::standard_input()?,
        Place::Any => match handed::listen_fds()? {
            Some(server) => server,
            None => Server::bind("127.0.0.1:7878")?,
        },
    };
    let address = server.address()?;
    let server = server.with_limits(limits);
    let server = match files {
        Some(files) => server.with_pages(move |request| files.respond(request)),
        None => server,
    };
    let server = server.ready()?;
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
