//! Crates that cannot be searched, each with the sentence that says why; and what goes on at a
//! deadline.

use super::{manifest, odd, Odd, Pool, Said::Good, Said::This};

pub fn all(pool: &Pool) -> Vec<Odd> {
    let Pool { whole, .. } = pool;
    let plain = &manifest("2021", "");
    let outside = "[workspace]\nmembers = []\n";
    vec![
        odd("clock", plain, pool.with("pub fn now() -> std::time::SystemTime { todo!() }"),
            This("src/lib.rs:88: the search does not know `std::time::SystemTime`; use `std::time::Instant`")),
        odd("channel", &manifest("2021", "[dependencies]\nflume = \"0.11\"\n"), pool.with("use flume::Sender;"),
            This("src/lib.rs:88: the search does not see into `flume` of Cargo.toml:6; use `std::sync::mpsc`")),
        odd("renamed channel", &manifest("2021", "[dependencies.chan]\npackage = \"crossbeam-channel\"\nversion = \"0.5\"\n"),
            pool.with("extern crate chan;"),
            This("the search does not see into `crossbeam-channel` of Cargo.toml:5; use `std::sync::mpsc`")),
        odd("static", plain, pool.doing("COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);")
            + "static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);",
            This("this is a `static`")),
        odd("static mut", plain, pool.with("pub static\nmut N: u8 = 0;").replace("static\nmut", "static mut"),
            This("src/lib.rs:88: a `static mut` keeps its value")),
        odd("any order", plain,
            whole.replace("Vec<Worker>", "std::collections::HashSet<Worker>")
                .replace("&mut self.workers", "self.workers.drain()").replace("worker in self", "mut worker in self")
                .replace("struct Worker {", "impl PartialEq for Worker { fn eq(&self, other: &Worker) -> bool { self.id == other.id } }\nimpl Eq for Worker {}\n\
                    impl std::hash::Hash for Worker { fn hash<H: std::hash::Hasher>(&self, to: &mut H) { self.id.hash(to) } }\nstruct Worker {")
                .replace("(0..size)", "(0..size + 7)"),
            This("two runs in which the same choices were made did not go the same way")),
        odd("no pool", plain, whole.replace("ThreadPool", "Pool"), This("write `pub use ITS_NAME as ThreadPool;`")),
        odd("pool in a module", plain, "mod pool;", This("yours is in src/pool/mod.rs:6: make it `pub`, and write `pub use pool::ThreadPool;`"))
            .and("src/pool/mod.rs", whole.as_bytes()),
        odd("private pool", plain, whole.replace("pub struct", "struct"), This("yours is in src/lib.rs:6: make it `pub`; if")),
        odd("generic", plain, whole.replace("ThreadPool", "ThreadPool<T>").replace("pub struct ThreadPool<T> {", "pub struct ThreadPool<T> { t: Vec<T>,")
            .replace("ThreadPool<T> {\n            workers", "ThreadPool { t: Vec::new(), workers").replace("impl ThreadPool", "impl<T> ThreadPool")
            .replace("impl Drop", "impl<T> Drop"), This("missing generics for struct `ThreadPool`")),
        odd("changed", plain, whole.replace("(&self", "(&mut self"), This("your `execute` takes `&mut self`")),
        odd("may fail", plain, whole.replace("-> ThreadPool {", "-> Result<ThreadPool, String> {")
            .replace("        ThreadPool {", "        Ok(ThreadPool {").replace("sender: Some(sender),\n        }", "sender: Some(sender),\n        })"),
            This("expected `ThreadPool`, found `Result<ThreadPool, String>`")),
        odd("no library", plain, "", This("the crate `mine` has no library, but only a program"))
            .without("src/lib.rs").and("src/main.rs", "fn main() {}"),
        odd("library outside", &manifest("2021", "[lib]\npath = \"../lib.rs\""), "", This("is outside of its folder"))
            .at("mine").without("src/lib.rs").and("../lib.rs", whole.as_bytes()),
        odd("module outside", plain, pool.with("#[path = \"../../out.rs\"]\nmod out;"),
            This("src/lib.rs:89: the search takes what is in the folder of your crate, and there is no src/../../out.rs"))
            .at("mine").and("../out.rs", ""),
        odd("a workspace", "[workspace]\nmembers = [\"mine\"]\n", "", This("is a workspace, not a crate"))
            .and("mine/Cargo.toml", "[package]\nname = \"mine\"\nedition = \"2021\"\n").and("mine/src/lib.rs", whole.as_bytes()),
        odd("outside of a workspace", "[package]\nname = \"mine\"\nedition = \"2021\"\n", whole.as_bytes(),
            This("current package believes it's in a workspace when it's not")).at("mine").and("../Cargo.toml", outside),
        odd("wrong", plain, pool.with("fn wrong() -> u8 { \"\" }"), This("your crate does not build:\nerror[E0308]")),
        odd("unknown", plain, pool.with("pub fn a(a: &std::sync::RwLock<u8>) -> bool { a.is_poisoned() }"),
            This("src/lib.rs:88: what the search has in the place of std does not know this")),
        odd("unused", plain, format!("#![deny(unused_crate_dependencies)]\n{whole}"),
            This("which the lint `unused_crate_dependencies` minds")),
        odd("default", plain, pool.with("impl Default for ThreadPool { fn default() -> Self { \
            Self::new(::std::thread::available_parallelism().unwrap().get()) } }"), Good),
        odd("impatient", plain, whole.replace(".recv()", ".recv_timeout(std::time::Duration::from_secs(60))"),
            This("on an `Err` value: SendError")),
        odd("polls", plain, whole.replace("receiver.lock().unwrap().recv();", "loop { \
            match receiver.lock().unwrap().recv_timeout(std::time::Duration::from_secs(60)) { \
            Err(mpsc::RecvTimeoutError::Timeout) => continue, other => break other } };"),
            This("finish, 0 deadlock, 0 panic")),
    ]
}

impl Odd {
    fn without(mut self, path: &str) -> Odd {
        self.files.retain(|(file, _)| *file != path);
        self
    }
}
