//! Mapped files, seen as words that others may be writing.
#![expect(unsafe_code, reason = "turning mapped addresses into words and slices")]

use crate::sync::{AtomicU64, Ordering};
use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{MmapOptions, MmapRaw};

use super::file::{OpenMode, reopen};
use super::memory::page_size;
use super::sigbus::{self, Registration};

/// What may be seen in memory that other processes are writing.
///
/// # Safety
///
/// The type consists of atomics only, is valid for any bytes, and needs no
/// alignment above a page's.
pub(crate) unsafe trait Shared {}

/// A part of a file mapped for reading.
///
/// Other processes may change or cut off what it shows at any time, so it
/// lends no plain reference on its own: words are copied out atomically, and
/// whoever takes a slice names the lock that makes it true.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// First, so that it ends before the memory is unmapped and its addresses may serve others.
    registration: Option<Registration>,
    memory: MmapRaw,
}

/// A part of a file mapped for reading and writing.
#[derive(Debug)]
pub(crate) struct WritableMapping(Mapping);

impl Mapping {
    /// Maps `length` bytes from `offset`, which must be a multiple of the page size.
    ///
    /// Maps another open file than `file`: a mapping keeps its open file, forked children inherit it,
    /// and so they would keep all locks that are held on it.
    pub(crate) fn read_only(file: &File, offset: u64, length: usize) -> io::Result<Self> {
        let another = reopen(file, OpenMode::ReadOnly);
        let memory = MmapOptions::new()
            .offset(offset)
            .len(length)
            // Without /proc the locks may outlive the process in its children; all else works.
            .map_raw_read_only(another.as_ref().unwrap_or(file))?;
        Ok(Self::new(memory))
    }

    fn new(memory: MmapRaw) -> Self {
        let registration = sigbus::register(memory.as_ptr(), memory.len());
        Self {
            registration,
            memory,
        }
    }

    /// Length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }

    /// The address of the first byte, which stays the same as long as the mapping.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.memory.as_ptr()
    }

    /// Returns `true` if reading has met memory that the file no longer has.
    ///
    /// Known only where the process asked for [`super::guard_against_truncation`].
    #[inline]
    pub(crate) fn was_truncated(&self) -> bool {
        self.registration
            .as_ref()
            .is_some_and(Registration::was_hit)
    }

    /// Reads a byte of every page in a range, so that memory that is only reserved counts as written.
    pub(crate) fn touch(&self, range: std::ops::Range<usize>) {
        let page = page_size();
        let first = range.start - range.start % page;
        let read = (first..range.end)
            .step_by(page)
            .map(|offset| self.words(offset, 1)[0].load(Ordering::Relaxed));
        std::hint::black_box(read.fold(0, |sum: u64, word| sum ^ word));
    }

    /// Sees what stands at the mapping's beginning.
    ///
    /// # Panics
    ///
    /// If the mapping is shorter than `T`.
    #[inline]
    pub(crate) fn view<T: Shared>(&self) -> &T {
        assert!(
            self.len() >= size_of::<T>(),
            "mapping shorter than what it shows"
        );
        // SAFETY: the mapping is page-aligned, at least as long as `T`
        // (asserted above) and lives as long as the borrow; that `T` may be
        // changed by others at will is what `Shared` promises.
        unsafe { &*self.memory.as_ptr().cast::<T>() }
    }

    /// Sees `length` bytes from `offset` as a slice.
    ///
    /// # Panics
    ///
    /// If the range leaves the mapping.
    ///
    /// # Safety
    ///
    /// Nobody may change these bytes while the slice lives: the caller holds
    /// the lock or the pin that says so (LAYOUT.md, invariants I4 and I5).
    pub(crate) unsafe fn slice(&self, offset: usize, length: usize) -> &[u8] {
        let start = self.address(offset, length);
        // SAFETY: `address` checked that the range lies in the mapping, which
        // the borrow keeps; that nobody writes is the caller's promise.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// Sees `count` words from `offset`. In a mapping for reading, for relaxed loads only.
    ///
    /// # Panics
    ///
    /// If the range leaves the mapping or `offset` is no multiple of eight.
    #[inline]
    pub(crate) fn words(&self, offset: usize, count: usize) -> &[AtomicU64] {
        assert!(offset.is_multiple_of(8), "words are aligned");
        let length = count.saturating_mul(8);
        let start = self.address(offset, length).cast::<AtomicU64>();
        // SAFETY: in bounds by `address`, aligned because the mapping is and
        // `offset` is a multiple of eight; that others change them is what
        // atomics are for, and relaxed loads are defined on read-only memory.
        unsafe { std::slice::from_raw_parts(start, count) }
    }

    fn address(&self, offset: usize, length: usize) -> *const u8 {
        assert!(
            offset
                .checked_add(length)
                .is_some_and(|end| end <= self.len()),
            "range leaves the mapping"
        );
        self.memory.as_ptr().wrapping_add(offset)
    }
}

impl WritableMapping {
    /// Maps `length` bytes from `offset`, which must be a multiple of the page size.
    ///
    /// Maps another open file than `file`, as [`Mapping::read_only`] does.
    pub(crate) fn new(file: &File, offset: u64, length: usize) -> io::Result<Self> {
        let another = reopen(file, OpenMode::ReadWrite);
        let memory = MmapOptions::new()
            .offset(offset)
            .len(length)
            .map_raw(another.as_ref().unwrap_or(file))?;
        Ok(Self(Mapping::new(memory)))
    }

    /// The address of the first byte, which may be written where it is allowed to.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.0.memory.as_mut_ptr()
    }

    /// Sees `length` bytes from `offset` as a slice to write.
    ///
    /// # Panics
    ///
    /// If the range leaves the mapping.
    ///
    /// # Safety
    ///
    /// Nobody else, in this process or another, may look at or change these
    /// bytes while the slice lives: the caller holds the lock that says so
    /// (LAYOUT.md, invariants I4 and I5), and takes no second slice.
    #[expect(
        clippy::mut_from_ref,
        reason = "exclusive by the caller's lock, not by the borrow"
    )]
    pub(crate) unsafe fn slice_mut(&self, offset: usize, length: usize) -> &mut [u8] {
        let start = self.0.address(offset, length).cast_mut();
        // SAFETY: `address` checked that the range lies in the mapping, which
        // the borrow keeps and which is writable; that nobody else looks is
        // the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }
}

impl Deref for WritableMapping {
    type Target = Mapping;

    #[inline]
    fn deref(&self) -> &Mapping {
        &self.0
    }
}
