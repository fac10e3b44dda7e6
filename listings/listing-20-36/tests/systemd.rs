//! The unit files, and the server as systemd starts it, where systemd's own programs are there.

#![cfg(target_os = "linux")]

#[path = "common/client.rs"]
mod client;
mod common;

use client::Client;
use common::{hello, Server};
use std::{
    env, fs,
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{self, Command},
};

/// Whether this program of systemd is there. If not, that is said.
fn is_there(program: &str) -> bool {
    match Command::new(program).arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("not tried: there is no {program}");
            false
        }
        _ => true,
    }
}

#[test]
fn the_unit_files_are_understood() {
    if !is_there("systemd-analyze") {
        return;
    }
    let folder = env::temp_dir().join(format!("hello-{}-units", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let units = ["hello.service", "hello.socket"].map(|name| {
        let unit = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("systemd")
            .join(name);
        let text = fs::read_to_string(unit).unwrap();
        // It is not installed here, and where it is built, there may be a space in its path.
        let copy = folder.join(name);
        fs::write(&copy, text.replace("/usr/local/bin/hello", "/bin/sh")).unwrap();
        copy
    });
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(&units)
        .output();
    let _ = fs::remove_dir_all(&folder);
    let verified = verified.unwrap();
    // What it does not know, it only complains of.
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}

#[test]
fn systemd_passes_the_socket_on_when_the_first_client_comes() {
    if !is_there("systemd-socket-activate") {
        return;
    }
    // It cannot choose a port. This one was free a moment ago; if it is not any more, try another.
    for _ in 0..10 {
        let free = TcpListener::bind(common::ANY_PORT).unwrap();
        let address: SocketAddr = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new("systemd-socket-activate");
        command.args(["-l", &address.to_string()]);
        command.arg(hello().get_program());
        let mut server = Server::spawn(command);
        let said = server.complained("isten");
        if !said.starts_with("Listening on ") {
            continue;
        }
        let answer = Client::to(address).get("/");
        assert!(answer.head.starts_with("HTTP/1.1 200 "), "{}", answer.head);
        server.complained(&format!("listening on {address}"));
        server.signal("TERM");
        assert!(server.ended().0.success());
        return;
    }
    panic!("no port stays free");
}
