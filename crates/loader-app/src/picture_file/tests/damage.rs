//! Truncated and corrupted files cause errors, not panics.

use super::*;

use std::sync::Arc;

use crate::progress::ReadProgress;

/// Returns a small file of every format.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples: Vec<_> = [
        ("a.png", ImageFormat::Png),
        ("a.jpg", ImageFormat::Jpeg),
        ("a.gif", ImageFormat::Gif),
        ("a.bmp", ImageFormat::Bmp),
        ("a.webp", ImageFormat::WebP),
        ("a.tiff", ImageFormat::Tiff),
        ("a.ppm", ImageFormat::Pnm),
        ("a.qoi", ImageFormat::Qoi),
        ("a.ico", ImageFormat::Ico),
    ]
    .map(|(name, format)| (name, encoded(format)))
    .to_vec();
    samples.push(("a.xpm", CROSS.as_bytes().to_vec()));
    samples.push(("cmyk.jpg", YCCK.to_vec()));
    samples
}

#[test]
fn a_truncated_file_is_an_error_unless_its_pixels_are_complete() {
    let directory = directory();
    for (name, whole) in samples() {
        let path = directory.path().join(name);
        fs::write(&path, &whole).unwrap();
        let picture = load(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            match load(&path) {
                // The missing part contained no pixels, such as a trailer or white space.
                Ok(cut) => assert!(cut == picture, "{name} cut to {length} bytes"),
                Err(error) => assert!(
                    matches!(error, PictureError::NotAPicture { .. }),
                    "{name} cut to {length} bytes: {error:?}"
                ),
            }
        }
    }
}

#[test]
fn a_corrupted_file_is_an_error_or_a_picture() {
    let directory = directory();
    for (name, whole) in samples() {
        let path = directory.path().join(name);
        for index in 0..whole.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut corrupted = whole.clone();
                corrupted[index] ^= flip;
                fs::write(&path, &corrupted).unwrap();
                let error = match open(&path) {
                    // A corrupted size: decoding this many pixels takes too long.
                    Ok(picture) if picture.metadata().payload_bytes() > 1 << 16 => continue,
                    Ok(_) => load(&path).err(),
                    Err(error) => Some(error),
                };
                let sentence = error.map(|error| error.to_string());
                let is_panic = |sentence: &String| sentence.contains("gave up");
                assert!(!sentence.as_ref().is_some_and(is_panic), "{name} {index}");
            }
        }
    }
}

#[test]
fn other_files_are_reported_as_not_an_image() {
    let directory = directory();
    let png = encoded(ImageFormat::Png);
    for (name, bytes) in [
        ("words.txt", b"plain words".as_slice()),
        ("words.png", b"plain words"),
        ("words.xpm", b"plain words"),
        ("empty.png", b""),
        ("cut.png", &png[..png.len() / 2]),
        ("cut.xpm", b"/* XPM */ static char *x[] = { \"9 9 1 1\","),
        ("zero.pgm", b"P5\n0 10\n255\n"),
    ] {
        let error = load(&file(&directory, name, bytes)).expect_err(name);
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
fn an_unsupported_variant_is_reported_with_a_remedy() {
    let directory = directory();
    let palette = Tiff {
        photometric: 3,
        pixels: vec![0; 16],
        ..tiff(1, 8)
    };
    let path = file(&directory, "palette.tiff", &palette.encode());
    let error = load(&path).expect_err("palettes are not supported in TIFF");
    assert!(
        error.to_string().contains("save it as PNG first"),
        "{error}"
    );
}

#[test]
fn oversized_pictures_are_refused_before_allocation() {
    let directory = directory();
    let header = |sides: [&[u8]; 2]| [b"qoif", sides[0], sides[1], b"\x04\0"].concat();
    for (name, header) in [
        ("wide.pgm", b"P5\n65536 1\n255\n".to_vec()),
        ("high.pgm", b"P5\n1 70000\n255\n".to_vec()),
        ("large.ppm", b"P6\n40000 40000\n255\n".to_vec()),
        ("deep.ppm", b"P6\n16000 16000\n65535\n".to_vec()),
        (
            "large.xpm",
            b"/* XPM */\nstatic char *x[] = {\n\"60000 60000 1 1\",\n".to_vec(),
        ),
        ("large.qoi", header([b"\0\0\x80\0", b"\0\0\x28\0"])),
        (
            "large.gif",
            b"GIF89a\xFF\xFF\xFF\xFF\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02"
                .to_vec(),
        ),
    ] {
        let error = open(&file(&directory, name, &header)).expect_err(name);
        assert!(
            matches!(error, PictureError::TooLarge { .. }),
            "{name}: {error:?}"
        );
        assert!(error.to_string().contains("scale it down"), "{error}");
    }
}

#[test]
fn only_regular_files_are_opened() {
    let folder = directory();
    for path in [folder.path(), Path::new("/dev/null")] {
        let error = open(path).expect_err("no file");
        assert!(matches!(error, PictureError::NotAFile { .. }), "{error:?}");
    }
    let error = open(Path::new("/nonexistent/cat.png")).expect_err("nothing there");
    assert!(error.to_string().contains("check the path"), "{error}");
}

#[test]
fn cancellation_is_reported_in_every_format() {
    let directory = directory();
    for (name, bytes) in samples() {
        let path = file(&directory, name, &bytes);
        let progress = Arc::new(ReadProgress::default());
        let picture = PictureFile::open(&path, Limit::DEFAULT, Arc::clone(&progress)).unwrap();
        let mut pixels = vec![0; picture.metadata().payload_bytes()];
        progress.cancel();
        let error = picture.decode_into(&mut pixels).expect_err(name);
        assert!(
            matches!(error, PictureError::Cancelled { .. }),
            "{name}: {error:?}"
        );
        let error = PictureFile::open(&path, Limit::DEFAULT, progress).expect_err(name);
        assert!(error.to_string().contains("was not loaded"), "{error}");
    }
}

#[test]
fn progress_reaches_the_end_in_every_format() {
    let directory = directory();
    for (name, bytes) in samples() {
        let progress = Arc::new(ReadProgress::default());
        let path = file(&directory, name, &bytes);
        let picture = PictureFile::open(&path, Limit::DEFAULT, Arc::clone(&progress)).unwrap();
        let mut pixels = vec![0; picture.metadata().payload_bytes()];
        picture.decode_into(&mut pixels).unwrap();
        assert_eq!(progress.fraction(), 1.0, "{name}");
    }
}
