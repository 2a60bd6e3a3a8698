//! Texts, bytes and pictures, both ways.

use e2e_tests::{Picture, PictureFile};

use crate::peer::{Side, QtFixture};

/// Both ways between a Qt program and ours.
const WAYS: [(Side, Side); 4] = [
    (Side::Cpp, Side::Ours),
    (Side::Ours, Side::Cpp),
    (Side::Python, Side::Ours),
    (Side::Ours, Side::Python),
];

/// The keys that a side knows.
fn keys(qt_fixture: &QtFixture, sides: [Side; 2]) -> Vec<String> {
    let known = if sides.contains(&Side::Cpp) { 1 } else { 4 };
    qt_fixture.keys()[..known].to_vec()
}

/// Sends files one after the other; what comes is what was sent.
fn exchange(form: &str, contents: &[&[u8]], is_same: impl Fn(&[u8], &[u8]) -> bool) {
    for (from, to) in WAYS {
        let Some(qt_fixture) = QtFixture::with(&[from, to]) else {
            return;
        };
        for key in keys(&qt_fixture, [from, to]) {
            for content in contents {
                let mut sender = qt_fixture.start_with(from, &key);
                let mut receiver = qt_fixture.start_with(to, &key);
                sender.ask(&["load", form, &qt_fixture.file(content)]).done();
                if receiver.side() != Side::Ours {
                    receiver.ask(&["attach", "ro"]).done();
                }
                let path = qt_fixture.path();
                receiver.ask(&["read", form, path.to_str().unwrap()]).done();
                let received = std::fs::read(&path).unwrap();
                assert!(
                    is_same(content, &received),
                    "{from:?} to {to:?}, {key}: {} bytes became {}",
                    content.len(),
                    received.len()
                );
                drop(std::fs::remove_file(path));
                receiver.finish();
                sender.finish();
                qt_fixture.sweep();
                qt_fixture.assert_clean();
            }
        }
    }
}

fn equal(sent: &[u8], received: &[u8]) -> bool {
    sent == received
}

#[test]
fn texts_of_all_scripts() {
    let long = "Grüße, 世界! 🙂👩‍👩‍👧 ".repeat(500);
    exchange(
        "qstring",
        &[
            "".as_bytes(),
            "Hello".as_bytes(),
            "héllo 世界 🙂".as_bytes(),
            long.as_bytes(),
        ],
        equal,
    );
}

#[test]
fn bytes_of_any_value() {
    let all: Vec<u8> = (0..=255).cycle().take(1000).collect();
    exchange("qbytearray", &[b"", b"\0", &all], equal);
}

#[test]
fn c_strings_with_a_length_and_without() {
    let content: &[&[u8]] = &[b"Hello", "héllo 世界 🙂".as_bytes()];
    exchange("cstring", content, equal);
    exchange("raw", content, equal);
}

#[test]
fn pictures_pixel_by_pixel() {
    let pictures = [Picture::draw(40, 40, 1), Picture::draw(320, 201, 2)];
    let files = pictures.map(|picture| picture.encode(PictureFile::Png));
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    exchange("qimage", &files, |sent, received| {
        let pixels = |file| image::load_from_memory(file).unwrap().to_rgba8();
        pixels(sent) == pixels(received)
    });
}

#[test]
fn what_is_not_there_is_told_from_what_is_empty() {
    for (from, to) in WAYS {
        let Some(qt_fixture) = QtFixture::with(&[from, to]) else {
            return;
        };
        for form in ["qstring", "qbytearray", "cstring", "qimage"] {
            let key = qt_fixture.key();
            let mut sender = qt_fixture.start_with(from, &key);
            let mut receiver = qt_fixture.start_with(to, &key);
            sender.ask(&["load", form, "null"]).done();
            if to != Side::Ours {
                receiver.ask(&["attach", "ro"]).done();
            }
            let path = qt_fixture.path();
            let answer = receiver.ask(&["read", form, path.to_str().unwrap()]);
            assert!(
                answer.0.starts_with("ok null"),
                "{from:?} to {to:?}, {form}: {answer:?}"
            );
            receiver.finish();
            sender.finish();
            qt_fixture.assert_clean();
        }
    }
}

#[test]
fn sixty_four_megabytes() {
    let text = "0123456789abcdef".repeat(2 << 20);
    exchange("qstring", &[text.as_bytes()], equal);
    let bytes = vec![7; 64 << 20];
    exchange("qbytearray", &[&bytes], equal);
}

#[test]
fn what_qt_wrote_is_recognised() {
    let picture = Picture::draw(40, 40, 3).encode(PictureFile::Png);
    for (form, content) in [
        ("qstring", "Hello".as_bytes()),
        ("qstring", "世界".as_bytes()),
        ("qbytearray", b"Hello, bytes"),
        ("cstring", b"Hello, C"),
        ("raw", b"Hello, memcpy"),
        ("qimage", &picture),
    ] {
        let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
            return;
        };
        let mut sender = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
        sender.ask(&["load", form, &qt_fixture.file(content)]).done();
        let mut ours = qt_fixture.start_with(Side::Ours, &qt_fixture.key());
        let answer = ours.ask(&["read", "recognised", qt_fixture.path().to_str().unwrap()]);
        assert_eq!(answer.0, format!("ok {form}"));
        sender.finish();
        qt_fixture.assert_clean();
    }
}

#[test]
fn what_is_written_again_in_place_is_seen_by_who_stays_attached() {
    let Some(qt_fixture) = QtFixture::with(&[Side::Cpp]) else {
        return;
    };
    let mut ours = qt_fixture.start_with(Side::Ours, &qt_fixture.key());
    let mut theirs = qt_fixture.start_with(Side::Cpp, &qt_fixture.key());
    ours.ask(&["publish", "qstring", &qt_fixture.file(b"the first text")])
        .done();
    theirs.ask(&["attach", "ro"]).done();
    ours.ask(&["publish", "qstring", &qt_fixture.file(b"another")])
        .done();
    let path = qt_fixture.path();
    theirs
        .ask(&["read", "qstring", path.to_str().unwrap()])
        .done();
    assert_eq!(std::fs::read(path).unwrap(), b"another");
    theirs.finish();
    ours.finish();
    qt_fixture.assert_clean();
}
