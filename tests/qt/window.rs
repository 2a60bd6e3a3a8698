//! The compiled example of Qt's own documentation beside the two windows, on one display; and what the
//! list of segments tells of Qt programs.
//!
//! The key of the example cannot be chosen; the folder of its key file can, and so nobody else meets it.

use e2e_tests::{Desktop, LoaderWindow, Picture, PictureFile, QtExample, Scene, ViewerWindow};

use crate::peer::{Peer, Side, Stage};

/// A key that a list tells as it was written. In the folder of a test nobody else meets it.
const SKETCH: &str = "qt:Sketch";

#[test]
fn a_picture_that_the_example_loaded_is_shown_by_our_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(stage) = Stage::with(&[]) else {
        return;
    };
    let scene = Scene::new().with_key(QtExample::KEY);
    let picture = Picture::draw(160, 120, 3);
    let file = scene.file("cat.png", &picture.encode(PictureFile::Png));
    let Some(example) = QtExample::open(stage.directory(), &desktop) else {
        return;
    };
    example.load(&file);
    example.window.wait_for_picture(picture.pixels());

    let viewer = scene
        .viewer(["--verbose"])
        .env("TMPDIR", stage.directory())
        .on(&desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, &desktop);
    viewer.show("Showing the picture");
    viewer.window.wait_for_picture(picture.pixels());

    // It follows what the example loads next.
    viewer.throw_live();
    let next = Picture::draw(150, 110, 5);
    let file = scene.file("dog.png", &next.encode(PictureFile::Png));
    example.load(&file);
    viewer.window.wait_for_picture(next.pixels());
    viewer.window.close();
    viewer.program.finish().done();
    example.close();
    stage.assert_clean();
}

#[test]
fn a_picture_that_our_window_loaded_is_shown_by_the_example() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(stage) = Stage::with(&[]) else {
        return;
    };
    let scene = Scene::new().with_key(QtExample::KEY);
    let picture = Picture::draw(160, 120, 4);
    let file = scene.file("cat.png", &picture.encode(PictureFile::Png));
    let loader = scene
        .loader(["--verbose"])
        .env("TMPDIR", stage.directory())
        .on(&desktop)
        .start();
    let loader = LoaderWindow::of(loader, &desktop);
    loader.enter_path(&file);
    loader.program.wait_for_status("as qimage");
    loader.window.wait_for_picture(picture.pixels());

    let Some(example) = QtExample::open(stage.directory(), &desktop) else {
        return;
    };
    example.display();
    example.window.wait_for_picture(picture.pixels());
    example.close();
    loader.window.close();
    loader.program.finish().done();
    stage.assert_clean();
}

/// Opens the list of our window, where a Qt program will be seen.
fn open_list<'d>(stage: &Stage, scene: &Scene, desktop: &'d Desktop) -> ViewerWindow<'d> {
    let viewer = scene
        .viewer(["--verbose"])
        .env("TMPDIR", stage.directory())
        .on(desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, desktop);
    viewer.open_list(SKETCH);
    viewer
}

fn load(stage: &Stage, text: &str) -> Peer {
    let mut theirs = stage.start_with(Side::Cpp, SKETCH);
    let file = stage.file(text.as_bytes());
    theirs.ask(&["load", "qstring", &file]).done();
    theirs
}

#[test]
fn a_segment_of_a_qt_program_comes_and_goes_in_the_list_and_is_shown_by_a_click() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new();
    let viewer = open_list(&stage, &scene, &desktop);
    let rows = |count| {
        desktop.wait_for(&format!("{count} rows"), || {
            (viewer.listed_rows() == count).then_some(())
        });
    };
    let theirs = load(&stage, "drawn in Qt");
    rows(1);
    viewer.press_first_row();
    viewer
        .program
        .wait_for_status("Showing the text from qt:Sketch");
    assert_eq!(viewer.shown_text(), "drawn in Qt");
    viewer.window.press(&["ctrl+k"]);
    assert_eq!(viewer.window.copy_field(), SKETCH);

    viewer.open_list(SKETCH);
    rows(1);
    theirs.finish();
    rows(0);
    viewer.window.close();
    viewer.program.finish().done();
    stage.assert_clean();
}

#[test]
fn a_segment_of_a_qt_program_is_removed_from_the_list_after_asking() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new();
    let viewer = open_list(&stage, &scene, &desktop);
    let theirs = load(&stage, "left behind");
    desktop.wait_for("a row", || (viewer.listed_rows() == 1).then_some(()));
    // It goes without a word, and its segment stays.
    theirs.kill();
    viewer.press_remove();
    desktop.wait_for("the question", || viewer.asks_in_list().then_some(()));
    viewer.press_remove();
    viewer.program.wait_for_status("Removed qt:Sketch");
    desktop.wait_for("no row", || (viewer.listed_rows() == 0).then_some(()));
    viewer.window.close();
    viewer.program.finish().done();
    stage.assert_clean();
}
