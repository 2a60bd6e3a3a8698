//! Loans: memory of a publisher that the caller fills in place.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::{AttachError, AttachErrorKind, PublishError, PublishErrorKind};
use crate::message::{Annotations, Metadata};
use crate::sample::publisher::{NO_ANNOTATIONS, Publisher};
use crate::sample::ring::Payload;
use crate::sequence::Sequence;
use crate::sys::WritableMapping;

/// How many regions [`Options::reserve`] reserves: for the newest sample, the previous, the next.
const RESERVED_REGIONS: usize = 3;

/// A loan that borrows its [`Publisher`]; created by [`Publisher::loan`].
pub type Loan<'p> = LoanOf<&'p Publisher>;

/// A loan that owns a reference to its [`Publisher`]; created by [`Publisher::loan_owned`].
///
/// Can be sent to other threads, stored, and passed through interfaces without lifetimes.
pub type OwnedLoan = LoanOf<Arc<Publisher>>;

/// Memory of a [`Publisher`] to fill in place and publish; either [`Loan`] or [`OwnedLoan`].
///
/// Dropping it publishes nothing.
// The pool trusts a loan to return its region to the publisher that lent it. Only `new` chooses
// `P`, and no other crate calls it: a reference or an `Arc`, which always dereference to the same
// publisher.
pub struct LoanOf<P: Deref<Target = Publisher>> {
    // Before the publisher, so that the region is unmapped before the last loan detaches.
    memory: Memory,
    len: usize,
    publisher: P,
}

/// The memory of a loan.
enum Memory {
    /// Private memory, as long as the loan; copied when it is published.
    Private(Vec<u8>),
    /// A claimed region, mapped for at least the length of the loan.
    Region {
        region: u16,
        mapping: Arc<WritableMapping>,
    },
    /// None, because the loan was published.
    Published,
}

impl Publisher {
    /// Lends `len` bytes to fill in place; no subscriber sees them before they are published.
    ///
    /// Up to 16 KiB (less in a small ring) a loan is private memory, which is copied when it is
    /// published; longer loans lie in shared memory. Their initial content is arbitrary.
    ///
    /// # Errors
    ///
    /// [`PublishErrorKind::NoSpace`] if the file system is full,
    /// [`PublishErrorKind::RegionsFull`] if readers and loans hold all regions.
    pub fn loan(&self, len: usize) -> Result<Loan<'_>, PublishError> {
        Loan::new(self, len)
    }

    /// Lends `len` bytes to fill in place, as [`loan`](Self::loan) does, in a loan that owns a
    /// reference to the publisher: it can be sent to another thread, stored, and outlive the
    /// caller's reference.
    ///
    /// The publisher detaches when all references and all of these loans have been dropped.
    ///
    /// # Errors
    ///
    /// Those of [`loan`](Self::loan).
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use std::sync::Arc;
    /// use shm_core::{Key, Metadata, Options, Publisher, Subscriber};
    ///
    /// let options = Options::new().directory(directory.path());
    /// let key = Key::new("frames")?;
    /// let publisher = Arc::new(Publisher::open(&key, &options)?);
    /// let mut subscriber = Subscriber::attach(&key, &options)?;
    ///
    /// let mut loan = publisher.loan_owned(1 << 20)?;
    /// let camera = std::thread::spawn(move || {
    ///     loan.fill(7);
    ///     loan.publish(&Metadata::bytes(""))
    /// });
    /// camera.join().expect("it does not panic")?;
    /// assert!(subscriber.latest()?.is_some());
    /// # Ok(()) }
    /// ```
    pub fn loan_owned(self: &Arc<Self>, len: usize) -> Result<OwnedLoan, PublishError> {
        OwnedLoan::new(Arc::clone(self), len)
    }

    /// Reserves and touches the regions that samples of this length will use.
    pub(super) fn warm(&self, bytes: u64) -> Result<(), AttachError> {
        let Ok(len @ 1..) = usize::try_from(bytes) else {
            return Ok(());
        };
        if self.is_inline(len) {
            return Ok(());
        }
        let warmed: Result<Vec<Loan<'_>>, PublishError> = (0..RESERVED_REGIONS)
            .map(|_| {
                let mut loan = self.loan(len)?;
                loan.fill(0);
                Ok(loan)
            })
            .collect();
        match warmed {
            Ok(_) => Ok(()),
            Err(error) if *error.kind() == PublishErrorKind::FileSizeLimit => {
                Err(AttachError::new(self.key(), AttachErrorKind::FileSizeLimit))
            }
            Err(error) => Err(AttachError::new(self.key(), AttachErrorKind::NoSpace)
                .with_source(io::Error::other(error))),
        }
    }
}

impl Memory {
    fn acquire(publisher: &Publisher, len: usize) -> Result<Self, PublishError> {
        if publisher.is_inline(len) {
            return Ok(Self::Private(vec![0; len]));
        }
        let mut state = publisher.state();
        let (region, mapping) = state.pool.acquire(&publisher.attachment, len as u64)?;
        Ok(Self::Region { region, mapping })
    }
}

impl<P: Deref<Target = Publisher>> LoanOf<P> {
    pub(super) fn new(publisher: P, len: usize) -> Result<Self, PublishError> {
        publisher.check_process()?;
        let memory = Memory::acquire(&publisher, len)?;
        Ok(Self {
            memory,
            len,
            publisher,
        })
    }

    /// Changes the length of the loan. The bytes that both lengths have in common are kept.
    ///
    /// # Errors
    ///
    /// [`PublishErrorKind::NoSpace`] if the file system is full, [`PublishErrorKind::RegionsFull`]
    /// if readers and loans hold all regions; the loan does not change.
    pub fn resize(&mut self, len: usize) -> Result<(), PublishError> {
        self.publisher.check_process()?;
        match &mut self.memory {
            Memory::Private(bytes) if self.publisher.is_inline(len) => bytes.resize(len, 0),
            Memory::Private(bytes) => {
                let bytes = std::mem::take(bytes);
                match Memory::acquire(&self.publisher, len) {
                    Ok(region) => {
                        self.memory = region;
                        self.len = len;
                        self[..bytes.len()].copy_from_slice(&bytes);
                    }
                    Err(error) => {
                        self.memory = Memory::Private(bytes);
                        return Err(error);
                    }
                }
            }
            Memory::Region { region, mapping } if len > self.len => {
                let attachment = &self.publisher.attachment;
                let mut state = self.publisher.state();
                *mapping = state.pool.grow(attachment, *region, len as u64)?;
            }
            Memory::Region { .. } | Memory::Published => {}
        }
        self.len = len;
        Ok(())
    }

    /// Publishes the loan and wakes the subscribers; returns the sample's sequence.
    ///
    /// # Errors
    ///
    /// [`PublishErrorKind::Metadata`] if the metadata does not match the payload,
    /// [`PublishErrorKind::Removed`] if the segment was removed. Earlier samples stay published.
    pub fn publish(self, metadata: &Metadata) -> Result<Sequence, PublishError> {
        self.publish_with(metadata, &NO_ANNOTATIONS)
    }

    /// Publishes the loan, as [`publish`](Self::publish) does, with annotations.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn publish_with(
        mut self,
        metadata: &Metadata,
        annotations: &Annotations,
    ) -> Result<Sequence, PublishError> {
        let publisher: &Publisher = &self.publisher;
        publisher.check_process()?;
        let mut state = publisher.state();
        match std::mem::replace(&mut self.memory, Memory::Published) {
            Memory::Private(bytes) => {
                publisher.put(&mut state, metadata, annotations, Payload::Inline(&bytes))
            }
            Memory::Region { region, .. } => {
                let bytes = self.len as u64;
                publisher.put_region(&mut state, metadata, annotations, region, bytes)
            }
            Memory::Published => unreachable!("a loan is published once: it is consumed"),
        }
    }
}

#[expect(unsafe_code, reason = "a slice of claimed memory")]
impl<P: Deref<Target = Publisher>> Deref for LoanOf<P> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.memory {
            Memory::Private(bytes) => bytes,
            // SAFETY: the region's byte is write-locked and lent to this loan alone, so no other
            // thread or process reads or writes it (LAYOUT.md, invariant I4); `&self` prevents
            // writes through this loan; the mapping is at least `len` bytes long.
            Memory::Region { mapping, .. } => unsafe { mapping.slice(0, self.len) },
            Memory::Published => &[],
        }
    }
}

#[expect(unsafe_code, reason = "a slice of claimed memory")]
impl<P: Deref<Target = Publisher>> DerefMut for LoanOf<P> {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.memory {
            Memory::Private(bytes) => bytes,
            // SAFETY: as above; `&mut self` is the only access to these bytes.
            Memory::Region { mapping, .. } => unsafe { mapping.slice_mut(0, self.len) },
            Memory::Published => &mut [],
        }
    }
}

impl<P: Deref<Target = Publisher>> fmt::Debug for LoanOf<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl<P: Deref<Target = Publisher>> Drop for LoanOf<P> {
    fn drop(&mut self) {
        let Memory::Region { region, .. } = self.memory else {
            return;
        };
        // After a fork, the region belongs to the parent's loan.
        if !self.publisher.attachment.is_forked() {
            let attachment = &self.publisher.attachment;
            self.publisher.state().pool.recycle(attachment, region);
        }
    }
}
