// ANCHOR: uses
//! Draws a part of the Mandelbrot set on a pool, tile by tile.

pub mod set;

use hello::ThreadPool;
pub use set::{save, Color, Picture, Tile, View, SEAHORSES};
use std::{
    env,
    error::Error,
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc, Arc,
    },
    thread,
    time::{Duration, Instant},
};
// ANCHOR_END: uses

// ANCHOR: draw
/// Draws `view` on `pool`, and returns when none of its jobs is left.
///
/// Whoever has `stop` can end it early, by setting it to `true`. The picture
/// then has the tiles that were finished by that time.
///
/// After each tile, `progress` is told how many are finished, and of how many.
///
/// # Panics
///
/// If the pool is closed. And do not call this in a job of the same pool: a
/// worker that waits for tiles cannot draw them.
// ANCHOR: signature
pub fn draw(
    pool: &ThreadPool,
    view: View,
    stop: &Arc<AtomicBool>,
    mut progress: impl FnMut(usize, usize),
) -> Picture {
    // ANCHOR_END: signature
    let tiles = view.tiles();
    let (sender, receiver) = mpsc::channel();

    for &tile in &tiles {
        let sender = sender.clone();
        let stop = Arc::clone(stop);
        pool.execute(move || {
            if let Some(pixels) = compute(&view, tile, &stop) {
                // This fails if nobody receives any more. Then nobody misses the tile.
                let _ = sender.send((tile, pixels));
            }
        });
    }

    // Each job drops its sender: when it is done, when it gives up, and when it panics. The loop
    // ends with the last of them, but not before this one, too, is gone.
    drop(sender);

    // Only this thread changes the picture, so it needs no lock.
    let mut picture = Picture::empty(view.size);
    for (tile, pixels) in receiver {
        picture.add(tile, &pixels);
        progress(picture.finished.len(), tiles.len());
    }
    picture
}
// ANCHOR_END: draw

// ANCHOR: compute
/// The pixels of a tile, or `None` if it was stopped.
fn compute(view: &View, tile: Tile, stop: &AtomicBool) -> Option<Vec<Color>> {
    let mut pixels = Vec::with_capacity(tile.width * tile.height);

    for y in tile.top..tile.top + tile.height {
        // The pool runs every job that is queued, and nobody can take one back. So the job itself
        // looks whether it is still wanted, before each row. `Relaxed` will do: the flag says
        // nothing about any other memory.
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        for x in tile.left..tile.left + tile.width {
            pixels.push(view.color(x, y));
        }
    }
    Some(pixels)
}
// ANCHOR_END: compute

// ANCHOR: main
pub fn main() -> ExitCode {
    let Some((file, workers, budget)) = arguments(env::args_os().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&file, workers, budget) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Draws into a new file. The error says what has failed, and why.
pub fn run(path: &Path, workers: usize, budget: Option<Duration>) -> Result<(), String> {
    let name = path.display();
    // The file comes first: if it cannot be made, no work is in vain.
    let file = File::create_new(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{name}: exists already; take another name"),
        _ => format!("{name}: cannot be made: {error}"),
    })?;
    let done = picture(workers, budget).and_then(|picture| {
        save(&picture, file).map_err(|error| format!("{name}: cannot be written: {error}"))
    });
    if done.is_err() {
        let _ = fs::remove_file(path); // it is empty, or half a picture
    }
    done
}

fn picture(workers: usize, budget: Option<Duration>) -> Result<Picture, String> {
    has_room(SEAHORSES.size)?;
    let pool = ThreadPool::build(workers).map_err(|error| match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })?;

    let stop = Arc::new(AtomicBool::new(false));
    if let Some(budget) = budget {
        let stop = Arc::clone(&stop);
        // Nobody joins this thread. If it still sleeps when `main` returns, it ends with it.
        let clock = thread::Builder::new().spawn(move || {
            thread::sleep(budget);
            stop.store(true, Ordering::Relaxed);
        });
        clock.map_err(|error| format!("the clock could not be started: {error}"))?;
    }

    let progress = |finished, all| {
        let bar = "#".repeat(finished * 32 / all);
        // `\r` goes back to the start of the line. That nobody sees it is no reason to end.
        let _ = write!(io::stderr(), "\r[{bar:.<32}] {finished} of {all} tiles");
    };
    progress(0, SEAHORSES.tiles().len()); // should the time be over before the first

    let start = Instant::now();
    let picture = draw(&pool, SEAHORSES, &stop, progress);
    let _ = writeln!(io::stderr(), " in {:.1?}", start.elapsed());
    Ok(picture)
}

/// Looks whether there is memory for the picture: a `Vec` that gets none ends the process.
pub fn has_room((width, height): (usize, usize)) -> Result<(), String> {
    let pixels = width.saturating_mul(height);
    Vec::<Color>::new()
        .try_reserve_exact(pixels)
        .map_err(|_| format!("no memory for a picture of {width} × {height} pixels"))
}
// ANCHOR_END: main

// ANCHOR: arguments
const USAGE: &str = "\
usage: mandelbrot FILE [WORKERS [SECONDS]]

  FILE     the picture, a PNG; it must not exist yet
  WORKERS  how many threads draw; if not given, as many as can run at once
  SECONDS  stop after this time, and keep what is finished";

/// Reads the arguments; `None` if they make no sense.
fn arguments(
    mut given: impl Iterator<Item = OsString>,
) -> Option<(PathBuf, usize, Option<Duration>)> {
    let file = given.next()?;
    let workers = match given.next() {
        Some(number) => number.to_str()?.parse::<NonZero<usize>>().ok()?.get(),
        None => thread::available_parallelism().map_or(1, |cores| cores.get()),
    };
    let budget = match given.next() {
        Some(time) => Some(Duration::try_from_secs_f64(time.to_str()?.parse().ok()?).ok()?),
        None => None,
    };
    let known = !file.to_string_lossy().starts_with('-') && given.next().is_none();
    known.then(|| (file.into(), workers, budget))
}
// ANCHOR_END: arguments
