//! The commands under a key of a Qt program, with that program on the other side.

use e2e_tests::{Launch, Picture, PictureFile, Scene};

use crate::peer::{Side, Stage};

/// The keys of a stage with a Qt that knows them.
pub(crate) fn each_key(test: impl Fn(&Stage, Side, &Scene)) {
    for (qt, known) in [(Side::Cpp, 1), (Side::Python, 4)] {
        let Some(stage) = Stage::with(&[qt]) else {
            return;
        };
        for key in &stage.keys()[..known] {
            let scene = Scene::new().with_key(key);
            test(&stage, qt, &scene);
            stage.sweep();
            stage.assert_clean();
        }
    }
}

pub(crate) fn on(stage: &Stage, launch: Launch) -> Launch {
    launch.env("TMPDIR", stage.directory())
}

#[test]
fn what_a_command_loads_a_qt_program_reads() {
    let picture = Picture::draw(60, 50, 1).encode(PictureFile::Png);
    each_key(|stage, qt, scene| {
        let file = stage.file(&picture);
        for (arguments, form, told) in [
            (vec!["text", "héllo 世界 🙂"], "qstring", "QString"),
            (
                vec!["text", "--as", "CString", "hello"],
                "cstring",
                "const char *",
            ),
            (vec!["text", "--as", "raw", "hello"], "raw", "C string"),
            (vec!["file", file.as_str()], "qbytearray", "QByteArray"),
            (vec!["image", file.as_str()], "qimage", "QImage"),
        ] {
            let loader = on(stage, scene.loader(&arguments)).start();
            loader.wait_for(&format!("as {told}"));
            let mut theirs = stage.start_with(qt, scene.key());
            theirs.ask(&["attach", "ro"]).done();
            let path = stage.path();
            theirs.ask(&["read", form, path.to_str().unwrap()]).done();
            let read = std::fs::read(path).unwrap();
            match arguments[0] {
                "text" => assert_eq!(read, arguments[arguments.len() - 1].as_bytes()),
                "file" => assert_eq!(read, picture),
                _ => {
                    let pixels = |file| image::load_from_memory(file).unwrap().to_rgb8();
                    assert_eq!(pixels(&read), pixels(&picture));
                }
            }
            theirs.finish();
            loader.terminate().done();
        }
    });
}

#[test]
fn what_a_qt_program_loads_the_commands_tell_of() {
    each_key(|stage, qt, scene| {
        let viewer = |arguments: &[&str]| on(stage, scene.viewer(arguments)).run();
        viewer(&["show"]).refused("Enter a text first");
        let mut theirs = stage.start_with(qt, scene.key());
        let text = "héllo 世界";
        theirs
            .ask(&["load", "qstring", &stage.file(text.as_bytes())])
            .done();
        assert_eq!(viewer(&["show"]).done().text(), text);
        assert_eq!(viewer(&["show", "--json"]).done().json()["form"], "qstring");
        let bytes = viewer(&["show", "--as", "qbytearray"]).done().stdout;
        assert_eq!(bytes[..4], *b"\0h\0\xe9");
        viewer(&["show", "--as", "qimage"]).refused("is no QImage");
        let told = viewer(&["info"]).done();
        assert!(told.text().contains("text, as qstring"), "{told:?}");
        let followed = viewer(&["follow", "--count", "1"]).done();
        assert_eq!(followed.text().trim_end(), text);
        assert!(
            followed.stderr.contains("five times a second"),
            "{followed:?}"
        );
        if scene.key().starts_with("qt") {
            let listed = viewer(&["list"]).done();
            let native: qt_bridge::QtKey = scene.key().parse().unwrap();
            let name = native.native_name();
            let name = name.rsplit('/').next().unwrap().to_owned();
            assert!(listed.text().contains(&name), "{listed:?}");
            viewer(&["remove"]).refused("in use by");
        }
        theirs.finish();
    });
}

#[test]
fn a_file_takes_what_a_qt_program_loaded() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let picture = Picture::draw(60, 50, 2);
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    let file = stage.file(&picture.encode(PictureFile::Png));
    theirs.ask(&["load", "qimage", &file]).done();
    let output = scene.path("copy.png");
    let show = scene.viewer(["show", "--output"]).args([&output]);
    on(&stage, show).run().done();
    let copy = image::open(&output).unwrap().to_rgb8();
    assert_eq!(&copy, picture.pixels());
    theirs.finish();
    stage.assert_clean();
}

#[test]
fn what_persists_stays_for_the_next_qt_program() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let text = scene.loader(["text", "--persist", "stays"]);
    on(&stage, text).run().done();
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    theirs.ask(&["attach", "ro"]).done();
    let path = stage.path();
    theirs
        .ask(&["read", "qstring", path.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(path).unwrap(), b"stays");
    theirs.finish();
    // By Qt's rule the last one took the segment along; the lock is nobody's, and is removed by name.
    let removed = on(&stage, scene.viewer(["remove"])).run();
    assert!(matches!(removed.code, Some(0 | 1)), "{removed:?}");
    stage.assert_clean();
}

#[test]
fn what_qt_cannot_do_is_refused_in_a_sentence() {
    let Some(stage) = Stage::with(&[]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let loader = |arguments: &[&str]| on(&stage, scene.loader(arguments)).run();
    loader(&["frames", "--test-pattern", "--mode", "644"]).refused("leave --mode out");
    loader(&["text", "--mode", "644", "x"]).refused("leave --mode out");
    loader(&["text", "--as", "qimage", "x"]).refused("it is not a picture");
    loader(&["text", "--as", "qpixmap", "x"]).misused("qstring, qbytearray");
    let own = Scene::new();
    own.loader(["text", "--as", "raw", "x"])
        .run()
        .refused("leave --as out");
    own.viewer(["show", "--as", "raw"])
        .run()
        .refused("leave --as out");
    stage.assert_clean();
}

#[test]
fn what_cannot_be_read_is_told_of_all_the_same() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let viewer = |arguments: &[&str]| on(&stage, scene.viewer(arguments)).run().done();
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    theirs
        .ask(&["load", "qstring", &stage.file(b"first")])
        .done();
    for command in ["show", "info"] {
        let told = viewer(&[command, "--json"]).json();
        assert_eq!(told["attached"][0]["pid"], theirs.pid(), "{told}");
        assert_eq!(told["kind"], "text", "{told}");
    }
    theirs.ask(&["lock"]).done();
    let told = viewer(&["info"]);
    for words in ["native key", "size", "cannot be read: The Qt lock"] {
        assert!(told.text().contains(words), "{told:?}");
    }
    let told = viewer(&["info", "--json"]).json();
    assert!(told["kind"].is_null(), "{told}");
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.contains("is held by"), "{told}");
    theirs.ask(&["unlock"]).done();
    theirs.finish();
    stage.assert_clean();
}

#[test]
fn who_uses_what_is_replaced_is_told() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    theirs
        .ask(&["load", "qstring", &stage.file(b"first")])
        .done();
    let load = |text: &str| on(&stage, scene.loader(["text", text])).start();
    let loader = load("other");
    let complaint = loader.wait_for_complaint("This replaces what stood in");
    assert!(complaint.contains(&theirs.pid().to_string()), "{complaint}");
    loader.wait_for("Loaded");
    loader.terminate().done();
    theirs.finish();
    // Nobody is there.
    let loader = load("third");
    loader.wait_for("Loaded");
    assert_eq!(loader.terminate().done().stderr, "");
    stage.assert_clean();
}

#[test]
fn a_lock_that_a_qt_program_holds_for_long_is_waited_for_by_who_follows() {
    let Some(stage) = Stage::with(&[Side::Cpp]) else {
        return;
    };
    let scene = Scene::new().with_key(&stage.key());
    let mut theirs = stage.start_with(Side::Cpp, &stage.key());
    theirs
        .ask(&["load", "qstring", &stage.file(b"first")])
        .done();
    theirs.ask(&["lock"]).done();
    let follower = on(&stage, scene.viewer(["follow", "--count", "1"])).start();
    follower.wait_for_complaint("Retrying.");
    theirs.ask(&["unlock"]).done();
    follower.wait_for("first");
    follower.finish().done();
    theirs.finish();
    stage.assert_clean();
}
