//! The system's own file dialog: GTK's, shown by the desktop portal.

use std::path::Path;

use e2e_tests::{Area, Bus, Desktop, LoaderWindow, Picture, PictureFile, Scene, Window};
use image::Rgb;

const TITLE: &str = "Select an image file";

#[test]
fn a_picture_is_chosen_in_the_systems_dialog() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let program = scene.loader(["--verbose"]).on(&desktop).with(&bus).start();
    let loader = LoaderWindow::of(program, &desktop);
    let picture = Picture::draw(200, 120, 3);
    let path = scene.file("chosen.png", &picture.encode(PictureFile::Png));

    loader.open_file_dialog();
    desktop.window(TITLE).press(&["Escape"]);
    loader.program.wait_for_status("No file was chosen.");
    desktop.wait_for("the end of the dialog", || {
        (!desktop.shows(TITLE)).then_some(())
    });

    loader.open_file_dialog();
    choose(&desktop, &desktop.window(TITLE), &path);
    let said = loader.program.wait_for_status("Loaded");
    assert!(said.contains("image"), "{said}");
    loader.window.wait_for_picture(picture.pixels());
}

/// Types a path into GTK's file dialog and presses "Select".
pub(crate) fn choose(desktop: &Desktop, dialog: &Window<'_>, path: &Path) {
    dialog.press(&["ctrl+l"]);
    dialog.type_text(path.to_str().unwrap());
    // The button wakes up once GTK has looked at the file.
    let select = lower_right(dialog);
    desktop.wait_to_see("the button Select", |screen| {
        let is_dark = |pixel: &Rgb<u8>| pixel.0.iter().all(|part| *part < 90);
        screen
            .crop(select)
            .pixels()
            .pixels()
            .any(is_dark)
            .then_some(())
    });
    dialog.click((dialog.area().width - 50, dialog.area().height - 24));
}

/// Where the button "Select" is in GTK's file dialog, on the screen.
fn lower_right(dialog: &Window<'_>) -> Area {
    let area = dialog.area();
    Area {
        x: area.x + area.width - 80,
        y: area.y + area.height - 36,
        width: 60,
        height: 24,
    }
}
