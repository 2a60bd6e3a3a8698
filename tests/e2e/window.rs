//! Both windows on a display of their own, driven by mouse and keyboard.

use std::fs;

use e2e_tests::{Desktop, Fixture, LoaderWindow, Picture, PictureFile, Signal, ViewerWindow};

const TEXT: &str =
    "Zeile eins\n第二行：你好，世界 – こんにちは 안녕하세요\n\tthird 👩‍👩‍👧‍👦 🏳️‍🌈 🦀\nПривет שלום";

/// Loads a picture of this format through the path field and asserts that both windows show exactly
/// its pixels.
fn assert_shown(kind: PictureFile) {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    let picture = Picture::draw(240, 160, 1);
    let path = fixture.file(
        &format!("picture.{}", kind.extension()),
        &picture.encode(kind),
    );

    loader.load_picture(&path);
    loader.window.wait_for_picture(&picture.decoded(kind));
    viewer.show("Showing the picture");
    viewer.window.wait_for_picture(&picture.decoded(kind));
}

#[test]
fn a_png_is_shown_pixel_for_pixel() {
    assert_shown(PictureFile::Png);
}

#[test]
fn a_jpeg_is_shown_pixel_for_pixel() {
    assert_shown(PictureFile::Jpeg);
}

#[test]
fn an_xpm_is_shown_pixel_for_pixel() {
    assert_shown(PictureFile::Xpm);
}

#[test]
fn a_large_picture_is_fitted_to_the_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    let picture = Picture::draw(3000, 1500, 4);
    let path = fixture.file("large.png", &picture.encode(PictureFile::Png));

    loader.load_picture(&path);
    viewer.show("Showing the picture");
    let area = desktop.wait_for("the picture in the viewer", || {
        viewer.window.screen().extent_of(Picture::FRAME)
    });
    assert!(area.width > 400, "{area:?}");
    assert!(
        area.width.abs_diff(area.height * 2) <= 4,
        "not twice as wide as high: {area:?}"
    );
}

#[test]
fn a_text_in_every_script_is_transferred_between_the_windows() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);

    loader.load_text(TEXT);
    assert_eq!(fixture.viewer(["show"]).run().done().text(), TEXT);
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), TEXT);
}

#[test]
fn the_latest_content_is_shown() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    let picture = Picture::draw(120, 90, 2);
    let path = fixture.file("picture.png", &picture.encode(PictureFile::Png));

    loader.load_text("first");
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), "first");
    loader.load_picture(&path);
    viewer.show("Showing the picture");
    viewer.window.wait_for_picture(picture.pixels());
    loader.load_text("third");
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), "third");
}

#[test]
fn the_viewer_reports_a_missing_segment_with_the_remedy() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = ViewerWindow::open(&fixture, &desktop);
    viewer.show("Unable to attach to shared memory segment. Load an image first.");
}

#[test]
fn release_removes_the_segment() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);

    loader.load_text("until released");
    let said = loader.release();
    assert!(said.contains("gone"), "{said}");
    assert!(!fixture.segment().exists());
    viewer.show("Unable to attach to shared memory segment.");
    fixture.assert_empty();

    // The window continues: the next text is loaded like the first.
    loader.load_text("once more");
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), "once more");
}

#[test]
fn clear_erases_the_content() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let secret = "correct horse battery staple";

    loader.load_text(secret);
    loader.clear();
    // Still attached, without content.
    assert!(fixture.segment().exists());
    drop(fixture.viewer(["show"]).run().refused("Enter a text first"));
    let holes_and_all = fs::File::open(fixture.segment()).unwrap();
    assert!(
        !is_in(&holes_and_all, secret.as_bytes()),
        "the secret is still there"
    );
}

/// Returns `true` if `needle` occurs in the parts of a sparse file that hold data.
fn is_in(file: &fs::File, needle: &[u8]) -> bool {
    use rustix::fs::{SeekFrom, seek};
    use std::os::unix::fs::FileExt;

    let mut at = 0;
    while let Ok(start) = seek(file, SeekFrom::Data(at)) {
        let end = seek(file, SeekFrom::Hole(start)).unwrap();
        let mut data = vec![0; usize::try_from(end - start).unwrap()];
        file.read_exact_at(&mut data, start).unwrap();
        if data.windows(needle.len()).any(|window| window == needle) {
            return true;
        }
        at = end;
    }
    false
}

#[test]
fn a_second_window_joins_and_reports_it() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let first = LoaderWindow::open(&fixture, &desktop);
    first.load_text("from the first");
    let second = LoaderWindow::open(&fixture, &desktop);
    let said = second.load_text("from the second");
    assert!(
        said.contains(&first.program.pid().to_string()),
        "the replaced publisher is not named: {said}"
    );

    let viewer = ViewerWindow::open(&fixture, &desktop);
    viewer.show("Showing the text");
    assert_eq!(viewer.shown_text(), "from the second");
    first.window.close();
    first.program.finish().done();
    viewer.show("Showing the text");
    second.window.close();
    second.program.finish().done();
    viewer.show("Unable to attach to shared memory segment.");
    fixture.assert_empty();
}

#[test]
fn content_ends_with_its_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("as long as the window");
    loader.window.close();
    loader.program.finish().done();
    assert!(!fixture.segment().exists());

    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("or until a signal");
    loader.program.signal(Signal::TERM);
    loader.program.finish().done();
    assert!(!fixture.segment().exists());

    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("or until a kill");
    loader.program.kill();
    fixture.assert_empty();
}

#[test]
fn a_file_that_is_not_a_picture_leaves_the_content() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.load_text("still there");
    loader.enter_path(&fixture.file("notes.txt", b"no picture"));
    loader
        .program
        .wait_for_status("Selected file is not an image, please select another.");
    loader.enter_path(&fixture.path("missing.png"));
    loader.program.wait_for_status("file does not exist");
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "still there");
}

#[test]
fn the_dialog_is_cancelled_by_escape_and_refuses_an_empty_text() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.open_dialog();
    loader.window.press(&["ctrl+Return"]);
    loader.window.type_text("never loaded");
    loader.window.press(&["Escape"]);
    fixture.assert_empty();
    loader.load_text("typed afterwards");
    assert_eq!(
        fixture.viewer(["show"]).run().done().text(),
        "typed afterwards"
    );
}

#[test]
fn every_action_works_by_keyboard() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    loader.window.press(&["ctrl+l"]);
    loader.wait_for_dialog();
    loader.window.type_text("typed, not pasted");
    loader.window.press(&["ctrl+Return"]);
    loader.program.wait_for_status("Loaded");
    viewer.window.press(&["F5"]);
    viewer.program.wait_for_status("Showing the text");
    assert_eq!(
        fixture.viewer(["show"]).run().done().text(),
        "typed, not pasted"
    );
    loader.window.press(&["ctrl+r"]);
    loader.program.wait_for_status("Released");
    fixture.assert_empty();
}

#[test]
fn the_key_can_be_set_in_the_window() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    loader.enter_key("auch möglich 鍵");
    loader.load_text("under another key");
    let shown = fixture
        .bare_viewer(["show", "--key", "auch möglich 鍵"])
        .run();
    assert_eq!(shown.done().text(), "under another key");
}
