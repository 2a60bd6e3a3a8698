//! Which variant of which error has which code.

use std::collections::HashSet;
use std::path::PathBuf;

use super::*;
use crate::error::{
    AttachError, InvalidSample, ListError, LockError, Polling, PresenceError, PublishError,
    ReadError, RemoveError, SemaphoreError,
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
    (ErrorCode::Orphaned, "orphaned"),
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

#[test]
fn each_attach_error_about_the_segment_has_its_code() {
    let key = key();
    let (slots, holder) = (128, LockHolder::Unknown);
    let cases = [
        (
            AttachError::NotFound { key: key.clone() },
            ErrorCode::NotFound,
        ),
        (
            AttachError::AlreadyExists { key: key.clone() },
            ErrorCode::AlreadyExists,
        ),
        (
            AttachError::Foreign {
                key: key.clone(),
                reason: String::new(),
            },
            ErrorCode::Foreign,
        ),
        (
            AttachError::Version {
                key: key.clone(),
                found: 9,
            },
            ErrorCode::OtherVersion,
        ),
        (
            AttachError::WrongKind { key: key.clone() },
            ErrorCode::WrongKind,
        ),
        (
            AttachError::SlotsFull {
                key: key.clone(),
                slots,
            },
            ErrorCode::Full,
        ),
        (
            AttachError::SlotsBlocked {
                key: key.clone(),
                holder,
            },
            ErrorCode::Full,
        ),
        (
            AttachError::OtherUser { key, owner: 0 },
            ErrorCode::OtherUser,
        ),
    ];
    for (error, code) in cases {
        assert_eq!((error.code(), error.os_error()), (code, None), "{error:?}");
    }
}

#[test]
fn each_attach_error_about_the_place_or_the_time_has_its_code() {
    let key = key();
    let cases = [
        (
            AttachError::FileSystem {
                key: key.clone(),
                directory: PathBuf::new(),
                kind: "vfat".to_owned(),
                doing: "naming",
            },
            ErrorCode::Unsupported,
        ),
        (
            AttachError::FileSizeLimit { key: key.clone() },
            ErrorCode::FileSizeLimit,
        ),
        (
            AttachError::Busy {
                key: key.clone(),
                holder: LockHolder::Unknown,
            },
            ErrorCode::Busy,
        ),
        (
            AttachError::Timeout { key: key.clone() },
            ErrorCode::Timeout,
        ),
        (
            AttachError::Size { key, size: 0 },
            ErrorCode::InvalidArgument,
        ),
    ];
    for (error, code) in cases {
        assert_eq!((error.code(), error.os_error()), (code, None), "{error:?}");
    }
}

#[test]
fn attach_errors_keep_the_number_of_their_cause() {
    let key = key();
    let cases = [
        (
            AttachError::Permission {
                key: key.clone(),
                source: system(libc::EACCES),
            },
            (ErrorCode::PermissionDenied, Some(libc::EACCES)),
        ),
        (
            AttachError::Group {
                key: key.clone(),
                group: 1,
                source: system(libc::EPERM),
            },
            (ErrorCode::PermissionDenied, Some(libc::EPERM)),
        ),
        (
            AttachError::NoSpace {
                key: key.clone(),
                source: system(libc::ENOSPC),
            },
            (ErrorCode::NoSpace, Some(libc::ENOSPC)),
        ),
        (
            AttachError::Io {
                key,
                doing: "mapping",
                source: system(libc::EMFILE),
            },
            (ErrorCode::System, Some(libc::EMFILE)),
        ),
    ];
    for (error, expected) in cases {
        assert_eq!((error.code(), error.os_error()), expected, "{error:?}");
    }
}

#[test]
fn each_publish_error_has_its_code() {
    let (key, bytes) = (key(), 1);
    let reason = InvalidSample::Position;
    let cases = [
        (
            PublishError::NoSpace {
                key: key.clone(),
                bytes,
            },
            ErrorCode::NoSpace,
        ),
        (
            PublishError::TooLarge {
                key: key.clone(),
                bytes,
            },
            ErrorCode::InvalidArgument,
        ),
        (
            PublishError::FileSizeLimit { key: key.clone() },
            ErrorCode::FileSizeLimit,
        ),
        (
            PublishError::Metadata {
                key: key.clone(),
                reason: String::new(),
            },
            ErrorCode::InvalidMetadata,
        ),
        (
            PublishError::Orphaned { key: key.clone() },
            ErrorCode::Orphaned,
        ),
        (
            PublishError::RegionsFull {
                key: key.clone(),
                holder: LockHolder::Unknown,
            },
            ErrorCode::Full,
        ),
        (
            PublishError::Damaged {
                key: key.clone(),
                reason,
            },
            ErrorCode::Invalid,
        ),
        (PublishError::Busy { key: key.clone() }, ErrorCode::Busy),
        (PublishError::Forked { key }, ErrorCode::Forked),
    ];
    for (error, code) in cases {
        assert_eq!((error.code(), error.os_error()), (code, None), "{error:?}");
    }
}

#[test]
fn a_publish_error_keeps_the_number_of_its_cause() {
    let error = PublishError::Io {
        key: key(),
        doing: "locking",
        source: system(libc::ENOLCK),
    };
    let told = (error.code(), error.os_error());
    assert_eq!(told, (ErrorCode::System, Some(libc::ENOLCK)));
}

#[test]
fn each_read_error_has_its_code() {
    let (key, bytes) = (key(), 1);
    let reason = InvalidSample::Record;
    let cases = [
        (
            ReadError::Invalid {
                key: key.clone(),
                reason,
            },
            ErrorCode::Invalid,
            None,
        ),
        (
            ReadError::Truncated { key: key.clone() },
            ErrorCode::Truncated,
            None,
        ),
        (ReadError::Busy { key: key.clone() }, ErrorCode::Busy, None),
        (
            ReadError::NoMemory {
                key: key.clone(),
                bytes,
            },
            ErrorCode::NoMemory,
            None,
        ),
        (
            ReadError::Size {
                key: key.clone(),
                bytes,
                wanted: 2,
            },
            ErrorCode::InvalidArgument,
            None,
        ),
        (
            ReadError::Forked { key: key.clone() },
            ErrorCode::Forked,
            None,
        ),
        (
            ReadError::Io {
                key,
                doing: "copying",
                source: system(libc::EIO),
            },
            ErrorCode::System,
            Some(libc::EIO),
        ),
    ];
    for (error, code, number) in cases {
        assert_eq!(
            (error.code(), error.os_error()),
            (code, number),
            "{error:?}"
        );
    }
}

#[test]
fn each_lock_error_has_its_code() {
    let key = key();
    let cases = [
        (
            LockError::Timeout {
                key: key.clone(),
                holder: None,
            },
            ErrorCode::Timeout,
        ),
        (
            LockError::WouldBlock { key: key.clone() },
            ErrorCode::WouldBlock,
        ),
        (
            LockError::WouldDeadlock { key: key.clone() },
            ErrorCode::WouldDeadlock,
        ),
        (LockError::NotHeld { key: key.clone() }, ErrorCode::NotHeld),
        (
            LockError::Orphaned { key: key.clone() },
            ErrorCode::Orphaned,
        ),
        (
            LockError::NoMemory {
                key: key.clone(),
                bytes: 1,
            },
            ErrorCode::NoMemory,
        ),
        (LockError::Forked { key }, ErrorCode::Forked),
    ];
    for (error, code) in cases {
        assert_eq!((error.code(), error.os_error()), (code, None), "{error:?}");
    }
}

#[test]
fn each_semaphore_error_has_its_code() {
    let key = key();
    let cases = [
        (
            SemaphoreError::Timeout {
                key: key.clone(),
                holder: None,
            },
            ErrorCode::Timeout,
        ),
        (
            SemaphoreError::TooMany {
                key: key.clone(),
                units: 1,
            },
            ErrorCode::InvalidArgument,
        ),
        (
            SemaphoreError::Orphaned { key: key.clone() },
            ErrorCode::Orphaned,
        ),
        (
            SemaphoreError::Forked { key: key.clone() },
            ErrorCode::Forked,
        ),
    ];
    for (error, code) in cases {
        assert_eq!((error.code(), error.os_error()), (code, None), "{error:?}");
    }
    let units = AttachError::Units { key, units: 1 };
    assert_eq!(units.code(), ErrorCode::InvalidArgument);
}

#[test]
fn each_remove_error_has_its_code() {
    let key = key();
    let cases = [
        (
            RemoveError::NotFound { key: key.clone() },
            ErrorCode::NotFound,
        ),
        (
            RemoveError::InUse {
                key: key.clone(),
                by: Vec::new(),
            },
            ErrorCode::InUse,
        ),
        (
            RemoveError::Foreign {
                key: key.clone(),
                reason: String::new(),
            },
            ErrorCode::Foreign,
        ),
        (
            RemoveError::Permission { key: key.clone() },
            ErrorCode::PermissionDenied,
        ),
        (
            RemoveError::Busy {
                key: key.clone(),
                holder: LockHolder::Unknown,
            },
            ErrorCode::Busy,
        ),
        (
            RemoveError::OtherUser {
                key: key.clone(),
                owner: 0,
            },
            ErrorCode::OtherUser,
        ),
    ];
    for (error, code) in cases {
        assert_eq!((error.code(), error.os_error()), (code, None), "{error:?}");
    }
}

#[test]
fn remove_errors_have_the_code_and_the_number_of_their_cause() {
    let key = key();
    let version = AttachError::Version {
        key: key.clone(),
        found: 9,
    };
    let cases = [
        (RemoveError::attach(version), ErrorCode::OtherVersion, None),
        (
            RemoveError::attach(AttachError::NoSpace {
                key: key.clone(),
                source: system(libc::EDQUOT),
            }),
            ErrorCode::NoSpace,
            Some(libc::EDQUOT),
        ),
        (
            RemoveError::Io {
                key,
                doing: "removing",
                source: system(libc::EROFS),
            },
            ErrorCode::System,
            Some(libc::EROFS),
        ),
    ];
    for (error, code, number) in cases {
        assert_eq!(
            (error.code(), error.os_error()),
            (code, number),
            "{error:?}"
        );
    }
}

#[test]
fn each_error_about_a_place_has_its_code() {
    let path = PathBuf::new;
    let kind = || "vfat".to_owned();
    let listing = [
        (
            ListError::Directory {
                path: path(),
                source: system(libc::ENOTDIR),
            },
            ErrorCode::System,
            Some(libc::ENOTDIR),
        ),
        (
            ListError::FileSystem {
                path: path(),
                kind: kind(),
            },
            ErrorCode::Unsupported,
            None,
        ),
    ];
    for (error, code, number) in listing {
        assert_eq!(
            (error.code(), error.os_error()),
            (code, number),
            "{error:?}"
        );
    }
    let linking = [
        (
            PresenceError::NoDirectory {
                reason: String::new(),
            },
            ErrorCode::Unsupported,
            None,
        ),
        (
            PresenceError::Io {
                doing: "listening",
                source: system(libc::EADDRINUSE),
            },
            ErrorCode::System,
            Some(libc::EADDRINUSE),
        ),
    ];
    for (error, code, number) in linking {
        assert_eq!(
            (error.code(), error.os_error()),
            (code, number),
            "{error:?}"
        );
    }
    let polling = Polling::instead_of(system(libc::EMFILE)).unwrap();
    assert_eq!(
        (polling.code(), polling.os_error()),
        (ErrorCode::System, Some(libc::EMFILE))
    );
}

#[test]
fn each_error_about_a_value_has_its_code() {
    let keys = [
        KeyError::Empty,
        KeyError::TooLong { bytes: 129 },
        KeyError::Character {
            character: '/',
            at: 0,
        },
        KeyError::Scheme {
            scheme: "qt".to_owned(),
        },
    ];
    for error in keys {
        assert_eq!(
            (error.code(), error.os_error()),
            (ErrorCode::InvalidKey, None),
            "{error}"
        );
    }
    let metadata = [
        MetadataError::TooLong {
            what: "media type",
            bytes: 256,
        },
        MetadataError::Sides {
            width: 0,
            height: 1,
        },
        MetadataError::Stride { row: 2, stride: 1 },
        MetadataError::ImageLength {
            needed: 2,
            found: 1,
        },
        MetadataError::Dimensions { count: 0 },
        MetadataError::ArrayLength {
            needed: 2,
            found: 1,
        },
        MetadataError::ArrayTooLarge,
        MetadataError::EndsEarly,
        MetadataError::NotUtf8,
        MetadataError::Repeated,
        MetadataError::BytesBehind,
    ];
    for error in metadata {
        assert_eq!(
            (error.code(), error.os_error()),
            (ErrorCode::InvalidMetadata, None),
            "{error}"
        );
    }
}
