//! Qt programs beside the two windows: the compiled example of Qt's documentation on the same
//! display, and programs that stream in each form.
//!
//! The key of the example is fixed; the folder of its key file is not, which separates the tests.

use e2e_tests::{
    Desktop, Fixture, Launch, LoaderWindow, Picture, PictureFile, QtExample, ViewerWindow,
};

use qt_bridge::Form;

use crate::peer::{QtFixture, Side};

#[test]
fn a_picture_of_the_example_is_shown_by_the_viewer_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[]) else {
        return;
    };
    let fixture = Fixture::new().with_key(QtExample::KEY);
    let picture = Picture::draw(160, 120, 3);
    let file = fixture.file("cat.png", &picture.encode(PictureFile::Png));
    let Some(example) = QtExample::open(qt_fixture.directory(), &desktop) else {
        return;
    };
    example.load(&file);
    example.window.wait_for_picture(picture.pixels());

    let viewer = fixture
        .viewer(["--verbose"])
        .env("TMPDIR", qt_fixture.directory())
        .on(&desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, &desktop);
    viewer.show("Showing the picture");
    viewer.window.wait_for_picture(picture.pixels());

    // The window shows the next picture of the example, too.
    viewer.toggle_live();
    let next = Picture::draw(150, 110, 5);
    let file = fixture.file("dog.png", &next.encode(PictureFile::Png));
    example.load(&file);
    viewer.window.wait_for_picture(next.pixels());
    viewer.window.close();
    viewer.program.finish().done();
    example.close();
    qt_fixture.assert_clean();
}

#[test]
fn a_picture_of_the_loader_window_is_shown_by_the_example() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[]) else {
        return;
    };
    let fixture = Fixture::new().with_key(QtExample::KEY);
    let picture = Picture::draw(160, 120, 4);
    let file = fixture.file("cat.png", &picture.encode(PictureFile::Png));
    let loader = fixture
        .loader(["--verbose"])
        .env("TMPDIR", qt_fixture.directory())
        .on(&desktop)
        .start();
    let loader = LoaderWindow::of(loader, &desktop);
    loader.enter_path(&file);
    loader.program.wait_for_status("as QImage");
    loader.window.wait_for_picture(picture.pixels());

    let Some(example) = QtExample::open(qt_fixture.directory(), &desktop) else {
        return;
    };
    example.display();
    example.window.wait_for_picture(picture.pixels());
    example.close();
    loader.window.close();
    loader.program.finish().done();
    qt_fixture.assert_clean();
}

#[test]
fn a_qt_program_reads_content_loaded_in_a_chosen_form() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let on_stage = |launch: Launch| launch.env("TMPDIR", qt_fixture.directory());
    let loader = on_stage(fixture.loader(["--verbose"])).on(&desktop).start();
    let loader = LoaderWindow::of(loader, &desktop);
    loader.choose_form(Form::QByteArray);
    assert!(loader.load_text("hello").contains("as QByteArray"));

    let mut theirs = qt_fixture.start_with(Side::Cpp, fixture.key());
    theirs.ask(&["attach", "ro"]).done();
    let path = qt_fixture.path();
    theirs
        .ask(&["read", "qbytearray", path.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(path).unwrap(), "hello".as_bytes());
    theirs.finish();
    let viewer = |arguments: &[&str]| on_stage(fixture.viewer(arguments)).run().done();
    let shown = viewer(&["show", "--as", "qbytearray"]);
    assert_eq!(shown.text(), "hello");
    assert!(viewer(&["info"]).text().contains("text, as qbytearray"));

    // A form that does not fit changes nothing.
    loader.choose_form(Form::QImage);
    loader.open_dialog();
    loader.window.paste("no picture");
    loader.window.press(&["ctrl+Return"]);
    loader
        .program
        .wait_for_status("cannot be written as QImage");
    assert_eq!(viewer(&["show"]).text(), "hello");
    // By the keyboard, from the last entry of the list to the form that fits.
    loader.window.press(&["ctrl+f", "ctrl+Return"]);
    loader.program.wait_for_status("as QString");
    assert_eq!(viewer(&["show"]).text(), "no picture");
    loader.window.close();
    loader.program.finish().done();
    qt_fixture.assert_clean();
}

#[test]
fn the_viewer_window_reads_qt_content_in_a_chosen_form() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let mut theirs = qt_fixture.start_with(Side::Cpp, fixture.key());
    // Its UTF-16 reads as ASCII "hi": the form is ambiguous.
    let ambiguous = qt_fixture.file("桩".as_bytes());
    theirs.ask(&["load", "qstring", &ambiguous]).done();
    let viewer = fixture
        .viewer(["--verbose"])
        .env("TMPDIR", qt_fixture.directory())
        .on(&desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, &desktop);
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), "hi");
    viewer.choose_form(Form::QString);
    viewer.program.wait_for_status("Showing the text");
    assert_eq!(viewer.shown_text(), "桩");

    // Content that is copied without a stream header.
    let raw = qt_fixture.file(b"a plain C string");
    theirs.ask(&["load", "raw", &raw]).done();
    viewer.press_show();
    viewer.program.wait_for_status("is not a QString");
    viewer.choose_form(Form::Raw);
    viewer.program.wait_for_status("Showing the text");
    assert_eq!(viewer.shown_text(), "a plain C string");

    // The chosen form stays in use.
    viewer.toggle_live();
    viewer.program.wait_for_status("Showing the text");
    let next = qt_fixture.file(b"and the next");
    theirs.ask(&["load", "raw", &next]).done();
    viewer.program.wait_for_status("13 bytes");
    assert_eq!(viewer.shown_text(), "and the next");
    viewer.window.close();
    viewer.program.finish().done();
    theirs.finish();
    qt_fixture.assert_clean();
}
