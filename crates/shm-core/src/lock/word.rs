//! The lock word: pure transitions, no memory, no system call.
//!
//! ```text
//!  31                    10 9        2  1   0
//! ┌────────────────────────┬──────────┬───┬───┐
//! │ generation of the slot │ owner    │ A │ W │
//! │ (low 22 bits)          │ slot + 1 │   │   │
//! └────────────────────────┴──────────┴───┴───┘
//!  W  somebody may be asleep on the word
//!  A  abandoned: a holder died, and nobody has said repaired since
//!  owner 0: free (and the generation is 0 too)
//! ```

use std::fmt;

/// The value of the lock word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockWord(u32);

/// Who holds, or asks for, the lock: a slot and the generation of its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u32);

const WAITERS: u32 = 1 << 0;
const ABANDONED: u32 = 1 << 1;
const OWNER_SHIFT: u32 = 2;
const OWNER_MASK: u32 = 0xff << OWNER_SHIFT;
const GENERATION_SHIFT: u32 = 10;

impl Owner {
    /// The holder of a slot, by the slot's generation.
    pub(crate) fn new(slot: u8, generation: u32) -> Self {
        Self((u32::from(slot) + 1) << OWNER_SHIFT | generation << GENERATION_SHIFT)
    }

    /// The slot.
    pub(crate) fn slot(self) -> u8 {
        // At least 1 in every Owner that exists; a stranger's word is checked by `owner`.
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

    /// Who holds it, if anybody.
    pub(crate) fn owner(self) -> Option<Owner> {
        (self.0 & OWNER_MASK != 0).then_some(Owner(self.0 & !(WAITERS | ABANDONED)))
    }

    /// A free word, taken: what else it says stays.
    pub(crate) fn taken_by(self, owner: Owner) -> Self {
        Self(owner.0 | self.0 & (ABANDONED | WAITERS))
    }

    /// The same word, saying that somebody may be asleep.
    pub(crate) fn with_waiters(self) -> Self {
        Self(self.0 | WAITERS)
    }

    /// What a holder leaves behind: free, and abandoned as long as nobody has repaired.
    pub(crate) fn released(abandoned: bool) -> Self {
        Self(if abandoned { ABANDONED } else { 0 })
    }

    /// A dead holder's word, taken over by the one who found out.
    ///
    /// Others may be asleep, so the word goes on saying so.
    pub(crate) fn taken_over_by(self, owner: Owner) -> Self {
        Self(owner.0 | ABANDONED | WAITERS)
    }

    /// A dead holder's word, set free by the one who claims the holder's slot.
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
    fn a_taken_word_tells_its_owner_and_keeps_the_rest() {
        for slot in [0, 1, 127, 254] {
            let owner = Owner::new(slot, 0x3f_ffff);
            let word = LockWord::FREE.taken_by(owner);
            assert_eq!(word.owner(), Some(owner));
            assert_eq!(owner.slot(), slot);
            assert!(!word.is_abandoned() && !word.has_waiters());
            assert!(word.with_waiters().has_waiters());
            assert_eq!(word.with_waiters().owner(), Some(owner));
        }
    }

    #[test]
    fn the_abandoned_bit_stays_until_repaired() {
        let dead = LockWord::FREE.taken_by(Owner::new(3, 7)).with_waiters();
        let heir = Owner::new(4, 1);
        let over = dead.taken_over_by(heir);
        assert!(over.is_abandoned() && over.has_waiters());
        assert_eq!(over.owner(), Some(heir));
        let free = LockWord::released(true);
        assert!(free.is_abandoned() && free.owner().is_none());
        assert!(free.taken_by(heir).is_abandoned());
        assert!(!LockWord::released(false).is_abandoned());
        assert_eq!(dead.released_dead(), LockWord::released(true));
    }

    #[test]
    fn generations_tell_two_claims_of_one_slot_apart() {
        assert_ne!(Owner::new(3, 7), Owner::new(3, 8));
        // Only 22 bits of the generation fit: they wrap, and nothing else is disturbed.
        assert_eq!(Owner::new(3, 1 << 22), Owner::new(3, 0));
    }
}
