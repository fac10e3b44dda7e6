// ANCHOR: uses
//! Three ways to end a loop over `accept`, and what is wrong with each. No client comes from
//! outside, and the port is any that is free.

use signal_hook::{consts::SIGTERM, flag};
use std::{
    env,
    io::{self, prelude::*, ErrorKind},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{self, Command},
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: main
fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    match env::args().nth(1).as_deref() {
        Some("flag") => look_at_a_flag(listener, address),
        Some("connect") => connect_to_oneself(listener, address),
        Some("sleep") => look_again_and_again(listener, address),
        _ => {
            eprintln!("usage: wrong_ways flag|connect|sleep");
            process::exit(2)
        }
    }
}
// ANCHOR_END: main

// ANCHOR: flag
fn look_at_a_flag(listener: TcpListener, address: SocketAddr) -> io::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    flag::register(SIGTERM, Arc::clone(&stop))?; // from now on, the signal sets it

    let seen = Arc::clone(&stop);
    let other = thread::spawn(move || {
        let id = process::id().to_string();
        Command::new("kill").args(["-s", "TERM", &id]).status()?;
        thread::sleep(Duration::from_secs(1));
        println!("The flag is {seen:?}, and the loop goes on.");
        TcpStream::connect(address)
    });

    for stream in listener.incoming() {
        drop(stream?); // a server would answer it
        if stop.load(Ordering::SeqCst) {
            break;
        }
    }
    println!("Somebody came, and the loop has ended.");
    other.join().expect("it does not panic").map(drop)
}
// ANCHOR_END: flag

// ANCHOR: connect
fn connect_to_oneself(listener: TcpListener, address: SocketAddr) -> io::Result<()> {
    let wake_up = || TcpStream::connect_timeout(&address, Duration::from_millis(500));

    // A client is here, and then the loop is woken up. Which of the two does it get?
    let mut client = wake_up()?;
    let _wake_up = wake_up()?;
    drop(listener.accept()?); // the flag is set: this one is not answered
    println!("The client reads {} bytes.", client.read(&mut [0; 100])?);
    drop(listener.accept()?);

    // The process stands still for a while, and clients come.
    let mut clients = Vec::new();
    let error = loop {
        match wake_up() {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
    };
    println!("{} clients wait. The wake-up: {error}", clients.len());
    Ok(())
}
// ANCHOR_END: connect

// ANCHOR: sleep
fn look_again_and_again(listener: TcpListener, address: SocketAddr) -> io::Result<()> {
    static LOOKS: AtomicUsize = AtomicUsize::new(0);
    listener.set_nonblocking(true)?;
    thread::spawn(move || loop {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        match listener.accept() {
            Ok((mut stream, _)) => stream.write_all(b"an answer").unwrap(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // It would look at a flag here.
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
    });

    thread::sleep(Duration::from_secs(1));
    let looks = LOOKS.load(Ordering::Relaxed);
    println!("A second without a client: it has looked {looks} times.");

    let start = Instant::now();
    for _ in 0..10 {
        TcpStream::connect(address)?.read_to_string(&mut String::new())?;
    }
    println!("Ten clients, one after the other: {:?}", start.elapsed());
    Ok(())
}
// ANCHOR_END: sleep
