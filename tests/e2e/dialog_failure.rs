//! No file dialog, or one that never answers: the window says so, and the path field is at hand.

use e2e_tests::{Bus, Desktop, Launch, LoaderWindow, Picture, PictureFile, PrivateDir, Scene};

const TITLE: &str = "Select an image file";
const NOT_SHOWN: &str = "The file dialog could not be opened.";
const DIED: &str = "The file dialog closed unexpectedly.";

/// Without the other program that could show a dialog, if it happens to be installed.
fn without_zenity(launch: Launch, nothing: &PrivateDir) -> Launch {
    launch.env("PATH", nothing.path())
}

/// The window has said that there is no dialog: the next thing typed is a path.
fn goes_on_by_path(scene: &Scene, loader: &LoaderWindow<'_>, said: &str) {
    assert!(said.contains("Type the path"), "{said}");
    let picture = Picture::draw(64, 48, 7);
    let path = scene.file("typed.png", &picture.encode(PictureFile::Png));
    loader.window.type_text(path.to_str().unwrap());
    loader.window.press(&["Return"]);
    loader.program.wait_for_status("Loaded");
    loader.window.wait_for_picture(picture.pixels());
}

#[test]
fn without_a_message_bus_it_is_told() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let (scene, nothing) = (Scene::new(), PrivateDir::on_disk());
    let nowhere = format!("unix:path={}/bus", nothing.path().display());
    let launch = scene.loader(["--verbose"]).on(&desktop);
    let launch = launch.env("DBUS_SESSION_BUS_ADDRESS", nowhere);
    let loader = LoaderWindow::of(without_zenity(launch, &nothing).start(), &desktop);
    loader.open_file_dialog();
    let said = loader.program.wait_for_status(NOT_SHOWN);
    goes_on_by_path(&scene, &loader, &said);
}

#[test]
fn without_a_portal_it_is_told() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(bus) = Bus::without_portal(&desktop) else {
        return;
    };
    let (scene, nothing) = (Scene::new(), PrivateDir::on_disk());
    let launch = scene.loader(["--verbose"]).on(&desktop).with(&bus);
    let loader = LoaderWindow::of(without_zenity(launch, &nothing).start(), &desktop);
    loader.open_file_dialog();
    let said = loader.program.wait_for_status(NOT_SHOWN);
    goes_on_by_path(&scene, &loader, &said);
}

/// Kills a service while its dialog is open, and does the rest with the window that is told so.
fn dies_while_open(service: &str, rest: impl FnOnce(&Desktop, &Scene, &LoaderWindow<'_>)) {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    let scene = Scene::new();
    let program = scene.loader(["--verbose"]).on(&desktop).with(&bus).start();
    let loader = LoaderWindow::of(program, &desktop);
    loader.open_file_dialog();
    // Its window: the dialog is there and waits for an answer.
    drop(desktop.window(TITLE));
    bus.kill(service);
    rest(&desktop, &scene, &loader);
}

#[test]
fn a_portal_that_dies_is_noticed() {
    dies_while_open(
        "org.freedesktop.portal.Desktop",
        |desktop, scene, loader| {
            let said = loader.program.wait_for_status(DIED);
            // What showed the dialog lives on, and with it the dialog that nobody waits for any more.
            desktop.window(TITLE).press(&["Escape"]);
            desktop.wait_for("the end of the dialog", || {
                (!desktop.shows(TITLE)).then_some(())
            });
            goes_on_by_path(scene, loader, &said);
        },
    );
}

#[test]
fn a_backend_that_dies_is_noticed() {
    dies_while_open(
        "org.freedesktop.impl.portal.desktop.gtk",
        |desktop, _, loader| {
            loader.program.wait_for_status(DIED);
            // The bus starts the service again for who tries again.
            loader.open_file_dialog();
            desktop.window(TITLE).press(&["Escape"]);
            loader.program.wait_for_status("No file was chosen.");
        },
    );
}
