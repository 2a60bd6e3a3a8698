//! The content of a display.

use std::{fs, io::BufWriter, path::Path};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgb, RgbImage};

/// How far the rounded corners of a shown picture may reach, in pixels.
const CORNER: u32 = 8;

/// The content of a display at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    pixels: RgbImage,
}

/// A part of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Pixels from the left.
    pub x: u32,
    /// Pixels from the top.
    pub y: u32,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Screen {
    /// Reads the frame buffer that the display server keeps in a file, in the format of `xwd`.
    #[must_use]
    pub(crate) fn read(frame_buffer: &Path) -> Screen {
        let bytes = fs::read(frame_buffer).expect("the display server keeps it");
        Screen {
            pixels: decode_xwd(&bytes).expect("the display has 24 bits a pixel"),
        }
    }

    /// Returns the pixels.
    #[must_use]
    pub fn pixels(&self) -> &RgbImage {
        &self.pixels
    }

    /// Returns the colour at a position.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        *self.pixels.get_pixel(x, y)
    }

    /// Saves it as a PNG.
    pub fn save(&self, path: &Path) {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).expect("the directory can be made");
        }
        let file = fs::File::create(path).expect("the picture can be written");
        let small = PngEncoder::new_with_quality(
            BufWriter::new(file),
            CompressionType::Best,
            FilterType::Adaptive,
        );
        self.pixels
            .write_with_encoder(small)
            .expect("the picture can be written");
    }

    /// Returns a part of it.
    #[must_use]
    pub fn crop(&self, area: Area) -> Screen {
        let view = image::imageops::crop_imm(&self.pixels, area.x, area.y, area.width, area.height);
        Screen {
            pixels: view.to_image(),
        }
    }

    /// Returns the smallest area that holds every pixel of about this colour.
    #[must_use]
    pub fn extent_of(&self, colour: Rgb<u8>) -> Option<Area> {
        let about = |pixel: &Rgb<u8>| pixel.0.iter().zip(colour.0).all(|(a, b)| a.abs_diff(b) < 8);
        let mut found = self
            .pixels
            .enumerate_pixels()
            .filter(|(_, _, pixel)| about(pixel))
            .map(|(x, y, _)| (x, y));
        let (x, y) = found.next()?;
        let (left, top, right, bottom) =
            found.fold((x, y, x, y), |(left, top, right, bottom), (x, y)| {
                (left.min(x), top.min(y), right.max(x), bottom.max(y))
            });
        Some(Area {
            x: left,
            y: top,
            width: right - left + 1,
            height: bottom - top + 1,
        })
    }

    /// Returns the position of `picture` on the screen, pixel for pixel except for its rounded
    /// corners.
    #[must_use]
    pub fn find(&self, picture: &RgbImage) -> Option<Area> {
        let (width, height) = picture.dimensions();
        let inner = image::imageops::crop_imm(
            picture,
            CORNER,
            CORNER,
            width.checked_sub(2 * CORNER)?,
            height.checked_sub(2 * CORNER)?,
        );
        let inner = inner.to_image();
        let last_x = self.pixels.width().checked_sub(inner.width())?;
        let last_y = self.pixels.height().checked_sub(inner.height())?;
        (0..=last_y)
            .flat_map(|y| (0..=last_x).map(move |x| (x, y)))
            .find(|(x, y)| self.has_at(*x, *y, &inner))
            .map(|(x, y)| Area {
                x: x.saturating_sub(CORNER),
                y: y.saturating_sub(CORNER),
                width,
                height,
            })
    }

    fn has_at(&self, left: u32, top: u32, picture: &RgbImage) -> bool {
        picture
            .enumerate_pixels()
            .all(|(x, y, pixel)| self.pixels.get_pixel(left + x, top + y) == pixel)
    }
}

/// Decodes the only format that Xvfb writes: 32 bits a pixel, blue first, after a header of
/// big-endian words and a colour table.
fn decode_xwd(bytes: &[u8]) -> Option<RgbImage> {
    let word = |index: usize| -> Option<u32> {
        let word = bytes.get(index * 4..index * 4 + 4)?;
        Some(u32::from_be_bytes(word.try_into().ok()?))
    };
    let header_bytes = word(0)? as usize;
    let (width, height) = (word(4)?, word(5)?);
    let (bits_per_pixel, bytes_per_line) = (word(11)?, word(12)? as usize);
    let colours = word(19)? as usize;
    if bits_per_pixel != 32 {
        return None;
    }
    let rows = bytes.get(header_bytes + colours * 12..)?;
    let mut pixels = RgbImage::new(width, height);
    for (x, y, pixel) in pixels.enumerate_pixels_mut() {
        let at = y as usize * bytes_per_line + x as usize * 4;
        let &[blue, green, red] = rows.get(at..at + 3)? else {
            return None;
        };
        *pixel = Rgb([red, green, blue]);
    }
    Some(pixels)
}
