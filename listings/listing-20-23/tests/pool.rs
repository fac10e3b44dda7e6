//! The pool as the book describes it at this step, its flaw included.

mod common;

use common::{in_time, wait_until};
use hello::ThreadPool;
use std::{
    panic,
    sync::{Arc, Mutex},
};

/// Sending works as before; what changed is what happens when the pool is dropped.
/// One test, because it listens to every panic in the process.
#[test]
fn dropping_the_pool_panics_in_every_worker_and_in_the_drop() {
    let panics = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&panics);
    panic::set_hook(Box::new(move |info| {
        hook.lock().unwrap().push(info.to_string());
    }));

    let drop_pool = || drop(ThreadPool::new(4));
    let dropped = in_time(drop_pool);

    assert!(
        dropped.is_err(),
        "the drop returned, but this step says that it panics"
    );
    wait_until("all four workers and the drop have panicked", || {
        panics.lock().unwrap().len() == 5
    });
    let _ = panic::take_hook();

    // One worker hears that the channel is closed, while it holds the lock ...
    let panics = panics.lock().unwrap();
    let count = |text: &str| panics.iter().filter(|p| p.contains(text)).count();
    assert_eq!(count("RecvError"), 1, "{panics:#?}");
    // ... the three others find the lock poisoned, and the drop unwraps the first one's panic.
    assert_eq!(count("PoisonError"), 3, "{panics:#?}");
    assert_eq!(count("Any"), 1, "{panics:#?}");
}
