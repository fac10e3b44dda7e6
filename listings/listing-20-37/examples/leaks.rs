// ANCHOR: leaks
//! A folder of files, as one might write it first. It gives away what is not in the folder.

use hello::{Request, Response, Server};
use percent_encoding::percent_decode_str;
use std::{error::Error, fs, os::unix::net::UnixStream, path::Path};

fn page(request: &Request) -> Response {
    let path = request.path.trim_start_matches('/');
    if path.contains("..") {
        return Response::html("403 FORBIDDEN", "403 FORBIDDEN\n");
    }
    let path = percent_decode_str(path).decode_utf8_lossy();
    match fs::read(Path::new("public").join(path.as_ref())) {
        Ok(file) => Response::html("200 OK", file),
        Err(_) => Response::html("404 NOT FOUND", "404 NOT FOUND\n"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (_ask, asked) = UnixStream::pair()?; // nobody asks: Ctrl-C ends it
    Server::bind("127.0.0.1:7878")?
        .with_pages(page)
        .run(asked)?
        .finish()?;
    Ok(())
}
// ANCHOR_END: leaks
