//! nginx in front of the same two servers.

use super::haproxy::{free_address, new_folder, started, Change};
use anyhow::{ensure, Context, Result};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Its configuration, as the book shows it.
const CONFIGURATION: &str = "recorded/nginx.conf";
/// The ports in it: its own, and those of the servers.
const PORTS: [&str; 3] = [":7878", ":7879", ":7880"];

/// An nginx that runs in a folder of its own. It ends when this is dropped.
pub(super) struct Nginx {
    child: Child,
    folder: PathBuf,
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
        let mut text = super::haproxy::changed(root, CONFIGURATION, changes)?;
        for (from, to) in PORTS
            .into_iter()
            .zip([format!(":{}", address.port()), a, b])
        {
            ensure!(text.contains(from), "{CONFIGURATION} has no {from}");
            text = text.replace(from, &to);
        }
        let folder = new_folder()?;
        fs::write(folder.join("nginx.conf"), text)?;
        let log = fs::File::create(folder.join("log"))?;
        let child = Command::new("nginx")
            // One process, so that nothing is left when it is killed.
            .args(["-p", ".", "-c", "nginx.conf", "-e", "stderr"])
            .args(["-g", "master_process off;"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot run nginx; is it on your PATH? (Debian has it in /usr/sbin)")?;
        let mut nginx = Nginx {
            child,
            folder,
            address,
        };
        started(&mut nginx.child, address, &nginx.folder)?;
        Ok(nginx)
    }

    /// How often a request was sent to another server once more.
    pub(super) fn again(&self) -> Result<usize> {
        let tried = fs::read_to_string(self.folder.join("tried")).context("nginx has no log")?;
        Ok(again(&tried))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
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
