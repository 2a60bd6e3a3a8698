//! Named shared memory for programs on one Linux computer, safe against crashes at any instruction.
//!
//! One program publishes under a [`Key`]; others read the newest sample or all in order, in place
//! and without a copy, or sleep until there is one:
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
//! let publisher = Publisher::open(&key, &options)?;
//! publisher.publish_text("Hello from shared memory")?;
//!
//! let mut subscriber = Subscriber::attach(&key, &options)?; // in another program
//! if let Some(sample) = subscriber.latest()? {
//!     assert_eq!(sample.to_message()?, Message::Text("Hello from shared memory".into()));
//! }
//! # Ok(()) }
//! ```
//!
//! A *segment* is one file in `/dev/shm`, found by its key. There is no daemon: only the kernel
//! decides liveness, through locks on bytes of that file that end with the process that holds them.
//! After a crash, locks and units of semaphores are available again, and the next operation
//! reclaims the memory. `docs/LAYOUT.md` in the repository specifies every byte; `ARCHITECTURE.md`
//! gives the reasons.
//!
//! # What to use
//!
//! | to | use | example program |
//! | --- | --- | --- |
//! | publish texts, images, arrays, bytes | [`Publisher::publish_text`], `publish` | `publish` |
//! | fill a large payload in place | [`Publisher::loan`], [`Publisher::loan_owned`] | `frames` |
//! | publish Rust values | [`Publisher::publish_value`], [`Publisher::publish_slice`] | `typed` |
//! | read every sample in order | [`Subscriber::next`], [`Subscriber::iter`] | `subscribe` |
//! | read only the newest sample | [`Subscriber::latest`] | `typed` |
//! | share a fixed number of bytes under a lock, as with `QSharedMemory` | [`Block`] | `block` |
//! | count units across processes, as with `QSystemSemaphore` | [`Semaphore`] | `semaphore` |
//! | wait in an event loop | [`Subscriber::notifier`] | `epoll` |
//! | wait for many keys on one thread | [`WaitSet`] | |
//! | wait in async tasks (feature `async`) | `Subscriber::into_stream` | `tokio` |
//! | end a wait from another thread or a signal handler | [`Interrupter`] | |
//! | list, inspect, remove segments, or wait for changes of the list | module [`segment`] | |
//! | learn which viewers show the samples (feature `presence`) | module `presence` | |
//!
//! The example programs are in the package's folder `examples/`; each says at its top how to run
//! it. [`Options`] are the choices of the process that opens a segment.
//!
//! Subscribers open the segment read-only: they never delay a publisher and cannot change a byte. A
//! subscriber that is slower than the publishers for longer than the ring lasts skips samples, and
//! each [`Sample`] counts them.
//!
//! # Safety model
//!
//! A segment belongs to one user, and its mode is 0600 unless the creator sets
//! [another](Options::mode). Its content is *untrusted input*: lengths, offsets and metadata are
//! checked before they are used. A process that writes anything to the segment causes an error, a
//! wrong sample or a wait until the timeout, but no panic, no access out of bounds and no unbounded
//! allocation.
//!
//! Access **in place** trusts more. These hand out slices of memory that other processes map
//! writable:
//!
//! - [`Sample::payload`] and [`Sample::as_slice`] of a payload longer than 16 KiB (or an eighth of
//!   the ring). The pin keeps publishers that follow the layout from writing to the region. Shorter
//!   payloads are private copies.
//! - The guard of a [`Block`]. The lock keeps processes that follow the layout away from the bytes.
//! - A [`Loan`]. The claim of its region does the same.
//!
//! The slices are sound if every process that may *write* to the file follows the layout, that is,
//! if the user's own processes are trusted: other users cannot write unless [`Options::mode`] lets
//! them. A peer that ignores the layout can change the bytes while they are borrowed. If it is not
//! trusted, use what copies first:
//!
//! - [`Sample::copy_to`] and [`Sample::to_message`] read the file instead of the mapping, and check
//!   text after the copy.
//! - A value checked in the copy that [`Block::snapshot`] returns does not change afterwards. The
//!   copy itself is made under the lock.
//!
//! **Truncation.** A process that may write can also cut the file short. An access to a mapped page
//! behind the new end raises `SIGBUS`, which ends the process. After [`guard_against_truncation`]
//! such pages read as zeros instead, and the next checked operation fails with `Truncated` or
//! `Removed`; [`Sample::verify`] checks after reading in place. `copy_to` and `to_message` never
//! raise the signal.
//!
//! **Other users.** A process of another user that may read a segment cannot change it, nor keep a
//! dead segment, lock or name alive. It can hold read locks, and so, until it ends: keep others
//! from attaching for writing or from removing the segment, pin all regions so that large samples
//! find none, and misreport subscribers. The operations that it blocks fail within the timeout,
//! with an error that names the process ([`LockHolder`]).
//!
//! **Forks.** A handle that a forked child inherits fails with `Forked`; the parent's locks, loans
//! and pins stay whole.
//!
//! # Real time
//!
//! In the steady state, which means the same metadata as the sample before and a reader that drops
//! each sample before it reads the next:
//!
//! | operation | allocates | system calls | may wait for |
//! | --- | --- | --- | --- |
//! | publish up to 16 KiB (or ⅛ of the ring) | nothing | 1 (wake), or 0 ¹ | lock, mutex |
//! | publish more | shared memory, unless a region is free | 3 or more ² | lock, mutex |
//! | [`Publisher::loan`] up to 16 KiB | private memory | 0 | nothing |
//! | [`Publisher::loan`] of more | as publishing | 1 or more (claim) | mutex |
//! | [`Subscriber::latest`] up to 16 KiB | nothing | 0 | retries |
//! | [`Subscriber::latest`] of more | a few hundred bytes | 3 or more (pin, `fstat`, unpin) | retries |
//! | [`Subscriber::next`] | as `latest` | as `latest`, and futex waits | a publication |
//! | [`Subscriber::has_unread`] | nothing | 0 | nothing |
//! | [`Block::lock`] and release, uncontended | nothing | 0 | |
//! | [`Block::lock`], contended | nothing | futex wait and wake | the holder |
//! | [`Semaphore::acquire`] and release, uncontended | nothing | 0 | |
//!
//! ¹ With [`notify(false)`](Options::notify). ² Claim and release a region, wake; a publisher that
//! fills a [`Loan`] copies nothing.
//!
//! **Locks.** A publisher holds the segment's lock while it appends one record, not while it copies
//! a large payload. A publisher that waits for it spins briefly, then sleeps on a futex in slices
//! of 10 ms, up to [`Options::timeout`] (default 5 s), and fails with [`PublishErrorKind::Busy`]. A
//! holder that died is detected after one slice. A holder that is stopped or preempted is waited
//! for. The lock is neither fair nor priority-inheriting. Threads that share one [`Publisher`] also
//! take turns at a mutex of the process, which has no timeout and is held while a large payload is
//! copied; a publisher for each thread avoids it. Subscribers hold no lock that a publisher waits
//! for: a publisher skips pinned regions.
//!
//! **Retries.** A subscriber that a publisher overtakes while it reads tries 64 times at once, then
//! with pauses of 20 µs to 5 ms, up to the timeout, and fails with [`ReadErrorKind::Busy`].
//!
//! **Beyond the steady state.** New metadata or annotations are encoded and decoded, which
//! allocates. Once a second a publisher or lock holder asks the kernel whether the name still leads
//! to the segment, and a publisher reads the wall clock. Every 16th publication after large ones
//! (otherwise every 1024th) looks for memory to give back, with system calls for each region that
//! has some. The first use of a region reserves and maps memory and takes page faults;
//! [`Options::reserve`] does that when the publisher opens. The largest of the last eight samples
//! decides how much memory is kept. Opening and dropping handles take tens of system calls and may
//! wait for other processes that attach or detach.
//!
//! `docs/PERFORMANCE.md` has measured times: a publication of 64 bytes takes 831 instructions, a
//! read of them 688.
//!
//! # Features
//!
//! Both are off by default.
//!
//! - `async`: `Subscriber::into_stream`.
//! - `presence`: the module `presence`.

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
mod participant;
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
mod time;
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
pub use participant::{Access, Participant};
pub use process::Process;
pub use sample::{
    Iter, KeyWatch, Loan, LoanOf, Next, OwnedLoan, Publisher, Sample, Subscriber, WaitResult,
};
pub use segment::{Detached, SegmentId};
pub use semaphore::Semaphore;
pub use sequence::Sequence;
#[cfg(feature = "async")]
pub use stream::SampleStream;
pub use sys::{GuardedMapping, guard_against_truncation};
pub use wait_set::{Ready, Token, WaitSet, Waitable};

/// Runs the example of the package's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct PackageReadme;

/// Runs the example of the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct RepositoryReadme;
