//! Files of the machine or of other programs in place of a segment.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, chown, symlink},
    process::Command,
};

use e2e_tests::{Fixture, PrivateDir, skip};

/// Asserts that neither program touches, follows or waits for the file at the segment's name.
fn assert_left_alone(fixture: &Fixture) {
    let looked = || fs::symlink_metadata(fixture.segment()).map(|found| found.file_type());
    let before = looked().unwrap();
    for launch in [
        fixture.loader(["text", "mine"]),
        fixture.viewer(["show"]),
        fixture.viewer(["info"]),
        fixture.viewer(["remove"]),
        fixture.viewer(["remove", "--force"]),
    ] {
        drop(launch.run().refused(fixture.key()));
    }
    // It is listed with a reason in the text output; it is not a segment, so not in JSON.
    let listed = fixture.bare_viewer(["list"]).run().done();
    assert!(listed.text().contains(fixture.key()), "{listed:?}");
    assert_eq!(looked().unwrap(), before);
}

#[test]
fn a_foreign_file_is_left_alone() {
    let fixture = Fixture::new();
    for content in [
        b"".as_slice(),
        b"another program's notes",
        &[0; 65536],
        &[0xFF; 4096],
    ] {
        fs::write(fixture.segment(), content).unwrap();
        assert_left_alone(&fixture);
        assert!(fs::read(fixture.segment()).unwrap() == content);
    }
}

#[test]
fn a_pipe_is_left_alone() {
    let fixture = Fixture::new();
    let made = Command::new("mkfifo")
        .arg(fixture.segment())
        .status()
        .unwrap();
    assert!(made.success());
    assert_left_alone(&fixture);
    assert!(
        fs::symlink_metadata(fixture.segment())
            .unwrap()
            .file_type()
            .is_fifo()
    );
}

#[test]
fn a_directory_is_left_alone() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.segment()).unwrap();
    assert_left_alone(&fixture);
}

#[test]
fn a_foreign_file_is_reported_with_its_type_and_owner() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    if !rustix::process::getuid().is_root() {
        return skip("giving a file to another user needs root");
    }
    let make_node =
        |kind| move |path: &std::path::Path| mknodat(CWD, path, kind, Mode::RUSR, 0).unwrap();
    type Made<'a> = (&'a str, Box<dyn Fn(&std::path::Path)>);
    let made: [Made<'_>; 5] = [
        (
            "belongs to user",
            Box::new(|path| fs::write(path, b"mine").unwrap()),
        ),
        (
            "is a directory of user",
            Box::new(|path| fs::create_dir(path).unwrap()),
        ),
        (
            "is a symbolic link of user",
            Box::new(|path| symlink("nowhere", path).unwrap()),
        ),
        (
            "is a named pipe of user",
            Box::new(make_node(FileType::Fifo)),
        ),
        ("is a socket of user", Box::new(make_node(FileType::Socket))),
    ];
    for (words, make) in made {
        let fixture = Fixture::new();
        make(&fixture.segment());
        std::os::unix::fs::lchown(fixture.segment(), Some(65534), None).unwrap();
        let words = format!("{words} nobody (uid 65534)");
        drop(fixture.loader(["text", "mine"]).run().refused(&words));
        drop(fixture.viewer(["show"]).run().refused(&words));
        drop(fixture.viewer(["remove", "--force"]).run().refused(&words));
        let listed = fixture.bare_viewer(["list"]).run().done();
        assert!(listed.text().contains(&words), "{listed:?}");
    }
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let fixture = Fixture::new();
    let target = fixture.file("target", b"do not touch");
    symlink(&target, fixture.segment()).unwrap();
    assert_left_alone(&fixture);
    assert_eq!(fs::read(target).unwrap(), b"do not touch");
}

#[test]
fn a_file_of_another_user_is_left_alone() {
    if !rustix::process::getuid().is_root() {
        return skip("giving a file to another user needs root");
    }
    let fixture = Fixture::new();
    fixture.loader(["text", "--persist", "yours"]).run().done();
    chown(fixture.segment(), Some(65534), None).unwrap();
    assert_left_alone(&fixture);
}

#[test]
fn a_missing_directory_is_named_in_the_error() {
    let directory = PrivateDir::in_memory();
    let missing = directory.path().join("missing");
    let fixture = Fixture::within(&missing);
    drop(fixture.loader(["text", "nowhere"]).run().refused("missing"));
    drop(fixture.bare_viewer(["list"]).run().refused("missing"));
}

#[test]
fn a_missing_display_points_to_the_command_line() {
    let fixture = Fixture::new();
    for launch in [
        fixture.bare_loader([] as [&str; 0]),
        fixture.bare_viewer([] as [&str; 0]),
    ] {
        drop(launch.run().refused("DISPLAY"));
    }
    drop(
        fixture
            .bare_loader([] as [&str; 0])
            .run()
            .refused("loader-app text"),
    );
    drop(
        fixture
            .bare_viewer([] as [&str; 0])
            .run()
            .refused("viewer-app show"),
    );
}

#[test]
fn an_unresponsive_display_is_an_error() {
    let fixture = Fixture::new();
    for launch in [
        fixture.bare_loader([] as [&str; 0]),
        fixture.bare_viewer([] as [&str; 0]),
    ] {
        drop(launch.env("DISPLAY", ":32123").run().refused(":32123"));
    }
    let launch = fixture.bare_viewer([] as [&str; 0]);
    drop(
        launch
            .env("WAYLAND_DISPLAY", "nowhere-0")
            .run()
            .refused("nowhere-0"),
    );
}

#[test]
fn a_closed_output_does_not_panic() {
    let fixture = Fixture::new();
    let text = "line\n".repeat(1 << 20);
    let loader = fixture.loader(["text"]).input(text).start();
    loader.wait_for(fixture.key());
    let shown = fixture
        .viewer(["show"])
        .through("sh", ["-c", "\"$@\" | head -c 5", "sh"])
        .run()
        .done();
    assert_eq!(shown.text(), "line\n");
    assert!(!shown.stderr.contains("panicked"), "{shown:?}");
}

#[test]
fn a_loader_that_cannot_print_still_loads() {
    let fixture = Fixture::new();
    let loaded = fixture
        .loader(["text", "--persist", "quiet"])
        .through("sh", ["-c", "\"$@\" >/dev/full", "sh"])
        .run();
    assert!(!loaded.stderr.contains("panicked"), "{loaded:?}");
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "quiet");
    fixture.viewer(["remove"]).run().done();
    fixture.assert_empty();
}
