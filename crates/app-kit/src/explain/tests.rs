use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use qt_bridge::{Form, Stream, StreamError};
use shm_core::{
    Access, ImageMetadata, InvalidSample, Message, MetadataError, PixelFormat, Process,
};

use super::reason::REASONS;
use super::*;

fn key() -> Key {
    Key::new("K").expect("it is a key")
}

fn system() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn peer() -> Attached {
    Attached {
        process: Process::with_pid(4711),
        program: "camera".to_owned(),
        access: Access::ReadWrite,
        since: None,
    }
}

/// Every error of shm-core that a window may have to tell of.
fn errors() -> Vec<Box<dyn Explain>> {
    let mut errors: Vec<Box<dyn Explain>> = Vec::new();
    let mut all = |some: Vec<Box<dyn Explain>>| errors.extend(some);
    all(vec![
        Box::new(KeyError::Empty),
        Box::new(KeyError::TooLong { bytes: 300 }),
        Box::new(KeyError::Character {
            character: '/',
            at: 1,
        }),
        Box::new(KeyError::Character {
            character: '\t',
            at: 1,
        }),
        Box::new(KeyError::Scheme {
            scheme: "shm".to_owned(),
        }),
    ]);
    all(attach_errors());
    all(publish_and_read_errors());
    all(lock_and_remove_errors());
    errors
}

fn attach_errors() -> Vec<Box<dyn Explain>> {
    let key = key();
    let reason = "/dev/shm/K: it claims to have 9 slots".to_owned();
    vec![
        Box::new(AttachError::NotFound { key: key.clone() }),
        Box::new(AttachError::AlreadyExists { key: key.clone() }),
        Box::new(AttachError::Foreign {
            key: key.clone(),
            reason,
        }),
        Box::new(AttachError::Version {
            key: key.clone(),
            found: 9,
        }),
        Box::new(AttachError::WrongKind { key: key.clone() }),
        Box::new(AttachError::Permission {
            key: key.clone(),
            source: system(),
        }),
        Box::new(AttachError::Group {
            key: key.clone(),
            group: 64_044,
            source: system(),
        }),
        Box::new(AttachError::FileSystem {
            key: key.clone(),
            directory: PathBuf::from("/"),
            kind: "9".to_owned(),
            doing: "mapping",
        }),
        Box::new(AttachError::NoSpace {
            key: key.clone(),
            source: system(),
        }),
        Box::new(AttachError::FileSizeLimit { key: key.clone() }),
        Box::new(AttachError::SlotsFull {
            key: key.clone(),
            slots: 64,
        }),
        Box::new(AttachError::SlotsBlocked {
            key: key.clone(),
            holder: LockHolder::OtherUser,
        }),
        Box::new(AttachError::Busy {
            key: key.clone(),
            holder: LockHolder::Unknown,
        }),
        Box::new(AttachError::OtherUser {
            key: key.clone(),
            owner: 1000,
        }),
        Box::new(AttachError::Timeout { key: key.clone() }),
        Box::new(AttachError::Size {
            key: key.clone(),
            size: 0,
        }),
        Box::new(AttachError::Units {
            key: key.clone(),
            units: 40_000,
        }),
        Box::new(AttachError::Io {
            key,
            doing: "looking",
            source: system(),
        }),
    ]
}

fn publish_and_read_errors() -> Vec<Box<dyn Explain>> {
    let (key, bytes) = (key(), 42);
    let reason = "rows of 8 bytes do not fit a stride of 4".to_owned();
    let doing = "writing";
    vec![
        Box::new(PublishError::NoSpace {
            key: key.clone(),
            bytes,
        }),
        Box::new(PublishError::TooLarge {
            key: key.clone(),
            bytes,
        }),
        Box::new(PublishError::FileSizeLimit { key: key.clone() }),
        Box::new(PublishError::Metadata {
            key: key.clone(),
            reason,
        }),
        Box::new(PublishError::Orphaned { key: key.clone() }),
        Box::new(PublishError::RegionsFull {
            key: key.clone(),
            holder: LockHolder::OtherUser,
        }),
        Box::new(PublishError::Damaged {
            key: key.clone(),
            reason: InvalidSample::Position,
        }),
        Box::new(PublishError::Busy { key: key.clone() }),
        Box::new(PublishError::Forked { key: key.clone() }),
        Box::new(PublishError::Io {
            key: key.clone(),
            doing,
            source: system(),
        }),
        Box::new(ReadError::Invalid {
            key: key.clone(),
            reason: InvalidSample::Region { number: 300 },
        }),
        Box::new(ReadError::Truncated { key: key.clone() }),
        Box::new(ReadError::Busy { key: key.clone() }),
        Box::new(ReadError::NoMemory {
            key: key.clone(),
            bytes: 42,
        }),
        Box::new(ReadError::Size {
            key: key.clone(),
            bytes: 42,
            wanted: 8,
        }),
        Box::new(ReadError::Forked { key: key.clone() }),
        Box::new(ReadError::Io {
            key,
            doing,
            source: system(),
        }),
    ]
}

fn lock_and_remove_errors() -> Vec<Box<dyn Explain>> {
    let key = key();
    vec![
        Box::new(LockError::Timeout {
            key: key.clone(),
            holder: Some(Box::new(peer())),
        }),
        Box::new(LockError::Timeout {
            key: key.clone(),
            holder: None,
        }),
        Box::new(LockError::WouldBlock { key: key.clone() }),
        Box::new(LockError::WouldDeadlock { key: key.clone() }),
        Box::new(LockError::NotHeld { key: key.clone() }),
        Box::new(LockError::Orphaned { key: key.clone() }),
        Box::new(LockError::NoMemory {
            key: key.clone(),
            bytes: 42,
        }),
        Box::new(LockError::Forked { key: key.clone() }),
        Box::new(RemoveError::NotFound { key: key.clone() }),
        Box::new(RemoveError::InUse {
            key: key.clone(),
            by: vec![peer(), peer()],
        }),
        Box::new(RemoveError::Foreign {
            key: key.clone(),
            reason: "/dev/shm/K is a directory of user 1000, not a regular file".to_owned(),
        }),
        Box::new(RemoveError::Permission { key: key.clone() }),
        Box::new(RemoveError::Busy {
            key: key.clone(),
            holder: LockHolder::OtherUser,
        }),
        Box::new(RemoveError::OtherUser {
            key: key.clone(),
            owner: 1000,
        }),
        Box::new(RemoveError::Io {
            key,
            doing: "removing",
            source: system(),
        }),
        Box::new(ListError::FileSystem {
            path: PathBuf::from("/"),
            kind: "9".to_owned(),
        }),
        Box::new(ListError::Directory {
            path: PathBuf::from("/nowhere"),
            source: system(),
        }),
    ]
}

/// Returns what is English of an error, other than what the system says and names of programs and forms.
fn english_in(said: &str) -> Option<String> {
    let mut said = said.replace(&system().to_string(), "");
    for name in ["camera", "QString", "QByteArray", "const char", "QImage"] {
        said = said.replace(name, "");
    }
    crate::testing::english_word_in(&said).map(str::to_owned)
}

#[test]
fn english_errors_are_in_their_own_words() {
    let not_found = AttachError::NotFound { key: key() };
    assert_eq!(not_found.explain(), not_found.to_string());
    let reason = "/dev/shm/K: it claims to have 9 slots";
    assert_eq!(explain_reason(reason), reason);
}

#[test]
fn every_error_is_explained_in_chinese() {
    for error in errors() {
        let english = error.explain();
        let said = language::speaking(Language::SimplifiedChinese, || error.explain());
        assert_ne!(said, english);
        assert_eq!(english_in(&said), None, "{said}");
        assert!(said.ends_with(['。', '）']), "{said}");
        assert!(!said.contains('{'), "{said}");
    }
    let busy = AttachError::Busy {
        key: key(),
        holder: LockHolder::Unknown,
    };
    let busy = busy.to_string();
    assert_eq!(english_in(&busy).as_deref(), Some("Another"));
}

#[test]
fn reasons_keep_what_varies() {
    let chinese =
        |reason| language::speaking(Language::SimplifiedChinese, || explain_reason(reason));
    assert_eq!(
        chinese("/dev/shm/a: b: it is cut short: 10 bytes of 4096"),
        "/dev/shm/a: b：它被截短：4096 字节中只有 10 字节"
    );
    assert_eq!(
        chinese("/dev/shm/K: it is cut short: 10 bytes of 4096"),
        "/dev/shm/K：它被截短：4096 字节中只有 10 字节"
    );
    assert_eq!(
        chinese("/dev/shm/K belongs to user 0, not to user 1000"),
        "/dev/shm/K 属于用户 0，而不是用户 1000"
    );
    assert_eq!(chinese("something new"), "something new");
}

#[test]
fn what_is_wrong_with_metadata_is_said_in_chinese() {
    let too_long = |what| MetadataError::TooLong { what, bytes: 300 };
    let names = [
        "file name",
        "media type",
        "user data",
        "host name",
        "program name",
    ];
    let others = [
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
    for error in names.map(too_long).into_iter().chain(others) {
        let english = error.to_string();
        let said = language::speaking(Language::SimplifiedChinese, || explain_reason(&english));
        assert_ne!(said, english);
        let said = said.replace("UTF-8", "");
        assert_eq!(crate::testing::english_word_in(&said), None, "{said}");
    }
}

/// What can be wrong with a stream, each with its own reason where it has one.
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
        StreamError::Io(io::ErrorKind::UnexpectedEof.into()),
        StreamError::Io(system()),
    ];
    read.into_iter().chain(written).chain(others).collect()
}

#[test]
fn what_is_wrong_with_a_stream_is_explained_in_chinese() {
    for error in stream_errors() {
        let english = error.explain();
        assert_eq!(english, error.to_string());
        let said = language::speaking(Language::SimplifiedChinese, || error.explain());
        assert!(said.ends_with('。'), "{said}");
        // What the library for pictures says of a PNG file is told as it says it.
        if !english.contains("the PNG file") {
            assert_eq!(english_in(&said), None, "{said}");
        }
    }
}

/// Returns the sources below a folder, one after the other.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    let entries = fs::read_dir(folder).expect("the folder is there");
    for entry in entries {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            all += &sources(&path);
        } else {
            all += &fs::read_to_string(path).expect("it is a source");
        }
    }
    all
}

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shm-core/src")
}

/// A variant that shm-core gets must be explained here, and built above.
#[test]
fn no_variant_is_forgotten() {
    let explained = include_str!("../explain.rs");
    let built = include_str!("tests.rs");
    let texts = sources(&core().join("error")) + include_str!("../../../shm-core/src/key.rs");
    let mut count = 0;
    let mut name = None;
    for line in texts.lines() {
        if let Some(declared) = line.strip_prefix("pub enum ") {
            // Windows never tell why the link is not there: all else works. They use no semaphores.
            name = declared
                .strip_suffix("Error {")
                .filter(|name| !["Link", "Semaphore"].contains(name));
        } else if line == "}" {
            name = None;
        } else if let Some(name) = name
            && let Some(variant) = line.strip_prefix("    ")
            && variant.starts_with(|first: char| first.is_ascii_uppercase())
        {
            let variant = variant.trim_end_matches([' ', '{', ',']);
            let variant = format!("{name}Error::{variant}");
            assert!(explained.contains(&variant), "{variant} is not explained");
            assert!(built.contains(&variant), "{variant} is not tested");
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// What is recognised must be what shm-core says.
#[test]
fn no_reason_is_out_of_date() {
    let qt = Path::new(env!("CARGO_MANIFEST_DIR")).join("../qt-bridge/src");
    let plain = sources(&core()) + &sources(&qt);
    let plain = without_names(&plain.replace("\\\"", "\""));
    for (template, ..) in REASONS {
        assert!(plain.contains(template), "{template}");
    }
}

/// Replaces `{name}` and `{name:04X}` by `{}`.
fn without_names(text: &str) -> String {
    let mut parts = text.split('{');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push('{');
        match part.split_once('}') {
            Some((hole, rest)) if hole.len() < 40 && !hole.contains(['\n', ' ']) => {
                plain.push('}');
                plain.push_str(rest);
            }
            _ => plain.push_str(part),
        }
    }
    plain
}
