//! A file in shared memory that both processes of a contest map, for contenders without a library.
#![expect(unsafe_code, reason = "words and bytes of a mapping")]

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::{MmapOptions, MmapRaw};

use crate::Outcome;

pub(crate) struct Ground(MmapRaw);

impl Ground {
    /// Opens the file, or creates it with `length` bytes.
    pub(crate) fn open(path: &Path, length: usize) -> Outcome<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path)?;
        file.set_len(length as u64)?;
        Ok(Self(MmapOptions::new().len(length).map_raw(&file)?))
    }

    /// Returns the word at an offset.
    pub(crate) fn word(&self, offset: usize) -> &AtomicU32 {
        let address = self.address(offset, 4).cast::<AtomicU32>();
        assert!(address.is_aligned(), "words are aligned");
        // SAFETY: in bounds by `address`, aligned as asserted, mapped as long as the borrow; all
        // processes access it atomically.
        unsafe { &*address }
    }

    /// Returns the 64-bit word at an offset.
    pub(crate) fn wide(&self, offset: usize) -> &AtomicU64 {
        let address = self.address(offset, 8).cast::<AtomicU64>();
        assert!(address.is_aligned(), "words are aligned");
        // SAFETY: as for `word`.
        unsafe { &*address }
    }

    /// Returns the address of a range, for locks of the system.
    pub(crate) fn address(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(offset + length <= self.0.len(), "inside the mapping");
        self.0.as_mut_ptr().wrapping_add(offset)
    }

    /// Writes bytes that the other process does not access before it is notified.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        let to = self.address(offset, bytes.len());
        // SAFETY: in bounds by `address`; the other process waits for a word that is stored later.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Returns bytes that the other process does not change before it is answered.
    pub(crate) fn read(&self, offset: usize, length: usize) -> &[u8] {
        let from = self.address(offset, length);
        // SAFETY: in bounds by `address`; the other process waits for an answer before it writes.
        unsafe { std::slice::from_raw_parts(from, length) }
    }
}
