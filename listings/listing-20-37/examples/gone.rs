// ANCHOR: uses
//! A page that takes five steps to make, and a look at the client before each of them.

use std::{
    io::{self, prelude::*, ErrorKind},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
    time::Duration,
};
// ANCHOR_END: uses

// ANCHOR: look
/// Whether nothing more will come from this client. It is asked without waiting, and without
/// taking anything from what it has sent.
fn has_ended(client: &TcpStream) -> io::Result<bool> {
    client.set_nonblocking(true)?;
    let ended = match client.peek(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    client.set_nonblocking(false)?;
    Ok(ended)
}

/// Does the steps one after the other, as long as somebody may wait for the result. Returns how
/// many it has done.
fn make_page(client: &TcpStream, mut step: impl FnMut(u32)) -> io::Result<u32> {
    for number in 1..=5 {
        if has_ended(client)? {
            return Ok(number - 1);
        }
        step(number);
    }
    Ok(5)
}
// ANCHOR_END: look

// ANCHOR: main
fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    for act in ["waits", "hangs up", "ends its half, and waits"] {
        let mut client = Some(TcpStream::connect(listener.local_addr()?)?);
        let (mut stream, _) = listener.accept()?;

        let done = make_page(&stream, |number| {
            if number == 2 {
                match act {
                    "hangs up" => client = None,
                    "ends its half, and waits" => {
                        let half = client.as_ref().unwrap();
                        half.shutdown(Shutdown::Write).unwrap();
                    }
                    _ => {}
                }
            }
            thread::sleep(Duration::from_millis(50)); // work
        })?;

        // What a write says of it. The answer to the first one is what the second one learns from.
        let first = stream.write(b"a page").map_err(|error| error.kind());
        thread::sleep(Duration::from_millis(50));
        let second = stream.write(b", and more").map_err(|error| error.kind());
        drop(stream);
        let mut read = String::new();
        if let Some(mut client) = client {
            client.read_to_string(&mut read)?;
        }
        println!("A client {act}: {done} steps are done.");
        println!("  Two writes: {first:?}, {second:?}. It reads {read:?}.");
    }
    Ok(())
}
// ANCHOR_END: main
