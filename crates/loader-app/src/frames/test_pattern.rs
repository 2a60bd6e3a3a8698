//! A moving test pattern: colour bars, a moving box, and the frame number, in digits for people and
//! in a row of cells at the bottom for programs.

mod canvas;

use shm_core::ImageMetadata;

use super::{Drawn, FrameError, FrameInfo, FrameReader, NextFrame, Rate};
use canvas::{Canvas, Color, PixelRect};

/// The smallest width and height at which all parts are distinct.
const MIN_SIZE: (u32, u32) = (64, 48);

/// The number of cells in the bottom row. The leftmost cell is the highest bit; white is 1.
const CELLS: u32 = 32;
/// The number of digits, enough for two weeks of frames.
const DIGITS: u32 = 8;

/// Colour bars at 75 % intensity, the brightest first, as in television.
const BARS: [Color; 8] = [
    Color(191, 191, 191),
    Color(191, 191, 0),
    Color(0, 191, 191),
    Color(0, 191, 0),
    Color(191, 0, 191),
    Color(191, 0, 0),
    Color(0, 0, 191),
    Color(0, 0, 0),
];

/// The digits, three dots wide and five high: one bit per dot, row by row, the highest bit first.
const GLYPHS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_010_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
];

/// A source that draws the test pattern. The first frame has the number 1.
#[derive(Debug)]
pub(crate) struct TestPattern {
    metadata: ImageMetadata,
    rate: Option<Rate>,
    /// The number of frames; `None` if there is no end.
    count: Option<u64>,
    /// The pixels that are the same in each frame.
    background: Vec<u8>,
    layout: Layout,
    /// The number of the current frame.
    number: u64,
}

/// The positions of the parts.
#[derive(Clone, Copy, Debug)]
struct Layout {
    width: u32,
    height: u32,
    /// The side of a dot of a digit.
    dot: u32,
    /// The height of the row of cells.
    cells: u32,
}

impl TestPattern {
    /// Draws the background. The pattern ends after `count` frames, or never if that is `None`.
    ///
    /// # Errors
    ///
    /// Returns [`FrameError::Size`] below 64 × 48 pixels, at which the parts are not distinct.
    pub(crate) fn new(
        metadata: ImageMetadata,
        rate: Option<Rate>,
        count: Option<u64>,
    ) -> Result<TestPattern, FrameError> {
        let (width, height) = MIN_SIZE;
        if metadata.width < width || metadata.height < height {
            return Err(FrameError::Size {
                reason: format!("the test pattern needs at least {width} × {height} pixels"),
            });
        }
        let metadata = metadata.with_file_name("test pattern");
        let layout = Layout::of(&metadata);
        let mut background = vec![0; metadata.payload_bytes()];
        draw_background(&mut Canvas::new(&metadata, &mut background), layout);
        Ok(TestPattern {
            metadata,
            rate,
            count,
            background,
            layout,
            number: 0,
        })
    }
}

impl FrameReader for TestPattern {
    fn next(&mut self) -> Result<NextFrame, FrameError> {
        if self.count == Some(self.number) {
            return Ok(NextFrame::End);
        }
        let duration = self.rate.map(|rate| rate.duration_of(self.number));
        self.number += 1;
        Ok(NextFrame::Frame(FrameInfo {
            metadata: self.metadata.clone(),
            duration,
        }))
    }

    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError> {
        pixels.copy_from_slice(&self.background);
        let canvas = &mut Canvas::new(&self.metadata, pixels);
        draw_box(canvas, self.layout, self.number);
        draw_digits(canvas, self.layout, self.number);
        draw_cells(canvas, self.layout, self.number);
        Ok(Drawn::Whole)
    }
}

impl Layout {
    fn of(metadata: &ImageMetadata) -> Layout {
        let (width, height) = (metadata.width, metadata.height);
        Layout {
            width,
            height,
            dot: (width / 120).min(height / 60).max(1),
            cells: (height / 12).max(1),
        }
    }

    /// The black background of the digits, with a margin of one dot around each.
    fn plate(self) -> PixelRect {
        let width = (self.dot * (4 * DIGITS + 1)).min(self.width);
        PixelRect {
            x: (self.width - width) / 2,
            y: self.height / 6,
            width,
            height: self.dot * 7,
        }
    }

    /// The area in which the box moves: below the plate, above the cells.
    fn box_area(self) -> PixelRect {
        let y = self.plate().y + self.plate().height + self.dot;
        PixelRect {
            x: 0,
            y,
            width: self.width,
            height: self.height.saturating_sub(y + self.cells),
        }
    }
}

fn draw_background(canvas: &mut Canvas<'_>, layout: Layout) {
    let Layout { width, height, .. } = layout;
    let bars_height = height * 2 / 3;
    let mut column = |from: u32, to: u32, y, height, color| {
        let width = to - from;
        canvas.fill(
            PixelRect {
                x: from,
                y,
                width,
                height,
            },
            color,
        );
    };
    for (index, color) in (0..8).zip(BARS) {
        column(
            width * index / 8,
            width * (index + 1) / 8,
            0,
            bars_height,
            color,
        );
    }
    for level in 0..=u8::MAX {
        let at = |level: u32| width * level / 256;
        let (from, to) = (at(level.into()), at(u32::from(level) + 1));
        let gray = Color(level, level, level);
        column(from, to, bars_height, height - bars_height, gray);
    }
    canvas.fill(layout.plate(), Color::BLACK);
}

fn draw_box(canvas: &mut Canvas<'_>, layout: Layout, number: u64) {
    let area = layout.box_area();
    let side = (layout.height / 8).min(area.width).min(area.height);
    let x = area.x + bounce(number, (layout.width / 240).max(1), area.width - side);
    let y = area.y + bounce(number, (layout.height / 270).max(1), area.height - side);
    let outer = PixelRect {
        x,
        y,
        width: side,
        height: side,
    };
    canvas.fill(outer, Color::BLACK);
    canvas.fill(outer.shrunk(layout.dot), Color::WHITE);
}

/// Returns a position that moves from 0 to `range` and back, by `step` per frame.
fn bounce(number: u64, step: u32, range: u32) -> u32 {
    let round = u64::from(range.max(1)) * 2;
    let at = number % round * u64::from(step) % round;
    // `round` is less than twice the largest side, so the result fits.
    let at = u32::try_from(at.min(round - at)).unwrap_or(0);
    at.min(range)
}

fn draw_digits(canvas: &mut Canvas<'_>, layout: Layout, number: u64) {
    let (plate, dot) = (layout.plate(), layout.dot);
    let mut rest = number;
    for position in (0..DIGITS).rev() {
        let glyph = GLYPHS[usize::try_from(rest % 10).unwrap_or(0)];
        rest /= 10;
        for index in (0..15).filter(|index| glyph >> (14 - index) & 1 == 1) {
            let area = PixelRect {
                x: plate.x + dot * (1 + 4 * position + index % 3),
                y: plate.y + dot * (1 + index / 3),
                width: dot,
                height: dot,
            };
            canvas.fill(area, Color::WHITE);
        }
    }
}

fn draw_cells(canvas: &mut Canvas<'_>, layout: Layout, number: u64) {
    for cell in 0..CELLS {
        let edge = |cell: u32| {
            let at = u64::from(layout.width) * u64::from(cell) / u64::from(CELLS);
            u32::try_from(at).unwrap_or(layout.width)
        };
        let is_set = number >> (CELLS - 1 - cell) & 1 == 1;
        let area = PixelRect {
            x: edge(cell),
            y: layout.height - layout.cells,
            width: edge(cell + 1) - edge(cell),
            height: layout.cells,
        };
        canvas.fill(area, if is_set { Color::WHITE } else { Color::BLACK });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    use shm_core::PixelFormat;

    fn shape(format: PixelFormat, width: u32, height: u32) -> ImageMetadata {
        ImageMetadata::packed(format, width, height).unwrap()
    }

    /// Returns the pixels of the frame with this number.
    fn frame(metadata: &ImageMetadata, number: u64) -> Vec<u8> {
        let mut pattern = TestPattern::new(metadata.clone(), None, None).unwrap();
        pattern.number = number - 1;
        let mut pixels = vec![0x55; metadata.payload_bytes()];
        assert!(matches!(pattern.next(), Ok(NextFrame::Frame(_))));
        assert_eq!(pattern.draw(&mut pixels).unwrap(), Drawn::Whole);
        pixels
    }

    fn pixel<'p>(metadata: &ImageMetadata, pixels: &'p [u8], x: u32, y: u32) -> &'p [u8] {
        let bytes = metadata.format.bytes_per_pixel();
        let at = y as usize * metadata.stride as usize + x as usize * bytes;
        &pixels[at..at + bytes]
    }

    /// Reads the number from the middle of each cell, in the last row.
    fn number_in(metadata: &ImageMetadata, pixels: &[u8]) -> u64 {
        (0..CELLS).fold(0, |number, cell| {
            let x = (2 * cell + 1) * metadata.width / (2 * CELLS);
            let bit = pixel(metadata, pixels, x, metadata.height - 1)[0] > 127;
            number << 1 | u64::from(bit)
        })
    }

    #[test]
    fn the_cells_show_the_number_in_every_format_and_size() {
        for (width, height) in [MIN_SIZE, (65, 49), (641, 363), (65, 20_000), (20_000, 49)] {
            for &format in PixelFormat::ALL {
                let metadata = shape(format, width, height);
                for number in [1, 2, 0x8000_0001, 0xFFFF_FFFF, 0x1_0000_0007] {
                    let pixels = frame(&metadata, number);
                    assert_eq!(number_in(&metadata, &pixels), number & 0xFFFF_FFFF);
                }
            }
        }
    }

    #[test]
    fn the_digits_show_the_number() {
        let metadata = shape(PixelFormat::Gray8, 640, 360);
        let pixels = frame(&metadata, 120_345_678);
        let Layout { dot, .. } = Layout::of(&metadata);
        let plate = Layout::of(&metadata).plate();
        let read: Vec<usize> = (0..DIGITS)
            .map(|position| {
                let glyph = (0..15).fold(0, |glyph, index| {
                    let x = plate.x + dot * (1 + 4 * position + index % 3);
                    let y = plate.y + dot * (1 + index / 3);
                    glyph << 1 | u16::from(pixel(&metadata, &pixels, x, y) == [255])
                });
                GLYPHS
                    .iter()
                    .position(|known| *known == glyph)
                    .expect("a digit")
            })
            .collect();
        assert_eq!(read, [2, 0, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn all_frames_differ_and_every_pixel_is_drawn() {
        for (width, height) in [MIN_SIZE, (640, 360)] {
            let metadata = shape(PixelFormat::Rgba8, width, height);
            let frames: BTreeSet<Vec<u8>> =
                (1..=200).map(|number| frame(&metadata, number)).collect();
            assert_eq!(frames.len(), 200);
            for pixels in &frames {
                assert!(pixels.chunks(4).all(|pixel| pixel[3] == 255));
            }
        }
    }

    #[test]
    fn the_channels_are_in_the_order_of_the_format() {
        // The middle of the yellow bar.
        for &format in PixelFormat::ALL {
            let expected: &[u8] = match format {
                PixelFormat::Rgba8 => &[191, 191, 0, 255],
                PixelFormat::Bgra8 => &[0, 191, 191, 255],
                PixelFormat::Rgb8 => &[191, 191, 0],
                PixelFormat::Bgr8 => &[0, 191, 191],
                PixelFormat::Gray16 => &[169, 169],
                _ => &[169],
            };
            let metadata = shape(format, 640, 360);
            let pixels = frame(&metadata, 1);
            assert_eq!(pixel(&metadata, &pixels, 120, 10), expected, "{format:?}");
        }
    }

    #[test]
    fn the_box_stays_in_its_area() {
        for (step, range) in [(1, 0), (1, 1), (7, 10), (16, 100), (300, 5)] {
            for number in [0, 1, 2, 3, 9, 99, 12_345, u64::MAX] {
                assert!(bounce(number, step, range) <= range);
            }
        }
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(|number| bounce(number, 2, 5)),
            [0, 2, 4, 4, 2, 0]
        );
    }

    #[test]
    fn a_size_that_is_too_small_is_refused() {
        for (width, height) in [(63, 48), (64, 47)] {
            let shape = shape(PixelFormat::Gray8, width, height);
            let said = TestPattern::new(shape, None, None).unwrap_err().to_string();
            assert!(said.contains("at least 64 × 48 pixels"), "{said}");
        }
    }

    #[test]
    fn the_pattern_ends_after_its_count() {
        let metadata = shape(PixelFormat::Gray8, 64, 48);
        let mut pattern = TestPattern::new(metadata, None, Some(2)).unwrap();
        assert!(matches!(pattern.next(), Ok(NextFrame::Frame(_))));
        assert!(matches!(pattern.next(), Ok(NextFrame::Frame(_))));
        assert_eq!(pattern.next().unwrap(), NextFrame::End);
        assert_eq!(pattern.next().unwrap(), NextFrame::End);
    }
}
