//! nginx in front of the same two servers.

use super::running::{configuration, free_address, Change, Running};
use anyhow::{ensure, Context, Result};
use std::{fs, net::SocketAddr, path::Path, process::Command};

/// Its configuration, as the book shows it.
const CONFIGURATION: &str = "recorded/nginx.conf";
/// The ports in it: its own, and those of the servers.
const PORTS: [&str; 3] = [":7878", ":7879", ":7880"];

/// An nginx that runs in a folder of its own. It ends when this is dropped.
pub(super) struct Nginx {
    running: Running,
    pub address: SocketAddr,
}

impl Nginx {
    /// Starts it in front of these servers, with these changes of its configuration, and waits until
    /// it listens.
    pub(super) fn start(
        root: &Path,
        changes: &[Change],
        servers: [SocketAddr; 2],
    ) -> Result<Nginx> {
        let address = free_address()?;
        let [a, b] = servers.map(|server| format!(":{}", server.port()));
        let mut text = configuration(root, CONFIGURATION, changes)?;
        for (from, to) in PORTS
            .into_iter()
            .zip([format!(":{}", address.port()), a, b])
        {
            ensure!(text.contains(from), "{CONFIGURATION} has no {from}");
            text = text.replace(from, &to);
        }
        let mut command = Command::new("nginx");
        // One process, so that nothing is left when it is killed.
        command
            .args(["-p", ".", "-c", "nginx.conf", "-e", "stderr"])
            .args(["-g", "master_process off;"]);
        let running = Running::start(&mut command, address, "nginx.conf", &text)?;
        Ok(Nginx { running, address })
    }

    /// How often a request was sent to another server once more.
    pub(super) fn again(&self) -> Result<usize> {
        let tried =
            fs::read_to_string(self.running.folder.join("tried")).context("nginx has no log")?;
        Ok(again(&tried))
    }
}

/// The log has a line for each request: the servers that were tried, with commas between them.
fn again(tried: &str) -> usize {
    tried.matches(", ").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_again_stands_behind_a_comma() {
        assert_eq!(
            again("127.0.0.1:1\n127.0.0.1:1, 127.0.0.1:2\n127.0.0.1:2\n"),
            1
        );
    }
}
