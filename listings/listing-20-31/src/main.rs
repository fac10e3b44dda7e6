// ANCHOR: uses
mod signals;

use hello::{report, tell, Server};
use signals::Signals;
use std::{env, error::Error, process::ExitCode};
// ANCHOR_END: uses

// ANCHOR: main
fn main() -> ExitCode {
    // `env::args` would panic over an argument that is no text.
    let arguments = env::args_os().skip(1);
    let arguments: Vec<_> = arguments
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let address = match arguments.as_slice() {
        [] => "127.0.0.1:7878",
        [address] if !address.starts_with('-') => address,
        _ => {
            tell(format_args!("usage: hello [ADDRESS:PORT]"));
            return ExitCode::from(2);
        }
    };

    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> Result<(), Box<dyn Error>> {
    // In this order: from `bind` on, clients are connected.
    let signals = Signals::catch()?;
    let server = Server::bind(address)?;
    tell(format_args!("listening on {}", server.address()?));

    let draining = server.run(&signals)?;

    let unanswered = draining.unanswered();
    tell(format_args!(
        "{signals}: stopping, {unanswered} still to answer"
    ));
    draining.finish();
    tell(format_args!("stopped"));
    Ok(())
}
// ANCHOR_END: main
