//! Every format there and back, and everything that is no picture.

use super::*;

use std::fs;
use std::io::Cursor;

use image::{GrayImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn load(path: &Path) -> Result<(ImageMetadata, Vec<u8>), PictureError> {
    let picture = PictureFile::open(path)?;
    let metadata = picture.metadata().clone();
    // What stood there before must not shine through.
    let mut pixels = vec![0xEE; metadata.payload_bytes()];
    picture.decode_into(&mut pixels)?;
    Ok((metadata, pixels))
}

/// The lowest eight bits: a colour that differs from pixel to pixel.
fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

/// A picture in which no two neighbours are alike.
fn rgb() -> RgbImage {
    RgbImage::from_fn(5, 3, |x, y| Rgb([byte(x * 50), byte(y * 80), 200]))
}

fn rgba() -> RgbaImage {
    RgbaImage::from_fn(4, 4, |x, y| {
        Rgba([byte(x * 60), byte(y * 60), 9, byte(x * 20)])
    })
}

#[test]
fn lossless_formats_keep_every_pixel() {
    let directory = directory();
    for (ending, format) in [
        ("png", ImageFormat::Png),
        ("bmp", ImageFormat::Bmp),
        ("tiff", ImageFormat::Tiff),
        ("ppm", ImageFormat::Pnm),
        ("qoi", ImageFormat::Qoi),
        ("webp", ImageFormat::WebP),
    ] {
        let path = directory.path().join("picture").with_extension(ending);
        rgb().save_with_format(&path, format).unwrap();
        let (metadata, pixels) = load(&path).unwrap();
        assert_eq!((metadata.width, metadata.height), (5, 3), "{ending}");
        assert_eq!(metadata.format, PixelFormat::Rgb8, "{ending}");
        assert_eq!(&pixels, rgb().as_raw(), "{ending}");
    }
}

#[test]
fn gray_and_transparency_keep_their_format() {
    let directory = directory();
    let gray = GrayImage::from_fn(3, 3, |x, y| image::Luma([byte(x * 30 + y)]));
    let path = directory.path().join("gray.png");
    gray.save(&path).unwrap();
    let (metadata, pixels) = load(&path).unwrap();
    assert_eq!(metadata.format, PixelFormat::Gray8);
    assert_eq!(&pixels, gray.as_raw());

    for name in ["a.png", "a.gif", "a.ico"] {
        let path = directory.path().join(name);
        let opaque = RgbaImage::from_fn(4, 4, |x, _| Rgba([byte(x * 80), 7, 9, 255]));
        opaque.save(&path).unwrap();
        let (metadata, pixels) = load(&path).unwrap();
        assert_eq!(metadata.format, PixelFormat::Rgba8, "{name}");
        assert_eq!(&pixels, opaque.as_raw(), "{name}");
    }
    let path = directory.path().join("transparent.png");
    rgba().save(&path).unwrap();
    assert_eq!(&load(&path).unwrap().1, rgba().as_raw());
}

#[test]
fn deeper_pixels_are_converted() {
    let directory = directory();
    let path = directory.path().join("deep.png");
    image::DynamicImage::ImageRgba8(rgba())
        .into_rgba16()
        .save(&path)
        .unwrap();
    let (metadata, pixels) = load(&path).unwrap();
    assert_eq!(metadata.format, PixelFormat::Rgba8);
    assert_eq!(&pixels, rgba().as_raw());
}

#[test]
fn xpm_is_known() {
    let directory = directory();
    let path = directory.path().join("cross.xpm");
    let xpm = "/* XPM */\nstatic char *cross[] = {\n\"3 2 3 1\",\n\"  c None\",\n\". c #FF0000\",\n\"# c blue\",\n\
               \".# \",\n\"# .\"\n};\n";
    fs::write(&path, xpm).unwrap();
    let (metadata, pixels) = load(&path).unwrap();
    assert_eq!((metadata.width, metadata.height), (3, 2));
    let (red, blue, none) = ([255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]);
    assert_eq!(pixels, [red, blue, none, blue, none, red].concat());
}

#[test]
fn content_counts_more_than_the_ending() {
    let directory = directory();
    let path = directory.path().join("really-a-png.txt");
    rgb().save_with_format(&path, ImageFormat::Png).unwrap();
    assert_eq!(&load(&path).unwrap().1, rgb().as_raw());
}

#[test]
fn a_camera_s_orientation_is_applied() {
    let directory = directory();
    let mut jpeg = Vec::new();
    let wide = RgbImage::from_fn(16, 8, |x, _| {
        if x < 8 {
            Rgb([250, 0, 0])
        } else {
            Rgb([0, 0, 250])
        }
    });
    wide.write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg)
        .unwrap();
    // Orientation 6, "turn right": an EXIF segment with that one entry, after the start marker.
    let exif =
        b"\xFF\xE1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let path = directory.path().join("turned.jpg");
    fs::write(&path, [&jpeg[..2], exif, &jpeg[2..]].concat()).unwrap();
    let (metadata, pixels) = load(&path).unwrap();
    assert_eq!((metadata.width, metadata.height), (8, 16));
    assert_eq!(metadata.format, PixelFormat::Rgba8);
    assert!(pixels[0] > 200, "the left side is at the top now");
    assert!(
        pixels[pixels.len() - 2] > 200,
        "and the right side at the bottom"
    );
}

#[test]
fn what_is_no_picture_is_said_to_be_none() {
    let directory = directory();
    let mut png = Vec::new();
    rgb()
        .write_to(&mut Cursor::new(&mut png), ImageFormat::Png)
        .unwrap();
    for (name, bytes) in [
        ("words.txt", b"plain words".as_slice()),
        ("words.png", b"plain words"),
        ("empty.png", b""),
        ("cut.png", &png[..png.len() / 2]),
        ("cut.xpm", b"/* XPM */ static char *x[] = { \"9 9 1 1\","),
        ("zero.pgm", b"P5\n0 10\n255\n"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = load(&path).expect_err(name);
        assert!(
            matches!(error, PictureError::NotAPicture { .. }),
            "{name}: {error:?}"
        );
        let sentence = error.to_string();
        assert!(
            sentence.starts_with("Selected file is not an image, please select another. "),
            "{sentence}"
        );
        assert!(sentence.contains(name), "{sentence}");
    }
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_asked_for() {
    let directory = directory();
    for (name, header) in [
        ("wide.pgm", "P5\n65536 1\n255\n"),
        ("high.pgm", "P5\n1 70000\n255\n"),
        ("large.ppm", "P6\n40000 40000\n255\n"),
        ("deep.ppm", "P6\n16000 16000\n65535\n"),
        (
            "large.xpm",
            "/* XPM */\nstatic char *x[] = {\n\"60000 60000 1 1\",\n",
        ),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, header).unwrap();
        let error = PictureFile::open(&path).expect_err(name);
        assert!(
            matches!(error, PictureError::TooLarge { .. }),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains("scale it down"), "{error}");
    }
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = directory();
    for path in [folder.path(), Path::new("/dev/null")] {
        let error = PictureFile::open(path).expect_err("no file");
        assert!(matches!(error, PictureError::NotAFile { .. }), "{error:?}");
    }
    let error = PictureFile::open(Path::new("/nonexistent/cat.png")).expect_err("nothing there");
    assert!(error.to_string().contains("check the path"), "{error}");
}
