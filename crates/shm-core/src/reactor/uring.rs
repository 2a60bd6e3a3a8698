//! Waits for any number of futexes on one thread, with io_uring (Linux 6.7).
#![expect(unsafe_code, reason = "io_uring takes addresses")]

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::OnceLock;

use io_uring::{IoUring, Probe, opcode, squeue};

use super::futexes::{Armed, futexes};

/// The length of the submission queue; more operations at once take further system calls.
const ENTRIES: u32 = 128;
/// `FUTEX2_SIZE_U32` of `linux/futex.h`.
const SIZE_U32: u32 = 2;
/// `FUTEX_BITSET_MATCH_ANY`.
const MATCH_ANY: u64 = u32::MAX as u64;
/// The number of cancel operations, whose results are ignored.
const CANCELLATION: u64 = u64::MAX;

/// Returns `true` if the kernel supports it here; containers often forbid io_uring.
pub(super) fn is_available() -> bool {
    static IS_AVAILABLE: OnceLock<bool> = OnceLock::new();
    *IS_AVAILABLE.get_or_init(|| {
        let mut probe = Probe::new();
        let probed = ring().and_then(|ring| ring.submitter().register_probe(&mut probe));
        probed.is_ok() && probe.is_supported(opcode::FutexWait::CODE)
    })
}

fn ring() -> io::Result<IoUring> {
    IoUring::builder().setup_clamp().build(ENTRIES)
}

/// Operations that wait for futexes. Readable when one has completed.
pub(super) struct Ring {
    ring: IoUring,
    /// The pending operations, by number.
    operations: HashMap<u64, Armed>,
    /// The number of each entry's operation, by the entry's id.
    by_entry: HashMap<u64, u64>,
    next: u64,
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open while the ring exists, which the borrow ensures.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }
    }
}

impl Ring {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            ring: ring()?,
            operations: HashMap::new(),
            by_entry: HashMap::new(),
            next: 0,
        })
    }

    /// Submits operations for what is registered, and cancels those of what is not any more;
    /// notifies entries that have changed already.
    pub(super) fn arm(&mut self) -> io::Result<()> {
        let armed = futexes().notify_changed();
        let wanted: HashMap<u64, Armed> =
            armed.into_iter().map(|armed| (armed.id, armed)).collect();
        let is_wanted = |operation: &Armed| {
            wanted
                .get(&operation.id)
                .is_some_and(|armed| armed.seen == operation.seen)
        };
        let outdated: Vec<u64> = self
            .by_entry
            .values()
            .copied()
            .filter(|number| !self.operations.get(number).is_some_and(is_wanted))
            .collect();
        for number in outdated {
            if let Some(operation) = self.operations.get(&number) {
                self.by_entry.remove(&operation.id);
            }
            let cancel = opcode::AsyncCancel::new(number).build();
            self.push(&cancel.user_data(CANCELLATION))?;
        }
        for (id, armed) in wanted {
            if !self.by_entry.contains_key(&id) {
                self.wait_for(armed)?;
            }
        }
        self.ring.submit().map(drop)
    }

    /// Notifies the entries whose operation has completed.
    pub(super) fn complete(&mut self) {
        let completed: Vec<u64> = self
            .ring
            .completion()
            .map(|entry| entry.user_data())
            .collect();
        for number in completed {
            let Some(operation) = self.operations.remove(&number) else {
                continue;
            };
            if self.by_entry.get(&operation.id) != Some(&number) {
                // It was cancelled.
                continue;
            }
            self.by_entry.remove(&operation.id);
            futexes().disarm(operation.id);
            operation.notify();
        }
    }

    fn wait_for(&mut self, armed: Armed) -> io::Result<()> {
        let word: *const u32 = std::ptr::from_ref(armed.source.futex_word()).cast();
        let low = armed.seen & MATCH_ANY;
        let wait = opcode::FutexWait::new(word, low, MATCH_ANY, SIZE_U32).build();
        let number = self.next;
        self.next += 1;
        self.push(&wait.user_data(number))?;
        self.by_entry.insert(armed.id, number);
        self.operations.insert(number, armed);
        Ok(())
    }

    fn push(&mut self, operation: &squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: its only address is that of a word, in a mapping that `operations` keeps
            // until the operation has completed; the kernel reads the word, and fails if it is not
            // mapped.
            if unsafe { self.ring.submission().push(operation) }.is_ok() {
                return Ok(());
            }
            // The submission queue is full.
            self.ring.submit()?;
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}
