//! Which kind of which error has which code, and how the texts are written.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::{
    AttachError, AttachErrorKind, ForeignReason, InvalidSample, ListError, ListErrorKind,
    LockError, LockErrorKind, Polling, PublishError, PublishErrorKind, ReadError, ReadErrorKind,
    RemoveError, RemoveErrorKind, SemaphoreError, SemaphoreErrorKind,
};
use crate::key::{Key, KeyError};
use crate::lock_holder::LockHolder;
use crate::message::MetadataError;

/// Each code in the order of its number, with its name: what other languages rely on.
const CODES: [(ErrorCode, &str); 26] = [
    (ErrorCode::InvalidKey, "invalid_key"),
    (ErrorCode::InvalidArgument, "invalid_argument"),
    (ErrorCode::InvalidMetadata, "invalid_metadata"),
    (ErrorCode::NotFound, "not_found"),
    (ErrorCode::AlreadyExists, "already_exists"),
    (ErrorCode::WrongKind, "wrong_kind"),
    (ErrorCode::OtherVersion, "other_version"),
    (ErrorCode::Foreign, "foreign"),
    (ErrorCode::OtherUser, "other_user"),
    (ErrorCode::PermissionDenied, "permission_denied"),
    (ErrorCode::Unsupported, "unsupported"),
    (ErrorCode::NoSpace, "no_space"),
    (ErrorCode::NoMemory, "no_memory"),
    (ErrorCode::FileSizeLimit, "file_size_limit"),
    (ErrorCode::Full, "full"),
    (ErrorCode::InUse, "in_use"),
    (ErrorCode::Busy, "busy"),
    (ErrorCode::Timeout, "timeout"),
    (ErrorCode::WouldBlock, "would_block"),
    (ErrorCode::WouldDeadlock, "would_deadlock"),
    (ErrorCode::NotHeld, "not_held"),
    (ErrorCode::Removed, "removed"),
    (ErrorCode::Truncated, "truncated"),
    (ErrorCode::Invalid, "invalid"),
    (ErrorCode::Forked, "forked"),
    (ErrorCode::System, "system"),
];

fn key() -> Key {
    Key::new("k").unwrap()
}

fn system(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

#[test]
fn numbers_and_names_are_those_of_the_first_version() {
    for (number, (code, name)) in (1..).zip(CODES) {
        assert_eq!(
            (code.as_i32(), code.name(), code.to_string()),
            (number, name, name.to_owned())
        );
    }
    let different: HashSet<_> = CODES.iter().map(|(code, _)| code).collect();
    assert_eq!(different.len(), CODES.len());
}

/// Checks that an error has its code and no number, and that its text is one of a library: lower
/// case, without full stop, without line end.
fn check(error: &impl Error, found: (ErrorCode, Option<i32>), code: ErrorCode) {
    assert_eq!(found, (code, None), "{error:?}");
    check_text(error);
}

fn check_text(error: &impl Error) {
    let text = error.to_string();
    assert!(
        text.starts_with(|first: char| !first.is_uppercase()),
        "{text}"
    );
    assert!(
        !text.ends_with('.') && !text.contains(['\n', ';']),
        "{text}"
    );
}

#[test]
fn each_kind_of_attach_error_has_its_code() {
    let (holder, path) = (LockHolder::Unknown, PathBuf::from("/p"));
    let reason = ForeignReason::Magic;
    let directory = path.clone();
    for (kind, code) in [
        (AttachErrorKind::NotFound, ErrorCode::NotFound),
        (AttachErrorKind::AlreadyExists, ErrorCode::AlreadyExists),
        (
            AttachErrorKind::Foreign { path, reason },
            ErrorCode::Foreign,
        ),
        (
            AttachErrorKind::Version { found: 9 },
            ErrorCode::OtherVersion,
        ),
        (AttachErrorKind::WrongKind, ErrorCode::WrongKind),
        (AttachErrorKind::Permission, ErrorCode::PermissionDenied),
        (
            AttachErrorKind::Group { group: 1 },
            ErrorCode::PermissionDenied,
        ),
        (
            AttachErrorKind::FileSystem {
                directory: directory.clone(),
                kind: "vfat".to_owned(),
                doing: "naming",
            },
            ErrorCode::Unsupported,
        ),
        (
            AttachErrorKind::NoDirectory { directory },
            ErrorCode::System,
        ),
        (AttachErrorKind::NoSpace, ErrorCode::NoSpace),
        (AttachErrorKind::FileSizeLimit, ErrorCode::FileSizeLimit),
        (AttachErrorKind::SlotsFull { slots: 128 }, ErrorCode::Full),
        (
            AttachErrorKind::SlotsBlocked {
                holder: holder.clone(),
            },
            ErrorCode::Full,
        ),
        (AttachErrorKind::Busy { holder }, ErrorCode::Busy),
        (
            AttachErrorKind::OtherUser { owner: 0 },
            ErrorCode::OtherUser,
        ),
        (AttachErrorKind::Timeout, ErrorCode::Timeout),
        (
            AttachErrorKind::Size { size: 0 },
            ErrorCode::InvalidArgument,
        ),
        (
            AttachErrorKind::Units { units: 1 },
            ErrorCode::InvalidArgument,
        ),
        (AttachErrorKind::Io { doing: "mapping" }, ErrorCode::System),
    ] {
        let error = AttachError::new(&key(), kind);
        check(&error, (error.code(), error.os_error()), code);
    }
}

#[test]
fn each_kind_of_publish_error_has_its_code() {
    let bytes = 1;
    for (kind, code) in [
        (PublishErrorKind::NoSpace { bytes }, ErrorCode::NoSpace),
        (
            PublishErrorKind::TooLarge { bytes },
            ErrorCode::InvalidArgument,
        ),
        (PublishErrorKind::FileSizeLimit, ErrorCode::FileSizeLimit),
        (
            PublishErrorKind::Metadata(MetadataError::EndsEarly),
            ErrorCode::InvalidMetadata,
        ),
        (
            PublishErrorKind::MetadataTooLong { ring_bytes: 1 },
            ErrorCode::InvalidMetadata,
        ),
        (PublishErrorKind::Removed, ErrorCode::Removed),
        (
            PublishErrorKind::RegionsFull {
                holder: LockHolder::Unknown,
            },
            ErrorCode::Full,
        ),
        (
            PublishErrorKind::Damaged(InvalidSample::Position),
            ErrorCode::Invalid,
        ),
        (PublishErrorKind::Busy, ErrorCode::Busy),
        (PublishErrorKind::Forked, ErrorCode::Forked),
        (PublishErrorKind::Io { doing: "locking" }, ErrorCode::System),
    ] {
        let error = PublishError::new(&key(), kind);
        check(&error, (error.code(), error.os_error()), code);
    }
}

#[test]
fn each_kind_of_read_error_has_its_code() {
    let bytes = 1;
    for (kind, code) in [
        (
            ReadErrorKind::Invalid(InvalidSample::Record),
            ErrorCode::Invalid,
        ),
        (ReadErrorKind::Truncated, ErrorCode::Truncated),
        (ReadErrorKind::Busy, ErrorCode::Busy),
        (ReadErrorKind::NoMemory { bytes }, ErrorCode::NoMemory),
        (
            ReadErrorKind::Size { bytes, wanted: 2 },
            ErrorCode::InvalidArgument,
        ),
        (ReadErrorKind::Forked, ErrorCode::Forked),
        (ReadErrorKind::Io { doing: "copying" }, ErrorCode::System),
    ] {
        let error = ReadError::new(&key(), kind);
        check(&error, (error.code(), error.os_error()), code);
    }
}

#[test]
fn each_kind_of_lock_error_has_its_code() {
    for (kind, code) in [
        (LockErrorKind::Timeout { holder: None }, ErrorCode::Timeout),
        (LockErrorKind::WouldBlock, ErrorCode::WouldBlock),
        (LockErrorKind::WouldDeadlock, ErrorCode::WouldDeadlock),
        (LockErrorKind::NotHeld, ErrorCode::NotHeld),
        (LockErrorKind::Removed, ErrorCode::Removed),
        (LockErrorKind::NoMemory { bytes: 1 }, ErrorCode::NoMemory),
        (LockErrorKind::Forked, ErrorCode::Forked),
    ] {
        let error = LockError::new(&key(), kind);
        check(&error, (error.code(), error.os_error()), code);
    }
}

#[test]
fn each_kind_of_semaphore_error_has_its_code() {
    for (kind, code) in [
        (
            SemaphoreErrorKind::Timeout { holder: None },
            ErrorCode::Timeout,
        ),
        (
            SemaphoreErrorKind::TooMany { units: 1 },
            ErrorCode::InvalidArgument,
        ),
        (SemaphoreErrorKind::Removed, ErrorCode::Removed),
        (SemaphoreErrorKind::Forked, ErrorCode::Forked),
    ] {
        let error = SemaphoreError::new(&key(), kind);
        check(&error, (error.code(), error.os_error()), code);
    }
}

#[test]
fn each_kind_of_remove_error_has_its_code() {
    let (path, reason) = (PathBuf::from("/p"), ForeignReason::TooShort);
    let version = AttachErrorKind::Version { found: 9 };
    for (kind, code) in [
        (RemoveErrorKind::NotFound, ErrorCode::NotFound),
        (RemoveErrorKind::InUse { by: Vec::new() }, ErrorCode::InUse),
        (
            RemoveErrorKind::Foreign { path, reason },
            ErrorCode::Foreign,
        ),
        (RemoveErrorKind::Permission, ErrorCode::PermissionDenied),
        (
            RemoveErrorKind::Busy {
                holder: LockHolder::Unknown,
            },
            ErrorCode::Busy,
        ),
        (
            RemoveErrorKind::OtherUser { owner: 0 },
            ErrorCode::OtherUser,
        ),
        (
            RemoveErrorKind::Open(Box::new(version)),
            ErrorCode::OtherVersion,
        ),
    ] {
        let error = RemoveError::new(&key(), kind);
        check(&error, (error.code(), error.os_error()), code);
    }
}

#[test]
fn errors_keep_the_number_of_their_cause() {
    let denied = AttachError::io(&key(), "opening", system(libc::EACCES));
    assert_eq!(*denied.kind(), AttachErrorKind::Permission);
    assert_eq!(denied.os_error(), Some(libc::EACCES));
    let full = AttachError::io(&key(), "writing", system(libc::EDQUOT));
    assert_eq!(*full.kind(), AttachErrorKind::NoSpace);

    let removed = RemoveError::from(full);
    let told = (removed.code(), removed.os_error());
    assert_eq!(told, (ErrorCode::NoSpace, Some(libc::EDQUOT)));
    assert_eq!(removed.key().as_str(), "k");

    let published = PublishError::io(&key(), "locking", 1, system(libc::ENOLCK));
    assert_eq!(*published.kind(), PublishErrorKind::Io { doing: "locking" });
    assert_eq!(published.os_error(), Some(libc::ENOLCK));
    assert!(published.source().is_some());

    let read = ReadError::io(&key(), "copying", system(libc::EIO));
    assert_eq!(read.os_error(), Some(libc::EIO));
}

#[test]
fn a_lock_error_becomes_a_publish_error() {
    let lock = |kind| PublishError::lock(&LockError::new(&key(), kind)).kind;
    assert_eq!(lock(LockErrorKind::Removed), PublishErrorKind::Removed);
    assert_eq!(lock(LockErrorKind::Forked), PublishErrorKind::Forked);
    assert_eq!(lock(LockErrorKind::WouldBlock), PublishErrorKind::Busy);
}

#[test]
fn each_error_about_a_directory_has_its_code() {
    let path = Path::new("/p");
    let unreadable = ListError::unreadable(path, system(libc::ENOTDIR));
    let told = (unreadable.code(), unreadable.os_error());
    assert_eq!(told, (ErrorCode::System, Some(libc::ENOTDIR)));
    let kind = "vfat".to_owned();
    let unfit = ListError::new(path, ListErrorKind::FileSystem { kind });
    check(
        &unfit,
        (unfit.code(), unfit.os_error()),
        ErrorCode::Unsupported,
    );

    let polling = Polling::instead_of(system(libc::EMFILE)).unwrap();
    let told = (polling.code(), polling.os_error());
    assert_eq!(told, (ErrorCode::System, Some(libc::EMFILE)));
}

#[test]
fn errors_without_a_key_have_codes_and_texts() {
    let scheme = "qt".to_owned();
    for error in [
        KeyError::Empty,
        KeyError::TooLong { bytes: 129 },
        KeyError::Character {
            character: '/',
            at: 0,
        },
        KeyError::Scheme { scheme },
    ] {
        check(
            &error,
            (error.code(), error.os_error()),
            ErrorCode::InvalidKey,
        );
    }
    let metadata = MetadataError::BytesBehind;
    check(
        &metadata,
        (metadata.code(), metadata.os_error()),
        ErrorCode::InvalidMetadata,
    );
}

#[test]
fn errors_are_small() {
    assert!(size_of::<LockError>() <= 40);
    assert!(size_of::<SemaphoreError>() <= 40);
    assert!(
        size_of::<PublishError>() <= 80,
        "{}",
        size_of::<PublishError>()
    );
    assert!(size_of::<ReadError>() <= 72, "{}", size_of::<ReadError>());
}

#[cfg(feature = "presence")]
#[test]
fn each_presence_error_has_its_code() {
    use crate::error::{PresenceError, PresenceErrorKind, UnsafeDirectory, UnsafeReason};

    let path = Path::new("/p");
    let listening = PresenceError::io("listening")(system(libc::EADDRINUSE));
    let told = (listening.code(), listening.os_error());
    assert_eq!(told, (ErrorCode::System, Some(libc::EADDRINUSE)));
    let candidates = vec![UnsafeDirectory {
        path: path.to_owned(),
        reason: UnsafeReason::Mode { mode: 0o755 },
    }];
    let nowhere = PresenceError::new(PresenceErrorKind::NoDirectory { candidates });
    assert_eq!(
        (nowhere.code(), nowhere.os_error()),
        (ErrorCode::Unsupported, None)
    );
    assert!(
        nowhere
            .to_string()
            .ends_with("/p is open to others (mode 755)"),
        "{nowhere}"
    );
}
