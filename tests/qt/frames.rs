//! Frames under a Qt key: successive pictures.

use std::path::Path;

use e2e_tests::{Desktop, Fixture, LoaderWindow, Picture, PictureFile, ViewerWindow};

use crate::command::{each_key, on};
use crate::peer::{Peer, QtFixture, Side};

/// Returns the number that a frame of the test pattern shows in its bottom row.
fn number_of(frame: &[u8]) -> u32 {
    let frame = image::load_from_memory(frame).unwrap().to_luma8();
    let cell = frame.width() / 32;
    let bit = |at| frame.get_pixel(at * cell + cell / 2, frame.height() - 1).0[0] > 127;
    (0..32).fold(0, |number, at| number << 1 | u32::from(bit(at)))
}

/// Lets an attached Qt program read frames: successive ones in the same segment, each intact, some
/// skipped.
fn see_three_frames(theirs: &mut Peer, path: &Path) {
    let mut last = 0;
    for _ in 0..3 {
        let before = last;
        while last <= before {
            theirs
                .ask(&["read", "qimage", path.to_str().unwrap()])
                .done();
            let number = number_of(&std::fs::read(path).unwrap());
            assert!(number >= last, "{number} after {last}");
            last = number;
        }
    }
}

#[test]
fn frames_reach_an_attached_qt_program() {
    const FRAMES: [&str; 4] = ["frames", "--test-pattern", "--size", "320x240"];
    each_key(|qt_fixture, qt, fixture| {
        let loader = on(qt_fixture, fixture.loader(FRAMES)).start();
        loader.wait_for("as QImage");
        let mut theirs = qt_fixture.start_with(qt, fixture.key());
        theirs.ask(&["attach", "ro"]).done();
        let path = qt_fixture.path();
        see_three_frames(&mut theirs, &path);
        let output = loader.terminate().done();
        let told = output.text();
        assert!(told.contains("Streamed"), "{told}");
        theirs.finish();
    });
}

#[test]
fn pixels_of_a_qt_program_are_written_as_raw_video() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let first = Picture::draw(60, 50, 1);
    let second = Picture::draw(60, 50, 2);
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    let mut load = |picture: &Picture| {
        let file = qt_fixture.file(&picture.encode(PictureFile::Png));
        theirs.ask(&["load", "qimage", &file]).done();
    };
    load(&first);
    let video = fixture.path("video.rgb");
    let follow = fixture
        .viewer(["follow", "--count", "2", "--timeout", "60", "--raw"])
        .args([&video]);
    let follow = on(&qt_fixture, follow).start();
    follow.wait_for("60 × 50");
    load(&second);
    follow.wait_for("60 × 50");
    follow.finish().done();
    let written = std::fs::read(video).unwrap();
    let pixels = [&first, &second].map(|picture| picture.pixels().as_raw().as_slice());
    let channels = written.len() / (2 * 60 * 50);
    // Qt may have an alpha channel or not.
    let colours: Vec<u8> = written
        .chunks_exact(channels)
        .flat_map(|pixel| pixel[..3].to_vec())
        .collect();
    assert_eq!(colours, pixels.concat());
    theirs.finish();
    qt_fixture.assert_clean();
}

#[test]
fn frames_are_dropped_while_a_qt_program_holds_the_lock() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let frames = ["frames", "--test-pattern", "--size", "64x48"];
    let loader = on(&qt_fixture, fixture.loader(frames)).start();
    loader.wait_for("as QImage");
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    theirs.ask(&["attach", "rw"]).done();
    theirs.ask(&["lock"]).done();
    loader.wait_for_stderr("Frames are being skipped");
    theirs.ask(&["unlock"]).done();
    theirs
        .ask(&["read", "qimage", qt_fixture.path().to_str().unwrap()])
        .done();
    let output = loader.terminate().done();
    assert!(output.text().contains("were skipped"), "{output:?}");
    theirs.finish();
    qt_fixture.assert_clean();
}

#[test]
fn a_stream_of_the_loader_window_reaches_a_qt_program_and_the_viewer_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let loader = on(&qt_fixture, fixture.loader(["--verbose"]))
        .on(&desktop)
        .start();
    let loader = LoaderWindow::of(loader, &desktop);
    loader.stream_test_pattern();
    let mut theirs = qt_fixture.start_with(Side::Cpp, fixture.key());
    theirs.ask(&["attach", "ro"]).done();
    see_three_frames(&mut theirs, &qt_fixture.path());

    let viewer = on(&qt_fixture, fixture.viewer(["--verbose"]))
        .on(&desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, &desktop);
    viewer.toggle_live();
    viewer.program.wait_for_status("Showing the picture");
    let told = loader.stop_stream();
    assert!(told.contains("Streamed"), "{told}");
    // Its last frame remains.
    theirs
        .ask(&["read", "qimage", qt_fixture.path().to_str().unwrap()])
        .done();
    for program in [viewer.program, loader.program] {
        program.terminate().done();
    }
    theirs.finish();
    qt_fixture.assert_clean();
}
