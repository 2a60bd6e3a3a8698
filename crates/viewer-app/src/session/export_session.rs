//! Saves or copies the shown content: all of it if it is still in shared memory, else the part that
//! the window holds.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use gui_common::desktop::clipboard::Copied;
use gui_common::desktop::save_file::{self, Existing, SaveFile};
use gui_common::picture::limit::Limit;
use gui_common::session::snapshot::Snapshot;
use gui_common::session::worker::{self, WorkerError};
use iced::Task;
use qt_bridge::{Digest, Form};
use shm_core::Options;
use shm_io::{Address, Content, Publication, Source};

use crate::export::{self, ExportError};

/// A request to save the shown content.
#[derive(Clone, Debug)]
pub(crate) struct SaveRequest {
    /// The content as the window shows it.
    pub(crate) snapshot: Snapshot,
    /// The full content, if it was fetched in time.
    pub(crate) full: Option<Arc<Content>>,
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// Whether an existing file is replaced.
    pub(crate) existing: Existing,
    /// Whether a part is saved if the window holds no more.
    pub(crate) accepts_part: bool,
}

/// The error of saving.
#[derive(Clone, Debug)]
pub(crate) enum SaveError {
    /// The file exists.
    Exists(PathBuf),
    /// Only a part of the content is available.
    Partial {
        /// The description of the part by [`export::held_part`].
        part: String,
        /// The path of the file.
        path: PathBuf,
    },
    /// The file could not be written: the explanation, with a remedy.
    Failed(String),
}

/// Whether a newer sample is exported if it has replaced the shown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfReplaced {
    /// Exports the newer sample: live frames are replaced before the user can react.
    Accept,
    /// Exports what the window holds of the shown sample.
    Refuse,
}

/// The full content of what is shown, fetched early, so that it is not replaced while the user
/// types a path.
#[derive(Clone, Debug)]
pub(crate) struct FullContent {
    key: Address,
    form: Option<Form>,
    origin: Option<Publication>,
    digest: Option<Digest>,
    /// `None` if the content was no longer there.
    pub(crate) content: Option<Arc<Content>>,
}

impl FullContent {
    /// Returns `true` if this was fetched for `snapshot`.
    pub(crate) fn is_of(&self, snapshot: &Snapshot) -> bool {
        self.key == snapshot.key
            && self.form == snapshot.form
            && self.origin == snapshot.origin
            && self.digest == snapshot.digest
    }
}

/// Fetches the full content of what is shown.
pub(crate) fn fetch_full(snapshot: Snapshot, if_replaced: IfReplaced) -> Task<FullContent> {
    let (key, form, digest) = (snapshot.key.clone(), snapshot.form, snapshot.digest);
    let origin = snapshot.origin.clone();
    let content = move || read_again(&Options::new(), &snapshot, if_replaced).map(Arc::new);
    worker::run("fetch", content).map(move |worked| FullContent {
        key: key.clone(),
        form,
        origin: origin.clone(),
        digest,
        content: worked.ok().flatten(),
    })
}

/// Saves the shown content and returns the path: all of it if it is still in shared memory, else
/// the part that the window holds.
pub(crate) fn save(request: SaveRequest) -> Task<Result<PathBuf, SaveError>> {
    worker::run("save", move || save_now(&Options::new(), request)).map(|worked| match worked {
        Ok(outcome) => outcome,
        Err(error) => Err(SaveError::Failed(error.to_string())),
    })
}

fn save_now(options: &Options, request: SaveRequest) -> Result<PathBuf, SaveError> {
    let SaveRequest {
        snapshot,
        full,
        path,
        existing,
        accepts_part,
    } = request;
    // Checked first, to avoid fetching a long content in vain.
    if existing == Existing::Keep && save_file::is_taken(&path) {
        return Err(SaveError::Exists(path));
    }
    let full = full.or_else(|| read_again(options, &snapshot, IfReplaced::Refuse).map(Arc::new));
    let file = SaveFile::at(&path).existing(existing);
    let saved = match (full, export::held_part(&snapshot)) {
        (Some(content), _) => export::save(&content, file, Limit::DEFAULT),
        (None, Some(part)) if !accepts_part => return Err(SaveError::Partial { part, path }),
        (None, _) => export::save_snapshot(&snapshot, file),
    };
    match saved {
        Ok(()) => Ok(path),
        Err(ExportError::File(error)) if error.is_taken() => Err(SaveError::Exists(path)),
        Err(error) => Err(SaveError::Failed(error.to_string())),
    }
}

/// A content for the clipboard.
#[derive(Clone, Debug)]
pub(crate) struct CopyContent {
    pub(crate) copied: Copied,
    /// The description of the part, if it is not all of the content.
    pub(crate) part: Option<String>,
}

/// The error of copying: the explanation, with a remedy.
#[derive(Clone, Debug)]
pub(crate) struct CopyError(String);

impl fmt::Display for CopyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Fetches the shown content for the clipboard, like [`save`] for a file.
pub(crate) fn copy(
    snapshot: Snapshot,
    if_replaced: IfReplaced,
) -> Task<Result<CopyContent, CopyError>> {
    worker::run("copy", move || {
        copy_now(&Options::new(), &snapshot, if_replaced)
    })
    .map(|worked: Result<_, WorkerError>| match worked {
        Ok(outcome) => outcome.map_err(|error: ExportError| CopyError(error.to_string())),
        Err(error) => Err(CopyError(error.to_string())),
    })
}

fn copy_now(
    options: &Options,
    snapshot: &Snapshot,
    if_replaced: IfReplaced,
) -> Result<CopyContent, ExportError> {
    Ok(match read_again(options, snapshot, if_replaced) {
        Some(content) => CopyContent {
            copied: export::copy(&content)?,
            part: None,
        },
        None => CopyContent {
            copied: export::copy_snapshot(snapshot)?,
            part: export::held_part(snapshot),
        },
    })
}

/// Reads the shown content again. Returns `None` if it was replaced.
fn read_again(options: &Options, snapshot: &Snapshot, if_replaced: IfReplaced) -> Option<Content> {
    let source = Source::new(&snapshot.key).form(snapshot.form);
    let content = source.options(options.clone()).read().ok()?;
    let is_same = match (content.publication(), &snapshot.origin) {
        (Some(_), Some(_)) if if_replaced == IfReplaced::Accept => {
            content.kind() == snapshot.kind()
        }
        // Sequences restart with each segment: the time of publication distinguishes them.
        (Some(found), Some(origin)) => {
            found.sequence == origin.sequence
                && found.published == origin.published
                && found.writer.is(origin.writer)
        }
        // Qt contents and blocks have no sequence: their digests are compared.
        (None, None) => {
            (content.is_block() || content.form().is_some()) && content.digest() == snapshot.digest
        }
        _ => false,
    };
    is_same.then_some(content)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use qt_bridge::{QtKey, Stream};
    use shm_core::{ImageMetadata, Key, Metadata, PixelFormat, Publisher};
    use tempfile::TempDir;

    use super::*;

    /// A temporary directory with a publisher, for segments and files.
    struct Fixture {
        directory: TempDir,
        publisher: Option<Publisher>,
    }

    impl Fixture {
        fn new() -> Fixture {
            let directory = tempfile::tempdir().expect("there is room");
            let key = Key::new("K").expect("it is a key");
            let options = Options::new().directory(directory.path());
            Fixture {
                publisher: Publisher::open(&key, &options).ok(),
                directory,
            }
        }

        fn options(&self) -> Options {
            Options::new().directory(self.directory.path())
        }

        fn publisher(&self) -> &Publisher {
            self.publisher.as_ref().expect("it is attached")
        }

        fn snapshot(&self) -> Snapshot {
            let source = Source::new(self.publisher().key()).options(self.options());
            Snapshot::read(&source).expect("it is there")
        }

        fn copy(&self, snapshot: &Snapshot) -> CopyContent {
            copy_now(&self.options(), snapshot, IfReplaced::Refuse).expect("a content is held")
        }

        fn save(
            &self,
            snapshot: &Snapshot,
            name: &str,
            accepts_part: bool,
        ) -> Result<(), SaveError> {
            let request = SaveRequest {
                snapshot: snapshot.clone(),
                full: None,
                path: self.path(name),
                existing: Existing::Keep,
                accepts_part,
            };
            save_now(&self.options(), request).map(drop)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn read(&self, name: &str) -> Vec<u8> {
            fs::read(self.path(name)).expect("it was saved")
        }
    }

    #[test]
    fn a_long_text_is_exported_in_full_until_it_is_replaced() {
        let fixture = Fixture::new();
        let long = "0123456789 日本\n".repeat(20_000);
        fixture
            .publisher()
            .publish_text(&long)
            .expect("there is room");
        let snapshot = fixture.snapshot();
        fixture
            .save(&snapshot, "whole", false)
            .expect("it is there");
        assert!(fixture.read("whole") == long.as_bytes());
        let copy = fixture.copy(&snapshot);
        assert_eq!(copy.copied, Copied::Text(long.clone()));
        assert_eq!(copy.part, None);

        let full = read_again(&fixture.options(), &snapshot, IfReplaced::Refuse).map(Arc::new);
        assert!(full.is_some());

        // A newer content must never be exported instead of the shown one.
        fixture
            .publisher()
            .publish_text("another")
            .expect("there is room");
        let refused = fixture.save(&snapshot, "part", false);
        assert!(
            matches!(&refused, Err(SaveError::Partial { part, .. }) if part.contains("of 360 kB")),
            "{refused:?}"
        );
        fixture.save(&snapshot, "part", true).expect("it is wanted");
        let part = fixture.read("part");
        assert!(!part.is_empty() && part.len() < long.len());
        assert!(long.as_bytes().starts_with(&part));
        assert!(fixture.copy(&snapshot).part.is_some());

        // A content that was fetched in time is exported in full.
        let request = SaveRequest {
            snapshot: snapshot.clone(),
            full,
            path: fixture.path("full"),
            existing: Existing::Keep,
            accepts_part: false,
        };
        save_now(&fixture.options(), request).expect("it was fetched");
        assert!(fixture.read("full") == long.as_bytes());

        // In live mode the newest sample is accepted.
        let newest =
            copy_now(&fixture.options(), &snapshot, IfReplaced::Accept).expect("it is there");
        assert_eq!(newest.copied, Copied::Text("another".to_owned()));
    }

    #[test]
    fn a_fully_held_content_is_exported_after_the_publisher_detached() {
        let mut fixture = Fixture::new();
        fixture
            .publisher()
            .publish_text("a\r\nb")
            .expect("there is room");
        let text = fixture.snapshot();
        let metadata = ImageMetadata::packed(PixelFormat::Bgra8, 2, 1).expect("it is small");
        let pixels = [1, 2, 3, 255, 4, 5, 6, 128];
        fixture
            .publisher()
            .publish(&Metadata::Image(metadata), &pixels)
            .expect("there is room");
        let snapshot = fixture.snapshot();
        fixture.publisher = None;
        fixture
            .save(&text, "text", false)
            .expect("it is held in full");
        assert_eq!(fixture.read("text"), b"a\r\nb");
        fixture
            .save(&snapshot, "picture.png", false)
            .expect("it is held");
        let saved = image::open(fixture.path("picture.png")).expect("it is a picture");
        assert_eq!(saved.to_rgba8().as_raw(), &[3, 2, 1, 255, 6, 5, 4, 128]);
    }

    #[test]
    fn a_qt_content_is_exported_as_it_was_decoded() {
        let fixture = Fixture::new();
        let key = format!("systemv:{}/native", fixture.directory.path().display());
        let key: QtKey = key.parse().expect("it is a key");
        let message = shm_core::Message::Text("hi".to_owned());
        let stream = Stream::new(&message, Form::QByteArray).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, shm_io::TIMEOUT);
        publisher.publish(&stream).expect("there is room");
        for (form, text) in [(None, "hi"), (Some(Form::QString), "桩")] {
            let snapshot = Snapshot::read(&Source::new(&key).form(form)).expect("it is there");
            fixture.save(&snapshot, text, false).expect("it is there");
            assert_eq!(fixture.read(text), text.as_bytes());
            let copied = fixture.copy(&snapshot).copied;
            assert_eq!(copied, Copied::Text(text.to_owned()));
        }
    }

    #[test]
    fn a_newer_qt_content_is_not_exported_instead_of_the_shown_one() {
        let fixture = Fixture::new();
        let key = format!("systemv:{}/native", fixture.directory.path().display());
        let key: QtKey = key.parse().expect("it is a key");
        let mut publisher = qt_bridge::Publisher::new(&key, shm_io::TIMEOUT);
        let mut publish = |text: &str| {
            let message = shm_core::Message::Text(text.to_owned());
            let stream = Stream::new(&message, Form::QString).expect("it fits");
            publisher.publish(&stream).expect("there is room");
        };
        let long = "0123456789".repeat(20_000);
        publish(&long);
        let snapshot = Snapshot::read(&Source::new(&key)).expect("it is there");
        // An equal content has the same digest.
        publish(&long);
        assert_eq!(fixture.copy(&snapshot).copied, Copied::Text(long));

        publish("another");
        for if_replaced in [IfReplaced::Accept, IfReplaced::Refuse] {
            assert!(read_again(&fixture.options(), &snapshot, if_replaced).is_none());
        }
        assert!(fixture.copy(&snapshot).part.is_some());
        let refused = fixture.save(&snapshot, "part", false);
        assert!(
            matches!(refused, Err(SaveError::Partial { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let fixture = Fixture::new();
        fixture
            .publisher()
            .publish_text("new")
            .expect("there is room");
        fs::write(fixture.path("file"), "old").expect("there is room");
        let refused = fixture.save(&fixture.snapshot(), "file", true);
        assert!(matches!(refused, Err(SaveError::Exists(_))), "{refused:?}");
        assert_eq!(fixture.read("file"), b"old");
        let refused = fixture.save(&fixture.snapshot(), "no/such/folder", false);
        assert!(
            matches!(&refused, Err(SaveError::Failed(why)) if why.contains("Create the folder first")),
            "{refused:?}"
        );
    }
}
