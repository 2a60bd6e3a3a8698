//! Segments whose latest sample is damaged: said plainly, wherever it is looked at.

use std::fs::File;
use std::os::unix::fs::FileExt;

use e2e_tests::Scene;
use e2e_tests::layout::{ENTRIES, ENTRY, LATEST, REGION_STRIDE};
use shm_core::segment::Content;
use shm_core::{Damage, segment};

use crate::actor::{key, options};

/// A persistent text in region 1, and its file.
fn loaded(scene: &Scene) -> File {
    let load = ["text", "--persist", "whole"];
    scene.loader(load).run().done();
    let mut options = File::options();
    options.read(true).write(true);
    options.open(scene.segment()).unwrap()
}

fn region(file: &File) -> u64 {
    let mut word = [0; 8];
    file.read_exact_at(&mut word, LATEST as u64).unwrap();
    u64::from_le_bytes(word) >> 48
}

/// Asserts that every command names what is wrong, in words and not in those of a debugger.
fn assert_says(scene: &Scene, words: &str) {
    let info = scene.viewer(["info"]).run().done();
    let is_said = info.text().contains("damaged: ") && info.text().contains(words);
    assert!(is_said, "{info:?}");
    let json = scene.viewer(["info", "--json"]).run().done().json();
    assert_eq!(json["kind"], "damaged", "{json}");
    assert!(json["reason"].as_str().unwrap().contains(words), "{json}");
    let list = scene.bare_viewer(["list"]).run().done();
    let is_damaged = |line: &str| line.contains(scene.key()) && line.contains("damaged");
    assert!(list.text().lines().any(is_damaged), "{list:?}");
    let shown = scene.viewer(["show"]).run().refused(words);
    for code in ["{", "}", "::", "type_name", "Some("] {
        for said in [&shown.stderr, info.text()] {
            assert!(!said.contains(code), "{said}");
        }
    }
    let found = segment::info(&key(scene), &options(scene)).unwrap().content;
    assert!(matches!(found, Content::Damaged { .. }), "{found:?}");
    // The remedy works.
    scene
        .loader(["text", "--persist", "whole again"])
        .run()
        .done();
    assert_eq!(scene.viewer(["show"]).run().done().text(), "whole again");
    scene.viewer(["remove"]).run().done();
}

#[test]
fn metadata_that_says_nothing() {
    let scene = Scene::new();
    for (metadata, words) in [
        (b"\x09".as_slice(), "the metadata is not readable"),
        (b"\xff", "the metadata is not readable"),
        (b"\x01\x02\xfb\x80", "it ends too early"),
        (b"\x02\x01\xff\0", "not UTF-8"),
        (
            b"\x02\xfd\xff\xff\xff\xff\xff\xff\xff\x7f",
            "the metadata is not readable",
        ),
        (b"\0\0", "bytes behind the metadata"),
        (b"\x01\x02\0\0\0\0", "an image of 0 × 0 pixels"),
        (b"\x01\x02\x09\x09\x24\0", "the image needs 324 bytes"),
    ] {
        let file = loaded(&scene);
        let at = region(&file);
        let entry = ENTRIES as u64 + ENTRY as u64 * at;
        file.write_all_at(metadata, at * REGION_STRIDE).unwrap();
        let length = u32::try_from(metadata.len()).unwrap().to_le_bytes();
        file.write_all_at(&length, entry + 16).unwrap();
        assert_says(&scene, words);
    }
    scene.assert_empty();
}

#[test]
fn lengths_that_cannot_be() {
    let scene = Scene::new();
    for (field, value, words) in [
        (
            8,
            u64::MAX,
            "it claims a payload of 18446744073709551615 bytes",
        ),
        (16, 1025, "it claims metadata of 1025 bytes"),
    ] {
        let file = loaded(&scene);
        let entry = ENTRIES as u64 + ENTRY as u64 * region(&file);
        file.write_all_at(
            &value.to_le_bytes()[..if field == 8 { 8 } else { 4 }],
            entry + field,
        )
        .unwrap();
        assert_says(&scene, words);
    }
    scene.assert_empty();
}

#[test]
fn a_latest_sample_where_none_can_be() {
    let scene = Scene::new();
    for (word, region, generation) in [(256 << 48 | 7, 256, 7), (3 << 48, 3, 0)] {
        let file = loaded(&scene);
        file.write_all_at(&u64::to_le_bytes(word), LATEST as u64)
            .unwrap();
        let info = segment::info(&key(&scene), &options(&scene)).unwrap();
        let Content::Damaged { damage } = info.content else {
            panic!("{:?}", info.content);
        };
        assert_eq!(damage, Damage::Nowhere { region, generation });
        assert_says(&scene, "there is none such");
    }
    scene.assert_empty();
}
