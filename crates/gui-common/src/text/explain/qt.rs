//! Explanations of the errors of qt-bridge.

use qt_bridge::{
    KeyError, Kind, LockError, LockErrorKind, PublishError, QtKey, ReadingError, SegmentError,
    SegmentErrorKind, StreamError, User,
};

use super::{Explain, cause, source};
use crate::text::language;
use crate::tr;
use crate::widget::form_choice;

/// Lists the programs that use a segment, or names an unknown program.
fn names(users: &[User]) -> String {
    match users {
        [] => tr!("qt-unknown-program"),
        users => language::names(users.iter().map(User::to_string)),
    }
}

impl Explain for KeyError {
    fn explain(&self) -> String {
        match self {
            KeyError::Empty => tr!("error-qt-key-empty"),
            KeyError::TooLong { bytes } => tr!("error-qt-key-too-long", bytes = bytes),
            KeyError::Character { character: '/', at } => tr!("error-qt-key-slash", at = at),
            KeyError::Character { character, at } => {
                let code = format!("U+{:04X}", u32::from(*character));
                tr!("error-qt-key-character", code = code, at = at)
            }
            KeyError::Relative { path } => tr!("error-qt-key-relative", path = path),
            KeyError::Reserved => tr!("error-qt-key-reserved"),
            KeyError::Taken { name } => tr!("error-qt-key-taken", name = name),
            KeyError::NotUtf8 => tr!("error-qt-key-not-utf8"),
            KeyError::Scheme => tr!("error-qt-key-scheme"),
            _ => self.to_string(),
        }
    }
}

impl Explain for SegmentError {
    fn explain(&self) -> String {
        let key = self.key();
        match self.kind() {
            SegmentErrorKind::NotFound => tr!("error-qt-not-found", key = key),
            SegmentErrorKind::AlreadyExists { users }
                if users.is_empty() && key.kind() == Kind::PosixRealtime =>
            {
                tr!("error-qt-exists-idle", key = key)
            }
            SegmentErrorKind::AlreadyExists { users } => {
                tr!("error-qt-exists", key = key, by = names(users))
            }
            SegmentErrorKind::InUse { users } => {
                tr!("error-qt-in-use", key = key, by = names(users))
            }
            SegmentErrorKind::Size { size } => tr!("error-qt-size", key = key, size = size),
            SegmentErrorKind::OutOfResources => {
                tr!("error-qt-resources", key = key, reason = source(self))
            }
            SegmentErrorKind::OtherUser { file, owner } => {
                let path = file.display();
                tr!("error-qt-other-user", key = key, path = path, owner = owner)
            }
            SegmentErrorKind::Foreign { file } => {
                tr!("error-qt-foreign", key = key, path = file.display())
            }
            SegmentErrorKind::Folder { folder } => {
                tr!("error-qt-folder", key = key, path = folder.display())
            }
            SegmentErrorKind::Permission if !key.is_ours() => {
                let (owner, reason) = (key.owner(), source(self));
                tr!(
                    "error-qt-not-shared",
                    key = key,
                    reason = reason,
                    owner = owner
                )
            }
            SegmentErrorKind::Permission => {
                tr!("error-qt-permission", key = key, reason = source(self))
            }
            SegmentErrorKind::Lock(kind) => lock(key, kind, self),
            SegmentErrorKind::Io { doing } => {
                tr!("error-qt-io", key = key, reason = cause(doing, self))
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for LockError {
    fn explain(&self) -> String {
        lock(self.key(), self.kind(), self)
    }
}

fn lock(key: &QtKey, kind: &LockErrorKind, error: &dyn std::error::Error) -> String {
    match kind {
        LockErrorKind::Timeout {
            holder: Some(holder),
            ..
        } => tr!(
            "error-qt-lock-holder",
            key = key,
            holder = holder.to_string()
        ),
        LockErrorKind::Timeout { users, .. }
            if users.is_empty() && key.kind() == Kind::PosixRealtime =>
        {
            tr!("error-qt-lock-killed", key = key)
        }
        LockErrorKind::Timeout { users, .. } => {
            tr!("error-qt-lock-users", key = key, by = names(users))
        }
        LockErrorKind::Folder { folder } => {
            tr!("error-qt-folder", key = key, path = folder.display())
        }
        LockErrorKind::ReadOnly => tr!("error-qt-read-only", key = key, owner = key.owner()),
        LockErrorKind::Lost if !key.is_ours() => {
            tr!("error-qt-changed", key = key, owner = key.owner())
        }
        LockErrorKind::Lost => tr!("error-qt-lock-lost", key = key),
        LockErrorKind::OtherUser { file, owner } => {
            let path = file.display();
            tr!("error-qt-other-user", key = key, path = path, owner = owner)
        }
        LockErrorKind::Foreign { file } => {
            tr!("error-qt-foreign", key = key, path = file.display())
        }
        LockErrorKind::NoFolder => tr!("error-qt-no-folder", key = key, reason = source(error)),
        LockErrorKind::Io { doing } => {
            tr!("error-qt-lock-io", key = key, reason = cause(doing, error))
        }
        _ => error.to_string(),
    }
}

impl Explain for ReadingError {
    fn explain(&self) -> String {
        match self {
            ReadingError::Segment(error) => error.explain(),
            ReadingError::Lock(error) => error.explain(),
            ReadingError::Stream { key, source } => {
                tr!("error-qt-stream", key = key, reason = source.explain())
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for StreamError {
    fn explain(&self) -> String {
        match self {
            StreamError::NotThis { form, reason } => {
                let form = form_choice::name(*form);
                tr!("error-qt-not-this", form = form, reason = reason.explain())
            }
            StreamError::Unfit { form, reason } => {
                let form = form_choice::name(*form);
                tr!("error-qt-unfit", form = form, reason = reason.explain())
            }
            StreamError::TooLong { bytes } => tr!("error-qt-too-long", bytes = bytes),
            StreamError::Limit { bytes, limit } => {
                tr!("error-qt-limit", bytes = bytes, limit = limit)
            }
            StreamError::Unwritten { bytes, present } => {
                tr!("error-qt-unwritten", bytes = bytes, present = present)
            }
            StreamError::NoMemory { bytes } => tr!("error-qt-no-memory", bytes = bytes),
            StreamError::Truncated => tr!("error-qt-cut"),
            StreamError::Io(source) => tr!("error-qt-stream-io", reason = source),
            _ => self.to_string(),
        }
    }
}

impl Explain for PublishError {
    fn explain(&self) -> String {
        match self {
            PublishError::Segment(error) => error.explain(),
            PublishError::Lock(error) => error.explain(),
            PublishError::TooSmall {
                key,
                size,
                needed,
                users,
            } => tr!(
                "error-qt-too-small",
                key = key,
                size = size,
                needed = needed,
                by = names(users)
            ),
            PublishError::Write { key, source } => {
                tr!("error-qt-write", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}
