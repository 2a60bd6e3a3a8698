//! The pixels of a picture in shared memory, and what they are converted to.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use iced::Size;
use shm_core::{ImageMetadata, PixelFormat};

use crate::tr;

/// The filter for scaling down: sharp, without the aliasing of a box filter.
pub(crate) const SMALLER: FilterType = FilterType::Hamming;

/// About this many pixels a side are read at most for one pixel of an overview, which bounds the
/// time for very large pictures.
const MAX_SAMPLES_PER_SIDE: u8 = 4;

/// Metadata and payload of a picture that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PixelsError {
    width: u32,
    height: u32,
    stride: u32,
    payload: usize,
}

impl fmt::Display for PixelsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&tr!(
            "pixels-do-not-fit",
            width = self.width,
            height = self.height,
            stride = self.stride,
            bytes = self.payload
        ))
    }
}

impl std::error::Error for PixelsError {}

/// The rows of a picture, read in place. The constructor checks that the payload has all pixels.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    payload: &'a [u8],
    format: PixelFormat,
    width: u32,
    height: u32,
    stride: usize,
}

impl<'a> Rows<'a> {
    /// Checks that metadata and payload fit each other.
    ///
    /// # Errors
    ///
    /// [`PixelsError`] where they do not.
    pub fn new(metadata: &ImageMetadata, payload: &'a [u8]) -> Result<Rows<'a>, PixelsError> {
        let error = PixelsError {
            width: metadata.width,
            height: metadata.height,
            stride: metadata.stride,
            payload: payload.len(),
        };
        let stride = u64::from(metadata.stride);
        let row = u64::from(metadata.width) * metadata.format.bytes_per_pixel() as u64;
        let whole = stride.checked_mul(u64::from(metadata.height));
        if row == 0 || metadata.height == 0 || stride < row || whole != Some(payload.len() as u64) {
            return Err(error);
        }
        Ok(Rows {
            payload,
            format: metadata.format,
            width: metadata.width,
            height: metadata.height,
            stride: metadata.stride as usize,
        })
    }

    /// Returns the pixels without the padding between rows; borrows them if there is none.
    pub fn packed(&self) -> Cow<'a, [u8]> {
        if self.stride == self.row_bytes() {
            return Cow::Borrowed(self.payload);
        }
        Cow::Owned(self.iter().flatten().copied().collect())
    }

    /// Converts to red, green and blue, one byte each, and drops the alpha channel.
    pub fn to_rgb(&self) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(self.pixels() * 3);
        for row in self.iter() {
            for pixel in row.chunks_exact(self.format.bytes_per_pixel()) {
                let [red, green, blue, _] = rgba_of(self.format, pixel);
                rgb.extend([red, green, blue]);
            }
        }
        rgb
    }

    /// Converts to red, green, blue and alpha, one byte each.
    pub fn to_rgba(&self) -> Vec<u8> {
        let mut rgba = Vec::with_capacity(self.pixels() * 4);
        for row in self.iter() {
            append_rgba(self.format, row, &mut rgba);
        }
        rgba
    }

    /// Converts to RGBA and scales down to `width` × `height`, at most the original size.
    ///
    /// Does not read all pixels of a large picture.
    pub fn to_scaled_rgba(&self, width: u32, height: u32) -> Vec<u8> {
        let [across, down] = [self.width, self.height].map(|side| 0.0..f64::from(side));
        let algorithm = ResizeAlg::SuperSampling(SMALLER, MAX_SAMPLES_PER_SIDE);
        self.scale(across, down, Size::new(width, height), algorithm)
    }

    /// Scales a part of the picture, given in picture pixels, to RGBA. Transparent pixels
    /// contribute no colour.
    pub(crate) fn scale(
        &self,
        across: Range<f64>,
        down: Range<f64>,
        size: Size<u32>,
        algorithm: ResizeAlg,
    ) -> Vec<u8> {
        let (across, down) = (exact(&across), exact(&down));
        let columns = reach(&across, size.width, self.width);
        let lines = reach(&down, size.height, self.height);
        let read = self.part(columns.clone(), lines.clone());
        let (format, pixels) = match self.format {
            // A copy, because a payload may be unaligned.
            PixelFormat::Gray16 => (PixelFormat::Gray8, read.upper_bytes().into()),
            format => (format, read.packed()),
        };
        let pixel_type = match format.bytes_per_pixel() {
            1 => PixelType::U8,
            3 => PixelType::U8x3,
            _ => PixelType::U8x4,
        };
        let is_transparent =
            pixel_type == PixelType::U8x4 && pixels.iter().skip(3).step_by(4).any(|&a| a != 255);
        let options = ResizeOptions::new()
            .resize_alg(algorithm)
            .crop(
                across.start - f64::from(columns.start),
                down.start - f64::from(lines.start),
                across.end - across.start,
                down.end - down.start,
            )
            .use_alpha(is_transparent);
        let mut scaled = Image::new(size.width, size.height, pixel_type);
        let done = ImageRef::new(read.width, read.height, &pixels, pixel_type)
            .map(|source| Resizer::new().resize(&source, &mut scaled, &options));
        debug_assert!(matches!(done, Ok(Ok(()))), "{done:?}");
        let mut rgba = Vec::with_capacity(size.width as usize * size.height as usize * 4);
        append_rgba(format, scaled.buffer(), &mut rgba);
        rgba
    }

    /// Returns a rectangle, which must be within the picture.
    fn part(&self, columns: Range<u32>, lines: Range<u32>) -> Rows<'a> {
        let size = self.format.bytes_per_pixel();
        let (width, height) = (columns.end - columns.start, lines.end - lines.start);
        let begin = lines.start as usize * self.stride + columns.start as usize * size;
        let length = (height as usize).saturating_sub(1) * self.stride + width as usize * size;
        Rows {
            payload: &self.payload[begin..begin + length],
            width,
            height,
            ..*self
        }
    }

    fn upper_bytes(&self) -> Vec<u8> {
        let pixels = self.iter().flat_map(|row| row.as_chunks::<2>().0);
        pixels.map(|[_, upper]| *upper).collect()
    }

    /// Returns the number of pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns one pixel as red, green, blue and alpha, or `None` outside of the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let size = self.format.bytes_per_pixel();
        let bytes = &self.row(y)[x as usize * size..][..size];
        Some(rgba_of(self.format, bytes))
    }

    fn pixels(&self) -> usize {
        self.width as usize * self.height as usize
    }

    fn row_bytes(&self) -> usize {
        self.width as usize * self.format.bytes_per_pixel()
    }

    fn row(&self, y: u32) -> &'a [u8] {
        &self.payload[y as usize * self.stride..][..self.row_bytes()]
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.height).map(|y| self.row(y))
    }
}

/// Rounds to fractions whose sums and differences are exact: the scaler refuses a part that exceeds
/// the picture by a rounding error.
fn exact(part: &Range<f64>) -> Range<f64> {
    const FRACTIONS: f64 = 1_048_576.0;
    let [start, end] = [part.start, part.end].map(|at| (at * FRACTIONS).floor() / FRACTIONS);
    start..end
}

/// Returns the range of the `side` pixels on an axis that is read to scale a part to `length`,
/// including the reach of the filter.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the casts saturate"
)]
fn reach(part: &Range<f64>, length: u32, side: u32) -> Range<u32> {
    let beside = ((part.end - part.start) / f64::from(length)).max(1.0) + 1.0;
    let end = ((part.end + beside).ceil() as u32).min(side);
    let start = ((part.start - beside).floor() as u32).min(end);
    start..end
}

/// Converts a whole row. The loop is inside the match so that the compiler specialises it for each
/// format.
fn append_rgba(format: PixelFormat, row: &[u8], rgba: &mut Vec<u8>) {
    match format {
        PixelFormat::Rgba8 => rgba.extend_from_slice(row),
        PixelFormat::Rgb8 => append_pixels::<3>(PixelFormat::Rgb8, row, rgba),
        PixelFormat::Bgr8 => append_pixels::<3>(PixelFormat::Bgr8, row, rgba),
        PixelFormat::Bgra8 => append_pixels::<4>(PixelFormat::Bgra8, row, rgba),
        PixelFormat::Gray16 => append_pixels::<2>(PixelFormat::Gray16, row, rgba),
        _ => append_pixels::<1>(PixelFormat::Gray8, row, rgba),
    }
}

/// Converts a row of pixels of `N` bytes.
#[inline(always)]
fn append_pixels<const N: usize>(format: PixelFormat, row: &[u8], rgba: &mut Vec<u8>) {
    let (pixels, _) = row.as_chunks::<N>();
    let begin = rgba.len();
    // Several times faster than appending each pixel, which checks the capacity.
    rgba.resize(begin + pixels.len() * 4, 0);
    let (converted, _) = rgba[begin..].as_chunks_mut::<4>();
    for (converted, pixel) in converted.iter_mut().zip(pixels) {
        *converted = rgba_of(format, pixel);
    }
}

/// Converts one pixel; `bytes` holds exactly one pixel of the format. Of 16-bit channels the upper
/// 8 bits are used.
#[inline]
fn rgba_of(format: PixelFormat, bytes: &[u8]) -> [u8; 4] {
    match format {
        PixelFormat::Rgb8 => [bytes[0], bytes[1], bytes[2], 255],
        PixelFormat::Rgba8 => [bytes[0], bytes[1], bytes[2], bytes[3]],
        PixelFormat::Bgra8 => [bytes[2], bytes[1], bytes[0], bytes[3]],
        PixelFormat::Bgr8 => [bytes[2], bytes[1], bytes[0], 255],
        PixelFormat::Gray16 => [bytes[1], bytes[1], bytes[1], 255],
        _ => [bytes[0], bytes[0], bytes[0], 255],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(format: PixelFormat, width: u32, height: u32, stride: u32) -> ImageMetadata {
        // The metadata is not validated here; `Rows` does that.
        let mut metadata = ImageMetadata::packed(format, 1, 1).expect("it is small");
        (metadata.width, metadata.height, metadata.stride) = (width, height, stride);
        metadata
    }

    #[test]
    fn every_format_becomes_rgba() {
        let cases: [(PixelFormat, &[u8], [u8; 4]); 6] = [
            (PixelFormat::Gray8, &[7], [7, 7, 7, 255]),
            (PixelFormat::Rgb8, &[1, 2, 3], [1, 2, 3, 255]),
            (PixelFormat::Rgba8, &[1, 2, 3, 4], [1, 2, 3, 4]),
            (PixelFormat::Bgra8, &[1, 2, 3, 4], [3, 2, 1, 4]),
            (PixelFormat::Bgr8, &[1, 2, 3], [3, 2, 1, 255]),
            (PixelFormat::Gray16, &[1, 2], [2, 2, 2, 255]),
        ];
        assert_eq!(cases.map(|case| case.0), PixelFormat::ALL);
        for (format, payload, rgba) in cases {
            let stride = u32::try_from(payload.len()).expect("a pixel is small");
            let metadata = metadata(format, 1, 1, stride);
            let rows = Rows::new(&metadata, payload).expect("one pixel fits");
            assert_eq!(rows.to_rgba(), rgba, "{format:?}");
            assert_eq!(rows.to_rgb(), rgba[..3], "{format:?}");
            assert_eq!(rows.to_scaled_rgba(1, 1), rgba, "{format:?}");
            assert_eq!(rows.pixel(0, 0), Some(rgba), "{format:?}");
        }
    }

    #[test]
    fn padding_between_rows_is_skipped() {
        let metadata = metadata(PixelFormat::Gray8, 2, 2, 3);
        let rows = Rows::new(&metadata, &[1, 2, 99, 3, 4, 99]).expect("two rows fit");
        assert_eq!(rows.packed().as_ref(), [1, 2, 3, 4]);
        assert_eq!(rows.to_rgb(), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn contradictory_metadata_is_an_error() {
        let short = metadata(PixelFormat::Rgb8, 2, 1, 5);
        let empty = metadata(PixelFormat::Rgb8, 0, 1, 6);
        let flat = metadata(PixelFormat::Rgb8, 2, 0, 6);
        let vast = metadata(PixelFormat::Rgba8, u32::MAX, u32::MAX, u32::MAX);
        for metadata in [short, empty, flat, vast] {
            assert!(Rows::new(&metadata, &[0; 6]).is_err(), "{metadata:?}");
        }
        let exact = metadata(PixelFormat::Rgb8, 2, 1, 6);
        assert!(Rows::new(&exact, &[0; 5]).is_err());
        assert!(Rows::new(&exact, &[0; 7]).is_err());
        assert!(Rows::new(&exact, &[0; 6]).is_ok());
    }

    #[test]
    fn scaling_down_leaves_no_pixel_out() {
        let metadata = metadata(PixelFormat::Gray8, 3, 2, 3);
        let rows = Rows::new(&metadata, &[0, 10, 200, 20, 30, 100]).expect("two rows fit");
        let rgba = rows.to_scaled_rgba(2, 1);
        assert_eq!(rgba, [13, 13, 13, 255, 114, 114, 114, 255]);
    }

    #[test]
    fn transparent_pixels_contribute_no_colour() {
        let metadata = metadata(PixelFormat::Rgba8, 2, 1, 8);
        let rows = Rows::new(&metadata, &[255, 0, 0, 0, 0, 0, 80, 255]).expect("one row fits");
        assert_eq!(rows.to_scaled_rgba(1, 1), [0, 0, 80, 128]);
    }
}
