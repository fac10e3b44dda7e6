//! What counts as done: `cargo book check 20-30 FOLDER` runs this against a crate of your own.

mod common;
#[path = "../examples/mandelbrot/main.rs"]
#[allow(dead_code)] // `main`, and more
mod mandelbrot;

use common::in_time;
use hello::ThreadPool;
use mandelbrot::{draw, View, SEAHORSES};
use std::{
    panic,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc, Arc,
    },
    thread,
    time::Duration,
};

/// Twenty-four tiles, some of them cut at the edge.
const SMALL: View = View {
    size: (46, 30),
    tile: (8, 8),
    limit: 100,
    ..SEAHORSES
};

/// The upper tiles are far outside. The others hold points inside, where a pixel takes so long that
/// no machine gets to the end before somebody has noticed that five tiles are finished.
const HEAVY: View = View {
    center: (-0.5, 0.1),
    width: 3.0,
    size: (96, 96),
    tile: (8, 8),
    limit: 2_000_000,
    ..SEAHORSES
};

fn flag(raised: bool) -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(raised))
}

/// Draws, and checks what `progress` is told.
fn pixels(view: View, workers: usize) -> Vec<[u8; 4]> {
    let pool = ThreadPool::new(workers);
    let mut told = Vec::new();
    let picture = draw(&pool, view, &flag(false), |finished, all| {
        told.push((finished, all));
    });

    let all = view.size.0.div_ceil(view.tile.0) * view.size.1.div_ceil(view.tile.1);
    assert!(told.into_iter().eq((1..=all).map(|tile| (tile, all))));
    picture.pixels
}

fn passed(result: thread::Result<()>) {
    result.unwrap_or_else(|why| panic::resume_unwind(why));
}

#[test]
fn the_picture_is_whole_and_the_same_with_any_number_of_workers() {
    passed(in_time(|| {
        let alone = pixels(SMALL, 1);
        assert_eq!(alone.len(), SMALL.size.0 * SMALL.size.1);
        assert!(alone.iter().all(|color| color[3] == 255), "not all drawn");
        assert!(alone.iter().any(|color| *color != alone[0]), "all the same");
        // Not `assert_eq`: it would print both.
        assert!(pixels(SMALL, 4) == alone, "4 workers draw another picture");

        let whole = View {
            tile: SMALL.size,
            ..SMALL
        };
        assert!(pixels(whole, 2) == alone, "a tile is in the wrong place");
    }));
}

#[test]
fn the_tiles_are_drawn_by_the_pool() {
    let pool = Arc::new(ThreadPool::new(1));
    let (go, wait) = mpsc::channel::<()>();
    let (sender, receiver) = mpsc::channel();

    // The only worker is busy, so there can be no tile.
    pool.execute(move || {
        let _ = wait.recv();
    });
    let busy = Arc::clone(&pool);
    let drawing = thread::spawn(move || {
        draw(&busy, SMALL, &flag(false), |_, _| {
            let _ = sender.send(());
        });
    });
    let early = receiver.recv_timeout(Duration::from_millis(100));
    go.send(()).unwrap();

    assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout));
    passed(in_time(move || drawing.join().unwrap()));
}

#[test]
fn stopped_before_it_begins_nothing_is_drawn() {
    passed(in_time(|| {
        let pool = ThreadPool::new(2);
        let picture = draw(&pool, HEAVY, &flag(true), |_, _| panic!("a tile"));
        assert_eq!(picture.pixels.len(), HEAVY.size.0 * HEAVY.size.1);
        assert!(picture.pixels.iter().all(|color| *color == [0; 4]));
    }));
}

#[test]
fn stopped_in_the_middle_it_keeps_what_is_finished() {
    passed(in_time(|| {
        let pool = ThreadPool::new(1);
        let stop = flag(false);
        let picture = draw(&pool, HEAVY, &stop, |finished, _| {
            if finished == 5 {
                stop.store(true, Ordering::Relaxed);
            }
        });

        let drawn = |color: &&[u8; 4]| color[3] == 255;
        let finished = picture.pixels.iter().filter(drawn).count();
        assert!(finished >= 5 * 8 * 8, "less is left than was finished");
        assert!(finished < picture.pixels.len(), "it was not stopped");
        assert_eq!(finished % (8 * 8), 0, "a tile is there in part");
    }));
}

#[test]
fn a_stop_is_noticed_within_a_tile() {
    passed(in_time(|| {
        // One tile, all inside, that takes much longer than this test may.
        let view = View {
            center: (0.0, 0.0),
            width: 0.001,
            size: (4, 100_000),
            tile: (4, 100_000),
            limit: 200_000,
            ..SEAHORSES
        };
        let stop = flag(false);
        let later = Arc::clone(&stop);
        // If the tile begins only after that, nothing is learned from it, but no job fails unjustly.
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            later.store(true, Ordering::Relaxed);
        });

        let pool = ThreadPool::new(1);
        let picture = draw(&pool, view, &stop, |_, _| {});
        let drawn = picture.pixels.iter().any(|color| *color != [0; 4]);
        assert!(!drawn, "a part of a tile is in the picture");
    })); // And the drop of the pool waits for what is left.
}

#[test]
fn the_pool_can_be_used_again_after_a_stop() {
    passed(in_time(|| {
        let pool = ThreadPool::new(2);
        draw(&pool, HEAVY, &flag(true), |_, _| {});
        let picture = draw(&pool, SMALL, &flag(false), |_, _| {});
        assert!(picture.pixels == pixels(SMALL, 1));
    }));
}

#[test]
fn a_tile_that_panics_is_missing_and_nothing_more() {
    passed(in_time(|| {
        // Without a palette, there is no color for a point outside, but black for those inside.
        let view = View {
            center: (0.0, 0.0),
            width: 2.0,
            palette: &[],
            ..SMALL
        };
        let pool = ThreadPool::new(2);
        let picture = draw(&pool, view, &flag(false), |_, _| {});
        assert!(picture.pixels.contains(&[0, 0, 0, 255]));
        assert!(picture.pixels.contains(&[0; 4]));
    }));
}
