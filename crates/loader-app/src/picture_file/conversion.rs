//! How the pixels that a decoder gives become the ones that are published.

use image::ColorType;
use image::metadata::Orientation;
use shm_core::PixelFormat;

/// How many rows of a turned picture are written side by side, so that what is read lies together.
const TURNED_ROWS: usize = 32;

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

    /// Returns whether the decoder can write where the converted pixels will be, for
    /// [`Self::convert_in_place`]. Otherwise it writes aside, for [`Self::convert`].
    pub(super) fn is_in_place(self) -> bool {
        !self.turns()
            && matches!(
                self.color,
                ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8
            )
    }

    /// Returns whether the picture is as wide afterwards as it was high.
    fn turns(self) -> bool {
        matches!(
            self.orientation,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        )
    }

    /// Puts the rows and their pixels into the right order where they lie.
    pub(super) fn convert_in_place(self, width: u32, pixels: &mut [u8]) {
        let width = width as usize;
        match self.format() {
            PixelFormat::Gray8 => self.mirror::<1>(width, pixels),
            PixelFormat::Rgb8 => self.mirror::<3>(width, pixels),
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => self.mirror::<4>(width, pixels),
        }
    }

    /// Converts what was decoded aside; `width` is that of the file.
    pub(super) fn convert(self, width: u32, decoded: Vec<u8>, pixels: &mut [u8]) {
        if !self.turns() {
            self.narrow(&decoded, pixels);
            self.convert_in_place(width, pixels);
            return;
        }
        let narrowed = if matches!(
            self.color,
            ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8
        ) {
            decoded
        } else {
            let mut narrowed = vec![0; pixels.len()];
            self.narrow(&decoded, &mut narrowed);
            narrowed
        };
        let width = width as usize;
        match self.format() {
            PixelFormat::Gray8 => self.turn::<1>(width, &narrowed, pixels),
            PixelFormat::Rgb8 => self.turn::<3>(width, &narrowed, pixels),
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => self.turn::<4>(width, &narrowed, pixels),
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
        match self.orientation {
            Orientation::FlipHorizontal => pixels.chunks_mut(width).for_each(<[_]>::reverse),
            Orientation::Rotate180 => pixels.reverse(),
            Orientation::FlipVertical => {
                pixels.reverse();
                pixels.chunks_mut(width).for_each(<[_]>::reverse);
            }
            _ => {}
        }
    }

    fn turn<const N: usize>(self, width: usize, stored: &[u8], upright: &mut [u8]) {
        let stored = stored.as_chunks::<N>().0;
        let upright = upright.as_chunks_mut::<N>().0;
        let height = stored.len() / width;
        let (from_right, from_below) = match self.orientation {
            Orientation::Rotate90 => (false, true),
            Orientation::Rotate270 => (true, false),
            Orientation::Rotate270FlipH => (true, true),
            _ => (false, false),
        };
        // A column of what is stored becomes a row.
        for (band, rows) in upright.chunks_mut(height * TURNED_ROWS).enumerate() {
            for x in 0..height {
                let y = if from_below { height - 1 - x } else { x };
                let row = &stored[y * width..][..width];
                for (index, upright) in rows.chunks_mut(height).enumerate() {
                    let column = band * TURNED_ROWS + index;
                    upright[x] = row[if from_right {
                        width - 1 - column
                    } else {
                        column
                    }];
                }
            }
        }
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

    fn upright(orientation: u8, color: ColorType) -> (u32, Vec<u8>) {
        let orientation = Orientation::from_exif(orientation).expect("1 to 8");
        let conversion = Conversion::new(color, orientation);
        let mut pixels = STORED.to_vec();
        if conversion.is_in_place() {
            conversion.convert_in_place(3, &mut pixels);
        } else {
            let decoded = match color {
                ColorType::L16 => STORED
                    .iter()
                    .flat_map(|byte| (u16::from(*byte) * 257).to_ne_bytes())
                    .collect(),
                _ => STORED.to_vec(),
            };
            conversion.convert(3, decoded, &mut pixels);
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
            for color in [ColorType::L8, ColorType::L16] {
                let result = upright(orientation, color);
                assert_eq!(
                    result,
                    (width, expected.to_vec()),
                    "{orientation} {color:?}"
                );
            }
        }
    }

    #[test]
    fn large_pictures_are_turned_as_small_ones() {
        let (width, height) = (70, 3);
        let stored: Vec<u8> = (0..width * height).collect();
        let mut pixels = vec![0; stored.len()];
        let conversion = Conversion::new(ColorType::L8, Orientation::Rotate90FlipH);
        conversion.convert(width.into(), stored.clone(), &mut pixels);
        for (index, pixel) in (0..).zip(&pixels) {
            assert_eq!(*pixel, index % height * width + index / height);
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
