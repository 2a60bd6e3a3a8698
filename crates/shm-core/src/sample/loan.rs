//! Memory that a publisher lends, to be filled in place.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::PublishError;
use crate::message::{Annotations, Metadata};
use crate::sample::publisher::{NO_ANNOTATIONS, Publisher};
use crate::sample::ring::Payload;
use crate::sequence::Sequence;
use crate::sys::WritableMapping;

/// Memory lent by a [`Publisher`] that the loan borrows; made by [`Publisher::loan`].
pub type Loan<'p> = LoanOf<&'p Publisher>;

/// Memory lent by a [`Publisher`] that the loan keeps; made by [`Publisher::loan_owned`].
///
/// Can be sent to other threads, stored, and handed through interfaces that know no lifetimes.
pub type OwnedLoan = LoanOf<Arc<Publisher>>;

/// Memory lent by a [`Publisher`], to be filled in place and published; [`Loan`] or [`OwnedLoan`].
///
/// Dropping it publishes nothing.
// The pool trusts a loan to give its region back to the publisher that lent it. `P` is chosen by
// `new` alone, which no other crate calls: a reference or an `Arc`, which always lead to the same one.
pub struct LoanOf<P: Deref<Target = Publisher>> {
    // Before the publisher, so that the region is unmapped before the last loan detaches.
    memory: Memory,
    len: usize,
    publisher: P,
}

/// Where a loan lies.
enum Memory {
    /// In the process's own memory; copied when it is published. As long as the loan.
    Private(Vec<u8>),
    /// In a claimed region, which is mapped at least as far as the loan is long.
    Region {
        region: u16,
        mapping: Arc<WritableMapping>,
    },
    /// Published: nothing is held any more.
    Published,
}

impl Memory {
    fn take(publisher: &Publisher, len: usize) -> Result<Self, PublishError> {
        if publisher.is_inline(len) {
            return Ok(Self::Private(vec![0; len]));
        }
        let mut state = publisher.state();
        let (region, mapping) = state.pool.take(&publisher.attachment, len as u64)?;
        Ok(Self::Region { region, mapping })
    }
}

impl<P: Deref<Target = Publisher>> LoanOf<P> {
    pub(super) fn new(publisher: P, len: usize) -> Result<Self, PublishError> {
        publisher.check_process()?;
        let memory = Memory::take(&publisher, len)?;
        Ok(Self {
            memory,
            len,
            publisher,
        })
    }

    /// Makes the loan longer or shorter; what both lengths share keeps its bytes.
    ///
    /// # Errors
    ///
    /// [`PublishErrorKind::NoSpace`] if the file system is full,
    /// [`PublishErrorKind::RegionsFull`] if readers and loans hold all regions; the loan stays as it was.
    pub fn resize(&mut self, len: usize) -> Result<(), PublishError> {
        self.publisher.check_process()?;
        match &mut self.memory {
            Memory::Private(bytes) if self.publisher.is_inline(len) => bytes.resize(len, 0),
            Memory::Private(bytes) => {
                let bytes = std::mem::take(bytes);
                match Memory::take(&self.publisher, len) {
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
    /// [`PublishErrorKind::Metadata`] if the metadata does not fit the payload,
    /// [`PublishErrorKind::Removed`] if the segment was removed. What was
    /// published before stays.
    pub fn publish(self, metadata: &Metadata) -> Result<Sequence, PublishError> {
        self.publish_with(metadata, &NO_ANNOTATIONS)
    }

    /// Publishes the loan, as [`publish`](Self::publish) does, with what stands beside its metadata.
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
            // SAFETY: the region's byte is write-locked and lent to this loan alone, so nobody else
            // reads or writes it (LAYOUT.md, invariant I4); `&self` lets nobody write through this loan.
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
            // SAFETY: as above; `&mut self` is the only way to these bytes.
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
        // A loan that came along through a fork: the region is the parent's.
        if !self.publisher.attachment.is_forked() {
            let attachment = &self.publisher.attachment;
            self.publisher.state().pool.put_back(attachment, region);
        }
    }
}
