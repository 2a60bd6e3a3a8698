//! Locks of one word: the lower bound, a plain futex mutex, and the kernel's PI futex.

use std::cell::Cell;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use rustix::thread::futex::{self, Flags};

use super::Lock;
use crate::ground::Ground;

/// Spins until the lock is free. Does not handle the death of its holder.
pub(super) struct Bare(pub(super) Ground);

impl Lock for Bare {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        let word = self.0.word(0);
        while word.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
            while word.load(Relaxed) != 0 {
                std::hint::spin_loop();
            }
        }
        work();
        word.swap(0, Release);
    }
}

/// A count of units in one word. Spins until one is available.
pub(super) struct BareSemaphore(Ground);

impl BareSemaphore {
    pub(super) fn open(ground: Ground, is_first: bool) -> Self {
        if is_first {
            ground.wide(0).store(1, Release);
        }
        Self(ground)
    }
}

impl Lock for BareSemaphore {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        let word = self.0.wide(0);
        let mut units = word.load(Relaxed);
        loop {
            match units.checked_sub(1) {
                Some(left) => match word.compare_exchange(units, left, Acquire, Relaxed) {
                    Ok(_) => break,
                    Err(other) => units = other,
                },
                None => {
                    std::hint::spin_loop();
                    units = word.load(Relaxed);
                }
            }
        }
        work();
        let mut units = word.load(Relaxed);
        while let Err(other) = word.compare_exchange(units, units + 1, Release, Relaxed) {
            units = other;
        }
    }
}

/// 0 free, 1 held, 2 held and other processes may sleep.
pub(super) struct Futex(pub(super) Ground);

impl Lock for Futex {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        let word = self.0.word(0);
        if word.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
            self.contend();
        }
        work();
        if word.swap(0, Release) == 2 {
            let _nobody_slept = futex::wake(word, Flags::empty(), 1);
        }
    }
}

impl Futex {
    #[cold]
    fn contend(&self) {
        let word = self.0.word(0);
        for _ in 0..100 {
            std::hint::spin_loop();
            if word.load(Relaxed) == 0 && word.compare_exchange(0, 1, Acquire, Relaxed).is_ok() {
                return;
            }
        }
        while word.swap(2, Acquire) != 0 {
            // The word is tried again after every wake-up.
            let _woken = futex::wait(word, Flags::empty(), 2, None);
        }
    }
}

/// The word contains the id of the holding thread. The kernel hands the lock over, and releases it
/// if its holder dies.
pub(super) struct FutexPi {
    ground: Ground,
    me: Cell<u32>,
}

impl FutexPi {
    pub(super) fn new(ground: Ground) -> Self {
        let me = rustix::thread::gettid()
            .as_raw_nonzero()
            .get()
            .unsigned_abs();
        Self {
            ground,
            me: Cell::new(me),
        }
    }
}

impl Lock for FutexPi {
    #[inline]
    fn with(&self, work: impl FnOnce()) {
        let (word, me) = (self.ground.word(0), self.me.get());
        if word.compare_exchange(0, me, Acquire, Relaxed).is_err() {
            while futex::lock_pi(word, Flags::empty(), None).is_err() {}
        }
        work();
        if word.compare_exchange(me, 0, Release, Relaxed).is_err() {
            let _passed_on = futex::unlock_pi(word, Flags::empty());
        }
    }
}
