// ANCHOR: files
//! Pages that are files in a folder.

use crate::{
    content_type::content_type,
    errors::{report, ServerError},
    names::names,
    part::{Part, PIECE},
    range::{range, Range},
    request::Request,
    response::{refusal, Body, Response},
    status,
    version::{Verdict, Version},
};
use nix::{
    errno::Errno,
    fcntl::{openat, AtFlags, OFlag},
    sys::stat::{fstatat, Mode, SFlag},
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::PathBuf,
    time::SystemTime,
};

/// The files in a folder, as pages for everybody.
///
/// What a client is to see has to be a regular file below the folder, and no name on the way to it
/// begins with a dot, has a backslash in it, or is that of a symbolic link. All else is answered
/// with `404 NOT FOUND`. For a folder, its `index.html` is sent.
///
/// # Examples
///
/// ```no_run
/// use hello::{Files, Server};
///
/// let files = Files::in_folder("book")?;
/// let server = Server::bind("127.0.0.1:7878")?;
/// let server = server.with_pages(move |request| files.respond(request));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

/// What is at a path.
enum Found {
    /// A file, and its name.
    File(File, Vec<u8>),
    /// A folder. Its page has the same path and a slash.
    Folder,
}
// ANCHOR_END: files

// ANCHOR: respond
impl Files {
    /// The files in this folder. The folder itself may be a link, and another one may take its
    /// place: each request looks for it anew. If it has gone, the answer is
    /// `500 INTERNAL SERVER ERROR`.
    ///
    /// # Errors
    ///
    /// [`Page`](ServerError::Page) if there is no folder, or it cannot be read.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Result<Files, ServerError> {
        let folder = folder.into();
        match fs::read_dir(&folder) {
            Ok(_) => Ok(Files { folder }),
            Err(error) => Err(ServerError::Page(folder.display().to_string(), error)),
        }
    }

    /// Answers `GET` and `HEAD`: with a file, a part of one, or why not. This may wait for a disk.
    pub fn respond(&self, request: &Request) -> Response {
        let path = &request.path;
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return refusal(status::METHOD_NOT_ALLOWED);
        }
        match self.find(path) {
            Ok(Found::File(file, name)) => {
                send(request, file, &name).unwrap_or_else(|error| failed(path, error))
            }
            // Only if there is a page is there a way to it.
            Ok(Found::Folder) => match self.find(&format!("{path}/")) {
                Ok(_) => moved(&format!("{path}/{}", request.query)),
                Err(response) => response,
            },
            Err(response) => response,
        }
    }

    /// What is at a path, or the answer if there is nothing.
    fn find(&self, path: &str) -> Result<Found, Response> {
        // Without the folder itself, there is more amiss than a name.
        let folder = File::open(&self.folder)
            .map_err(|error| unable(self.folder.display().to_string(), error))?;
        find(folder, path).map_err(|error| failed(path, error))
    }
}

/// The way to the same path with a slash. Whatever no address can have is encoded, and so is a `%` that
/// encodes nothing.
fn moved(target: &str) -> Response {
    let encodes = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let mut location = String::new();
    for (place, byte) in target.bytes().enumerate() {
        let may_be_there = match target.as_bytes().get(place + 1..place + 3) {
            digits if byte == b'%' => digits.is_some_and(encodes),
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte),
        };
        match may_be_there {
            true => location.push(char::from(byte)),
            false => location += &format!("%{byte:02X}"),
        }
    }
    let moved = refusal(status::MOVED).with("Location", location);
    moved.with("Cache-Control", "no-cache") // the folder may become a file
}
// ANCHOR_END: respond

// ANCHOR: find
/// What is at this path in a folder.
fn find(mut folder: File, path: &str) -> io::Result<Found> {
    let not_found = || io::Error::from(ErrorKind::NotFound);
    let mut names = names(path).ok_or_else(not_found)?;
    let name = names.pop().ok_or_else(not_found)?;

    // From one folder to the next, and nowhere else: each name is looked for in the folder that
    // is open, and if it is a link, it is not followed.
    for name in names {
        folder = open(&folder, &name, OFlag::O_DIRECTORY)?;
    }

    // A pipe notices that it is opened, and a device may do anything. So look before ...
    let found = fstatat(&folder, name.as_slice(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    match SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => {}
        SFlag::S_IFDIR if !path.ends_with('/') => return Ok(Found::Folder),
        _ => return Err(not_found()),
    }
    // ... and after: another one may have taken the name.
    let file = open(&folder, &name, OFlag::O_NONBLOCK)?;
    match file.metadata()?.is_file() {
        true => Ok(Found::File(file, name)),
        false => Err(not_found()),
    }
}

/// Opens what has this name in a folder, to read it.
fn open(folder: &File, name: &[u8], flag: OFlag) -> io::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW | flag;
    Ok(openat(folder, name, flags, Mode::empty())?.into())
}

/// The answer if a file cannot be opened or read.
fn failed(path: &str, error: io::Error) -> Response {
    let code = error.raw_os_error().map(Errno::from_raw);
    match (error.kind(), code) {
        // Whether there is none, or it is not for everybody: that is not told.
        (ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied, _)
        | (ErrorKind::InvalidFilename, _)
        | (_, Some(Errno::ELOOP | Errno::EMLINK | Errno::ENXIO | Errno::EILSEQ)) => {
            refusal(status::NOT_FOUND)
        }
        _ => unable(path.to_owned(), error),
    }
}

/// The answer if that has nothing to do with what was asked for.
fn unable(what: String, error: io::Error) -> Response {
    let code = error.raw_os_error().map(Errno::from_raw);
    report(&ServerError::Page(what, error));
    match code {
        // Later, there may be a descriptor, or whoever has locked the file is done.
        Some(Errno::EMFILE | Errno::ENFILE | Errno::EAGAIN) => refusal(status::UNAVAILABLE),
        _ => refusal(status::SERVER_ERROR),
    }
}
// ANCHOR_END: find

// ANCHOR: send
/// The response with this file, or with the part of it that the client needs.
fn send(request: &Request, file: File, name: &[u8]) -> io::Result<Response> {
    let metadata = file.metadata()?;
    let size = metadata.len();
    let version = Version::of(&metadata, SystemTime::now());
    let mut headers = version.headers();
    headers.push(("Cache-Control", "no-cache".into())); // keep it, and ask each time

    // A range is for `GET`; and if the client has a part already, for a part of the same version.
    let is_get = request.method == "GET";
    let wanted = match request.header("If-Range") {
        Some(validator) if !version.is_exactly(&validator) => None,
        _ => request.header("Range").filter(|_| is_get),
    };
    let wanted = wanted.map_or(Range::Whole, |wanted| range(&wanted, size));

    let (status, first, length) = match (version.verdict(request), wanted) {
        (Verdict::Failed, _) => return Ok(refusal(status::PRECONDITION_FAILED)),
        (Verdict::NotModified, _) => {
            // Where there is a tag, a date is not needed.
            headers.retain(|(name, _)| *name != "Last-Modified");
            return Ok(Response {
                headers,
                ..refusal(status::NOT_MODIFIED)
            });
        }
        (Verdict::Send, Range::None) => {
            let refusal = refusal(status::RANGE_NOT_SATISFIABLE);
            return Ok(refusal.with("Content-Range", format!("bytes */{size}")));
        }
        (Verdict::Send, Range::Whole) => (status::OK, 0, size),
        (Verdict::Send, Range::Part { first, length }) => {
            let last = first + length - 1;
            headers.push(("Content-Range", format!("bytes {first}-{last}/{size}")));
            (status::PARTIAL_CONTENT, first, length)
        }
    };
    headers.push(("Accept-Ranges", "bytes".into()));
    headers.push(("Content-Type", content_type(name).into()));
    headers.push(("X-Content-Type-Options", "nosniff".into())); // and nothing else

    let part = Part::new(file, first, length)?;
    let body = match is_get && length <= PIECE {
        true => Body::Bytes(part.read()?.0), // and the file is closed
        false => Body::File(part),
    };
    Ok(Response {
        status,
        headers,
        body,
    })
}
// ANCHOR_END: send
