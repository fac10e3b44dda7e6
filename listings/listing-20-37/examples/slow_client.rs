// ANCHOR: uses
//! A client that takes nine seconds for its request: a byte each half second. It says what it hears.

use std::{
    env,
    io::{self, prelude::*},
    net::TcpStream,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: client
fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let start = Instant::now();
    let mut stream = TcpStream::connect(address.as_deref().unwrap_or("127.0.0.1:7878"))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;

    let mut answer = [0; 1024];
    for (sent, byte) in (1..).zip(b"GET / HTTP/1.0\r\n\r\n") {
        stream.write_all(&[*byte])?;
        // Half a second without an answer is an error, and then the next byte is sent.
        if let Ok(read) = stream.read(&mut answer) {
            let seconds = start.elapsed().as_secs_f32();
            let answer = String::from_utf8_lossy(&answer[..read]);
            let line = answer.lines().next().unwrap_or("nothing more");
            println!("{sent} bytes sent, {seconds:.1} s: {line}");
            break;
        }
    }
    Ok(())
}
// ANCHOR_END: client
