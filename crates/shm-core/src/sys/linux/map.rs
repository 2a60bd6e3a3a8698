//! Mapped files, as words that other processes may be writing.
#![expect(unsafe_code, reason = "turning mapped addresses into words and slices")]

use crate::sync::{AtomicU64, Ordering};
use std::borrow::Borrow;
use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::{MmapOptions, MmapRaw};

use super::file::{OpenMode, reopen};
use super::memory::page_size;
use super::sigbus::{self, Registration};

/// A type that can be referenced in memory that other processes are writing.
///
/// # Safety
///
/// The type consists of atomics only, is valid for any bytes, and needs no alignment above that of
/// a page.
pub(crate) unsafe trait Shared {}

/// A part of a file mapped for reading.
///
/// Other processes may change or truncate it at any time. So safe code gets no plain reference:
/// words are copied out atomically, and code that takes a slice names the lock that makes it valid.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// First, so that the registration ends before the memory is unmapped and its addresses are
    /// reused.
    registration: Option<Registration>,
    memory: MmapRaw,
}

/// A part of a file mapped for reading and writing.
#[derive(Debug)]
pub(crate) struct WritableMapping(Mapping);

impl Mapping {
    /// Maps `length` bytes from `offset`, which must be a multiple of the page size.
    ///
    /// Maps another open file than `file`, because a mapping keeps its open file: forked children
    /// inherit the mapping, and would keep all locks of that open file.
    pub(crate) fn read_only(file: &File, offset: u64, length: usize) -> io::Result<Self> {
        let another = reopen(file, OpenMode::ReadOnly);
        let memory = MmapOptions::new()
            .offset(offset)
            .len(length)
            // Without /proc the locks may outlive the process in its children; everything else
            // works.
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

    /// Returns the length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }

    /// Returns the address of the first byte, which is constant while the mapping exists.
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.memory.as_ptr()
    }

    /// Returns `true` if a read has reached memory that the file no longer has.
    ///
    /// Known only if the process has called [`super::guard_against_truncation`].
    #[inline]
    pub(crate) fn was_truncated(&self) -> bool {
        self.registration
            .as_ref()
            .is_some_and(Registration::was_hit)
    }

    /// Reads a byte of every page in a range, so that memory that is only reserved counts as
    /// written.
    pub(crate) fn touch(&self, range: std::ops::Range<usize>) {
        let page = page_size();
        let first = range.start - range.start % page;
        let read = (first..range.end)
            .step_by(page)
            .map(|offset| self.words(offset, 1)[0].load(Ordering::Relaxed));
        std::hint::black_box(read.fold(0, |sum: u64, word| sum ^ word));
    }

    /// Returns the value at the mapping's beginning.
    ///
    /// # Panics
    ///
    /// If the mapping is shorter than `T`.
    #[inline]
    pub(crate) fn view<T: Shared>(&self) -> &T {
        assert!(
            self.len() >= size_of::<T>(),
            "mapping shorter than its type"
        );
        // SAFETY: the mapping is page-aligned, at least as long as `T` (asserted above) and lives
        // as long as the borrow; `Shared` promises that `T` may be changed by other processes.
        unsafe { &*self.memory.as_ptr().cast::<T>() }
    }

    /// Returns `length` bytes from `offset` as a slice.
    ///
    /// # Panics
    ///
    /// If the range is outside the mapping.
    ///
    /// # Safety
    ///
    /// No process or thread may change these bytes while the slice exists: the caller holds
    /// the lock or the pin that ensures it (LAYOUT.md, invariants I4 and I5).
    pub(crate) unsafe fn slice(&self, offset: usize, length: usize) -> &[u8] {
        let start = self.address(offset, length);
        // SAFETY: `address` checked that the range lies in the mapping, which the borrow keeps; the
        // caller promises that there is no writer.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// Returns `count` words from `offset`. In a read-only mapping only relaxed loads are allowed.
    ///
    /// # Panics
    ///
    /// If the range is outside the mapping or `offset` is no multiple of eight.
    #[inline]
    pub(crate) fn words(&self, offset: usize, count: usize) -> &[AtomicU64] {
        assert!(offset % 8 == 0, "words are aligned");
        let length = count.saturating_mul(8);
        let start = self.address(offset, length).cast::<AtomicU64>();
        // SAFETY: in bounds by `address`, aligned because the mapping is and `offset` is a multiple
        // of eight; atomics may be changed by other processes, and relaxed loads are defined on
        // read-only memory.
        unsafe { std::slice::from_raw_parts(start, count) }
    }

    fn address(&self, offset: usize, length: usize) -> *const u8 {
        assert!(
            offset
                .checked_add(length)
                .is_some_and(|end| end <= self.len()),
            "range outside the mapping"
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

    /// Returns the address of the first byte, for writes under a lock.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.0.memory.as_mut_ptr()
    }

    /// Returns `length` bytes from `offset` as a mutable slice.
    ///
    /// # Panics
    ///
    /// If the range is outside the mapping.
    ///
    /// # Safety
    ///
    /// No other thread or process may read or change these bytes while the slice exists: the caller
    /// holds the lock that ensures it (LAYOUT.md, invariants I4 and I5), and takes no second slice.
    #[expect(
        clippy::mut_from_ref,
        reason = "exclusive by the caller's lock, not by the borrow"
    )]
    pub(crate) unsafe fn slice_mut(&self, offset: usize, length: usize) -> &mut [u8] {
        let start = self.0.address(offset, length).cast_mut();
        // SAFETY: `address` checked that the range lies in the mapping, which the borrow keeps and
        // which is writable; the caller promises that there is no other access.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }
}

impl Borrow<Mapping> for WritableMapping {
    fn borrow(&self) -> &Mapping {
        &self.0
    }
}

impl Deref for WritableMapping {
    type Target = Mapping;

    #[inline]
    fn deref(&self) -> &Mapping {
        &self.0
    }
}
