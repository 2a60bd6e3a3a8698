//! Qt programs in the window's list of segments.

use e2e_tests::{Desktop, Fixture, ViewerWindow};

use crate::peer::{Peer, QtFixture, Side};

/// A key that a list shows as it was written. The test's own folder keeps it unique.
const SKETCH: &str = "qt:Sketch";

/// Opens the list of our window in the Qt program's folder.
fn open_list<'d>(
    qt_fixture: &QtFixture,
    fixture: &Fixture,
    desktop: &'d Desktop,
) -> ViewerWindow<'d> {
    let viewer = fixture
        .viewer(["--verbose"])
        .env("TMPDIR", qt_fixture.directory())
        .on(desktop)
        .start();
    let viewer = ViewerWindow::of(viewer, desktop);
    viewer.open_list(SKETCH);
    viewer
}

fn load(qt_fixture: &QtFixture, text: &str) -> Peer {
    let mut theirs = qt_fixture.start_with(Side::Cpp, SKETCH);
    let file = qt_fixture.file(text.as_bytes());
    theirs.ask(&["load", "qstring", &file]).done();
    theirs
}

#[test]
fn a_qt_segment_is_listed_while_it_exists_and_shown_by_a_click() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = open_list(&qt_fixture, &fixture, &desktop);
    let rows = |count| {
        desktop.wait_for(&format!("{count} rows"), || {
            (viewer.listed_rows() == count).then_some(())
        });
    };
    let theirs = load(&qt_fixture, "drawn in Qt");
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
    qt_fixture.assert_clean();
}

#[test]
fn a_qt_segment_is_removed_from_the_list_after_a_question() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = open_list(&qt_fixture, &fixture, &desktop);
    let theirs = load(&qt_fixture, "left behind");
    desktop.wait_for("a row", || (viewer.listed_rows() == 1).then_some(()));
    // It is killed, and its segment remains.
    theirs.kill();
    viewer.press_remove();
    desktop.wait_for("the question", || viewer.row_has_question().then_some(()));
    viewer.confirm_removal();
    viewer.program.wait_for_status("Removed qt:Sketch");
    desktop.wait_for("no row", || (viewer.listed_rows() == 0).then_some(()));
    viewer.window.close();
    viewer.program.finish().done();
    qt_fixture.assert_clean();
}
