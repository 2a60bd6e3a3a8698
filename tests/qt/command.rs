//! The commands with a Qt key, together with a Qt program.

use e2e_tests::{Fixture, Launch, Picture, PictureFile};

use crate::peer::{QtFixture, Side};

/// Runs a test with every key that a Qt version supports.
pub(crate) fn each_key(test: impl Fn(&QtFixture, Side, &Fixture)) {
    for (qt, known) in [(Side::Cpp, 1), (Side::Python, 4)] {
        let Some(qt_fixture) = QtFixture::with(&[qt]) else {
            return;
        };
        for key in &qt_fixture.keys()[..known] {
            let fixture = Fixture::new().with_key(key);
            test(&qt_fixture, qt, &fixture);
            qt_fixture.sweep();
            qt_fixture.assert_clean();
        }
    }
}

pub(crate) fn on(qt_fixture: &QtFixture, launch: Launch) -> Launch {
    launch.env("TMPDIR", qt_fixture.directory())
}

#[test]
fn a_qt_program_reads_content_of_the_commands() {
    let picture = Picture::draw(60, 50, 1).encode(PictureFile::Png);
    each_key(|qt_fixture, qt, fixture| {
        let file = qt_fixture.file(&picture);
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
            let loader = on(qt_fixture, fixture.loader(&arguments)).start();
            loader.wait_for(&format!("as {told}"));
            let mut theirs = qt_fixture.start_with(qt, fixture.key());
            theirs.ask(&["attach", "ro"]).done();
            let path = qt_fixture.path();
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
fn the_commands_read_content_of_a_qt_program() {
    each_key(|qt_fixture, qt, fixture| {
        let viewer = |arguments: &[&str]| on(qt_fixture, fixture.viewer(arguments)).run();
        viewer(&["show"]).refused("Enter a text first");
        let mut theirs = qt_fixture.start_with(qt, fixture.key());
        let text = "héllo 世界";
        theirs
            .ask(&["load", "qstring", &qt_fixture.file(text.as_bytes())])
            .done();
        assert_eq!(viewer(&["show"]).done().text(), text);
        assert_eq!(viewer(&["show", "--json"]).done().json()["form"], "qstring");
        let bytes = viewer(&["show", "--as", "qbytearray"]).done().stdout;
        assert_eq!(bytes[..4], *b"\0h\0\xe9");
        viewer(&["show", "--as", "qimage"]).refused("is not a QImage");
        let told = viewer(&["info"]).done();
        assert!(told.text().contains("text, as qstring"), "{told:?}");
        let followed = viewer(&["follow", "--count", "1"]).done();
        assert_eq!(followed.text().trim_end(), text);
        assert!(
            followed.stderr.contains("five times a second"),
            "{followed:?}"
        );
        if fixture.key().starts_with("qt") {
            let listed = viewer(&["list"]).done();
            let native: qt_bridge::QtKey = fixture.key().parse().unwrap();
            let name = native.native_name();
            let name = name.rsplit('/').next().unwrap().to_owned();
            assert!(listed.text().contains(&name), "{listed:?}");
            viewer(&["remove"]).refused("in use by");
        }
        theirs.finish();
    });
}

#[test]
fn content_of_a_qt_program_is_saved_to_a_file() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let picture = Picture::draw(60, 50, 2);
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    let file = qt_fixture.file(&picture.encode(PictureFile::Png));
    theirs.ask(&["load", "qimage", &file]).done();
    let output = fixture.path("copy.png");
    let show = fixture.viewer(["show", "--output"]).args([&output]);
    on(&qt_fixture, show).run().done();
    let copy = image::open(&output).unwrap().to_rgb8();
    assert_eq!(&copy, picture.pixels());
    theirs.finish();
    qt_fixture.assert_clean();
}

#[test]
fn persistent_content_remains_for_the_next_qt_program() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let text = fixture.loader(["text", "--persist", "stays"]);
    on(&qt_fixture, text).run().done();
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    theirs.ask(&["attach", "ro"]).done();
    let path = qt_fixture.path();
    theirs
        .ask(&["read", "qstring", path.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(path).unwrap(), b"stays");
    theirs.finish();
    // By Qt's rule the last participant removed the segment; the lock has no participants, and is
    // removed by name.
    let removed = on(&qt_fixture, fixture.viewer(["remove"])).run();
    assert!(matches!(removed.code, Some(0 | 1)), "{removed:?}");
    qt_fixture.assert_clean();
}

#[test]
fn options_without_a_qt_counterpart_are_refused() {
    let Some(qt_fixture) = QtFixture::with(&[]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let loader = |arguments: &[&str]| on(&qt_fixture, fixture.loader(arguments)).run();
    loader(&["frames", "--test-pattern", "--mode", "644"]).refused("leave --mode out");
    loader(&["text", "--mode", "644", "x"]).refused("leave --mode out");
    loader(&["text", "--as", "qimage", "x"]).refused("it is not a picture");
    loader(&["text", "--as", "qpixmap", "x"]).misused("qstring, qbytearray");
    let own = Fixture::new();
    own.loader(["text", "--as", "raw", "x"])
        .run()
        .refused("leave --as out");
    own.viewer(["show", "--as", "raw"])
        .run()
        .refused("leave --as out");
    qt_fixture.assert_clean();
}

#[test]
fn unreadable_segments_are_listed() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let viewer = |arguments: &[&str]| on(&qt_fixture, fixture.viewer(arguments)).run().done();
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    theirs
        .ask(&["load", "qstring", &qt_fixture.file(b"first")])
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
    qt_fixture.assert_clean();
}

#[test]
fn users_of_replaced_content_are_named() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    theirs
        .ask(&["load", "qstring", &qt_fixture.file(b"first")])
        .done();
    let load = |text: &str| on(&qt_fixture, fixture.loader(["text", text])).start();
    let loader = load("other");
    let complaint = loader.wait_for_stderr("This replaces what stood in");
    assert!(complaint.contains(&theirs.pid().to_string()), "{complaint}");
    loader.wait_for("Loaded");
    loader.terminate().done();
    theirs.finish();
    // No program uses it.
    let loader = load("third");
    loader.wait_for("Loaded");
    assert_eq!(loader.terminate().done().stderr, "");
    qt_fixture.assert_clean();
}

#[test]
fn follow_waits_for_a_lock_that_a_qt_program_holds() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let fixture = Fixture::new().with_key(&qt_fixture.key());
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    theirs
        .ask(&["load", "qstring", &qt_fixture.file(b"first")])
        .done();
    theirs.ask(&["lock"]).done();
    let follower = on(&qt_fixture, fixture.viewer(["follow", "--count", "1"])).start();
    follower.wait_for_stderr("Retrying.");
    theirs.ask(&["unlock"]).done();
    follower.wait_for("first");
    follower.finish().done();
    theirs.finish();
    qt_fixture.assert_clean();
}
