//! Sleeping on a word of shared memory, and waking who sleeps there.
//!
//! Never with the private flag: sleeper and waker are different processes.
#![expect(
    unsafe_code,
    reason = "the kernel sleeps on 32 bits, and one of our words has 64"
)]

use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use crate::sync::{AtomicU32, AtomicU64};

/// Sleeps while the word is `expected`, at most for `timeout`.
///
/// May return early for no reason; the caller looks at its condition again
/// and knows the time by its own deadline.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Duration) {
    let timeout = Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    match futex::wait(word, Flags::empty(), expected, Some(&timeout)) {
        // Woken, the word had changed already, time is up, or a signal came.
        Ok(()) | Err(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => {}
        // Cannot happen for a mapped, aligned word; were it to happen, the
        // caller's loop must not burn a processor.
        Err(_) => std::thread::yield_now(),
    }
}

/// Sleeps while the low 32 bits of the word are those of `expected`, at most for `timeout`.
pub(crate) fn wait_low(word: &AtomicU64, expected: u64, timeout: Duration) {
    wait(low_half(word), low(expected), timeout);
}

/// Wakes everybody who sleeps on the low 32 bits of the word.
pub(crate) fn wake_all_low(word: &AtomicU64) {
    wake_all(low_half(word));
}

/// Wakes so many who sleep on the low 32 bits of the word.
pub(crate) fn wake_low(word: &AtomicU64, count: u32) {
    wake(low_half(word), count);
}

/// The half of a value that the kernel compares.
#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn low(value: u64) -> u32 {
    value as u32
}

fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: on a little-endian machine (checked in `sys`) the low half has
    // the word's own address, aligned for it and alive as long as the borrow.
    // Only the kernel looks at it; nothing here loads or stores 32 bits of it.
    unsafe { &*std::ptr::from_ref(word).cast::<AtomicU32>() }
}

/// Wakes everybody who sleeps on the word.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, i32::MAX.unsigned_abs());
}

/// Wakes one who sleeps on the word.
pub(crate) fn wake_one(word: &AtomicU32) {
    wake(word, 1);
}

fn wake(word: &AtomicU32, count: u32) {
    // It fails only where a peer has cut off the page: nobody can sleep there any more.
    let _nobody_to_wake = futex::wake(word, Flags::empty(), count);
}
