//! What the server has to know of rayon: where a panic in a scope goes.

mod common;

use common::in_time;
use rayon::ThreadPoolBuilder;
use std::panic;

#[test]
fn a_panic_goes_on_where_the_scope_ends() {
    let scope = || {
        let pool = ThreadPoolBuilder::new()
            .num_threads(2)
            .panic_handler(|_| {}) // is not asked
            .build()
            .unwrap();
        pool.in_place_scope(|scope| scope.spawn(|_| panic!("a job panics")));
    };
    assert!(in_time(scope).is_err());
}

#[test]
fn a_panic_that_is_caught_in_the_job_ends_there() {
    let scope = || {
        let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.in_place_scope(|scope| {
            scope.spawn(|_| drop(panic::catch_unwind(|| panic!("a job panics"))));
        });
    };
    assert!(in_time(scope).is_ok());
}
