//! Speaks to programs that use Qt's `QSharedMemory` and `QSystemSemaphore`: the same keys, segments,
//! locks and streams.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use std::time::Duration;
//! use qt_bridge::{Form, Kind, QtKey, Segment, Stream};
//! use shm_core::Message;
//!
//! let patience = Duration::from_secs(1);
//! # /*
//! let key: QtKey = "qt:QSharedMemoryExample".parse()?;
//! # */
//! # let key = QtKey::legacy_in("QSharedMemoryExample", Kind::SystemV, directory.path())?;
//! // What `QDataStream << QString` writes, in a segment of exactly its length.
//! let text = Message::Text("Hello, Qt".into());
//! let stream = Stream::new(&text, Form::QString)?;
//! let mut segment = Segment::create(&key, stream.size(), patience)?;
//! stream.write_to(&mut segment.lock(patience)?.writer())?;
//!
//! // Another program, with Qt or without.
//! let mut theirs = Segment::attach_read_only(&key, patience)?;
//! let guard = theirs.lock(patience)?;
//! let form = Form::recognise(&guard)?;
//! assert_eq!(form, Form::QString);
//! assert_eq!(form.read(&guard)?.into_message(), Some(text));
//! # Ok(()) }
//! ```
//!
//! - A [`QtKey`] is what a Qt program calls a segment.
//! - A [`Segment`] is created, attached to and left by Qt's rules, and guarded by Qt's own lock; a
//!   [`Semaphore`] is a `QSystemSemaphore`.
//! - A [`Form`] says what of `QDataStream` is in the bytes; [`Stream`] writes it. Lengths in a stream
//!   are input from a stranger: they are held against what is there before anything is allocated.
//! - [`Publisher`] and [`Follower`] do with a Qt segment what those of shm-core do with their own.
//!
//! Where Qt waits for ever, this gives up after the caller's patience, and says who is in the way. What
//! Qt programs do differently from shm-core is told in `docs/PORTING-FROM-QT.md`.

mod deadline;
mod error;
mod fault;
mod follower;
mod handle;
mod key;
mod key_file;
mod list;
mod lock;
mod memory;
mod ownership;
mod publisher;
mod segment;
mod semaphore;
mod stream;
mod sys;
mod sysvipc;
mod user;

pub use error::{LockError, LockErrorKind, Meaning, SegmentError, SegmentErrorKind};
pub use follower::{Digest, Follower, Reading, ReadingError, Step, read, read_within};
pub use key::{KeyError, Kind, QtKey};
pub use list::{Listed, list, list_of};
pub use publisher::{PublishError, Publisher};
pub use segment::{Attach, Departure, Guard, ReadOnly, ReadWrite, Segment, remove, size, users};
pub use semaphore::Semaphore;
pub use stream::{
    DEFAULT_LIMIT, Form, NotThisReason, Source, Stream, StreamError, UnfitReason, Value,
};
pub use user::User;

/// Compiles the examples of the porting guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/PORTING-FROM-QT.md")]
struct Porting;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
