//! The system's file dialog: GTK's, shown by the desktop portal.

use std::path::Path;

use e2e_tests::{
    Area, Bus, Desktop, Fixture, LoaderWindow, Picture, PictureFile, ViewerWindow, Window,
};

const TITLE: &str = "Select an image file";

#[test]
fn a_picture_is_chosen_in_the_system_dialog() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let program = fixture
        .loader(["--verbose"])
        .on(&desktop)
        .with(&bus)
        .start();
    let loader = LoaderWindow::of(program, &desktop);
    let picture = Picture::draw(200, 120, 3);
    let path = fixture.file("chosen.png", &picture.encode(PictureFile::Png));

    loader.open_file_dialog();
    desktop.window(TITLE).press(&["Escape"]);
    loader.program.wait_for_status("No file was chosen.");
    desktop.wait_for("the end of the dialog", || {
        (!desktop.shows(TITLE)).then_some(())
    });

    loader.open_file_dialog();
    let dialog = desktop.window(TITLE);
    // At first the button is enabled, although there is nothing to select yet.
    wait_for_select(&desktop, &dialog, false);
    // A pasted path opens the dialog's location line and stands in it at once. Ctrl+L opens an
    // empty line that loses input until GTK has created its window.
    dialog.paste(path.to_str().unwrap());
    dialog.click(wait_for_select(&desktop, &dialog, true));
    let said = loader.program.wait_for_status("Loaded");
    assert!(said.contains("image"), "{said}");
    loader.window.wait_for_picture(picture.pixels());
}

#[test]
fn the_shown_picture_is_saved_through_the_system_dialog() {
    const TITLE: &str = "Save as";
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let picture = Picture::draw(64, 48, 9);
    let source = fixture.file("source.png", &picture.encode(PictureFile::Png));
    let loader = fixture.loader(["image"]).args([&source]).start();
    loader.wait_for("Loaded");
    let program = fixture
        .viewer(["--verbose"])
        .on(&desktop)
        .with(&bus)
        .start();
    let viewer = ViewerWindow::of(program, &desktop);
    viewer.show("Showing the picture");

    viewer.open_save_dialog();
    viewer.press_browse();
    let dialog = desktop.window(TITLE);
    // The name is selected up to its extension; a whole path in its place leads to another folder.
    let copy = fixture.path("copy.png");
    let before = dialog.wait_until_still();
    dialog.paste(copy.with_extension("").to_str().unwrap());
    desktop.wait_for("the path in the dialog", || {
        (dialog.screen().pixels() != before.pixels()).then_some(())
    });
    dialog.press(&["Return"]);
    let said = viewer.program.wait_for_status("Saved as");
    assert!(
        said.ends_with(&format!("Saved as {}.", copy.display())),
        "{said}"
    );
    let saved = image::open(&copy).unwrap();
    assert_eq!(&saved.to_rgb8(), picture.pixels());
}

/// Chooses a folder in GTK's dialog for folders.
pub(crate) fn choose_folder(desktop: &Desktop, dialog: &Window<'_>, path: &Path) {
    /// The position of "Home", from the dialog's upper left corner.
    const HOME: (u32, u32) = (57, 60);
    // It starts with recently used files, where no folder can be selected.
    wait_for_select(desktop, dialog, false);
    dialog.click(HOME);
    wait_for_select(desktop, dialog, true);
    let top = || {
        let area = dialog.area();
        let line = Area {
            x: 160,
            y: 0,
            width: area.width - 160,
            height: 40,
        };
        dialog.screen().crop(line).pixels().clone()
    };
    let before = top();
    dialog.paste(path.to_str().unwrap());
    desktop.wait_for("the line with the path", || (top() != before).then_some(()));
    dialog.click(wait_for_select(desktop, dialog, true));
}

/// Waits until the button "Select" at the lower right of GTK's file dialog is enabled or disabled,
/// and returns its position.
fn wait_for_select(desktop: &Desktop, dialog: &Window<'_>, awake: bool) -> (u32, u32) {
    let what = format!("the button Select, enabled: {awake}");
    desktop.wait_for(&what, || {
        let area = dialog.area();
        let label = dialog.screen().crop(Area {
            x: area.width - 80,
            y: area.height - 36,
            width: 60,
            height: 24,
        });
        let has = |shade: fn(u8) -> bool| {
            let mut pixels = label.pixels().pixels();
            pixels.any(|pixel| pixel.0.into_iter().all(shade))
        };
        // Enabled it is black on light grey, disabled grey on light grey. Before it is drawn, all
        // is black.
        let (is_drawn, is_awake) = (has(|part| part > 200), has(|part| part < 90));
        (is_drawn && is_awake == awake).then_some((area.width - 50, area.height - 24))
    })
}
