//! Names that nobody has thought of. Whatever a client asks for, it gets a file of the folder or none;
//! and every file has its name, however that is written. Each test makes up 256 cases; for a million:
//!
//! ```sh
//! PROPTEST_CASES=1000000 cargo test --release --test names
//! ```
#![cfg(unix)]

use hello::{Body, Files, Request, Response};
use proptest::{collection::vec, prelude::*, sample::select};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// The names of files and folders that are for everybody.
const FILES: [&str; 6] = [
    "a",
    "index.html",
    "b/a",
    "b/index.html",
    "b/c/a b%",
    "b/c/\u{e9}...",
];
const FOLDERS: [&str; 3] = ["", "b", "b/c"];

/// A folder of which each file says where it is, in a folder with others.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let around = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    let folder = around.join("b"); // the same name as in it
    for file in FILES
        .iter()
        .chain(&["b/.a", ".b/a", "../a", "../index.html", "../c/a"])
    {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    for (link, to) in [
        ("out", ".."),
        ("b/out", "../../c"),
        ("b/c/up", ".."),
        ("l", "../a"),
    ] {
        let _ = fs::remove_file(folder.join(link));
        symlink(to, folder.join(link)).unwrap();
    }
    fs::create_dir_all(around.join("ranges")).unwrap();
    fs::write(around.join("ranges/digits"), DIGITS).unwrap();
    folder
});

fn ask(path: &str) -> Response {
    let files = Files::in_folder(&*FOLDER).unwrap();
    files.respond(&Request {
        method: "GET".into(),
        path: path.into(),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    })
}

fn text(response: Response) -> String {
    match response.body {
        Body::Bytes(body) => String::from_utf8(body).unwrap(),
        Body::File(part) => panic!("{part:?} is large"),
    }
}

/// What does harm in the wrong place.
#[rustfmt::skip]
const CRUMBS: [&str; 34] = [
    "/", "/", "/", "/", "a", "a", "b", "c", "b/c", "index.html", "out", "up", "l", ".", "..", "../", "%2e", "%2E%2e", "%2f",
    "%5c", "\\", "%00", "%", "%2", "%252e", "%61", "%62", "..;", "//", "%c0%ae", "a%20b%25", "%C3%A9...", "\u{e9}", ".a",
];

fn path() -> impl Strategy<Value = String> {
    let crumbs = vec(select(CRUMBS.to_vec()), 0..8).prop_map(|crumbs| crumbs.concat());
    prop_oneof![
        8 => crumbs.prop_map(|crumbs| format!("/{crumbs}")),
        1 => any::<String>(),
        1 => "/[!-~]{0,12}",
    ]
}

/// Another way to say what is found at a path: all that is decoded here is decoded by a crate, and all
/// that is looked for is looked for by the system, links and dots and all.
fn naive(path: &str) -> Option<PathBuf> {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    let path = FOLDER.join(OsStr::from_bytes(decoded.strip_prefix(b"/")?));
    fs::canonicalize(path).ok()
}

/// Each byte of a name, as it is or in hexadecimal.
fn encoded(name: &str, bits: u64) -> String {
    let mut path = String::from("/");
    for (number, byte) in name.bytes().enumerate() {
        let must = !byte.is_ascii_graphic() || b"%?#".contains(&byte);
        match byte != b'/' && (must || bits >> (number % 64) & 1 == 1) {
            true if bits.count_ones().is_multiple_of(2) => path += &format!("%{byte:02x}"),
            true => path += &format!("%{byte:02X}"),
            false => path.push(char::from(byte)),
        }
    }
    path
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default() // which asks the environment
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_name_leads_out_of_the_folder(path in path()) {
        let response = ask(&path);
        let inside = naive(&path).filter(|found| found.starts_with(fs::canonicalize(&*FOLDER).unwrap()));
        match response.status {
            "200 OK" => {
                let page = text(response);
                prop_assert!(FILES.contains(&page.as_str()), "{path:?} is {page:?}");
                let mut found = inside.expect("the system finds it as well");
                if path.ends_with('/') {
                    found.push("index.html");
                }
                prop_assert_eq!(fs::read_to_string(found).unwrap(), page);
            }
            "301 MOVED PERMANENTLY" => {
                let location = response.headers.iter().find(|header| header.0 == "Location");
                let location = location.map(|header| header.1.clone());
                prop_assert_eq!(location, Some(format!("{path}/")));
                prop_assert!(!path.starts_with("//"));
                prop_assert!(inside.is_some_and(|found| found.is_dir()));
            }
            status => prop_assert_eq!(status, "404 NOT FOUND"),
        }
    }

    #[test]
    fn each_file_is_found_however_its_name_is_written(file in select(FILES.to_vec()), bits: u64) {
        let path = encoded(file, bits);
        prop_assert_eq!(text(ask(&path)), file);
        prop_assert_eq!(ask(&format!("{path}/")).status, "404 NOT FOUND");
        prop_assert_eq!(ask(&path.replacen('/', "//", 1)).status, "404 NOT FOUND");
    }

    #[test]
    fn each_folder_is_found_however_its_name_is_written(folder in select(FOLDERS.to_vec()), bits: u64) {
        let path = encoded(folder, bits);
        let index = format!("{folder}/index.html");
        let index = index.trim_start_matches('/');
        let (status, slash) = match (folder, FILES.contains(&index)) {
            ("", _) => ("200 OK", ""),
            (_, true) => ("200 OK", "/"),
            (_, false) => ("404 NOT FOUND", "/"),
        };
        prop_assert_eq!(ask(&format!("{path}{slash}")).status, status);
        if !folder.is_empty() {
            let expected = if status == "200 OK" { "301 MOVED PERMANENTLY" } else { status };
            prop_assert_eq!(ask(&path).status, expected);
        }
    }
}

/// A file of ten bytes, of which each says where it is.
const DIGITS: &str = "0123456789";

/// What a range means, worked out byte by byte. `None` if it is no range.
fn bytes(range: &str) -> Option<String> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.chars().all(|char| char.is_ascii_digit());
        is_number.then(|| digits.parse::<u128>().unwrap())
    };
    let is_asked: Box<dyn Fn(u128) -> bool> = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Box::new(move |at| first <= at && at <= last),
        (Some(first), None) if last.is_empty() => Box::new(move |at| first <= at),
        (None, Some(last)) if first.is_empty() => Box::new(move |at| 10 - at <= last),
        _ => return None,
    };
    let asked = |(at, byte): (usize, char)| is_asked(at as u128).then_some(byte);
    Some(DIGITS.chars().enumerate().filter_map(asked).collect())
}

fn range() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        8 => (0..12_u8).prop_map(|number| number.to_string()),
        2 => Just(String::new()),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => Just("99999999999999999999".to_owned()),
        1 => Just("+1".to_owned()),
    ];
    let range = (number.clone(), number).prop_map(|(first, last)| format!("bytes={first}-{last}"));
    prop_oneof![10 => range, 1 => "[ -~]{0,10}", 1 => "bytes=[0-9,-]{0,6}"]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_range_is_the_bytes_that_it_says(range in range()) {
        let folder = FOLDER.with_file_name("ranges");
        let files = Files::in_folder(folder).unwrap();
        let response = files.respond(&Request {
            method: "GET".into(),
            path: "/digits".into(),
            query: String::new(),
            headers: vec![("range".into(), range.trim_matches(' ').to_owned())],
            body: Vec::new(),
        });
        match bytes(range.trim_matches(' ')) {
            None => {
                prop_assert_eq!(response.status, "200 OK");
                prop_assert_eq!(text(response), DIGITS);
            }
            Some(none) if none.is_empty() => {
                prop_assert_eq!(response.status, "416 RANGE NOT SATISFIABLE");
            }
            Some(part) => {
                let said = response.headers.iter().find(|header| header.0 == "Content-Range");
                let (first, last) = (&part[..1], &part[part.len() - 1..]);
                let expected = format!("bytes {first}-{last}/10");
                prop_assert_eq!(said.map(|header| header.1.as_str()), Some(expected.as_str()));
                prop_assert_eq!(response.status, "206 PARTIAL CONTENT");
                prop_assert_eq!(text(response), part);
            }
        }
    }
}
