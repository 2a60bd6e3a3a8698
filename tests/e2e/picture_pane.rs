//! Pictures in the window: upright, with a checkerboard where they are transparent, zoomed and
//! moved.

use std::time::{Duration, Instant};

use e2e_tests::{Area, Desktop, Fixture, Picture, Program, ViewerWindow};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};
use image::{Rgba, RgbaImage};

/// The side of the checkerboard's squares behind a transparent picture.
const SQUARE: u32 = 8;

/// Loads a file and shows it in the window.
fn show<'d>(fixture: &Fixture, desktop: &'d Desktop, file: &[u8]) -> (Program, ViewerWindow<'d>) {
    let loader = fixture
        .loader(["image"])
        .args([fixture.file("picture", file)])
        .start();
    loader.wait_for(fixture.key());
    let viewer = ViewerWindow::open(fixture, desktop);
    viewer.show("Showing the picture");
    (loader, viewer)
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = picture.into();
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

fn middle(area: Area) -> (u32, u32) {
    (area.x + area.width / 2, area.y + area.height / 2)
}

#[test]
fn a_transparent_picture_shows_a_checkerboard() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let Rgb([red, green, blue]) = Picture::FRAME;
    let ring = RgbaImage::from_fn(120, 90, |x, y| {
        let is_frame = !(4..116).contains(&x) || !(4..86).contains(&y);
        Rgba([red, green, blue, if is_frame { 255 } else { 0 }])
    });
    let (_loader, viewer) = show(&fixture, &desktop, &png(ring));
    let (screen, area) = desktop.wait_for("the frame of the picture", || {
        let screen = viewer.window.screen();
        let area = screen.extent_of(Picture::FRAME)?;
        (area.width == 120).then_some((screen, area))
    });
    let (x, y) = middle(area);
    let at = |across: u32, down: u32| screen.pixel(x + across * SQUARE, y + down * SQUARE);
    let (one, other) = (at(0, 0), at(1, 0));
    assert_ne!(one, other);
    let is_subtle = one.0.iter().zip(other.0).all(|(a, b)| a.abs_diff(b) < 40);
    assert!(is_subtle, "{one:?} and {other:?}");
    assert_eq!([at(0, 1), at(1, 1), at(2, 0)], [other, one, one]);
}

#[test]
fn a_rotated_photo_is_shown_upright() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let upright = Picture::draw(160, 240, 6);
    // Orientation 6: the stored picture has to be rotated to the right.
    let stored = imageops::rotate270(upright.pixels());
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
    encoder.set_exif_metadata(exif).unwrap();
    let (width, height) = stored.dimensions();
    encoder
        .write_image(&stored, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    let as_stored = image::load_from_memory(&jpeg).unwrap().into_rgb8();
    let expected = imageops::rotate90(&as_stored);
    assert_near(&expected, upright.pixels());

    let (_loader, viewer) = show(&fixture, &desktop, &jpeg);
    viewer.window.wait_for_picture(&expected);
}

/// Asserts that nearly every pixel is within JPEG's error of the expected one.
fn assert_near(picture: &RgbImage, expected: &RgbImage) {
    assert_eq!(picture.dimensions(), expected.dimensions());
    let pairs = picture.as_raw().iter().zip(expected.as_raw());
    let far = pairs.filter(|(a, b)| a.abs_diff(**b) > 24).count();
    assert!(
        far < picture.as_raw().len() / 20,
        "{far} samples differ too much"
    );
}

/// Draws each pixel as a square.
fn enlarged(picture: &RgbImage, by: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    imageops::resize(picture, width * by, height * by, FilterType::Nearest)
}

#[test]
fn the_wheel_and_the_keys_zoom() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let picture = Picture::draw(90, 60, 3);
    let (_loader, viewer) = show(&fixture, &desktop, &png(picture.pixels().clone()));
    let area = viewer.window.wait_for_picture(picture.pixels());
    let turn_wheel = |away| {
        viewer.window.point_at(middle(area));
        viewer.window.turn_wheel(away);
        // The pointer is on the screen like everything else.
        viewer.window.point_away();
    };
    // Via 150 %.
    turn_wheel(true);
    let twice = enlarged(picture.pixels(), 2);
    let place = viewer.window.wait_for_picture(&twice);
    assert_eq!(middle(place), middle(area));
    viewer.window.press(&["ctrl+plus"]);
    let thrice = enlarged(picture.pixels(), 3);
    viewer.window.wait_for_picture(&thrice);
    viewer.window.press(&["ctrl+0"]);
    let place = viewer.window.wait_for_picture(picture.pixels());
    assert_eq!(place, area);
    turn_wheel(true);
    viewer.window.wait_for_picture(&twice);
    turn_wheel(false);
    viewer.window.wait_for_picture(picture.pixels());
    // The key field has the focus, and received none of the keys as text.
    viewer.show("Showing the picture");
}

#[test]
fn a_large_picture_is_zoomed_to_its_size_and_moved() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let picture = RgbImage::from_fn(2400, 1600, |x, y| {
        let digit = |at: u32| u8::try_from(at % 256).unwrap();
        Rgb([digit(x / 3), digit(y / 2), digit(x / 256 * 16 + y / 256)])
    });
    let (_loader, viewer) = show(&fixture, &desktop, &png(picture.clone()));
    let part = |x: u32, y: u32| imageops::crop_imm(&picture, x, y, 200, 100).to_image();
    viewer.window.press(&["ctrl+1"]);
    let before = viewer.window.wait_for_picture(&part(1100, 750));
    let from = middle(before);
    let after = desktop.wait_for("the picture in another place", || {
        // The window manager may take a press for itself, to activate the window.
        viewer.window.drag(from, (from.0 - 60, from.1 + 25));
        viewer.window.point_away();
        let drawn = Instant::now() + Duration::from_secs(5);
        while Instant::now() < drawn {
            let found = viewer.window.screen().find(&part(1100, 750));
            if found.is_some_and(|found| found != before) {
                return found;
            }
        }
        None
    });
    assert_eq!((after.x, after.y), (before.x - 60, before.y + 25));
}

#[test]
fn the_pixel_under_the_pointer_is_shown_and_nothing_else_moves() {
    /// A column without other text, below the card.
    const LEFT: u32 = 490;
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let picture = Picture::draw(120, 80, 5);
    let (_loader, viewer) = show(&fixture, &desktop, &png(picture.pixels().clone()));
    viewer.window.point_away();
    let area = viewer.window.wait_for_picture(picture.pixels());
    let differences = |before: &e2e_tests::Screen| -> Vec<(u32, u32)> {
        let now = viewer.window.screen();
        let pairs = now.pixels().enumerate_pixels();
        pairs
            .filter(|(x, y, pixel)| *x >= LEFT && **pixel != before.pixel(*x, *y))
            .map(|(x, y, _)| (x, y))
            .collect()
    };
    let before = viewer.window.screen();
    viewer.window.point_at(middle(area));
    let told = desktop.wait_for("the text about the pixel", || {
        Some(differences(&before)).filter(|found| !found.is_empty())
    });
    let top = told.iter().map(|(_, y)| *y).min();
    let bottom = told.iter().map(|(_, y)| *y).max();
    let (Some(top), Some(bottom)) = (top, bottom) else {
        panic!("the loop returns a value");
    };
    assert!(
        top > area.y + area.height && bottom - top < 20,
        "{top} {bottom}"
    );
    viewer.window.point_away();
    desktop.wait_for("the text to disappear", || {
        differences(&before).is_empty().then_some(())
    });
    assert_eq!(viewer.window.wait_for_picture(picture.pixels()), area);
}
