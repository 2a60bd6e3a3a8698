//! Slow pictures: their progress, and what remains after a cancel.

use std::thread;
use std::time::Instant;

use e2e_tests::{Desktop, Fixture, LoaderWindow, Program, Signal, TIMEOUT};

/// Returns a picture of 64 megapixels as decimal numbers: it takes seconds to read.
fn slow() -> Vec<u8> {
    const SIDE: usize = 8000;
    [
        format!("P2\n{SIDE} {SIDE}\n255\n").into_bytes(),
        b"7 ".repeat(SIDE * SIDE),
    ]
    .concat()
}

#[test]
fn escape_cancels_a_picture_and_the_previous_content_remains() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let path = fixture.file("slow.pgm", &slow());
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("kept");
    loader.enter_path(&path);
    loader.program.wait_for_status("Loading slow.pgm into");
    loader.window.press(&["Escape"]);
    loader.program.wait_for_status("slow.pgm was not loaded");
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "kept");
    // The next picture loads normally.
    loader.load_text("next");
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "next");
}

#[test]
fn a_window_that_closes_does_not_wait_for_a_picture() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let path = fixture.file("slow.pgm", &slow());
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.enter_path(&path);
    loader.program.wait_for_status("Loading slow.pgm into");
    let begun = Instant::now();
    loader.program.terminate().done();
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    fixture.assert_empty();
}

#[test]
fn ctrl_c_while_a_picture_is_decoded_leaves_nothing() {
    let fixture = Fixture::new();
    let path = fixture.file("slow.pgm", &slow());
    let loader = fixture.loader(["image"]).args([&path]).start();
    wait_for_segment(&fixture, &loader);
    loader.signal(Signal::INT);
    drop(loader.finish().refused("slow.pgm was not loaded"));
    fixture.assert_empty();
}

/// Waits until the loader has created its segment, which it does before it decodes.
fn wait_for_segment(fixture: &Fixture, loader: &Program) {
    let deadline = Instant::now() + TIMEOUT;
    while !fixture.segment().exists() {
        assert!(Instant::now() < deadline, "no segment by {loader:?}");
        thread::yield_now();
    }
}
