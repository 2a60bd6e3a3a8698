//! The robust lock: one word, taken by compare-and-swap, slept on by futex.
//!
//! A holder that dies leaves its slot behind in the word. Whoever has waited
//! a moment asks the kernel whether that slot's holder lives, takes the lock
//! over where it does not, and is told so. No list is kept, no timer judges
//! who is dead, and an uncontended pair costs a compare-and-swap and a swap.

mod word;

use std::time::Duration;

pub(crate) use word::{LockWord, Owner};

use crate::deadline::Deadline;
use crate::sync::{AtomicU32, Ordering, SPINS};
use crate::sys;

/// How long a contender sleeps before it asks whether the holder lives: the bound on how long a
/// dead holder can keep others waiting, give or take the scheduler.
const SLICE: Duration = Duration::from_millis(10);

/// The lock was taken; `abandoned` where an earlier holder died and nobody has repaired since.
#[derive(Debug)]
pub(crate) struct Acquired {
    pub(crate) abandoned: bool,
}

/// Why the lock was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AcquireError {
    /// The deadline came; the word's owner at that moment.
    TimedOut(Option<Owner>),
    /// The probe said that there is no use in waiting.
    Aborted,
}

/// What a contender has to ask the world outside the word.
pub(crate) trait HolderProbe {
    /// Returns `true` if the holder of the lock lives.
    fn is_alive(&self, holder: Owner) -> bool;
    /// Returns `true` if waiting has become pointless. Asked once a slice.
    fn should_abort(&self) -> bool;
}

/// Takes the lock if its word says nothing at all.
#[inline]
pub(crate) fn take_free(word: &AtomicU32, me: Owner) -> bool {
    exchange(word, LockWord::FREE, LockWord::FREE.taken_by(me))
}

/// Takes the lock if it is free, whatever else its word says.
///
/// Looks first: an exchange that fails takes the word's cache line from the holder, who needs it to
/// let go.
pub(crate) fn try_acquire(word: &AtomicU32, me: Owner) -> Option<Acquired> {
    let mut seen = LockWord::from_bits(word.load(Ordering::Relaxed));
    while seen.owner().is_none() {
        // Acquire, because the holder sees what the last one did: pairs with the
        // Release swap in `release`.
        match word.compare_exchange(
            seen.bits(),
            seen.taken_by(me).bits(),
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

/// Takes the lock, waiting for it until the deadline, which is asked for only where there is a wait:
/// a look at the clock costs more than a lock.
pub(crate) fn acquire(
    word: &AtomicU32,
    me: Owner,
    deadline: impl FnOnce() -> Deadline,
    probe: &impl HolderProbe,
) -> Result<Acquired, AcquireError> {
    match try_acquire(word, me) {
        Some(taken) => Ok(taken),
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
        if LockWord::from_bits(word.load(Ordering::Relaxed))
            .owner()
            .is_none()
            && let Some(taken) = try_acquire(word, me)
        {
            return Ok(taken);
        }
    }
    loop {
        let seen = LockWord::from_bits(word.load(Ordering::Relaxed));
        match seen.owner() {
            None => {
                // Whoever has slept takes it with the waiters bit, because others may sleep still.
                if exchange(word, seen, seen.taken_by(me).with_waiters()) {
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
        // Looked at in every turn: the lock may go round among others for ever.
        if deadline.is_over() {
            return match try_acquire(word, me) {
                Some(taken) => Ok(taken),
                None => Err(AcquireError::TimedOut(
                    LockWord::from_bits(word.load(Ordering::Relaxed)).owner(),
                )),
            };
        }
    }
}

/// Lets go of the lock, leaving the abandoned bit where nobody has repaired.
#[inline]
pub(crate) fn release(word: &AtomicU32, abandoned: bool) {
    // Release, because the next holder sees what this one did: pairs with the
    // Acquire exchanges above.
    let left =
        LockWord::from_bits(word.swap(LockWord::released(abandoned).bits(), Ordering::Release));
    if left.has_waiters() {
        wake_next(word);
    }
}

#[cold]
fn wake_next(word: &AtomicU32) {
    sys::wake_one(word);
}

/// Frees the lock where the last holder of a slot died with it: asked by the slot's next holder,
/// before it has a generation of its own. Never waits.
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
    // Acquire, because some of these exchanges take the lock: pairs with `release`.
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
        asked: Cell<u32>,
    }

    impl HolderProbe for Probe {
        fn is_alive(&self, _: Owner) -> bool {
            self.asked.set(self.asked.get() + 1);
            self.alive
        }
        fn should_abort(&self) -> bool {
            false
        }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(40))
    }

    #[test]
    fn excludes_and_lets_go() {
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
        let world = Probe {
            alive: true,
            asked: Cell::new(0),
        };
        assert_eq!(
            acquire(&word, two, soon, &world).unwrap_err(),
            AcquireError::TimedOut(Some(one))
        );
        assert!(world.asked.get() >= 2, "asked once a slice");
    }

    #[test]
    fn a_dead_holder_is_taken_over_and_the_heir_is_told_until_repaired() {
        let word = AtomicU32::new(0);
        let (dead, heir, third) = (Owner::new(0, 1), Owner::new(1, 1), Owner::new(2, 1));
        assert!(try_acquire(&word, dead).is_some());
        let world = Probe {
            alive: false,
            asked: Cell::new(0),
        };
        assert!(acquire(&word, heir, soon, &world).unwrap().abandoned);
        release(&word, true);
        assert!(
            try_acquire(&word, third).unwrap().abandoned,
            "nobody has repaired yet"
        );
        release(&word, false);
        assert!(!try_acquire(&word, dead).unwrap().abandoned);
    }

    #[test]
    fn settling_frees_only_the_slot_that_is_claimed_again() {
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
    fn threads_count_exactly() {
        const ROUNDS: u32 = if cfg!(miri) { 50 } else { 20_000 };
        let shared = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let threads: Vec<_> = (0..4u8)
            .map(|slot| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let world = Probe {
                        alive: true,
                        asked: Cell::new(0),
                    };
                    let me = Owner::new(slot, 1);
                    for _ in 0..ROUNDS {
                        let deadline = Deadline::after(Duration::from_secs(60));
                        acquire(&shared.0, me, || deadline, &world).unwrap();
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
