//! The compiled example of Qt's own documentation beside the two windows, on one display.
//!
//! Its key cannot be chosen; the folder of its key file can, and so nobody else meets it.

use e2e_tests::{Desktop, LoaderWindow, Picture, PictureFile, QtExample, Scene, ViewerWindow};

use crate::peer::Stage;

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
