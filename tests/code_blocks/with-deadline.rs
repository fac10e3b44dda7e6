// Runs a complete program from a page, and fails if it has not ended after two minutes: a machine that
// is very busy takes long for a thousand threads.

// What is printed is not looked at, and a pool that is broken may print without end.
#[allow(unused_macros)]
macro_rules! println {
    ($($text:tt)*) => {{ let _ = format_args!($($text)*); }};
}

mod page {
__FENCE__
    pub fn run() {
        main();
    }
}

fn main() {
    std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(120));
        eprintln!("the program on the page was still running after 120 s");
        std::process::exit(1);
    });
    page::run();
}
