//! How the pixels that a decoder gives become the ones that are published.

use std::collections::TryReserveError;

use image::ColorType;
use image::metadata::Orientation;
use shm_core::PixelFormat;

/// How many rows are turned at once, so that what is written lies together.
const TURNED_ROWS: usize = 32;

/// Some decoded pixels of a picture: rows of a strip or of a tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// The rows, without anything in between.
    pub(super) samples: &'a [u8],
    /// Where they begin in the picture as it is stored.
    pub(super) x: usize,
    pub(super) y: usize,
    /// How many pixels a row has.
    pub(super) width: usize,
}

/// From a decoder's samples to bytes, and from the camera's position to upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    color: ColorType,
    orientation: Orientation,
}

impl Conversion {
    pub(super) fn new(color: ColorType, orientation: Orientation) -> Conversion {
        Conversion { color, orientation }
    }

    /// Returns what the converted pixels consist of: the narrowest that holds them.
    pub(super) fn format(self) -> PixelFormat {
        match self.color {
            ColorType::L8 | ColorType::L16 => PixelFormat::Gray8,
            ColorType::Rgb8 | ColorType::Rgb16 | ColorType::Rgb32F => PixelFormat::Rgb8,
            _ => PixelFormat::Rgba8,
        }
    }

    /// Returns width and height of the upright picture.
    pub(super) fn upright(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.turns() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Returns whether a decoder gives the very bytes that the converted pixels consist of, so that it can
    /// write where these will be: then [`Self::straighten`] does the rest.
    pub(super) fn is_in_place(self) -> bool {
        matches!(
            self.color,
            ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8
        )
    }

    /// Returns whether the picture is as wide afterwards as it was high.
    pub(super) fn turns(self) -> bool {
        matches!(
            self.orientation,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        )
    }

    /// Returns whether the columns, and whether the rows, go the other way.
    fn reverses(self) -> (bool, bool) {
        match self.orientation {
            Orientation::FlipHorizontal | Orientation::Rotate270 => (true, false),
            Orientation::FlipVertical | Orientation::Rotate90 => (false, true),
            Orientation::Rotate180 | Orientation::Rotate270FlipH => (true, true),
            Orientation::NoTransforms | Orientation::Rotate90FlipH => (false, false),
        }
    }

    /// Puts pixels that were decoded in place into the right order. One that is turned is copied for that.
    pub(super) fn straighten(
        self,
        stored: (u32, u32),
        pixels: &mut [u8],
    ) -> Result<(), TryReserveError> {
        let width = stored.0 as usize;
        if self.turns() {
            let mut samples = Vec::new();
            samples.try_reserve_exact(pixels.len())?;
            samples.extend_from_slice(pixels);
            let whole = Block {
                samples: &samples,
                x: 0,
                y: 0,
                width,
            };
            self.place(stored, whole, pixels);
            return Ok(());
        }
        match self.format() {
            PixelFormat::Gray8 => self.mirror::<1>(width, pixels),
            PixelFormat::Rgb8 => self.mirror::<3>(width, pixels),
            _ => self.mirror::<4>(width, pixels),
        }
        Ok(())
    }

    /// Converts some pixels of a picture, and puts them where they are in the upright one. `stored` are the
    /// sides of the file.
    pub(super) fn place(self, stored: (u32, u32), block: Block<'_>, pixels: &mut [u8]) {
        let stored = (stored.0 as usize, stored.1 as usize);
        match self.format() {
            PixelFormat::Gray8 => self.place_pixels::<1>(stored, block, pixels),
            PixelFormat::Rgb8 => self.place_pixels::<3>(stored, block, pixels),
            _ => self.place_pixels::<4>(stored, block, pixels),
        }
    }

    fn place_pixels<const N: usize>(
        self,
        (width, height): (usize, usize),
        block: Block<'_>,
        pixels: &mut [u8],
    ) {
        let pixels = pixels.as_chunks_mut::<N>().0;
        let (from_right, from_below) = self.reverses();
        let row_bytes = block.width * usize::from(self.color.bytes_per_pixel());
        let rows = block.samples.chunks_exact(row_bytes);
        if !self.turns() {
            let x = if from_right {
                width - block.x - block.width
            } else {
                block.x
            };
            for (y, row) in (block.y..height).zip(rows) {
                let y = if from_below { height - 1 - y } else { y };
                let placed = &mut pixels[y * width + x..][..block.width];
                self.narrow(row, placed.as_flattened_mut());
                if from_right {
                    placed.reverse();
                }
            }
            return;
        }
        let mut band = vec![[0; N]; block.width * TURNED_ROWS.min(rows.len())];
        for (index, rows) in block.samples.chunks(row_bytes * TURNED_ROWS).enumerate() {
            let y = block.y + index * TURNED_ROWS;
            let count = (rows.len() / row_bytes).min(height.saturating_sub(y));
            self.narrow(rows, band.as_flattened_mut());
            for column in 0..block.width {
                let x = block.x + column;
                // A column of what is stored becomes a row.
                let row = if from_right { width - 1 - x } else { x };
                let begin = if from_below { height - y - count } else { y };
                let placed = &mut pixels[row * height + begin..][..count];
                let stored = band[column..].iter().step_by(block.width).take(count);
                if from_below {
                    put(stored, placed.iter_mut().rev());
                } else {
                    put(stored, placed.iter_mut());
                }
            }
        }
    }

    /// Makes every sample a byte, and grey with transparency a colour.
    fn narrow(self, wide: &[u8], narrow: &mut [u8]) {
        match self.color {
            ColorType::La8 => spread(wide.iter().copied(), narrow),
            ColorType::La16 => spread(wide.as_chunks().0.iter().map(from_u16), narrow),
            ColorType::L16 | ColorType::Rgb16 | ColorType::Rgba16 => {
                fill(narrow, wide.as_chunks().0.iter().map(from_u16));
            }
            ColorType::Rgb32F | ColorType::Rgba32F => {
                fill(narrow, wide.as_chunks().0.iter().map(from_f32));
            }
            _ => fill(narrow, wide.iter().copied()),
        }
    }

    fn mirror<const N: usize>(self, width: usize, pixels: &mut [u8]) {
        let pixels = pixels.as_chunks_mut::<N>().0;
        let (from_right, from_below) = self.reverses();
        if from_below {
            pixels.reverse();
        }
        if from_right != from_below {
            pixels.chunks_mut(width).for_each(<[_]>::reverse);
        }
    }
}

fn put<'a, const N: usize>(
    from: impl Iterator<Item = &'a [u8; N]>,
    to: impl Iterator<Item = &'a mut [u8; N]>,
) {
    for (to, from) in to.zip(from) {
        *to = *from;
    }
}

fn fill(narrow: &mut [u8], bytes: impl Iterator<Item = u8>) {
    for (to, from) in narrow.iter_mut().zip(bytes) {
        *to = from;
    }
}

/// Makes grey and opacity red, green, blue and opacity.
fn spread(mut bytes: impl Iterator<Item = u8>, narrow: &mut [u8]) {
    for pixel in narrow.as_chunks_mut::<4>().0 {
        if let (Some(gray), Some(alpha)) = (bytes.next(), bytes.next()) {
            *pixel = [gray, gray, gray, alpha];
        }
    }
}

/// Rounds to the nearest of 256 levels: 257 of the 65,536 lie between two of them.
fn from_u16(sample: &[u8; 2]) -> u8 {
    let sample = u32::from(u16::from_ne_bytes(*sample));
    u8::try_from((sample + 128) / 257).unwrap_or(u8::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and makes 0 of what is no number"
)]
fn from_f32(sample: &[u8; 4]) -> u8 {
    (f32::from_ne_bytes(*sample) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pixels wide, two high.
    const STORED: &[u8; 6] = b"abcdef";

    /// Makes the picture upright, decoded in place or given in blocks of so many rows and columns.
    fn upright(
        orientation: u8,
        color: ColorType,
        blocks: Option<(usize, usize)>,
    ) -> (u32, Vec<u8>) {
        let orientation = Orientation::from_exif(orientation).expect("1 to 8");
        let conversion = Conversion::new(color, orientation);
        let size = usize::from(color.bytes_per_pixel());
        let decoded: Vec<u8> = match color {
            ColorType::L16 => STORED
                .iter()
                .flat_map(|byte| (u16::from(*byte) * 257).to_ne_bytes())
                .collect(),
            _ => STORED.to_vec(),
        };
        let mut pixels = STORED.to_vec();
        let Some((rows, columns)) = blocks else {
            conversion.straighten((3, 2), &mut pixels).unwrap();
            return (conversion.upright((3, 2)).0, pixels);
        };
        pixels.fill(0);
        for y in (0..2).step_by(rows) {
            for x in (0..3).step_by(columns) {
                let width = columns.min(3 - x);
                let samples: Vec<u8> = (y..2.min(y + rows))
                    .flat_map(|y| &decoded[(y * 3 + x) * size..][..width * size])
                    .copied()
                    .collect();
                let block = Block {
                    samples: &samples,
                    x,
                    y,
                    width,
                };
                conversion.place((3, 2), block, &mut pixels);
            }
        }
        (conversion.upright((3, 2)).0, pixels)
    }

    #[test]
    fn every_orientation_is_made_upright() {
        for (orientation, width, expected) in [
            (1, 3, b"abcdef"),
            (2, 3, b"cbafed"),
            (3, 3, b"fedcba"),
            (4, 3, b"defabc"),
            (5, 2, b"adbecf"),
            (6, 2, b"daebfc"),
            (7, 2, b"fcebda"),
            (8, 2, b"cfbead"),
        ] {
            for (color, blocks) in [
                (ColorType::L8, None),
                (ColorType::L8, Some((2, 3))),
                (ColorType::L16, Some((2, 3))),
                (ColorType::L16, Some((1, 3))),
                (ColorType::L16, Some((2, 2))),
                (ColorType::L16, Some((1, 1))),
            ] {
                let result = upright(orientation, color, blocks);
                assert_eq!(
                    result,
                    (width, expected.to_vec()),
                    "{orientation} {color:?} {blocks:?}"
                );
            }
        }
    }

    #[test]
    fn large_pictures_are_turned_as_small_ones() {
        for (width, height) in [(70, 3), (3, 70)] {
            let stored: Vec<u8> = (0..width * height).collect();
            let conversion = Conversion::new(ColorType::L8, Orientation::Rotate90FlipH);
            let mut pixels = stored.clone();
            let sides = (width.into(), height.into());
            conversion.straighten(sides, &mut pixels).unwrap();
            for (index, pixel) in (0..).zip(&pixels) {
                assert_eq!(*pixel, index % height * width + index / height);
            }
            let conversion = Conversion::new(ColorType::L8, Orientation::Rotate90);
            let mut pixels = stored.clone();
            conversion.straighten(sides, &mut pixels).unwrap();
            for (index, pixel) in (0..).zip(&pixels) {
                let y = height - 1 - index % height;
                assert_eq!(*pixel, y * width + index / height);
            }
        }
    }

    #[test]
    fn samples_are_rounded_to_bytes() {
        for byte in 0..=255 {
            assert_eq!(from_u16(&(u16::from(byte) * 257).to_ne_bytes()), byte);
            assert_eq!(from_f32(&(f32::from(byte) / 255.0).to_ne_bytes()), byte);
        }
        assert_eq!(from_u16(&128_u16.to_ne_bytes()), 0);
        assert_eq!(from_u16(&129_u16.to_ne_bytes()), 1);
        assert_eq!(from_f32(&(-1.0_f32).to_ne_bytes()), 0);
        assert_eq!(from_f32(&2.0_f32.to_ne_bytes()), 255);
        assert_eq!(from_f32(&f32::NAN.to_ne_bytes()), 0);
    }
}
