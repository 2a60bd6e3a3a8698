//! Explanations of the errors of shm-core and qt-bridge, with a remedy, in the language of the
//! window.
//!
//! The libraries report what failed; the remedy for each kind is added here, by the entries
//! `error-…` and `reason-…`. Messages of the system and of decoders are passed on unchanged.

use std::error::Error;
use std::path::Path;

use shm_core::{
    AttachError, AttachErrorKind, Key, KeyError, ListError, ListErrorKind, ListedError, LockError,
    LockErrorKind, LockHolder, Participant, Polling, PresenceError, PresenceErrorKind,
    PublishError, PublishErrorKind, ReadError, ReadErrorKind, RemoveError, RemoveErrorKind,
    UserName,
};
use shm_io::{Address, AddressError};

use crate::text::group::Group;
use crate::text::language::{self, Language};
use crate::tr;

/// An error that is explained in the language of the window.
pub trait Explain {
    /// Returns the problem and the remedy.
    fn explain(&self) -> String;
}

mod io;
mod qt;
mod reason;

/// Parses a key from the command line.
///
/// # Errors
///
/// Returns the explanation, as an error of the command line.
pub fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error: AddressError| error.explain())
}

/// Returns the text of the underlying error; in English, also the failed operation.
fn cause(doing: &str, error: &dyn Error) -> String {
    match (error.source(), Language::current()) {
        (Some(source), Language::English) => format!("{doing}: {source}"),
        (Some(source), _) => source.to_string(),
        (None, _) => doing.to_owned(),
    }
}

/// Returns the text of the underlying error.
fn source(error: &dyn Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

fn user(id: u32) -> String {
    UserName(id).to_string()
}

fn unfit(path: &Path, kind: &str) -> String {
    tr!("error-file-system", path = path.display(), kind = kind)
}

impl Explain for KeyError {
    fn explain(&self) -> String {
        match self {
            KeyError::Empty => tr!("error-key-empty"),
            KeyError::TooLong { bytes } => {
                tr!("error-key-too-long", bytes = bytes, most = Key::MAX_BYTES)
            }
            KeyError::Character { character: '/', at } => tr!("error-key-slash", at = at),
            KeyError::Character { character, at } => {
                let code = format!("U+{:04X}", u32::from(*character));
                tr!("error-key-character", code = code, at = at)
            }
            KeyError::Scheme { scheme } => tr!("error-key-scheme", scheme = scheme),
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
        let key = self.key();
        match self.kind() {
            AttachErrorKind::NotFound => tr!("error-attach-not-found", key = key),
            AttachErrorKind::AlreadyExists => tr!("error-attach-exists", key = key),
            AttachErrorKind::Foreign { path, reason } => {
                let reason = reason::of_file(path, reason);
                tr!("error-attach-foreign", key = key, reason = reason)
            }
            AttachErrorKind::Version { found } => {
                tr!("error-attach-version", key = key, found = found)
            }
            AttachErrorKind::WrongKind => tr!("error-attach-kind", key = key),
            AttachErrorKind::Permission => tr!("error-attach-permission", key = key),
            // shm-core does not know the names of groups.
            AttachErrorKind::Group { group } => {
                let group = Group::of(*group).to_string();
                tr!("group-not-member", key = key, group = group)
            }
            AttachErrorKind::FileSystem {
                directory, kind, ..
            } => unfit(directory, kind),
            AttachErrorKind::NoDirectory { directory } => {
                tr!("error-no-directory", path = directory.display())
            }
            AttachErrorKind::NoSpace => tr!("error-attach-no-space", key = key),
            AttachErrorKind::FileSizeLimit => tr!("error-file-size-limit", key = key),
            AttachErrorKind::SlotsFull { slots } => {
                tr!("error-attach-slots", key = key, slots = slots)
            }
            AttachErrorKind::SlotsBlocked { holder } => {
                let holder = holder.explain();
                tr!("error-attach-slots-blocked", key = key, holder = holder)
            }
            AttachErrorKind::Busy { holder } => {
                tr!("error-busy", key = key, holder = holder.explain())
            }
            AttachErrorKind::OtherUser { owner } => {
                tr!("error-other-user", key = key, owner = user(*owner))
            }
            AttachErrorKind::Timeout => tr!("error-attach-timeout", key = key),
            AttachErrorKind::Size { size } => tr!("error-attach-size", key = key, size = size),
            AttachErrorKind::Units { units } => {
                tr!("error-attach-units", key = key, units = units)
            }
            AttachErrorKind::Io { doing } => {
                tr!("error-attach-io", key = key, reason = cause(doing, self))
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for PublishError {
    fn explain(&self) -> String {
        let key = self.key();
        match self.kind() {
            PublishErrorKind::NoSpace { bytes } => {
                tr!("error-publish-no-space", key = key, bytes = bytes)
            }
            PublishErrorKind::TooLarge { bytes } => {
                tr!("error-publish-too-large", key = key, bytes = bytes)
            }
            PublishErrorKind::FileSizeLimit => tr!("error-file-size-limit", key = key),
            PublishErrorKind::Metadata(error) => {
                tr!(
                    "error-publish-metadata",
                    key = key,
                    reason = error.explain()
                )
            }
            PublishErrorKind::MetadataTooLong { .. } => {
                let reason = tr!("reason-metadata");
                tr!("error-publish-metadata", key = key, reason = reason)
            }
            PublishErrorKind::Removed => tr!("error-orphaned", key = key),
            PublishErrorKind::RegionsFull {
                holder: LockHolder::Unknown,
            } => tr!("error-publish-regions-read", key = key),
            PublishErrorKind::RegionsFull { holder } => {
                tr!(
                    "error-publish-regions",
                    key = key,
                    holder = holder.explain()
                )
            }
            PublishErrorKind::Damaged(damage) => {
                tr!(
                    "error-publish-damaged",
                    key = key,
                    reason = damage.explain()
                )
            }
            PublishErrorKind::Busy => tr!("error-publish-busy", key = key),
            PublishErrorKind::Forked => tr!("error-forked", key = key),
            PublishErrorKind::Io { doing } => {
                tr!("error-publish-io", key = key, reason = cause(doing, self))
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for ReadError {
    fn explain(&self) -> String {
        let key = self.key();
        match self.kind() {
            ReadErrorKind::Invalid(damage) => {
                tr!("error-read-invalid", key = key, reason = damage.explain())
            }
            ReadErrorKind::Truncated => tr!("error-read-truncated", key = key),
            ReadErrorKind::Busy => tr!("error-read-busy", key = key),
            ReadErrorKind::NoMemory { bytes } => tr!("error-no-memory", key = key, bytes = bytes),
            ReadErrorKind::Size { bytes, wanted } => {
                tr!("error-read-size", key = key, bytes = bytes, wanted = wanted)
            }
            ReadErrorKind::Forked => tr!("error-forked", key = key),
            ReadErrorKind::Io { doing } => {
                tr!("error-read-io", key = key, reason = cause(doing, self))
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for LockError {
    fn explain(&self) -> String {
        let key = self.key();
        match self.kind() {
            LockErrorKind::Timeout {
                holder: Some(holder),
            } => tr!("error-lock-holder", key = key, holder = peer_name(holder)),
            LockErrorKind::Timeout { holder: None } => tr!("error-lock-unknown", key = key),
            LockErrorKind::WouldBlock => tr!("error-lock-would-block", key = key),
            LockErrorKind::WouldDeadlock => tr!("error-lock-deadlock", key = key),
            LockErrorKind::NotHeld => tr!("error-lock-not-held", key = key),
            LockErrorKind::Removed => tr!("error-orphaned", key = key),
            LockErrorKind::NoMemory { bytes } => tr!("error-no-memory", key = key, bytes = bytes),
            LockErrorKind::Forked => tr!("error-forked", key = key),
            _ => self.to_string(),
        }
    }
}

impl Explain for RemoveError {
    fn explain(&self) -> String {
        let key = self.key();
        match self.kind() {
            RemoveErrorKind::NotFound => tr!("error-remove-not-found", key = key),
            RemoveErrorKind::InUse { by } => {
                let by = language::names(by.iter().map(peer_name));
                tr!("error-remove-in-use", key = key, by = by)
            }
            RemoveErrorKind::Foreign { path, reason } => {
                let reason = reason::of_file(path, reason);
                tr!("error-remove-foreign", key = key, reason = reason)
            }
            RemoveErrorKind::Permission => tr!("error-remove-permission", key = key),
            RemoveErrorKind::Busy { holder } => {
                tr!("error-busy", key = key, holder = holder.explain())
            }
            RemoveErrorKind::OtherUser { owner } => {
                tr!("error-other-user", key = key, owner = user(*owner))
            }
            RemoveErrorKind::Open(kind) => match &**kind {
                AttachErrorKind::Io { doing } => {
                    tr!("error-remove-io", key = key, reason = cause(doing, self))
                }
                kind => AttachError::new(key, kind.clone()).explain(),
            },
            _ => self.to_string(),
        }
    }
}

impl Explain for LockHolder {
    fn explain(&self) -> String {
        match self {
            LockHolder::Process {
                pid,
                program,
                user: id,
            } => tr!(
                "error-holder-process",
                program = program,
                pid = pid,
                user = user(*id)
            ),
            LockHolder::OtherUser => tr!("error-holder-other-user"),
            _ => tr!("error-holder-unknown"),
        }
    }
}

impl Explain for ListError {
    fn explain(&self) -> String {
        let path = self.directory();
        match self.kind() {
            ListErrorKind::Directory => {
                let path = path.display();
                tr!("error-list-directory", path = path, reason = source(self))
            }
            ListErrorKind::FileSystem { kind } => unfit(path, kind),
            _ => self.to_string(),
        }
    }
}

impl Explain for ListedError {
    fn explain(&self) -> String {
        match self {
            ListedError::NotUtf8 => tr!("reason-name-not-utf8"),
            ListedError::Name(error) => error.explain(),
            ListedError::Attach(error) => match error.kind() {
                AttachErrorKind::Foreign { path, reason } => reason::of_file(path, reason),
                _ => error.explain(),
            },
            _ => self.to_string(),
        }
    }
}

impl Explain for PresenceError {
    fn explain(&self) -> String {
        match self.kind() {
            PresenceErrorKind::NoDirectory { candidates } => {
                let candidates = candidates.iter().map(Explain::explain);
                tr!(
                    "error-presence-no-directory",
                    reason = language::names(candidates)
                )
            }
            PresenceErrorKind::Io { doing } => {
                tr!("error-presence-io", reason = cause(doing, self))
            }
            _ => self.to_string(),
        }
    }
}

impl Explain for Polling {
    fn explain(&self) -> String {
        tr!("error-polling", reason = source(self))
    }
}

/// Returns the name of a participant: `loader-app (pid 4711)`.
pub fn peer_name(peer: &Participant) -> String {
    tr!("peer", program = peer.program, pid = peer.process)
}

#[cfg(test)]
mod tests;
