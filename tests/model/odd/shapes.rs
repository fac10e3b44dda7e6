//! Crates with their parts where readers have them.

use super::{manifest, odd, Odd, Pool, Said::Good, Said::This};

pub fn all(pool: &Pool) -> Vec<Odd> {
    let Pool { whole, .. } = pool;
    let uses = "use std::sync::{mpsc, Arc, Mutex};\n";
    let half = format!("{uses}{}", pool.pool);
    let windows = |text: &str| text.replace('\n', "\r\n");
    vec![
        odd(
            "modules in files",
            &windows(&manifest("2018", "")),
            windows("\u{feff}//! A.\nmod pool;\npub use crate::pool::ThreadPool;\n"),
            Good,
        )
        .and("src/pool/mod.rs", windows(&format!("mod worker;\nuse self::worker::Worker;\n{half}")))
        .and("src/pool/worker.rs", windows(&pool.worker_in_module("super::Job"))),
        odd(
            "modules by path, ä",
            &manifest("2024", ""),
            format!("#[path = \"../parts/my worker ü.rs\"]\nmod worker;\nuse worker::Worker;\n{half}"),
            Good,
        )
        .at("my crate ö")
        .and("parts/my worker ü.rs", pool.worker_in_module("crate::Job")),
        Odd {
            links: &[
                ("src/.#lib.rs", "nobody@nowhere"),
                ("src/up", ".."),
                ("round", "round"),
                ("everything", "/usr"),
                ("memory", "/proc/self/mem"),
                ("huge", "../../odd-huge"),
                ("src/linked", "../parts"),
            ],
            ..odd(
                "links",
                &manifest("2021", ""),
                format!("#[path = \"linked/worker.rs\"]\nmod worker;\nuse worker::Worker;\n{half}"),
                Good,
            )
            .and("parts/worker.rs", pool.worker_in_module("crate::Job"))
            .and("target/debug/junk", "junk")
            .and(".git/HEAD", "junk")
            .and("rust-toolchain.toml", "[toolchain]\nchannel = \"1.42.0\"\n")
            .and(".cargo/config.toml", "[build]\ntarget = \"wasm32-unknown-unknown\"\n")
        },
        odd("below tests", &manifest("2024", ""), below_tests(whole), Good),
        odd(
            "what only tests have",
            &manifest("2021", "[dev-dependencies]\nflume = \"0.11\"\n[dependencies]\nkanal = \"0.1\"\n[target.'cfg(loom)'.dependencies]\nloom = \"0.7\"\n"),
            pool.with("/* kanal */ pub const T: &str = r#\"kanal \"#; // static mut\n#[cfg(loom)]\nuse loom::sync::Mutex;\n#[cfg(test)]\nmod tests;"),
            Good,
        )
        .and("src/tests.rs", "use kanal::Sender; use flume::Receiver;")
        .and("src/old.rs", *b"// \xe4\nuse flume::Sender;")
        .and("src/main.rs", "use flume::Sender;")
        .and("examples/a.rs", "use flume::Sender;")
        .and("tests/a.rs", "use flume::Sender;"),
        odd(
            "all but code",
            &manifest(
                "2021",
                "links = \"mine\"\nbuild = \"make.rs\"\n[lib]\nname = \"my_pool\"\npath = \"code/pool.rs\"\n\
                 crate-type = [\"cdylib\", \"rlib\"]\n[lints.rust]\nunused = \"forbid\"\n[features]\n\
                 default = [\"quick\"]\nquick = [\"flume\", \"anyhow?/std\"]\n[dependencies]\n\
                 flume = { version = \"0.11\", optional = true }\nanyhow = { version = \"1\", optional = true }\n",
            ),
            "",
            Good,
        )
        .and(
            "code/pool.rs",
            format!(
                "#!/usr/bin/env shell\n//! A.\n#![deny(warnings)]\n/*! B. */\n#![forbid(\n    unsafe_code, \
                 macro_use_extern_crate, unused_imports, unused_extern_crates)]\n#![doc = include_str!(\"../C.md\")]\n\
                 #![cfg(feature = \"flume\")]\ninclude!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n{whole}"
            ),
        )
        .and("C.md", "C.\n")
        .and(
            "make.rs",
            "use core::sync::atomic::*;\nstatic RUN: AtomicBool = AtomicBool::new(false);\nstatic mut A: u8 = 0;\n\
             fn main() {\n    RUN.store(true, Ordering::SeqCst);\n    let made = std::env::var(\"OUT_DIR\").unwrap();\n    \
             std::fs::write(made + \"/made.rs\", \"pub const MADE: u8 = 1;\").unwrap();\n    \
             std::fs::write(\"made\", \"\").unwrap();\n}\n",
        ),
        in_workspace(pool),
        odd("beside", &manifest("2021", "[dependencies]\nhelper = { path = \"../helper\" }\n"),
            format!("use helper::{{mpsc, Mutex}};\nuse std::{{sync::Arc, thread}};\n{}{}", pool.pool, pool.worker),
            Good)
            .at("mine")
            .and("../helper/Cargo.toml", "[package]\nname = \"helper\"\nedition = \"2018\"\n[dependencies]\ndeep = { path = \"deep\" }\n")
            .and("../helper/src/lib.rs", "pub use deep::*;\n")
            .and("../helper/deep/Cargo.toml", "[package]\nname = \"deep\"\nedition = \"2024\"\n")
            .and("../helper/deep/src/lib.rs", "pub use std::sync::{mpsc, Mutex};\n"),
        odd("static beside", &manifest("2021", "[dependencies]\nmy-helper = { path = \"../helper\" }\n"),
            pool.doing("helper::count();"), This("my-helper/src/lib.rs:3: this is a `static`"))
            .at("mine")
            .and("../helper/Cargo.toml", "[package]\nname = \"my-helper\"\nedition = \"2021\"\n[lib]\nname = \"helper\"\n")
            .and("../helper/src/lib.rs", "static COUNT: std::sync::Mutex<u8> = std::sync::Mutex::new(0);\n\
                 pub fn count() {\n    *COUNT.lock().unwrap() = 1;\n}\n"),
    ]
}

/// A member that takes all that it can from its workspace, and a patch that is the workspace's.
fn in_workspace(pool: &Pool) -> Odd {
    odd(
        "in a workspace",
        "[package]\nname = \"mine\"\nversion.workspace = true\nedition.workspace = true\n\
         rust-version.workspace = true\n[lints]\nworkspace = true\n[dependencies]\nanyhow.workspace = true\n\
         helper = { workspace = true, features = [\"more\"] }\n",
        pool.with("pub use {anyhow::patched, helper::more};"),
        Good,
    )
    .at("crates/mine")
    .and(
        "../../Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n[workspace.package]\nversion = \"3.0.0\"\n\
         edition = \"2024\"\nrust-version = \"1.85\"\n[workspace.lints.rust]\nunused = \"deny\"\n\
         [workspace.dependencies]\nanyhow = \"1.0\"\nhelper = { path = \"crates/helper\" }\n\
         [patch.crates-io]\nanyhow = { path = \"patched\" }\n[profile.dev]\nopt-level = 1\n",
    )
    .and("../helper/Cargo.toml", "[package]\nname = \"helper\"\nedition.workspace = true\n[features]\nmore = []\n")
    .and("../helper/src/lib.rs", "#[cfg(feature = \"more\")]\npub fn more() {}\n")
    .and("../../patched/Cargo.toml", "[package]\nname = \"anyhow\"\nversion = \"1.0.999\"\nedition = \"2021\"\n[workspace]\n")
    .and("../../patched/src/lib.rs", "pub fn patched() {}\n")
}

/// The drop, below a module of tests.
fn below_tests(source: &str) -> String {
    let drop = source.find("impl Drop for").unwrap_or(0);
    let end = source[drop..]
        .find("\n}\n")
        .map_or(source.len(), |end| drop + end + 3);
    let (before, after) = (&source[..drop], &source[end..]);
    format!(
        "{before}{after}\n#[cfg(test)]\nmod tests {{}}\n{}",
        &source[drop..end]
    )
}
