//! The word of a semaphore: pure functions from word to word, without memory access or system
//! calls.
//!
//! ```text
//!  63      56 55        41  40 39      32 31      16  15 14         0
//! ┌──────────┬────────────┬───┬──────────┬──────────┬───┬────────────┐
//! │ operator │ held by it │ M │ sequence │ sequence │ W │ available  │
//! │ slot + 1 │ afterwards │   │ (high 8) │ (low 16) │   │            │
//! └──────────┴────────────┴───┴──────────┴──────────┴───┴────────────┘
//!  W  waiters: a process may be asleep on the low half
//!  M  one that wants several units may be among them
//!  operator 0: no operation yet
//! ```
//!
//! The low half is what the kernel compares before it lets a waiter sleep.

use std::fmt;

use crate::layout::{MAX_UNITS, SLOTS};

/// The value of a semaphore's word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(u64);

/// The waiters that may sleep on the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleepers {
    /// No process.
    None,
    /// Processes that want one unit each.
    Single,
    /// Among them processes that want several units.
    Many,
}

impl Sleepers {
    /// Returns the same, but at least `Single` if a waiter may sleep that the word no longer
    /// records.
    pub(crate) fn or_single(self, may_sleep: bool) -> Self {
        match self {
            Self::None if may_sleep => Self::Single,
            known => known,
        }
    }
}

const UNITS: u64 = 0x7fff;
const WAITERS: u64 = 1 << 15;
const SEQUENCE_SHIFT: u32 = 16;
const SEQUENCE: u64 = 0xff_ffff << SEQUENCE_SHIFT;
const STEP: u64 = 1 << SEQUENCE_SHIFT;
const MANY: u64 = 1 << 40;
const HELD_SHIFT: u32 = 41;
/// Half of [`MAX_UNITS`]: the sum of two counts up to this fits a field.
const HALF: u32 = MAX_UNITS / 2;
/// What moving one unit from available to held adds to the word.
const MOVED: u64 = (1 << HELD_SHIFT) - 1;
const OPERATOR_SHIFT: u32 = 56;

impl Word {
    /// The greatest sequence: sequences are counted modulo one more.
    pub(crate) const SEQUENCES: u32 = 0xff_ffff;

    /// Creates the word of a new semaphore.
    pub(crate) fn new(available: u32) -> Self {
        Self(u64::from(available.min(MAX_UNITS)))
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// Returns how many units can be acquired.
    #[inline]
    pub(crate) fn available(self) -> u32 {
        units(self.0)
    }

    /// Returns the slot whose operation made this word. A number that no slot has is untrusted
    /// input, and counts as none.
    pub(crate) fn operator(self) -> Option<u8> {
        let number = (self.0 >> OPERATOR_SHIFT) as u8;
        (usize::from(number) <= SLOTS)
            .then(|| number.checked_sub(1))
            .flatten()
    }

    /// Returns how many units the operator holds after its operation.
    #[inline]
    pub(crate) fn held(self) -> u32 {
        units(self.0 >> HELD_SHIFT)
    }

    /// Returns the number of operations modulo 2^24.
    #[inline]
    pub(crate) fn sequence(self) -> u32 {
        ((self.0 & SEQUENCE) >> SEQUENCE_SHIFT) as u32
    }

    /// Returns which waiters may be asleep.
    pub(crate) fn sleepers(self) -> Sleepers {
        match (self.0 & WAITERS != 0, self.0 & MANY != 0) {
            (_, true) => Sleepers::Many,
            (true, false) => Sleepers::Single,
            (false, false) => Sleepers::None,
        }
    }

    /// Returns the word after an operation of a slot, after which the slot holds `held` units.
    pub(crate) fn operated(self, operator: u8, held: u32, available: u32) -> Self {
        let kept = self.next_sequence() | self.0 & (WAITERS | MANY);
        Self(
            kept | u64::from(available.min(MAX_UNITS))
                | u64::from(held.min(MAX_UNITS)) << HELD_SHIFT
                | (u64::from(operator) + 1) << OPERATOR_SHIFT,
        )
    }

    /// Returns the word after its operator has taken units once more; `None` if the operator is
    /// another slot, too few units are available, a process may be asleep, or the counts might
    /// overflow.
    ///
    /// One addition. If the sequence wraps, that sets M, which only records that a process *may* be
    /// asleep.
    #[inline]
    pub(crate) fn taken_again(self, slot: u8, wanted: u32) -> Option<Self> {
        let fits = self.is_of(slot)
            && wanted <= HALF
            && self.available() >= wanted
            && self.0 & (WAITERS | MANY | u64::from(HALF + 1) << HELD_SHIFT) == 0;
        let moved = u64::from(wanted) * MOVED;
        fits.then(|| Self(self.0.wrapping_add(moved + STEP)))
    }

    /// Returns the word after its operator has released units; `None` in the same cases.
    #[inline]
    pub(crate) fn given_again(self, slot: u8, given: u32) -> Option<Self> {
        let fits = self.is_of(slot)
            && given <= HALF
            && self.held() >= given
            && self.0 & (WAITERS | MANY | u64::from(HALF + 1)) == 0;
        let moved = u64::from(given) * MOVED;
        fits.then(|| Self(self.0.wrapping_sub(moved).wrapping_add(STEP)))
    }

    #[inline]
    fn is_of(self, slot: u8) -> bool {
        self.0 >> OPERATOR_SHIFT == u64::from(slot) + 1
    }

    /// Returns the word that records that a waiter for `wanted` units may be asleep. Not an
    /// operation: the operator and what it holds stay.
    pub(crate) fn with_sleeper(self, wanted: u32) -> Self {
        let bits = if wanted > 1 { WAITERS | MANY } else { WAITERS };
        if self.0 & bits == bits {
            return self;
        }
        Self(self.0 & !SEQUENCE | self.next_sequence() | bits)
    }

    /// Returns the word for a waiter that takes units after it has slept: others may still sleep.
    pub(crate) fn with_waiters(self) -> Self {
        Self(self.0 | WAITERS)
    }

    /// Returns the word after all waiters, or as many as can be served, are being woken.
    pub(crate) fn without_sleepers(self) -> Self {
        Self(self.0 & !(WAITERS | MANY))
    }

    fn next_sequence(self) -> u64 {
        (self.0 & SEQUENCE).wrapping_add(STEP) & SEQUENCE
    }
}

#[inline]
fn units(bits: u64) -> u32 {
    (bits & UNITS) as u32
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word")
            .field("available", &self.available())
            .field("operator", &self.operator())
            .field("held", &self.held())
            .field("sequence", &self.sequence())
            .field("sleepers", &self.sleepers())
            .finish()
    }
}

/// The record of how many units a slot holds: `{held: 20, version: 44}`.
///
/// The version makes each record differ from all before it, so that a process that read an old
/// record cannot replace a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnitRecord(u64);

const RECORD_HELD: u64 = 0xf_ffff;
const VERSION_SHIFT: u32 = 20;

impl UnitRecord {
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// Returns how many units the slot holds. A number above the maximum is untrusted input, and
    /// capped.
    pub(crate) fn held(self) -> u32 {
        let held = (self.0 & RECORD_HELD) as u32;
        held.min(MAX_UNITS)
    }

    /// Returns the record that replaces this one.
    pub(crate) fn next(self, held: u32) -> Self {
        let version = (self.0 >> VERSION_SHIFT).wrapping_add(1) << VERSION_SHIFT;
        Self(version | u64::from(held.min(MAX_UNITS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_overlap() {
        for (operator, held, available) in [(0, 0, 0), (127, MAX_UNITS, 1), (3, 1, MAX_UNITS)] {
            let word = Word::new(5).operated(operator, held, available);
            assert_eq!(word.operator(), Some(operator));
            assert_eq!((word.held(), word.available()), (held, available));
            assert_eq!(word.sequence(), 1);
            assert_eq!(word.sleepers(), Sleepers::None);
            let asleep = word.with_sleeper(1);
            assert_eq!(asleep.sleepers(), Sleepers::Single);
            assert_eq!(asleep.with_sleeper(2).sleepers(), Sleepers::Many);
            assert_eq!(asleep.with_sleeper(1), asleep, "already recorded");
            assert_eq!((asleep.held(), asleep.available()), (held, available));
            assert_eq!(asleep.operator(), Some(operator));
            assert_eq!(asleep.sequence(), 2);
            assert_eq!(asleep.with_sleeper(2).without_sleepers().sequence(), 3);
        }
    }

    #[test]
    fn the_sequence_wraps_without_changing_other_fields() {
        let last = Word::from_bits(SEQUENCE).operated(3, 2, 1);
        assert_eq!(last.sequence(), 0);
        assert_eq!(last.operator(), Some(3));
        assert_eq!((last.held(), last.available()), (2, 1));
    }

    #[test]
    fn the_fast_operations_match_the_general_one() {
        let most = MAX_UNITS;
        for (held, available) in [(0, 9), (7, 2), (3, most), (most, 3), (1, 0), (HALF, HALF)] {
            let word = Word::new(0).operated(5, held, available);
            for units in [0, 1, 2, 3, HALF, most] {
                let taken = (units <= available && units <= HALF && held <= HALF)
                    .then(|| word.operated(5, held + units, available - units));
                assert_eq!(word.taken_again(5, units), taken);
                let given = (units <= held && units <= HALF && available <= HALF)
                    .then(|| word.operated(5, held - units, available + units));
                assert_eq!(word.given_again(5, units), given);
            }
            assert_eq!(word.taken_again(4, 0), None);
            let asleep = word.with_sleeper(1);
            assert_eq!(asleep.taken_again(5, 0), None);
            assert_eq!(asleep.given_again(5, 0), None);
            let last = Word::from_bits(word.bits() | SEQUENCE);
            let fast = [last.taken_again(5, 0), last.given_again(5, 0)];
            for next in fast.into_iter().flatten() {
                assert_eq!((next.operator(), next.held()), (Some(5), held));
                assert_eq!((next.available(), next.sequence()), (available, 0));
                assert_eq!(next.sleepers(), Sleepers::Many);
            }
        }
    }

    #[test]
    fn an_operator_without_a_slot_is_none() {
        assert_eq!(Word::from_bits(0).operator(), None);
        assert_eq!(Word::from_bits(128 << OPERATOR_SHIFT).operator(), Some(127));
        assert_eq!(Word::from_bits(129 << OPERATOR_SHIFT).operator(), None);
        assert_eq!(Word::from_bits(u64::MAX).operator(), None);
    }

    #[test]
    fn a_record_differs_from_the_one_before_it() {
        let first = UnitRecord::from_bits(u64::MAX);
        assert_eq!(first.held(), MAX_UNITS, "capped");
        let second = first.next(7);
        assert_eq!(second.held(), 7);
        assert_ne!(second, second.next(7));
    }
}
