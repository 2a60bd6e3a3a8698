//! Pixels from shared memory as something a window can draw.

use iced::widget::image::Handle;
use shm_core::{ImageMetadata, PixelFormat};

use crate::pixels::{PixelsError, Rows};

/// The longest side of what is drawn, in pixels; larger pictures are scaled down to it.
///
/// It is more than most windows have, and bounds the memory of the drawing to 16 MB however large
/// the picture in shared memory is.
pub const MAX_SIDE: u32 = 2_048;

/// A picture ready to draw, and what it was before it was scaled down.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What is drawn: RGBA, at most [`MAX_SIDE`] wide and high.
    pub handle: Handle,
    /// The width in shared memory.
    pub width: u32,
    /// The height in shared memory.
    pub height: u32,
    /// How the pixels lie in shared memory.
    pub format: PixelFormat,
    /// Where the loader had it from, such as a file name.
    pub source: Option<String>,
}

/// How many pixels there are to draw on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Picture {
    /// Converts the pixels of a payload, read in place, to what a window can draw.
    ///
    /// Where there is little `room` for it, the picture is scaled down to that: what nobody sees
    /// need not be converted, copied and drawn. Without, it keeps its size up to [`MAX_SIDE`].
    ///
    /// Takes as long as the picture is large: call it on a worker thread.
    ///
    /// # Errors
    ///
    /// [`PixelsError`] where metadata and payload contradict each other.
    pub fn from_payload(
        metadata: &ImageMetadata,
        payload: &[u8],
        room: Option<Room>,
    ) -> Result<Picture, PixelsError> {
        let rows = Rows::new(metadata, payload)?;
        let (width, height) = drawn_size(metadata.width, metadata.height, room);
        let pixels = if (width, height) == (metadata.width, metadata.height) {
            rows.to_rgba()
        } else {
            rows.to_scaled_rgba(width, height)
        };
        Ok(Picture {
            handle: Handle::from_rgba(width, height, pixels),
            width: metadata.width,
            height: metadata.height,
            format: metadata.format,
            source: metadata.source.clone(),
        })
    }

    /// Tells whether in this much room, or in any, more pixels of it could be drawn than it has now.
    pub fn is_coarse_in(&self, room: Option<Room>) -> bool {
        let Handle::Rgba { width, height, .. } = self.handle else {
            return false;
        };
        let (better_width, better_height) = drawn_size(self.width, self.height, room);
        better_width > width || better_height > height
    }
}

/// Chooses how many pixels of a picture are drawn.
fn drawn_size(width: u32, height: u32, room: Option<Room>) -> (u32, u32) {
    if let Some(room) = room {
        let (wide, high) = (u64::from(width), u64::from(height));
        let [room_width, room_height] =
            [room.width, room.height].map(|side| u64::from(side.min(MAX_SIDE)));
        // Averaging makes neighbours unequal where it takes less than two pixels for one.
        let is_small = wide >= 2 * room_width || high >= 2 * room_height;
        if is_small && room_width > 0 && room_height > 0 {
            let fitted = if wide * room_height >= high * room_width {
                (room_width, high * room_width / wide)
            } else {
                (wide * room_height / high, room_height)
            };
            let side = |length: u64| u32::try_from(length.max(1)).unwrap_or(MAX_SIDE);
            return (side(fitted.0), side(fitted.1));
        }
    }
    let scale = width.max(height).div_ceil(MAX_SIDE).max(1);
    (width.div_ceil(scale), height.div_ceil(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: u32, height: u32) -> Handle {
        let metadata = ImageMetadata {
            format: PixelFormat::Gray8,
            width,
            height,
            stride: width,
            source: None,
        };
        let payload = vec![9; width as usize * height as usize];
        let picture = Picture::from_payload(&metadata, &payload, None).expect("the pixels fit");
        assert_eq!((picture.width, picture.height), (width, height));
        picture.handle
    }

    #[test]
    fn what_is_drawn_is_as_long_as_its_sides_say() {
        for (size, expected) in [
            ((3, 2), (3, 2)),
            ((MAX_SIDE, 1), (MAX_SIDE, 1)),
            ((MAX_SIDE + 1, 1), (MAX_SIDE / 2 + 1, 1)),
            ((60_000, 3), (2_000, 1)),
        ] {
            let Handle::Rgba {
                width,
                height,
                pixels,
                ..
            } = drawn(size.0, size.1)
            else {
                panic!("a picture is drawn from RGBA");
            };
            assert_eq!((width, height), expected);
            assert_eq!(pixels.len(), width as usize * height as usize * 4);
        }
    }

    #[test]
    fn little_room_is_filled_and_not_more() {
        let room = |width, height| Some(Room { width, height });
        for (picture, room, expected) in [
            ((1920, 1080), room(600, 400), (600, 337)),
            ((1920, 1080), room(600, 100), (177, 100)),
            ((1080, 1920), room(600, 400), (225, 400)),
            // What nearly fits is left to the renderer.
            ((1920, 1080), room(1000, 1000), (1920, 1080)),
            ((300, 200), room(600, 400), (300, 200)),
            ((60_000, 3), room(600, 400), (600, 1)),
            ((9_000, 6_000), room(4_000, 4_000), (2_048, 1_365)),
            // Not drawn yet.
            ((1920, 1080), room(0, 400), (1920, 1080)),
            ((3840, 2160), None, (1920, 1080)),
        ] {
            assert_eq!(drawn_size(picture.0, picture.1, room), expected);
        }
    }

    #[test]
    fn a_larger_window_shows_more_of_a_picture() {
        let metadata = ImageMetadata::packed(PixelFormat::Gray8, 400, 300).expect("it is small");
        let room = |width| {
            Some(Room {
                width,
                height: 2_000,
            })
        };
        let payload = vec![7; 400 * 300];
        let picture =
            Picture::from_payload(&metadata, &payload, room(100)).expect("the pixels fit");
        assert!(!picture.is_coarse_in(room(100)));
        assert!(!picture.is_coarse_in(room(50)));
        assert!(picture.is_coarse_in(room(150)));
        assert!(picture.is_coarse_in(None));
    }
}
