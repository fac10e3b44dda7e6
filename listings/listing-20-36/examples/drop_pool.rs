//! Two workers, three jobs, then the pool is dropped. Nothing else.
//! The same program stands beside each step, and ends differently each time.

use hello::ThreadPool;

// ANCHOR: main
fn main() {
    let pool = ThreadPool::new(2);

    for job in 1..=3 {
        pool.execute(move || println!("Job {job} runs."));
    }

    println!("Dropping the pool.");
    drop(pool);
    println!("The pool is gone.");
}
// ANCHOR_END: main
