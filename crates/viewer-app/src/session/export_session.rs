//! What is shown, taken out of the window: saved or copied, whole where that can still be had.

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

/// What is to be saved, and where.
#[derive(Clone, Debug)]
pub(crate) struct Saving {
    /// What the window shows.
    pub(crate) held: Snapshot,
    /// All of it, where it was held on to in time.
    pub(crate) kept: Option<Arc<Content>>,
    /// The file.
    pub(crate) path: PathBuf,
    /// What becomes of a file that is there already.
    pub(crate) existing: Existing,
    /// Whether a part will do, where the window holds no more.
    pub(crate) accepts_part: bool,
}

/// Why nothing was saved.
#[derive(Clone, Debug)]
pub(crate) enum SaveError {
    /// There is a file already.
    Taken(PathBuf),
    /// Only a part is left, as [`export::part_held`] says it.
    OnlyPart {
        /// How much that is.
        part: String,
        /// Where it should have gone.
        path: PathBuf,
    },
    /// It could not be written: what is wrong, and what to do.
    Failed(String),
}

/// Whether what has just taken the place of what is shown will do as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newest {
    /// It will: what follows each other many times a second is gone before it can be asked for.
    Accepted,
    /// It will not: it is something else.
    Refused,
}

/// All of what is shown, held on to, so that nothing takes its place while a path is written.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    key: Address,
    form: Option<Form>,
    origin: Option<Publication>,
    digest: Option<Digest>,
    /// Nothing where it is not there any more.
    pub(crate) content: Option<Arc<Content>>,
}

impl Kept {
    /// Returns `true` if this was held on to for what is shown there.
    pub(crate) fn is_of(&self, held: &Snapshot) -> bool {
        self.key == held.key
            && self.form == held.form
            && self.origin == held.origin
            && self.digest == held.digest
    }
}

/// Holds on to all of what is shown.
pub(crate) fn keep(held: Snapshot, newest: Newest) -> Task<Kept> {
    let (key, form, digest) = (held.key.clone(), held.form, held.digest);
    let origin = held.origin.clone();
    let content = move || whole(&Options::new(), &held, newest).map(Arc::new);
    worker::run("keep", content).map(move |worked| Kept {
        key: key.clone(),
        form,
        origin: origin.clone(),
        digest,
        content: worked.ok().flatten(),
    })
}

/// Saves what is shown, and returns where: all of it from shared memory, where it is still there;
/// else what the window holds.
pub(crate) fn save(saving: Saving) -> Task<Result<PathBuf, SaveError>> {
    worker::run("save", move || save_now(&Options::new(), saving)).map(|worked| match worked {
        Ok(outcome) => outcome,
        Err(error) => Err(SaveError::Failed(error.to_string())),
    })
}

fn save_now(options: &Options, saving: Saving) -> Result<PathBuf, SaveError> {
    let Saving {
        held,
        kept,
        path,
        existing,
        accepts_part,
    } = saving;
    // Before a long text is fetched for nothing.
    if existing == Existing::Keep && save_file::is_taken(&path) {
        return Err(SaveError::Taken(path));
    }
    let kept = kept.or_else(|| whole(options, &held, Newest::Refused).map(Arc::new));
    let file = SaveFile::at(&path).existing(existing);
    let saved = match (kept, export::part_held(&held)) {
        (Some(content), _) => export::save(&content, file, Limit::DEFAULT),
        (None, Some(part)) if !accepts_part => return Err(SaveError::OnlyPart { part, path }),
        (None, _) => export::save_held(&held, file),
    };
    match saved {
        Ok(()) => Ok(path),
        Err(ExportError::File(error)) if error.is_taken() => Err(SaveError::Taken(path)),
        Err(error) => Err(SaveError::Failed(error.to_string())),
    }
}

/// What is to be copied, and how much of it, where that is not all.
#[derive(Clone, Debug)]
pub(crate) struct Copying {
    pub(crate) copied: Copied,
    pub(crate) part: Option<String>,
}

/// Why there is nothing to copy: what is wrong, and what to do.
#[derive(Clone, Debug)]
pub(crate) struct CopyError(String);

impl fmt::Display for CopyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Gets for the clipboard what is shown, as [`save`] does for a file.
pub(crate) fn copy(held: Snapshot, newest: Newest) -> Task<Result<Copying, CopyError>> {
    worker::run("copy", move || copy_now(&Options::new(), &held, newest)).map(
        |worked: Result<_, WorkerError>| match worked {
            Ok(outcome) => outcome.map_err(|error: ExportError| CopyError(error.to_string())),
            Err(error) => Err(CopyError(error.to_string())),
        },
    )
}

fn copy_now(options: &Options, held: &Snapshot, newest: Newest) -> Result<Copying, ExportError> {
    Ok(match whole(options, held, newest) {
        Some(content) => Copying {
            copied: export::copy(&content)?,
            part: None,
        },
        None => Copying {
            copied: export::copy_held(held)?,
            part: export::part_held(held),
        },
    })
}

/// Fetches again what is shown; `None` where something else has taken its place.
fn whole(options: &Options, held: &Snapshot, newest: Newest) -> Option<Content> {
    let source = Source::new(&held.key).form(held.form);
    let content = source.options(options.clone()).read().ok()?;
    let is_same = match (content.publication(), &held.origin) {
        (Some(_), Some(_)) if newest == Newest::Accepted => content.kind() == held.kind(),
        // Sequence numbers begin anew with the segment: the time tells them apart.
        (Some(found), Some(origin)) => {
            found.sequence == origin.sequence
                && found.published == origin.published
                && found.writer.is(origin.writer)
        }
        // Qt programs count nothing, and what is in a block is what it is now.
        (None, None) => {
            (content.is_block() || content.form().is_some()) && content.digest() == held.digest
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

    /// A directory of a test's own, for a segment and for files.
    struct Bench {
        directory: TempDir,
        publisher: Option<Publisher>,
    }

    impl Bench {
        fn new() -> Bench {
            let directory = tempfile::tempdir().expect("there is room");
            let key = Key::new("K").expect("it is a key");
            let options = Options::new().directory(directory.path());
            Bench {
                publisher: Publisher::open(&key, &options).ok(),
                directory,
            }
        }

        fn options(&self) -> Options {
            Options::new().directory(self.directory.path())
        }

        fn publisher(&self) -> &Publisher {
            self.publisher.as_ref().expect("it has not left")
        }

        fn shown(&self) -> Snapshot {
            let source = Source::new(self.publisher().key()).options(self.options());
            Snapshot::read(&source).expect("it is there")
        }

        fn copy(&self, held: &Snapshot) -> Copying {
            copy_now(&self.options(), held, Newest::Refused).expect("something is held")
        }

        fn save(&self, held: &Snapshot, name: &str, accepts_part: bool) -> Result<(), SaveError> {
            let saving = Saving {
                held: held.clone(),
                kept: None,
                path: self.path(name),
                existing: Existing::Keep,
                accepts_part,
            };
            save_now(&self.options(), saving).map(drop)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.path().join(name)
        }

        fn read(&self, name: &str) -> Vec<u8> {
            fs::read(self.path(name)).expect("it was saved")
        }
    }

    #[test]
    fn a_long_text_goes_out_whole_as_long_as_it_is_there() {
        let bench = Bench::new();
        let long = "0123456789 日本\n".repeat(20_000);
        bench
            .publisher()
            .publish_text(&long)
            .expect("there is room");
        let held = bench.shown();
        bench.save(&held, "whole", false).expect("it is there");
        assert!(bench.read("whole") == long.as_bytes());
        let copying = bench.copy(&held);
        assert_eq!(copying.copied, Copied::Text(long.clone()));
        assert_eq!(copying.part, None);

        let kept = whole(&bench.options(), &held, Newest::Refused).map(Arc::new);
        assert!(kept.is_some());

        // Something else under the key must never be taken for it.
        bench
            .publisher()
            .publish_text("another")
            .expect("there is room");
        let refused = bench.save(&held, "part", false);
        assert!(
            matches!(&refused, Err(SaveError::OnlyPart { part, .. }) if part.contains("of 360 kB")),
            "{refused:?}"
        );
        bench.save(&held, "part", true).expect("it is wanted");
        let part = bench.read("part");
        assert!(!part.is_empty() && part.len() < long.len());
        assert!(long.as_bytes().starts_with(&part));
        assert!(bench.copy(&held).part.is_some());

        // What was held on to in time goes out whole.
        let saving = Saving {
            held: held.clone(),
            kept,
            path: bench.path("kept"),
            existing: Existing::Keep,
            accepts_part: false,
        };
        save_now(&bench.options(), saving).expect("it was kept");
        assert!(bench.read("kept") == long.as_bytes());

        // Of what follows each other so fast that nobody could have asked, the newest will do.
        let newest = copy_now(&bench.options(), &held, Newest::Accepted).expect("it is there");
        assert_eq!(newest.copied, Copied::Text("another".to_owned()));
    }

    #[test]
    fn what_is_held_whole_goes_out_after_its_loader_has_left() {
        let mut bench = Bench::new();
        bench
            .publisher()
            .publish_text("a\r\nb")
            .expect("there is room");
        let text = bench.shown();
        let metadata = ImageMetadata::packed(PixelFormat::Bgra8, 2, 1).expect("it is small");
        let pixels = [1, 2, 3, 255, 4, 5, 6, 128];
        bench
            .publisher()
            .publish(&Metadata::Image(metadata), &pixels)
            .expect("there is room");
        let held = bench.shown();
        bench.publisher = None;
        bench.save(&text, "text", false).expect("it is held whole");
        assert_eq!(bench.read("text"), b"a\r\nb");
        bench.save(&held, "picture.png", false).expect("it is held");
        let saved = image::open(bench.path("picture.png")).expect("it is a picture");
        assert_eq!(saved.to_rgba8().as_raw(), &[3, 2, 1, 255, 6, 5, 4, 128]);
    }

    #[test]
    fn what_a_qt_program_streams_goes_out_as_it_was_read() {
        let bench = Bench::new();
        let key = format!("systemv:{}/native", bench.directory.path().display());
        let key: QtKey = key.parse().expect("it is a key");
        let message = shm_core::Message::Text("hi".to_owned());
        let stream = Stream::new(&message, Form::QByteArray).expect("it fits");
        let mut publisher = qt_bridge::Publisher::new(&key, shm_io::TIMEOUT);
        publisher.publish(&stream).expect("there is room");
        for (form, text) in [(None, "hi"), (Some(Form::QString), "桩")] {
            let held = Snapshot::read(&Source::new(&key).form(form)).expect("it is there");
            bench.save(&held, text, false).expect("it is there");
            assert_eq!(bench.read(text), text.as_bytes());
            let copied = bench.copy(&held).copied;
            assert_eq!(copied, Copied::Text(text.to_owned()));
        }
    }

    #[test]
    fn what_a_qt_program_streams_next_is_not_taken_for_what_is_shown() {
        let bench = Bench::new();
        let key = format!("systemv:{}/native", bench.directory.path().display());
        let key: QtKey = key.parse().expect("it is a key");
        let mut publisher = qt_bridge::Publisher::new(&key, shm_io::TIMEOUT);
        let mut publish = |text: &str| {
            let message = shm_core::Message::Text(text.to_owned());
            let stream = Stream::new(&message, Form::QString).expect("it fits");
            publisher.publish(&stream).expect("there is room");
        };
        let long = "0123456789".repeat(20_000);
        publish(&long);
        let held = Snapshot::read(&Source::new(&key)).expect("it is there");
        // The same once more is the same.
        publish(&long);
        assert_eq!(bench.copy(&held).copied, Copied::Text(long));

        publish("another");
        for newest in [Newest::Accepted, Newest::Refused] {
            assert!(whole(&bench.options(), &held, newest).is_none());
        }
        assert!(bench.copy(&held).part.is_some());
        let refused = bench.save(&held, "part", false);
        assert!(
            matches!(refused, Err(SaveError::OnlyPart { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn what_is_there_already_is_not_touched() {
        let bench = Bench::new();
        bench
            .publisher()
            .publish_text("new")
            .expect("there is room");
        fs::write(bench.path("file"), "old").expect("there is room");
        let refused = bench.save(&bench.shown(), "file", true);
        assert!(matches!(refused, Err(SaveError::Taken(_))), "{refused:?}");
        assert_eq!(bench.read("file"), b"old");
        let refused = bench.save(&bench.shown(), "no/such/folder", false);
        assert!(
            matches!(&refused, Err(SaveError::Failed(why)) if why.contains("Create the folder first")),
            "{refused:?}"
        );
    }
}
