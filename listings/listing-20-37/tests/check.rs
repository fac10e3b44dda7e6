//! What counts as done: `cargo book check 20-37 FOLDER` runs this against a crate of your own.

#![cfg(unix)]

#[path = "common/client.rs"]
mod client;
mod common;

use client::{Answer, Client};
use common::{hello, wait_until, ANY_PORT};
use std::{
    env,
    fs::{self, File, FileTimes, OpenOptions, Permissions},
    io::{prelude::*, ErrorKind},
    os::unix::{
        fs::{symlink, MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, TryRecvError},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A folder of files, beside what nobody is to see. It is gone when this is dropped.
struct Tree(PathBuf);

impl Tree {
    fn new() -> Tree {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("files-{}-{number}", process::id());
        let tree = Tree(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        fs::create_dir_all(tree.0.join("public")).unwrap();
        fs::write(tree.0.join("secret.txt"), "secret").unwrap();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join("public").join(name)
    }

    /// Writes a file. It was modified in 2001, on 9 September, at 1:46:40.
    fn file(&self, name: &str, text: &str) -> File {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        modified(&file, 1_000_000_000);
        file
    }

    /// A file of so many bytes, all of them zero, which needs no room on the disk.
    fn zeros(&self, name: &str, size: u64) {
        File::create(self.path(name))
            .unwrap()
            .set_len(size)
            .unwrap();
    }

    fn serve(&self) -> (common::Server, Client) {
        self.serve_with(&[])
    }

    fn serve_with(&self, options: &[&str]) -> (common::Server, Client) {
        let mut command = hello();
        command.args(options).arg("--files");
        command.arg(self.path("")).arg(ANY_PORT);
        let server = common::Server::start_as(command);
        let client = Client::to(server.address);
        (server, client)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// In seconds from 1970.
fn modified(file: &File, seconds: u64) {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

const WHEN: &str = "Sun, 09 Sep 2001 01:46:40 GMT";
const BEFORE: &str = "Sun, 09 Sep 2001 01:46:39 GMT";

/// Waits until what was changed just now is old enough to be told apart from any later change.
fn settle(path: &Path) {
    wait_until("the file has settled", || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs() as i64 > fs::metadata(path).unwrap().ctime() + 2
    });
}

trait Ask {
    /// Asks for a path, with these lines.
    fn ask(&mut self, path: &str, lines: &[&str]) -> Answer;
}

impl Ask for Client {
    fn ask(&mut self, path: &str, lines: &[&str]) -> Answer {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
        let head = self.head();
        let is_bare = status(&head) == "304";
        let length = if is_bare { 0 } else { length(&head) };
        let body = self.body(length);
        Answer { body, ..head }
    }
}

fn status(answer: &Answer) -> &str {
    &answer.head[9..12]
}

fn length(answer: &Answer) -> usize {
    value(answer, "Content-Length").unwrap().parse().unwrap()
}

/// What the header of this name says.
fn value<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut headers = answer.head.lines().filter_map(|line| line.split_once(": "));
    Some(headers.find(|header| header.0 == name)?.1)
}

#[test]
fn a_file_is_sent_with_what_a_client_has_to_know_of_it() {
    let tree = Tree::new();
    tree.file("page.html", "<p>");
    let (_server, mut client) = tree.serve();

    let answer = client.get("/page.html?a=b");
    assert_eq!((status(&answer), answer.body.as_str()), ("200", "<p>"));
    assert_eq!(
        value(&answer, "Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(value(&answer, "X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(value(&answer, "Last-Modified"), Some(WHEN));
    assert_eq!(value(&answer, "Accept-Ranges"), Some("bytes"));
    assert!(value(&answer, "ETag").unwrap().ends_with('"'));
    assert!(value(&answer, "Date").unwrap().ends_with(" GMT"));

    client.send("HEAD /page.html HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\n\r\n");
    let head = client.head();
    assert_eq!(status(&head), "200", "a range is for GET");
    let but_date = |head: &str| head.lines().filter(|l| !l.starts_with("Date")).count();
    assert_eq!(but_date(&head.head), but_date(&answer.head));
    assert_eq!(length(&head), 3);
    assert_eq!(
        client.get("/page.html").body,
        "<p>",
        "nothing came after the head"
    );

    client.send("POST /page.html HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(status(&client.answer()), "405");
}

#[test]
fn what_a_file_is_taken_for_depends_on_its_name() {
    let tree = Tree::new();
    let (_server, mut client) = tree.serve();
    for (name, expected) in [
        ("a.css", "text/css; charset=utf-8"),
        ("a.JS", "text/javascript; charset=utf-8"),
        ("a.min.js", "text/javascript; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.mp4", "video/mp4"),
        ("a.zip", "application/zip"),
        ("a.woff2", "font/woff2"),
        ("a.html.bin", "application/octet-stream"),
        ("html", "application/octet-stream"),
        ("a.", "application/octet-stream"),
    ] {
        tree.file(name, "");
        let answer = client.get(&format!("/{name}"));
        assert_eq!(value(&answer, "Content-Type"), Some(expected), "{name}");
    }
}

#[test]
fn for_a_folder_its_index_is_sent_and_a_slash_is_added() {
    let tree = Tree::new();
    tree.file("index.html", "front");
    tree.file("sub/index.html", "sub");
    tree.file("a\"<b/index.html", "odd name");
    tree.file("empty/a.txt", "a");
    fs::create_dir_all(tree.path("odd/index.html")).unwrap();
    let (_server, mut client) = tree.serve();

    assert_eq!(client.get("/").body, "front");
    assert_eq!(client.get("/sub/").body, "sub");
    for (path, location) in [
        ("/sub", "/sub/"),
        ("/%73ub", "/%73ub/"),
        ("/sub?a=b?/%2f", "/sub/?a=b?/%2f"),
        ("/sub?%zz%4", "/sub/?%25zz%254"),
        ("http://a/sub?a=\"b\"", "/sub/?a=%22b%22"),
        ("/a\"<b", "/a%22%3Cb/"),
        ("/a%22%3cb", "/a%22%3cb/"),
    ] {
        let answer = client.get(path);
        assert_eq!(status(&answer), "301", "{path}");
        assert_eq!(value(&answer, "Location"), Some(location));
        assert_eq!(value(&answer, "Cache-Control"), Some("no-cache"));
    }
    for path in [
        "/empty",
        "/empty/",
        "/odd",
        "/odd/",
        "/index.html/",
        "/index.html/a",
        "/sub//",
    ] {
        assert_eq!(status(&client.get(path)), "404", "{path}");
    }
    // This would lead to another server, whose name is `sub`.
    assert_eq!(status(&client.get("//sub")), "404");
}

#[test]
fn a_name_is_decoded_once_and_byte_by_byte() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let tree = Tree::new();
    tree.file("a b+c.txt", "blank");
    tree.file("50%25.txt", "percent");
    tree.file("\u{e9}.txt", "accent");
    let (_server, mut client) = tree.serve();
    assert_eq!(client.get("/a%20b+c.txt").body, "blank");
    assert_eq!(client.get("/50%2525.txt").body, "percent");
    assert_eq!(status(&client.get("/50%25.txt")), "404");
    assert_eq!(client.get("/%C3%a9.txt").body, "accent");

    // A name that is no text. (Not every system has such names.)
    let name = OsStr::from_bytes(b"\xff.txt");
    if fs::write(tree.path("").join(name), "no text").is_ok() {
        assert_eq!(client.get("/%ff.txt").body, "no text");
    }
}

#[test]
fn no_disguise_leads_out_of_the_folder() {
    let tree = Tree::new();
    tree.file("a.txt", "a");
    tree.file("sub/a.txt", "a");
    let (_server, mut client) = tree.serve();
    // Encoded, since the folder of the tests may have any name.
    let absolute = tree.0.join("secret.txt");
    let encoded = |byte: &u8| match byte {
        b'/' => "/".to_owned(),
        byte => format!("%{byte:02x}"),
    };
    let absolute: String = absolute
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(encoded)
        .collect();
    for path in [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/.%2E/secret.txt",
        "/..%2fsecret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/%252e%252e/secret.txt",
        "/..%252fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/....//secret.txt",
        "/..;/secret.txt",
        "/../secret.txt%00.html",
        "/a.txt%00",
        "/%00/../a.txt",
        "/./a.txt",
        "/sub/../a.txt",
        "//a.txt",
        "/sub//a.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/%uff0e%uff0e/secret.txt",
        "/a.txt%",
        "/a.txt%4",
        "/%zz",
        "/%+41.txt",
        &format!("/{}a.txt", "../".repeat(1000)),
        &format!("/{}", "a".repeat(5000)),
        &absolute,
    ] {
        let answer = client.get(path);
        assert_eq!(status(&answer), "404", "{path}");
        assert!(!answer.body.contains("secret"), "{path}");
    }
    // They are harmless, and so they are found.
    assert_eq!(client.get("/sub/%61.txt").body, "a");
    assert_eq!(client.get("http://a/a.txt").body, "a");
}

#[test]
fn what_is_no_file_for_everybody_is_not_found() {
    let tree = Tree::new();
    tree.file("sub/a.txt", "a");
    tree.file(".hidden/index.html", "a");
    tree.file("closed/index.html", "a");
    fs::set_permissions(tree.path("closed"), Permissions::from_mode(0o000)).unwrap();
    tree.file(".env", "a");
    tree.file("private.txt", "a");
    fs::set_permissions(tree.path("private.txt"), Permissions::from_mode(0o000)).unwrap();
    let is_root = File::open(tree.path("private.txt")).is_ok(); // who may read everything
    symlink("../secret.txt", tree.path("out.txt")).unwrap();
    symlink("..", tree.path("out")).unwrap();
    symlink(&tree.0, tree.path("absolute")).unwrap();
    symlink("sub", tree.path("within")).unwrap();
    symlink("loop", tree.path("loop")).unwrap();
    // A socket's address is short; the way to this folder may be long.
    let short = env::temp_dir().join(format!("hello-{}", process::id()));
    symlink(tree.path(""), &short).unwrap();
    let socket = UnixListener::bind(short.join("socket"));
    fs::remove_file(short).unwrap();
    let _socket = socket.unwrap();
    let made = Command::new("mkfifo").arg(tree.path("pipe")).status();
    assert!(made.unwrap().success());
    symlink("/dev/zero", tree.path("zero")).unwrap();

    // Somebody who writes into the pipe waits for a reader. A stranger is none.
    let pipe = tree.path("pipe");
    let writer = thread::spawn(move || OpenOptions::new().write(true).open(pipe));

    let (_server, mut client) = tree.serve();
    for path in [
        "/.env",
        "/%2eenv",
        "/.hidden/index.html",
        "/.hidden/",
        "/.hidden",
        "/out.txt",
        "/out",
        "/out/secret.txt",
        "/absolute/secret.txt",
        "/within/a.txt",
        "/within",
        "/loop",
        "/socket",
        "/pipe",
        "/pipe/",
        "/zero",
        "/private.txt",
        "/nobody",
        "/nobody/",
        "/sub",
        "/closed",
        "/closed/",
    ] {
        let expected = match path {
            "/private.txt" | "/closed/" if is_root => "200",
            "/closed" if is_root => "301",
            _ => "404",
        };
        assert_eq!(status(&client.get(path)), expected, "{path}");
    }
    fs::set_permissions(tree.path("closed"), Permissions::from_mode(0o700)).unwrap();
    assert!(!writer.is_finished(), "nobody has opened the pipe");
    let _reader = File::open(tree.path("pipe")).unwrap();
    assert!(writer.join().unwrap().is_ok());
}

/// Somebody who may write into the folder replaces a folder in it by a link, again and again.
#[test]
fn a_link_that_comes_in_between_does_not_lead_out_either() {
    let tree = Tree::new();
    tree.file("b/c.txt", "inside");
    fs::create_dir(tree.0.join("around")).unwrap();
    fs::write(tree.0.join("around/c.txt"), "secret").unwrap();
    symlink("../around", tree.path("link")).unwrap();
    let (b, link, away) = (tree.path("b"), tree.path("link"), tree.path("away"));
    let (stop, asked) = mpsc::channel::<()>();
    let swap = thread::spawn(move || {
        while asked.try_recv() != Err(TryRecvError::Disconnected) {
            for (from, to) in [(&b, &away), (&link, &b), (&b, &link), (&away, &b)] {
                fs::rename(from, to).unwrap();
            }
        }
    });

    let (_server, mut client) = tree.serve();
    let answers: Vec<_> = (0..500).map(|_| client.get("/b/c.txt").body).collect();
    drop(stop);
    swap.join().unwrap();
    assert!(answers.iter().any(|body| body == "inside"));
    assert!(!answers.iter().any(|body| body.contains("secret")));
}

#[test]
fn a_hard_link_is_a_file_of_the_folder() {
    let tree = Tree::new();
    fs::hard_link(tree.0.join("secret.txt"), tree.path("a.txt")).unwrap();
    let (_server, mut client) = tree.serve();
    assert_eq!(client.get("/a.txt").body, "secret");
}

#[test]
fn the_folder_may_be_a_link_and_another_may_take_its_place() {
    let tree = Tree::new();
    tree.file("first/a.txt", "first");
    tree.file("second/a.txt", "second");
    symlink("first", tree.path("now")).unwrap();
    let mut command = hello();
    command.arg("--files").arg(tree.path("now")).arg(ANY_PORT);
    let server = common::Server::start_as(command);
    let mut client = Client::to(server.address);
    assert_eq!(client.get("/a.txt").body, "first");

    symlink("second", tree.path("next")).unwrap();
    fs::rename(tree.path("next"), tree.path("now")).unwrap();
    assert_eq!(client.get("/a.txt").body, "second");
}

#[test]
fn a_folder_that_has_gone_is_no_matter_of_names() {
    let tree = Tree::new();
    let (mut server, mut client) = tree.serve();
    assert_eq!(status(&client.get("/a.txt")), "404");
    fs::remove_dir_all(tree.path("")).unwrap();
    assert_eq!(status(&client.get("/a.txt")), "500");
    let line = server.complained("cannot read");
    assert!(line.contains("public"), "{line}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_whose_name_is_no_text_is_found() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let tree = Tree::new();
    let folder = tree.path("").join(OsStr::from_bytes(b"f\xff"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.txt"), "a").unwrap();
    let mut command = hello();
    command.arg("--files").arg(folder).arg(ANY_PORT);
    let server = common::Server::start_as(command);
    assert_eq!(Client::to(server.address).get("/a.txt").body, "a");
}

/// Who has a lease of a file is asked to give it back when somebody else opens the file, and until
/// then that would wait.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_another_one_keeps_to_itself_is_there_later() {
    use nix::libc::{fcntl, F_SETLEASE, F_UNLCK, F_WRLCK, SIGURG};
    use std::os::fd::AsRawFd;
    const F_SETSIG: i32 = 10;
    let tree = Tree::new();
    let file = tree.file("a.txt", "a");
    let (mut server, mut client) = tree.serve();
    let set = |what: i32, to: i32| unsafe { fcntl(file.as_raw_fd(), what, to) };
    set(F_SETSIG, SIGURG); // which does nothing
    if set(F_SETLEASE, F_WRLCK) == -1 {
        return eprintln!("no leases here"); // not every disk has them
    }
    assert_eq!(status(&client.get("/a.txt")), "503");
    server.complained("cannot read /a.txt");
    assert_eq!(set(F_SETLEASE, F_UNLCK), 0);
    assert_eq!(client.get("/a.txt").body, "a");
}

#[test]
fn each_answer_has_a_date() {
    let server = common::Server::start();
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let mut client = Client::to(server.address);
        client.send(request);
        let answer = client.head();
        let date = value(&answer, "Date").expect("a date");
        assert!(date.ends_with(" GMT"), "{date}");
        assert_eq!(answer.head.matches("Date: ").count(), 1);
    }
}

#[test]
fn without_a_folder_it_says_so_and_without_files_it_has_its_own_pages() {
    let tree = Tree::new();
    let mut command = hello();
    command
        .arg("--files")
        .arg(tree.path("nobody"))
        .arg(ANY_PORT);
    let mut server = common::Server::spawn(command);
    let line = server.complained("cannot read");
    assert!(line.contains("nobody"), "{line}");
    assert!(!server.ended().0.success());

    let server = common::Server::start();
    assert!(Client::to(server.address)
        .get("/")
        .body
        .contains("A worker thread"));
}

#[test]
fn a_client_that_has_the_file_is_told_so() {
    let tree = Tree::new();
    tree.file("a.txt", "text");
    settle(&tree.path("a.txt"));
    let (_server, mut client) = tree.serve();
    let first = client.get("/a.txt");
    let tag = value(&first, "ETag").unwrap();
    assert!(!tag.starts_with("W/"), "{tag}");

    let none = |tags: &str| format!("If-None-Match: {tags}");
    let since = |date: &str| format!("If-Modified-Since: {date}");
    let later = "Sun, 09 Sep 2001 01:46:41 GMT";
    let known = [
        vec![none(tag)],
        vec![none(&format!("W/{tag}"))],
        vec![none("*")],
        vec![none(&format!(r#""a,b", "x" ,,{tag}"#))],
        vec![none(r#""x""#), none(tag)],
        vec![since(WHEN)],
        vec![since(later)],
        vec![since("Sunday, 09-Sep-01 01:46:40 GMT")],
        vec![since("Sun Sep  9 01:46:40 2001")],
        vec![none(tag), since(BEFORE)],
        vec![since(WHEN), "Range: bytes=0-0".into()],
    ];
    for lines in &known {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let answer = client.ask("/a.txt", &lines);
        assert_eq!(status(&answer), "304", "{lines:?}");
        assert_eq!(value(&answer, "ETag"), Some(tag));
        assert_eq!(value(&answer, "Cache-Control"), Some("no-cache"));
        assert_eq!(value(&answer, "Last-Modified"), None);
        assert!(value(&answer, "Date").is_some());
        assert_eq!(value(&answer, "Content-Length"), None);
    }

    let unknown = [
        vec![none(r#""x""#)],
        vec![none(tag.trim_matches('"'))],
        vec![none("")],
        vec![since(BEFORE)],
        vec![since("2001-09-09T01:46:40Z")],
        vec![since(WHEN), since(WHEN)],
        // Where there is a tag, no date counts.
        vec![none(r#""x""#), since(WHEN)],
    ];
    for lines in &unknown {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let answer = client.ask("/a.txt", &lines);
        assert_eq!(
            (status(&answer), answer.body.as_str()),
            ("200", "text"),
            "{lines:?}"
        );
    }

    for (line, expected) in [
        (format!("If-Match: {tag}"), "200"),
        ("If-Match: *".into(), "200"),
        (format!("If-Match: W/{tag}"), "412"),
        (r#"If-Match: "x""#.into(), "412"),
        (format!("If-Unmodified-Since: {WHEN}"), "200"),
        (format!("If-Unmodified-Since: {BEFORE}"), "412"),
        ("If-Unmodified-Since: yesterday".into(), "200"),
    ] {
        assert_eq!(status(&client.ask("/a.txt", &[&line])), expected, "{line}");
        let both = client.ask("/a.txt", &[&line, &none(tag)]);
        assert_eq!(
            status(&both),
            if expected == "200" { "304" } else { "412" },
            "{line}"
        );
    }
    // What is not there can be in no version.
    assert_eq!(status(&client.ask("/b.txt", &["If-None-Match: *"])), "404");
}

/// The tag of `a.txt` when it was changed so short a time ago that it may change again, unseen.
fn weak_tag(file: &File, client: &mut Client) -> String {
    let mut tag = String::new();
    wait_until("the tag is weak", || {
        file.set_permissions(Permissions::from_mode(0o644)).unwrap();
        let answer = client.get("/a.txt");
        tag = value(&answer, "ETag").unwrap().to_owned();
        tag.starts_with("W/")
    });
    tag
}

#[test]
fn another_version_is_told_apart_also_where_size_and_time_are_the_same() {
    let tree = Tree::new();
    let mut file = tree.file("a.txt", "1");
    let (_server, mut client) = tree.serve();
    let tag = weak_tag(&file, &mut client);
    // The clock by which the system notes a change takes its time to go on.
    let changed = fs::metadata(tree.path("a.txt")).unwrap().ctime_nsec();
    wait_until("the clock of the files has gone on", || {
        file.set_permissions(Permissions::from_mode(0o600)).unwrap();
        fs::metadata(tree.path("a.txt")).unwrap().ctime_nsec() != changed
    });

    file.write_all(b"2").unwrap();
    modified(&file, 1_000_000_000);
    let second = client.ask("/a.txt", &[&format!("If-None-Match: {tag}")]);
    assert_eq!((status(&second), second.body.as_str()), ("200", "2"));

    // `mv` puts another file in its place.
    let tag = value(&second, "ETag").unwrap();
    tree.file("b.txt", "3");
    fs::rename(tree.path("b.txt"), tree.path("a.txt")).unwrap();
    let third = client.ask("/a.txt", &[&format!("If-None-Match: {tag}")]);
    assert_eq!((status(&third), third.body.as_str()), ("200", "3"));
}

#[test]
fn who_has_a_weak_tag_gets_the_file_once_more_when_it_has_settled() {
    let tree = Tree::new();
    let file = tree.file("a.txt", "1");
    let (_server, mut client) = tree.serve();
    let weak = weak_tag(&file, &mut client);
    settle(&tree.path("a.txt"));
    let answer = client.ask("/a.txt", &[&format!("If-None-Match: {weak}")]);
    assert_eq!((status(&answer), answer.body.as_str()), ("200", "1"));
    assert!(!value(&answer, "ETag").unwrap().starts_with("W/"));
}

#[test]
fn a_date_in_the_future_or_before_1970_is_not_sent() {
    let tree = Tree::new();
    let file = tree.file("a.txt", "1");
    let (_server, mut client) = tree.serve();
    let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
    let future = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    // HTTP has no room for that. (Not every system keeps it.)
    let year_10000 = UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    for time in [before_1970, future, year_10000] {
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        let answer = client.ask("/a.txt", &[&format!("If-Modified-Since: {WHEN}")]);
        assert_eq!((status(&answer), answer.body.as_str()), ("200", "1"));
        assert_eq!(value(&answer, "Last-Modified"), None, "{time:?}");
    }
}

#[test]
fn a_part_is_sent_of_what_has_it_and_the_whole_if_the_range_is_none() {
    let tree = Tree::new();
    tree.file("a.txt", "0123456789");
    tree.file("empty.txt", "");
    let (_server, mut client) = tree.serve();
    for (range, part, said) in [
        ("bytes=0-0", "0", "0-0"),
        ("bytes=2-4", "234", "2-4"),
        ("BYTES= 2-4", "234", "2-4"),
        ("bytes=7-", "789", "7-9"),
        ("bytes=7-99", "789", "7-9"),
        ("bytes=7-99999999999999999999999", "789", "7-9"),
        ("bytes=-3", "789", "7-9"),
        ("bytes=-99999999999999999999999", "0123456789", "0-9"),
    ] {
        let answer = client.ask("/a.txt", &[&format!("Range: {range}")]);
        assert_eq!(
            (status(&answer), answer.body.as_str()),
            ("206", part),
            "{range}"
        );
        let said = format!("bytes {said}/10");
        assert_eq!(
            value(&answer, "Content-Range"),
            Some(said.as_str()),
            "{range}"
        );
    }
    for range in [
        "bytes=10-",
        "bytes=10-10",
        "bytes=-0",
        "bytes=99999999999999999999999-",
    ] {
        let answer = client.ask("/a.txt", &[&format!("Range: {range}")]);
        assert_eq!(status(&answer), "416", "{range}");
        assert_eq!(
            value(&answer, "Content-Range"),
            Some("bytes */10"),
            "{range}"
        );
    }
    for range in [
        "bytes=4-2",
        "bytes=0-1,3-4",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=+1-2",
        "bytes=1-+2",
        "bytes=1-2-3",
        "bytes 1-2",
        "lines=1-2",
        "bytes=--1",
        "bytes=1 - 2",
        "bytes=0x1-2",
    ] {
        let answer = client.ask("/a.txt", &[&format!("Range: {range}")]);
        let whole = ("200", "0123456789");
        assert_eq!((status(&answer), answer.body.as_str()), whole, "{range}");
        assert_eq!(value(&answer, "Content-Range"), None, "{range}");
    }
    let twice = client.ask("/a.txt", &["Range: bytes=0-1", "Range: bytes=3-4"]);
    assert_eq!(status(&twice), "200");

    assert_eq!(
        status(&client.ask("/empty.txt", &["Range: bytes=0-"])),
        "416"
    );
    assert_eq!(
        status(&client.ask("/empty.txt", &["Range: bytes=-1"])),
        "200"
    );
}

#[test]
fn a_part_is_sent_only_of_the_version_of_which_the_client_has_one() {
    let tree = Tree::new();
    let file = tree.file("a.txt", "0123456789");
    settle(&tree.path("a.txt"));
    let (_server, mut client) = tree.serve();
    let first = client.get("/a.txt");
    let tag = value(&first, "ETag").unwrap();
    let mut ask = |validator: &str| {
        let lines = [&format!("If-Range: {validator}"), "Range: bytes=1-1"];
        client.ask("/a.txt", &lines).body
    };
    assert_eq!(ask(tag), "1");
    let whole = "0123456789";
    for other in [
        r#""x""#,
        "*",
        WHEN, // another version may have the same date
        BEFORE,
        "Sun, 09 Sep 2001 01:46:41 GMT",
        "x",
        &format!("W/{tag}"),
    ] {
        assert_eq!(ask(other), whole, "{other}");
    }

    // What was changed just now may be something else by the next moment.
    let weak = weak_tag(&file, &mut client);
    let lines = [&format!("If-Range: {weak}"), "Range: bytes=1-1"];
    assert_eq!(client.ask("/a.txt", &lines).body, whole);
}

const GB: u64 = 1024 * 1024 * 1024;

#[test]
#[cfg(target_os = "linux")]
fn a_large_file_is_not_read_before_the_client_takes_it() {
    let tree = Tree::new();
    tree.zeros("large", 5 * GB);
    tree.file("a.txt", "a");
    // The shell becomes the server, and has told its number before.
    let (mut command, number) = (Command::new("sh"), tree.0.join("number"));
    let script = format!("echo $$ >\"$0\" && exec \"$1\" --files \"$2\" {ANY_PORT}");
    command.args(["-c", &script]).arg(&number);
    command.arg(hello().get_program()).arg(tree.path(""));
    let server = common::Server::start_as(command);
    let mut client = Client::to(server.address);
    let mut slow: Vec<_> = (0..10).map(|_| Client::to(server.address)).collect();
    for slow in &mut slow {
        slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(length(&slow.head()) as u64, 5 * GB);
        assert_eq!(slow.body(100_000).len(), 100_000);
    }
    assert_eq!(client.get("/a.txt").body, "a");

    let number = fs::read_to_string(number).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", number.trim())).unwrap();
    let (_, most) = status.split_once("VmHWM:").unwrap();
    let most: u64 = most.split_whitespace().next().unwrap().parse().unwrap();
    assert!(most < 100_000, "{most} kB");

    // The end of it does not have to be read from the beginning.
    let line = format!("Range: bytes={}-", 5 * GB - 3);
    assert_eq!(client.ask("/large", &[&line]).body, "\0\0\0");
}

#[test]
fn a_file_that_becomes_too_short_ends_the_connection() {
    let tree = Tree::new();
    tree.zeros("large", 5 * GB);
    tree.file("a.txt", "a");
    let (server, mut client) = tree.serve();
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    client.body(100_000);
    tree.zeros("large", 200_000);
    // What the client has been promised does not come, and it sees that: by an end, and not in time.
    let mut rest = Vec::new();
    let end = client.stream().take(GB).read_to_end(&mut rest);
    let late = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
    assert!(!end.is_err_and(|error| late.contains(&error.kind())));
    assert!((rest.len() as u64) < GB);
    assert_eq!(Client::to(server.address).get("/a.txt").body, "a");
}

#[test]
fn of_a_file_that_grows_as_much_is_sent_as_was_promised() {
    let tree = Tree::new();
    let text = "0123456789".repeat(1_000_000);
    tree.file("growing.txt", &text);
    let (_server, mut client) = tree.serve();
    client.send("GET /growing.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(length(&client.head()), text.len());
    let begin = client.body(100_000);
    let mut file = OpenOptions::new()
        .append(true)
        .open(tree.path("growing.txt"))
        .unwrap();
    file.write_all(b"and more").unwrap();
    assert!(begin + &client.body(text.len() - 100_000) == text);
    assert_eq!(
        client.ask("/growing.txt", &["Range: bytes=-8"]).body,
        "and more"
    );
}

#[test]
fn whoever_takes_a_file_when_the_server_is_asked_to_stop_gets_all_of_it() {
    let tree = Tree::new();
    let text = "0123456789".repeat(3_000_000);
    tree.file("large.txt", &text);
    let (mut server, mut client) = tree.serve_with(&["--grace", "600"]); // also on a busy machine
    client.send("GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    server.signal("TERM");
    server.complained("SIGTERM: stopping, 1 still to answer");
    assert!(client.body(text.len()) == text);
    assert_eq!(client.rest(), "");
    assert!(server.ended().0.success());
}

#[test]
fn whoever_does_not_take_it_is_cut_off_after_the_grace() {
    let tree = Tree::new();
    tree.zeros("large", 5 * GB);
    let (mut server, mut client) = tree.serve_with(&["--grace", "1"]);
    client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    server.signal("TERM");
    server.complained("cut off 1 in the middle, and 0 that had not begun");
    assert_eq!(server.ended().0.code(), Some(3));
}

#[test]
#[cfg(target_os = "linux")]
fn with_few_descriptors_each_who_is_let_in_gets_its_file() {
    let tree = Tree::new();
    tree.zeros("large", 5 * GB);
    tree.file("a.txt", "a");
    let mut command = Command::new("sh");
    let closed: String = (3..10).map(|file| format!("{file}<&- ")).collect();
    let script = format!("exec {closed}&& ulimit -n 40 && exec \"$0\" --files \"$1\" {ANY_PORT}");
    command
        .args(["-c", &script])
        .arg(hello().get_program())
        .arg(tree.path(""));
    let server = common::Server::start_as(command);

    // So many that not all are let in, and each wants to have a file open.
    let mut clients: Vec<_> = (0..40).map(|_| Client::to(server.address)).collect();
    for client in &mut clients {
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    let mut clients = clients.into_iter();
    for _ in 0..5 {
        let mut client = clients.next().unwrap();
        let head = client.head();
        assert_eq!(status(&head), "200");
    }
    let mut others: Vec<_> = clients.collect();
    for client in &mut others {
        assert_eq!(status(&client.head()), "200");
        client.stream().shutdown(std::net::Shutdown::Both).unwrap();
    }
    assert_eq!(Client::to(server.address).get("/a.txt").body, "a");
}
