//! The pages that are shown, and the server that shows them: the newest listing's.

use hello::{Request, Response, Server};
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use tempfile::TempDir;

/// A folder of pages, and the next one in its place when there is one.
pub struct Site {
    shown: RwLock<Arc<Shown>>,
}

/// Pages that do not change. Those of a build are removed once nobody reads them any more.
struct Shown {
    folder: PathBuf,
    _built: Option<TempDir>,
}

impl Site {
    /// Shows what is in a folder of somebody else.
    pub fn of(folder: &Path) -> Site {
        Site::with(Shown {
            folder: folder.to_owned(),
            _built: None,
        })
    }

    /// Shows a build.
    pub(super) fn built(folder: TempDir) -> Site {
        Site::with(Shown::built(folder))
    }

    fn with(shown: Shown) -> Site {
        Site {
            shown: RwLock::new(Arc::new(shown)),
        }
    }

    /// From now on, shows another build. Whoever is reading a page of the one before gets it whole.
    pub(super) fn show(&self, folder: TempDir) {
        let shown = Arc::new(Shown::built(folder));
        let mut current = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, shown);
        drop(current);
        drop(before); // without the lock: it may be the last, and remove a folder
    }

    /// Where the pages lie that are shown now.
    #[cfg(test)]
    pub(super) fn folder(&self) -> PathBuf {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        shown.folder.clone()
    }

    /// The page that is asked for; for one that is not there, the book's own page that says so.
    pub fn answer(&self, request: &Request) -> Response {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        let shown = Arc::clone(&shown);
        let path = request.path.trim_start_matches('/');
        let path = if path.is_empty() { "index.html" } else { path };
        match fs::read(shown.folder.join(path)) {
            Ok(body) => Response {
                status: "200 OK",
                body,
            },
            Err(_) => Response {
                status: "404 NOT FOUND",
                body: fs::read(shown.folder.join("404.html")).unwrap_or_default(),
            },
        }
    }

    /// A server that shows them.
    pub fn server(self: &Arc<Site>, listener: TcpListener) -> Server {
        let site = Arc::clone(self);
        Server::on(listener).with_pages(move |request| site.answer(request))
    }
}

impl Shown {
    fn built(folder: TempDir) -> Shown {
        Shown {
            folder: folder.path().to_owned(),
            _built: Some(folder),
        }
    }
}
