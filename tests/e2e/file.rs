//! `loader-app file`: any bytes, of any size.

use std::{fs, path::Path};

use e2e_tests::{Fixture, skip};

const MEGABYTE: usize = 1 << 20;

/// Returns bytes that reveal every shift and every lost page: they repeat, but never at the same
/// page offset.
fn noise(length: usize) -> Vec<u8> {
    const PERIOD: usize = 1_000_003;
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(PERIOD + 8);
    while bytes.len() < PERIOD {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(PERIOD);
    let mut bytes = bytes.repeat(length.div_ceil(PERIOD));
    bytes.truncate(length);
    bytes
}

/// Loads `bytes` from a file and asserts that `show --output` writes the same.
fn assert_preserved(bytes: &[u8]) {
    let fixture = Fixture::new();
    let source = fixture.file("source.bin", bytes);
    let loader = fixture.loader(["file"]).args([&source]).start();
    loader.wait_for(fixture.key());
    let copy = fixture.path("copy.bin");
    fixture
        .viewer(["show", "--output"])
        .args([&copy])
        .run()
        .done();
    // Not assert_eq: the difference would be too long to read.
    assert!(
        fs::read(copy).unwrap() == bytes,
        "{} bytes changed",
        bytes.len()
    );
    loader.terminate().done();
    fixture.assert_empty();
}

#[test]
fn every_size_around_a_page_is_preserved() {
    for length in [0, 1, 4095, 4096, 4097, MEGABYTE] {
        assert_preserved(&noise(length));
    }
}

#[test]
fn a_quarter_of_a_gigabyte_is_preserved() {
    let free = rustix::fs::statvfs(Path::new("/dev/shm")).unwrap();
    if free.f_bavail * free.f_frsize < 320 << 20 {
        return skip("/dev/shm has less than 320 MB left for a file of 256 MB");
    }
    assert_preserved(&noise(256 * MEGABYTE));
}

#[test]
fn bytes_are_copied_from_standard_input_to_standard_output() {
    let fixture = Fixture::new();
    let bytes = noise(3 * MEGABYTE + 5);
    let loader = fixture.loader(["file", "-"]).input(bytes.clone()).start();
    loader.wait_for(fixture.key());
    let shown = fixture.viewer(["show", "--output", "-"]).run().done();
    assert!(
        shown.stdout == bytes,
        "{} bytes arrived",
        shown.stdout.len()
    );
}

#[test]
fn the_media_type_is_derived_from_the_name() {
    let fixture = Fixture::new();
    for (name, media_type) in [
        ("page.html", "text/html"),
        ("book.pdf", "application/pdf"),
        ("what.is.this", "application/octet-stream"),
    ] {
        let loader = fixture
            .loader(["file"])
            .args([fixture.file(name, b"content")])
            .start();
        loader.wait_for(fixture.key());
        let info = fixture.viewer(["info", "--json"]).run().done().json();
        assert_eq!(info["kind"], "bytes", "{info}");
        assert_eq!(info["media_type"], media_type, "{info}");
        assert_eq!(info["bytes"], 7, "{info}");
        loader.terminate().done();
    }
}

#[test]
fn a_missing_file_is_named_in_the_error() {
    let fixture = Fixture::new();
    let refused = fixture.loader(["file", "no/such/file"]).run();
    drop(refused.refused("no/such/file"));
    fixture.assert_empty();
}

#[test]
fn a_folder_is_refused() {
    let fixture = Fixture::new();
    let refused = fixture.loader(["file"]).args([fixture.segments()]).run();
    drop(refused.refused("folder"));
}

#[test]
fn unwritable_outputs_are_refused() {
    let fixture = Fixture::new();
    let loader = fixture.loader(["text", "kept"]).start();
    loader.wait_for(fixture.key());
    let refused = fixture
        .viewer(["show", "--output", "no/such/folder/out"])
        .run();
    drop(refused.refused("no/such/folder/out"));
}
