//! The pixels of a picture in shared memory, and what they are converted to.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use shm_core::{ImageMetadata, PixelFormat};

use crate::say;

/// At most this many pixels a side are averaged into one, so that an absurdly large picture takes
/// no absurdly long time.
const MAX_SAMPLES_PER_SIDE: u32 = 4;

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
        formatter.write_str(&say!(
            "pixels-do-not-fit",
            width = self.width,
            height = self.height,
            stride = self.stride,
            bytes = self.payload
        ))
    }
}

impl std::error::Error for PixelsError {}

/// The rows of a picture, read in place; checked once, so that every pixel inside is there.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    payload: &'a [u8],
    format: PixelFormat,
    width: u32,
    height: u32,
    stride: usize,
}

impl<'a> Rows<'a> {
    /// Looks whether metadata and payload fit each other.
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

    /// Returns the pixels without what may lie between the rows: as they are where nothing does.
    pub fn packed(&self) -> Cow<'a, [u8]> {
        if self.stride == self.row_bytes() {
            return Cow::Borrowed(self.payload);
        }
        Cow::Owned(self.iter().flatten().copied().collect())
    }

    /// Converts to red, green and blue, one byte each; what was transparent is not any more.
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

    /// Converts to RGBA and scales down to `width` × `height`, neither of them more than there are.
    ///
    /// Each pixel is the average of the rectangle that it stands for; of a large rectangle not all
    /// pixels are looked at.
    pub fn to_scaled_rgba(&self, width: u32, height: u32) -> Vec<u8> {
        let columns: Vec<usize> = (1..=width)
            .map(|x| boundary(x, width, self.width) as usize)
            .collect();
        let sparse = |whole: u32, parts: u32| (whole / parts.max(1)).div_ceil(MAX_SAMPLES_PER_SIDE);
        let step_x = sparse(self.width, width).max(1) as usize;
        let step_y = sparse(self.height, height).max(1) as usize;
        let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
        let mut sums = vec![Average::default(); width as usize];
        for y in 0..height {
            sums.fill(Average::default());
            let (top, bottom) = (
                boundary(y, height, self.height),
                boundary(y + 1, height, self.height),
            );
            for y in (top..bottom).step_by(step_y) {
                self.add_row(y, &columns, step_x, &mut sums);
            }
            rgba.extend(sums.iter().flat_map(|sum| sum.to_rgba()));
        }
        rgba
    }

    /// Returns the number of pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns one pixel as red, green, blue and alpha; `None` outside of the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let size = self.format.bytes_per_pixel();
        let bytes = &self.row(y)[x as usize * size..][..size];
        Some(rgba_of(self.format, bytes))
    }

    /// Hands over some pixels of a row, one after the other; those outside of the picture are left
    /// out.
    pub fn for_each_pixel(&self, y: usize, columns: Range<usize>, mut take: impl FnMut([u8; 4])) {
        let Some(y) = u32::try_from(y).ok().filter(|y| *y < self.height) else {
            return;
        };
        let size = self.format.bytes_per_pixel();
        let end = columns.end.min(self.width as usize);
        let bytes = &self.row(y)[columns.start.min(end) * size..end * size];
        // One match for the whole row, so that each becomes a tight loop.
        match self.format {
            PixelFormat::Rgb8 => bytes
                .as_chunks()
                .0
                .iter()
                .for_each(|&[red, green, blue]| take([red, green, blue, 255])),
            PixelFormat::Rgba8 => bytes.as_chunks().0.iter().for_each(|&pixel| take(pixel)),
            PixelFormat::Bgra8 => bytes
                .as_chunks()
                .0
                .iter()
                .for_each(|&[blue, green, red, alpha]| take([red, green, blue, alpha])),
            PixelFormat::Bgr8 => bytes
                .as_chunks()
                .0
                .iter()
                .for_each(|&[blue, green, red]| take([red, green, blue, 255])),
            format => bytes
                .chunks_exact(size)
                .for_each(|pixel| take(rgba_of(format, pixel))),
        }
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

    fn add_row(&self, y: u32, columns: &[usize], step: usize, sums: &mut [Average]) {
        let row = self.row(y);
        // With the format known to the compiler each becomes a tight loop.
        match self.format {
            PixelFormat::Rgb8 => add_row::<3>(PixelFormat::Rgb8, row, columns, step, sums),
            PixelFormat::Rgba8 => add_row::<4>(PixelFormat::Rgba8, row, columns, step, sums),
            PixelFormat::Bgra8 => add_row::<4>(PixelFormat::Bgra8, row, columns, step, sums),
            PixelFormat::Bgr8 => add_row::<3>(PixelFormat::Bgr8, row, columns, step, sums),
            PixelFormat::Gray16 => add_row::<2>(PixelFormat::Gray16, row, columns, step, sums),
            _ => add_row::<1>(PixelFormat::Gray8, row, columns, step, sums),
        }
    }
}

/// Where the part number `part` of `parts` begins when `whole` is divided among them.
fn boundary(part: u32, parts: u32, whole: u32) -> u32 {
    let begin = (u64::from(part) * u64::from(whole)).div_ceil(u64::from(parts));
    u32::try_from(begin).unwrap_or(whole)
}

/// Adds a row of pixels of `N` bytes to the averages; `columns` says where each of them ends.
#[inline(always)]
fn add_row<const N: usize>(
    format: PixelFormat,
    row: &[u8],
    columns: &[usize],
    step: usize,
    sums: &mut [Average],
) {
    let (pixels, _) = row.as_chunks::<N>();
    let mut begin = 0;
    for (&end, sum) in columns.iter().zip(sums) {
        for pixel in pixels[begin..end].iter().step_by(step) {
            sum.add(rgba_of(format, pixel));
        }
        begin = end;
    }
}

/// Converts a whole row; the loop over pixels is inside the match so that each becomes a tight one.
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
    // Several times quicker than to append each: there is room for all of them, and nothing to ask.
    rgba.resize(begin + pixels.len() * 4, 0);
    let (converted, _) = rgba[begin..].as_chunks_mut::<4>();
    for (converted, pixel) in converted.iter_mut().zip(pixels) {
        *converted = rgba_of(format, pixel);
    }
}

/// Converts one pixel; `bytes` holds exactly as many bytes as the format has. Of 16 bits the upper 8 are
/// what a window can show.
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

/// The mean of some pixels, each weighted by its opacity so that invisible ones lend no colour.
#[derive(Clone, Copy, Debug, Default)]
struct Average {
    weighted: [u32; 3],
    alpha: u32,
    count: u32,
}

impl Average {
    fn add(&mut self, [red, green, blue, alpha]: [u8; 4]) {
        let alpha = u32::from(alpha);
        for (sum, channel) in self.weighted.iter_mut().zip([red, green, blue]) {
            *sum += u32::from(channel) * alpha;
        }
        self.alpha += alpha;
        self.count += 1;
    }

    fn to_rgba(self) -> [u8; 4] {
        if self.alpha == 0 {
            return [0; 4];
        }
        // Whole numbers take many times as long to divide, and there are four for each pixel.
        let weight = 1.0 / float(self.alpha);
        let [red, green, blue] = self.weighted.map(|sum| nearest(float(sum) * weight));
        [
            red,
            green,
            blue,
            nearest(float(self.alpha) / float(self.count)),
        ]
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sums of a few bytes have fewer bits than an f32 keeps"
)]
fn float(sum: u32) -> f32 {
    sum as f32
}

/// Rounds, many times quicker than the standard library does, which knows of negative numbers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates"
)]
fn nearest(level: f32) -> u8 {
    (level + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(format: PixelFormat, width: u32, height: u32, stride: u32) -> ImageMetadata {
        // None of them is checked: that is what `Rows` does.
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
            let mut taken = Vec::new();
            rows.for_each_pixel(0, 0..1, |pixel| taken.push(pixel));
            assert_eq!(taken, [rgba], "{format:?}");
        }
    }

    #[test]
    fn what_lies_between_rows_is_left_out() {
        let metadata = metadata(PixelFormat::Gray8, 2, 2, 3);
        let rows = Rows::new(&metadata, &[1, 2, 99, 3, 4, 99]).expect("two rows fit");
        assert_eq!(rows.packed().as_ref(), [1, 2, 3, 4]);
        assert_eq!(rows.to_rgb(), [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn contradictions_are_errors() {
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
    fn scaling_down_averages_rectangles_of_nearly_one_size() {
        let metadata = metadata(PixelFormat::Gray8, 3, 2, 3);
        let rows = Rows::new(&metadata, &[0, 10, 200, 20, 30, 100]).expect("two rows fit");
        let rgba = rows.to_scaled_rgba(2, 1);
        assert_eq!(rgba, [15, 15, 15, 255, 150, 150, 150, 255]);
    }

    #[test]
    fn invisible_pixels_lend_no_colour() {
        let metadata = metadata(PixelFormat::Rgba8, 2, 1, 8);
        let rows = Rows::new(&metadata, &[255, 0, 0, 0, 0, 0, 80, 255]).expect("one row fits");
        assert_eq!(rows.to_scaled_rgba(1, 1), [0, 0, 80, 128]);
    }
}
