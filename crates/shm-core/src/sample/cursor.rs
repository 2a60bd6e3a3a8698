//! A subscriber's position in the ring: reads record after record, and recovers from an overrun.

use std::io;

use crate::error::InvalidSample;
use crate::sample::record::{self, Kind, Record};
use crate::sample::regions::PinOutcome;
use crate::sample::ring::{Ring, is_position};

/// Where a subscriber reads next, and what it expects there.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    position: u64,
    /// The sequence that comes next if no sample is missed; unknown after damage.
    expected: Option<u64>,
    /// How often in a row a record was evicted before it was read.
    overruns: u32,
    /// The previous record was padding.
    after_padding: bool,
    /// Something was read already, so that a clearing must be reported.
    has_read: bool,
    /// The value of `last` at which the ring was found damaged; a different value ends the wait.
    damaged_at: Option<u64>,
    /// The length of the previous record, which is the expected length of the next.
    previous_bytes: u32,
}

/// Which record to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadMode {
    /// The next in order.
    Next,
    /// The newest; those before it are skipped.
    Latest,
}

/// What was copied out of a record, before it was known to be intact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copied {
    pub(crate) metadata: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// A complete sample. Metadata and an inline payload were copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) record: Record,
    /// The region that was pinned; `None` for an inline payload.
    pub(crate) region: Option<u16>,
    pub(crate) skipped: u64,
}

/// The result of one attempt to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadStep {
    /// A sample.
    Sample(Found),
    /// Everything before was erased; `skipped` samples were missed.
    Cleared { skipped: u64 },
    /// There is nothing new.
    Empty,
    /// Try again: the cursor has passed a record that is no sample, or no longer one.
    Retry,
    /// Try again: the record was evicted before it was read, and the next may be too.
    Overrun,
    /// Try again after a pause: the cursor did not move.
    Contended,
    /// The ring is damaged. Reported once; the cursor has passed the damage, or waits for another
    /// record.
    Damaged(InvalidSample),
}

impl Cursor {
    /// Returns a cursor at the newest record, which is the first to be read.
    pub(crate) fn at_newest(ring: Ring<'_>) -> Self {
        let mut cursor = Self {
            position: 0,
            expected: None,
            overruns: 0,
            after_padding: false,
            has_read: false,
            damaged_at: None,
            previous_bytes: 0,
        };
        // Bounded: a subscriber that is overrun so often misses samples anyway.
        for _ in 0..64 {
            cursor.position = ring.last();
            if !is_position(cursor.position) {
                break;
            }
            let record = ring.header(cursor.position);
            if !ring.is_intact(cursor.position) {
                continue;
            }
            if let Ok(record) = record {
                cursor.expected = Some(record.sequence);
                // A new subscriber need not learn of an earlier clearing.
                if record.kind == Kind::Cleared {
                    cursor.advance(&record);
                    cursor.has_read = false;
                }
            }
            break;
        }
        cursor
    }

    /// Moves to the oldest record in the ring.
    pub(crate) fn rewind(&mut self, ring: Ring<'_>) {
        let newest = Self::at_newest(ring);
        let oldest = ring.oldest();
        *self = Self {
            // `last` is loaded after `oldest`, so it is not below it unless a peer lies, which
            // reading detects.
            position: oldest.min(ring.last()),
            expected: None,
            ..newest
        };
    }

    /// Moves to the record with this sequence. If it was evicted, moves to the oldest after it, and
    /// all that were evicted count as skipped.
    pub(crate) fn seek(&mut self, ring: Ring<'_>, sequence: u64) {
        self.rewind(ring);
        // A ring has no more records; only a malicious peer makes the loop longer.
        for _ in 0..ring.records() {
            if !is_position(self.position) || !self.has_unread(ring) {
                break;
            }
            let record = ring.header(self.position);
            if !ring.is_intact(self.position) {
                self.rewind(ring);
                continue;
            }
            match record {
                Ok(record) if record.kind == Kind::Padding || record.sequence < sequence => {
                    self.advance(&record);
                }
                Ok(_) => {
                    self.expected = Some(sequence);
                    break;
                }
                // Reading reports it.
                Err(_) => break,
            }
        }
    }

    /// Returns the sequence that comes next if no sample is missed; `None` after damage.
    pub(crate) fn next_sequence(&self) -> Option<u64> {
        self.expected
    }

    /// Moves past the newest record.
    pub(crate) fn skip_all(&mut self, ring: Ring<'_>) {
        *self = Self::at_newest(ring);
        let record = ring.header(self.position).ok();
        let record = record.filter(|_| ring.is_intact(self.position) && self.has_unread(ring));
        if let Some(record) = record {
            self.advance(&record);
        }
    }

    /// Returns `true` if there is a record that was not read, or damage that was not reported.
    #[inline]
    pub(crate) fn has_unread(&self, ring: Ring<'_>) -> bool {
        let last = ring.last();
        if self.damaged_at.is_some() {
            return self.damaged_at != Some(last);
        }
        last >= self.position || self.position - last > ring.bytes()
    }

    /// Returns the value of `last` while nothing is new, for a futex wait; `None` if something may
    /// be.
    ///
    /// If a record is published after this, the word differs from the value, and the wait ends at
    /// once.
    #[inline]
    pub(crate) fn seen(&self, ring: Ring<'_>) -> Option<u64> {
        let last = ring.last();
        let is_seen = self.damaged_at == Some(last) || last < self.position;
        is_seen.then_some(last)
    }

    /// Tries once to read a record. `pin` pins a region while it belongs to the record at a
    /// position.
    #[inline]
    pub(crate) fn try_read(
        &mut self,
        ring: Ring<'_>,
        mode: ReadMode,
        copied: &mut Copied,
        pin: impl FnOnce(u16, u64) -> io::Result<PinOutcome>,
    ) -> io::Result<ReadStep> {
        let last = ring.last();
        if let Some(damaged_at) = self.damaged_at {
            if damaged_at == last {
                return Ok(ReadStep::Empty);
            }
            self.damaged_at = None;
            self.position = last;
        }
        // Checks both at once; the cursor may have its position from `oldest`.
        if !is_position(last | self.position) {
            return Ok(self.damaged(ring, InvalidSample::Position));
        }
        if last < self.position {
            return Ok(self.at_end(ring, last));
        }
        if mode == ReadMode::Latest {
            self.position = last;
            self.after_padding = false;
        }
        let position = self.position;
        ring.prefetch_record(position, self.previous_bytes);
        let header = ring.header(position);
        if let Ok(record) = &header {
            copied.resize(record);
            if record.kind != Kind::Padding {
                ring.copy_out(position, record, &mut copied.metadata, &mut copied.payload);
            }
        }
        if !ring.is_intact(position) {
            return Ok(self.overrun(ring));
        }
        // A ring holds no more. If a peer claims that it does, reading would never end.
        if last - position > ring.bytes() {
            return Ok(self.damaged(ring, InvalidSample::Position));
        }
        // Errors count only now: a header that is being overwritten is not damaged.
        let record = match header.and_then(|record| self.check_order(record)) {
            Ok(record) => record,
            Err(error) => return Ok(self.damaged(ring, error)),
        };
        self.read(ring, record, copied, pin)
    }

    #[inline]
    fn read(
        &mut self,
        ring: Ring<'_>,
        record: Record,
        copied: &Copied,
        pin: impl FnOnce(u16, u64) -> io::Result<PinOutcome>,
    ) -> io::Result<ReadStep> {
        let mut region = None;
        match record.kind {
            Kind::Padding => {
                self.position += u64::from(record.total_bytes);
                self.after_padding = true;
                return Ok(ReadStep::Retry);
            }
            Kind::Cleared => {
                let has_read = self.has_read;
                let skipped = self.advance(&record);
                return Ok(if has_read || skipped > 0 {
                    ReadStep::Cleared { skipped }
                } else {
                    ReadStep::Retry
                });
            }
            Kind::Inline => {}
            Kind::Large => {
                let bytes = copied.payload.first_chunk::<8>();
                let word = bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
                let number = match record::region_number(word) {
                    Ok(number) => number,
                    Err(error) => return Ok(self.damaged(ring, error)),
                };
                match pin(number, self.position)? {
                    PinOutcome::Pinned => region = Some(number),
                    PinOutcome::Contended => return Ok(ReadStep::Contended),
                    PinOutcome::Reused => {
                        // The next record counts it as skipped, because its sequence stays
                        // expected.
                        self.expected = self.expected.or(Some(record.sequence));
                        self.position += u64::from(record.total_bytes);
                        self.after_padding = false;
                        return Ok(ReadStep::Retry);
                    }
                }
            }
        }
        let skipped = self.advance(&record);
        Ok(ReadStep::Sample(Found {
            record,
            region,
            skipped,
        }))
    }

    /// Moves past a record; returns how many samples were missed before it.
    #[inline]
    fn advance(&mut self, record: &Record) -> u64 {
        let skipped = self
            .expected
            .map_or(0, |expected| record.sequence.saturating_sub(expected));
        self.expected = Some(record.sequence + 1);
        self.position += u64::from(record.total_bytes);
        self.previous_bytes = record.total_bytes;
        self.overruns = 0;
        self.after_padding = false;
        self.has_read = true;
        skipped
    }

    fn at_end(&mut self, ring: Ring<'_>, last: u64) -> ReadStep {
        if self.position - last > ring.bytes() {
            // No well-behaved publisher goes back so far. Only here the cursor goes back, too.
            self.position = last;
            self.expected = None;
            self.after_padding = false;
            return ReadStep::Damaged(InvalidSample::Position);
        }
        self.overruns = 0;
        ReadStep::Empty
    }

    /// Moves to the oldest intact record, because the record was evicted; reads nothing yet.
    #[cold]
    fn overrun(&mut self, ring: Ring<'_>) -> ReadStep {
        let oldest = ring.oldest();
        // Loaded after `oldest`, so it is not below it.
        let last = ring.last();
        if !is_position(oldest) || !is_position(last) || oldest > last {
            return self.damaged(ring, InvalidSample::Position);
        }
        self.overruns += 1;
        // A subscriber that is overrun twice in a row is too slow for what is about to be evicted.
        self.position = if self.overruns >= 2 { last } else { oldest };
        self.after_padding = false;
        ReadStep::Overrun
    }

    /// Moves to the newest record; if the damage is there, waits for another.
    #[cold]
    fn damaged(&mut self, ring: Ring<'_>, error: InvalidSample) -> ReadStep {
        let last = ring.last();
        if !is_position(last) || last <= self.position {
            self.damaged_at = Some(last);
        } else {
            self.position = last;
        }
        self.expected = None;
        self.after_padding = false;
        ReadStep::Damaged(error)
    }

    #[inline]
    fn check_order(&self, record: Record) -> Result<Record, InvalidSample> {
        if record.kind == Kind::Padding {
            return if self.after_padding {
                Err(InvalidSample::Record)
            } else {
                Ok(record)
            };
        }
        match self.expected {
            Some(expected) if record.sequence < expected => Err(InvalidSample::Sequence {
                sequence: record.sequence,
            }),
            _ => Ok(record),
        }
    }
}

impl Copied {
    /// Resizes the buffers for a record. They mostly have that length already, which is checked
    /// without a call.
    #[inline]
    fn resize(&mut self, record: &Record) {
        let resize = |bytes: &mut Vec<u8>, length| {
            if bytes.len() != length {
                bytes.resize(length, 0);
            }
        };
        resize(&mut self.metadata, record.metadata_bytes.into());
        resize(&mut self.payload, record.stored_bytes());
    }
}
