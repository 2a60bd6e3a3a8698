//! Pictures for tests, easy to find on a screen.

use std::{fmt::Write, io::Cursor};

use image::{ImageFormat, Rgb, RgbImage};

const FRAME_WIDTH: u32 = 16;
/// The number of blocks per row, and of rows.
const BLOCKS: u32 = 4;

/// A picture of coloured blocks within a frame, unlike anything that a window draws.
#[derive(Debug, Clone)]
pub struct Picture {
    pixels: RgbImage,
}

/// A picture file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFile {
    /// Lossless.
    Png,
    /// Lossy: the decoded pixels differ slightly from the drawn ones.
    Jpeg,
    /// C source text, one character per pixel.
    Xpm,
}

impl Picture {
    /// The colour of the frame.
    pub const FRAME: Rgb<u8> = Rgb([255, 0, 255]);

    /// Draws one of `width` by `height` pixels. Different `seed`s give different colours.
    #[must_use]
    pub fn draw(width: u32, height: u32, seed: u32) -> Picture {
        let frame = FRAME_WIDTH;
        let pixels = RgbImage::from_fn(width, height, |x, y| {
            let inside = |at, side| at >= frame && at < side - frame;
            if !inside(x, width) || !inside(y, height) {
                return Picture::FRAME;
            }
            let block = |at, side| (at - frame) * BLOCKS / (side - 2 * frame);
            let number = block(y, height) * BLOCKS + block(x, width);
            colour(number.wrapping_mul(5).wrapping_add(seed.wrapping_mul(7)))
        });
        Picture { pixels }
    }

    /// Returns the drawn pixels.
    #[must_use]
    pub fn pixels(&self) -> &RgbImage {
        &self.pixels
    }

    /// Encodes it in this format.
    #[must_use]
    pub fn encode(&self, kind: PictureFile) -> Vec<u8> {
        let format = match kind {
            PictureFile::Png => ImageFormat::Png,
            PictureFile::Jpeg => ImageFormat::Jpeg,
            PictureFile::Xpm => return self.xpm().into_bytes(),
        };
        let mut file = Cursor::new(Vec::new());
        self.pixels
            .write_to(&mut file, format)
            .expect("it is encoded to memory");
        file.into_inner()
    }

    /// Returns the pixels that a decoder returns for this format.
    #[must_use]
    pub fn decoded(&self, kind: PictureFile) -> RgbImage {
        if kind == PictureFile::Xpm {
            return self.pixels.clone();
        }
        let file = self.encode(kind);
        image::load_from_memory(&file)
            .expect("it was just encoded")
            .into_rgb8()
    }

    /// Encodes the picture as XPM: the size, each colour with a letter, the rows in letters.
    fn xpm(&self) -> String {
        let mut colours: Vec<Rgb<u8>> = self.pixels.pixels().copied().collect();
        colours.sort_by_key(|colour| colour.0);
        colours.dedup();
        let letter = |colour: &Rgb<u8>| {
            let index = colours.binary_search_by_key(&colour.0, |known| known.0);
            char::from(b'A' + u8::try_from(index.expect("collected above")).expect("few colours"))
        };
        let (width, height) = self.pixels.dimensions();
        let mut text = String::from("/* XPM */\nstatic char *picture[] = {\n");
        let _ = writeln!(text, "\"{width} {height} {} 1\"", colours.len());
        for colour in &colours {
            let [red, green, blue] = colour.0;
            let _ = writeln!(
                text,
                ",\"{} c #{red:02X}{green:02X}{blue:02X}\"",
                letter(colour)
            );
        }
        for row in self.pixels.rows() {
            let row: String = row.map(letter).collect();
            let _ = writeln!(text, ",\"{row}\"");
        }
        text.push_str("};\n");
        text
    }
}

impl PictureFile {
    /// Returns the file name extension.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            PictureFile::Png => "png",
            PictureFile::Jpeg => "jpg",
            PictureFile::Xpm => "xpm",
        }
    }
}

/// Returns one of 27 colours, none of which is the frame's.
fn colour(number: u32) -> Rgb<u8> {
    let level = |digit: u32| [20, 120, 230][(digit % 3) as usize];
    Rgb([level(number), level(number / 3), level(number / 9)])
}
