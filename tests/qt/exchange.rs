//! Texts, bytes and pictures, in both directions.

use e2e_tests::{Picture, PictureFile};

use crate::peer::{QtFixture, Side};

/// Both directions between a Qt program and ours.
const DIRECTIONS: [(Side, Side); 4] = [
    (Side::Cpp, Side::Ours),
    (Side::Ours, Side::Cpp),
    (Side::Python, Side::Ours),
    (Side::Ours, Side::Python),
];

/// Returns the keys that both sides support.
fn keys(qt_fixture: &QtFixture, sides: [Side; 2]) -> Vec<String> {
    let known = if sides.contains(&Side::Cpp) { 1 } else { 4 };
    qt_fixture.keys()[..known].to_vec()
}

/// Sends files one after another; the received content equals the sent one.
fn exchange(form: &str, contents: &[&[u8]], is_same: impl Fn(&[u8], &[u8]) -> bool) {
    for (from, to) in DIRECTIONS {
        let Some(qt_fixture) = QtFixture::with(&[from, to]) else {
            return;
        };
        for key in keys(&qt_fixture, [from, to]) {
            for content in contents {
                let mut sender = qt_fixture.start_with(from, &key);
                let mut receiver = qt_fixture.start_with(to, &key);
                sender
                    .ask(&["load", form, &qt_fixture.file(content)])
                    .done();
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
fn texts_of_all_scripts_are_exchanged() {
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
fn bytes_of_any_value_are_exchanged() {
    let all: Vec<u8> = (0..=255).cycle().take(1000).collect();
    exchange("qbytearray", &[b"", b"\0", &all], equal);
}

#[test]
fn c_strings_are_exchanged_with_and_without_a_length() {
    let content: &[&[u8]] = &[b"Hello", "héllo 世界 🙂".as_bytes()];
    exchange("cstring", content, equal);
    exchange("raw", content, equal);
}

#[test]
fn pictures_are_exchanged_pixel_for_pixel() {
    let pictures = [Picture::draw(40, 40, 1), Picture::draw(320, 201, 2)];
    let files = pictures.map(|picture| picture.encode(PictureFile::Png));
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    exchange("qimage", &files, |sent, received| {
        let pixels = |file| image::load_from_memory(file).unwrap().to_rgba8();
        pixels(sent) == pixels(received)
    });
}

#[test]
fn a_missing_segment_is_distinguished_from_an_empty_one() {
    for (from, to) in DIRECTIONS {
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
fn sixty_four_megabytes_are_exchanged() {
    let text = "0123456789abcdef".repeat(2 << 20);
    exchange("qstring", &[text.as_bytes()], equal);
    let bytes = vec![7; 64 << 20];
    exchange("qbytearray", &[&bytes], equal);
}

#[test]
fn the_form_of_qt_content_is_recognised() {
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
        sender
            .ask(&["load", form, &qt_fixture.file(content)])
            .done();
        let mut ours = qt_fixture.start_with(Side::Ours, &qt_fixture.key());
        let answer = ours.ask(&["read", "recognised", qt_fixture.path().to_str().unwrap()]);
        assert_eq!(answer.0, format!("ok {form}"));
        sender.finish();
        qt_fixture.assert_clean();
    }
}

#[test]
fn content_rewritten_in_place_is_visible_to_attached_programs() {
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
