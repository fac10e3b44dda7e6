//! The picture, and the program that draws it. What drawing on a pool means is in `check.rs`.

mod common;
#[path = "../examples/mandelbrot/main.rs"]
#[allow(dead_code)] // `main`, and more
mod mandelbrot;

use common::{in_time, within};
use hello::ThreadPool;
use mandelbrot::{draw, has_room, save, set::escape, Picture, Tile, View, SEAHORSES};
use std::{
    env, fs,
    io::Cursor,
    panic,
    path::PathBuf,
    process::{self, Command, Output},
    sync::Arc,
    time::Duration,
};

/// Twenty-four tiles, some of them cut at the edge.
const SMALL: View = View {
    size: (46, 30),
    tile: (8, 8),
    limit: 100,
    ..SEAHORSES
};

fn whole(view: View, workers: usize) -> Picture {
    let pool = ThreadPool::new(workers);
    draw(&pool, view, &Arc::default(), |_, _| {})
}

/// Where the pixels of a tile are in the picture.
fn pixels_of(tile: &Tile, view: View) -> impl Iterator<Item = usize> {
    let (columns, width) = (tile.left..tile.left + tile.width, view.size.0);
    (tile.top..tile.top + tile.height)
        .flat_map(move |y| columns.clone().map(move |x| y * width + x))
}

/// Runs a test with a deadline, and passes its panic on.
fn test(f: impl FnOnce() + Send + 'static) {
    in_time(f).unwrap_or_else(|why| panic::resume_unwind(why));
}

#[test]
fn the_tiles_cover_each_pixel_once() {
    test(|| {
        let mut covered = vec![0; SMALL.size.0 * SMALL.size.1];
        for tile in SMALL.tiles() {
            for pixel in pixels_of(&tile, SMALL) {
                covered[pixel] += 1;
            }
        }
        assert!(covered.iter().all(|times| *times == 1));
    });
}

#[test]
fn known_points_are_inside_and_outside() {
    test(|| {
        assert_eq!(escape((0.0, 0.0), 1000), None);
        assert_eq!(escape((-1.0, 0.0), 1000), None); // comes back to zero again and again
        assert!(escape((2.0, 2.0), 1000).unwrap() < 4.0);
    });
}

#[test]
fn the_colors_are_the_same_on_each_machine() {
    test(|| {
        // So many steps make a difference in the last bit of a number as big as the picture.
        let picture = whole(
            View {
                limit: 2000,
                ..SMALL
            },
            2,
        );
        let sum = (picture.pixels.as_flattened().iter()).fold(0_u32, |sum, &byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        assert_eq!(sum, 2_281_514_545);
    });
}

/// How often the loop runs for a pixel.
fn cost(x: usize, y: usize) -> u32 {
    let points = SEAHORSES.points(x, y).into_iter();
    let steps = points.map(|point| match escape(point, SEAHORSES.limit) {
        Some(steps) => steps as u32 + 1,
        None => SEAHORSES.limit,
    });
    steps.sum()
}

#[test]
fn pixels_and_tiles_cost_as_much_as_is_said() {
    test(|| {
        let on_the_blue_ground = cost(0, 0);
        assert!(
            (100..140).contains(&on_the_blue_ground),
            "{on_the_blue_ground}"
        );
        let tiles = SEAHORSES.tiles().into_iter().map(|tile| {
            // Each fifth pixel in each direction will do.
            let rows = (tile.top..tile.top + tile.height).step_by(5);
            let pixels = rows.flat_map(|y| {
                let columns = tile.left..tile.left + tile.width;
                columns.step_by(5).map(move |x| cost(x, y))
            });
            let pixels: Vec<u32> = pixels.collect();
            (pixels.iter().sum::<u32>(), pixels.into_iter().max())
        });
        let tiles: Vec<_> = tiles.collect();

        let black = tiles.iter().filter_map(|(_, most)| *most).max();
        assert_eq!(black, Some(8000));
        let costs = tiles.iter().map(|(cost, _)| *cost);
        let times = costs.clone().max().unwrap() / costs.min().unwrap();
        assert!((65..80).contains(&times), "{times}");
    });
}

#[test]
fn the_file_is_a_png_with_the_same_pixels() {
    test(|| {
        let picture = whole(SMALL, 2);
        let mut file = Vec::new();
        save(&picture, &mut file).unwrap();

        let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();

        assert_eq!((info.width, info.height), (46, 30));
        assert_eq!(info.color_type, png::ColorType::Rgba);
        assert!(pixels == picture.pixels.as_flattened());
    });
}

/// Runs the program itself. Cargo knows where it is, and builds it should it not be there yet.
fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command
        .args([
            "run",
            "--quiet",
            "--locked",
            "--example",
            "mandelbrot",
            "--",
        ])
        .args(arguments);
    within(Duration::from_secs(300), move || command.output())
        .expect("not done after 300 s")
        .unwrap()
        .unwrap()
}

/// A name for a file that is not there, and is gone at the end of the test.
struct NewFile(PathBuf);

impl NewFile {
    fn named(name: &str) -> NewFile {
        // A process that was ended may have left one behind, and this one may have its number.
        let file = (0..100)
            .map(|count| env::temp_dir().join(format!("hello-{}-{count}-{name}", process::id())))
            .find(|file| !file.exists());
        NewFile(file.expect("a new name for a temporary file"))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn the_program_stops_after_its_time() {
    // On a machine that has much else to do, its clock may come too late. Not each time.
    let stopped = (0..10).any(|_| {
        let file = NewFile::named("short.png");
        let output = program(&[file.0.to_str().unwrap(), "1", "0.01"]);

        assert!(output.status.success(), "{output:?}");
        assert!(fs::read(&file.0).unwrap().starts_with(b"\x89PNG"));
        finished(&output) < 96
    });
    assert!(stopped, "all the tiles were drawn, ten times");
}

/// How many tiles were finished, as the program says at its end.
fn finished(output: &Output) -> usize {
    let said = String::from_utf8_lossy(&output.stderr);
    let (bar, time) = said.split_once(" of 96 tiles in ").expect(&said);
    assert!(time.ends_with("s\n"), "{said}");
    let (_, number) = bar.rsplit_once("] ").expect(&said);
    number.parse().expect(&said)
}

#[test]
fn without_any_time_the_program_says_so_and_writes_a_picture() {
    let file = NewFile::named("none.png");
    let output = program(&[file.0.to_str().unwrap(), "1", "0"]);

    assert!(output.status.success(), "{output:?}");
    // It begins with this, and none of the tiles may be finished before the time is over.
    let none = "\r[................................] 0 of 96 tiles";
    assert!(output.stderr.starts_with(none.as_bytes()), "{output:?}");
    assert!(finished(&output) <= 96);
    assert!(fs::read(&file.0).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_file_that_exists_is_not_overwritten() {
    let file = NewFile::named("precious.png");
    fs::write(&file.0, "precious").unwrap();
    let output = program(&[file.0.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("exists already"), "{said}");
    assert_eq!(fs::read_to_string(&file.0).unwrap(), "precious");
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_before_any_work() {
    let folder = NewFile::named("nowhere");
    let file = folder.0.join("picture.png");
    let output = program(&[file.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = format!("error: {}: cannot be made: ", file.display());
    assert!(said.starts_with(&expected), "{said}");
    assert!(!said.contains("tiles"), "it had begun to draw: {said}");
    assert!(output.stdout.is_empty(), "it had started a pool");
}

#[test]
fn too_little_memory_for_the_picture_is_said() {
    let error = has_room((usize::MAX, 2)).unwrap_err();
    assert!(error.starts_with("no memory for a picture"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn no_memory_or_thread_is_told_and_leaves_no_file() {
    let name = "no_memory_or_thread_is_told_and_leaves_no_file";
    if env::var_os("IN_CHILD").is_some() {
        let file = NewFile::named("nothing.png");
        let run = || mandelbrot::run(&file.0, 100_000, None).unwrap_err();
        let (mut taken, mut block) = (Vec::with_capacity(10_000), Vec::<u8>::new());
        while block.try_reserve_exact(1 << 19).is_ok() {
            taken.push(std::mem::take(&mut block)); // half a picture
        }
        let no_memory = run();
        drop(taken);
        let errors = [no_memory, run()];
        assert!(
            errors[0].starts_with("no memory for a picture"),
            "{errors:?}"
        );
        let cause = errors[1].strip_prefix("a worker could not be started: ");
        assert!(cause.is_some_and(|cause| !cause.is_empty()), "{errors:?}");
        assert!(!file.0.exists(), "{} is left", file.0.display());
        return;
    }
    // A process with room for the stacks of a few threads only.
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"ulimit -v 4000000 && exec "$0" --exact "$1""#])
        .arg(env::current_exe().unwrap())
        .args([name])
        .env("IN_CHILD", "yes")
        .env("RUST_MIN_STACK", "500000000");
    let output = within(Duration::from_secs(60), move || command.output());
    let output = output.expect("not done after 60 s").unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
fn a_call_that_makes_no_sense_is_answered_with_how_to_call_it() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["--help"],
        &["wrong.png", "0"],
        &["wrong.png", "two"],
        &["wrong.png", "2", "-1"],
        &["wrong.png", "2", "1", "more"],
    ];
    for arguments in wrong {
        let output = program(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stderr.starts_with(b"usage: mandelbrot FILE"));
    }
    assert!(!PathBuf::from("wrong.png").exists());
}
