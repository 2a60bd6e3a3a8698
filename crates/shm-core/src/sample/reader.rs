//! The open file, mapping and pins that a subscriber and its samples share.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{InvalidSample, ReadError, ReadErrorKind};
use crate::layout::{self, Control};
use crate::reactor::{Events, FutexWord, PathWatch};
use crate::readiness::Readiness;
use crate::sample::regions::{PinOutcome, RegionLocks, RegionTable};
use crate::sample::ring::Ring;
use crate::segment::{SegmentFile, SegmentId};
use crate::sync::AtomicU64;
use crate::sys::{self, ByteLock, ForkMark, Mapping};

/// An open segment of samples, mapped for reading.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) segment: SegmentFile,
    pub(super) mapping: Mapping,
    pub(crate) id: SegmentId,
    ring_words: usize,
    /// Pins of this open file, by region. The kernel holds one lock for all of them, so they are
    /// counted here.
    pins: Mutex<Vec<u32>>,
    fork: ForkMark,
    /// The file lives in memory, so that reading a hole allocates.
    pub(super) is_in_memory: bool,
    /// A notification reported that the publisher or the name may be gone.
    liveness_request: AtomicBool,
}

impl Reader {
    pub(super) fn new(
        segment: SegmentFile,
        mapping: Mapping,
        id: SegmentId,
        ring_bytes: u64,
    ) -> Self {
        Self {
            is_in_memory: sys::is_in_memory(&segment.file),
            segment,
            mapping,
            id,
            ring_words: usize::try_from(ring_bytes / 8).unwrap_or(usize::MAX),
            pins: Mutex::default(),
            fork: ForkMark::here(),
            liveness_request: AtomicBool::new(false),
        }
    }

    /// Watches the file for events that may mean that its last publisher or its name is gone.
    pub(crate) fn watch_for_an_end(&self, readiness: &Arc<Readiness>) -> io::Result<PathWatch> {
        // Through /proc, so that exactly the open file is watched.
        let path = format!("/proc/self/fd/{}", self.segment.file.as_raw_fd());
        PathWatch::new(Path::new(&path), Events::OF_FILE, "", readiness)
    }

    /// Returns `true` if a publisher is attached.
    pub(super) fn has_publisher(&self) -> io::Result<bool> {
        let slots = layout::slot_bytes(layout::SLOTS as u64);
        let lock = sys::refusing_lock(&self.segment.file, slots, ByteLock::Read)?;
        Ok(lock.is_some())
    }

    /// Requests that the subscriber checks for a live publisher when it waits next.
    pub(crate) fn ask_for_a_look(&self) {
        self.liveness_request.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if a liveness check was requested, and resets the request.
    pub(super) fn take_liveness_request(&self) -> bool {
        let request = &self.liveness_request;
        request.load(Ordering::Relaxed) && request.swap(false, Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn control(&self) -> &Control {
        self.mapping.view()
    }

    #[inline]
    pub(crate) fn ring(&self) -> Ring<'_> {
        let header = &self.control().header;
        let words = self.mapping.words(layout::RING_OFFSET, self.ring_words);
        Ring::new(&header.last, &header.oldest, words)
    }

    pub(super) fn check_process(&self) -> Result<(), ReadError> {
        if self.fork.is_elsewhere() {
            return Err(ReadError::new(&self.segment.key, ReadErrorKind::Forked));
        }
        Ok(())
    }

    pub(super) fn truncated(&self) -> ReadError {
        ReadError::new(&self.segment.key, ReadErrorKind::Truncated)
    }

    pub(super) fn invalid(&self, reason: InvalidSample) -> ReadError {
        ReadError::new(&self.segment.key, ReadErrorKind::Invalid(reason))
    }

    /// Pins a region while it belongs to the record at `position`.
    pub(super) fn pin(&self, region: u16, position: u64) -> io::Result<PinOutcome> {
        RegionTable::of(self.control()).pin(self, region, position)
    }

    fn pins(&self) -> MutexGuard<'_, Vec<u32>> {
        // Every change under the lock is complete before anything can panic.
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FutexWord for Reader {
    fn futex_word(&self) -> &AtomicU64 {
        self.ring().last_word()
    }
}

impl RegionLocks for Reader {
    fn try_lock(&self, region: u16, lock: ByteLock) -> io::Result<bool> {
        let mut pins = self.pins();
        let index = usize::from(region);
        if pins.len() <= index {
            pins.resize(index + 1, 0);
        }
        let count = &mut pins[index];
        if *count == 0
            && !sys::try_lock_byte(&self.segment.file, layout::region_byte(region), lock)?
        {
            return Ok(false);
        }
        *count += 1;
        Ok(true)
    }

    fn release(&self, region: u16) {
        // In a forked child the lock is shared with the parent, which still needs it.
        if self.fork.is_elsewhere() {
            return;
        }
        let mut pins = self.pins();
        let Some(count) = pins.get_mut(usize::from(region)) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            let freed = sys::unlock_byte(&self.segment.file, layout::region_byte(region));
            debug_assert!(freed.is_ok(), "unlocking cannot fail on an open file");
        }
    }
}
