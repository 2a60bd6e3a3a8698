//! Loading, clearing and letting go, in a directory of their own.

use super::*;
use crate::progress::Progress;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::session::snapshot::Snapshot;
use shm_core::{Key, Message, Subscriber, segment};
use shm_io::Source;
use tempfile::TempDir;

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
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
fn each_load_has_the_next_generation() {
    let place = Place::new();
    let mut session = place.session();
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
    assert_eq!(place.message("K"), Message::Text("2".to_owned()));
}

#[test]
fn bytes_of_any_length_arrive_as_they_are() {
    let place = Place::new();
    let mut session = place.session();
    for length in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        let path = place.file("table.csv", &bytes);
        let mut content = Loadable::Bytes(Bytes::open(&path).unwrap());
        let loaded = session.load(key("K"), &mut content).unwrap();
        assert_eq!((loaded.kind, loaded.bytes), ("bytes", length as u64));
        let Message::Bytes { metadata, data } = place.message("K") else {
            panic!("bytes were loaded");
        };
        assert_eq!(metadata.media_type, "text/csv");
        assert_eq!(metadata.file_name.as_deref(), Some("table.csv"));
        assert!(data == bytes, "{length} bytes");
    }
}

#[test]
fn bytes_without_a_telling_name_are_known_by_their_beginning() {
    let place = Place::new();
    let mut session = place.session();
    for (length, begins, media_type) in [
        (0, "", "application/octet-stream"),
        (9_000, "", "application/octet-stream"),
        (9_000, "%PDF-1.7", "application/pdf"),
        (100_000, "%PDF-1.7", "application/pdf"),
    ] {
        let mut bytes = vec![7; length];
        bytes[..begins.len()].copy_from_slice(begins.as_bytes());
        let path = place.file("file", &bytes);
        let mut content = Loadable::Bytes(Bytes::open(&path).unwrap());
        session.load(key("K"), &mut content).unwrap();
        let Message::Bytes { metadata, data } = place.message("K") else {
            panic!("bytes were loaded");
        };
        assert_eq!(metadata.media_type, media_type);
        assert!(data == bytes, "{length} bytes");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let error = Bytes::open(Path::new("/nonexistent/report.pdf")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/report.pdf cannot be read. There is no such file: check the path."
    );
    let place = Place::new();
    let error = Bytes::open(place.directory.path()).unwrap_err();
    assert!(error.to_string().contains("It is a folder"), "{error}");
}

#[test]
fn dropping_a_session_lets_go() {
    let place = Place::new();
    let mut session = place.session();
    session.load(key("K"), &mut text("short-lived")).unwrap();
    drop(session);
    assert!(place.snapshot("K").is_none());
}

#[test]
fn what_is_not_alone_stays() {
    let place = Place::new();
    let (mut one, mut other) = (place.session(), place.session());
    one.load(key("K"), &mut text("one")).unwrap();
    other.load(key("K"), &mut text("other")).unwrap();
    let released = one.sink.release().expect("something was loaded");
    assert!(!released.is_removed);
    assert!(describe_released(&released).contains("it stays"));
    assert_eq!(place.message("K"), Message::Text("other".to_owned()));
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
fn a_failure_leaves_no_segment() {
    let place = Place::new();
    let mut png = fs::read(picture(&place)).unwrap();
    png.truncate(png.len() - 20);
    let path = place.file("cut.png", &png);
    let error = place
        .session()
        .load(key("K"), &mut Loadable::Picture(path, Arc::default()))
        .unwrap_err();
    assert!(matches!(error, LoadError::Picture(_)), "{error:?}");
    assert!(place.snapshot("K").is_none());
}

#[test]
fn what_is_cancelled_leaves_what_was_loaded() {
    let place = Place::new();
    let mut session = place.session();
    session.load(key("K"), &mut text("kept")).unwrap();
    for name in ["K", "Other"] {
        let progress = Arc::new(Progress::default());
        progress.cancel();
        let mut content = Loadable::Picture(picture(&place), progress);
        let error = session.load(key(name), &mut content).unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
    }
    assert_eq!(place.message("K"), Message::Text("kept".to_owned()));
    assert!(place.snapshot("Other").is_none());
}

#[test]
fn what_persists_outlives_its_session() {
    let place = Place::new();
    let mut session = place.session();
    session.sink.persist().expect("nothing to do");
    session.load(key("K"), &mut text("stays")).unwrap();
    session.sink.persist().unwrap();
    let released = session.sink.release().expect("something was loaded");
    assert!(!released.is_removed);
    assert_eq!(place.message("K"), Message::Text("stays".to_owned()));
}

#[test]
fn what_was_removed_by_force_is_made_anew() {
    let place = Place::new();
    let mut session = place.session();
    session.load(key("K"), &mut text("first")).unwrap();
    assert!(session.sink.release_if_lost().is_none());
    segment::remove(&key("K"), &place.options(), segment::Removal::Forced).unwrap();
    let loaded = session.load(key("K"), &mut text("second")).unwrap();
    assert_eq!(loaded.sequence, 1);
    assert_eq!(place.message("K"), Message::Text("second".to_owned()));
    segment::remove(&key("K"), &place.options(), segment::Removal::Forced).unwrap();
    assert_eq!(session.sink.release_if_lost(), Some(key("K").into()));
    assert!(session.sink.release().is_none());
}

#[test]
fn clear_leaves_nothing_to_read() {
    let place = Place::new();
    let mut session = place.session();
    assert_eq!(session.sink.clear().unwrap(), None);
    session.load(key("K"), &mut text("a secret")).unwrap();
    assert_eq!(session.sink.clear().unwrap(), Some(key("K").into()));
    assert!(place.snapshot("K").expect("still attached").is_empty());
}

#[test]
fn foreign_files_are_left_alone() {
    let place = Place::new();
    let mut session = place.session();
    session.load(key("K"), &mut text("first")).unwrap();
    let name = fs::read_dir(place.directory.path())
        .unwrap()
        .next()
        .expect("the segment")
        .unwrap()
        .file_name();
    let foreign = place.file(&name.to_string_lossy().replace('K', "F"), b"foreign");
    let error = session.load(key("F"), &mut text("lost")).unwrap_err();
    assert_eq!(error.headline(), "Unable to create shared memory segment.");
    assert_eq!(fs::read(foreign).unwrap(), b"foreign");
    assert_eq!(place.message("K"), Message::Text("first".to_owned()));
}

fn picture(place: &Place) -> PathBuf {
    let path = place.directory.path().join("whole.png");
    image::RgbImage::from_fn(64, 64, |x, y| {
        image::Rgb([x, y, x * y].map(|number| number.to_le_bytes()[0]))
    })
    .save(&path)
    .unwrap();
    path
}
