// Runs a complete program from a page, and fails if it has not ended after fifteen seconds.

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
        std::thread::sleep(std::time::Duration::from_secs(15));
        eprintln!("the program on the page was still running after 15 s");
        std::process::exit(1);
    });
    page::run();
}
