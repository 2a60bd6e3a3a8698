//! Waiting on several words at once (`futex_waitv`, Linux 5.16), shared and private ones.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec, Wait, WaitFlags, WaitPtr, WaitvFlags};
use rustix::time::{ClockId, clock_gettime};

use crate::sync::AtomicU64;

/// The maximum number of words in one wait.
pub(crate) const MAX_WORDS: usize = 128;

/// A word to wait on while it has its expected value.
///
/// Holds an address that only the kernel reads: if it is not mapped any more, the wait ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited(Wait);

impl Awaited {
    /// The low half of a word in shared memory; only the low half of `expected` counts.
    pub(crate) fn low_half(word: &AtomicU64, expected: u64) -> Self {
        // On a little-endian machine (checked in `sys`) the low half has the word's own address.
        Self::at(
            std::ptr::from_ref(word).cast(),
            expected & u64::from(u32::MAX),
            WaitFlags::SIZE_U32,
        )
    }

    /// A word of this process.
    pub(crate) fn private(word: &AtomicU32, expected: u32) -> Self {
        let flags = WaitFlags::SIZE_U32 | WaitFlags::PRIVATE;
        Self::at(std::ptr::from_ref(word).cast(), expected.into(), flags)
    }

    fn at(address: *const u32, expected: u64, flags: WaitFlags) -> Self {
        let mut wait = Wait::new();
        wait.val = expected;
        wait.uaddr = WaitPtr::new(address.cast_mut().cast());
        wait.flags = flags;
        Self(wait)
    }
}

/// Blocks until one of the words is woken or does not have its expected value; up to `timeout`,
/// forever if `None`. Returns the index of the word that was woken, if any.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] if the kernel is older, or a container does not permit the call.
pub(crate) fn wait_any(words: &[Awaited], timeout: Option<Duration>) -> io::Result<Option<usize>> {
    if !can_wait_any() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let waits: Vec<Wait> = words.iter().map(|word| word.0).collect();
    let end = timeout.map(after);
    match futex::waitv(
        &waits,
        WaitvFlags::empty(),
        end.as_ref(),
        ClockId::Monotonic,
    ) {
        Ok(woken) => Ok(Some(woken)),
        // A word had changed, timeout, or a signal.
        Err(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns `true` if a thread can wait on several words here.
pub(crate) fn can_wait_any() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        // A wait on no words is an invalid argument wherever the call is supported.
        let nothing = futex::waitv(&[], WaitvFlags::empty(), None, ClockId::Monotonic);
        matches!(nothing, Err(Errno::INVAL))
    })
}

/// Wakes all waiters on a word of this process.
pub(crate) fn wake_private(word: &AtomicU32) {
    let all = i32::MAX.unsigned_abs();
    // It cannot fail for a mapped word.
    let _woken = futex::wake(word, Flags::PRIVATE, all);
}

/// Blocks while a word of this process is `expected`; up to `timeout`, forever if `None`.
pub(crate) fn wait_private(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    // Woken, changed, timeout or a signal: the caller checks again.
    let _why = futex::wait(word, Flags::PRIVATE, expected, timeout.as_ref());
}

/// Returns the time after `timeout`, by the clock that the kernel compares it with.
fn after(timeout: Duration) -> Timespec {
    let now = clock_gettime(ClockId::Monotonic);
    let wait = timespec(timeout);
    let nanos = now.tv_nsec + wait.tv_nsec;
    Timespec {
        tv_sec: now
            .tv_sec
            .saturating_add(wait.tv_sec)
            .saturating_add(nanos / 1_000_000_000),
        tv_nsec: nanos % 1_000_000_000,
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
