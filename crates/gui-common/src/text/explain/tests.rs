use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qt_bridge::{Form, Stream, StreamError};
use shm_core::{
    Access, ForeignReason, ImageMetadata, InvalidSample, Message, MetadataError, MetadataField,
    PixelFormat, Process,
};

use super::*;

/// A user id without a name, because names are not translated.
const NOBODY_KNOWN: u32 = 4_000_000_000;

fn key() -> Key {
    Key::new("K").expect("it is a key")
}

fn system() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn peer() -> Participant {
    Participant {
        process: Process::with_pid(4711),
        program: "camera".to_owned(),
        access: Access::ReadWrite,
        since: None,
    }
}

/// Every error of shm-core that a window can show.
fn errors() -> Vec<Box<dyn Explain>> {
    let mut errors = boxed([
        KeyError::Empty,
        KeyError::TooLong { bytes: 300 },
        KeyError::Character {
            character: '/',
            at: 1,
        },
        KeyError::Character {
            character: '\t',
            at: 1,
        },
        KeyError::Scheme {
            scheme: "shm".to_owned(),
        },
    ]);
    errors.extend(attach_errors());
    errors.extend(publish_and_read_errors());
    errors.extend(lock_and_remove_errors());
    errors
}

fn boxed<E: Explain + 'static>(errors: impl IntoIterator<Item = E>) -> Vec<Box<dyn Explain>> {
    let boxed = |error| Box::new(error) as Box<dyn Explain>;
    errors.into_iter().map(boxed).collect()
}

fn attach_errors() -> Vec<Box<dyn Explain>> {
    let (path, directory) = (PathBuf::from("/dev/shm/K"), PathBuf::from("/nowhere"));
    let kinds = [
        AttachErrorKind::NotFound,
        AttachErrorKind::AlreadyExists,
        AttachErrorKind::Foreign {
            path,
            reason: ForeignReason::Slots { count: 9 },
        },
        AttachErrorKind::Version { found: 9 },
        AttachErrorKind::WrongKind,
        AttachErrorKind::Permission,
        AttachErrorKind::Group { group: 64_044 },
        AttachErrorKind::FileSystem {
            directory: directory.clone(),
            kind: "9".to_owned(),
            doing: "mapping",
        },
        AttachErrorKind::NoDirectory { directory },
        AttachErrorKind::NoSpace,
        AttachErrorKind::FileSizeLimit,
        AttachErrorKind::SlotsFull { slots: 64 },
        AttachErrorKind::SlotsBlocked {
            holder: LockHolder::OtherUser,
        },
        AttachErrorKind::Busy {
            holder: LockHolder::Unknown,
        },
        AttachErrorKind::OtherUser {
            owner: NOBODY_KNOWN,
        },
        AttachErrorKind::Timeout,
        AttachErrorKind::Size { size: 0 },
        AttachErrorKind::Units { units: 40_000 },
        AttachErrorKind::Io { doing: "looking" },
    ];
    boxed(kinds.map(|kind| AttachError::new(&key(), kind).with_source(system())))
}

fn publish_and_read_errors() -> Vec<Box<dyn Explain>> {
    let doing = "writing";
    let publishing = [
        PublishErrorKind::NoSpace { bytes: 42 },
        PublishErrorKind::TooLarge { bytes: 42 },
        PublishErrorKind::FileSizeLimit,
        PublishErrorKind::Metadata(MetadataError::Stride { row: 8, stride: 4 }),
        PublishErrorKind::MetadataTooLong { ring_bytes: 4096 },
        PublishErrorKind::Removed,
        PublishErrorKind::RegionsFull {
            holder: LockHolder::OtherUser,
        },
        PublishErrorKind::RegionsFull {
            holder: LockHolder::Unknown,
        },
        PublishErrorKind::Damaged(InvalidSample::Position),
        PublishErrorKind::Busy,
        PublishErrorKind::Forked,
        PublishErrorKind::Io { doing },
    ];
    let reading = [
        ReadErrorKind::Invalid(InvalidSample::Region { number: 300 }),
        ReadErrorKind::Truncated,
        ReadErrorKind::Busy,
        ReadErrorKind::NoMemory { bytes: 42 },
        ReadErrorKind::Size {
            bytes: 42,
            wanted: 8,
        },
        ReadErrorKind::Forked,
        ReadErrorKind::Io { doing },
    ];
    let publishing =
        boxed(publishing.map(|kind| PublishError::new(&key(), kind).with_source(system())));
    let reading = boxed(reading.map(|kind| ReadError::new(&key(), kind).with_source(system())));
    publishing.into_iter().chain(reading).collect()
}

fn lock_and_remove_errors() -> Vec<Box<dyn Explain>> {
    let locking = [
        LockErrorKind::Timeout {
            holder: Some(Box::new(peer())),
        },
        LockErrorKind::Timeout { holder: None },
        LockErrorKind::WouldBlock,
        LockErrorKind::WouldDeadlock,
        LockErrorKind::NotHeld,
        LockErrorKind::Removed,
        LockErrorKind::NoMemory { bytes: 42 },
        LockErrorKind::Forked,
    ];
    let removing = [
        RemoveErrorKind::NotFound,
        RemoveErrorKind::InUse {
            by: vec![peer(), peer()],
        },
        RemoveErrorKind::Foreign {
            path: PathBuf::from("/dev/shm/K"),
            reason: ForeignReason::Directory {
                owner: NOBODY_KNOWN,
            },
        },
        RemoveErrorKind::Permission,
        RemoveErrorKind::Busy {
            holder: LockHolder::OtherUser,
        },
        RemoveErrorKind::OtherUser {
            owner: NOBODY_KNOWN,
        },
        RemoveErrorKind::Open(Box::new(AttachErrorKind::Io { doing: "removing" })),
        RemoveErrorKind::Open(Box::new(AttachErrorKind::WrongKind)),
    ];
    let locking = boxed(locking.map(|kind| LockError::new(&key(), kind)));
    let removing = boxed(removing.map(|kind| RemoveError::new(&key(), kind).with_source(system())));
    let both = locking.into_iter().chain(removing);
    both.chain(list_errors()).collect()
}

fn list_errors() -> Vec<Box<dyn Explain>> {
    let nowhere = Path::new("/nowhere");
    let kind = "9".to_owned();
    let listing = boxed([
        ListError::new(nowhere, ListErrorKind::FileSystem { kind }),
        ListError::new(nowhere, ListErrorKind::Directory),
        ListError::unreadable(nowhere, system()),
    ]);
    let listed = boxed([
        ListedError::NotUtf8,
        ListedError::Name(KeyError::Empty),
        ListedError::Attach(AttachError::new(&key(), AttachErrorKind::WrongKind)),
    ]);
    listing.into_iter().chain(listed).collect()
}

/// Returns the first English word of an explanation, other than system messages and names of
/// programs and forms.
fn english_in(said: &str) -> Option<String> {
    let mut said = said.replace(&system().to_string(), "");
    for name in ["camera", "QString", "QByteArray", "const char", "QImage"] {
        said = said.replace(name, "");
    }
    crate::testing::english_word_in(&said).map(str::to_owned)
}

/// Invalid files, samples and metadata.
fn reasons() -> Vec<Box<dyn Explain>> {
    let owner = NOBODY_KNOWN;
    let bytes = 300;
    let foreign = [
        ForeignReason::Owner {
            found: owner,
            expected: owner - 1,
        },
        ForeignReason::Directory { owner },
        ForeignReason::SymbolicLink { owner },
        ForeignReason::NamedPipe { owner },
        ForeignReason::Socket { owner },
        ForeignReason::Device { owner },
        ForeignReason::Magic,
        ForeignReason::TooShort,
        ForeignReason::Kind { kind: 9 },
        ForeignReason::Slots { count: 9 },
        ForeignReason::Block { bytes },
        ForeignReason::Ring { bytes },
        ForeignReason::CutShort { bytes, needed: 400 },
        ForeignReason::Memory { bytes, memory: 1 },
    ];
    let samples = [
        InvalidSample::Position,
        InvalidSample::Record,
        InvalidSample::Sequence { sequence: 7 },
        InvalidSample::Payload { bytes },
        InvalidSample::Region { number: 300 },
        InvalidSample::Memory { bytes },
        InvalidSample::Metadata(MetadataError::EndsEarly),
        InvalidSample::Text { valid_up_to: 7 },
    ];
    let fields = [
        MetadataField::FileName,
        MetadataField::MediaType,
        MetadataField::UserData,
        MetadataField::HostName,
        MetadataField::ProgramName,
    ];
    let too_long = fields.map(|field| MetadataError::TooLong { field, bytes: 300 });
    let metadata = [
        MetadataError::Sides {
            width: 0,
            height: 1,
        },
        MetadataError::Stride { row: 8, stride: 4 },
        MetadataError::ImageLength {
            needed: 8,
            found: 4,
        },
        MetadataError::Dimensions { count: 9 },
        MetadataError::ArrayLength {
            needed: 8,
            found: 4,
        },
        MetadataError::ArrayTooLarge,
        MetadataError::EndsEarly,
        MetadataError::NotUtf8,
        MetadataError::Repeated,
        MetadataError::BytesBehind,
    ];
    let mut reasons = boxed(foreign);
    reasons.extend(boxed(samples));
    reasons.extend(boxed(too_long));
    reasons.extend(boxed(metadata));
    reasons
}

#[test]
fn every_error_is_explained_in_sentences_of_both_languages() {
    for error in errors() {
        let english = error.explain();
        let begins = |text: &str| text.starts_with(|first: char| !first.is_lowercase());
        assert!(
            begins(&english) || english.starts_with("its name"),
            "{english}"
        );
        assert!(
            english.ends_with(['.', ')']) || english.starts_with("its name"),
            "{english}"
        );
        let said = language::with_language(Language::SimplifiedChinese, || error.explain());
        assert_ne!(said, english);
        assert_eq!(english_in(&said), None, "{said}");
        assert!(said.ends_with(['。', '）', '名']), "{said}");
        assert!(!said.contains('{') && !english.contains('{'), "{said}");
    }
    let busy = AttachError::new(
        &key(),
        AttachErrorKind::Busy {
            holder: LockHolder::Unknown,
        },
    );
    assert_eq!(english_in(&busy.explain()).as_deref(), Some("Another"));
}

#[test]
fn every_reason_is_explained_in_chinese() {
    for reason in reasons() {
        let english = reason.explain();
        assert!(!english.ends_with('.'), "{english}");
        let said = language::with_language(Language::SimplifiedChinese, || reason.explain());
        assert_ne!(said, english);
        assert_eq!(english_in(&said.replace("UTF-8", "")), None, "{said}");
    }
}

#[test]
fn an_explanation_has_the_remedy_and_the_values() {
    let not_found = AttachError::new(&key(), AttachErrorKind::NotFound);
    assert_eq!(
        not_found.explain(),
        "There is nothing in shared memory under the key \"K\": load something first, or check the key."
    );
    let mapping = AttachError::new(&key(), AttachErrorKind::Io { doing: "mapping" });
    let mapping = mapping.with_source(system());
    let said = mapping.explain();
    assert_eq!(
        said,
        format!(
            "The segment \"K\" is not accessible: mapping: {}.",
            system()
        )
    );
    let cut = reason::of_file(
        Path::new("/dev/shm/a: b"),
        &ForeignReason::CutShort {
            bytes: 10,
            needed: 4096,
        },
    );
    assert_eq!(cut, "/dev/shm/a: b: it is cut short: 10 bytes of 4096");
    let chinese = |error: &dyn Explain| {
        language::with_language(Language::SimplifiedChinese, || error.explain())
    };
    let owner = ForeignReason::Owner {
        found: NOBODY_KNOWN,
        expected: NOBODY_KNOWN - 1,
    };
    assert_eq!(
        chinese(&owner),
        "它属于用户 4000000000，而不是用户 3999999999"
    );
}

/// Every error of a stream, with each of its reasons.
fn stream_errors() -> Vec<StreamError> {
    let text = |text: &str| Message::Text(text.to_owned());
    let packed = ImageMetadata::packed(PixelFormat::Gray8, 4, 4).expect("it is a shape");
    let read: [(&[u8], Form); 6] = [
        (b"\0\0", Form::QString),
        (b"\0\0\0\x09ab", Form::QByteArray),
        (b"\0\0\0\x01a", Form::QString),
        (b"\0\0\0\x07a", Form::QImage),
        (b"\0\0\0\x01a", Form::CString),
        (b"\0\0\0\x01no picture", Form::QImage),
    ];
    let read = read.map(|(bytes, form)| form.read(&bytes.to_vec()).expect_err("it is not"));
    let written = [
        (Message::bytes("a/b", None, vec![0xff]), Form::QString),
        (text("a\0b"), Form::CString),
        (text("a"), Form::QImage),
        (
            Message::Image {
                metadata: packed.clone(),
                pixels: vec![0; 16],
            },
            Form::Raw,
        ),
        (
            Message::Image {
                metadata: packed,
                pixels: vec![0; 3],
            },
            Form::QImage,
        ),
    ];
    let written = written.map(|(message, form)| {
        Stream::new(&message, form)
            .map(|_| ())
            .expect_err("it does not fit")
    });
    let others = [
        StreamError::TooLong { bytes: 42 },
        StreamError::Limit {
            bytes: 42,
            limit: 7,
        },
        StreamError::Unwritten {
            bytes: 42,
            present: 7,
        },
        StreamError::NoMemory { bytes: 42 },
        StreamError::Truncated,
        StreamError::Io(system()),
    ];
    read.into_iter().chain(written).chain(others).collect()
}

#[test]
fn every_stream_error_is_explained_in_chinese() {
    for error in stream_errors() {
        let english = error.explain();
        assert!(english.ends_with('.'), "{english}");
        let said = language::with_language(Language::SimplifiedChinese, || error.explain());
        assert!(said.ends_with('。'), "{said}");
        // Messages of the PNG decoder are passed on unchanged.
        if !english.contains("the PNG file") {
            assert_eq!(english_in(&said), None, "{said}");
        }
    }
}

fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let files = paths.filter(|path| path.is_file());
    files
        .map(|path| fs::read_to_string(path).expect("it is a source"))
        .collect()
}

/// A kind that shm-core or qt-bridge gets must be explained here, and built above: the compiler does
/// not say so, because the enums are open.
#[test]
fn every_error_kind_is_tested() {
    let explained = concat!(
        include_str!("../explain.rs"),
        include_str!("reason.rs"),
        include_str!("qt.rs")
    );
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let own = sources(&crates.join("shm-core/src/error"))
        + include_str!("../../../../shm-core/src/key.rs")
        + include_str!("../../../../shm-core/src/message/error.rs");
    let qt = include_str!("../../../../qt-bridge/src/error.rs").to_owned()
        + include_str!("../../../../qt-bridge/src/stream/error.rs")
        + include_str!("../../../../qt-bridge/src/key.rs");
    let mut count = 0;
    for (texts, built) in [(own, Some(include_str!("tests.rs"))), (qt, None)] {
        let mut name = None;
        for line in texts.lines() {
            if let Some(declared) = line.strip_prefix("pub enum ") {
                // Windows never show presence errors, and they use no semaphores.
                let unused = [
                    "Presence",
                    "Unsafe",
                    "Semaphore",
                    "ErrorCode",
                    "Meaning",
                    "Kind",
                ];
                name = declared
                    .strip_suffix(" {")
                    .filter(|name| !unused.iter().any(|unused| name.starts_with(unused)));
            } else if line == "}" {
                name = None;
            } else if let Some(name) = name
                && let Some(variant) = line.strip_prefix("    ")
                && variant.starts_with(|first: char| first.is_ascii_uppercase())
            {
                let end = variant.find(|c: char| !c.is_ascii_alphanumeric());
                let variant = format!("{name}::{}", &variant[..end.unwrap_or(variant.len())]);
                // A name of a form is no error that a window can meet.
                if variant == "StreamError::Unknown" {
                    continue;
                }
                assert!(explained.contains(&variant), "{variant} is not explained");
                let is_built = built.is_none_or(|built| built.contains(&variant));
                assert!(is_built, "{variant} is not tested");
                count += 1;
            }
        }
    }
    assert!(count > 120, "{count}");
}
