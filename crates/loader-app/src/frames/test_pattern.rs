//! A moving picture to test with: colour bars, a box that moves, and the number of the frame, for
//! the eye in digits and for programs in a row of cells at the bottom.

mod canvas;

use shm_core::ImageMetadata;

use super::{Drawn, Found, Frame, FrameError, Frames, Rate};
use canvas::{Area, Canvas, Color};

/// The smallest width and height on which all of it can be told apart.
const SMALLEST: (u32, u32) = (64, 48);

/// How many cells the row at the bottom has. The leftmost is the number's highest bit; white is 1.
const CELLS: u32 = 32;
/// How many digits are shown: as many as tell apart the frames of two weeks.
const DIGITS: u32 = 8;

/// Bars at three quarters of full intensity, the brightest first, as television has them.
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

/// The digits, three dots wide and five high: a bit a dot, row by row from the highest.
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

/// Frames that are drawn here. The first has the number 1.
#[derive(Debug)]
pub(crate) struct TestPattern {
    metadata: ImageMetadata,
    rate: Option<Rate>,
    /// How many frames there will be; `None` for no end.
    count: Option<u64>,
    /// What no frame changes, drawn once.
    ground: Vec<u8>,
    layout: Layout,
    /// The number of the frame that was found last.
    number: u64,
}

/// Where things are.
#[derive(Clone, Copy, Debug)]
struct Layout {
    width: u32,
    height: u32,
    /// The side of a digit's dot.
    dot: u32,
    /// The height of the row of cells.
    cells: u32,
}

impl TestPattern {
    /// Draws what no frame changes. There will be `count` frames, or no end of them.
    ///
    /// # Errors
    ///
    /// [`FrameError::Size`] below 64 × 48 pixels, on which not all of it can be told apart.
    pub(crate) fn new(
        metadata: ImageMetadata,
        rate: Option<Rate>,
        count: Option<u64>,
    ) -> Result<TestPattern, FrameError> {
        let (width, height) = SMALLEST;
        if metadata.width < width || metadata.height < height {
            return Err(FrameError::Size {
                reason: format!("the test pattern needs {width} × {height} pixels at least"),
            });
        }
        let metadata = metadata.with_file_name("test pattern");
        let layout = Layout::of(&metadata);
        let mut ground = vec![0; metadata.payload_bytes()];
        draw_ground(&mut Canvas::new(&metadata, &mut ground), layout);
        Ok(TestPattern {
            metadata,
            rate,
            count,
            ground,
            layout,
            number: 0,
        })
    }
}

impl Frames for TestPattern {
    fn find(&mut self) -> Result<Found, FrameError> {
        if self.count == Some(self.number) {
            return Ok(Found::End);
        }
        let lasts = self.rate.map(|rate| rate.lasts(self.number));
        self.number += 1;
        Ok(Found::Frame(Frame {
            metadata: self.metadata.clone(),
            lasts,
        }))
    }

    fn draw(&mut self, pixels: &mut [u8]) -> Result<Drawn, FrameError> {
        pixels.copy_from_slice(&self.ground);
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

    /// The black plate that the digits stand on, with a dot around each.
    fn plate(self) -> Area {
        let width = (self.dot * (4 * DIGITS + 1)).min(self.width);
        Area {
            x: (self.width - width) / 2,
            y: self.height / 6,
            width,
            height: self.dot * 7,
        }
    }

    /// Where the box moves: below the plate, above the cells.
    fn court(self) -> Area {
        let y = self.plate().y + self.plate().height + self.dot;
        Area {
            x: 0,
            y,
            width: self.width,
            height: self.height.saturating_sub(y + self.cells),
        }
    }
}

fn draw_ground(canvas: &mut Canvas<'_>, layout: Layout) {
    let Layout { width, height, .. } = layout;
    let bars_height = height * 2 / 3;
    let mut column = |from: u32, to: u32, y, height, color| {
        let width = to - from;
        canvas.fill(
            Area {
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
    let court = layout.court();
    let side = (layout.height / 8).min(court.width).min(court.height);
    let x = court.x + bounce(number, (layout.width / 240).max(1), court.width - side);
    let y = court.y + bounce(number, (layout.height / 270).max(1), court.height - side);
    let outer = Area {
        x,
        y,
        width: side,
        height: side,
    };
    canvas.fill(outer, Color::BLACK);
    canvas.fill(outer.shrunk(layout.dot), Color::WHITE);
}

/// Goes from 0 to `range` and back, `step` a frame.
fn bounce(number: u64, step: u32, range: u32) -> u32 {
    let round = u64::from(range.max(1)) * 2;
    let at = number % round * u64::from(step) % round;
    // Less than a round, which is less than twice the largest side.
    let at = u32::try_from(at.min(round - at)).unwrap_or(0);
    at.min(range)
}

fn draw_digits(canvas: &mut Canvas<'_>, layout: Layout, number: u64) {
    let (plate, dot) = (layout.plate(), layout.dot);
    let mut rest = number;
    for place in (0..DIGITS).rev() {
        let glyph = GLYPHS[usize::try_from(rest % 10).unwrap_or(0)];
        rest /= 10;
        for index in (0..15).filter(|index| glyph >> (14 - index) & 1 == 1) {
            let area = Area {
                x: plate.x + dot * (1 + 4 * place + index % 3),
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
        let area = Area {
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

    /// Draws the frame with this number.
    fn frame(metadata: &ImageMetadata, number: u64) -> Vec<u8> {
        let mut pattern = TestPattern::new(metadata.clone(), None, None).unwrap();
        pattern.number = number - 1;
        let mut pixels = vec![0x55; metadata.payload_bytes()];
        assert!(matches!(pattern.find(), Ok(Found::Frame(_))));
        assert_eq!(pattern.draw(&mut pixels).unwrap(), Drawn::Whole);
        pixels
    }

    fn pixel<'p>(metadata: &ImageMetadata, pixels: &'p [u8], x: u32, y: u32) -> &'p [u8] {
        let bytes = metadata.format.bytes_per_pixel();
        let at = y as usize * metadata.stride as usize + x as usize * bytes;
        &pixels[at..at + bytes]
    }

    /// Reads the number as any program may: the middle of each cell, in the last row.
    fn number_in(metadata: &ImageMetadata, pixels: &[u8]) -> u64 {
        (0..CELLS).fold(0, |number, cell| {
            let x = (2 * cell + 1) * metadata.width / (2 * CELLS);
            let bit = pixel(metadata, pixels, x, metadata.height - 1)[0] > 127;
            number << 1 | u64::from(bit)
        })
    }

    #[test]
    fn programs_read_the_number_in_every_format_and_size() {
        for (width, height) in [SMALLEST, (65, 49), (641, 363), (65, 20_000), (20_000, 49)] {
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
    fn people_read_the_number_in_digits() {
        let metadata = shape(PixelFormat::Gray8, 640, 360);
        let pixels = frame(&metadata, 120_345_678);
        let Layout { dot, .. } = Layout::of(&metadata);
        let plate = Layout::of(&metadata).plate();
        let read: Vec<usize> = (0..DIGITS)
            .map(|place| {
                let glyph = (0..15).fold(0, |glyph, index| {
                    let x = plate.x + dot * (1 + 4 * place + index % 3);
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
    fn each_frame_looks_different_and_nothing_is_left_undrawn() {
        for (width, height) in [SMALLEST, (640, 360)] {
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
    fn colours_are_in_the_order_of_the_format() {
        // The middle of the bar that is yellow.
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
    fn the_box_stays_where_it_may_be() {
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
    fn what_is_too_small_is_refused() {
        for (width, height) in [(63, 48), (64, 47)] {
            let shape = shape(PixelFormat::Gray8, width, height);
            let said = TestPattern::new(shape, None, None).unwrap_err().to_string();
            assert!(said.contains("64 × 48 pixels at least"), "{said}");
        }
    }

    #[test]
    fn it_ends_after_as_many_as_asked_for() {
        let metadata = shape(PixelFormat::Gray8, 64, 48);
        let mut pattern = TestPattern::new(metadata, None, Some(2)).unwrap();
        assert!(matches!(pattern.find(), Ok(Found::Frame(_))));
        assert!(matches!(pattern.find(), Ok(Found::Frame(_))));
        assert_eq!(pattern.find().unwrap(), Found::End);
        assert_eq!(pattern.find().unwrap(), Found::End);
    }
}
