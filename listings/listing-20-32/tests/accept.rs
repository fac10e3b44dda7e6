//! What the server makes of the errors of `accept`. What is private to the library has no other way
//! to be called from here than to take in its text.

#[path = "../src/accept.rs"]
mod accept;

use accept::{after, Next};
use std::io;

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

#[test]
fn where_nobody_waits_there_is_a_wait() {
    assert_eq!(after(&io::ErrorKind::WouldBlock.into()), Next::WhenOneComes);
}
