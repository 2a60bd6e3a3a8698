//! A subscriber of a corrupted segment, compared with the reader model.

use std::{os::unix::fs::FileExt, time::Duration};

use rustix::fs::{SeekFrom, seek};
use shm_core::{
    AttachError, Metadata, Next, ReadError, ReadErrorKind, Sample, Subscriber, WaitResult,
};

use super::{
    metadata,
    operations::{assert_readable, assert_text},
    reader_model::{Found, ReaderModel},
    record::{LARGE, Record, Ring},
    sandbox::{Sandbox, memory_of},
};
use crate::layout;

/// A subscriber, and the model of what docs/LAYOUT.md lets it find.
#[derive(Debug)]
pub(super) struct Reader {
    subscriber: Subscriber,
    reading: ReaderModel,
}

impl Reader {
    pub(super) fn attach(sandbox: &Sandbox) -> Result<Reader, AttachError> {
        let subscriber = Subscriber::attach(sandbox.key(), sandbox.options())?;
        let file = sandbox.segment().expect("the segment has this name");
        Ok(Reader {
            subscriber,
            reading: ReaderModel::newest(Ring::of(&file)),
        })
    }

    pub(super) fn at_oldest(mut self) -> Reader {
        self.subscriber = self.subscriber.from_oldest();
        self.reading.rewind();
        self
    }

    pub(super) fn behind_newest(mut self) -> Reader {
        self.subscriber = self.subscriber.from_now();
        self.reading.pass_newest();
        self
    }

    /// Reads until nothing is left, then requests the newest sample.
    pub(super) fn read_all(&mut self) {
        assert_readable(&self.subscriber.peers());
        // Each of them is a record, or damage that is reported once.
        let most = 4 + self.reading.ring().bytes() / 64;
        let is_over = |next| {
            matches!(
                next,
                Ok(Next::Timeout | Next::PublisherGone | Next::Removed)
            )
        };
        assert!(
            (0..most).any(|_| is_over(self.next())),
            "reading does not end"
        );
        drop(self.latest());
    }

    /// Reads the next sample, without waiting.
    pub(super) fn next(&mut self) -> Result<Next, ReadError> {
        let found = self.reading.find(false);
        let next = self.subscriber.next(Duration::ZERO);
        match (&found, &next) {
            (Found::Cleared(expected), Ok(Next::Cleared { skipped })) => {
                assert_eq!(skipped, expected)
            }
            (Found::Nothing, Ok(Next::Timeout | Next::PublisherGone | Next::Removed)) => {}
            (Found::Sample(..), Ok(Next::Sample(sample))) => self.assert_found(&found, Ok(sample)),
            (Found::Sample(..) | Found::Damage, Err(error)) => {
                self.assert_found(&found, Err(error))
            }
            _ => panic!("{next:?} instead of {found:?}"),
        }
        next
    }

    /// Reads the newest sample.
    pub(super) fn latest(&mut self) -> Result<Option<Sample>, ReadError> {
        let has_unread = self.subscriber.has_unread();
        let found = self.reading.find(true);
        let sample = self.subscriber.latest();
        match (&found, &sample) {
            (Found::Cleared(_) | Found::Nothing, Ok(None)) => {}
            (Found::Sample(..), Ok(Some(sample))) => self.assert_found(&found, Ok(sample)),
            (Found::Sample(..) | Found::Damage, Err(error)) => {
                self.assert_found(&found, Err(error))
            }
            _ => panic!("{sample:?} instead of {found:?}"),
        }
        assert!(
            has_unread || matches!(found, Found::Nothing),
            "no report of {found:?}"
        );
        let waited = self
            .subscriber
            .wait(Duration::ZERO)
            .expect("the file is not truncated");
        assert_ne!(waited, WaitResult::New, "everything was read");
        sample
    }

    fn assert_found(&self, found: &Found, read: Result<&Sample, &ReadError>) {
        let ring = self.reading.ring();
        match (found, read) {
            (Found::Sample(record, skipped), Ok(sample)) => {
                assert_eq!(sample.skipped(), *skipped);
                assert_intact(sample, record, ring);
            }
            (Found::Sample(record, _), Err(error)) => {
                assert_text(error);
                assert!(!is_whole(record, ring), "{error:?} for {record:?}");
                let is_in_order = matches!(
                    error.kind(),
                    ReadErrorKind::Invalid(_) | ReadErrorKind::Truncated
                );
                assert!(is_in_order, "{error:?}");
            }
            (_, Err(error)) => {
                assert_text(error);
                assert!(
                    matches!(error.kind(), ReadErrorKind::Invalid(_)),
                    "{error:?}"
                );
            }
            (_, Ok(sample)) => panic!("{sample:?} instead of {found:?}"),
        }
    }
}

/// Returns `true` if a sample is valid: its metadata fits, and all of it has memory.
fn is_whole(record: &Record, ring: &Ring) -> bool {
    let is_there = record.flags != LARGE || {
        let start = record.region() * layout::REGION_STRIDE;
        // Beyond the end of the file there is not even a hole.
        let hole = seek(ring.file(), SeekFrom::Hole(start)).unwrap_or(0);
        hole >= start + record.payload_bytes && record.payload_bytes <= memory_of_regions(ring)
    };
    is_there && metadata::decode(&record.metadata, record.payload_bytes).is_some()
}

/// Asserts that a sample is a record of the file, intact.
fn assert_intact(sample: &Sample, record: &Record, ring: &Ring) {
    assert_eq!(sample.sequence(), record.sequence);
    assert_eq!(sample.writer().pid(), record.writer_pid);
    let payload_bytes = record.payload_bytes;
    let expected = metadata::decode(&record.metadata, payload_bytes);
    let found = (sample.metadata().clone(), sample.annotations().clone());
    assert_eq!(Some(found), expected);
    assert_eq!(sample.len() as u64, payload_bytes);
    let memory = memory_of_regions(ring);
    assert!(
        record.flags != LARGE || payload_bytes <= memory,
        "{payload_bytes} bytes of regions that have {memory}"
    );
    let payload = sample.payload();
    assert_eq!(payload.len(), sample.len());
    assert!(
        payload == stored_payload(record, ring),
        "the payload differs from the file"
    );
    let mut copy = vec![0; payload.len()];
    sample
        .copy_to(&mut copy)
        .expect("the payload is in the file");
    assert!(copy == payload, "the copy differs from the payload");
    match sample.to_message() {
        Ok(message) => {
            assert!(
                message.payload() == payload,
                "the message differs from the payload"
            );
            assert_eq!(&message.metadata(), sample.metadata());
        }
        Err(error) if matches!(error.kind(), ReadErrorKind::Invalid(_)) => {
            assert_eq!(sample.metadata(), &Metadata::Text);
            assert!(
                std::str::from_utf8(payload).is_err(),
                "valid UTF-8 was refused"
            );
        }
        Err(error) => panic!("{error:?}"),
    }
}

/// Returns the memory of the file beyond what every segment has.
fn memory_of_regions(ring: &Ring) -> u64 {
    memory_of(ring.file()).saturating_sub(layout::RING as u64 + ring.bytes())
}

fn stored_payload(record: &Record, ring: &Ring) -> Vec<u8> {
    if record.flags != LARGE {
        return record.stored.clone();
    }
    let mut payload = vec![0; usize::try_from(record.payload_bytes).expect("64 bits")];
    let start = record.region() * layout::REGION_STRIDE;
    let read = ring.file().read_exact_at(&mut payload, start);
    read.expect("the payload is in the file");
    payload
}
