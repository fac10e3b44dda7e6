// ANCHOR: speedup
//! Measures how much faster more workers draw the picture:
//!
//! ```sh
//! cargo run --release --example speedup >/dev/null
//! ```

#[path = "mandelbrot/main.rs"]
#[allow(dead_code)] // only `draw` is needed, and what it draws
mod mandelbrot;

use hello::ThreadPool;
use mandelbrot::{draw, View, SEAHORSES};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const ROUNDS: usize = 7;

fn main() {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let (width, height) = SEAHORSES.size;
    let in_tiles_of = |tile| View { tile, ..SEAHORSES };
    let columns = in_tiles_of((width.div_ceil(cores), height));

    let mut ways = [
        ("1 worker", 1, SEAHORSES, Vec::new()),
        ("a worker for each core", cores, SEAHORSES, Vec::new()),
        ("twice as many", 2 * cores, SEAHORSES, Vec::new()),
        ("a worker and a tile for each", cores, columns, Vec::new()),
        (
            "the same, small tiles",
            cores,
            in_tiles_of((15, 15)),
            Vec::new(),
        ),
    ];
    // The ways take turns: whatever else the machine does meanwhile, it does to all of them.
    for round in 1..=ROUNDS {
        eprint!("\rround {round} of {ROUNDS}");
        for (_, workers, view, times) in &mut ways {
            times.push(time(*workers, *view));
        }
    }

    let medians = ways.map(|(way, workers, view, mut times)| {
        times.sort();
        (way, workers, view.tiles().len(), times[ROUNDS / 2])
    });
    let (.., alone) = medians[0];
    eprintln!("\rMedians of {ROUNDS} rounds, {cores} cores:");
    eprintln!("{:30} workers  tiles  seconds  speed-up", "");
    for (way, workers, tiles, median) in medians {
        let (median, alone) = (median.as_secs_f64(), alone.as_secs_f64());
        let speedup = alone / median;
        eprintln!("{way:30} {workers:7} {tiles:6} {median:8.2} {speedup:9.2}");
    }
}

fn time(workers: usize, view: View) -> Duration {
    let pool = ThreadPool::new(workers);
    let start = Instant::now();
    draw(&pool, view, &Arc::default(), |_, _| {});
    start.elapsed()
}
// ANCHOR_END: speedup
