//! Named shared-memory segments for programs on one computer: text, pictures and live frames.
//!
//! One program publishes under a [`Key`]; others read the latest sample, in
//! place and without copying, or sleep until the next. Whatever dies, at
//! whatever instruction: the next command works, and nothing is left behind.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use shm_core::{Key, Message, Options, Publisher, Subscriber};
//!
//! # let options = Options::new().directory(directory.path());
//! # /*
//! let options = Options::new();
//! # */
//! let key = Key::new("MySharedMemory")?;
//! let publisher = Publisher::open(&key, &options)?; // SharedMemoryLoad
//! publisher.publish_text("Hello from shared memory")?;
//!
//! let mut subscriber = Subscriber::attach(&key, &options)?; // ShowSharedMem, another program
//! if let Some(sample) = subscriber.latest()? {
//!     assert_eq!(sample.to_message()?, Message::Text("Hello from shared memory".into()));
//! }
//! # Ok(()) }
//! ```
//!
//! Four things can be done with a key:
//!
//! - **Samples**: a [`Publisher`] publishes payloads of any size, a
//!   [`Subscriber`] reads the latest. Readers never block a writer and cannot
//!   change a byte.
//! - **A block**: [`Block`] is a fixed number of bytes under a lock that
//!   survives the death of its holder, for those who come from `QSharedMemory`;
//!   it tells of changes where a program [announces](Guard::announce) them.
//! - **A semaphore**: [`Semaphore`] counts units that processes acquire and release; what a process
//!   holds that dies is available again.
//! - **Looking**: [`segment::list`], [`segment::info`] and [`segment::remove`];
//!   [`segment::Watch`] wakes when segments come and go.
//!
//! Waiting for them fits any program: [`Subscriber::next`] sleeps, [`Subscriber::notifier`] is a
//! descriptor for an event loop, a [`WaitSet`] waits for many keys on one thread, an [`Interrupter`] ends
//! a wait from elsewhere, and with the feature `async` `Subscriber::into_stream` feeds tasks.
//!
//! With the feature `presence` a publisher learns which viewers show its samples, over a local
//! socket: module `presence`.
//!
//! A segment is one file in `/dev/shm`. Who is alive is decided by the kernel
//! alone, through locks on bytes of that file that end with the process. The
//! bytes are written down in `docs/LAYOUT.md`, the reasons in `ARCHITECTURE.md`.

mod block;
mod deadline;
mod directory_watch;
mod error;
pub mod escape;
mod interrupter;
mod key;
mod layout;
mod lock;
mod lock_holder;
mod message;
#[cfg(loom)]
mod model;
mod notifier;
mod options;
#[cfg(feature = "presence")]
pub mod presence;
mod process;
mod reactor;
mod readiness;
mod sample;
pub mod segment;
mod semaphore;
mod sequence;
#[cfg(feature = "async")]
mod stream;
mod sync;
mod sys;
mod wait_set;

pub use block::{
    Abandoned, Attach, Block, BlockSnapshot, Change, Guard, LockState, Locked, OutOfBounds,
    ReadOnly, ReadWrite,
};
pub use bytemuck;
pub use error::{
    AttachError, AttachErrorKind, ErrorCode, ForeignReason, InvalidSample, ListError,
    ListErrorKind, ListedError, LockError, LockErrorKind, Polling, PublishError, PublishErrorKind,
    ReadError, ReadErrorKind, RemoveError, RemoveErrorKind, SemaphoreError, SemaphoreErrorKind,
};
#[cfg(feature = "presence")]
pub use error::{PresenceError, PresenceErrorKind, UnsafeDirectory, UnsafeReason};
pub use interrupter::Interrupter;
pub use key::{Key, KeyError};
pub use lock_holder::{LockHolder, UserName};
pub use message::{
    Annotations, ArrayMetadata, BytesMetadata, Element, ElementType, ImageMetadata, Message,
    Metadata, MetadataError, MetadataField, Origin, PixelFormat,
};
pub use notifier::Notifier;
pub use options::Options;
pub use process::Process;
pub use sample::{
    Iter, KeyWatch, Loan, LoanOf, Next, OwnedLoan, Publisher, Sample, Subscriber, WaitResult,
};
pub use segment::{Access, Detached, Participant, SegmentId};
pub use semaphore::Semaphore;
pub use sequence::Sequence;
#[cfg(feature = "async")]
pub use stream::SampleStream;
pub use sys::{GuardedMapping, guard_against_truncation};
pub use wait_set::{Ready, Token, WaitSet, Waitable};

/// Runs the example that the README shows.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
