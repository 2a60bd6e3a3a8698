//! Error types: one struct for each operation, with the key, a kind, and the underlying OS error as
//! the source.

mod attach;
pub(crate) mod code;
mod foreign;
mod invalid_sample;
mod list;
mod lock;
mod polling;
#[cfg(feature = "presence")]
mod presence;
mod publish;
mod read;
mod remove;
mod semaphore;

use std::fmt;
use std::io;

pub use attach::{AttachError, AttachErrorKind};
pub use code::ErrorCode;
pub use foreign::ForeignReason;
pub use invalid_sample::InvalidSample;
pub use list::{ListError, ListErrorKind, ListedError};
pub use lock::{LockError, LockErrorKind};
pub use polling::Polling;
#[cfg(feature = "presence")]
pub use presence::{PresenceError, PresenceErrorKind, UnsafeDirectory, UnsafeReason};
pub use publish::{PublishError, PublishErrorKind};
pub use read::{ReadError, ReadErrorKind};
pub use remove::{RemoveError, RemoveErrorKind};
pub use semaphore::{SemaphoreError, SemaphoreErrorKind};

use crate::participant::Participant;

/// Implements the constructor and the accessors of the error of an operation on a segment.
macro_rules! impl_parts {
    ($error:ident, $kind:ident) => {
        impl $error {
            /// Creates the error of an operation on the segment `key`.
            #[cold]
            #[must_use]
            pub fn new(key: &Key, kind: $kind) -> Self {
                Self {
                    key: key.clone(),
                    kind,
                    source: None,
                }
            }

            /// Sets the underlying OS error.
            #[must_use]
            pub fn with_source(self, source: io::Error) -> Self {
                let source = Some(source);
                Self { source, ..self }
            }

            /// Returns the error number (`errno`) of the underlying OS error, if there is one.
            #[must_use]
            pub fn os_error(&self) -> Option<i32> {
                self.source.as_ref().and_then(crate::error::code::os_error)
            }
        }

        impl_parts!(@both $error, $kind);
    };
    ($error:ident, $kind:ident, no source) => {
        impl $error {
            /// Creates the error of an operation on the segment `key`.
            #[cold]
            #[must_use]
            pub fn new(key: &Key, kind: $kind) -> Self {
                let key = key.clone();
                Self { key, kind }
            }

            /// Returns `None`, because there is no underlying OS error.
            #[must_use]
            pub fn os_error(&self) -> Option<i32> {
                None
            }
        }

        impl_parts!(@both $error, $kind);
    };
    (@both $error:ident, $kind:ident) => {
        impl $error {
            /// Returns the key of the segment that the operation was for.
            #[must_use]
            pub fn key(&self) -> &Key {
                &self.key
            }

            /// Returns what went wrong.
            #[must_use]
            pub fn kind(&self) -> &$kind {
                &self.kind
            }

            /// Returns the code of the kind, which keeps its number in every version.
            #[must_use]
            pub fn code(&self) -> ErrorCode {
                self.kind.code()
            }
        }
    };
}

use impl_parts;

/// Displays the process that holds a lock or units, if it is known.
struct HeldBy<'a>(&'a Option<Box<Participant>>);

impl fmt::Display for HeldBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(holder) => holder.fmt(f),
            None => f.write_str("another program"),
        }
    }
}

/// Returns `true` if the file system has no memory left, or the user's quota is used up.
fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::OutOfMemory
    )
}

/// Allocates zeroed memory; `None` if there is not enough.
pub(crate) fn try_zeroed(bytes: usize) -> Option<Vec<u8>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(bytes).ok()?;
    memory.resize(bytes, 0);
    Some(memory)
}
