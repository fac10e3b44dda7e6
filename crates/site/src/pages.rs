//! The pages that are shown, and the server that shows them: the newest listing's.

use anyhow::Result;
use hello::{Files, Request, Response, Server};
use std::{
    mem,
    net::TcpListener,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};
use tempfile::TempDir;

const NOT_FOUND: &str = "404 NOT FOUND";

/// A folder of pages, and another one in its place when there are newer pages.
///
/// # Examples
///
/// ```no_run
/// use site::Site;
/// use std::{net::TcpListener, os::unix::net::UnixStream, sync::Arc};
///
/// let site = Arc::new(Site::of("target/book/html".as_ref())?);
/// let (stop, ask) = UnixStream::pair()?;
/// let server = site.server(TcpListener::bind("127.0.0.1:3000")?);
/// server.run(stop)?.finish()?; // until `ask` is dropped
/// # drop(ask);
/// # Ok::<(), anyhow::Error>(())
/// ```
pub struct Site {
    shown: RwLock<Arc<Shown>>,
}

/// Pages that do not change.
struct Shown {
    files: Files,
    /// Those of a build are removed once nobody reads them any more.
    _built: Option<TempDir>,
}

impl Site {
    /// Shows what is in a folder.
    ///
    /// # Errors
    ///
    /// When it is none, or cannot be read.
    pub fn of(folder: &Path) -> Result<Site> {
        Ok(Site::with(Shown {
            files: Files::in_folder(folder)?,
            _built: None,
        }))
    }

    /// Shows a build.
    pub(super) fn built(folder: TempDir) -> Result<Site> {
        Ok(Site::with(Shown::built(folder)?))
    }

    fn with(shown: Shown) -> Site {
        Site {
            shown: RwLock::new(Arc::new(shown)),
        }
    }

    /// From now on, shows another build. Whoever is being sent a page of the one before gets all of it.
    pub(super) fn show(&self, folder: TempDir) -> Result<()> {
        let shown = Arc::new(Shown::built(folder)?);
        let mut current = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut *current, shown);
        drop(current);
        drop(before); // without the lock: a folder may have to be removed
        Ok(())
    }

    /// What is asked for; in place of a page that is not there, the book's own page that says so.
    pub fn answer(&self, request: &Request) -> Response {
        let shown = self.shown();
        let response = shown.files.respond(request);
        if response.status != NOT_FOUND {
            return response;
        }
        let page = shown.files.respond(&Request {
            method: request.method.clone(),
            path: "/404.html".into(),
            query: String::new(),
            headers: Vec::new(), // they are about what was asked for
            body: Vec::new(),
        });
        match page.status {
            "200 OK" => Response {
                status: NOT_FOUND,
                ..page
            },
            _ => response,
        }
    }

    /// The lock is held only here: to read a file may take a while.
    fn shown(&self) -> Arc<Shown> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shown)
    }

    /// Where the newest build lies.
    #[cfg(test)]
    pub(super) fn folder(&self) -> std::path::PathBuf {
        self.shown()._built.as_ref().unwrap().path().to_owned()
    }

    /// A server that shows them.
    pub fn server(self: &Arc<Site>, listener: TcpListener) -> Server {
        let site = Arc::clone(self);
        Server::on(listener).with_pages(move |request| site.answer(request))
    }
}

impl Shown {
    fn built(folder: TempDir) -> Result<Shown> {
        let files = Files::in_folder(folder.path())?;
        Ok(Shown {
            files,
            _built: Some(folder),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hello::Body;
    use std::fs;

    fn asks(path: &str, headers: &[(&str, &str)]) -> Request {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Request {
            method: "GET".into(),
            path: path.into(),
            query: String::new(),
            headers: headers.iter().map(own).collect(),
            body: Vec::new(),
        }
    }

    fn said(response: Response) -> (&'static str, String) {
        match response.body {
            Body::Bytes(bytes) => (response.status, String::from_utf8(bytes).unwrap()),
            Body::File(part) => (
                response.status,
                String::from_utf8(part.read().unwrap().0).unwrap(),
            ),
        }
    }

    fn pages(text: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), text).unwrap();
        folder
    }

    #[test]
    fn a_page_that_is_not_there_is_the_books_own() {
        let folder = pages("The first page.");
        let site = Site::of(folder.path()).unwrap();
        assert_eq!(
            said(site.answer(&asks("/", &[]))),
            ("200 OK", "The first page.".into())
        );
        let (status, text) = said(site.answer(&asks("/none.html", &[])));
        assert_eq!((status, text.contains("404")), (NOT_FOUND, true));

        fs::write(folder.path().join("404.html"), "There is none.").unwrap();
        for headers in [
            &[][..],
            &[("Range", "bytes=0-1")],
            &[("If-None-Match", "*")],
        ] {
            let answer = site.answer(&asks("/none.html", headers));
            assert_eq!(
                said(answer),
                (NOT_FOUND, "There is none.".into()),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn another_build_is_shown_whole_and_has_other_tags() {
        let site = Site::built(pages("The first text.")).unwrap();
        let first = site.answer(&asks("/index.html", &[]));
        let tag = first
            .headers
            .iter()
            .find(|(name, _)| *name == "ETag")
            .unwrap()
            .1
            .clone();
        let known = [("If-None-Match", tag.as_str())];
        assert_eq!(site.answer(&asks("/", &known)).status, "304 NOT MODIFIED");

        site.show(pages("A second text..")).unwrap(); // as long as the first

        assert_eq!(
            said(site.answer(&asks("/", &known))),
            ("200 OK", "A second text..".into())
        );
        assert_eq!(said(first), ("200 OK", "The first text.".into()));
    }
}
