//! A subscriber's place in the ring: record after record, and what becomes of it where it is overtaken.

use crate::error::InvalidSample;
use crate::sample::record::{self, Kind, Record};
use crate::sample::regions::Pinned;
use crate::sample::ring::{Ring, is_position};

/// Where a subscriber reads next, and what it expects there.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    position: u64,
    /// The sequence that comes next if none is missed; not known after damage.
    expected: Option<u64>,
    /// How often in a row the record was evicted before it was read.
    overruns: u32,
    /// The record before was padding.
    after_padding: bool,
    /// Something was read already, so that a clearing is news.
    has_read: bool,
    /// Nothing there makes sense: wait for another `last`.
    damaged_at: Option<u64>,
    /// How long the record before was: so long is the next, mostly.
    usual_bytes: u32,
}

/// Which record to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The next in order.
    Next,
    /// The newest; those before it are passed.
    Latest,
}

/// What was copied out of a record, before it was known to be intact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copied {
    pub(crate) metadata: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// What a large payload needs: its region, pinned.
pub(crate) trait PinRegion {
    /// Why it could not even be tried.
    type Error;
    /// Pins a region while it belongs to the record at `position`.
    fn pin(&self, region: u16, position: u64) -> Result<Pinned, Self::Error>;
}

/// A sample, found whole. Metadata and an inline payload were copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) record: Record,
    /// The region that was pinned; none for an inline payload.
    pub(crate) region: Option<u16>,
    pub(crate) skipped: u64,
}

/// What one attempt to read led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A sample.
    Sample(Found),
    /// All before was erased; how many samples were missed.
    Cleared { skipped: u64 },
    /// There is nothing new.
    Nothing,
    /// Try again: the cursor went behind a record that is no sample any more, or never was.
    Again,
    /// Try again: the record was evicted before it was read, and so may the next be.
    Overrun,
    /// Try again, after a while: the cursor did not move.
    Refused,
    /// What stands there makes no sense. Told once; the cursor is behind it, or waits for better.
    Damaged(InvalidSample),
}

impl Cursor {
    /// At the newest record: it is the first to be read.
    pub(crate) fn at_newest(ring: Ring<'_>) -> Self {
        let mut cursor = Self {
            position: 0,
            expected: None,
            overruns: 0,
            after_padding: false,
            has_read: false,
            damaged_at: None,
            usual_bytes: 0,
        };
        // Bounded: who is overtaken so often misses some anyway.
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
                // That all before was erased is no news for who comes now.
                if record.kind == Kind::Cleared {
                    cursor.passed(&record);
                    cursor.has_read = false;
                }
            }
            break;
        }
        cursor
    }

    /// Goes back to the oldest record there is.
    pub(crate) fn rewind(&mut self, ring: Ring<'_>) {
        let newest = Self::at_newest(ring);
        let oldest = ring.oldest_acquire();
        *self = Self {
            // Loaded after `oldest`, so that it is not below it unless a peer lies: then reading tells.
            position: oldest.min(ring.last()),
            expected: None,
            ..newest
        };
    }

    /// Goes to the record with this sequence; to the oldest after it where it is gone, which then
    /// counts as skipped with all that are.
    pub(crate) fn seek(&mut self, ring: Ring<'_>, sequence: u64) {
        self.rewind(ring);
        // So many records a ring has; only a peer that lies meanwhile leads on.
        for _ in 0..ring.records() {
            if !is_position(self.position) || !self.has_news(ring) {
                break;
            }
            let record = ring.header(self.position);
            if !ring.is_intact(self.position) {
                self.rewind(ring);
                continue;
            }
            match record {
                Ok(record) if record.kind == Kind::Padding || record.sequence < sequence => {
                    self.passed(&record);
                }
                Ok(_) => {
                    self.expected = Some(sequence);
                    break;
                }
                // Reading tells of it.
                Err(_) => break,
            }
        }
    }

    /// Returns the sequence that comes next if none is missed; not known after damage.
    pub(crate) fn next_sequence(&self) -> Option<u64> {
        self.expected
    }

    /// Goes behind the newest record.
    pub(crate) fn skip_all(&mut self, ring: Ring<'_>) {
        *self = Self::at_newest(ring);
        if let Ok(record) = ring.header(self.position)
            && ring.is_intact(self.position)
            && self.has_news(ring)
        {
            self.passed(&record);
        }
    }

    /// Returns `true` if there is a record that was not read, or something that makes no sense.
    #[inline]
    pub(crate) fn has_news(&self, ring: Ring<'_>) -> bool {
        let last = ring.last();
        if self.damaged_at.is_some() {
            return self.damaged_at != Some(last);
        }
        last >= self.position || self.position - last > ring.bytes()
    }

    /// What a sleeper compares the ring's word with.
    ///
    /// Any value at which there is nothing new; where there is something, sleeping ends at once.
    #[inline]
    pub(crate) fn seen(&self, ring: Ring<'_>) -> Option<u64> {
        let last = ring.last();
        let is_seen = self.damaged_at == Some(last) || last < self.position;
        is_seen.then_some(last)
    }

    /// Tries once to read a record.
    #[inline]
    pub(crate) fn turn<P: PinRegion>(
        &mut self,
        ring: Ring<'_>,
        which: Which,
        copied: &mut Copied,
        pins: &P,
    ) -> Result<Turn, P::Error> {
        let last = ring.last();
        if let Some(damaged_at) = self.damaged_at {
            if damaged_at == last {
                return Ok(Turn::Nothing);
            }
            self.damaged_at = None;
            self.position = last;
        }
        // Both at once; the cursor may come from `oldest`.
        if !is_position(last | self.position) {
            return Ok(self.damaged(ring, InvalidSample::Position));
        }
        if last < self.position {
            return Ok(self.nothing_new(ring, last));
        }
        if which == Which::Latest {
            self.position = last;
            self.after_padding = false;
        }
        let position = self.position;
        ring.expect(position, self.usual_bytes);
        let header = ring.header(position);
        if let Ok(record) = &header {
            copy(ring, position, record, copied);
        }
        if !ring.is_intact(position) {
            return Ok(self.overrun(ring));
        }
        // No more than the ring holds is intact: what a peer says of it would be read for ever.
        if last - position > ring.bytes() {
            return Ok(self.damaged(ring, InvalidSample::Position));
        }
        // Only now an error is one: a header that is being written over is none.
        let record = match header.and_then(|record| self.check_order(record)) {
            Ok(record) => record,
            Err(error) => return Ok(self.damaged(ring, error)),
        };
        self.read(ring, record, copied, pins)
    }

    #[inline]
    fn read<P: PinRegion>(
        &mut self,
        ring: Ring<'_>,
        record: Record,
        copied: &Copied,
        pins: &P,
    ) -> Result<Turn, P::Error> {
        let mut region = None;
        match record.kind {
            Kind::Padding => {
                self.position += u64::from(record.total_bytes);
                self.after_padding = true;
                return Ok(Turn::Again);
            }
            Kind::Cleared => {
                let has_read = self.has_read;
                let skipped = self.passed(&record);
                return Ok(if has_read || skipped > 0 {
                    Turn::Cleared { skipped }
                } else {
                    Turn::Again
                });
            }
            Kind::Inline => {}
            Kind::Large => {
                let number = match named_region(copied) {
                    Ok(number) => number,
                    Err(error) => return Ok(self.damaged(ring, error)),
                };
                match pins.pin(number, self.position)? {
                    Pinned::Yes => region = Some(number),
                    Pinned::Refused => return Ok(Turn::Refused),
                    Pinned::MovedOn => {
                        // It counts as skipped at the next record, whose sequence is expected no more.
                        self.expected = self.expected.or(Some(record.sequence));
                        self.position += u64::from(record.total_bytes);
                        self.after_padding = false;
                        return Ok(Turn::Again);
                    }
                }
            }
        }
        let skipped = self.passed(&record);
        Ok(Turn::Sample(Found {
            record,
            region,
            skipped,
        }))
    }

    /// Goes behind a record; how many were missed before it.
    #[inline]
    fn passed(&mut self, record: &Record) -> u64 {
        let skipped = self
            .expected
            .map_or(0, |expected| record.sequence.saturating_sub(expected));
        self.expected = Some(record.sequence + 1);
        self.position += u64::from(record.total_bytes);
        self.usual_bytes = record.total_bytes;
        self.overruns = 0;
        self.after_padding = false;
        self.has_read = true;
        skipped
    }

    fn nothing_new(&mut self, ring: Ring<'_>, last: u64) -> Turn {
        if self.position - last > ring.bytes() {
            // No publisher goes back so far. The one case in which the cursor does.
            self.position = last;
            self.expected = None;
            self.after_padding = false;
            return Turn::Damaged(InvalidSample::Position);
        }
        self.overruns = 0;
        Turn::Nothing
    }

    /// The record was evicted: goes to the oldest that is intact; nothing is read there now.
    #[cold]
    fn overrun(&mut self, ring: Ring<'_>) -> Turn {
        let oldest = ring.oldest_acquire();
        // Loaded after `oldest`, so that it is not below it.
        let last = ring.last();
        if !is_position(oldest) || !is_position(last) || oldest > last {
            return self.damaged(ring, InvalidSample::Position);
        }
        self.overruns += 1;
        // Who is overrun twice in a row is too slow for what is about to be evicted.
        self.position = if self.overruns >= 2 { last } else { oldest };
        self.after_padding = false;
        Turn::Overrun
    }

    /// Goes to the newest record; where the damage is there, waits for another.
    #[cold]
    fn damaged(&mut self, ring: Ring<'_>, error: InvalidSample) -> Turn {
        let last = ring.last();
        if !is_position(last) || last <= self.position {
            self.damaged_at = Some(last);
        } else {
            self.position = last;
        }
        self.expected = None;
        self.after_padding = false;
        Turn::Damaged(error)
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

/// Copies metadata and payload out of a record whose header makes sense.
#[inline]
fn copy(ring: Ring<'_>, position: u64, record: &Record, copied: &mut Copied) {
    resize(&mut copied.metadata, record.metadata_bytes.into());
    resize(&mut copied.payload, record.stored_bytes());
    if record.kind != Kind::Padding {
        ring.copy_metadata(position, record, &mut copied.metadata);
        ring.copy_payload(position, record, &mut copied.payload);
    }
}

/// Mostly it is as long already, which is known without a call.
#[inline]
fn resize(bytes: &mut Vec<u8>, length: usize) {
    if bytes.len() != length {
        bytes.resize(length, 0);
    }
}

fn named_region(copied: &Copied) -> Result<u16, InvalidSample> {
    let bytes = copied.payload.first_chunk::<8>();
    record::region_number(bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes)))
}
