//! A part of a picture, scaled for the screen: averaged where it gets smaller, smooth where it grows a
//! little, and in squares where its pixels are to be seen.

use crate::pixels::Rows;

/// From this many drawn pixels for one of the picture on, pixels are drawn as squares.
const SQUARES_FROM: u64 = 2;

/// A pixel while it is computed: red, green and blue times opacity, and opacity, each from 0 to 255.
type Sum = [f32; 4];

/// One axis of a drawing: where on it the picture lies, and how much of it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where the picture begins, counted from where the pane begins; negative where that is hidden.
    pub start: i64,
    /// How long the whole picture is as it is drawn.
    pub drawn: u32,
    /// How long the pane is.
    pub pane: u32,
}

impl Span {
    /// Returns where the visible part begins in the pane, and where it ends.
    pub fn visible(self) -> (u32, u32) {
        let clamped = |at: i64| u32::try_from(at.clamp(0, self.pane.into())).unwrap_or(0);
        (
            clamped(self.start),
            clamped(self.start + i64::from(self.drawn)),
        )
    }

    /// Returns which pixels of a source of this length are blended into each visible one.
    fn taps(self, source: u32, squares: bool) -> Vec<Taps> {
        let (begin, end) = self.visible();
        let (drawn, length) = (u64::from(self.drawn), u64::from(source));
        (begin..end)
            .map(|at| {
                let at = u64::try_from(i64::from(at) - self.start).unwrap_or(0);
                if squares && drawn >= SQUARES_FROM * length {
                    // The middle of the drawn pixel lies in exactly one.
                    Taps::one((2 * at + 1) * length / (2 * drawn))
                } else if drawn > length {
                    Taps::blend(at, drawn, length)
                } else {
                    Taps::average(at, drawn, length)
                }
            })
            .collect()
    }
}

/// Which neighbouring pixels of a source make up a drawn one, and how much of each.
#[derive(Debug, PartialEq)]
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    fn one(index: u64) -> Taps {
        Taps::new(index, vec![1.0])
    }

    fn new(first: u64, weights: Vec<f32>) -> Taps {
        Taps {
            first: usize::try_from(first).unwrap_or(usize::MAX),
            weights,
        }
    }

    /// Blends the two pixels between whose middles the drawn one lies.
    fn blend(at: u64, drawn: u64, length: u64) -> Taps {
        // In halves of drawn pixels, so that middles are whole numbers.
        let middle = (2 * at + 1) * length;
        let Some(beyond) = middle.checked_sub(drawn) else {
            return Taps::one(0);
        };
        let (first, rest) = (beyond / (2 * drawn), beyond % (2 * drawn));
        if first + 1 >= length {
            return Taps::one(length - 1);
        }
        let second = ratio(rest, 2 * drawn);
        Taps::new(first, vec![1.0 - second, second])
    }

    /// Averages the pixels that the drawn one covers, each as much as it is covered.
    fn average(at: u64, drawn: u64, length: u64) -> Taps {
        // Counted in parts of which `drawn` make a pixel of the source, and `length` a drawn one.
        let (begin, end) = (at * length, (at + 1) * length);
        let first = begin / drawn;
        let weights = (first..end.div_ceil(drawn))
            .map(|index| {
                let covered = end.min((index + 1) * drawn) - begin.max(index * drawn);
                ratio(covered, length)
            })
            .collect();
        Taps::new(first, weights)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a number from 0 to 1")]
fn ratio(part: u64, whole: u64) -> f32 {
    (part as f64 / whole as f64) as f32
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Manner {
    /// Lets pixels be seen as squares where they are drawn large. A picture that was scaled down
    /// before has none worth to be seen.
    pub squares: bool,
    /// What shows through it; nothing where it is not transparent anyway.
    pub ground: Option<Ground>,
}

/// Draws what is visible of a picture, as RGBA without transparency.
pub fn draw(picture: Rows<'_>, across: Span, down: Span, manner: Manner) -> Vec<u8> {
    let columns = across.taps(picture.width(), manner.squares);
    let rows = down.taps(picture.height(), manner.squares);
    let (left, top) = (across.visible().0, down.visible().0);
    let length = columns.len() * 4;
    let mut drawing = Vec::with_capacity(length * rows.len());
    let mut scaled = ScaledRows::new(picture, columns);
    let mut above: Option<&Taps> = None;
    for (y, taps) in (top..).zip(&rows) {
        match manner.ground {
            // Large pixels are as high as many rows.
            None if above == Some(taps) => drawing.extend_from_within(drawing.len() - length..),
            None => drawing.extend(scaled.blend(taps).iter().flat_map(opaque)),
            Some(ground) => {
                let row = (left..).zip(scaled.blend(taps));
                drawing.extend(row.flat_map(|(x, sum)| upon(sum, ground.at(x, y))));
            }
        }
        above = Some(taps);
    }
    drawing
}

/// What shows through a transparent picture: squares of two colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ground {
    /// The colours.
    pub colors: [[u8; 3]; 2],
    /// The side of a square.
    pub side: u32,
}

impl Ground {
    fn at(self, x: u32, y: u32) -> [u8; 3] {
        let is_second = (x / self.side + y / self.side) % 2 == 1;
        self.colors[usize::from(is_second)]
    }
}

fn opaque([red, green, blue, _]: &Sum) -> [u8; 4] {
    [nearest(*red), nearest(*green), nearest(*blue), 255]
}

fn upon([red, green, blue, alpha]: &Sum, ground: [u8; 3]) -> [u8; 4] {
    let through = 1.0 - alpha / 255.0;
    let blend = |color: f32, below: u8| nearest(color + through * f32::from(below));
    [
        blend(*red, ground[0]),
        blend(*green, ground[1]),
        blend(*blue, ground[2]),
        255,
    ]
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

/// Rows of a picture, scaled along themselves; the last two are kept, because the next drawn row
/// mostly needs one of them again.
struct ScaledRows<'a> {
    picture: Rows<'a>,
    columns: Vec<Taps>,
    /// The part of a row that is seen, before it is scaled.
    seen: Vec<Sum>,
    kept: [(Option<usize>, Vec<Sum>); 2],
    blended: Vec<Sum>,
}

impl<'a> ScaledRows<'a> {
    fn new(picture: Rows<'a>, columns: Vec<Taps>) -> ScaledRows<'a> {
        ScaledRows {
            picture,
            seen: Vec::new(),
            kept: [(None, Vec::new()), (None, Vec::new())],
            blended: vec![[0.0; 4]; columns.len()],
            columns,
        }
    }

    /// Blends rows as `taps` says.
    fn blend(&mut self, taps: &Taps) -> &[Sum] {
        if let [_] = taps.weights.as_slice() {
            return self.row(taps.first);
        }
        let mut blended = std::mem::take(&mut self.blended);
        blended.fill([0.0; 4]);
        for (y, weight) in (taps.first..).zip(&taps.weights) {
            for (sum, part) in blended.iter_mut().zip(self.row(y)) {
                add(sum, *weight, part);
            }
        }
        self.blended = blended;
        &self.blended
    }

    fn row(&mut self, y: usize) -> &[Sum] {
        let slot = y % 2;
        if self.kept[slot].0 != Some(y) {
            self.scale(y, slot);
        }
        &self.kept[slot].1
    }

    fn scale(&mut self, y: usize, slot: usize) {
        let (Some(first), Some(last)) = (self.columns.first(), self.columns.last()) else {
            return;
        };
        let begin = first.first;
        let end = last.first + last.weights.len();
        self.seen.clear();
        self.picture.for_each_pixel(y, begin..end, |pixel| {
            self.seen.push(premultiplied(pixel));
        });
        let (index, row) = &mut self.kept[slot];
        *index = Some(y);
        row.clear();
        row.extend(self.columns.iter().map(|taps| {
            let seen = &self.seen[taps.first - begin..];
            if let [_] = taps.weights.as_slice() {
                return seen[0];
            }
            let mut sum = [0.0; 4];
            for (pixel, weight) in seen.iter().zip(&taps.weights) {
                add(&mut sum, *weight, pixel);
            }
            sum
        }));
    }
}

fn premultiplied([red, green, blue, alpha]: [u8; 4]) -> Sum {
    let opacity = f32::from(alpha) / 255.0;
    [
        f32::from(red) * opacity,
        f32::from(green) * opacity,
        f32::from(blue) * opacity,
        f32::from(alpha),
    ]
}

fn add(sum: &mut Sum, weight: f32, part: &Sum) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += weight * part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use shm_core::{ImageMetadata, PixelFormat};

    const GROUND: Ground = Ground {
        colors: [[0; 3], [100; 3]],
        side: 1,
    };

    fn whole(drawn: u32) -> Span {
        Span {
            start: 0,
            drawn,
            pane: drawn,
        }
    }

    /// Draws one row of grey pixels and returns the grey that comes out.
    fn drawn(gray: &[u8], span: Span, squares: bool) -> Vec<u8> {
        let width = u32::try_from(gray.len()).expect("a short row");
        let metadata = ImageMetadata::packed(PixelFormat::Gray8, width, 1).expect("it is small");
        let rows = Rows::new(&metadata, gray).expect("it fits");
        let manner = Manner {
            squares,
            ground: None,
        };
        let drawing = draw(rows, span, whole(1), manner);
        drawing
            .as_chunks::<4>()
            .0
            .iter()
            .map(|pixel| pixel[0])
            .collect()
    }

    #[test]
    fn at_its_own_size_a_picture_is_drawn_as_it_is() {
        let row: Vec<u8> = (0..=255).collect();
        assert_eq!(drawn(&row, whole(256), true), row);
    }

    #[test]
    fn smaller_ones_are_averages_of_all_that_they_cover() {
        assert_eq!(drawn(&[0, 10, 100, 200], whole(2), true), [5, 150]);
        // Two thirds of a pixel, and a third of the next.
        assert_eq!(drawn(&[30, 60, 90], whole(2), true), [40, 80]);
        assert_eq!(drawn(&[7; 1000], whole(333), true), [7; 333]);
    }

    #[test]
    fn large_pixels_are_squares_and_others_are_smooth() {
        assert_eq!(drawn(&[0, 100], whole(4), true), [0, 0, 100, 100]);
        assert_eq!(drawn(&[0, 100], whole(4), false), [0, 25, 75, 100]);
        assert_eq!(drawn(&[0, 100], whole(3), true), [0, 50, 100]);
    }

    #[test]
    fn only_what_is_visible_is_drawn() {
        let span = Span {
            start: -4,
            drawn: 12,
            pane: 5,
        };
        assert_eq!(span.visible(), (0, 5));
        assert_eq!(drawn(&[1, 2, 3], span, true), [2, 2, 2, 2, 3]);
        let small = Span {
            start: 3,
            drawn: 2,
            pane: 9,
        };
        assert_eq!(small.visible(), (3, 5));
    }

    #[test]
    fn what_is_transparent_lets_the_squares_through() {
        let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 2, 2).expect("it is small");
        let pixels = [
            [200, 0, 0, 255],
            [9, 9, 9, 0],
            [9, 9, 9, 0],
            [200, 0, 0, 127],
        ]
        .concat();
        let rows = Rows::new(&metadata, &pixels).expect("it fits");
        let manner = Manner {
            squares: true,
            ground: Some(GROUND),
        };
        let drawing = draw(rows, whole(2), whole(2), manner);
        let expected = [
            [200, 0, 0, 255],
            [100, 100, 100, 255],
            [100, 100, 100, 255],
            [100, 0, 0, 255],
        ];
        assert_eq!(drawing, expected.concat());
    }
}
