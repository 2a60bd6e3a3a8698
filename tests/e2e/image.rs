//! `loader-app image`: pictures are transferred as pixels.

use std::fs;

use e2e_tests::{Fixture, Picture, PictureFile};
use image::{GenericImageView, ImageFormat, Rgba, RgbaImage};

use crate::bomb;

/// Loads a picture file of this format and asserts that the viewer returns exactly its pixels.
fn assert_preserved(kind: PictureFile, width: u32, height: u32) {
    let fixture = Fixture::new();
    let picture = Picture::draw(width, height, 1);
    let name = format!("picture.{}", kind.extension());
    let source = fixture.file(&name, &picture.encode(kind));
    let loader = fixture.loader(["image"]).args([&source]).start();
    let line = loader.wait_for(fixture.key());
    assert!(line.contains("image"), "{line}");

    let info = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(info["kind"], "image", "{info}");
    assert_eq!(
        (&info["width"], &info["height"]),
        (&width.into(), &height.into()),
        "{info}"
    );

    let copy = fixture.path("copy.png");
    fixture
        .viewer(["show", "--output"])
        .args([&copy])
        .run()
        .done();
    let shown = image::open(copy).unwrap().into_rgb8();
    assert!(
        shown == picture.decoded(kind),
        "{kind:?} of {width} x {height} came out different"
    );
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn png_pixels_are_preserved() {
    assert_preserved(PictureFile::Png, 317, 203);
}

#[test]
fn jpeg_pixels_are_preserved() {
    assert_preserved(PictureFile::Jpeg, 317, 203);
}

#[test]
fn xpm_pixels_are_preserved() {
    assert_preserved(PictureFile::Xpm, 61, 53);
}

#[test]
fn a_large_picture_is_preserved() {
    assert_preserved(PictureFile::Png, 3840, 2160);
}

#[test]
fn transparency_is_preserved() {
    let fixture = Fixture::new();
    let drawn = RgbaImage::from_fn(40, 30, |x, y| {
        let [x, y] = [x, y].map(|at| u8::try_from(at * 6).unwrap());
        Rgba([x, y, 77, x.wrapping_add(y)])
    });
    let source = fixture.path("glass.png");
    drawn.save(&source).unwrap();
    let loader = fixture.loader(["image"]).args([&source]).start();
    loader.wait_for(fixture.key());
    let copy = fixture.path("copy.png");
    fixture
        .viewer(["show", "--output"])
        .args([&copy])
        .run()
        .done();
    assert!(image::open(copy).unwrap().into_rgba8() == drawn);
}

#[test]
fn the_extension_chooses_the_format() {
    let fixture = Fixture::new();
    let picture = Picture::draw(80, 60, 2);
    let source = fixture.file("picture.png", &picture.encode(PictureFile::Png));
    let loader = fixture.loader(["image"]).args([&source]).start();
    loader.wait_for(fixture.key());
    for (name, format) in [("a.bmp", ImageFormat::Bmp), ("b.jpeg", ImageFormat::Jpeg)] {
        let path = fixture.path(name);
        fixture
            .viewer(["show", "--output"])
            .args([&path])
            .run()
            .done();
        let bytes = fs::read(path).unwrap();
        assert_eq!(image::guess_format(&bytes).unwrap(), format);
        let shown = image::load_from_memory(&bytes).unwrap();
        assert_eq!(shown.dimensions(), (80, 60));
    }
    let refused = fixture
        .viewer(["show", "--output", "picture.nonsense"])
        .run();
    drop(refused.refused("nonsense"));
}

#[test]
fn a_picture_without_an_output_is_printed_as_one_line() {
    let fixture = Fixture::new();
    let source = fixture.file(
        "cat.png",
        &Picture::draw(64, 48, 3).encode(PictureFile::Png),
    );
    let loader = fixture.loader(["image"]).args([&source]).start();
    loader.wait_for(fixture.key());
    let shown = fixture.viewer(["show"]).run().done();
    let line = shown.text();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("64") && line.contains("48"), "{line}");
}

#[test]
fn a_file_that_is_not_a_picture_is_refused_and_the_content_remains() {
    let fixture = Fixture::new();
    let before = fixture.loader(["text", "before"]).start();
    before.wait_for(fixture.key());
    let whole = Picture::draw(64, 48, 4).encode(PictureFile::Png);
    for (name, content) in [
        ("text.png", b"this is no picture".as_slice()),
        ("empty.jpg", b""),
        ("half.png", &whole[..whole.len() / 2]),
        (
            "broken.xpm",
            b"/* XPM */\nstatic char *x[] = {\n\"9999999 1 1 1\"",
        ),
    ] {
        let refused = fixture
            .loader(["image"])
            .args([fixture.file(name, content)])
            .run();
        drop(refused.refused("Selected file is not an image, please select another."));
    }
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "before");
    before.terminate().done();
    fixture.assert_empty();
}

#[test]
fn absurd_dimensions_are_refused_before_any_allocation() {
    let fixture = Fixture::new();
    let bomb = fixture.file("bomb.png", &bomb::png((60_000, 60_000), (8, 6), &[], b""));
    let refused = fixture.loader(["image"]).args([&bomb]).run();
    drop(refused.refused("60000"));
    fixture.assert_empty();
}
