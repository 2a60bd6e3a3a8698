//! The steps of a reader without concurrent writers, by the rules of docs/LAYOUT.md, section 7.

use super::record::{CLEARED, LARGE, PADDING, Record, Ring, is_position};
use crate::layout;

/// A reader's position in a ring.
#[derive(Debug)]
pub(super) struct ReaderModel {
    ring: Ring,
    cursor: u64,
    /// The sequence of the next record if none is missed.
    expected: Option<u64>,
    after_padding: bool,
    has_read: bool,
    /// The damage is at this newest record: the reader waits for another.
    waits_behind: Option<u64>,
}

/// The result of the next read.
#[derive(Debug)]
pub(super) enum Found {
    /// A valid record, and how many were missed before it.
    Sample(Record, u64),
    /// Everything before was erased.
    Cleared(u64),
    Damage,
    Nothing,
}

impl ReaderModel {
    /// Starts at the newest record.
    pub(super) fn newest(ring: Ring) -> ReaderModel {
        let last = ring.last();
        let is_intact = is_position(last) && ring.oldest() <= last;
        let record = is_intact.then(|| ring.record_at(last)).flatten();
        ReaderModel {
            cursor: if is_position(last) { last } else { 0 },
            expected: record.map(|record| record.sequence),
            ring,
            after_padding: false,
            has_read: false,
            waits_behind: None,
        }
    }

    /// Goes back to the oldest record.
    pub(super) fn rewind(&mut self) {
        self.cursor = self.ring.oldest().min(self.ring.last());
        self.expected = None;
        self.after_padding = false;
        self.has_read = false;
        self.waits_behind = None;
    }

    /// Goes past the newest record.
    pub(super) fn pass_newest(&mut self) {
        let last = self.ring.last();
        let is_intact = is_position(last) && self.ring.oldest() <= last;
        if let Some(record) = is_intact.then(|| self.ring.record_at(last)).flatten() {
            self.pass(&record);
        }
    }

    pub(super) fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Finds the next record, or the newest.
    pub(super) fn find(&mut self, newest: bool) -> Found {
        // Bounds the walk.
        for _ in 0..2 + self.ring.bytes() / 64 {
            let last = self.ring.last();
            match self.waits_behind {
                Some(seen) if seen == last => return Found::Nothing,
                Some(_) => (self.cursor, self.waits_behind) = (last, None),
                None => {}
            }
            if !is_position(last) || !is_position(self.cursor) {
                return self.damage(last);
            }
            if last < self.cursor {
                if self.cursor - last <= self.ring.bytes() {
                    return Found::Nothing;
                }
                (self.cursor, self.expected) = (last, None);
                self.after_padding = false;
                return Found::Damage;
            }
            if newest {
                (self.cursor, self.after_padding) = (last, false);
            }
            if let Some(found) = self.look_at_cursor(last) {
                return found;
            }
        }
        panic!("an endless walk: {self:?}");
    }

    fn look_at_cursor(&mut self, last: u64) -> Option<Found> {
        let oldest = self.ring.oldest();
        if oldest > self.cursor {
            if !is_position(oldest) || oldest > last {
                return Some(self.damage(last));
            }
            (self.cursor, self.after_padding) = (oldest, false);
            return None;
        }
        let is_within = last - self.cursor <= self.ring.bytes();
        let record = is_within
            .then(|| self.ring.record_at(self.cursor))
            .flatten();
        let Some(record) = record.filter(|record| self.is_in_order(record)) else {
            return Some(self.damage(last));
        };
        match record.flags {
            PADDING => {
                self.cursor += record.total_bytes;
                self.after_padding = true;
                None
            }
            CLEARED => {
                let had_read = self.has_read;
                let missed = self.pass(&record);
                (had_read || missed > 0).then_some(Found::Cleared(missed))
            }
            LARGE if !(1..=layout::REGIONS as u64).contains(&record.region()) => {
                Some(self.damage(last))
            }
            LARGE if self.ring.position_of_region(record.region()) != self.cursor => {
                // The cursor has moved.
                self.expected = self.expected.or(Some(record.sequence));
                self.cursor += record.total_bytes;
                self.after_padding = false;
                None
            }
            _ => {
                let missed = self.pass(&record);
                Some(Found::Sample(record, missed))
            }
        }
    }

    fn is_in_order(&self, record: &Record) -> bool {
        if record.flags == PADDING {
            return !self.after_padding;
        }
        self.expected
            .is_none_or(|expected| record.sequence >= expected)
    }

    /// Goes past a record; returns how many were missed before it.
    fn pass(&mut self, record: &Record) -> u64 {
        let missed = self
            .expected
            .map_or(0, |expected| record.sequence - expected);
        self.expected = Some(record.sequence + 1);
        self.cursor += record.total_bytes;
        self.after_padding = false;
        self.has_read = true;
        missed
    }

    /// Reports damage once, and goes to the newest record; if the damage is there, waits for
    /// another.
    fn damage(&mut self, last: u64) -> Found {
        if is_position(last) && last > self.cursor {
            self.cursor = last;
        } else {
            self.waits_behind = Some(last);
        }
        self.expected = None;
        self.after_padding = false;
        Found::Damage
    }
}
