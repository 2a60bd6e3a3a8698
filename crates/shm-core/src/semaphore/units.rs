//! The units of a semaphore: acquired, released, and given back where a holder has died.
//!
//! One word says how many units are available, which slot made the last operation, and how many
//! units that slot holds since. So one compare-exchange changes both counts at once, and there is
//! no moment in which a unit is nowhere or in two places. What a slot holds whose operation is not
//! the last one any more stands in its record: a process that replaces the word of another
//! slot writes that record first.
//!
//! Writing it may be late: a helper can be stopped between any two of its steps. Hence the version
//! in a record, and the rule that replacing the word of another slot *always* writes a new
//! record, also one that says the same: that is what makes the compare-exchange of a late helper
//! fail.

use std::time::Duration;

use super::word::{Sleepers, UnitRecord, Word};
use crate::deadline::Deadline;
use crate::layout::MAX_UNITS;
use crate::sync::{AtomicU64, Ordering, SPINS, stored_by};
use crate::sys;

/// How long a waiter sleeps before it looks again: the bound on how long a death keeps units from it,
/// also one between a release and its wake, or of a rival that was woken instead.
const SLICE: Duration = Duration::from_millis(20);

/// What a waiter has to ask the world outside the memory.
pub(crate) trait HolderProbe {
    /// Returns `true` if the holder of this slot lives.
    fn is_alive(&self, slot: u8) -> bool;
    /// Returns `true` if waiting has become pointless. Asked once a slice.
    fn should_abort(&self) -> bool;
}

/// Why units were not acquired.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AcquireError {
    /// The deadline came; a slot of another that held units at that moment.
    TimedOut(Option<u8>),
    /// The probe said that there is no use in waiting.
    Aborted,
    /// The caller would hold more than [`MAX_UNITS`].
    TooMany,
}

/// More units than a semaphore can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// What one look at the word and a compare-exchange came to.
enum Attempt {
    Done,
    /// So many are not available, by this word.
    Short(Word),
    /// Others were faster.
    Lost,
    TooMany,
}

/// A semaphore's word and its records, seen from a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units<'a, const N: usize> {
    word: &'a AtomicU64,
    /// Record i stands in line `i % lines`: the first slots have lines of their own.
    lines: &'a [[AtomicU64; N]],
    me: u8,
}

impl<'a, const N: usize> Units<'a, N> {
    #[inline]
    pub(crate) fn new(word: &'a AtomicU64, lines: &'a [[AtomicU64; N]], me: u8) -> Self {
        Self { word, lines, me }
    }

    /// How many units can be acquired at this moment.
    pub(crate) fn available(self) -> u32 {
        self.look().available()
    }

    /// How many units this slot holds.
    pub(crate) fn held(self) -> u32 {
        self.held_by(self.look(), self.me)
    }

    /// Takes units where the last operation was this slot's own, there are enough, and none sleeps: one
    /// compare-exchange. Returns `false` for whatever reason; `is_due` is asked with the sequence
    /// before.
    #[inline]
    pub(crate) fn take_quickly(self, wanted: u32, is_due: impl FnOnce(u32) -> bool) -> bool {
        let seen = self.look();
        match seen.taken_again(self.me, wanted) {
            Some(next) if !is_due(seen.sequence()) => self.exchange(seen, next),
            _ => false,
        }
    }

    /// Gives units back where the last operation was this slot's own, it holds as many, and none
    /// sleeps: one compare-exchange. Returns `false` for whatever reason.
    #[inline]
    pub(crate) fn give_quickly(self, given: u32) -> bool {
        let seen = self.look();
        seen.given_again(self.me, given)
            .is_some_and(|next| self.exchange(seen, next))
    }

    /// The sequence of the last operation, by which a caller counts them.
    pub(crate) fn sequence(self) -> u32 {
        self.look().sequence()
    }

    /// Acquires so many units if they are available, or after units of the dead were given back.
    pub(crate) fn try_acquire(
        self,
        wanted: u32,
        probe: &impl HolderProbe,
    ) -> Result<bool, AcquireError> {
        if self.take(wanted)? {
            return Ok(true);
        }
        // Also where others were faster and have given back what there was.
        self.sweep(probe);
        self.take(wanted)
    }

    /// Acquires so many units, waiting for them until the deadline, which is asked for only where
    /// there is a wait.
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
            match self.attempt(self.look(), wanted, has_slept) {
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
            match self.attempt(self.look(), wanted, has_slept) {
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
                        self.sweep(probe);
                        if probe.should_abort() {
                            return Err(AcquireError::Aborted);
                        }
                    }
                }
            }
            // Looked at in every turn: units may go round among others for ever.
            if deadline.is_over() {
                if self.take_awake(wanted, has_slept)? {
                    return Ok(());
                }
                if has_slept {
                    // The wake that this waiter may have had is another's now.
                    self.wake(Sleepers::Single, 1);
                }
                return Err(AcquireError::TimedOut(self.other_holder(self.look())));
            }
        }
    }

    /// Gives units back; more than this slot holds are new ones.
    pub(crate) fn release(self, given: u32) -> Result<(), TooMany> {
        loop {
            let seen = self.look();
            let Some(held) = self.settled_held(seen) else {
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

    /// Takes units out of those that this slot holds, for good; returns how many those were.
    pub(crate) fn forget(self, count: u32) -> u32 {
        loop {
            let seen = self.look();
            let Some(held) = self.settled_held(seen) else {
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

    /// Gives back all units that a slot holds: asked by its holder that leaves, and by its next
    /// holder, before it uses the semaphore. Never waits.
    pub(crate) fn give_back(self, slot: u8) {
        self.give_back_if(slot, || true);
    }

    /// Gives back the units of slots whose holders have died.
    #[cold]
    fn sweep(self, probe: &impl HolderProbe) {
        for slot in self.slots().filter(|&slot| slot != self.me) {
            self.give_back_if(slot, || !probe.is_alive(slot));
        }
    }

    /// Gives back what a slot holds, in its name, provided that it may be.
    ///
    /// Asked after the word was read: a slot that is claimed again meanwhile changes the word
    /// before it holds anything.
    fn give_back_if(self, slot: u8, may: impl Fn() -> bool) {
        loop {
            let seen = self.look();
            let held = self.held_by(seen, slot);
            if held == 0 || !may() {
                return;
            }
            if !self.help(seen, slot) {
                continue;
            }
            // Where others have made new units meanwhile, what does not fit is lost.
            let available = (seen.available() + held).min(MAX_UNITS);
            if self.give(seen, slot, 0, available) {
                return;
            }
        }
    }

    /// Another slot that holds units.
    fn other_holder(self, seen: Word) -> Option<u8> {
        self.slots()
            .find(|&slot| slot != self.me && self.held_by(seen, slot) > 0)
    }

    /// One try to take units out of the word that was seen.
    ///
    /// A waiter that has slept passes the wake on if units are left: their release may have woken no
    /// waiter, because the release that woke this one had cleared the bits. And it sets
    /// the bit again, because others may sleep still.
    fn attempt(self, seen: Word, wanted: u32, has_slept: bool) -> Attempt {
        let Some(available) = seen.available().checked_sub(wanted) else {
            return Attempt::Short(seen);
        };
        let Some(held) = self.settled_held(seen) else {
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

    /// One try to make units available; wakes those who wait for them.
    fn give(self, seen: Word, slot: u8, held: u32, available: u32) -> bool {
        let next = seen.operated(slot, held, available);
        if !self.exchange(seen, next.without_sleepers()) {
            return false;
        }
        self.wake(seen.sleepers(), available.saturating_sub(seen.available()));
        true
    }

    /// Wakes as many as can be served. It is not known which of the waiters for several units so
    /// many suffice, so all look.
    fn wake(self, sleepers: Sleepers, units: u32) {
        match sleepers {
            Sleepers::None => {}
            Sleepers::Single => sys::wake_low(self.word, units),
            Sleepers::Many => sys::wake_all_low(self.word),
        }
    }

    /// How many units this slot holds, once the word may be replaced; `None` where others were faster.
    fn settled_held(self, seen: Word) -> Option<u32> {
        self.help(seen, self.me)
            .then(|| self.held_by(seen, self.me))
    }

    /// Writes down what the word's operator holds, before an operation of `next` replaces the word.
    /// Returns `false` where others were faster.
    #[inline]
    fn help(self, seen: Word, next: u8) -> bool {
        match seen.operator() {
            Some(operator) if operator != next => self.write_record(operator, seen),
            _ => true,
        }
    }

    fn write_record(self, slot: u8, seen: Word) -> bool {
        let Some(record) = self.record(slot) else {
            // No slot has this number: untrusted input, which the next word replaces.
            return true;
        };
        // Acquire, because the look below must be at least as new as the look of the process that wrote
        // this record: pairs with the Release exchange below.
        let old = record.load(Ordering::Acquire);
        if !self.is_still(seen) {
            return false;
        }
        let new = UnitRecord::from_bits(old).next(seen.held());
        // Release, because a reader of the new record must see the word that it was made from,
        // or a later one: pairs with the Acquire load above.
        let is_written = record
            .compare_exchange(old, new.bits(), Ordering::Release, Ordering::Relaxed)
            .is_ok();
        stored_by(self.me);
        is_written
    }

    /// How many units a slot holds by a word, or held at a later moment: then the word is another one.
    fn held_by(self, seen: Word, slot: u8) -> u32 {
        if seen.operator() == Some(slot) {
            return seen.held();
        }
        // Relaxed, because the Acquire load of the word says how new the record must be.
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
    fn look(self) -> Word {
        // Acquire, because the records that the last operator wrote are to be seen: pairs with
        // the Release half of `exchange`.
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    fn is_still(self, seen: Word) -> bool {
        // Relaxed, because the Acquire load of a record before it says how new it must be.
        self.word.load(Ordering::Relaxed) == seen.bits()
    }

    #[inline]
    fn exchange(self, seen: Word, next: Word) -> bool {
        // Acquire, because who acquires sees what was done before the release. Release, because
        // who releases shows it; and a reader of the word sees the records written for it.
        let order = Ordering::AcqRel;
        let is_replaced = self
            .word
            .compare_exchange(seen.bits(), next.bits(), order, Ordering::Relaxed)
            .is_ok();
        stored_by(self.me);
        is_replaced
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    const SLOTS: u8 = 4;

    /// A semaphore of four slots, and which of them the kernel says are held.
    struct World {
        word: AtomicU64,
        records: [[AtomicU64; 2]; 2],
        alive: Cell<[bool; 4]>,
        asked: Cell<u32>,
    }

    impl HolderProbe for &World {
        fn is_alive(&self, slot: u8) -> bool {
            self.asked.set(self.asked.get() + 1);
            self.alive.get()[usize::from(slot)]
        }

        fn should_abort(&self) -> bool {
            false
        }
    }

    impl World {
        fn new(units: u32) -> World {
            World {
                word: AtomicU64::new(Word::new(units).bits()),
                records: Default::default(),
                alive: Cell::new([true; 4]),
                asked: Cell::new(0),
            }
        }

        fn units(&self, slot: u8) -> Units<'_, 2> {
            Units::new(&self.word, &self.records, slot)
        }

        fn dies(&self, slot: u8) {
            let mut alive = self.alive.get();
            alive[usize::from(slot)] = false;
            self.alive.set(alive);
        }

        fn held(&self) -> [u32; 4] {
            [0, 1, 2, 3].map(|slot| self.units(slot).held())
        }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_millis(60))
    }

    #[test]
    fn units_go_and_come_back() {
        let world = World::new(3);
        assert_eq!(world.units(0).try_acquire(2, &&world), Ok(true));
        assert_eq!(world.units(1).try_acquire(2, &&world), Ok(false));
        assert_eq!(world.units(1).try_acquire(1, &&world), Ok(true));
        assert_eq!(world.held(), [2, 1, 0, 0]);
        world.units(0).release(2).unwrap();
        assert_eq!(world.units(0).available(), 2);
        assert_eq!(world.held(), [0, 1, 0, 0]);
    }

    #[test]
    fn who_releases_more_than_it_holds_makes_new_units() {
        let world = World::new(0);
        world.units(0).release(5).unwrap();
        assert_eq!(world.units(0).available(), 5);
        assert_eq!(world.units(1).try_acquire(2, &&world), Ok(true));
        world.units(1).release(3).unwrap();
        assert_eq!(world.units(0).available(), 6);
        assert_eq!(world.held(), [0; 4]);
    }

    #[test]
    fn what_is_forgotten_does_not_come_back() {
        let world = World::new(3);
        assert_eq!(world.units(0).try_acquire(3, &&world), Ok(true));
        assert_eq!(world.units(0).forget(2), 2);
        assert_eq!(world.units(1).forget(2), 0);
        world.dies(0);
        assert_eq!(world.units(1).try_acquire(1, &&world), Ok(true));
        assert_eq!(world.units(1).forget(9), 1);
        assert_eq!(world.units(1).available(), 0);
    }

    #[test]
    fn a_waiter_gets_what_a_dead_process_held() {
        let world = World::new(1);
        assert_eq!(world.units(0).try_acquire(1, &&world), Ok(true));
        world.dies(0);
        assert_eq!(world.units(1).acquire(1, soon, &&world), Ok(()));
        assert_eq!(world.held(), [0, 1, 0, 0]);
    }

    #[test]
    fn a_living_holder_is_waited_for_until_the_deadline() {
        let world = World::new(1);
        assert_eq!(world.units(2).try_acquire(1, &&world), Ok(true));
        assert_eq!(
            world.units(1).acquire(1, soon, &&world),
            Err(AcquireError::TimedOut(Some(2)))
        );
        assert!(world.asked.get() >= 2, "asked once a slice");
    }

    #[test]
    fn counts_end_where_they_end() {
        let world = World::new(MAX_UNITS);
        assert_eq!(world.units(0).release(1), Err(TooMany));
        assert_eq!(world.units(0).try_acquire(MAX_UNITS, &&world), Ok(true));
        world.units(1).release(1).unwrap();
        assert_eq!(
            world.units(0).try_acquire(1, &&world),
            Err(AcquireError::TooMany)
        );
        // What does not fit any more is lost.
        world.dies(0);
        world.units(1).give_back(0);
        assert_eq!(world.units(1).available(), MAX_UNITS);
        assert_eq!(world.held(), [0; 4]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Acquire(u8, u32),
        AcquireQuickly(u8, u32),
        Release(u8, u32),
        ReleaseQuickly(u8, u32),
        Forget(u8, u32),
        Leave(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        (0..6, 0..SLOTS, 0..5u32).prop_map(|(kind, slot, units)| match kind {
            0 => Step::Acquire(slot, units),
            1 => Step::AcquireQuickly(slot, units),
            2 => Step::Release(slot, units),
            3 => Step::ReleaseQuickly(slot, units),
            4 => Step::Forget(slot, units),
            _ => Step::Leave(slot),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 4 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Against five plain numbers.
        #[test]
        fn counts_like_plain_numbers(steps in proptest::collection::vec(step(), 1..80)) {
            let world = World::new(5);
            let (mut available, mut held) = (5, [0u32; 4]);
            for step in steps {
                match step {
                    Step::Acquire(slot, units) | Step::AcquireQuickly(slot, units) => {
                        let of_slot = world.units(slot);
                        let is_quick = matches!(step, Step::AcquireQuickly(..))
                            && of_slot.take_quickly(units, |_| false);
                        let acquired = is_quick || of_slot.try_acquire(units, &&world).unwrap();
                        prop_assert_eq!(acquired, available >= units);
                        if acquired {
                            available -= units;
                            held[usize::from(slot)] += units;
                        }
                    }
                    Step::Release(slot, units) | Step::ReleaseQuickly(slot, units) => {
                        let of_slot = world.units(slot);
                        let is_quick = matches!(step, Step::ReleaseQuickly(..))
                            && of_slot.give_quickly(units);
                        if !is_quick {
                            of_slot.release(units).unwrap();
                        }
                        available += units;
                        let held = &mut held[usize::from(slot)];
                        *held = held.saturating_sub(units);
                    }
                    Step::Forget(slot, units) => {
                        let held = &mut held[usize::from(slot)];
                        let forgotten = units.min(*held);
                        prop_assert_eq!(world.units(slot).forget(units), forgotten);
                        *held -= forgotten;
                    }
                    Step::Leave(slot) => {
                        world.units(slot).give_back(slot);
                        available += std::mem::take(&mut held[usize::from(slot)]);
                    }
                }
                prop_assert_eq!(world.units(0).available(), available);
                prop_assert_eq!(world.held(), held);
            }
        }
    }
}
