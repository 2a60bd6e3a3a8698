//! The lock word: pure functions from word to word, without memory access or system calls.
//!
//! ```text
//!  31                    10 9        2  1   0
//! ┌────────────────────────┬──────────┬───┬───┐
//! │ generation of the slot │ owner    │ A │ W │
//! │ (low 22 bits)          │ slot + 1 │   │   │
//! └────────────────────────┴──────────┴───┴───┘
//!  W  waiters: a contender may be asleep on the word
//!  A  abandoned: a holder died, and no process has repaired since
//!  owner 0: free (and the generation is 0 too)
//! ```

use std::fmt;

/// The value of the lock word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockWord(u32);

/// The holder of the lock, or a contender: a slot and the generation of its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u32);

const WAITERS: u32 = 1 << 0;
const ABANDONED: u32 = 1 << 1;
const OWNER_SHIFT: u32 = 2;
const OWNER_MASK: u32 = 0xff << OWNER_SHIFT;
const GENERATION_SHIFT: u32 = 10;

impl Owner {
    /// Creates the owner that has claimed `slot` with this generation.
    pub(crate) fn new(slot: u8, generation: u32) -> Self {
        Self((u32::from(slot) + 1) << OWNER_SHIFT | generation << GENERATION_SHIFT)
    }

    /// The slot.
    pub(crate) fn slot(self) -> u8 {
        // At least 1 in every `Owner`: `LockWord::owner` checks words of other processes.
        u8::try_from(((self.0 & OWNER_MASK) >> OWNER_SHIFT) - 1).unwrap_or(u8::MAX)
    }
}

impl LockWord {
    pub(crate) const FREE: Self = Self(0);

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn is_abandoned(self) -> bool {
        self.0 & ABANDONED != 0
    }

    pub(crate) fn has_waiters(self) -> bool {
        self.0 & WAITERS != 0
    }

    /// Returns the holder, if there is one.
    pub(crate) fn owner(self) -> Option<Owner> {
        (self.0 & OWNER_MASK != 0).then_some(Owner(self.0 & !(WAITERS | ABANDONED)))
    }

    /// Returns the word after `owner` has acquired a free lock; the other bits stay.
    pub(crate) fn acquired_by(self, owner: Owner) -> Self {
        Self(owner.0 | self.0 & (ABANDONED | WAITERS))
    }

    /// Returns the word with the waiters bit set.
    pub(crate) fn with_waiters(self) -> Self {
        Self(self.0 | WAITERS)
    }

    /// Returns the word after a release: free, and abandoned until a process has repaired.
    pub(crate) fn released(abandoned: bool) -> Self {
        Self(if abandoned { ABANDONED } else { 0 })
    }

    /// Returns the word after `owner` has taken a dead holder's lock over.
    ///
    /// Keeps the waiters bit, because other contenders may be asleep.
    pub(crate) fn taken_over_by(self, owner: Owner) -> Self {
        Self(owner.0 | ABANDONED | WAITERS)
    }

    /// Returns the word after the process that claims the dead holder's slot has released its lock.
    pub(crate) fn released_dead(self) -> Self {
        Self(ABANDONED)
    }
}

impl fmt::Debug for LockWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockWord")
            .field("owner", &self.owner().map(Owner::slot))
            .field("generation", &(self.0 >> GENERATION_SHIFT))
            .field("abandoned", &self.is_abandoned())
            .field("waiters", &self.has_waiters())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acquired_word_has_its_owner_and_keeps_the_other_bits() {
        for slot in [0, 1, 127, 254] {
            let owner = Owner::new(slot, 0x3f_ffff);
            let word = LockWord::FREE.acquired_by(owner);
            assert_eq!(word.owner(), Some(owner));
            assert_eq!(owner.slot(), slot);
            assert!(!word.is_abandoned() && !word.has_waiters());
            assert!(word.with_waiters().has_waiters());
            assert_eq!(word.with_waiters().owner(), Some(owner));
        }
    }

    #[test]
    fn the_abandoned_bit_stays_until_repaired() {
        let dead = LockWord::FREE.acquired_by(Owner::new(3, 7)).with_waiters();
        let successor = Owner::new(4, 1);
        let taken_over = dead.taken_over_by(successor);
        assert!(taken_over.is_abandoned() && taken_over.has_waiters());
        assert_eq!(taken_over.owner(), Some(successor));
        let free = LockWord::released(true);
        assert!(free.is_abandoned() && free.owner().is_none());
        assert!(free.acquired_by(successor).is_abandoned());
        assert!(!LockWord::released(false).is_abandoned());
        assert_eq!(dead.released_dead(), LockWord::released(true));
    }

    #[test]
    fn two_claims_of_one_slot_differ_by_their_generation() {
        assert_ne!(Owner::new(3, 7), Owner::new(3, 8));
        // Only 22 bits of the generation fit: they wrap, and the other fields stay.
        assert_eq!(Owner::new(3, 1 << 22), Owner::new(3, 0));
    }
}
