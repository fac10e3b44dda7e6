// Runs the final server from its page: two requests are answered, then it ends, in time.

// What is printed is not looked at, and a pool that is broken may print without end.
#[allow(unused_macros)]
macro_rules! println {
    ($($text:tt)*) => {{ let _ = format_args!($($text)*); }};
}

mod server {
__FENCE__
    pub fn run() {
        main();
    }
}

fn main() {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::thread;
    use std::time::Duration;

    const ADDRESS: &str = "127.0.0.1:7878";

    // One test at a time may use the port, in whichever process it runs.
    let port = std::env::temp_dir().join("hello-port-7878.lock");
    // To lock it, it is enough to read it: another user may have made it.
    let port = std::fs::File::open(&port).or_else(|_| std::fs::File::create(&port)).unwrap();
    let deadline = |seconds, message| {
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(seconds));
            eprintln!("{message}");
            std::process::exit(1);
        })
    };
    deadline(900, "another test has held the port for a quarter of an hour");
    port.lock().unwrap();
    deadline(15, "the final server (listing 20-25) did not shut down in time");
    if let Err(error) = std::net::TcpListener::bind(ADDRESS) {
        panic!("{ADDRESS} is taken by another program; end it and try again: {error}");
    }

    std::fs::write("hello.html", "hello").unwrap();
    std::fs::write("404.html", "not found").unwrap();

    let server = thread::spawn(server::run);
    for (path, expected) in [("/", "200 OK"), ("/nowhere", "404 NOT FOUND")] {
        let mut stream = loop {
            match TcpStream::connect(ADDRESS) {
                Ok(stream) => break stream,
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        };
        write!(stream, "GET {path} HTTP/1.1\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(response.contains(expected), "{path}: {response}");
    }
    server.join().unwrap();
    assert!(TcpStream::connect(ADDRESS).is_err(), "a third request got through");
}
