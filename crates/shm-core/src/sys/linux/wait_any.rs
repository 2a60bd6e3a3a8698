//! Sleeping on several words at once (`futex_waitv`, Linux 5.16), shared ones and private ones.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec, Wait, WaitFlags, WaitPtr, WaitvFlags};
use rustix::time::{ClockId, clock_gettime};

use crate::sync::AtomicU64;

/// How many words one thread can sleep on at once.
pub(crate) const MOST_WORDS: usize = 128;

/// A word to sleep on for as long as it is what was expected.
///
/// Holds an address, which only the kernel looks at: a word that is gone ends the sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited(Wait);

impl Awaited {
    /// The low half of a word in shared memory; of what is expected, the low half counts.
    pub(crate) fn low_half(word: &AtomicU64, expected: u64) -> Self {
        // On a little-endian machine (checked in `sys`) it has the word's own address.
        Self::at(
            std::ptr::from_ref(word).cast(),
            expected & u64::from(u32::MAX),
            WaitFlags::SIZE_U32,
        )
    }

    /// A word of this process alone.
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

/// Sleeps until one of the words is woken or is not what was expected, at most for `timeout`; returns
/// which was woken, if any.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] where the kernel is older, or a container does not permit it.
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
        // One of them has changed already, time is up, or a signal came.
        Err(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns `true` if one thread can sleep on several words here.
pub(crate) fn can_wait_any() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        // To wait for nothing is an invalid argument wherever the call is known.
        let nothing = futex::waitv(&[], WaitvFlags::empty(), None, ClockId::Monotonic);
        matches!(nothing, Err(Errno::INVAL))
    })
}

/// Wakes all threads that sleep on a word of this process.
pub(crate) fn wake_private(word: &AtomicU32) {
    let all = i32::MAX.unsigned_abs();
    // It cannot fail for a word that is there.
    let _woken = futex::wake(word, Flags::PRIVATE, all);
}

/// Sleeps while a word of this process is `expected`, at most for `timeout`.
pub(crate) fn wait_private(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(timespec);
    // Woken, changed, time is up or a signal came: the caller looks again.
    let _why = futex::wait(word, Flags::PRIVATE, expected, timeout.as_ref());
}

/// The moment so long from now, by the clock that the kernel compares it with.
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
