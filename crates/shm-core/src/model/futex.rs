//! The kernel's futex, simulated by a mutex and a condition variable of the checker.

use std::cell::Cell;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use crate::sync::{AtomicU32, AtomicU64, Ordering};

std::thread_local! {
    /// Whether waits time out. If they do not, a lost wake-up becomes a deadlock, which the checker
    /// reports. (The checker runs all threads of a model on one OS thread.)
    static TIMES_OUT: Cell<bool> = const { Cell::new(false) };
}

loom::lazy_static! {
    static ref WAITERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

/// Chooses whether waits of the following models time out.
pub(crate) fn set_timeouts(times_out: bool) {
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
    wake(Condvar::notify_all);
}

pub(crate) fn wake_all_low(_: &AtomicU64) {
    wake(Condvar::notify_all);
}

pub(crate) fn wake_low(_: &AtomicU64, count: u32) {
    wake(|waiters| (0..count).for_each(|_| waiters.notify_one()));
}

pub(crate) fn wake_one(_: &AtomicU32) {
    wake(Condvar::notify_one);
}

fn wake(notify: impl FnOnce(&Condvar)) {
    let (mutex, waiters) = &*WAITERS;
    let guard = mutex.lock().expect("no holder panics");
    notify(waiters);
    drop(guard);
}

/// Compares and sleeps in one step, as the kernel does.
fn sleep_while(unchanged: impl FnOnce() -> bool) {
    let (mutex, waiters) = &*WAITERS;
    let guard = mutex.lock().expect("no holder panics");
    if !unchanged() {
        return;
    }
    if TIMES_OUT.get() {
        drop(guard);
        loom::thread::yield_now();
        return;
    }
    drop(waiters.wait(guard).expect("no holder panics"));
}
