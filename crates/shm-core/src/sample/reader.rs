//! What a subscriber and its samples share: the open file, its mapping and its pins.

use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{InvalidSample, ReadError, ReadErrorKind};
use crate::layout::{self, Control};
use crate::reactor::{Events, PathWatch};
use crate::readiness::Readiness;
use crate::sample::cursor::PinRegion;
use crate::sample::regions::{Pinned, Pins, Regions};
use crate::sample::ring::Ring;
use crate::segment::SegmentFile;
use crate::segment::SegmentId;
use crate::sys::{self, ByteLock, FileStat, ForkMark, Mapping};

/// An open segment of samples, mapped for reading.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) segment: SegmentFile,
    pub(super) mapping: Mapping,
    pub(crate) id: SegmentId,
    ring_words: usize,
    /// Pins of this open file, by region: the kernel counts them once, so they are counted here.
    pins: Mutex<Vec<u32>>,
    fork: ForkMark,
    /// Its file lives in memory, so that reading a hole allocates.
    pub(super) is_in_memory: bool,
    /// A notification said that the publisher or the name may have gone.
    look: AtomicBool,
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
            look: AtomicBool::new(false),
        }
    }

    /// Has the file watched for what may be the end of its last publisher, or of its name.
    pub(crate) fn watch_for_an_end(&self, readiness: &Arc<Readiness>) -> io::Result<PathWatch> {
        // Its own name in /proc, so that it is this very file.
        let path = format!("/proc/self/fd/{}", self.segment.file.as_raw_fd());
        PathWatch::new(Path::new(&path), Events::OF_FILE, "", readiness)
    }

    /// Returns `true` if a publisher is attached.
    pub(super) fn has_publisher(&self) -> io::Result<bool> {
        let slots = layout::slot_bytes(layout::SLOTS as u64);
        let lock = sys::refusing_lock(&self.segment.file, slots, ByteLock::Read)?;
        Ok(lock.is_some())
    }

    /// Has the subscriber ask the kernel for an end when it waits next.
    pub(crate) fn ask_for_a_look(&self) {
        self.look.store(true, Ordering::Relaxed);
    }

    /// Returns whether it was asked to look.
    pub(super) fn is_asked_for_a_look(&self) -> bool {
        self.look.load(Ordering::Relaxed) && self.look.swap(false, Ordering::Relaxed)
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

    pub(super) fn stat(&self) -> Result<FileStat, ReadError> {
        sys::stat(&self.segment.file)
            .map_err(|error| ReadError::io(&self.segment.key, "looking", error))
    }

    pub(super) fn truncated(&self) -> ReadError {
        ReadError::new(&self.segment.key, ReadErrorKind::Truncated)
    }

    pub(super) fn invalid(&self, reason: InvalidSample) -> ReadError {
        ReadError::new(&self.segment.key, ReadErrorKind::Invalid(reason))
    }

    fn regions(&self) -> Regions<'_> {
        let control = self.control();
        let header = &control.header;
        Regions::new(&header.last, &header.large_bytes, &control.regions)
    }

    fn pins(&self) -> MutexGuard<'_, Vec<u32>> {
        // Every change under it is complete before anything can panic.
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Maps a region's first `length` bytes, or more, unless the file ends before.
    pub(super) fn map(&self, region: u16, length: usize) -> Result<Mapping, ReadError> {
        const LEAST: usize = 1 << 16;
        let generous = length.max(LEAST).next_power_of_two();
        Mapping::read_only(&self.segment.file, layout::region_offset(region), generous)
            .map_err(|error| ReadError::io(&self.segment.key, "mapping", error))
    }
}

impl PinRegion for Reader {
    type Error = ReadError;

    fn pin(&self, region: u16, position: u64) -> Result<Pinned, ReadError> {
        self.regions().pin(self, region, position)
    }
}

impl Pins for Reader {
    type Error = ReadError;

    fn try_pin(&self, region: u16) -> Result<bool, ReadError> {
        let mut pins = self.pins();
        let index = usize::from(region);
        if pins.len() <= index {
            pins.resize(index + 1, 0);
        }
        let count = &mut pins[index];
        let byte = layout::region_byte(region);
        if *count == 0
            && !sys::try_lock_byte(&self.segment.file, byte, ByteLock::Read)
                .map_err(|error| ReadError::io(&self.segment.key, "pinning", error))?
        {
            return Ok(false);
        }
        *count += 1;
        Ok(true)
    }

    fn release(&self, region: u16) {
        // In a forked child the lock is the parent's, shared: not ours to give back.
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
