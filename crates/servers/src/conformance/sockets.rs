//! What Linux says of the sockets on this machine. So a scenario can wait until a server has
//! accepted a connection, or has read what was sent to it, without asking the server.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

const LISTEN: u8 = 0x0A;

/// One end of a connection, or a listener.
#[derive(Debug, PartialEq)]
pub struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    state: u8,
    /// Bytes that have come and that the program has not read; of a listener, the connections that
    /// it has not accepted.
    pub unread: usize,
    /// A program has it. A connection in the queue of a listener is nobody's.
    pub is_owned: bool,
}

/// Whether somebody listens at this address.
pub fn listens(address: SocketAddr) -> bool {
    all().any(|socket| socket.state == LISTEN && socket.local == address)
}

/// The end of the connection from `client` that the server has, if it still has it.
pub fn of_server(server: SocketAddr, client: SocketAddr) -> Option<Socket> {
    all().find(|socket| socket.local == server && socket.remote == client)
}

fn all() -> impl Iterator<Item = Socket> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let sockets: Vec<_> = table.lines().filter_map(parse).collect();
    sockets.into_iter()
}

/// A line of `/proc/net/tcp`: number, both addresses, state, both queues, and further on the inode.
fn parse(line: &str) -> Option<Socket> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (_, unread) = fields.get(4)?.split_once(':')?;
    Some(Socket {
        local: address(fields.get(1)?)?,
        remote: address(fields.get(2)?)?,
        state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
        unread: usize::from_str_radix(unread, 16).ok()?,
        is_owned: *fields.get(9)? != "0",
    })
}

/// An address in hexadecimal, its bytes in the order of this machine, and its port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((Ipv4Addr::from(ip), port).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        net::{TcpListener, TcpStream},
        time::{Duration, Instant},
    };

    #[test]
    fn a_connection_is_nobodys_until_it_is_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        assert!(listens(server));

        let mut client = TcpStream::connect(server).unwrap();
        client.write_all(b"four").unwrap();
        let ours = client.local_addr().unwrap();
        assert!(!of_server(server, ours).unwrap().is_owned);

        let _accepted = listener.accept().unwrap();
        let socket = of_server(server, ours).unwrap();
        assert_eq!((socket.is_owned, socket.unread), (true, 4));

        drop(listener);
        // What another test has started in this moment has it, too, until it is another program.
        let start = Instant::now();
        while listens(server) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "it still listens"
            );
        }
    }
}
