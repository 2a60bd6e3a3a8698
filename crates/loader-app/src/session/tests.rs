//! Loading, clearing and releasing, each test in its own directory.

use super::*;
use crate::progress::ReadProgress;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::session::snapshot::Snapshot;
use shm_core::{Key, Message, Subscriber, segment};
use shm_io::Source;
use tempfile::TempDir;

struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn options(&self) -> Options {
        Options::new().directory(self.directory.path())
    }

    fn session(&self) -> Session {
        Session::new(self.options())
    }

    fn snapshot(&self, name: &str) -> Option<Snapshot> {
        Snapshot::read(&Source::new(key(name)).options(self.options())).ok()
    }

    fn message(&self, name: &str) -> Message {
        Subscriber::attach(&key(name), &self.options())
            .unwrap()
            .latest()
            .unwrap()
            .expect("something is loaded")
            .to_message()
            .unwrap()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn text(text: &str) -> Loadable {
    Loadable::Text(text.to_owned())
}

#[test]
fn each_load_has_the_next_sequence() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    let first = session.load(key("K"), &mut text("one")).unwrap();
    assert_eq!(
        first.to_string(),
        "Loaded text, 3 bytes, into K (sequence 1)."
    );
    let second = session.load(key("K"), &mut text("2")).unwrap();
    assert_eq!(
        second.to_string(),
        "Loaded text, 1 byte, into K (sequence 2)."
    );
    assert_eq!(fixture.message("K"), Message::Text("2".to_owned()));
}

#[test]
fn bytes_of_any_length_are_published_unchanged() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    for length in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        let path = fixture.file("table.csv", &bytes);
        let mut content = Loadable::Bytes(ByteSource::open(&path).unwrap());
        let loaded = session.load(key("K"), &mut content).unwrap();
        assert_eq!((loaded.kind, loaded.bytes), ("bytes", length as u64));
        let Message::Bytes { metadata, data } = fixture.message("K") else {
            panic!("bytes were loaded");
        };
        assert_eq!(metadata.media_type, "text/csv");
        assert_eq!(metadata.file_name.as_deref(), Some("table.csv"));
        assert!(data == bytes, "{length} bytes");
    }
}

#[test]
fn the_media_type_without_an_extension_comes_from_the_content() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    for (length, begins, media_type) in [
        (0, "", "application/octet-stream"),
        (9_000, "", "application/octet-stream"),
        (9_000, "%PDF-1.7", "application/pdf"),
        (100_000, "%PDF-1.7", "application/pdf"),
    ] {
        let mut bytes = vec![7; length];
        bytes[..begins.len()].copy_from_slice(begins.as_bytes());
        let path = fixture.file("file", &bytes);
        let mut content = Loadable::Bytes(ByteSource::open(&path).unwrap());
        session.load(key("K"), &mut content).unwrap();
        let Message::Bytes { metadata, data } = fixture.message("K") else {
            panic!("bytes were loaded");
        };
        assert_eq!(metadata.media_type, media_type);
        assert!(data == bytes, "{length} bytes");
    }
}

#[test]
fn an_error_names_the_file_that_cannot_be_read() {
    let error = ByteSource::open(Path::new("/nonexistent/report.pdf")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/report.pdf cannot be read. The file does not exist: check the path."
    );
    let fixture = Fixture::new();
    let error = ByteSource::open(fixture.directory.path()).unwrap_err();
    assert!(error.to_string().contains("It is a folder"), "{error}");
}

#[test]
fn dropping_a_session_releases_its_segment() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.load(key("K"), &mut text("short-lived")).unwrap();
    drop(session);
    assert!(fixture.snapshot("K").is_none());
}

#[test]
fn a_segment_with_another_participant_remains() {
    let fixture = Fixture::new();
    let (mut one, mut other) = (fixture.session(), fixture.session());
    one.load(key("K"), &mut text("one")).unwrap();
    other.load(key("K"), &mut text("other")).unwrap();
    let released = one.sink.release().expect("something was loaded");
    assert!(!released.is_removed);
    assert!(describe_released(&released).contains("it stays"));
    assert_eq!(fixture.message("K"), Message::Text("other".to_owned()));
    assert!(
        other
            .sink
            .release()
            .expect("something was loaded")
            .is_removed
    );
    assert!(other.sink.release().is_none());
}

#[test]
fn a_failed_load_leaves_no_segment() {
    let fixture = Fixture::new();
    let mut png = fs::read(picture(&fixture)).unwrap();
    png.truncate(png.len() - 20);
    let path = fixture.file("cut.png", &png);
    let error = fixture
        .session()
        .load(key("K"), &mut Loadable::Picture(path, Arc::default()))
        .unwrap_err();
    assert!(matches!(error, LoadError::Picture(_)), "{error:?}");
    assert!(fixture.snapshot("K").is_none());
}

#[test]
fn a_cancelled_load_leaves_the_previous_content() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.load(key("K"), &mut text("kept")).unwrap();
    for name in ["K", "Other"] {
        let progress = Arc::new(ReadProgress::default());
        progress.cancel();
        let mut content = Loadable::Picture(picture(&fixture), progress);
        let error = session.load(key(name), &mut content).unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
    }
    assert_eq!(fixture.message("K"), Message::Text("kept".to_owned()));
    assert!(fixture.snapshot("Other").is_none());
}

#[test]
fn a_persistent_segment_outlives_its_session() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.sink.persist().expect("nothing to do");
    session.load(key("K"), &mut text("stays")).unwrap();
    session.sink.persist().unwrap();
    let released = session.sink.release().expect("something was loaded");
    assert!(!released.is_removed);
    assert_eq!(fixture.message("K"), Message::Text("stays".to_owned()));
}

#[test]
fn a_segment_removed_by_force_is_created_again() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.load(key("K"), &mut text("first")).unwrap();
    assert!(session.sink.release_if_lost().is_none());
    segment::remove(&key("K"), &fixture.options(), segment::Removal::Forced).unwrap();
    let loaded = session.load(key("K"), &mut text("second")).unwrap();
    assert_eq!(loaded.sequence, 1);
    assert_eq!(fixture.message("K"), Message::Text("second".to_owned()));
    segment::remove(&key("K"), &fixture.options(), segment::Removal::Forced).unwrap();
    assert_eq!(session.sink.release_if_lost(), Some(key("K").into()));
    assert!(session.sink.release().is_none());
}

#[test]
fn clear_leaves_the_segment_empty() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    assert_eq!(session.sink.clear().unwrap(), None);
    session.load(key("K"), &mut text("a secret")).unwrap();
    assert_eq!(session.sink.clear().unwrap(), Some(key("K").into()));
    assert!(fixture.snapshot("K").expect("still attached").is_empty());
}

#[test]
fn a_foreign_file_is_not_overwritten() {
    let fixture = Fixture::new();
    let mut session = fixture.session();
    session.load(key("K"), &mut text("first")).unwrap();
    let name = fs::read_dir(fixture.directory.path())
        .unwrap()
        .next()
        .expect("the segment")
        .unwrap()
        .file_name();
    let foreign = fixture.file(&name.to_string_lossy().replace('K', "F"), b"foreign");
    let error = session.load(key("F"), &mut text("lost")).unwrap_err();
    assert_eq!(error.headline(), "Unable to create shared memory segment.");
    assert_eq!(fs::read(foreign).unwrap(), b"foreign");
    assert_eq!(fixture.message("K"), Message::Text("first".to_owned()));
}

fn picture(fixture: &Fixture) -> PathBuf {
    let path = fixture.directory.path().join("whole.png");
    image::RgbImage::from_fn(64, 64, |x, y| {
        image::Rgb([x, y, x * y].map(|number| number.to_le_bytes()[0]))
    })
    .save(&path)
    .unwrap();
    path
}
