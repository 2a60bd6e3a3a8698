//! Converts decoded pixels into the published ones: 8-bit channels, upright.

use std::collections::TryReserveError;

use image::ColorType;
use image::metadata::Orientation;
use shm_core::PixelFormat;

/// The number of rows that are rotated at once, so that writes are contiguous.
const ROTATED_ROWS: usize = 32;

/// Decoded pixels of part of a picture, such as a strip or a tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct PixelBlock<'a> {
    /// The packed rows.
    pub(super) samples: &'a [u8],
    /// The position in the stored picture.
    pub(super) x: usize,
    pub(super) y: usize,
    /// The number of pixels per row.
    pub(super) width: usize,
}

/// The conversion from decoded samples to bytes, and from the EXIF orientation to upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    color: ColorType,
    orientation: Orientation,
}

impl Conversion {
    pub(super) fn new(color: ColorType, orientation: Orientation) -> Conversion {
        Conversion { color, orientation }
    }

    /// Returns the format of the converted pixels: the smallest that holds them.
    pub(super) fn format(self) -> PixelFormat {
        match self.color {
            ColorType::L8 | ColorType::L16 => PixelFormat::Gray8,
            ColorType::Rgb8 | ColorType::Rgb16 | ColorType::Rgb32F => PixelFormat::Rgb8,
            _ => PixelFormat::Rgba8,
        }
    }

    /// Returns the width and height of the upright picture.
    pub(super) fn upright(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.swaps_axes() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Returns `true` if decoded and converted pixels have the same format, so that the decoder can
    /// write into the published memory and [`Self::orient`] completes the conversion.
    pub(super) fn is_in_place(self) -> bool {
        matches!(
            self.color,
            ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8
        )
    }

    /// Returns `true` if the conversion swaps width and height.
    pub(super) fn swaps_axes(self) -> bool {
        matches!(
            self.orientation,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        )
    }

    /// Returns whether the columns and whether the rows are reversed.
    fn reverses(self) -> (bool, bool) {
        match self.orientation {
            Orientation::FlipHorizontal | Orientation::Rotate270 => (true, false),
            Orientation::FlipVertical | Orientation::Rotate90 => (false, true),
            Orientation::Rotate180 | Orientation::Rotate270FlipH => (true, true),
            Orientation::NoTransforms | Orientation::Rotate90FlipH => (false, false),
        }
    }

    /// Makes a picture upright that was decoded in place. Allocates a copy if the axes are swapped.
    pub(super) fn orient(
        self,
        stored: (u32, u32),
        pixels: &mut [u8],
    ) -> Result<(), TryReserveError> {
        let width = stored.0 as usize;
        if self.swaps_axes() {
            let mut samples = Vec::new();
            samples.try_reserve_exact(pixels.len())?;
            samples.extend_from_slice(pixels);
            let whole = PixelBlock {
                samples: &samples,
                x: 0,
                y: 0,
                width,
            };
            self.write_block(stored, whole, pixels);
            return Ok(());
        }
        match self.format() {
            PixelFormat::Gray8 => self.mirror::<1>(width, pixels),
            PixelFormat::Rgb8 => self.mirror::<3>(width, pixels),
            _ => self.mirror::<4>(width, pixels),
        }
        Ok(())
    }

    /// Converts a block and writes it to its position in the upright picture. `stored` is the size
    /// of the stored picture.
    pub(super) fn write_block(self, stored: (u32, u32), block: PixelBlock<'_>, pixels: &mut [u8]) {
        let stored = (stored.0 as usize, stored.1 as usize);
        match self.format() {
            PixelFormat::Gray8 => self.write_pixels::<1>(stored, block, pixels),
            PixelFormat::Rgb8 => self.write_pixels::<3>(stored, block, pixels),
            _ => self.write_pixels::<4>(stored, block, pixels),
        }
    }

    fn write_pixels<const N: usize>(
        self,
        (width, height): (usize, usize),
        block: PixelBlock<'_>,
        pixels: &mut [u8],
    ) {
        let pixels = pixels.as_chunks_mut::<N>().0;
        let (reverse_columns, reverse_rows) = self.reverses();
        let row_bytes = block.width * usize::from(self.color.bytes_per_pixel());
        let rows = block.samples.chunks_exact(row_bytes);
        if !self.swaps_axes() {
            let x = if reverse_columns {
                width - block.x - block.width
            } else {
                block.x
            };
            for (y, row) in (block.y..height).zip(rows) {
                let y = if reverse_rows { height - 1 - y } else { y };
                let target = &mut pixels[y * width + x..][..block.width];
                self.to_bytes(row, target.as_flattened_mut());
                if reverse_columns {
                    target.reverse();
                }
            }
            return;
        }
        let mut band = vec![[0; N]; block.width * ROTATED_ROWS.min(rows.len())];
        for (index, rows) in block.samples.chunks(row_bytes * ROTATED_ROWS).enumerate() {
            let y = block.y + index * ROTATED_ROWS;
            let count = (rows.len() / row_bytes).min(height.saturating_sub(y));
            self.to_bytes(rows, band.as_flattened_mut());
            for column in 0..block.width {
                let x = block.x + column;
                // A stored column becomes a row.
                let row = if reverse_columns { width - 1 - x } else { x };
                let begin = if reverse_rows { height - y - count } else { y };
                let target = &mut pixels[row * height + begin..][..count];
                let stored = band[column..].iter().step_by(block.width).take(count);
                if reverse_rows {
                    copy(stored, target.iter_mut().rev());
                } else {
                    copy(stored, target.iter_mut());
                }
            }
        }
    }

    /// Converts each sample to a byte, and gray with alpha to RGBA.
    fn to_bytes(self, samples: &[u8], bytes: &mut [u8]) {
        match self.color {
            ColorType::La8 => expand_gray_alpha(samples.iter().copied(), bytes),
            ColorType::La16 => expand_gray_alpha(samples.as_chunks().0.iter().map(from_u16), bytes),
            ColorType::L16 | ColorType::Rgb16 | ColorType::Rgba16 => {
                fill(bytes, samples.as_chunks().0.iter().map(from_u16));
            }
            ColorType::Rgb32F | ColorType::Rgba32F => {
                fill(bytes, samples.as_chunks().0.iter().map(from_f32));
            }
            _ => fill(bytes, samples.iter().copied()),
        }
    }

    fn mirror<const N: usize>(self, width: usize, pixels: &mut [u8]) {
        let pixels = pixels.as_chunks_mut::<N>().0;
        let (reverse_columns, reverse_rows) = self.reverses();
        if reverse_rows {
            pixels.reverse();
        }
        if reverse_columns != reverse_rows {
            pixels.chunks_mut(width).for_each(<[_]>::reverse);
        }
    }
}

fn copy<'a, const N: usize>(
    from: impl Iterator<Item = &'a [u8; N]>,
    to: impl Iterator<Item = &'a mut [u8; N]>,
) {
    for (to, from) in to.zip(from) {
        *to = *from;
    }
}

fn fill(target: &mut [u8], bytes: impl Iterator<Item = u8>) {
    for (to, from) in target.iter_mut().zip(bytes) {
        *to = from;
    }
}

/// Converts gray and alpha to red, green, blue and alpha.
fn expand_gray_alpha(mut bytes: impl Iterator<Item = u8>, target: &mut [u8]) {
    for pixel in target.as_chunks_mut::<4>().0 {
        if let (Some(gray), Some(alpha)) = (bytes.next(), bytes.next()) {
            *pixel = [gray, gray, gray, alpha];
        }
    }
}

/// Rounds to the nearest of 256 levels, which are 257 apart.
fn from_u16(sample: &[u8; 2]) -> u8 {
    let sample = u32::from(u16::from_ne_bytes(*sample));
    u8::try_from((sample + 128) / 257).unwrap_or(u8::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and makes 0 of NaN"
)]
fn from_f32(sample: &[u8; 4]) -> u8 {
    (f32::from_ne_bytes(*sample) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture three pixels wide and two high.
    const STORED: &[u8; 6] = b"abcdef";

    /// Makes the picture upright, decoded in place, or in blocks of this many rows and columns.
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
            conversion.orient((3, 2), &mut pixels).unwrap();
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
                let block = PixelBlock {
                    samples: &samples,
                    x,
                    y,
                    width,
                };
                conversion.write_block((3, 2), block, &mut pixels);
            }
        }
        (conversion.upright((3, 2)).0, pixels)
    }

    #[test]
    fn every_orientation_becomes_upright() {
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
    fn pictures_longer_than_a_band_are_rotated() {
        for (width, height) in [(70, 3), (3, 70)] {
            let stored: Vec<u8> = (0..width * height).collect();
            let conversion = Conversion::new(ColorType::L8, Orientation::Rotate90FlipH);
            let mut pixels = stored.clone();
            let sides = (width.into(), height.into());
            conversion.orient(sides, &mut pixels).unwrap();
            for (index, pixel) in (0..).zip(&pixels) {
                assert_eq!(*pixel, index % height * width + index / height);
            }
            let conversion = Conversion::new(ColorType::L8, Orientation::Rotate90);
            let mut pixels = stored.clone();
            conversion.orient(sides, &mut pixels).unwrap();
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
