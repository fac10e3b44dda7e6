//! The servers of which two copies run, and how a copy ends.

use super::super::{
    server::{self, Change, Server, ANY_PORT},
    servers,
    stopping::{AT_ONCE, CLOSED_LAST},
};
use anyhow::Result;
use rustix::process::Signal;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// The newest listing.
pub(super) const NEWEST: &str = "listing-20-36";
/// The one whose server is changed to close its listener last, as that of Listing 20-25 does.
const STOPPING: &str = "listing-20-31";

const RESPONSE: &str = "src/response.rs";

/// An order takes ten milliseconds. It is written into a file first: what is there has been done,
/// whether its client has an answer or not.
const ORDER: Change = (
    RESPONSE,
    "/// A response that says no more than its status.",
    r#"fn order(path: &str) -> (&'static str, &'static str) {
    let file = std::env::var_os("ORDERS").unwrap();
    let mut orders = fs::OpenOptions::new().append(true).open(file).unwrap();
    std::io::Write::write_all(&mut orders, format!("{path}\n").as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(10));
    ("200 OK", "hello.html")
}

/// A response that says no more than its status."#,
);

const OF_NEWEST: &[Change] = &[
    ORDER,
    (
        RESPONSE,
        r#"("GET" | "HEAD", "/sleep") => {"#,
        r#"("POST", path) => order(path), ("GET" | "HEAD", "/sleep") => {"#,
    ),
];

const OF_STOPPING: &[Change] = &[
    AT_ONCE,
    CLOSED_LAST,
    ORDER,
    (
        RESPONSE,
        r#""/sleep" => {"#,
        r#"path if path.starts_with("/order/") => order(path), "/sleep" => {"#,
    ),
    (
        "src/request.rs",
        r#""GET" | "HEAD" => path"#,
        r#""GET" | "HEAD" | "POST" => path"#,
    ),
    ("src/request.rs", r#""POST" | "PUT""#, r#""PUT""#),
];

/// A server to be restarted.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Newest,
    ClosesLast,
    Axum,
}

impl Kind {
    /// Builds it as it is measured, and returns the program.
    ///
    /// # Errors
    ///
    /// When it does not build.
    pub(super) fn build(self, root: &Path) -> Result<PathBuf> {
        match self {
            Kind::Newest => server::build(root, NEWEST, "newest, with orders", OF_NEWEST),
            Kind::ClosesLast => server::build(root, STOPPING, "with orders", OF_STOPPING),
            Kind::Axum => Ok(servers::build(root)?.join("axum")),
        }
    }
}

/// Makes `folder` a copy of the newest server that also takes orders.
///
/// # Errors
///
/// When it cannot be written, and when there is no place in it for what is changed.
pub fn newest(root: &Path, folder: &Path) -> Result<()> {
    server::copy(root, NEWEST, folder, OF_NEWEST)
}

/// How a copy ends.
#[derive(Clone, Copy)]
pub(super) enum End {
    Kill,
    Terminate,
}

/// A copy, and what it is started with.
pub(super) struct Copy<'a> {
    program: &'a Path,
    orders: &'a Path,
    server: Server,
}

impl<'a> Copy<'a> {
    pub(super) fn start(program: &'a Path, orders: &'a Path) -> Result<Copy<'a>> {
        let server = run(program, orders, ANY_PORT)?;
        Ok(Copy {
            program,
            orders,
            server,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(super) fn end(&mut self, end: End) -> Result<()> {
        match end {
            End::Kill => self.server.kill(),
            End::Terminate => {
                self.server.signal(Signal::TERM)?;
                self.server.ended()
            }
        }
    }

    /// Starts it again, at the same address.
    pub(super) fn again(&mut self) -> Result<()> {
        self.server = run(self.program, self.orders, &self.address().to_string())?;
        Ok(())
    }
}

fn run(program: &Path, orders: &Path, address: &str) -> Result<Server> {
    Server::run(Command::new(program).arg(address).env("ORDERS", orders))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_changed_in_a_copy_is_there_once() {
        for (listing, changes) in [(NEWEST, OF_NEWEST), (STOPPING, OF_STOPPING)] {
            for (file, from, _) in changes {
                let file = book::root().join("listings").join(listing).join(file);
                let source = fs::read_to_string(file).unwrap();
                assert_eq!(source.matches(from).count(), 1, "{listing}: {from}");
            }
        }
    }
}
