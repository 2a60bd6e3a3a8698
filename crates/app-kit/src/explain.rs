//! What shm-core and qt-bridge say of errors, in the language of the window.
//!
//! Its own words are English, and are what is said in English; other languages have entries for
//! them, `error-…` and `reason-…`. What the system says is told as it says it.

use std::error::Error as _;

use qt_bridge::AddressError;
use shm_core::{
    AttachError, Participant, Key, KeyError, ListError, LockError, LockHolder, Polling, PublishError,
    ReadError, RemoveError,
};

use crate::group::Group;
use crate::language::{self, Language};
use crate::say;

/// An error in the language of the window.
pub trait Explain {
    /// Says what is wrong and what to do.
    fn explain(&self) -> String;
}

/// Says an entry, or the error's own words where the language has no such entry.
macro_rules! explained {
    ($error:expr, $id:literal $(, $name:ident = $value:expr)* $(,)?) => {
        language::say_in(
            Language::spoken(),
            $id,
            &[$((stringify!($name), language::Argument::value(&$value))),*],
        )
        .unwrap_or_else(|| $error.to_string())
    };
}

mod qt;
mod reason;

pub use reason::explain_reason;

impl Explain for KeyError {
    fn explain(&self) -> String {
        match self {
            KeyError::Empty => explained!(self, "error-key-empty"),
            KeyError::TooLong { bytes } => {
                explained!(
                    self,
                    "error-key-too-long",
                    bytes = bytes,
                    most = Key::MAX_BYTES
                )
            }
            KeyError::Character { character: '/', at } => {
                explained!(self, "error-key-slash", at = at)
            }
            KeyError::Character { character, at } => {
                let code = format!("U+{:04X}", u32::from(*character));
                explained!(self, "error-key-character", code = code, at = at)
            }
            KeyError::Scheme { scheme } => {
                explained!(self, "error-key-scheme", scheme = scheme)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for AddressError {
    fn explain(&self) -> String {
        match self {
            AddressError::Own(error) => error.explain(),
            AddressError::Qt(error) => error.explain(),
        }
    }
}

impl Explain for AttachError {
    fn explain(&self) -> String {
        match self {
            AttachError::NotFound { key } => {
                explained!(self, "error-attach-not-found", key = key)
            }
            AttachError::AlreadyExists { key } => {
                explained!(self, "error-attach-exists", key = key)
            }
            AttachError::Foreign { key, reason } => explained!(
                self,
                "error-attach-foreign",
                key = key,
                reason = explain_reason(reason)
            ),
            AttachError::Version { key, found } => {
                explained!(self, "error-attach-version", key = key, found = found)
            }
            AttachError::WrongKind { key } => explained!(self, "error-attach-kind", key = key),
            AttachError::Permission { key, .. } => {
                explained!(self, "error-attach-permission", key = key)
            }
            // Groups have names, which shm-core does not know.
            AttachError::Group { key, group, .. } => {
                let group = Group::of(*group).to_string();
                say!("group-not-member", key = key, group = group)
            }
            AttachError::FileSystem {
                directory, kind, ..
            } => explained!(
                self,
                "error-file-system",
                path = directory.display(),
                kind = kind
            ),
            AttachError::NoSpace { key, .. } => {
                explained!(self, "error-attach-no-space", key = key)
            }
            AttachError::FileSizeLimit { key } => {
                explained!(self, "error-file-size-limit", key = key)
            }
            AttachError::SlotsFull { key, slots } => {
                explained!(self, "error-attach-slots", key = key, slots = slots)
            }
            AttachError::SlotsBlocked { key, holder } => explained!(
                self,
                "error-attach-slots-blocked",
                key = key,
                holder = holder.explain()
            ),
            AttachError::Busy { key, holder } => {
                explained!(self, "error-busy", key = key, holder = holder.explain())
            }
            AttachError::OtherUser { key, owner } => {
                explained!(self, "error-other-user", key = key, owner = owner)
            }
            AttachError::Timeout { key } => explained!(self, "error-attach-timeout", key = key),
            AttachError::Size { key, size } => {
                explained!(self, "error-attach-size", key = key, size = size)
            }
            AttachError::Units { key, units } => {
                explained!(self, "error-attach-units", key = key, units = units)
            }
            AttachError::Io { key, source, .. } => {
                explained!(self, "error-attach-io", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for PublishError {
    fn explain(&self) -> String {
        match self {
            PublishError::NoSpace { key, bytes } => {
                explained!(self, "error-publish-no-space", key = key, bytes = bytes)
            }
            PublishError::TooLarge { key, bytes } => {
                explained!(self, "error-publish-too-large", key = key, bytes = bytes)
            }
            PublishError::FileSizeLimit { key } => {
                explained!(self, "error-file-size-limit", key = key)
            }
            PublishError::Metadata { key, reason } => explained!(
                self,
                "error-publish-metadata",
                key = key,
                reason = explain_reason(reason)
            ),
            PublishError::Orphaned { key } => explained!(self, "error-orphaned", key = key),
            PublishError::RegionsFull { key, holder } => explained!(
                self,
                "error-publish-regions",
                key = key,
                holder = holder.explain()
            ),
            PublishError::Damaged { key, reason } => explained!(
                self,
                "error-publish-damaged",
                key = key,
                reason = explain_reason(&reason.to_string())
            ),
            PublishError::Busy { key } => explained!(self, "error-publish-busy", key = key),
            PublishError::Forked { key } => explained!(self, "error-forked", key = key),
            PublishError::Io { key, source, .. } => {
                explained!(self, "error-publish-io", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for ReadError {
    fn explain(&self) -> String {
        match self {
            ReadError::Invalid { key, reason } => explained!(
                self,
                "error-read-invalid",
                key = key,
                reason = explain_reason(&reason.to_string())
            ),
            ReadError::Truncated { key } => explained!(self, "error-read-truncated", key = key),
            ReadError::Busy { key } => explained!(self, "error-read-busy", key = key),
            ReadError::NoMemory { key, bytes } => {
                explained!(self, "error-no-memory", key = key, bytes = bytes)
            }
            ReadError::Size { key, bytes, wanted } => explained!(
                self,
                "error-read-size",
                key = key,
                bytes = bytes,
                wanted = wanted
            ),
            ReadError::Forked { key } => explained!(self, "error-forked", key = key),
            ReadError::Io { key, source, .. } => {
                explained!(self, "error-read-io", key = key, reason = source)
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
            } => explained!(
                self,
                "error-lock-holder",
                key = key,
                program = holder.program,
                pid = holder.process
            ),
            LockError::Timeout { key, holder: None } => {
                explained!(self, "error-lock-unknown", key = key)
            }
            LockError::WouldBlock { key } => {
                explained!(self, "error-lock-would-block", key = key)
            }
            LockError::WouldDeadlock { key } => {
                explained!(self, "error-lock-deadlock", key = key)
            }
            LockError::NotHeld { key } => explained!(self, "error-lock-not-held", key = key),
            LockError::Orphaned { key } => explained!(self, "error-orphaned", key = key),
            LockError::NoMemory { key, bytes } => {
                explained!(self, "error-no-memory", key = key, bytes = bytes)
            }
            LockError::Forked { key } => explained!(self, "error-forked", key = key),
            _ => self.to_string(),
        }
    }
}

impl Explain for RemoveError {
    fn explain(&self) -> String {
        match self {
            RemoveError::NotFound { key } => {
                explained!(self, "error-remove-not-found", key = key)
            }
            RemoveError::InUse { key, by } => explained!(
                self,
                "error-remove-in-use",
                key = key,
                by = language::names(by.iter().map(name_of))
            ),
            RemoveError::Foreign { key, reason } => explained!(
                self,
                "error-remove-foreign",
                key = key,
                reason = explain_reason(reason)
            ),
            RemoveError::Permission { key } => {
                explained!(self, "error-remove-permission", key = key)
            }
            RemoveError::Busy { key, holder } => {
                explained!(self, "error-busy", key = key, holder = holder.explain())
            }
            RemoveError::OtherUser { key, owner } => {
                explained!(self, "error-other-user", key = key, owner = owner)
            }
            RemoveError::Io { key, source, .. } => {
                explained!(self, "error-remove-io", key = key, reason = source)
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for LockHolder {
    fn explain(&self) -> String {
        match self {
            LockHolder::Process { pid, program, user } => explained!(
                self,
                "error-holder-process",
                program = program,
                pid = pid,
                user = user
            ),
            LockHolder::OtherUser => explained!(self, "error-holder-other-user"),
            _ => explained!(self, "error-holder-unknown"),
        }
    }
}

impl Explain for ListError {
    fn explain(&self) -> String {
        match self {
            ListError::Directory { path, source } => explained!(
                self,
                "error-list-directory",
                path = path.display(),
                reason = source
            ),
            ListError::FileSystem { path, kind } => explained!(
                self,
                "error-file-system",
                path = path.display(),
                kind = kind
            ),
            _ => self.to_string(),
        }
    }
}

impl Explain for Polling {
    fn explain(&self) -> String {
        let source = self.source().map(ToString::to_string).unwrap_or_default();
        explained!(self, "error-polling", reason = source)
    }
}

/// Names somebody who is attached: `loader-app (pid 4711)`.
pub fn name_of(peer: &Participant) -> String {
    say!("peer", program = peer.program, pid = peer.process)
}

#[cfg(test)]
mod tests;
