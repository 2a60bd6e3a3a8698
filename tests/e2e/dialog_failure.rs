//! A missing or unresponsive file dialog: the window reports it and focuses the path field.

use e2e_tests::{Bus, Desktop, Fixture, Launch, LoaderWindow, Picture, PictureFile, PrivateDir};

const TITLE: &str = "Select an image file";
const NOT_SHOWN: &str = "The file dialog could not be opened.";
const DIED: &str = "The file dialog closed unexpectedly.";

/// Hides the other program that can show a dialog, if it is installed.
fn without_zenity(launch: Launch, nothing: &PrivateDir) -> Launch {
    launch.env("PATH", nothing.path())
}

/// Asserts that the window has reported the missing dialog, and that the next input goes to the
/// path field.
fn assert_continues_by_path(fixture: &Fixture, loader: &LoaderWindow<'_>, said: &str) {
    assert!(said.contains("Type the path"), "{said}");
    let picture = Picture::draw(64, 48, 7);
    let path = fixture.file("typed.png", &picture.encode(PictureFile::Png));
    loader.window.type_text(path.to_str().unwrap());
    loader.window.press(&["Return"]);
    loader.program.wait_for_status("Loaded");
    loader.window.wait_for_picture(picture.pixels());
}

#[test]
fn a_missing_message_bus_is_reported() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let (fixture, nothing) = (Fixture::new(), PrivateDir::on_disk());
    let nowhere = format!("unix:path={}/bus", nothing.path().display());
    let launch = fixture.loader(["--verbose"]).on(&desktop);
    let launch = launch.env("DBUS_SESSION_BUS_ADDRESS", nowhere);
    let loader = LoaderWindow::of(without_zenity(launch, &nothing).start(), &desktop);
    loader.open_file_dialog();
    let said = loader.program.wait_for_status(NOT_SHOWN);
    assert_continues_by_path(&fixture, &loader, &said);
}

#[test]
fn a_missing_portal_is_reported() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(bus) = Bus::without_portal(&desktop) else {
        return;
    };
    let (fixture, nothing) = (Fixture::new(), PrivateDir::on_disk());
    let launch = fixture.loader(["--verbose"]).on(&desktop).with(&bus);
    let loader = LoaderWindow::of(without_zenity(launch, &nothing).start(), &desktop);
    loader.open_file_dialog();
    let said = loader.program.wait_for_status(NOT_SHOWN);
    assert_continues_by_path(&fixture, &loader, &said);
}

/// Kills a service while its dialog is open, and passes the window that reports it to `rest`.
fn kill_while_open(service: &str, rest: impl FnOnce(&Desktop, &Fixture, &LoaderWindow<'_>)) {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let fixture = Fixture::new();
    let program = fixture
        .loader(["--verbose"])
        .on(&desktop)
        .with(&bus)
        .start();
    let loader = LoaderWindow::of(program, &desktop);
    loader.open_file_dialog();
    // The dialog's window exists: it is waiting for an answer.
    drop(desktop.window(TITLE));
    bus.kill(service);
    rest(&desktop, &fixture, &loader);
}

#[test]
fn a_killed_portal_is_detected() {
    kill_while_open(
        "org.freedesktop.portal.Desktop",
        |desktop, fixture, loader| {
            let said = loader.program.wait_for_status(DIED);
            // The program that showed the dialog lives on, and with it the abandoned dialog.
            desktop.window(TITLE).press(&["Escape"]);
            desktop.wait_for("the end of the dialog", || {
                (!desktop.shows(TITLE)).then_some(())
            });
            assert_continues_by_path(fixture, loader, &said);
        },
    );
}

#[test]
fn a_killed_backend_is_detected() {
    kill_while_open(
        "org.freedesktop.impl.portal.desktop.gtk",
        |desktop, _, loader| {
            loader.program.wait_for_status(DIED);
            // The bus restarts the service for the next attempt.
            loader.open_file_dialog();
            desktop.window(TITLE).press(&["Escape"]);
            loader.program.wait_for_status("No file was chosen.");
        },
    );
}
