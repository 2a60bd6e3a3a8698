//! What qt-bridge says of errors, in the language of the window.

use std::io::ErrorKind;

use qt_bridge::{
    KeyError, Kind, LockError, PublishError, ReadingError, SegmentError, StreamError, User,
};

use super::{Explain, explain_reason};
use crate::form_choice;
use crate::language::{self, Language};

/// Names who uses a segment, or says that nobody is seen.
fn names(users: &[User]) -> String {
    match users {
        [] => crate::say!("qt-somebody"),
        users => language::names(users.iter().map(User::to_string)),
    }
}

impl Explain for KeyError {
    fn explain(&self) -> String {
        match self {
            KeyError::Empty => explained!(self, "error-qt-key-empty"),
            KeyError::TooLong { bytes } => {
                explained!(self, "error-qt-key-too-long", bytes = bytes)
            }
            KeyError::Character { character: '/', at } => {
                explained!(self, "error-qt-key-slash", at = at)
            }
            KeyError::Character { character, at } => {
                let code = format!("U+{:04X}", u32::from(*character));
                explained!(self, "error-qt-key-character", code = code, at = at)
            }
            KeyError::Relative { path } => explained!(self, "error-qt-key-relative", path = path),
            KeyError::Reserved => explained!(self, "error-qt-key-reserved"),
            KeyError::Taken { name } => explained!(self, "error-qt-key-taken", name = name),
            KeyError::NotUtf8 => explained!(self, "error-qt-key-not-utf8"),
            KeyError::Scheme => explained!(self, "error-qt-key-scheme"),
            _ => self.to_string(),
        }
    }
}

impl Explain for SegmentError {
    fn explain(&self) -> String {
        match self {
            SegmentError::NotFound { key } => explained!(self, "error-qt-not-found", key = key),
            SegmentError::AlreadyExists { key, users }
                if users.is_empty() && key.kind() == Kind::PosixRealtime =>
            {
                explained!(self, "error-qt-exists-idle", key = key)
            }
            SegmentError::AlreadyExists { key, users } => {
                explained!(self, "error-qt-exists", key = key, by = names(users))
            }
            SegmentError::InUse { key, users } => {
                explained!(self, "error-qt-in-use", key = key, by = names(users))
            }
            SegmentError::Size { key, size } => {
                explained!(self, "error-qt-size", key = key, size = size)
            }
            SegmentError::OutOfResources { key, source } => {
                explained!(self, "error-qt-resources", key = key, reason = source)
            }
            SegmentError::Stranger { key, file, owner } => explained!(
                self,
                "error-qt-stranger",
                key = key,
                path = file.display(),
                owner = owner
            ),
            SegmentError::Foreign { key, file } => {
                explained!(self, "error-qt-foreign", key = key, path = file.display())
            }
            SegmentError::Folder { key, folder } => {
                explained!(self, "error-qt-folder", key = key, path = folder.display())
            }
            SegmentError::Permission { key, source } if !key.is_ours() => explained!(
                self,
                "error-qt-not-shared",
                key = key,
                reason = source,
                owner = key.owner()
            ),
            SegmentError::Permission { key, source } => {
                explained!(self, "error-qt-permission", key = key, reason = source)
            }
            SegmentError::Lock(error) => error.explain(),
            SegmentError::Io { key, source, .. } => {
                explained!(self, "error-qt-io", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for LockError {
    fn explain(&self) -> String {
        match self {
            LockError::Timeout {
                key,
                holder: Some(holder),
                ..
            } => {
                explained!(
                    self,
                    "error-qt-lock-holder",
                    key = key,
                    holder = holder.to_string()
                )
            }
            LockError::Timeout { key, users, .. }
                if users.is_empty() && key.kind() == Kind::PosixRealtime =>
            {
                explained!(self, "error-qt-lock-killed", key = key)
            }
            LockError::Timeout { key, users, .. } => {
                explained!(self, "error-qt-lock-users", key = key, by = names(users))
            }
            LockError::Folder { key, folder } => {
                explained!(self, "error-qt-folder", key = key, path = folder.display())
            }
            LockError::ReadOnly { key } => {
                explained!(self, "error-qt-read-only", key = key, owner = key.owner())
            }
            LockError::Lost { key } if !key.is_ours() => {
                explained!(self, "error-qt-changed", key = key, owner = key.owner())
            }
            LockError::Lost { key } => explained!(self, "error-qt-lock-lost", key = key),
            LockError::Stranger { key, file, owner } => explained!(
                self,
                "error-qt-stranger",
                key = key,
                path = file.display(),
                owner = owner
            ),
            LockError::Foreign { key, file } => {
                explained!(self, "error-qt-foreign", key = key, path = file.display())
            }
            LockError::Io { key, source, .. } if source.kind() == ErrorKind::NotFound => {
                explained!(self, "error-qt-no-folder", key = key, reason = source)
            }
            LockError::Io { key, source, .. } => {
                explained!(self, "error-qt-lock-io", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for ReadingError {
    fn explain(&self) -> String {
        match self {
            ReadingError::Segment(error) => error.explain(),
            ReadingError::Lock(error) => error.explain(),
            ReadingError::Stream { key, source } => explained!(
                self,
                "error-qt-stream",
                key = key,
                reason = source.explain()
            ),
            _ => self.to_string(),
        }
    }
}

impl Explain for StreamError {
    fn explain(&self) -> String {
        match self {
            StreamError::NotThis { form, reason } => explained!(
                self,
                "error-qt-not-this",
                form = form_choice::name(*form),
                reason = explain_reason(reason)
            ),
            StreamError::Unfit { form, reason } => explained!(
                self,
                "error-qt-unfit",
                form = form_choice::name(*form),
                reason = explain_reason(reason)
            ),
            StreamError::TooLong { bytes } => {
                explained!(self, "error-qt-too-long", bytes = bytes)
            }
            StreamError::Limit { bytes, limit } => {
                explained!(self, "error-qt-limit", bytes = bytes, limit = limit)
            }
            StreamError::Unwritten { bytes, present } => {
                explained!(self, "error-qt-unwritten", bytes = bytes, present = present)
            }
            StreamError::NoMemory { bytes } => {
                explained!(self, "error-qt-no-memory", bytes = bytes)
            }
            StreamError::Io(source) if source.kind() == ErrorKind::UnexpectedEof => {
                explained!(self, "error-qt-cut")
            }
            StreamError::Io(source) => explained!(self, "error-qt-stream-io", reason = source),
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
            } => explained!(
                self,
                "error-qt-too-small",
                key = key,
                size = size,
                needed = needed,
                by = names(users)
            ),
            PublishError::Write { key, source } => {
                explained!(self, "error-qt-write", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}
