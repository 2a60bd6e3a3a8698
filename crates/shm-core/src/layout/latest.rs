//! The word that names the latest sample: its region and its generation.

use crate::damage::Damage;
use crate::layout::REGIONS;

/// Region (high 16 bits; 0 for none) and generation (low 48 bits).
///
/// Sleepers wait on the low 32 bits, which change with every publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LatestWord(u64);

const GENERATION_BITS: u32 = 48;
/// The largest generation; 1 comes after it.
pub(crate) const MAX_GENERATION: u64 = (1 << GENERATION_BITS) - 1;

impl LatestWord {
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// The region; none where nothing was published or it was cleared.
    ///
    /// A number beyond the table comes from a liar and counts as none; so does the generation 0,
    /// which entries have that are not to be read.
    pub(crate) fn region(self) -> Option<u16> {
        let region = u16::try_from(self.0 >> GENERATION_BITS).ok()?;
        let names_one = (1..=REGIONS).contains(&usize::from(region)) && self.generation() != 0;
        names_one.then_some(region)
    }

    /// What is wrong with it: it names a region, and there can be no sample there.
    pub(crate) fn damage(self) -> Option<Damage> {
        let region = u16::try_from(self.0 >> GENERATION_BITS).unwrap_or(u16::MAX);
        (region != 0 && self.region().is_none()).then(|| Damage::Nowhere {
            region,
            generation: self.generation(),
        })
    }

    pub(crate) fn generation(self) -> u64 {
        self.0 & MAX_GENERATION
    }

    /// What sleepers compare.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low half is what is meant"
    )]
    pub(crate) fn low(self) -> u32 {
        self.0 as u32
    }

    /// The next publication, in `region`; or the next clearing.
    pub(crate) fn next(self, region: Option<u16>) -> Self {
        // Never 0, which means that a region holds nothing. At a million
        // samples a second the 48 bits last for nine years.
        let generation = (self.generation() + 1) & MAX_GENERATION;
        Self(u64::from(region.unwrap_or(0)) << GENERATION_BITS | generation.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_and_names_its_region() {
        let nothing = LatestWord::from_bits(0);
        assert_eq!((nothing.region(), nothing.generation()), (None, 0));
        let first = nothing.next(Some(255));
        assert_eq!((first.region(), first.generation()), (Some(255), 1));
        let cleared = first.next(None);
        assert_eq!((cleared.region(), cleared.generation()), (None, 2));
        assert_ne!(first.low(), cleared.low());
        let wrapped = LatestWord::from_bits(MAX_GENERATION).next(Some(1));
        assert_eq!(wrapped.generation(), 1);
    }

    #[test]
    fn a_region_beyond_the_table_counts_as_none() {
        assert_eq!(LatestWord::from_bits(256 << 48 | 7).region(), None);
        assert_eq!(LatestWord::from_bits(u64::MAX).region(), None);
    }

    #[test]
    fn a_region_without_a_generation_counts_as_none() {
        assert_eq!(LatestWord::from_bits(1 << 48).region(), None);
    }
}
