//! Waiting on a word of shared memory, and waking its waiters.
//!
//! Never with the private flag, because waiter and waker are different processes.
#![expect(
    unsafe_code,
    reason = "the kernel waits on 32 bits, and some of our words have 64"
)]

use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use crate::sync::{AtomicU32, AtomicU64};

/// Blocks while the word is `expected`, up to `timeout`.
///
/// May return early without a reason; the caller checks its condition and its own deadline again.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Duration) {
    let timeout = Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    match futex::wait(word, Flags::empty(), expected, Some(&timeout)) {
        // Woken, changed before the wait, timeout, or a signal.
        Ok(()) | Err(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => {}
        // Impossible for a mapped, aligned word; if it happened, the caller's loop must not spin.
        Err(_) => std::thread::yield_now(),
    }
}

/// Blocks while the low 32 bits of the word are those of `expected`, up to `timeout`.
pub(crate) fn wait_low(word: &AtomicU64, expected: u64, timeout: Duration) {
    wait(low_half(word), low(expected), timeout);
}

/// Wakes all waiters on the low 32 bits of the word.
pub(crate) fn wake_all_low(word: &AtomicU64) {
    wake_all(low_half(word));
}

/// Wakes up to `count` waiters on the low 32 bits of the word.
pub(crate) fn wake_low(word: &AtomicU64, count: u32) {
    wake(low_half(word), count);
}

/// Returns the half of a value that the kernel compares.
#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn low(value: u64) -> u32 {
    value as u32
}

fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: on a little-endian machine (checked in `sys`) the low half has the word's own
    // address, is aligned, and lives as long as the borrow. Only the kernel reads it; nothing here
    // loads or stores 32 bits of it.
    unsafe { &*std::ptr::from_ref(word).cast::<AtomicU32>() }
}

/// Wakes all waiters on the word.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, i32::MAX.unsigned_abs());
}

/// Wakes one waiter on the word.
pub(crate) fn wake_one(word: &AtomicU32) {
    wake(word, 1);
}

fn wake(word: &AtomicU32, count: u32) {
    // Fails only if a peer has truncated the page away; then no process can wait there any more.
    let _nobody_to_wake = futex::wake(word, Flags::empty(), count);
}
