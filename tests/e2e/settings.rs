//! Settings: windows that restore their size and key, keyboard shortcuts, icons.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
};

use e2e_tests::{
    Area, Bus, Desktop, Fixture, Launch, LoaderWindow, OtherUser, PrivateDir, SmallDisk,
    ViewerWindow, Window,
};
use image::Rgb;
use rustix::fs::{CWD, Mode, mkfifoat};

/// The colour of the focus ring.
const ACCENT: Rgb<u8> = Rgb([0x3A, 0x5F, 0xE0]);
/// The position of the key field of either window.
const KEY: Area = Area {
    x: 50,
    y: 12,
    width: 400,
    height: 46,
};
/// The position of the loader's path field.
const PATH: Area = Area {
    x: 240,
    y: 131,
    width: 390,
    height: 48,
};

/// Opens the viewer without a key on its command line.
fn open_viewer<'d>(fixture: &Fixture, desktop: &'d Desktop) -> ViewerWindow<'d> {
    let launch = fixture.bare_viewer(["--verbose"]);
    ViewerWindow::of(launch.on(desktop).start(), desktop)
}

/// Opens the loader without a key on its command line.
fn open_loader<'d>(fixture: &Fixture, desktop: &'d Desktop) -> LoaderWindow<'d> {
    let launch = fixture.bare_loader(["--verbose"]);
    LoaderWindow::of(launch.on(desktop).start(), desktop)
}

/// Presses a key that focuses a field.
fn press_for(desktop: &Desktop, window: &Window<'_>, chord: &str, field: Area) {
    window.press(&[chord]);
    desktop.wait_for("the focus ring of a field", || {
        window.screen().crop(field).extent_of(ACCENT).map(drop)
    });
}

fn size(window: &Window<'_>) -> (u32, u32) {
    let area = window.area();
    (area.width, area.height)
}

#[test]
fn size_and_key_are_restored() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = open_loader(&fixture, &desktop);
    let viewer = open_viewer(&fixture, &desktop);
    assert_eq!(size(&viewer.window), (640, 560));
    // The loader's width stays, because the harness knows the position of its dialog.
    for (window, width) in [(&loader.window, 640), (&viewer.window, 600)] {
        press_for(&desktop, window, "ctrl+k", KEY);
        window.press(&["ctrl+a"]);
        window.type_text(fixture.key());
        window.resize(width, 700);
    }
    viewer.window.close();
    viewer.program.finish().done();
    // However it ends, except by SIGKILL.
    loader.program.terminate().done();

    let loader = open_loader(&fixture, &desktop);
    let viewer = open_viewer(&fixture, &desktop);
    assert_eq!(size(&loader.window), (640, 700));
    assert_eq!(size(&viewer.window), (600, 700));
    let said = loader.load_text("under the key that was left there");
    assert!(said.contains(fixture.key()), "{said}");
    viewer.window.press(&["F5"]);
    viewer.program.wait_for_status("Showing the text");
}

#[test]
fn damaged_settings_are_kept_as_a_copy() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let path = fixture.configuration().join("viewer-app.json");
    fs::create_dir_all(fixture.configuration()).unwrap();
    fs::write(&path, "{\"version\": 1, \"width\": -3").unwrap();

    let viewer = open_viewer(&fixture, &desktop);
    let said = viewer.program.wait_for_status("The saved settings");
    assert!(said.contains(path.to_str().unwrap()), "{said}");
    assert_eq!(size(&viewer.window), (640, 560));
    viewer.window.resize(700, 500);
    viewer.window.close();
    viewer.program.finish().done();
    let kept = fs::read_to_string(path.with_extension("json.bad")).unwrap();
    assert_eq!(kept, "{\"version\": 1, \"width\": -3");

    let viewer = open_viewer(&fixture, &desktop);
    viewer.program.wait_for_status("Ready.");
    assert_eq!(size(&viewer.window), (700, 500));
}

#[test]
fn the_desktop_identifies_the_windows() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = open_loader(&fixture, &desktop);
    let viewer = open_viewer(&fixture, &desktop);
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
fn tab_cycles_through_the_fields() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let loader = open_loader(&fixture, &desktop);
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
fn the_help_captures_the_keys_until_it_is_closed() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let viewer = open_viewer(&fixture, &desktop);
    let window = &viewer.window;
    press_for(&desktop, window, "ctrl+k", KEY);
    let corner = || window.screen().pixel(4, 4);
    let bright = corner();
    let wait_for_help = |is_open: bool| {
        desktop.wait_for("the help to open or close", || {
            ((corner() != bright) == is_open).then_some(())
        });
    };

    // In the key field a question mark is text. Over the help, letters go nowhere.
    window.press(&["End"]);
    window.type_text("?");
    window.press(&["F1"]);
    wait_for_help(true);
    window.type_text("lost");
    window.press(&["Escape"]);
    wait_for_help(false);
    press_for(&desktop, window, "ctrl+k", KEY);
    assert_eq!(window.copy_field(), "MySharedMemory?");

    // Without a focused field, it opens the help; a key pressed over it works.
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
    let fixture = Fixture::new();
    let Some(bus) = Bus::open(&desktop) else {
        return;
    };
    bus.set_dark(true);
    let launch = fixture.bare_viewer(["--verbose"]);
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

/// A part of the notice that settings cannot be read.
const UNREADABLE: &str = "saved settings of this window cannot be read";
/// A part of the notice that they cannot be written.
const UNWRITABLE: &str = "cannot be saved";
/// A part of the notice that there is no directory for them.
const NOTHING: &str = "This window cannot save its settings";

const VIEWER: &str = "ShowSharedMem";
const LOADER: &str = "SharedMemoryLoad";

/// Opens a window, waits until it has printed these words, and closes it; returns the line.
fn open_and_close(launch: Launch, desktop: &Desktop, title: &str, words: &str) -> String {
    let program = launch.on(desktop).start();
    let said = program.wait_for_status(words);
    desktop.window_of(&program, title).close();
    program.finish().done();
    said
}

#[test]
fn a_window_opens_with_invalid_settings_and_reports_them() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let path = fixture.configuration().join("viewer-app.json");
    let make: [(&str, &dyn Fn()); 9] = [
        ("it is not a regular file", &|| {
            fs::create_dir(&path).unwrap()
        }),
        ("it is not a regular file", &|| {
            mkfifoat(CWD, &path, Mode::RWXU).unwrap()
        }),
        ("it is not a regular file", &|| {
            symlink("/dev/zero", &path).unwrap()
        }),
        ("symbolic links", &|| {
            symlink("viewer-app.json", &path).unwrap()
        }),
        ("too long", &|| {
            File::create(&path).unwrap().set_len(1 << 30).unwrap()
        }),
        ("expected value", &|| {
            fs::write(&path, [0xFF, 0, 0x1B, 7]).unwrap()
        }),
        ("out of range", &|| {
            fs::write(&path, r#"{"version": 1, "width": 1e999, "height": 600}"#).unwrap();
        }),
        ("its window size is out of range", &|| {
            fs::write(
                &path,
                r#"{"version": 1, "width": 600, "height": 4294967296}"#,
            )
            .unwrap();
        }),
        ("invalid type", &|| {
            fs::write(&path, "[".repeat(60_000)).unwrap()
        }),
    ];
    for (words, make) in make {
        fs::create_dir_all(fixture.configuration()).unwrap();
        make();
        let viewer = fixture.bare_viewer(["--verbose"]);
        let said = open_and_close(viewer, &desktop, VIEWER, UNREADABLE);
        assert!(said.contains(words), "{said}");
        fs::remove_dir_all(fixture.configuration()).unwrap();
    }
    // A file instead of a folder on the path.
    fs::write(fixture.configuration(), "").unwrap();
    open_and_close(
        fixture.bare_loader(["--verbose"]),
        &desktop,
        LOADER,
        UNREADABLE,
    );
}

#[test]
fn a_window_opens_in_any_environment() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let fixture = Fixture::new();
    let without_configuration = || {
        fixture
            .bare_viewer(["--verbose"])
            .env("XDG_CONFIG_HOME", "")
    };
    for home in ["", "relative", "../.."] {
        open_and_close(
            without_configuration().env("HOME", home),
            &desktop,
            VIEWER,
            NOTHING,
        );
    }
    let missing = without_configuration().env("HOME", fixture.path("missing"));
    open_and_close(missing, &desktop, VIEWER, "Ready.");
    for locale in [
        b"xx_YY.none".as_slice(),
        b"\xff\xfe",
        b"../../etc",
        &[b'a'; 5000],
        b"@",
        b"en_US.",
    ] {
        let locale = OsStr::from_bytes(locale);
        let launch = fixture.bare_viewer(["--verbose"]).env("LC_ALL", "");
        open_and_close(
            launch.env("LANG", locale).env("LANGUAGE", locale),
            &desktop,
            VIEWER,
            "Ready.",
        );
        open_and_close(
            fixture.bare_loader(["--verbose"]).env("LC_ALL", locale),
            &desktop,
            LOADER,
            "Load a",
        );
    }
}

#[test]
fn settings_in_the_home_of_another_user_are_left_alone() {
    let (Some(desktop), Some(other_user)) = (Desktop::open(), OtherUser::new()) else {
        return;
    };
    let fixture = Fixture::new();
    let common = PrivateDir::on_disk();
    common.set_mode(0o1777);
    let home = common.path().join("home");
    let make = r#"mkdir -p "$0/.config"; ln -s /nonexistent/precious "$0/.config/shm-core""#;
    for made in [
        r#"mkdir "$0""#,
        make,
        r#"mkdir -p "$0/.config/shm-core"; touch "$0/.config/shm-core/viewer-app.json""#,
    ] {
        other_user
            .launch_as(fixture.program("sh").args(["-c", made]).args([&home]))
            .run()
            .done();
        let files = || {
            let found = fixture
                .program("find")
                .args([&home])
                .args(["-printf", "%p %U %m %s\n"]);
            found.run().done().text().to_owned()
        };
        let before = files();
        // As `sudo -E` does.
        let viewer = fixture
            .bare_viewer(["--verbose"])
            .env("XDG_CONFIG_HOME", "");
        let viewer = ViewerWindow::of(viewer.env("HOME", &home).on(&desktop).start(), &desktop);
        let said = viewer.program.wait_for_status(NOTHING);
        assert!(said.contains("belongs to another user"), "{said}");
        viewer.window.resize(700, 600);
        viewer.window.close();
        viewer.program.finish().done();
        assert_eq!(files(), before);
        fs::remove_dir_all(&home).unwrap();
    }
}

#[test]
fn unwritable_settings_are_reported_and_the_window_continues() {
    let (Some(desktop), Some(other_user)) = (Desktop::open(), OtherUser::new()) else {
        return;
    };
    let common = PrivateDir::in_memory();
    common.set_mode(0o1777);
    let fixture = Fixture::within(common.path());
    let home = PrivateDir::on_disk();
    home.set_mode(0o755);
    let viewer = |home: &Path| {
        fixture
            .bare_viewer(["--verbose"])
            .env("XDG_CONFIG_HOME", home)
    };
    let resized = |launch: Launch| {
        let viewer = ViewerWindow::of(launch.on(&desktop).start(), &desktop);
        viewer.window.resize(700, 600);
        viewer.program.wait_for_status(UNWRITABLE);
        viewer.window.press(&["F5"]);
        viewer.program.wait_for_status("Unable to attach");
        viewer.program.terminate().done();
    };
    // Root's, readable but not writable for the user.
    resized(other_user.launch_as(viewer(home.path())));
    let settings = home.path().join("shm-core");
    fs::create_dir(&settings).unwrap();
    fs::write(settings.join("viewer-app.json"), "{}").unwrap();
    // Left by root, inaccessible for the user.
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o700)).unwrap();
    open_and_close(
        other_user.launch_as(viewer(home.path())),
        &desktop,
        VIEWER,
        UNREADABLE,
    );

    let Some(disk) = SmallDisk::mount(64) else {
        return;
    };
    let filled = fs::write(disk.path().join("fill"), vec![7; 1 << 20]);
    assert!(filled.is_err());
    resized(viewer(disk.path()));
}
