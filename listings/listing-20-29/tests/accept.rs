//! What the server makes of the errors of `accept`. A program has no functions that others can call:
//! so that these tests can, its text is taken in here.
#![allow(dead_code)]

mod common;

include!("../src/main.rs");

use accept::{after, Next};
use std::net::TcpStream;

fn follows(code: i32) -> Next {
    after(&io::Error::from_raw_os_error(code))
}

#[test]
#[cfg(target_os = "linux")]
fn an_error_of_one_connection_is_followed_by_the_next_at_once() {
    // EINTR, EPROTO, ENETDOWN, ENETUNREACH, ECONNABORTED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH
    for code in [4, 71, 100, 101, 103, 104, 110, 113] {
        assert_eq!(follows(code), Next::AtOnce, "{code}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn if_something_is_used_up_there_is_a_pause() {
    // ENOMEM, ENFILE, EMFILE, ENOBUFS; and what we have not thought of: EPERM, and errors of one
    // connection that are so rare that a pause for them does no harm: ENONET, ENOPROTOOPT,
    // EOPNOTSUPP, EHOSTDOWN
    for code in [12, 23, 24, 105, 1, 64, 92, 95, 112] {
        assert_eq!(follows(code), Next::AfterAPause, "{code}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_listener_there_is_no_next() {
    // EBADF, EINVAL, ENOTSOCK
    for code in [9, 22, 88] {
        assert_eq!(follows(code), Next::Never, "{code}");
    }
}

/// With what is really no listener, `accept` returns, instead of trying for ever.
#[test]
#[cfg(unix)]
fn accept_returns_if_there_is_no_listener() {
    use std::{fs::File, os::fd::OwnedFd};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let file = File::open("Cargo.toml").unwrap();
    let no_listeners: [(OwnedFd, &str); 2] = [
        (client.into(), "EINVAL"), // as after the listener has been shut down
        (file.into(), "ENOTSOCK"),
    ];
    for (socket, name) in no_listeners {
        let listener = TcpListener::from(socket);
        let accepted = common::within(common::DEADLINE, move || accept(&listener));
        let error = accepted.unwrap_or_else(|| panic!("{name}: it tries for ever"));
        let error = error.unwrap().unwrap_err();
        assert!(matches!(error, ServerError::Accept(_)), "{name}: {error:?}");
    }
}
