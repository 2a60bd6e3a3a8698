//! Shares memory with programs that use Qt's `QSharedMemory` and `QSystemSemaphore`: the same keys,
//! segments, locks and streams.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use std::time::Duration;
//! use qt_bridge::{Form, Kind, QtKey, Segment, Stream};
//! use shm_core::Message;
//!
//! let timeout = Duration::from_secs(1);
//! # /*
//! let key: QtKey = "qt:QSharedMemoryExample".parse()?;
//! # */
//! # let key = QtKey::legacy_in("QSharedMemoryExample", Kind::SystemV, directory.path())?;
//! // The bytes of `QDataStream << QString`, in a segment of exactly their length.
//! let text = Message::Text("Hello, Qt".into());
//! let stream = Stream::new(&text, Form::QString)?;
//! let mut segment = Segment::create(&key, stream.size(), timeout)?;
//! stream.write_to(&mut segment.lock(timeout)?.writer())?;
//!
//! // In another program, with Qt or without:
//! let mut theirs = Segment::attach_read_only(&key, timeout)?;
//! let guard = theirs.lock(timeout)?;
//! let form = Form::recognise(&guard)?;
//! assert_eq!(form, Form::QString);
//! assert_eq!(form.read(&guard)?.into_message(), Some(text));
//! # Ok(()) }
//! ```
//!
//! - A [`QtKey`] is the name by which a Qt program finds a segment.
//! - A [`Segment`] is created, attached to and detached from by Qt's rules, and protected by Qt's
//!   own lock; a [`Semaphore`] is a `QSystemSemaphore`.
//! - A [`Form`] is the encoding of the bytes: a type that `QDataStream` writes, or a C string;
//!   [`Stream`] writes it. Lengths in a stream are untrusted input: they are checked against the
//!   segment before memory is allocated.
//! - A [`Publisher`] publishes into a Qt segment, and a [`Poller`] follows one, as `Publisher` and
//!   `Subscriber` do in shm-core.
//!
//! Qt waits for a lock forever. This crate returns an error after the caller's timeout, which names
//! the process that holds the lock if that is known. `docs/PORTING-FROM-QT.md` lists the
//! differences between Qt and shm-core.

mod deadline;
mod error;
mod fault;
mod handle;
mod key;
mod key_file;
mod list;
mod lock;
mod memory;
mod ownership;
mod poller;
mod publisher;
mod segment;
mod semaphore;
mod stream;
mod sys;
mod sysvipc;
mod user;

pub use error::{LockError, LockErrorKind, Meaning, SegmentError, SegmentErrorKind};
pub use key::{KeyError, Kind, QtKey};
pub use list::{Listed, list, list_of};
pub use poller::{Digest, PollResult, Poller, Reading, ReadingError, read, read_within};
pub use publisher::{PublishError, Publisher};
pub use segment::{Attach, Departure, Guard, ReadOnly, ReadWrite, Segment, remove, size, users};
pub use semaphore::Semaphore;
pub use stream::{
    DEFAULT_LIMIT, Form, NotThisReason, ReadAt, Stream, StreamError, UnfitReason, Value,
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
