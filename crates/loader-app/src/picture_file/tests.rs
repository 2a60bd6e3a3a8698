//! Decodes every format, and refuses other files.

mod damage;
mod tiff;

use super::*;

use std::fs;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{
    DynamicImage, ExtendedColorType, GrayAlphaImage, GrayImage, ImageEncoder, ImageFormat, LumaA,
    Rgb, RgbImage, Rgba, RgbaImage,
};
use shm_core::PixelFormat;
use tempfile::TempDir;

use tiff::Tiff;

/// CMYK as ImageMagick writes it: with Adobe's marker, inverted, as luminance and chrominance. The
/// left half is 200, 30, 60, the right half 20, 90, 180.
const YCCK: &[u8] = include_bytes!("tests/ycck.jpg");

const CROSS: &str = "/* XPM */\nstatic char *cross[] = {\n\"3 2 3 1\",\n\"  c None\",\n\
                     \". c #FF0000\",\n\"# c blue\",\n\".# \",\n\"# .\"\n};\n";

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn file(directory: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn open(path: &Path) -> Result<PictureFile, PictureError> {
    PictureFile::open(path, Limit::DEFAULT, Arc::default())
}

fn load(path: &Path) -> Result<(ImageMetadata, Vec<u8>), PictureError> {
    let picture = open(path)?;
    let metadata = picture.metadata().clone();
    // The previous content of the buffer must not be visible.
    let mut pixels = vec![0xEE; metadata.payload_bytes()];
    picture.decode_into(&mut pixels)?;
    Ok((metadata, pixels))
}

/// Loads a file of these bytes; returns its size, format and pixels.
fn load_bytes(name: &str, bytes: &[u8]) -> ((u32, u32), PixelFormat, Vec<u8>) {
    let directory = directory();
    let (metadata, pixels) =
        load(&file(&directory, name, bytes)).unwrap_or_else(|error| panic!("{name}: {error}"));
    ((metadata.width, metadata.height), metadata.format, pixels)
}

/// Returns the lowest eight bits, as a colour that differs from pixel to pixel.
fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

/// Returns a picture in which adjacent pixels differ.
fn rgb() -> RgbImage {
    RgbImage::from_fn(5, 3, |x, y| Rgb([byte(x * 50), byte(y * 80), 200]))
}

fn rgba() -> RgbaImage {
    RgbaImage::from_fn(4, 4, |x, y| {
        Rgba([byte(x * 60), byte(y * 60), 9, byte(x * 20)])
    })
}

/// Returns the picture of [`rgb`] as a file.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    match format {
        ImageFormat::Ico => DynamicImage::from(rgb()).into_rgba8().into(),
        _ => DynamicImage::from(rgb()),
    }
    .write_to(&mut bytes, format)
    .unwrap();
    bytes.into_inner()
}

/// Returns a TIFF of 4 × 4 pixels, without their data.
fn tiff(samples: u16, bits: u16) -> Tiff {
    Tiff {
        width: 4,
        height: 4,
        bits,
        samples,
        photometric: 1,
        orientation: 1,
        pixels: Vec::new(),
    }
}

/// Returns EXIF metadata with this orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    [entry, [orientation, 0, 0, 0, 0, 0, 0].as_slice()].concat()
}

#[test]
fn lossless_formats_keep_every_pixel() {
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("a.bmp", ImageFormat::Bmp),
        ("a.tiff", ImageFormat::Tiff),
        ("a.ppm", ImageFormat::Pnm),
        ("a.qoi", ImageFormat::Qoi),
        ("a.webp", ImageFormat::WebP),
    ] {
        let loaded = load_bytes(name, &encoded(format));
        let expected = ((5, 3), PixelFormat::Rgb8, rgb().into_raw());
        assert_eq!(loaded, expected, "{name}");
    }
}

#[test]
fn transparency_is_kept() {
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("a.tiff", ImageFormat::Tiff),
        ("a.qoi", ImageFormat::Qoi),
        ("a.webp", ImageFormat::WebP),
        ("a.ico", ImageFormat::Ico),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        rgba().write_to(&mut bytes, format).unwrap();
        let loaded = load_bytes(name, bytes.get_ref());
        let expected = ((4, 4), PixelFormat::Rgba8, rgba().into_raw());
        assert_eq!(loaded, expected, "{name}");
    }
}

#[test]
fn gray_stays_gray_and_gray_with_alpha_becomes_rgba() {
    let gray = GrayImage::from_fn(3, 3, |x, y| image::Luma([byte(x * 30 + y)]));
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("a.pgm", ImageFormat::Pnm),
        ("a.tiff", ImageFormat::Tiff),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        gray.write_to(&mut bytes, format).unwrap();
        let expected = ((3, 3), PixelFormat::Gray8, gray.clone().into_raw());
        assert_eq!(load_bytes(name, bytes.get_ref()), expected, "{name}");
    }
    let faded = GrayAlphaImage::from_fn(4, 4, |x, y| LumaA([byte(x * 60), byte(y * 70)]));
    let expected = DynamicImage::from(faded.clone()).into_rgba8().into_raw();
    let mut png = Cursor::new(Vec::new());
    faded.write_to(&mut png, ImageFormat::Png).unwrap();
    let expected = ((4, 4), PixelFormat::Rgba8, expected);
    assert_eq!(load_bytes("a.png", png.get_ref()), expected);
}

#[test]
fn samples_of_16_bits_are_rounded() {
    let deep = DynamicImage::from(rgb()).into_rgb16();
    for (name, format) in [
        ("deep.png", ImageFormat::Png),
        ("deep.ppm", ImageFormat::Pnm),
        ("deep.tiff", ImageFormat::Tiff),
    ] {
        let mut bytes = Cursor::new(Vec::new());
        deep.write_to(&mut bytes, format).unwrap();
        let expected = ((5, 3), PixelFormat::Rgb8, rgb().into_raw());
        assert_eq!(load_bytes(name, bytes.get_ref()), expected, "{name}");
    }
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(rgba())
        .into_rgba16()
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    let expected = ((4, 4), PixelFormat::Rgba8, rgba().into_raw());
    assert_eq!(load_bytes("deep.png", bytes.get_ref()), expected);
    // 0x0140 is closer to 1 than to 2.
    let expected = ((2, 1), PixelFormat::Gray8, vec![1, 255]);
    let pgm = b"P5\n2 1\n65535\n\x01\x40\xFF\xFF";
    assert_eq!(load_bytes("deep.pgm", pgm), expected);
}

#[test]
fn floating_point_samples_are_rounded() {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(rgb())
        .into_rgb32f()
        .write_to(&mut bytes, ImageFormat::Tiff)
        .unwrap();
    let expected = ((5, 3), PixelFormat::Rgb8, rgb().into_raw());
    assert_eq!(load_bytes("float.tiff", bytes.get_ref()), expected);
}

#[test]
fn samples_of_one_bit_become_black_and_white() {
    let expected = vec![0, 255, 255, 0];
    let gray = ((2, 2), PixelFormat::Gray8, expected.clone());
    // In PBM 1 is black.
    assert_eq!(load_bytes("a.pbm", b"P1\n2 2\n1 0\n0 1\n"), gray);
    assert_eq!(load_bytes("a.pbm", b"P4\n2 2\n\x80\x40"), gray);
    for (photometric, pixels) in [(0, [0x80, 0x40]), (1, [0x40, 0x80])] {
        let tiff = Tiff {
            width: 2,
            height: 2,
            photometric,
            pixels: pixels.to_vec(),
            ..tiff(1, 1)
        };
        assert_eq!(load_bytes("a.tiff", &tiff.encode()), gray, "{photometric}");
    }
    let bits = bmp(
        1,
        &[[0, 0, 0, 0], [255, 255, 255, 0]],
        &[0x80, 0, 0, 0, 0x40, 0, 0, 0],
    );
    let expected = expected.iter().flat_map(|gray| [*gray; 3]).collect();
    assert_eq!(
        load_bytes("a.bmp", &bits),
        ((2, 2), PixelFormat::Rgb8, expected)
    );
}

#[test]
fn palettes_are_expanded() {
    let red_and_blue = vec![255, 0, 0, 0, 0, 255, 0, 0, 255, 255, 0, 0];
    // Blue first, and the lowest row first.
    let file = bmp(
        8,
        &[[0, 0, 255, 0], [255, 0, 0, 0]],
        &[1, 0, 0, 0, 0, 1, 0, 0],
    );
    let expected = ((2, 2), PixelFormat::Rgb8, red_and_blue);
    assert_eq!(load_bytes("a.bmp", &file), expected);

    let opaque = RgbaImage::from_fn(4, 4, |x, _| Rgba([byte(x * 80), 7, 9, 255]));
    let mut gif = Cursor::new(Vec::new());
    opaque.write_to(&mut gif, ImageFormat::Gif).unwrap();
    let expected = ((4, 4), PixelFormat::Rgba8, opaque.into_raw());
    assert_eq!(load_bytes("a.gif", gif.get_ref()), expected);

    let (red, blue, none) = ([255, 0, 0, 255], [0, 0, 255, 255], [0, 0, 0, 0]);
    let cross = [red, blue, none, blue, none, red].concat();
    let expected = ((3, 2), PixelFormat::Rgba8, cross);
    assert_eq!(load_bytes("cross.xpm", CROSS.as_bytes()), expected);
}

/// Returns a BMP of 2 × 2 pixels. Each of the `rows` is padded to four bytes.
fn bmp(bits: u16, palette: &[[u8; 4]], rows: &[u8]) -> Vec<u8> {
    let start = 54 + 4 * u32::try_from(palette.len()).unwrap();
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend(start.to_le_bytes());
    file.extend([40, 2, 2].map(u32::to_le_bytes).concat());
    file.extend([1, bits].map(u16::to_le_bytes).concat());
    file.extend([0; 16]);
    file.extend(u32::try_from(palette.len()).unwrap().to_le_bytes());
    file.extend([0; 4]);
    file.extend(palette.concat());
    file.extend(rows);
    file
}

#[test]
fn the_first_frame_of_an_animation_is_loaded() {
    let mut gif = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
    for gray in [200, 100] {
        let frame = RgbaImage::from_pixel(2, 2, Rgba([gray, gray, gray, 255]));
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    let (_, _, pixels) = load_bytes("moving.gif", &gif);
    assert_eq!(pixels[..4], [200, 200, 200, 255]);
}

#[test]
fn the_largest_of_several_icons_is_loaded() {
    let frame = |side, gray| {
        let pixels = RgbaImage::from_pixel(side, side, Rgba([gray, gray, gray, 255]));
        image::codecs::ico::IcoFrame::as_png(pixels.as_raw(), side, side, ExtendedColorType::Rgba8)
            .unwrap()
    };
    let mut ico = Vec::new();
    image::codecs::ico::IcoEncoder::new(&mut ico)
        .encode_images(&[frame(16, 10), frame(32, 20), frame(24, 30)])
        .unwrap();
    let (sides, _, pixels) = load_bytes("a.ico", &ico);
    assert_eq!((sides, pixels[0]), ((32, 32), 20));
}

#[test]
fn jpeg_colours_are_nearly_unchanged() {
    let drawn = RgbImage::from_pixel(16, 16, Rgb([200, 100, 50]));
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 95)
        .encode_image(&drawn)
        .unwrap();
    let (sides, format, pixels) = load_bytes("a.jpg", &jpeg);
    assert_eq!((sides, format), ((16, 16), PixelFormat::Rgb8));
    assert_near(&pixels[..3], [200, 100, 50]);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 95)
        .encode_image(&DynamicImage::from(drawn).into_luma8())
        .unwrap();
    assert_eq!(load_bytes("gray.jpg", &jpeg).1, PixelFormat::Gray8);
}

#[test]
fn cmyk_is_converted_like_imagemagick_does() {
    let (sides, format, pixels) = load_bytes("ycck.jpg", YCCK);
    assert_eq!((sides, format), ((16, 16), PixelFormat::Rgb8));
    assert_near(&pixels[..3], [200, 30, 60]);
    assert_near(&pixels[45..48], [20, 90, 180]);

    // The same samples, declared as CMYK: ImageMagick returns the expected colours. Without the
    // marker they count as inverted too.
    const MARKER: usize = 2;
    const MARKER_LENGTH: usize = 16;
    let mut cmyk = YCCK.to_vec();
    cmyk[MARKER + MARKER_LENGTH - 1] = 0;
    let unmarked = [&YCCK[..MARKER], &YCCK[MARKER + MARKER_LENGTH..]].concat();
    for (name, bytes) in [("cmyk.jpg", cmyk), ("unmarked.jpg", unmarked)] {
        let (_, _, pixels) = load_bytes(name, &bytes);
        assert_near(&pixels[..3], [116, 114, 18]);
        assert_near(&pixels[45..48], [100, 34, 133]);
    }
    let tiff = Tiff {
        photometric: 5,
        pixels: [0, 217, 178, 55].repeat(16),
        ..tiff(4, 8)
    };
    let (_, _, pixels) = load_bytes("cmyk.tiff", &tiff.encode());
    assert_near(&pixels[..3], [200, 30, 60]);
}

fn assert_near(pixel: &[u8], expected: [u8; 3]) {
    let is_near = pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 3);
    assert!(is_near, "{pixel:?} is not {expected:?}");
}

#[test]
fn content_takes_precedence_over_the_extension() {
    let (_, _, pixels) = load_bytes("really-a-png.txt", &encoded(ImageFormat::Png));
    assert_eq!(pixels, rgb().into_raw());
}

/// Returns the upright picture, whose upper left quarter is red.
fn upright(sides: (u32, u32)) -> RgbImage {
    RgbImage::from_fn(sides.0, sides.1, |x, y| {
        let is_corner = x < sides.0 / 2 && y < sides.1 / 2;
        Rgb(if is_corner { [250, 0, 0] } else { [0, 0, 250] })
    })
}

/// Returns [`upright`] as a camera stores it with this orientation.
fn stored(orientation: u8) -> RgbImage {
    let upright = DynamicImage::from(upright(if orientation < 5 { (32, 16) } else { (16, 32) }));
    match orientation {
        2 => upright.fliph(),
        3 => upright.rotate180(),
        4 => upright.flipv(),
        5 => upright.rotate90().fliph(),
        6 => upright.rotate270(),
        7 => upright.rotate270().fliph(),
        8 => upright.rotate90(),
        _ => upright,
    }
    .into_rgb8()
}

#[test]
fn the_exif_orientation_is_applied_in_every_format_that_has_one() {
    for orientation in 1..=8 {
        let stored = stored(orientation);
        let (width, height) = stored.dimensions();
        let color = ExtendedColorType::Rgb8;
        let (mut png, mut webp, mut jpeg) = (Vec::new(), Vec::new(), Vec::new());
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(&stored, width, height, color).unwrap();
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(&stored, width, height, color).unwrap();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
        encoder.set_exif_metadata(exif(orientation)).unwrap();
        encoder.write_image(&stored, width, height, color).unwrap();
        let tiff = Tiff {
            width: u16::try_from(width).unwrap(),
            height: u16::try_from(height).unwrap(),
            photometric: 2,
            orientation: orientation.into(),
            pixels: stored.into_raw(),
            ..tiff(3, 8)
        };
        for (name, bytes) in [
            ("a.png", png),
            ("a.webp", webp),
            ("a.jpg", jpeg),
            ("a.tiff", tiff.encode()),
        ] {
            let (sides, format, pixels) = load_bytes(name, &bytes);
            assert_eq!(sides.0.max(sides.1), 32, "{name} {orientation}");
            assert_eq!(format, PixelFormat::Rgb8, "{name} {orientation}");
            let is_near = pixels
                .iter()
                .zip(upright(sides).as_raw())
                .all(|(a, b)| a.abs_diff(*b) <= 8);
            assert!(is_near, "{name} {orientation}");
        }
    }
}
