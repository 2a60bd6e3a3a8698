//! What a person gets used to: windows that open as they were left, keys, icons.

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
    Area, Bus, Desktop, Launch, LoaderWindow, OtherUser, PrivateDir, Scene, SmallDisk,
    ViewerWindow, Window,
};
use image::Rgb;
use rustix::fs::{CWD, Mode, mkfifoat};

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
    // The loader's width stays, for the harness knows where its dialog is.
    for (window, width) in [(&loader.window, 640), (&viewer.window, 600)] {
        press_for(&desktop, window, "ctrl+k", KEY);
        window.press(&["ctrl+a"]);
        window.type_text(scene.key());
        window.resize(width, 700);
    }
    viewer.window.close();
    viewer.program.finish().done();
    // However it ends, short of `kill -9`.
    loader.program.terminate().done();

    let loader = open_loader(&scene, &desktop);
    let viewer = open_viewer(&scene, &desktop);
    assert_eq!(size(&loader.window), (640, 700));
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

/// The words of a notice that settings cannot be read.
const UNREADABLE: &str = "had remembered cannot be read";
/// And of one that they cannot be written.
const UNWRITABLE: &str = "cannot remember";
/// And of one that there is no place for them.
const NOTHING: &str = "This window remembers nothing";

const VIEWER: &str = "ShowSharedMem";
const LOADER: &str = "SharedMemoryLoad";

/// Opens a window, waits until it is there and has said these words, and closes it; returns what it said.
fn says(launch: Launch, desktop: &Desktop, title: &str, words: &str) -> String {
    let program = launch.on(desktop).start();
    let said = program.wait_for_status(words);
    desktop.window_of(&program, title).close();
    program.finish().done();
    said
}

#[test]
fn a_window_opens_whatever_its_settings_are_and_says_what_is_wrong() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let path = scene.configuration().join("viewer-app.json");
    let make: [(&str, &dyn Fn()); 9] = [
        ("it is not a regular file", &|| fs::create_dir(&path).unwrap()),
        ("it is not a regular file", &|| {
            mkfifoat(CWD, &path, Mode::RWXU).unwrap()
        }),
        ("it is not a regular file", &|| symlink("/dev/zero", &path).unwrap()),
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
        fs::create_dir_all(scene.configuration()).unwrap();
        make();
        let viewer = scene.bare_viewer(["--verbose"]);
        let said = says(viewer, &desktop, VIEWER, UNREADABLE);
        assert!(said.contains(words), "{said}");
        fs::remove_dir_all(scene.configuration()).unwrap();
    }
    // A folder on the way that is none.
    fs::write(scene.configuration(), "").unwrap();
    says(
        scene.bare_loader(["--verbose"]),
        &desktop,
        LOADER,
        UNREADABLE,
    );
}

#[test]
fn a_window_opens_whatever_the_environment_says() {
    let Some(desktop) = Desktop::open() else {
        return;
    };
    let scene = Scene::new();
    let without_configuration = || scene.bare_viewer(["--verbose"]).env("XDG_CONFIG_HOME", "");
    for home in ["", "relative", "../.."] {
        says(
            without_configuration().env("HOME", home),
            &desktop,
            VIEWER,
            NOTHING,
        );
    }
    let missing = without_configuration().env("HOME", scene.path("missing"));
    says(missing, &desktop, VIEWER, "Ready.");
    for locale in [
        b"xx_YY.none".as_slice(),
        b"\xff\xfe",
        b"../../etc",
        &[b'a'; 5000],
        b"@",
        b"en_US.",
    ] {
        let locale = OsStr::from_bytes(locale);
        let launch = scene.bare_viewer(["--verbose"]).env("LC_ALL", "");
        says(
            launch.env("LANG", locale).env("LANGUAGE", locale),
            &desktop,
            VIEWER,
            "Ready.",
        );
        says(
            scene.bare_loader(["--verbose"]).env("LC_ALL", locale),
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
    let scene = Scene::new();
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
            .starts(scene.program("sh").args(["-c", made]).args([&home]))
            .run()
            .done();
        let files = || {
            let found = scene
                .program("find")
                .args([&home])
                .args(["-printf", "%p %U %m %s\n"]);
            found.run().done().text().to_owned()
        };
        let before = files();
        // As `sudo -E` does.
        let viewer = scene.bare_viewer(["--verbose"]).env("XDG_CONFIG_HOME", "");
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
fn settings_that_cannot_be_written_are_told_and_the_window_goes_on() {
    let (Some(desktop), Some(other_user)) = (Desktop::open(), OtherUser::new()) else {
        return;
    };
    let common = PrivateDir::in_memory();
    common.set_mode(0o1777);
    let scene = Scene::within(common.path());
    let home = PrivateDir::on_disk();
    home.set_mode(0o755);
    let viewer = |home: &Path| {
        scene
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
    // Root's, where the user may look and not write.
    resized(other_user.starts(viewer(home.path())));
    let settings = home.path().join("shm-core");
    fs::create_dir(&settings).unwrap();
    fs::write(settings.join("viewer-app.json"), "{}").unwrap();
    // Left by root, for nobody else.
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o700)).unwrap();
    says(
        other_user.starts(viewer(home.path())),
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
