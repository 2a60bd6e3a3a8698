//! A publisher on a corrupted segment, and the state that it must leave.

use std::{fs::File, time::Duration};

use shm_core::{Next, PublishError, PublishErrorKind, Publisher};

use super::{
    mutation::number_at,
    operations::{assert_readable, assert_text},
    reader::Reader,
    record::{CLEARED, INLINE, LARGE, Ring, is_position},
    sandbox::Sandbox,
    segment_header::SAMPLES,
};
use crate::layout;

const SHORT: &str = "short";
/// Too long for the ring.
const LONG: usize = layout::INLINE + 1000;

/// A publisher, and the ring as it was when it attached.
#[derive(Debug)]
pub(super) struct Writer {
    publisher: Publisher,
    ring: Ring,
}

impl Writer {
    pub(super) fn new(publisher: Publisher, segment: &File) -> Writer {
        Writer {
            publisher,
            ring: Ring::of(segment),
        }
    }

    /// Publishes a short text and a long one.
    pub(super) fn publish(&self) -> Result<(), PublishError> {
        for text in [SHORT.to_owned(), "l".repeat(LONG)] {
            let published = self.publisher.publish_text(&text);
            let sequence = published.inspect_err(assert_publish_error)?;
            self.assert_published(&text, sequence.get());
        }
        Ok(())
    }

    /// Clears the content, and asserts that no content and no corruption of the ring is left.
    pub(super) fn clear(&self) -> Result<(), PublishError> {
        let _pinned = self.publisher.clear().inspect_err(assert_publish_error)?;
        let last = self.ring.last();
        assert_eq!(self.ring.oldest(), last);
        let record = self.ring.record_at(last).expect("a valid record");
        assert_eq!(record.flags, CLEARED);
        let kept = self.ring.file_offset(last) - layout::RING;
        let mut bytes = self.ring.content();
        bytes[kept..kept + 64].fill(0);
        assert!(bytes.iter().all(|&byte| byte == 0), "content is left");
        Ok(())
    }

    /// Does the same, and asserts that every later publication is read.
    pub(super) fn clear_and_publish(&self, sandbox: &Sandbox) -> Result<(), PublishError> {
        self.clear()?;
        self.publish().expect("the ring is valid again");
        let is_there = sandbox
            .header()
            .is_some_and(|header| header.admits(SAMPLES));
        if !is_there || number_at(self.ring.file(), 0x38, 8) != self.ring.bytes() {
            return Ok(());
        }
        let reader = Reader::attach(sandbox).expect("the segment is valid");
        let mut reader = reader.at_oldest();
        for length in [SHORT.len(), LONG] {
            let next = reader.next().expect("a sample was just published");
            let Next::Sample(sample) = next else {
                panic!("{next:?}");
            };
            assert_eq!((sample.len(), sample.skipped()), (length, 0));
            assert!(sample.age() < Duration::from_secs(60));
        }
        assert!(matches!(reader.next(), Ok(Next::Timeout)));
        Ok(())
    }

    pub(super) fn detach(self) {
        assert_readable(&self.publisher.peers());
        let _last = self.publisher.detach();
    }

    /// Asserts that the newest record is this text, and can be read.
    fn assert_published(&self, text: &str, sequence: u64) {
        let ring = &self.ring;
        let (oldest, last) = (ring.oldest(), ring.last());
        let is_sound = is_position(oldest) && oldest <= last && last - oldest <= ring.bytes();
        assert!(is_sound, "{oldest} to {last}");
        let record = ring.record_at(last).expect("a valid record");
        assert_eq!(record.sequence, sequence);
        assert_eq!(record.payload_bytes, text.len() as u64);
        if record.flags == INLINE {
            assert_eq!(record.stored, text.as_bytes());
        } else {
            assert_eq!(record.flags, LARGE);
            assert_eq!(ring.position_of_region(record.region()), last);
        }
    }
}

fn assert_publish_error(error: &PublishError) {
    assert_text(error);
    let is_in_order = matches!(
        error.kind(),
        PublishErrorKind::Removed
            | PublishErrorKind::Busy
            | PublishErrorKind::Damaged(_)
            | PublishErrorKind::RegionsFull { .. }
    );
    assert!(is_in_order, "{error:?}");
}
