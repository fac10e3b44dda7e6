// ANCHOR: uses
//! What the program gets from whoever has started it, and what it tells them.

use hello::{Server, ServerError};
use listenfd::ListenFd;
use nix::unistd::{dup2_stdin, dup2_stdout};
use std::{
    env,
    fs::File,
    io::{self, prelude::*},
    net::TcpListener,
    os::{
        fd::AsFd,
        unix::{ffi::OsStrExt, net::UnixDatagram},
    },
};
// ANCHOR_END: uses

// ANCHOR: standard_input
/// Takes the socket that is standard input.
pub fn standard_input() -> Result<Server, ServerError> {
    let take = || {
        let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
        listener.local_addr()?; // an error if this is no socket

        // With two descriptors, the socket would stay open when the server closes its own.
        dup2_stdin(File::open("/dev/null")?)?;
        stop_with_the_supervisor()?;
        Ok(listener)
    };
    match take() {
        Ok(listener) => Ok(Server::on(listener)),
        Err(error) => Err(ServerError::Handed("standard input", error)),
    }
}
// ANCHOR_END: standard_input

// ANCHOR: orphan
/// From now on, if the process that has started this one ends, that is as good as a SIGTERM. For
/// nobody could have this server replaced, and the port would be in use.
fn stop_with_the_supervisor() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
    Ok(())
}
// ANCHOR_END: orphan

// ANCHOR: listen_fds
/// Takes the socket that `LISTEN_FDS` tells of, if it does.
pub fn listen_fds() -> Result<Option<Server>, ServerError> {
    let listener = ListenFd::from_env().take_tcp_listener(0);
    let listener = listener.map_err(|error| ServerError::Handed("LISTEN_FDS", error))?;
    Ok(listener.map(Server::on))
}
// ANCHOR_END: listen_fds

// ANCHOR: ready
/// Tells the supervisor, by a line on standard output, that this server is ready. What is printed
/// from then on goes where errors go, and so it depends on nobody who reads it.
pub fn say_ready() -> io::Result<()> {
    writeln!(io::stdout(), "ready")?;
    Ok(dup2_stdout(io::stderr())?)
}
// ANCHOR_END: ready

// ANCHOR: notify
/// Tells the system's manager of services of a state, if it wants to know: `READY=1`.
pub fn notify(state: &str) -> io::Result<()> {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let socket = UnixDatagram::unbound()?;
    match name.as_bytes() {
        // This one is not in the file system.
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
            let address = SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(state.as_bytes(), &address)?;
        }
        _ => {
            socket.send_to(state.as_bytes(), name)?;
        }
    }
    Ok(())
}
// ANCHOR_END: notify
