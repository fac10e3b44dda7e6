//! What the server makes of the errors of `accept`. The functions of `main.rs` are private: so that
//! these tests can call them, its text is taken in here.
#![allow(dead_code)]

mod common;

include!("../src/main.rs");

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
    // ENOMEM, ENFILE, EMFILE, ENOBUFS; and EPERM, as an example of what nobody has thought of
    for code in [12, 23, 24, 105, 1] {
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
