//! The kernel's futex, played by a mutex and a condition variable of the checker.

use std::cell::Cell;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use crate::sync::{AtomicU32, AtomicU64, Ordering};

std::thread_local! {
    /// Whether sleeping ends by itself, as it does after a while. Where it does
    /// not, a wake-up that is lost shows as a deadlock. (The checker runs all
    /// threads of a model on one thread of the system.)
    static TIMES_OUT: Cell<bool> = const { Cell::new(false) };
}

loom::lazy_static! {
    static ref BED: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

/// Says how the sleepers of the following models sleep.
pub(crate) fn sleep_times_out(times_out: bool) {
    TIMES_OUT.set(times_out);
}

pub(crate) fn wait(word: &AtomicU32, expected: u32, _: Duration) {
    sleep_while(|| word.load(Ordering::SeqCst) == expected);
}

pub(crate) fn wait_low(word: &AtomicU64, expected: u64, _: Duration) {
    let low = u64::from(u32::MAX);
    sleep_while(|| word.load(Ordering::SeqCst) & low == expected & low);
}

pub(crate) fn wake_all(_: &AtomicU32) {
    wake();
}

pub(crate) fn wake_all_low(_: &AtomicU64) {
    wake();
}

pub(crate) fn wake_low(_: &AtomicU64, count: u32) {
    let (bed, bell) = &*BED;
    let guard = bed.lock().expect("nobody panics in bed");
    for _ in 0..count {
        bell.notify_one();
    }
    drop(guard);
}

pub(crate) fn wake_one(_: &AtomicU32) {
    let (bed, bell) = &*BED;
    let guard = bed.lock().expect("nobody panics in bed");
    bell.notify_one();
    drop(guard);
}

fn wake() {
    let (bed, bell) = &*BED;
    let guard = bed.lock().expect("nobody panics in bed");
    bell.notify_all();
    drop(guard);
}

/// The kernel compares and goes to sleep in one step.
fn sleep_while(unchanged: impl FnOnce() -> bool) {
    let (bed, bell) = &*BED;
    let guard = bed.lock().expect("nobody panics in bed");
    if !unchanged() {
        return;
    }
    if TIMES_OUT.get() {
        drop(guard);
        loom::thread::yield_now();
        return;
    }
    drop(bell.wait(guard).expect("nobody panics in bed"));
}
