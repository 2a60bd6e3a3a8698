//! Segments whose latest sample is damaged: every program reports it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use e2e_tests::Fixture;
use e2e_tests::layout::{LAST, RING};
use shm_core::segment::Content;
use shm_core::{InvalidSample, segment};

use crate::actor::{key, options};

/// The first record after the one that every ring starts with.
const RECORD: u64 = RING as u64 + 64;

/// Publishes a persistent text and returns its file.
fn loaded(fixture: &Fixture) -> File {
    let load = ["text", "--persist", "whole"];
    fixture.loader(load).run().done();
    let mut options = File::options();
    options.read(true).write(true);
    options.open(fixture.segment()).unwrap()
}

/// Writes the lengths of a record and of its metadata.
fn write_lengths(file: &File, record: u64, metadata: usize) {
    let lengths = record | (metadata as u64) << 32;
    file.write_all_at(&lengths.to_le_bytes(), RECORD + 8)
        .unwrap();
}

/// Asserts that every command reports the damage in plain words, without debug output.
fn assert_reported(fixture: &Fixture, words: &str) {
    let info = fixture.viewer(["info"]).run().done();
    let is_said = info.text().contains("damaged: ") && info.text().contains(words);
    assert!(is_said, "{info:?}");
    let json = fixture.viewer(["info", "--json"]).run().done().json();
    assert_eq!(json["kind"], "damaged", "{json}");
    assert!(json["reason"].as_str().unwrap().contains(words), "{json}");
    let list = fixture.bare_viewer(["list"]).run().done();
    let is_damaged = |line: &str| line.contains(fixture.key()) && line.contains("damaged");
    assert!(list.text().lines().any(is_damaged), "{list:?}");
    let shown = fixture.viewer(["show"]).run().refused(words);
    for code in ["{", "}", "::", "type_name", "Some("] {
        for said in [&shown.stderr, info.text()] {
            assert!(!said.contains(code), "{said}");
        }
    }
    let found = segment::info(&key(fixture), &options(fixture))
        .unwrap()
        .content;
    assert!(matches!(found, Content::Damaged { .. }), "{found:?}");
    // The remedy works.
    fixture
        .loader(["text", "--persist", "whole again"])
        .run()
        .done();
    assert_eq!(fixture.viewer(["show"]).run().done().text(), "whole again");
    fixture.viewer(["remove"]).run().done();
}

#[test]
fn invalid_metadata_is_reported() {
    let fixture = Fixture::new();
    for (metadata, words) in [
        (b"\x01\x02".as_slice(), "the metadata ends too early"),
        (b"\x80\xff\xff", "the metadata ends too early"),
        (b"\x02\x01\xff\0", "not UTF-8"),
        (b"\0\0", "bytes after the metadata"),
        (b"\x80\x01\0a\x80\x01\0b\0", "a duplicate entry"),
        (
            b"\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "an image of 0 × 0 pixels",
        ),
        (
            b"\x01\x02\x02\0\0\0\x01\0\0\0\x04\0\0\0\0",
            "rows of 8 bytes do not fit a stride of 4",
        ),
        (
            b"\x01\x02\x09\0\0\0\x09\0\0\0\x24\0\0\0\0",
            "the image needs 324 bytes",
        ),
        (b"\x03f4\x09", "an array of 9 dimensions"),
        (
            b"\x03f4\x01\x02\0\0\0\0\0\0\0",
            "the array needs 8 bytes, and there are 5",
        ),
        (
            b"\x03f4\x01\0\0\0\0\0\0\0\x80",
            "the array needs more bytes than can be addressed",
        ),
    ] {
        let file = loaded(&fixture);
        file.write_all_at(metadata, RECORD + 48).unwrap();
        write_lengths(&file, 128, metadata.len());
        assert_reported(&fixture, words);
    }
    fixture.assert_empty();
}

#[test]
fn impossible_lengths_are_reported() {
    let fixture = Fixture::new();
    let file = loaded(&fixture);
    file.write_all_at(&u64::MAX.to_le_bytes(), RECORD + 16)
        .unwrap();
    assert_reported(
        &fixture,
        "it claims a payload of 18446744073709551615 bytes",
    );
    for (record, metadata) in [(64, 1025), (0, 0), (72, 0), (1 << 20, 0)] {
        write_lengths(&loaded(&fixture), record, metadata);
        assert_reported(&fixture, "a record has an impossible header");
    }
    fixture.assert_empty();
}

#[test]
fn an_impossible_newest_position_is_reported() {
    let fixture = Fixture::new();
    for last in [7, 1 << 62, u64::MAX] {
        let file = loaded(&fixture);
        file.write_all_at(&u64::to_le_bytes(last), LAST as u64)
            .unwrap();
        let info = segment::info(&key(&fixture), &options(&fixture)).unwrap();
        let Content::Damaged { damage } = info.content else {
            panic!("{:?}", info.content);
        };
        assert_eq!(damage, InvalidSample::Position);
        assert_reported(
            &fixture,
            "the positions of its records contradict each other",
        );
    }
    fixture.assert_empty();
}
