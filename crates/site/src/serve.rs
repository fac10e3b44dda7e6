//! Serves the book until it is asked to stop.

use crate::{build::render, open_browser, said::say, watch::Files, Serve, Site};
use anyhow::{bail, Context, Result};
use signals::Signals;
use std::{
    io::ErrorKind,
    net::{TcpListener, ToSocketAddrs},
    path::Path,
    process::ExitCode,
    sync::{
        mpsc::{self, Receiver, RecvTimeoutError},
        Arc,
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The listing's own. A library would not export them: a signal belongs to the program.
#[path = "../../../listings/listing-20-37/src/signals.rs"]
mod signals;

/// How often it is looked whether a file has changed.
const INTERVAL: Duration = Duration::from_millis(500);

/// The status if the server's grace was over before everyone had an answer, as in the listing.
const CUT_OFF: u8 = 3;

/// Serves the book, and builds it again when a file changes, until a signal asks it to stop.
///
/// # Errors
///
/// When the book cannot be built at first (later on, the pages stay as they were), when the address
/// cannot be listened at, and when the server cannot go on.
pub fn serve(root: &Path, arguments: &Serve) -> Result<ExitCode> {
    let signals = Signals::catch().context("cannot listen to Ctrl-C")?;
    let host = arguments.hostname.as_str();
    // Before the book is built, which takes a moment: it would be in vain.
    let listener = listen(host, arguments.port)?;
    let port = listener.local_addr()?.port();

    let files = Files::of(root);
    let site = Arc::new(Site::built(build(root)?)?);
    let server = site.server(listener).ready()?;
    let address = match host.contains(':') {
        true => format!("http://[{host}]:{port}"),
        false => format!("http://{host}:{port}"),
    };
    say(&format!("Serving on: {address} (Ctrl-C stops it)\n"));
    if arguments.open {
        // It may take a moment, and pages can be asked for meanwhile.
        thread::spawn(move || {
            if let Err(error) = open_browser(&address) {
                say(&format!("{error:#}\n"));
            }
        });
    }

    let (end, ended) = mpsc::channel();
    let watched = thread::spawn({
        let (root, site) = (root.to_owned(), Arc::clone(&site));
        move || follow(&root, files, &site, &ended)
    });
    let draining = server.run(&signals)?;
    let unanswered = draining.unanswered();
    say(&format!(
        "{signals}: stopping, {unanswered} still to answer\n"
    ));
    let finished = draining.finish();
    drop(end);
    // If it is building, that is over soon, and its folder is removed.
    let _ = watched.join();

    match finished {
        Ok(()) => {
            say("stopped\n");
            Ok(ExitCode::SUCCESS)
        }
        Err(unfinished) => {
            say(&format!("{unfinished}\n"));
            Ok(ExitCode::from(CUT_OFF))
        }
    }
}

/// Builds the book in a folder of its own.
fn build(root: &Path) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("book-").tempdir();
    let folder = folder.context("cannot make a folder for the pages; TMPDIR says where")?;
    render(root, folder.path())?;
    Ok(folder)
}

/// Builds the book, and shows it if that succeeds.
fn renew(root: &Path, site: &Site) -> Result<()> {
    site.show(build(root)?)
}

/// Shows the newest pages until there is nobody at the other end of `ended`.
fn follow(root: &Path, mut built: Files, site: &Site, ended: &Receiver<()>) {
    let mut before = built.clone();
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(INTERVAL) {
        let now = Files::of(root);
        // Only when nothing has changed for one interval: whoever saves many files is done.
        if now == before {
            if let Some(changed) = now.changed_since(&built) {
                let changed = changed.strip_prefix(root).unwrap_or(changed);
                say(&format!("{} has changed: building\n", changed.display()));
                match renew(root, site) {
                    Ok(()) => say("built: reload the page\n"),
                    Err(error) => say(&format!("error: {error:#}\nThe pages stay as they were.\n")),
                }
                built = now.clone();
            }
        }
        before = now;
    }
}

/// Listens at the first of the host's addresses that this machine has: the one where a browser looks
/// first.
fn listen(host: &str, port: u16) -> Result<TcpListener> {
    let addresses = (host, port).to_socket_addrs().with_context(|| {
        format!(
            "there is no host {host:?}; name this machine, or one of its addresses: \
             cargo book serve --hostname localhost"
        )
    })?;
    let mut failed = None;
    for address in addresses {
        match TcpListener::bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "port {port} is taken: another program listens on {address}, perhaps this book in \
                 another terminal.\nEnd it, or choose another port: cargo book serve --port {}",
                port.checked_add(1).unwrap_or(3000)
            ),
            Err(error) => failed = Some((address, error)),
        }
    }
    let Some((address, error)) = failed else {
        bail!("{host:?} has no address; name another: cargo book serve --hostname localhost");
    };
    let why = match error.kind() {
        ErrorKind::AddrNotAvailable => {
            "which is no address of this machine; \
             name one that is: cargo book serve --hostname localhost"
        }
        ErrorKind::PermissionDenied => {
            "which this user may not; \
             choose another port: cargo book serve --port 3000"
        }
        _ => "choose another address: cargo book serve --hostname localhost",
    };
    Err(error).with_context(|| format!("cannot listen on {address}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_book;
    use std::{fs, time::Instant};

    #[test]
    fn a_page_that_changes_is_shown_and_one_that_cannot_be_built_is_not() {
        let book = small_book();
        let page = book.path().join("src/page.md");
        let site = Arc::new(Site::built(build(book.path()).unwrap()).unwrap());
        let shows = |site: &Site, text| {
            let html = fs::read_to_string(site.folder().join("page.html")).unwrap();
            html.contains(text)
        };
        assert!(shows(&site, "The first text."));
        let first = site.folder();

        fs::write(&page, "{{#include gone.txt}}\n").unwrap();
        let error = renew(book.path(), &site).unwrap_err().to_string();
        assert!(error.contains("\nsrc/page.md:1: "), "{error}");
        assert!(shows(&site, "The first text."));

        let files = Files::of(book.path());
        let (end, ended) = mpsc::channel();
        let followed = thread::spawn({
            let (root, site) = (book.path().to_owned(), Arc::clone(&site));
            move || follow(&root, files, &site, &ended)
        });
        fs::write(&page, "# A page\n\nThe second text.\n").unwrap();
        let start = Instant::now();
        while !shows(&site, "The second text.") {
            assert!(start.elapsed() < Duration::from_secs(60), "it is not shown");
            thread::sleep(INTERVAL / 10);
        }
        drop(end);
        followed.join().unwrap();
        assert!(!first.exists(), "nobody reads these pages any more");
    }

    #[test]
    fn a_taken_port_is_an_error_that_names_another() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = holder.local_addr().unwrap().port();

        let error = listen("127.0.0.1", port).unwrap_err().to_string();

        assert!(error.contains(&format!("port {port} is taken")), "{error}");
        assert!(error.contains("cargo book serve --port"), "{error}");
    }

    #[test]
    fn what_is_no_host_of_this_machine_is_an_error_that_names_one_that_is() {
        // An address that is only for examples (RFC 5737), and no name at all.
        for host in ["192.0.2.1", ""] {
            let error = format!("{:#}", listen(host, 0).unwrap_err());
            assert!(error.contains("--hostname localhost"), "{host}: {error}");
        }
    }
}
