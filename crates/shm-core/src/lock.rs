//! The robust lock: one word, acquired by compare-and-swap, waited for with a futex.
//!
//! The word names the holder's slot. A contender that has waited for a slice asks the kernel
//! whether the slot's holder is alive; if it is dead, the contender takes the lock over and learns
//! that it was abandoned. There is no list of locks, no timer decides which process is dead, and an
//! uncontended acquire and release cost a compare-and-swap and a swap.

mod word;

use std::time::Duration;

pub(crate) use word::{LockWord, Owner};

use crate::deadline::Deadline;
use crate::sync::{AtomicU32, Ordering, SPINS};
use crate::sys;

/// How long a contender sleeps before it asks whether the holder is alive: the bound on how long a
/// dead holder blocks others, apart from scheduling delays.
const SLICE: Duration = Duration::from_millis(10);

/// The lock was acquired; `abandoned` if an earlier holder died and no process has repaired since.
#[derive(Debug)]
pub(crate) struct Acquired {
    pub(crate) abandoned: bool,
}

/// Why the lock was not acquired.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AcquireError {
    /// The deadline passed; the word's owner at that moment.
    TimedOut(Option<Owner>),
    /// The probe aborted the wait.
    Aborted,
}

/// What a contender asks about the world outside the word.
pub(crate) trait HolderProbe {
    /// Returns `true` if the holder of the lock is alive.
    fn is_alive(&self, holder: Owner) -> bool;
    /// Returns `true` if waiting has become pointless. Called once a slice.
    fn should_abort(&self) -> bool;
}

/// Acquires the lock if its word is zero: free, not abandoned, no waiters.
#[inline]
pub(crate) fn take_free(word: &AtomicU32, me: Owner) -> bool {
    exchange(word, LockWord::FREE, LockWord::FREE.acquired_by(me))
}

/// Acquires the lock if it is free, whatever the other bits of its word are.
///
/// Loads first: a failed exchange takes the word's cache line from the holder, which needs it for
/// the release.
pub(crate) fn try_acquire(word: &AtomicU32, me: Owner) -> Option<Acquired> {
    let mut seen = LockWord::from_bits(word.load(Ordering::Relaxed));
    while seen.owner().is_none() {
        // Acquire, because the new holder has to see the last one's stores: pairs with the Release
        // swap in `release`.
        match word.compare_exchange(
            seen.bits(),
            seen.acquired_by(me).bits(),
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            Ok(_) => {
                return Some(Acquired {
                    abandoned: seen.is_abandoned(),
                });
            }
            Err(other) => seen = LockWord::from_bits(other),
        }
    }
    None
}

/// Acquires the lock, and waits for it until the deadline. `deadline` is called only if there is a
/// wait, because reading the clock costs more than the lock.
pub(crate) fn acquire(
    word: &AtomicU32,
    me: Owner,
    deadline: impl FnOnce() -> Deadline,
    probe: &impl HolderProbe,
) -> Result<Acquired, AcquireError> {
    match try_acquire(word, me) {
        Some(acquired) => Ok(acquired),
        None => contend(word, me, deadline(), probe),
    }
}

#[cold]
fn contend(
    word: &AtomicU32,
    me: Owner,
    deadline: Deadline,
    probe: &impl HolderProbe,
) -> Result<Acquired, AcquireError> {
    for _ in 0..SPINS {
        std::hint::spin_loop();
        if let Some(acquired) = try_acquire(word, me) {
            return Ok(acquired);
        }
    }
    loop {
        let seen = LockWord::from_bits(word.load(Ordering::Relaxed));
        match seen.owner() {
            None => {
                // A contender that has slept keeps the waiters bit set, because others may still
                // sleep.
                if exchange(word, seen, seen.acquired_by(me).with_waiters()) {
                    return Ok(Acquired {
                        abandoned: seen.is_abandoned(),
                    });
                }
            }
            Some(holder) => {
                if seen.has_waiters() || exchange(word, seen, seen.with_waiters()) {
                    sys::wait(word, seen.with_waiters().bits(), deadline.remaining(SLICE));
                }
                let now = LockWord::from_bits(word.load(Ordering::Relaxed));
                let is_dead = now.owner() == Some(holder) && !probe.is_alive(holder);
                if is_dead && exchange(word, now, now.taken_over_by(me)) {
                    return Ok(Acquired { abandoned: true });
                }
                if probe.should_abort() {
                    return Err(AcquireError::Aborted);
                }
            }
        }
        // Checked in every turn: other contenders may pass the lock among themselves forever.
        if deadline.is_over() {
            return match try_acquire(word, me) {
                Some(acquired) => Ok(acquired),
                None => Err(AcquireError::TimedOut(
                    LockWord::from_bits(word.load(Ordering::Relaxed)).owner(),
                )),
            };
        }
    }
}

/// Releases the lock; keeps the abandoned bit if no process has repaired.
#[inline]
pub(crate) fn release(word: &AtomicU32, abandoned: bool) {
    // Release, because the next holder has to see this one's stores: pairs with the Acquire
    // exchanges above.
    let before =
        LockWord::from_bits(word.swap(LockWord::released(abandoned).bits(), Ordering::Release));
    if before.has_waiters() {
        wake_next(word);
    }
}

#[cold]
fn wake_next(word: &AtomicU32) {
    sys::wake_one(word);
}

/// Releases the lock as abandoned if the last holder of a slot died with it. Called by the slot's
/// next holder, before it has a generation of its own. Does not wait.
pub(crate) fn release_dead_owner(word: &AtomicU32, slot: u8) {
    loop {
        let seen = LockWord::from_bits(word.load(Ordering::Relaxed));
        if seen.owner().map(Owner::slot) != Some(slot) {
            return;
        }
        if exchange(word, seen, seen.released_dead()) {
            sys::wake_all(word);
            return;
        }
    }
}

#[inline]
fn exchange(word: &AtomicU32, from: LockWord, to: LockWord) -> bool {
    // Acquire, because some of these exchanges acquire the lock: pairs with the Release swap in
    // `release`.
    word.compare_exchange(from.bits(), to.bits(), Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::*;

    struct Probe {
        alive: bool,
        probes: Cell<u32>,
    }

    impl HolderProbe for Probe {
        fn is_alive(&self, _: Owner) -> bool {
            self.probes.set(self.probes.get() + 1);
            self.alive
        }
        fn should_abort(&self) -> bool {
            false
        }
    }

    fn deadline_40ms() -> Deadline {
        Deadline::after(Duration::from_millis(40))
    }

    #[test]
    fn a_held_lock_is_refused_and_a_released_one_granted() {
        let word = AtomicU32::new(0);
        let (one, two) = (Owner::new(0, 1), Owner::new(1, 1));
        assert!(!try_acquire(&word, one).unwrap().abandoned);
        assert!(try_acquire(&word, two).is_none());
        release(&word, false);
        assert!(!try_acquire(&word, two).unwrap().abandoned);
    }

    #[test]
    fn a_living_holder_is_waited_for_until_the_deadline() {
        let word = AtomicU32::new(0);
        let (one, two) = (Owner::new(0, 1), Owner::new(1, 1));
        assert!(try_acquire(&word, one).is_some());
        let probe = Probe {
            alive: true,
            probes: Cell::new(0),
        };
        assert_eq!(
            acquire(&word, two, deadline_40ms, &probe).unwrap_err(),
            AcquireError::TimedOut(Some(one))
        );
        assert!(probe.probes.get() >= 2, "probed once a slice");
    }

    #[test]
    fn a_dead_holders_lock_is_taken_over_as_abandoned_until_repaired() {
        let word = AtomicU32::new(0);
        let (dead, successor, third) = (Owner::new(0, 1), Owner::new(1, 1), Owner::new(2, 1));
        assert!(try_acquire(&word, dead).is_some());
        let probe = Probe {
            alive: false,
            probes: Cell::new(0),
        };
        assert!(
            acquire(&word, successor, deadline_40ms, &probe)
                .unwrap()
                .abandoned
        );
        release(&word, true);
        assert!(
            try_acquire(&word, third).unwrap().abandoned,
            "not repaired yet"
        );
        release(&word, false);
        assert!(!try_acquire(&word, dead).unwrap().abandoned);
    }

    #[test]
    fn only_the_lock_of_the_claimed_slot_is_released() {
        let word = AtomicU32::new(0);
        assert!(try_acquire(&word, Owner::new(5, 9)).is_some());
        release_dead_owner(&word, 4);
        assert!(
            LockWord::from_bits(word.load(Ordering::Relaxed))
                .owner()
                .is_some()
        );
        release_dead_owner(&word, 5);
        let left = LockWord::from_bits(word.load(Ordering::Relaxed));
        assert!(left.owner().is_none() && left.is_abandoned());
    }

    #[test]
    fn concurrent_increments_are_not_lost() {
        const ROUNDS: u32 = if cfg!(miri) { 50 } else { 20_000 };
        let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let threads: Vec<_> = (0..4u8)
            .map(|slot| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let probe = Probe {
                        alive: true,
                        probes: Cell::new(0),
                    };
                    let me = Owner::new(slot, 1);
                    for _ in 0..ROUNDS {
                        let deadline = Deadline::after(Duration::from_secs(60));
                        acquire(&shared.0, me, || deadline, &probe).unwrap();
                        let seen = shared.1.load(Ordering::Relaxed);
                        shared.1.store(seen + 1, Ordering::Relaxed);
                        release(&shared.0, false);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(shared.1.load(Ordering::Relaxed), 4 * ROUNDS);
    }
}
