// ANCHOR: uses
//! What the program gets from whoever has started it, and what it tells them.

use hello::{Server, ServerError};
use listenfd::ListenFd;
use nix::{
    sys::socket::{getsockopt, sockopt::AcceptConn},
    unistd::{dup2_stdin, dup2_stdout},
};
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
        check(&listener)?;

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

/// An error if this is no socket, or is one that does not listen.
fn check(listener: &TcpListener) -> io::Result<()> {
    match getsockopt(listener, AcceptConn)? {
        true => Ok(()),
        false => Err(io::Error::other("this socket does not listen")),
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

/// From now on, that is nothing to this process, which stops anyway: a second SIGTERM would end it
/// at once.
pub fn stop_alone() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(None);
}
// ANCHOR_END: orphan

// ANCHOR: listen_fds
/// Takes the socket that `LISTEN_FDS` tells of, if it does.
pub fn listen_fds() -> Result<Option<Server>, ServerError> {
    let take = || {
        let mut handed = ListenFd::from_env();
        if handed.len() > 1 {
            // Clients of the others would wait in vain.
            return Err(io::Error::other("there is more than one socket"));
        }
        let listener = handed.take_tcp_listener(0)?;
        if let Some(listener) = &listener {
            check(listener)?;
        }
        Ok(listener.map(Server::on))
    };
    take().map_err(|error| ServerError::Handed("LISTEN_FDS", error))
}
// ANCHOR_END: listen_fds

// ANCHOR: ready
/// Tells the supervisor, by a line on standard output, that this server is ready. What is printed
/// from then on goes where errors go, and so it depends on nobody who reads it.
pub fn say_ready() -> Result<(), ServerError> {
    let say = || {
        writeln!(io::stdout(), "ready")?;
        Ok(dup2_stdout(io::stderr())?)
    };
    say().map_err(|error| ServerError::Told("standard output", error))
}
// ANCHOR_END: ready

// ANCHOR: notify
/// Tells the system's manager of services of a state, if it wants to know: `READY=1`.
pub fn notify(state: &str) -> Result<(), ServerError> {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let send = || {
        let socket = UnixDatagram::unbound()?;
        match name.as_bytes() {
            // This one is not in the file system.
            #[cfg(target_os = "linux")]
            [b'@', name @ ..] => {
                use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
                let address = SocketAddr::from_abstract_name(name)?;
                socket.send_to_addr(state.as_bytes(), &address)
            }
            _ => socket.send_to(state.as_bytes(), &name),
        }
    };
    match send() {
        Ok(_) => Ok(()),
        Err(error) => Err(ServerError::Told("NOTIFY_SOCKET", error)),
    }
}
// ANCHOR_END: notify
