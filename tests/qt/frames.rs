//! Frames under a key of a Qt program: a picture after the other.

use std::path::Path;

use e2e_tests::{Desktop, LoaderWindow, Picture, PictureFile, Scene, ViewerWindow};

use crate::command::{each_key, on};
use crate::peer::{Peer, Side, Stage};

/// The number that a frame of the test pattern shows in its bottom row.
fn number_of(frame: &[u8]) -> u32 {
    let frame = image::load_from_memory(frame).unwrap().to_luma8();
    let cell = frame.width() / 32;
    let bit = |at| frame.get_pixel(at * cell + cell / 2, frame.height() - 1).0[0] > 127;
    (0..32).fold(0, |number, at| number << 1 | u32::from(bit(at)))
}

/// Has a Qt program that is attached see frames: one after the other in the same segment, each whole,
/// and some only.
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
fn frames_reach_a_qt_program_that_stays_attached() {
    const FRAMES: [&str; 4] = ["frames", "--test-pattern", "--size", "320x240"];
    each_key(|stage, qt, scene| {
        let loader = on(stage, scene.loader(FRAMES)).start();
        loader.wait_for("as QImage");
        let mut theirs = stage.start_with(qt, scene.key());
        theirs.ask(&["attach", "ro"]).done();
        let path = stage.path();
        see_three_frames(&mut theirs, &path);
        let output = loader.terminate().done();
        let told = output.text();
        assert!(told.contains("Streamed"), "{told}");
        theirs.finish();
    });
}

#[test]
fn pixels_of_a_qt_program_go_where_video_goes() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let first = Picture::draw(60, 50, 1);
    let second = Picture::draw(60, 50, 2);
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    let mut load = |picture: &Picture| {
        let file = stage.file(&picture.encode(PictureFile::Png));
        theirs.ask(&["load", "qimage", &file]).done();
    };
    load(&first);
    let video = scene.path("video.rgb");
    let follow = scene
        .viewer(["follow", "--count", "2", "--timeout", "60", "--raw"])
        .args([&video]);
    let follow = on(&stage, follow).start();
    follow.wait_for("60 × 50");
    load(&second);
    follow.wait_for("60 × 50");
    follow.finish().done();
    let written = std::fs::read(video).unwrap();
    let pixels = [&first, &second].map(|picture| picture.pixels().as_raw().as_slice());
    let channels = written.len() / (2 * 60 * 50);
    // Qt may have an alpha channel, or none.
    let colours: Vec<u8> = written
        .chunks_exact(channels)
        .flat_map(|pixel| pixel[..3].to_vec())
        .collect();
    assert_eq!(colours, pixels.concat());
    theirs.finish();
    stage.assert_clean();
}

#[test]
fn frames_are_left_out_while_a_qt_program_holds_the_lock() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let frames = ["frames", "--test-pattern", "--size", "64x48"];
    let loader = on(&stage, scene.loader(frames)).start();
    loader.wait_for("as QImage");
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    theirs.ask(&["attach", "rw"]).done();
    theirs.ask(&["lock"]).done();
    loader.wait_for_complaint("Frames are being skipped");
    theirs.ask(&["unlock"]).done();
    theirs
        .ask(&["read", "qimage", stage.path().to_str().unwrap()])
        .done();
    let output = loader.terminate().done();
    assert!(output.text().contains("were skipped"), "{output:?}");
    theirs.finish();
    stage.assert_clean();
}

#[test]
fn a_stream_of_our_window_reaches_a_qt_program_and_our_other_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let loader = on(&stage, scene.loader(["--verbose"])).on(&desktop).start();
    let loader = LoaderWindow::of(loader, &desktop);
    loader.stream_test_pattern();
    let mut theirs = stage.start_with(Side::Cpp, scene.key());
    theirs.ask(&["attach", "ro"]).done();
    see_three_frames(&mut theirs, &stage.path());

    let viewer = on(&stage, scene.viewer(["--verbose"])).on(&desktop).start();
    let viewer = ViewerWindow::of(viewer, &desktop);
    viewer.throw_live();
    viewer.program.wait_for_status("Showing the picture");
    let told = loader.stop_stream();
    assert!(told.contains("Streamed"), "{told}");
    // Its last frame stays.
    theirs
        .ask(&["read", "qimage", stage.path().to_str().unwrap()])
        .done();
    for program in [viewer.program, loader.program] {
        program.terminate().done();
    }
    theirs.finish();
    stage.assert_clean();
}
