// ANCHOR: view
//! The Mandelbrot set, and a picture of it in tiles. No threads here.

use std::io::Write;

/// Which part of the set is drawn, and how.
#[derive(Clone, Copy)]
pub struct View {
    /// The point in the middle of the picture.
    pub center: (f64, f64),
    /// How much of the plane the picture is wide.
    pub width: f64,
    /// Width and height of the picture, in pixels.
    pub size: (usize, usize),
    /// Width and height of a tile, in pixels. Those at the edge may be smaller.
    pub tile: (usize, usize),
    /// A point that has not escaped after so many steps counts as inside.
    pub limit: u32,
    /// The colors outside, which come again and again. Inside it is black.
    pub palette: &'static [[u8; 3]],
}

/// From the valley between the two biggest parts of the set. On the left the points escape soon, on
/// the right many never do: some tiles cost seventy times what others cost.
pub const SEAHORSES: View = View {
    center: (-0.748, 0.1145),
    width: 0.016,
    size: (720, 480),
    tile: (60, 60),
    limit: 2000,
    palette: &[
        [4, 12, 60],
        [32, 107, 203],
        [237, 250, 255],
        [255, 170, 20],
        [90, 10, 30],
    ],
};
// ANCHOR_END: view

// ANCHOR: tile
/// A rectangle of the picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl View {
    /// The tiles of the picture, row by row.
    pub fn tiles(&self) -> Vec<Tile> {
        let mut tiles = Vec::new();
        for top in (0..self.size.1).step_by(self.tile.1) {
            for left in (0..self.size.0).step_by(self.tile.0) {
                tiles.push(Tile {
                    left,
                    top,
                    width: self.tile.0.min(self.size.0 - left),
                    height: self.tile.1.min(self.size.1 - top),
                });
            }
        }
        tiles
    }
}
// ANCHOR_END: tile

// ANCHOR: picture
/// Red, green, blue, and how opaque it is.
pub type Color = [u8; 4];

/// What has been drawn. A pixel that has not been is transparent.
pub struct Picture {
    pub size: (usize, usize),
    /// Row by row, from the top left.
    pub pixels: Vec<Color>,
    /// The tiles that are in it, in the order in which they came.
    pub finished: Vec<Tile>,
}

impl Picture {
    pub fn empty(size: (usize, usize)) -> Picture {
        Picture {
            size,
            pixels: vec![[0; 4]; size.0 * size.1],
            finished: Vec::new(),
        }
    }

    pub fn add(&mut self, tile: Tile, pixels: &[Color]) {
        for (row, colors) in pixels.chunks(tile.width).enumerate() {
            let start = (tile.top + row) * self.size.0 + tile.left;
            self.pixels[start..start + tile.width].copy_from_slice(colors);
        }
        self.finished.push(tile);
    }
}
// ANCHOR_END: picture

// ANCHOR: escape
/// How many steps the point takes to escape, with a fraction, so that there are no edges between
/// the colors. `None`: it is still there after `limit` steps, and counts as inside.
pub fn escape((a, b): (f64, f64), limit: u32) -> Option<f64> {
    let (mut x, mut y) = (0.0, 0.0);

    for step in 0..limit {
        (x, y) = (x * x - y * y + a, 2.0 * x * y + b);
        let square = x * x + y * y;
        if square > 256.0 {
            // Barely escaped, this root is 2, and the fraction is 1. One step later it would be 4:
            // then the fraction is 0. (Logarithms would do that, too, but not to the last bit alike
            // on each machine.)
            let root = square.sqrt().sqrt().sqrt();
            return Some(f64::from(step) + (4.0 / root - 1.0).max(0.0));
        }
    }
    None
}
// ANCHOR_END: escape

// ANCHOR: color
impl View {
    /// Four points in a pixel.
    pub fn points(&self, x: usize, y: usize) -> [(f64, f64); 4] {
        let scale = self.width / self.size.0 as f64;

        [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)].map(|(right, down)| {
            let x = x as f64 + right - self.size.0 as f64 / 2.0;
            let y = y as f64 + down - self.size.1 as f64 / 2.0;
            // In the picture, y grows downward; in the plane, it grows upward.
            (self.center.0 + x * scale, self.center.1 - y * scale)
        })
    }

    /// The color of a pixel: the mean of those of its points, which makes thin lines smooth.
    pub fn color(&self, x: usize, y: usize) -> Color {
        let mut sum = [0.0; 3];

        for point in self.points(x, y) {
            if let Some(steps) = escape(point, self.limit) {
                let at = steps.sqrt() / 8.0; // slower where it escapes late: there is more to see
                let from = self.palette[at as usize % self.palette.len()];
                let to = self.palette[(at as usize + 1) % self.palette.len()];
                for i in 0..3 {
                    let (from, to) = (f64::from(from[i]), f64::from(to[i]));
                    sum[i] += from + (to - from) * at.fract();
                }
            }
        }
        let [red, green, blue] = sum.map(|sum| (sum / 4.0).round() as u8);
        [red, green, blue, 255]
    }
}
// ANCHOR_END: color

// ANCHOR: save
/// Writes the picture as a PNG.
pub fn save(picture: &Picture, to: impl Write) -> Result<(), png::EncodingError> {
    let (width, height) = picture.size;
    let mut encoder = png::Encoder::new(to, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgba);

    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.pixels.as_flattened())?;
    writer.finish()
}
// ANCHOR_END: save
