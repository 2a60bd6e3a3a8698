//! The units of a semaphore: acquired, released, and reclaimed from dead holders.
//!
//! One word has the number of available units, the slot of the last operation, and how many units
//! that slot holds after it. So one compare-exchange changes both counts at once, and at no moment
//! is a unit lost or counted twice. The units of a slot whose operation is no longer the last are
//! in its record: a process that replaces the word of another slot writes that record first (it
//! *helps* that slot).
//!
//! A helper can be stopped between any two of its steps and continue late. Hence the version in a
//! record, and the rule that replacing the word of another slot *always* writes a new record, even
//! with the same count: that makes the compare-exchange of a late helper fail.

use std::time::Duration;

use super::word::{Sleepers, UnitRecord, Word};
use crate::deadline::Deadline;
use crate::layout::{Control, MAX_UNITS, UNIT_COLUMNS};
use crate::sync::{AtomicU64, Ordering, SPINS, stored_by};
use crate::sys;

/// How long a waiter sleeps before it checks again: the bound on how long a death keeps units from
/// it, also a death between a release and its wake-up, or of another waiter that was woken instead.
const SLICE: Duration = Duration::from_millis(20);

/// What a waiter asks about the world outside the shared memory.
pub(crate) trait HolderProbe {
    /// Returns `true` if the holder of this slot is alive.
    fn is_alive(&self, slot: u8) -> bool;
    /// Returns `true` if waiting has become pointless. Called once a slice.
    fn should_abort(&self) -> bool;
}

/// Why units were not acquired.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AcquireError {
    /// The deadline passed; another slot that held units at that moment.
    TimedOut(Option<u8>),
    /// The probe aborted the wait.
    Aborted,
    /// The caller would hold more than [`MAX_UNITS`].
    TooMany,
}

/// The error that a count would exceed [`MAX_UNITS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// The result of one attempt: a load of the word and a compare-exchange.
enum Attempt {
    Done,
    /// Too few units are available by this word.
    Short(Word),
    /// Another process changed the word meanwhile.
    Lost,
    TooMany,
}

/// A semaphore's word and records, for the operations of one slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units<'a, const N: usize> {
    word: &'a AtomicU64,
    /// Record i is in line `i % lines`, so that the first slots have lines of their own.
    lines: &'a [[AtomicU64; N]],
    me: u8,
}

impl<'a, const N: usize> Units<'a, N> {
    #[inline]
    pub(crate) fn new(word: &'a AtomicU64, lines: &'a [[AtomicU64; N]], me: u8) -> Self {
        Self { word, lines, me }
    }

    /// Returns how many units can be acquired.
    pub(crate) fn available(self) -> u32 {
        self.load().available()
    }

    /// Returns how many units this slot holds.
    pub(crate) fn held(self) -> u32 {
        self.held_by(self.load(), self.me)
    }

    /// Takes units with one compare-exchange if the last operation was this slot's own, enough
    /// units are available, and no waiter sleeps. Returns `false` otherwise, and if `is_due`
    /// returns `true` for the sequence before.
    #[inline]
    pub(crate) fn take_fast(self, wanted: u32, is_due: impl FnOnce(u32) -> bool) -> bool {
        let seen = self.load();
        match seen.taken_again(self.me, wanted) {
            Some(next) if !is_due(seen.sequence()) => self.exchange(seen, next),
            _ => false,
        }
    }

    /// Releases units with one compare-exchange if the last operation was this slot's own, it holds
    /// enough, and no waiter sleeps. Returns `false` otherwise.
    #[inline]
    pub(crate) fn give_fast(self, given: u32) -> bool {
        let seen = self.load();
        seen.given_again(self.me, given)
            .is_some_and(|next| self.exchange(seen, next))
    }

    /// Returns the sequence of the last operation.
    pub(crate) fn sequence(self) -> u32 {
        self.load().sequence()
    }

    /// Acquires units if they are available, at the latest after those of dead holders were
    /// reclaimed.
    pub(crate) fn try_acquire(
        self,
        wanted: u32,
        probe: &impl HolderProbe,
    ) -> Result<bool, AcquireError> {
        if self.take(wanted)? {
            return Ok(true);
        }
        // Also if another process has reclaimed them first.
        self.reclaim_dead(probe);
        self.take(wanted)
    }

    /// Acquires units; waits for them until the deadline, which is computed only if there is a
    /// wait.
    pub(crate) fn acquire(
        self,
        wanted: u32,
        deadline: impl FnOnce() -> Deadline,
        probe: &impl HolderProbe,
    ) -> Result<(), AcquireError> {
        if self.take(wanted)? {
            return Ok(());
        }
        self.wait(wanted, deadline(), probe)
    }

    fn take(self, wanted: u32) -> Result<bool, AcquireError> {
        self.take_awake(wanted, false)
    }

    fn take_awake(self, wanted: u32, has_slept: bool) -> Result<bool, AcquireError> {
        loop {
            match self.attempt(self.load(), wanted, has_slept) {
                Attempt::Done => return Ok(true),
                Attempt::Short(_) => return Ok(false),
                Attempt::TooMany => return Err(AcquireError::TooMany),
                Attempt::Lost => {}
            }
        }
    }

    #[cold]
    fn wait(
        self,
        wanted: u32,
        deadline: Deadline,
        probe: &impl HolderProbe,
    ) -> Result<(), AcquireError> {
        for _ in 0..SPINS {
            std::hint::spin_loop();
            let seen = Word::from_bits(self.word.load(Ordering::Relaxed));
            if seen.available() >= wanted && self.take(wanted)? {
                return Ok(());
            }
        }
        let mut has_slept = false;
        loop {
            match self.attempt(self.load(), wanted, has_slept) {
                Attempt::Done => return Ok(()),
                Attempt::TooMany => return Err(AcquireError::TooMany),
                Attempt::Lost => {}
                Attempt::Short(seen) => {
                    let marked = seen.with_sleeper(wanted);
                    if marked == seen || self.exchange(seen, marked) {
                        sys::wait_low(self.word, marked.bits(), deadline.remaining(SLICE));
                        has_slept = true;
                    }
                    if self.available() < wanted {
                        self.reclaim_dead(probe);
                        if probe.should_abort() {
                            return Err(AcquireError::Aborted);
                        }
                    }
                }
            }
            // Checked in every turn: other processes may pass the units among themselves forever.
            if deadline.is_over() {
                if self.take_awake(wanted, has_slept)? {
                    return Ok(());
                }
                if has_slept {
                    // This waiter may have consumed a wake-up: it is passed on.
                    self.wake(Sleepers::Single, 1);
                }
                return Err(AcquireError::TimedOut(self.other_holder(self.load())));
            }
        }
    }

    /// Releases units; those beyond what this slot holds are new.
    pub(crate) fn release(self, given: u32) -> Result<(), TooMany> {
        loop {
            let seen = self.load();
            let Some(held) = self.held_after_help(seen) else {
                continue;
            };
            let available = seen.available().saturating_add(given);
            if available > MAX_UNITS {
                return Err(TooMany);
            }
            if self.give(seen, self.me, held.saturating_sub(given), available) {
                return Ok(());
            }
        }
    }

    /// Consumes units that this slot holds; returns how many those were.
    pub(crate) fn forget(self, count: u32) -> u32 {
        loop {
            let seen = self.load();
            let Some(held) = self.held_after_help(seen) else {
                continue;
            };
            let forgotten = held.min(count);
            if forgotten == 0 {
                return 0;
            }
            let next = seen.operated(self.me, held - forgotten, seen.available());
            if self.exchange(seen, next) {
                return forgotten;
            }
        }
    }

    /// Makes all units that a slot holds available. Called by its holder when it detaches, and by
    /// its next holder before it uses the semaphore. Does not wait.
    pub(crate) fn give_back(self, slot: u8) {
        self.give_back_if(slot, || true);
    }

    /// Reclaims the units of slots whose holders have died.
    #[cold]
    fn reclaim_dead(self, probe: &impl HolderProbe) {
        for slot in self.slots().filter(|&slot| slot != self.me) {
            self.give_back_if(slot, || !probe.is_alive(slot));
        }
    }

    /// Makes the units of a slot available, as an operation of that slot, if `may` returns `true`.
    ///
    /// `may` is called after the word was loaded: a slot that is claimed again meanwhile changes
    /// the word before it holds any unit.
    fn give_back_if(self, slot: u8, may: impl Fn() -> bool) {
        loop {
            let seen = self.load();
            let held = self.held_by(seen, slot);
            if held == 0 || !may() {
                return;
            }
            if !self.help(seen, slot) {
                continue;
            }
            // If new units were released meanwhile, those above the maximum are lost.
            let available = (seen.available() + held).min(MAX_UNITS);
            if self.give(seen, slot, 0, available) {
                return;
            }
        }
    }

    /// Returns another slot that holds units.
    fn other_holder(self, seen: Word) -> Option<u8> {
        self.slots()
            .find(|&slot| slot != self.me && self.held_by(seen, slot) > 0)
    }

    /// Tries once to take units from the word that was loaded.
    ///
    /// A waiter that has slept passes the wake-up on if units are left: their release may have
    /// woken no waiter, because the release that woke this one had cleared the bits. It also sets
    /// the bit again, because others may still sleep.
    fn attempt(self, seen: Word, wanted: u32, has_slept: bool) -> Attempt {
        let Some(available) = seen.available().checked_sub(wanted) else {
            return Attempt::Short(seen);
        };
        let Some(held) = self.held_after_help(seen) else {
            return Attempt::Lost;
        };
        let sleepers = seen.sleepers().or_single(has_slept);
        if held + wanted > MAX_UNITS {
            self.wake(sleepers, 1);
            return Attempt::TooMany;
        }
        let next = seen.operated(self.me, held + wanted, available);
        let next = if has_slept { next.with_waiters() } else { next };
        if !self.exchange(seen, next) {
            return Attempt::Lost;
        }
        if has_slept && available > 0 {
            self.wake(sleepers, 1);
        }
        Attempt::Done
    }

    /// Tries once to make units available, and wakes the waiters.
    fn give(self, seen: Word, slot: u8, held: u32, available: u32) -> bool {
        let next = seen.operated(slot, held, available);
        if !self.exchange(seen, next.without_sleepers()) {
            return false;
        }
        self.wake(seen.sleepers(), available.saturating_sub(seen.available()));
        true
    }

    /// Wakes as many waiters as can be served: all, if some want several units, because it is not
    /// known for which of them the units suffice.
    fn wake(self, sleepers: Sleepers, units: u32) {
        match sleepers {
            Sleepers::None => {}
            Sleepers::Single => sys::wake_low(self.word, units),
            Sleepers::Many => sys::wake_all_low(self.word),
        }
    }

    /// Returns how many units this slot holds, after helping the word's operator, so that the word
    /// may be replaced; `None` if another process changed it meanwhile.
    fn held_after_help(self, seen: Word) -> Option<u32> {
        self.help(seen, self.me)
            .then(|| self.held_by(seen, self.me))
    }

    /// Writes the record of the word's operator, before an operation of `next` replaces the word.
    /// Returns `false` if another process changed the word or the record meanwhile.
    #[inline]
    fn help(self, seen: Word, next: u8) -> bool {
        match seen.operator() {
            Some(operator) if operator != next => self.write_record(operator, seen),
            _ => true,
        }
    }

    fn write_record(self, slot: u8, seen: Word) -> bool {
        let Some(record) = self.record(slot) else {
            // No slot has this number: it is untrusted input, which the next word replaces.
            return true;
        };
        // Acquire, because the load of the word below must be at least as new as that of the
        // process that wrote this record: pairs with the Release exchange below.
        let old = record.load(Ordering::Acquire);
        if !self.is_still(seen) {
            return false;
        }
        let new = UnitRecord::from_bits(old).next(seen.held());
        // Release, because a reader of the new record has to see the word that it was made from, or
        // a later one: pairs with the Acquire load above.
        let is_written = record
            .compare_exchange(old, new.bits(), Ordering::Release, Ordering::Relaxed)
            .is_ok();
        stored_by(self.me);
        is_written
    }

    /// Returns how many units a slot holds by a word. If the word has changed meanwhile, the result
    /// may be that of a later moment.
    fn held_by(self, seen: Word, slot: u8) -> u32 {
        if seen.operator() == Some(slot) {
            return seen.held();
        }
        // Relaxed, because the Acquire load of the word determines how new the record must be.
        self.record(slot).map_or(0, |record| {
            UnitRecord::from_bits(record.load(Ordering::Relaxed)).held()
        })
    }

    fn record(self, slot: u8) -> Option<&'a AtomicU64> {
        let (slot, lines) = (usize::from(slot), self.lines.len());
        self.lines.get(slot % lines)?.get(slot / lines)
    }

    fn slots(self) -> impl Iterator<Item = u8> {
        let count = u8::try_from(self.lines.len() * N).unwrap_or(u8::MAX);
        0..count
    }

    #[inline]
    fn load(self) -> Word {
        // Acquire, because the records that the last operator wrote have to be seen: pairs with the
        // Release half of `exchange`.
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    fn is_still(self, seen: Word) -> bool {
        // Relaxed, because the Acquire load of a record before it determines how new it must be.
        self.word.load(Ordering::Relaxed) == seen.bits()
    }

    #[inline]
    fn exchange(self, seen: Word, next: Word) -> bool {
        // Acquire, because an acquirer has to see the stores before the release; Release, because a
        // releaser publishes them, and a reader of the word has to see the records written for it:
        // pairs with itself and with the Acquire load in `load`.
        let order = Ordering::AcqRel;
        let is_replaced = self
            .word
            .compare_exchange(seen.bits(), next.bits(), order, Ordering::Relaxed)
            .is_ok();
        stored_by(self.me);
        is_replaced
    }
}

/// Returns the units of a semaphore's segment, for the operations of one slot.
#[inline]
pub(crate) fn units_of(control: &Control, slot: u8) -> Units<'_, UNIT_COLUMNS> {
    Units::new(control.header.units(), &control.units, slot)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    const SLOTS: u8 = 4;

    /// A semaphore of four slots, with the holders that the kernel would report as alive.
    struct FakeSegment {
        word: AtomicU64,
        records: [[AtomicU64; 2]; 2],
        alive: Cell<[bool; 4]>,
        probes: Cell<u32>,
    }

    impl HolderProbe for &FakeSegment {
        fn is_alive(&self, slot: u8) -> bool {
            self.probes.set(self.probes.get() + 1);
            self.alive.get()[usize::from(slot)]
        }

        fn should_abort(&self) -> bool {
            false
        }
    }

    impl FakeSegment {
        fn new(units: u32) -> FakeSegment {
            FakeSegment {
                word: AtomicU64::new(Word::new(units).bits()),
                records: Default::default(),
                alive: Cell::new([true; 4]),
                probes: Cell::new(0),
            }
        }

        fn units(&self, slot: u8) -> Units<'_, 2> {
            Units::new(&self.word, &self.records, slot)
        }

        fn kill(&self, slot: u8) {
            let mut alive = self.alive.get();
            alive[usize::from(slot)] = false;
            self.alive.set(alive);
        }

        fn held(&self) -> [u32; 4] {
            [0, 1, 2, 3].map(|slot| self.units(slot).held())
        }
    }

    fn deadline_60ms() -> Deadline {
        Deadline::after(Duration::from_millis(60))
    }

    #[test]
    fn released_units_are_available_again() {
        let segment = FakeSegment::new(3);
        assert_eq!(segment.units(0).try_acquire(2, &&segment), Ok(true));
        assert_eq!(segment.units(1).try_acquire(2, &&segment), Ok(false));
        assert_eq!(segment.units(1).try_acquire(1, &&segment), Ok(true));
        assert_eq!(segment.held(), [2, 1, 0, 0]);
        segment.units(0).release(2).unwrap();
        assert_eq!(segment.units(0).available(), 2);
        assert_eq!(segment.held(), [0, 1, 0, 0]);
    }

    #[test]
    fn releasing_more_than_is_held_makes_new_units() {
        let segment = FakeSegment::new(0);
        segment.units(0).release(5).unwrap();
        assert_eq!(segment.units(0).available(), 5);
        assert_eq!(segment.units(1).try_acquire(2, &&segment), Ok(true));
        segment.units(1).release(3).unwrap();
        assert_eq!(segment.units(0).available(), 6);
        assert_eq!(segment.held(), [0; 4]);
    }

    #[test]
    fn forgotten_units_are_not_reclaimed() {
        let segment = FakeSegment::new(3);
        assert_eq!(segment.units(0).try_acquire(3, &&segment), Ok(true));
        assert_eq!(segment.units(0).forget(2), 2);
        assert_eq!(segment.units(1).forget(2), 0);
        segment.kill(0);
        assert_eq!(segment.units(1).try_acquire(1, &&segment), Ok(true));
        assert_eq!(segment.units(1).forget(9), 1);
        assert_eq!(segment.units(1).available(), 0);
    }

    #[test]
    fn a_waiter_acquires_the_units_of_a_dead_process() {
        let segment = FakeSegment::new(1);
        assert_eq!(segment.units(0).try_acquire(1, &&segment), Ok(true));
        segment.kill(0);
        assert_eq!(
            segment.units(1).acquire(1, deadline_60ms, &&segment),
            Ok(())
        );
        assert_eq!(segment.held(), [0, 1, 0, 0]);
    }

    #[test]
    fn a_living_holder_is_waited_for_until_the_deadline() {
        let segment = FakeSegment::new(1);
        assert_eq!(segment.units(2).try_acquire(1, &&segment), Ok(true));
        assert_eq!(
            segment.units(1).acquire(1, deadline_60ms, &&segment),
            Err(AcquireError::TimedOut(Some(2)))
        );
        assert!(segment.probes.get() >= 2, "probed once a slice");
    }

    #[test]
    fn counts_do_not_exceed_the_maximum() {
        let segment = FakeSegment::new(MAX_UNITS);
        assert_eq!(segment.units(0).release(1), Err(TooMany));
        assert_eq!(segment.units(0).try_acquire(MAX_UNITS, &&segment), Ok(true));
        segment.units(1).release(1).unwrap();
        assert_eq!(
            segment.units(0).try_acquire(1, &&segment),
            Err(AcquireError::TooMany)
        );
        // Units above the maximum are lost.
        segment.kill(0);
        segment.units(1).give_back(0);
        assert_eq!(segment.units(1).available(), MAX_UNITS);
        assert_eq!(segment.held(), [0; 4]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Operation {
        Acquire(u8, u32),
        AcquireFast(u8, u32),
        Release(u8, u32),
        ReleaseFast(u8, u32),
        Forget(u8, u32),
        Detach(u8),
    }

    fn operation() -> impl Strategy<Value = Operation> {
        (0..6, 0..SLOTS, 0..5u32).prop_map(|(kind, slot, units)| match kind {
            0 => Operation::Acquire(slot, units),
            1 => Operation::AcquireFast(slot, units),
            2 => Operation::Release(slot, units),
            3 => Operation::ReleaseFast(slot, units),
            4 => Operation::Forget(slot, units),
            _ => Operation::Detach(slot),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 4 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Compares a semaphore with a model of five plain numbers.
        #[test]
        fn counts_match_a_plain_model(operations in proptest::collection::vec(operation(), 1..80)) {
            let segment = FakeSegment::new(5);
            let (mut available, mut held) = (5, [0u32; 4]);
            for operation in operations {
                match operation {
                    Operation::Acquire(slot, units) | Operation::AcquireFast(slot, units) => {
                        let of_slot = segment.units(slot);
                        let is_fast = matches!(operation, Operation::AcquireFast(..))
                            && of_slot.take_fast(units, |_| false);
                        let acquired = is_fast || of_slot.try_acquire(units, &&segment).unwrap();
                        prop_assert_eq!(acquired, available >= units);
                        if acquired {
                            available -= units;
                            held[usize::from(slot)] += units;
                        }
                    }
                    Operation::Release(slot, units) | Operation::ReleaseFast(slot, units) => {
                        let of_slot = segment.units(slot);
                        let is_fast = matches!(operation, Operation::ReleaseFast(..))
                            && of_slot.give_fast(units);
                        if !is_fast {
                            of_slot.release(units).unwrap();
                        }
                        available += units;
                        let held = &mut held[usize::from(slot)];
                        *held = held.saturating_sub(units);
                    }
                    Operation::Forget(slot, units) => {
                        let held = &mut held[usize::from(slot)];
                        let forgotten = units.min(*held);
                        prop_assert_eq!(segment.units(slot).forget(units), forgotten);
                        *held -= forgotten;
                    }
                    Operation::Detach(slot) => {
                        segment.units(slot).give_back(slot);
                        available += std::mem::take(&mut held[usize::from(slot)]);
                    }
                }
                prop_assert_eq!(segment.units(0).available(), available);
                prop_assert_eq!(segment.held(), held);
            }
        }
    }
}
