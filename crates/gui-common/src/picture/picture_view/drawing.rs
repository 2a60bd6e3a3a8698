//! The visible part of a picture, scaled for the screen: filtered if it shrinks, smooth if it grows
//! a little, and as squares at large zooms.

use fast_image_resize::{FilterType, ResizeAlg};
use iced::Size;
use iced::widget::image::Handle;

use crate::picture::camera::Frame;
use crate::picture::pixels::{Rows, SMALLER};

/// From this many drawn pixels per picture pixel on, pixels are drawn as squares.
const SQUARES_FROM: u32 = 2;

/// The checkerboard behind a transparent picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Checkerboard {
    pub(super) colors: [[u8; 3]; 2],
    /// The side of a square.
    pub(super) side: u32,
}

impl Checkerboard {
    fn at(self, x: u32, y: u32) -> [u8; 3] {
        let is_second = (x / self.side + y / self.side) % 2 == 1;
        self.colors[usize::from(is_second)]
    }
}

/// Draws the visible part of a picture.
///
/// With `squares`, enlarged pixels are drawn as squares, which makes no sense for a picture that
/// was scaled down before. `behind` shows through transparent pixels.
pub(super) fn draw(
    picture: Rows<'_>,
    frame: Frame,
    squares: bool,
    behind: Option<Checkerboard>,
) -> Handle {
    let Frame { across, down } = frame;
    let (columns, rows) = (across.visible(), down.visible());
    let size = Size::new(columns.end - columns.start, rows.end - rows.start);
    let algorithm = if squares && across.drawn / SQUARES_FROM >= picture.width() {
        ResizeAlg::Nearest
    } else if across.drawn > picture.width() {
        ResizeAlg::Convolution(FilterType::Bilinear)
    } else {
        ResizeAlg::Convolution(SMALLER)
    };
    let mut pixels = picture.scale(
        across.visible_of(picture.width()),
        down.visible_of(picture.height()),
        size,
        algorithm,
    );
    if let Some(behind) = behind {
        let places = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
        for (pixel, (x, y)) in pixels.as_chunks_mut().0.iter_mut().zip(places) {
            lay_upon(pixel, behind.at(x, y));
        }
    }
    Handle::from_rgba(size.width, size.height, pixels)
}

fn lay_upon([red, green, blue, alpha]: &mut [u8; 4], below: [u8; 3]) {
    let opacity = u32::from(*alpha);
    for (color, below) in [red, green, blue].into_iter().zip(below) {
        let sum = u32::from(*color) * opacity + u32::from(below) * (255 - opacity);
        *color = u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX);
    }
    *alpha = 255;
}

#[cfg(test)]
mod tests {
    use super::*;

    use shm_core::{ImageMetadata, PixelFormat};

    use crate::picture::camera::Axis;

    const CHECKERBOARD: Checkerboard = Checkerboard {
        colors: [[0; 3], [100; 3]],
        side: 1,
    };

    fn whole(drawn: u32) -> Axis {
        Axis {
            start: 0,
            drawn,
            pane: drawn,
        }
    }

    fn pixels_of(handle: &Handle) -> &[u8] {
        match handle {
            Handle::Rgba { pixels, .. } => pixels,
            _ => panic!("a drawing is RGBA"),
        }
    }

    /// Draws one row of grey pixels and returns the result.
    fn drawn(gray: &[u8], across: Axis, squares: bool) -> Vec<u8> {
        let width = u32::try_from(gray.len()).expect("a short row");
        let metadata = ImageMetadata::packed(PixelFormat::Gray8, width, 1).expect("it is small");
        let rows = Rows::new(&metadata, gray).expect("it fits");
        let down = whole(1);
        let drawing = draw(rows, Frame { across, down }, squares, None);
        pixels_of(&drawing).iter().copied().step_by(4).collect()
    }

    #[test]
    fn a_picture_at_100_percent_is_not_filtered() {
        let row: Vec<u8> = (0..=255).collect();
        assert_eq!(drawn(&row, whole(256), true), row);
    }

    #[test]
    fn scaling_down_averages_all_covered_pixels() {
        assert_eq!(drawn(&[0, 10, 100, 200], whole(2), true), [9, 144]);
        assert_eq!(drawn(&[30, 60, 90], whole(2), true), [38, 82]);
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
        let moved = |start| Axis {
            start,
            drawn: 12,
            pane: 5,
        };
        assert_eq!(drawn(&[1, 2, 3], moved(-4), true), [2, 2, 2, 2, 3]);
        // Hidden neighbours still contribute to the filter.
        let row = [0, 90, 0, 90, 0, 90, 0, 90];
        let all = drawn(&row, whole(12), false);
        assert_eq!(drawn(&row, moved(-4), false), all[4..9]);
        assert_eq!(drawn(&row, moved(-7), false), all[7..]);
    }

    #[test]
    fn transparent_pixels_show_the_checkerboard() {
        let metadata = ImageMetadata::packed(PixelFormat::Rgba8, 2, 2).expect("it is small");
        let pixels = [
            [200, 0, 0, 255],
            [9, 9, 9, 0],
            [9, 9, 9, 0],
            [200, 0, 0, 127],
        ]
        .concat();
        let rows = Rows::new(&metadata, &pixels).expect("it fits");
        let frame = Frame {
            across: whole(2),
            down: whole(2),
        };
        let drawing = draw(rows, frame, true, Some(CHECKERBOARD));
        let expected = [
            [200, 0, 0, 255],
            [100, 100, 100, 255],
            [100, 100, 100, 255],
            [100, 0, 0, 255],
        ];
        assert_eq!(pixels_of(&drawing), expected.concat());
    }
}
