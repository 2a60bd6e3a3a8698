//! What a person gets used to: windows that open as they were left, keys, icons.

use std::fs;

use e2e_tests::{Area, Bus, Desktop, LoaderWindow, Scene, ViewerWindow, Window};
use image::Rgb;

/// The ring around the field that has the focus.
const ACCENT: Rgb<u8> = Rgb([0x3A, 0x5F, 0xE0]);
/// Where the key field of either window is.
const KEY: Area = Area {
    x: 50,
    y: 12,
    width: 400,
    height: 46,
};
/// Where the loader's path field is.
const PATH: Area = Area {
    x: 240,
    y: 131,
    width: 390,
    height: 48,
};

/// Opens the viewer with no key on its command line.
fn open_viewer<'d>(scene: &Scene, desktop: &'d Desktop) -> ViewerWindow<'d> {
    let launch = scene.bare_viewer(["--verbose"]);
    ViewerWindow::of(launch.on(desktop).start(), desktop)
}

/// The same for the loader.
fn open_loader<'d>(scene: &Scene, desktop: &'d Desktop) -> LoaderWindow<'d> {
    let launch = scene.bare_loader(["--verbose"]);
    LoaderWindow::of(launch.on(desktop).start(), desktop)
}

/// Presses a key that gives the focus to a field.
fn press_for(desktop: &Desktop, window: &Window<'_>, chord: &str, field: Area) {
    window.press(&[chord]);
    desktop.wait_for("the ring around a field", || {
        window.screen().crop(field).extent_of(ACCENT).map(drop)
    });
}

fn size(window: &Window<'_>) -> (u32, u32) {
    let area = window.area();
    (area.width, area.height)
}

#[test]
fn size_and_key_outlive_the_windows() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let loader = open_loader(&scene, &desktop);
    let viewer = open_viewer(&scene, &desktop);
    assert_eq!(size(&viewer.window), (640, 560));
    for window in [&loader.window, &viewer.window] {
        press_for(&desktop, window, "ctrl+k", KEY);
        window.press(&["ctrl+a"]);
        window.type_text(scene.key());
        window.resize(600, 700);
    }
    viewer.window.close();
    viewer.program.finish().done();
    // However it ends, short of `kill -9`.
    loader.program.terminate().done();

    let loader = open_loader(&scene, &desktop);
    let viewer = open_viewer(&scene, &desktop);
    assert_eq!(size(&loader.window), (600, 700));
    assert_eq!(size(&viewer.window), (600, 700));
    let said = loader.load_text("under the key that was left there");
    assert!(said.contains(scene.key()), "{said}");
    viewer.window.press(&["F5"]);
    viewer.program.wait_for_status("Showing the text");
}

#[test]
fn what_is_remembered_can_be_damaged_and_is_kept() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let path = scene.configuration().join("viewer-app.json");
    fs::create_dir_all(scene.configuration()).unwrap();
    fs::write(&path, "{\"version\": 1, \"width\": -3").unwrap();

    let viewer = open_viewer(&scene, &desktop);
    let said = viewer.program.wait_for_status("had remembered");
    assert!(said.contains(path.to_str().unwrap()), "{said}");
    assert_eq!(size(&viewer.window), (640, 560));
    viewer.window.resize(700, 500);
    viewer.window.close();
    viewer.program.finish().done();
    let kept = fs::read_to_string(path.with_extension("json.bad")).unwrap();
    assert_eq!(kept, "{\"version\": 1, \"width\": -3");

    let viewer = open_viewer(&scene, &desktop);
    viewer.program.wait_for_status("Ready.");
    assert_eq!(size(&viewer.window), (700, 500));
}

#[test]
fn the_desktop_knows_the_windows() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let loader = open_loader(&scene, &desktop);
    let viewer = open_viewer(&scene, &desktop);
    for (window, id) in [
        (&loader.window, "loader-app"),
        (&viewer.window, "viewer-app"),
    ] {
        let class = window.property("WM_CLASS");
        assert_eq!(class.matches(id).count(), 2, "{class}");
        let icon = window.property("_NET_WM_ICON");
        assert!(icon.contains("64 x 64"), "{:.200}", icon);
    }
    assert_ne!(
        loader.window.property("_NET_WM_ICON"),
        viewer.window.property("_NET_WM_ICON")
    );
}

#[test]
fn tab_goes_round_the_fields() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let loader = open_loader(&scene, &desktop);
    let window = &loader.window;
    press_for(&desktop, window, "ctrl+k", KEY);
    press_for(&desktop, window, "Tab", PATH);
    window.type_text("/nowhere/cat.png");
    press_for(&desktop, window, "Tab", KEY);
    window.press(&["ctrl+a"]);
    window.type_text("Round");
    press_for(&desktop, window, "shift+Tab", PATH);
    window.press(&["Return"]);
    let said = loader.program.wait_for_status("cannot be read");
    assert!(said.contains("/nowhere/cat.png"), "{said}");
    let said = loader.load_text("under the key that was typed");
    assert!(said.contains("into Round"), "{said}");
}

#[test]
fn the_help_takes_the_keys_and_gives_them_back() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let viewer = open_viewer(&scene, &desktop);
    let window = &viewer.window;
    press_for(&desktop, window, "ctrl+k", KEY);
    let corner = || window.screen().pixel(4, 4);
    let bright = corner();
    let wait_for_help = |is_open: bool| {
        desktop.wait_for("the help, or its end", || {
            ((corner() != bright) == is_open).then_some(())
        });
    };

    // In the key field a question mark is one. Over it, letters go nowhere.
    window.press(&["End"]);
    window.type_text("?");
    window.press(&["F1"]);
    wait_for_help(true);
    window.type_text("lost");
    window.press(&["Escape"]);
    wait_for_help(false);
    press_for(&desktop, window, "ctrl+k", KEY);
    assert_eq!(window.copy_field(), "MySharedMemory?");

    // With no field to write in, it opens the help; a key that is tried out works.
    window.click((320, 300));
    window.press(&["question"]);
    wait_for_help(true);
    window.press(&["F5"]);
    viewer.program.wait_for_status("Unable to attach");
    wait_for_help(false);
    window.press(&["ctrl+q"]);
    viewer.program.finish().done();
}

#[test]
fn light_and_dark_follow_the_desktop() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    bus.set_dark(true);
    let launch = scene.bare_viewer(["--verbose"]);
    let viewer = ViewerWindow::of(launch.on(&desktop).with(&bus).start(), &desktop);
    let wait_for = |what: &str, colour: Rgb<u8>| {
        desktop.wait_for(what, || {
            (viewer.window.screen().pixel(4, 4) == colour).then_some(())
        });
    };
    wait_for("dark", Rgb([0x15, 0x17, 0x1C]));
    bus.set_dark(false);
    wait_for("light", Rgb([0xF4, 0xF5, 0xF8]));
}
