//! Content from other programs by drag and paste, and to them by copy and "Save as...".

use std::{fs, path::Path};

use e2e_tests::{Desktop, Fixture, LoaderWindow, Picture, PictureFile, ViewerWindow};

/// Returns the loaded text, read through the command line.
fn shown(fixture: &Fixture) -> String {
    fixture.viewer(["show"]).run().done().text().to_owned()
}

#[test]
fn a_dropped_file_is_loaded_by_its_type() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let text = fixture.file("two words ü.txt", "dropped, 日本\n".as_bytes());
    let picture = Picture::draw(240, 160, 5);
    let png = fixture.file("picture", &picture.encode(PictureFile::Png));

    loader.window.drag_over(&[&text]).drop_here();
    loader.program.wait_for_status("Loaded text, 16 bytes");
    assert_eq!(shown(&fixture), "dropped, 日本\n");

    loader.window.drag_over(&[&png, &text]).drop_here();
    let said = loader.program.wait_for_status("Loaded image");
    assert!(said.contains("Only the first of the two files"), "{said}");
    loader.window.wait_for_picture(picture.pixels());

    loader.window.drag_over(&[fixture.segments()]).drop_here();
    loader.program.wait_for_status("It is a folder");
    let bytes = fixture.file("data.bin", b"\0\xff");
    loader.window.drag_over(&[&bytes]).drop_here();
    loader.program.wait_for_status("Loaded bytes, 2 bytes");
}

#[test]
fn files_dragged_over_a_window_show_a_hint() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let text = fixture.file("notes.txt", b"not dropped");
    let drag = loader.window.drag_over(&[&text]);
    loader.wait_until_dim(true);
    drag.leave();
    loader.wait_until_dim(false);

    // A source that crashes does not report it: a click removes the hint.
    let drag = loader.window.drag_over(&[&text]);
    loader.wait_until_dim(true);
    drop(drag);
    loader.window.click(LoaderWindow::NOWHERE);
    loader.wait_until_dim(false);
    fixture.assert_empty();
}

#[test]
fn a_file_dropped_on_the_viewer_shows_how_to_load_it() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = ViewerWindow::open(&fixture, &desktop);
    let file = fixture.file("cat.png", b"");
    viewer.window.drag_over(&[&file]).drop_here();
    let said = viewer.program.wait_for_status("loaded by SharedMemoryLoad");
    let command = format!(
        "loader-app image --key {} {}",
        fixture.key(),
        file.display()
    );
    assert!(said.contains(&command), "{said}");
}

#[test]
fn pasted_content_is_loaded_at_once() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let text = "pasted\r\n日本 😀";
    loader.window.paste(text);
    loader.program.wait_for_status("Loaded text");
    assert_eq!(shown(&fixture), text);

    let picture = Picture::draw(200, 120, 6);
    desktop.copy_png(&picture.encode(PictureFile::Png));
    loader.window.press(&["ctrl+v"]);
    loader.program.wait_for_status("Loaded image, 96 kB");
    loader.window.wait_for_picture(picture.pixels());

    // In the key field a paste goes into the field.
    loader.enter_key("pasted into the field");
    assert_eq!(fixture.list().len(), 1);
}

#[test]
fn the_shown_text_and_picture_are_copied_to_other_programs() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    let picture = Picture::draw(200, 120, 7);
    loader.load_picture(&fixture.file("p.png", &picture.encode(PictureFile::Png)));
    viewer.show("Showing the picture");
    viewer.window.press(&["ctrl+c"]);
    viewer.program.wait_for_status("Copied");
    let copied = image::load_from_memory(&desktop.copied_png()).unwrap();
    assert_eq!(&copied.to_rgb8(), picture.pixels());

    // More than the window shows; all of it is copied.
    let long = "0123456789 日本\n".repeat(20_000);
    drop(fixture.file("long.txt", long.as_bytes()));
    loader
        .window
        .drag_over(&[&fixture.path("long.txt")])
        .drop_here();
    loader.program.wait_for_status("Loaded text");
    viewer.show("Showing the text");
    viewer.press_copy();
    viewer.program.wait_for_status("Copied");
    assert!(desktop.copied() == long, "the copied text differs");
}

#[test]
fn save_as_writes_everything_and_asks_before_it_replaces() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = LoaderWindow::open(&fixture, &desktop);
    let viewer = ViewerWindow::open(&fixture, &desktop);
    let long = "0123456789 日本\n".repeat(20_000);
    let source = fixture.file("long.txt", long.as_bytes());
    loader.window.drag_over(&[&source]).drop_here();
    loader.program.wait_for_status("Loaded text");
    viewer.show("Showing the text");

    let copy = fixture.path("copy.txt");
    viewer.save_as(&copy);
    viewer.program.wait_for_status("Saved as");
    assert!(fs::read(&copy).unwrap() == long.as_bytes());

    // The second time it asks; Escape leaves the file alone, and Enter replaces it.
    let old = fixture.file("old.txt", b"old");
    viewer.save_as(&old);
    desktop.wait_for("the question", || viewer.card_has_message().then_some(()));
    viewer.window.press(&["Escape"]);
    assert_eq!(fs::read(&old).unwrap(), b"old");
    viewer.save_as(&old);
    desktop.wait_for("the question", || viewer.card_has_message().then_some(()));
    viewer.window.press(&["Return"]);
    viewer
        .program
        .wait_for_status(&format!("Saved as {}", old.display()));
    assert!(fs::read(&old).unwrap() == long.as_bytes());
    assert!(temporary_files(fixture.path("").as_path()).is_empty());

    let picture = Picture::draw(64, 48, 8);
    loader.load_picture(&fixture.file("p.png", &picture.encode(PictureFile::Png)));
    viewer.show("Showing the picture");
    viewer.save_as(&fixture.path("no-ending"));
    viewer.program.wait_for_status("no-ending.png");
    let saved = image::open(fixture.path("no-ending.png")).unwrap();
    assert_eq!(&saved.to_rgb8(), picture.pixels());
}

/// Returns the names of temporary files.
fn temporary_files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect()
}

#[test]
fn the_list_follows_segments_and_asks_before_it_removes() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = ViewerWindow::open(&fixture, &desktop);
    viewer.open_list(fixture.key());
    drop(fixture.loader(["text", "--persist", "listed"]).run().done());
    desktop.wait_for("a row", || (viewer.listed_rows() == 1).then_some(()));

    // Without an answer nothing is removed.
    viewer.press_remove();
    desktop.wait_for("the question", || viewer.row_has_question().then_some(()));
    viewer.window.press(&["Escape"]);
    desktop.wait_for("the row", || (!viewer.row_has_question()).then_some(()));
    assert_eq!(fixture.list().len(), 1);
    viewer.press_remove();
    desktop.wait_for("the question", || viewer.row_has_question().then_some(()));
    viewer.confirm_removal();
    viewer
        .program
        .wait_for_status(&format!("Removed {}", fixture.key()));
    desktop.wait_for("no row", || (viewer.listed_rows() == 0).then_some(()));
    fixture.assert_empty();

    // A click on a row shows it.
    drop(fixture.loader(["text", "--persist", "opened"]).run().done());
    desktop.wait_for("a row", || (viewer.listed_rows() == 1).then_some(()));
    viewer.press_first_row();
    viewer.program.wait_for_status("Showing the text");
    assert_eq!(viewer.shown_text(), "opened");
    drop(fixture.viewer(["remove"]).run().done());
}
