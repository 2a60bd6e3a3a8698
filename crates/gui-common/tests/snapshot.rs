//! Snapshots of real segments.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::SystemTime;

use gui_common::session::snapshot::{HEAD_LIMIT, Preview, Snapshot, SnapshotError, TEXT_LIMIT};
use gui_common::widget::content_pane::{self, ContentPane};
use shm_core::{
    Annotations, ArrayMetadata, Block, BytesMetadata, ElementType, ImageMetadata, Key, Metadata,
    Options, Origin, PixelFormat, Publisher,
};
use shm_io::Source;
use tempfile::TempDir;

struct Place {
    _directory: TempDir,
    options: Options,
    key: Key,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().unwrap();
        Place {
            options: Options::new().directory(directory.path()),
            key: Key::new("MySharedMemory").unwrap(),
            _directory: directory,
        }
    }

    fn publisher(&self) -> Publisher {
        Publisher::open(&self.key, &self.options).unwrap()
    }

    fn read(&self) -> Result<Snapshot, SnapshotError> {
        Snapshot::read(&Source::new(&self.key).options(self.options.clone()))
    }
}

#[test]
fn a_missing_segment_is_distinguished() {
    let place = Place::new();
    let error = place.read().unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(error.is_attach());
}

#[test]
fn a_new_and_a_cleared_segment_are_empty() {
    let place = Place::new();
    let publisher = place.publisher();
    assert!(place.read().unwrap().is_empty());
    publisher.publish_text("secret").unwrap();
    publisher.clear().unwrap();
    let snapshot = place.read().unwrap();
    assert!(snapshot.is_empty());
    assert_eq!(content_pane::facts(&snapshot, SystemTime::now()), "nothing");
}

#[test]
fn a_text_is_read_with_its_origin() {
    let place = Place::new();
    let publisher = place.publisher();
    publisher.publish_text("one").unwrap();
    publisher.publish_text("two, 日本").unwrap();
    let snapshot = place.read().unwrap();
    // A snapshot keeps nothing alive and does not need the publisher.
    assert!(publisher.detach().removed);
    let Preview::Text(text) = &snapshot.content else {
        panic!("{snapshot:?} is no text");
    };
    assert_eq!(text.shown, "two, 日本");
    assert_eq!(snapshot.bytes, 11);
    assert_eq!(snapshot.sequence(), Some(2.into()));
    assert_eq!(
        content_pane::loaded_by(&snapshot, SystemTime::now()).unwrap(),
        format!("loaded by this window (pid {})", std::process::id())
    );
    assert_eq!(content_pane::also_attached(&snapshot, &[]), None);
    assert_eq!(ContentPane::new(snapshot).shown_text(), "two, 日本");
}

#[test]
fn a_long_text_is_read_in_part() {
    let place = Place::new();
    let publisher = place.publisher();
    let long = "語".repeat(TEXT_LIMIT);
    publisher.publish_text(&long).unwrap();
    let snapshot = place.read().unwrap();
    assert_eq!(snapshot.bytes, long.len() as u64);
    let Preview::Text(text) = snapshot.content else {
        panic!("it is a text");
    };
    assert!(!text.is_whole);
    assert_eq!(text.shown.len(), TEXT_LIMIT / 3 * 3);
    assert!(long.starts_with(&text.shown));
}

#[test]
fn an_array_from_elsewhere_is_shown_as_bytes_with_its_facts() {
    let place = Place::new();
    let publisher = place.publisher();
    let array = ArrayMetadata::new(ElementType::Float32, [3, 4]).unwrap();
    let origin = Origin::new("hostA", "camera", 7, SystemTime::now());
    let annotations = Annotations::new().with_origin(origin);
    publisher
        .publish_with(&array.into(), &annotations, &[7; 48])
        .unwrap();
    let snapshot = place.read().unwrap();
    assert_eq!(snapshot.kind(), "array");
    let now = SystemTime::now();
    let facts = content_pane::facts(&snapshot, now);
    assert!(facts.contains("f4 · 3 × 4 · 48 bytes"), "{facts}");
    let loaded = content_pane::loaded_by(&snapshot, now).unwrap();
    assert!(
        loaded.starts_with("loaded by camera on hostA, "),
        "{loaded}"
    );
    let Preview::Bytes(bytes) = &snapshot.content else {
        panic!("{snapshot:?} are no bytes");
    };
    assert_eq!(bytes.head, [7; 48]);
}

#[test]
fn a_picture_is_prepared_for_drawing() {
    let place = Place::new();
    let publisher = place.publisher();
    let metadata = ImageMetadata::packed(PixelFormat::Bgra8, 60, 50).unwrap();
    let metadata = metadata.with_stride(250).unwrap();
    let payload: Vec<u8> = (0..=255).cycle().take(250 * 50).collect();
    publisher
        .publish(&Metadata::Image(metadata), &payload)
        .unwrap();
    let snapshot = place.read().unwrap();
    let Preview::Picture(picture) = &snapshot.content else {
        panic!("{snapshot:?} is no picture");
    };
    let iced::widget::image::Handle::Rgba { pixels, .. } = &picture.handle else {
        panic!("a picture is drawn from RGBA");
    };
    assert_eq!(pixels.len(), 60 * 50 * 4);
    // The first pixel of the second row: 250, 251, 252, 253 in the order blue, green, red, alpha.
    assert_eq!(pixels[240..244], [252, 251, 250, 253]);
    let facts = content_pane::facts(&snapshot, SystemTime::now());
    assert!(
        facts.starts_with("image · 60 × 50 · 12.5 kB · sequence 1 · "),
        "{facts}"
    );
}

#[test]
fn bytes_and_blocks_show_their_first_bytes() {
    let place = Place::new();
    let publisher = place.publisher();
    let metadata =
        Metadata::from(BytesMetadata::new("application/pdf").with_file_name("report.pdf"));
    publisher.publish(&metadata, &[7; 10_000]).unwrap();
    let snapshot = place.read().unwrap();
    assert_eq!(snapshot.bytes, 10_000);
    let Preview::Bytes(bytes) = snapshot.content else {
        panic!("it is bytes");
    };
    assert_eq!(bytes.head, [7; HEAD_LIMIT]);
    assert_eq!(bytes.media_type.as_deref(), Some("application/pdf"));
    drop(publisher);

    let block = Block::create(&place.key, 3, &place.options).unwrap();
    block
        .lock()
        .unwrap()
        .ignore_abandonment()
        .copy_from_slice(b"abc");
    let snapshot = place.read().unwrap();
    assert_eq!((snapshot.bytes, snapshot.sequence()), (3, None));
    let Preview::Bytes(bytes) = snapshot.content else {
        panic!("a block is bytes");
    };
    assert_eq!(bytes.head, b"abc");
    assert_eq!(bytes.media_type, None);
}
