//! Annotations of samples, and payloads as Rust values.

mod common;

use std::borrow::Cow;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use common::{TestDirectory, bytes_metadata, key, pattern};
use shm_core::{
    Annotations, ElementType, Metadata, MetadataError, MetadataField, Origin, PublishErrorKind,
    Publisher, ReadErrorKind, Sample, Subscriber, bytemuck, segment,
};

struct Pair {
    publisher: Publisher,
    subscriber: Subscriber,
    directory: TestDirectory,
}

#[allow(clippy::unwrap_used, reason = "a test's own helper")]
impl Pair {
    fn new() -> Self {
        let directory = TestDirectory::new();
        let publisher = Publisher::open(&key("k"), &directory.options()).unwrap();
        let subscriber = Subscriber::attach(&key("k"), &directory.options()).unwrap();
        Self {
            publisher,
            subscriber,
            directory,
        }
    }

    fn latest(&mut self) -> Sample {
        self.subscriber.latest().unwrap().unwrap()
    }

    fn file(&self) -> File {
        let mut options = File::options();
        let options = options.read(true).write(true);
        options.open(self.directory.file(&key("k"))).unwrap()
    }

    fn last(&self) -> u64 {
        let mut last = [0; 8];
        self.file().read_exact_at(&mut last, 0x100).unwrap();
        u64::from_le_bytes(last)
    }
}

fn annotations() -> Annotations {
    let mut origin = Origin::new("hostA", "camera", 41, SystemTime::UNIX_EPOCH);
    origin.last_heard = SystemTime::UNIX_EPOCH + Duration::from_nanos(12_345);
    origin.is_stale = true;
    Annotations::new()
        .with_user(b"frame 41")
        .with_origin(origin)
}

#[test]
fn annotations_are_returned_for_every_kind_and_path() {
    let mut pair = Pair::new();
    let annotated = annotations();
    for metadata in [Metadata::Text, bytes_metadata()] {
        for length in [0, 64, 100_000] {
            let text = "x".repeat(length);
            let publish = |payload| pair.publisher.publish_with(&metadata, &annotated, payload);
            publish(text.as_bytes()).unwrap();
            let sample = pair.latest();
            assert_eq!(sample.annotations(), &annotated);
            assert_eq!(sample.user(), b"frame 41");
            assert_eq!(sample.origin(), annotated.origin.as_deref());
            assert_eq!(sample.metadata(), &metadata);
            let mut loan = pair.publisher.loan(length).unwrap();
            loan.copy_from_slice(text.as_bytes());
            loan.publish_with(&metadata, &annotated).unwrap();
            assert_eq!(pair.latest().annotations(), &annotated);
        }
    }
    let info = segment::info(&key("k"), &pair.directory.options()).unwrap();
    let segment::Content::Samples { latest, .. } = info.content else {
        panic!("{info:?}");
    };
    assert_eq!(latest.unwrap().annotations, annotated);
    pair.publisher.publish_text("plain").unwrap();
    assert!(pair.latest().annotations().is_empty());
}

#[test]
fn each_sample_has_its_own_annotations() {
    let mut pair = Pair::new();
    for frame in 0..100_u64 {
        // Some consecutive ones are equal.
        let user = (frame / 3).to_le_bytes();
        let annotations = Annotations::new().with_user(&user);
        let publisher = &pair.publisher;
        publisher
            .publish_with(&bytes_metadata(), &annotations, &pattern(frame, 64))
            .unwrap();
        let sample = pair.latest();
        assert_eq!(sample.user(), user);
        assert_eq!(sample.payload(), pattern(frame, 64));
    }
}

#[test]
fn user_data_that_is_too_long_is_not_published() {
    let mut pair = Pair::new();
    pair.publisher.publish_text("before").unwrap();
    let annotations = Annotations::new().with_user(&[0; 256]);
    for payload in [&b"short"[..], &[0; 100_000]] {
        let refused = pair
            .publisher
            .publish_with(&Metadata::Text, &annotations, payload);
        let too_long = MetadataError::TooLong {
            field: MetadataField::UserData,
            bytes: 256,
        };
        let refused = refused.unwrap_err();
        assert_eq!(*refused.kind(), PublishErrorKind::Metadata(too_long));
    }
    assert_eq!(pair.latest().payload(), b"before");
}

#[test]
fn a_sample_of_64_bytes_takes_two_lines() {
    let pair = Pair::new();
    let vector = Annotations::new().with_user(&7_u64.to_le_bytes());
    for annotations in [Annotations::new(), vector] {
        let publish = || {
            let publisher = &pair.publisher;
            publisher
                .publish_with(&bytes_metadata(), &annotations, &[7; 64])
                .unwrap();
            pair.last()
        };
        let before = publish();
        assert_eq!(publish() - before, 128, "{annotations:?}");
    }
}

#[test]
fn a_value_is_read_from_ring_and_region() {
    let mut pair = Pair::new();
    pair.publisher.publish_value(&0x1234_5678_u32).unwrap();
    assert_eq!(pair.latest().read::<u32>().unwrap(), 0x1234_5678);
    let wrong = pair.latest_again().read::<u64>();
    assert!(matches!(
        &wrong,
        Err(error) if matches!(error.kind(), ReadErrorKind::Size { bytes: 4, wanted: 8, .. })
    ));
    let large = [3.5_f64; 5_000];
    pair.publisher.publish_value(&large).unwrap();
    assert_eq!(pair.latest().read::<[f64; 5_000]>().unwrap(), large);
}

#[test]
fn a_slice_is_an_array_of_its_elements() {
    let mut pair = Pair::new();
    for length in [0, 3, 5_000] {
        let numbers: Vec<f32> = (0..length).map(|number: u16| number.into()).collect();
        pair.publisher.publish_slice(&numbers).unwrap();
        let sample = pair.latest();
        let Metadata::Array(array) = sample.metadata() else {
            panic!("{:?}", sample.metadata());
        };
        assert_eq!(array.element(), ElementType::Float32);
        assert_eq!(array.shape(), [u64::from(length)]);
        assert_eq!(sample.as_slice::<f32>().as_deref(), Some(&numbers[..]));
    }
    let sample = pair.latest_again();
    assert!(
        matches!(sample.as_slice::<f32>(), Some(Cow::Borrowed(_))),
        "a region is aligned"
    );
    assert!(sample.as_slice::<[u8; 3]>().is_none(), "20,000 bytes");
    assert!(sample.as_slice::<()>().is_none());
    pair.publisher.publish_slice(&[true, false]).unwrap();
    assert_eq!(pair.latest().payload(), [1, 0]);
}

/// A payload at an odd address is copied, not refused.
#[test]
fn an_unaligned_slice_is_copied() {
    let mut pair = Pair::new();
    let values: Vec<[u8; 9]> = (0..9).map(|byte| [byte; 9]).collect();
    pair.publisher
        .publish(&bytes_metadata(), bytemuck::cast_slice(&values))
        .unwrap();
    let sample = pair.latest();
    assert_eq!(sample.as_slice::<[u8; 9]>().as_deref(), Some(&values[..]));
    // 81 bytes are no multiple of the element size.
    assert!(sample.as_slice::<u16>().is_none());
}

#[test]
fn unknown_metadata_is_read_as_bytes_with_annotations() {
    let mut pair = Pair::new();
    let annotated = annotations();
    pair.publisher
        .publish_with(&Metadata::Text, &annotated, b"from the future")
        .unwrap();
    let encoded = Metadata::Text.to_bytes(&annotated, 0).unwrap();
    let kind_at = 0x4000 + pair.last() + 48 + encoded.len() as u64 - 1;
    pair.file().write_all_at(&[77], kind_at).unwrap();
    let sample = pair.latest();
    assert_eq!(sample.metadata(), &Metadata::bytes(""));
    assert_eq!(sample.annotations(), &annotated);
    assert_eq!(sample.payload(), b"from the future");
}

#[test]
fn an_array_of_another_length_than_its_payload_is_refused() {
    let pair = Pair::new();
    let array = shm_core::ArrayMetadata::new(ElementType::Int16, [3]).unwrap();
    let error = MetadataError::ArrayLength {
        needed: 6,
        found: 5,
    };
    let refused = pair.publisher.publish(&array.into(), &[0; 5]);
    let refused = refused.unwrap_err();
    assert_eq!(*refused.kind(), PublishErrorKind::Metadata(error));
}

#[allow(clippy::unwrap_used, reason = "a test's own helper")]
impl Pair {
    /// Returns the newest sample, read by a new subscriber.
    fn latest_again(&self) -> Sample {
        let options = self.directory.options();
        let mut subscriber = Subscriber::attach(&key("k"), &options).unwrap();
        subscriber.latest().unwrap().unwrap()
    }
}
