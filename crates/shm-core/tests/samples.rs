//! Publishing and reading samples.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{TestDirectory, bytes_metadata, key, pattern};
use shm_core::{
    Access, ArrayMetadata, AttachErrorKind, BytesMetadata, ElementType, ImageMetadata, Message,
    Metadata, Next, PixelFormat, PublishErrorKind, Publisher, ReadErrorKind, Sample, Subscriber,
    WaitResult, segment,
};

const SOON: Option<Duration> = Some(Duration::from_secs(10));

#[test]
fn payloads_of_every_size_are_read_unchanged() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("sizes"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("sizes"), &directory.options()).unwrap();
    let sizes = [
        0,
        1,
        7,
        8,
        63,
        4095,
        4096,
        4097,
        8192,
        16_383,
        16_384,
        16_385,
        65_536,
        1 << 20,
        (32 << 20) + 3,
        5,
        4097,
        0,
    ];
    for (index, &size) in sizes.iter().enumerate() {
        let payload = pattern(index as u64, size);
        let sequence = publisher.publish(&bytes_metadata(), &payload).unwrap();
        assert_eq!(sequence, index as u64 + 1);
        assert_eq!(subscriber.wait(SOON).unwrap(), WaitResult::New);
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.sequence(), sequence);
        assert!(sample.writer().is_current());
        assert!(
            sample.payload() == payload,
            "size {size} differs in directory"
        );
        let mut copy = vec![0; size];
        sample.copy_to(&mut copy).unwrap();
        assert!(copy == payload, "size {size} differs after copying");
        sample.verify().unwrap();
    }
}

#[test]
fn messages_of_each_kind_are_read_unchanged() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("kinds"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("kinds"), &directory.options()).unwrap();
    let shape = ImageMetadata::packed(PixelFormat::Bgra8, 50, 30)
        .unwrap()
        .with_file_name("a.png");
    let messages = [
        Message::Text(String::new()),
        Message::Text("héllo 世界 🦀\n".repeat(3000)),
        Message::Image {
            pixels: pattern(1, shape.payload_bytes()),
            metadata: shape,
        },
        Message::Array {
            metadata: ArrayMetadata::new(ElementType::Float64, [5, 0]).unwrap(),
            data: Vec::new(),
        },
        Message::Array {
            metadata: ArrayMetadata::new(ElementType::Uint16, [2, 3, 4_000]).unwrap(),
            data: pattern(3, 48_000),
        },
        Message::bytes("application/pdf", Some("b.pdf"), pattern(2, 100)),
    ];
    for message in messages {
        publisher.publish_message(&message).unwrap();
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.metadata(), &message.metadata());
        assert_eq!(sample.to_message().unwrap(), message);
    }
}

#[test]
fn metadata_that_does_not_fit_is_refused_and_the_last_sample_stays() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("misfit"), &directory.options()).unwrap();
    publisher.publish_text("before").unwrap();
    let image = Metadata::Image(ImageMetadata::packed(PixelFormat::Rgb8, 10, 10).unwrap());
    assert!(matches!(
        publisher.publish(&image, &[0; 299]),
        Err(error) if matches!(error.kind(), PublishErrorKind::Metadata(_))
    ));
    let mut subscriber = Subscriber::attach(&key("misfit"), &directory.options()).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(sample.to_message().unwrap(), Message::Text("before".into()));
}

#[test]
fn invalid_utf8_is_a_read_error() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("latin1"), &directory.options()).unwrap();
    publisher.publish(&Metadata::Text, b"caf\xe9").unwrap();
    let mut subscriber = Subscriber::attach(&key("latin1"), &directory.options()).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    let error = sample.to_message().unwrap_err();
    assert!(matches!(error.kind(), ReadErrorKind::Invalid(_)));
    assert!(error.to_string().contains("byte 3"), "{error}");
}

#[test]
fn a_pinned_sample_does_not_change_while_others_are_published() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("pins"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("pins"), &directory.options()).unwrap();
    let mut pinned = Vec::new();
    for seed in 0..20 {
        let payload = pattern(seed, 100_000);
        publisher.publish(&bytes_metadata(), &payload).unwrap();
        pinned.push((subscriber.latest().unwrap().unwrap(), payload));
    }
    assert!(subscriber.latest().unwrap().is_none(), "no newer sample");
    // The same region, pinned twice by one subscriber and released once.
    subscriber = subscriber.from_oldest();
    drop(subscriber.latest().unwrap().unwrap());
    for seed in 100..200 {
        publisher
            .publish(&bytes_metadata(), &pattern(seed, 100_000))
            .unwrap();
    }
    for (sample, payload) in &pinned {
        assert!(
            sample.payload() == payload,
            "sample {} changed under its pin",
            sample.sequence()
        );
    }
    assert_eq!(subscriber.latest().unwrap().unwrap().skipped(), 99);
    // A sample outlives its subscriber, and its publisher.
    drop((subscriber, publisher));
    assert!(
        pinned
            .iter()
            .all(|(sample, payload)| sample.payload() == payload)
    );
}

#[test]
fn a_kept_small_sample_and_its_clone_do_not_change() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("kept"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("kept"), &directory.options()).unwrap();
    for bytes in [5_usize, 5, 9_000, 20_000] {
        let mut kept = Vec::new();
        for number in 0..4 {
            let payload = pattern(number, bytes);
            publisher.publish(&bytes_metadata(), &payload).unwrap();
            let sample = subscriber.latest().unwrap().unwrap();
            if number % 2 == 0 {
                kept.push((sample.clone(), payload));
            }
            drop(sample);
        }
        for (sample, payload) in kept {
            assert!(sample.payload() == payload, "{sample:?} has changed");
        }
    }
    publisher.publish_text("the kind changes").unwrap();
    let text = subscriber.latest().unwrap().unwrap();
    publisher.publish(&bytes_metadata(), &[7; 16]).unwrap();
    let bytes = subscriber.latest().unwrap().unwrap();
    assert_eq!(
        (text.metadata(), bytes.metadata()),
        (&Metadata::Text, &bytes_metadata())
    );
}

#[test]
fn memory_stays_within_pins_loans_and_three_samples() {
    const SIZE: usize = 4 << 20;
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("bound"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("bound"), &directory.options()).unwrap();
    let reserved = || {
        segment::info(&key("bound"), &directory.options())
            .unwrap()
            .reserved_bytes
    };
    let mut pinned = Vec::new();
    for _ in 0..10 {
        publisher
            .publish(&bytes_metadata(), &vec![1; SIZE])
            .unwrap();
        pinned.push(subscriber.latest().unwrap().unwrap());
    }
    assert!(
        reserved() <= (10 + 3) * (SIZE as u64 + 8192) + (1 << 16),
        "{} while pinned",
        reserved()
    );
    drop(pinned);
    for _ in 0..40 {
        publisher
            .publish(&bytes_metadata(), &vec![2; SIZE])
            .unwrap();
    }
    assert!(
        reserved() <= 3 * (SIZE as u64 + 8192) + (1 << 19),
        "{} after unpinning",
        reserved()
    );
    for _ in 0..40 {
        publisher.publish(&bytes_metadata(), &[3; 100]).unwrap();
    }
    assert!(reserved() <= 2 << 20, "{} after small samples", reserved());
}

#[test]
fn a_loan_is_invisible_until_published_and_grows_in_place() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("loan"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("loan"), &directory.options()).unwrap();
    let mut loan = publisher.loan(10).unwrap();
    loan.copy_from_slice(b"0123456789");
    assert!(subscriber.latest().unwrap().is_none());
    loan.resize(1 << 20).unwrap();
    loan[10..].fill(b'x');
    assert_eq!(&loan[..10], b"0123456789");
    loan.resize(20).unwrap();
    drop(publisher.loan(5).unwrap());
    loan.publish(&bytes_metadata()).unwrap();
    assert_eq!(
        subscriber.latest().unwrap().unwrap().payload(),
        b"0123456789xxxxxxxxxx"
    );
}

#[test]
fn clearing_erases_the_memory_and_wakes() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("secret"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("secret"), &directory.options()).unwrap();
    let secret = "correct horse battery staple ".repeat(1000);
    publisher.publish_text(&secret).unwrap();
    publisher.publish_text(&secret[..200]).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    assert_eq!(publisher.clear().unwrap(), 0);
    assert_eq!(subscriber.wait(SOON).unwrap(), WaitResult::New);
    assert!(subscriber.latest().unwrap().is_none());
    // The memory of the file has no trace of it.
    let file = std::fs::File::open(directory.file(&key("secret"))).unwrap();
    for region in 0..8u64 {
        let mut bytes = vec![0; 1 << 19];
        let read = std::os::unix::fs::FileExt::read_at(&file, &mut bytes, region << 36).unwrap();
        let found = bytes[..read]
            .windows(12)
            .any(|window| window == b"battery stap");
        assert!(!found, "region {region} still has the secret");
    }
    publisher.publish_text("new").unwrap();
    assert_eq!(
        subscriber.latest().unwrap().unwrap().to_message().unwrap(),
        Message::Text("new".into())
    );
}

#[test]
fn clearing_returns_how_many_regions_are_pinned() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("held"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("held"), &directory.options()).unwrap();
    publisher.publish(&bytes_metadata(), &[1; 20_000]).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(publisher.clear().unwrap(), 1);
    assert_eq!(sample.payload(), [1; 20_000]);
    drop(sample);
    assert_eq!(publisher.clear().unwrap(), 0);
}

#[test]
fn a_wait_times_out_and_reports_the_end_once() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    let publisher = Publisher::open(&key("ends"), &options).unwrap();
    let mut subscriber = Subscriber::attach(&key("ends"), &options).unwrap();
    assert_eq!(
        subscriber.wait(Duration::ZERO).unwrap(),
        WaitResult::Timeout
    );
    publisher.publish_text("last words").unwrap();
    drop(publisher);
    assert_eq!(
        subscriber.wait(SOON).unwrap(),
        WaitResult::New,
        "the sample comes before the end"
    );
    assert!(subscriber.latest().unwrap().is_some());
    assert_eq!(subscriber.wait(SOON).unwrap(), WaitResult::PublisherGone);
    assert_eq!(
        subscriber.wait(Duration::from_millis(20)).unwrap(),
        WaitResult::Timeout
    );
    let publisher = Publisher::open(&key("ends"), &options).unwrap();
    assert!(!publisher.created());
    publisher.publish_text("back again").unwrap();
    assert_eq!(subscriber.wait(SOON).unwrap(), WaitResult::New);
    subscriber.latest().unwrap();
    segment::remove(&key("ends"), &options, segment::Removal::Forced).unwrap();
    assert_eq!(subscriber.wait(SOON).unwrap(), WaitResult::Removed);
    assert!(matches!(
        publisher.publish_text("removed"),
        Err(error) if *error.kind() == PublishErrorKind::Removed
    ));
}

#[test]
fn a_removed_name_is_noticed_within_a_second() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("rm"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("rm"), &directory.options()).unwrap();
    std::fs::remove_file(directory.file(&key("rm"))).unwrap();
    assert_eq!(subscriber.wait(SOON).unwrap(), WaitResult::Removed);
    assert!(matches!(
        publisher.publish_text("x"),
        Err(error) if *error.kind() == PublishErrorKind::Removed
    ));
    // The name is free: a new segment is independent of the old one.
    let other = Publisher::open(&key("rm"), &directory.options()).unwrap();
    assert!(other.created());
    drop(publisher);
    other.publish_text("still here").unwrap();
    assert!(
        Subscriber::attach(&key("rm"), &directory.options())
            .unwrap()
            .latest()
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_waiting_subscriber_is_woken_by_a_publication() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("wake"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("wake"), &directory.options()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let ended = subscriber.wait(SOON).unwrap();
            (
                ended,
                subscriber.latest().unwrap().unwrap().sequence().get(),
            )
        });
        publisher.publish_text("good morning").unwrap();
        assert_eq!(waiting.join().unwrap(), (WaitResult::New, 1));
    });
}

#[test]
fn attaching_waits_for_the_key_to_appear() {
    let directory = TestDirectory::new();
    let (options, later) = (directory.options(), key("later"));
    assert!(matches!(
        Subscriber::attach_within(&later, &options, Some(Duration::from_millis(10))),
        Err(error) if *error.kind() == AttachErrorKind::Timeout
    ));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Subscriber::attach_within(&later, &options, SOON).unwrap());
        let publisher = Publisher::open(&later, &options).unwrap();
        publisher.publish_text("here I am").unwrap();
        let mut subscriber = waiting.join().unwrap();
        assert!(subscriber.latest().unwrap().is_some());
    });
}

#[test]
fn concurrent_publishers_and_subscribers_never_tear_a_sample() {
    const ROUNDS: u64 = 3000;
    let directory = TestDirectory::new();
    let options = directory.options();
    let race = key("race");
    let first = Publisher::open(&race, &options).unwrap();
    let done = AtomicBool::new(false);
    let write = |publisher: &Publisher, sizes: [usize; 4]| {
        for round in 0..ROUNDS {
            let size = sizes[usize::try_from(round % 4).unwrap()];
            let mut loan = publisher.loan(size).unwrap();
            loan.copy_from_slice(&pattern(round, size));
            loan[..8].copy_from_slice(&round.to_le_bytes());
            loan.publish(&bytes_metadata()).unwrap();
        }
    };
    let read = || {
        let mut subscriber = Subscriber::attach(&race, &options).unwrap();
        let mut seen = 0;
        let mut last = 0;
        while !done.load(Ordering::Relaxed) {
            let Some(sample) = subscriber.latest().unwrap() else {
                continue;
            };
            assert!(sample.sequence() > last, "sequences decreased");
            last = sample.sequence().get();
            let payload = sample.payload();
            let round = u64::from_le_bytes(payload[..8].try_into().unwrap());
            assert!(
                payload[8..] == pattern(round, payload.len())[8..],
                "sample {last} is torn"
            );
            seen += 1;
        }
        seen
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        let second = Publisher::open(&race, &options).unwrap();
        let writers = [
            scope.spawn(|| write(&first, [64, 4096, 5000, 70_000])),
            scope.spawn(move || write(&second, [8, 4097, 100, 20_000])),
        ];
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    let mut subscriber = Subscriber::attach(&race, &options).unwrap();
    assert_eq!(subscriber.latest().unwrap().unwrap().sequence(), 2 * ROUNDS);
}

#[test]
fn participants_are_listed() {
    let directory = TestDirectory::new();
    let options = directory.options().persistent(true);
    let publisher = Publisher::open(&key("roster"), &options).unwrap();
    let subscriber = Subscriber::attach(&key("roster"), &options).unwrap();
    assert!(publisher.peers().is_empty(), "peers are other processes");
    let attached = || segment::info(&key("roster"), &options).unwrap().attached;
    let accesses = || {
        attached()
            .iter()
            .map(|one| (one.process.pid(), one.access))
            .collect::<Vec<_>>()
    };
    let me = std::process::id();
    assert_eq!(
        accesses(),
        [(me, Access::ReadWrite)],
        "one process, listed once"
    );
    assert!(
        attached()[0].program.starts_with("samples-"),
        "{:?}",
        attached()
    );
    drop(publisher);
    assert_eq!(accesses(), [(me, Access::ReadOnly)]);
    assert!(
        attached()[0].program.starts_with("samples-"),
        "{:?}",
        attached()
    );
    drop(subscriber);
    assert!(attached().is_empty());
}

#[test]
fn reserving_warms_three_regions() {
    let directory = TestDirectory::new();
    let options = directory.options().reserve(1 << 20);
    let _publisher = Publisher::open(&key("warm"), &options).unwrap();
    let reserved = segment::info(&key("warm"), &options)
        .unwrap()
        .reserved_bytes;
    assert!((3 << 20..4 << 20).contains(&reserved), "{reserved}");
}

#[test]
fn publishers_share_the_regions() {
    let directory = TestDirectory::new();
    let publishers: Vec<_> = (0..128)
        .map(|_| Publisher::open(&key("crowd"), &directory.options()).unwrap())
        .collect();
    let mut subscriber = Subscriber::attach(&key("crowd"), &directory.options()).unwrap();
    for round in 0..6u64 {
        for publisher in &publishers {
            // Several in a row, so that a publisher could keep its regions.
            for number in 0..4 {
                let payload = pattern(round + number, 100);
                publisher.publish(&bytes_metadata(), &payload).unwrap();
                assert!(subscriber.latest().unwrap().unwrap().payload() == payload);
            }
        }
    }
    drop(publishers);
}

#[test]
fn many_small_samples_in_a_row_are_read_unchanged() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("row"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("row"), &directory.options()).unwrap();
    let kinds = ["a/x", "a/y", "application/octet-stream"];
    for number in 0..200usize {
        let mut metadata = BytesMetadata::new(kinds[number / 3 % 3]);
        metadata.file_name = (number % 7 == 0).then(|| number.to_string());
        let metadata = Metadata::Bytes(metadata);
        let payload = pattern(number as u64, number * 13 % 4097);
        publisher.publish(&metadata, &payload).unwrap();
        if number % 50 == 49 {
            publisher.clear().unwrap();
            assert!(subscriber.latest().unwrap().is_none());
            continue;
        }
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.metadata(), &metadata);
        assert!(sample.payload() == payload);
    }
}

/// Reads all samples in order.
#[allow(clippy::unwrap_used, reason = "a test's own helper")]
fn numbers(subscriber: &mut Subscriber) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Next::Sample(sample) = subscriber.next(Duration::ZERO).unwrap() {
        numbers.push(u64::from_le_bytes(
            sample.payload()[..8].try_into().unwrap(),
        ));
    }
    numbers
}

#[allow(clippy::unwrap_used, reason = "a test's own helper")]
fn publish_numbers(publisher: &Publisher, numbers: std::ops::Range<u64>, size: usize) {
    for number in numbers {
        let mut payload = vec![0; size];
        payload[..8].copy_from_slice(&number.to_le_bytes());
        publisher.publish(&bytes_metadata(), &payload).unwrap();
    }
}

#[test]
fn every_sample_of_a_burst_is_read_in_order() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("burst"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("burst"), &directory.options()).unwrap();
    publish_numbers(&publisher, 0..1000, 128);
    assert_eq!(numbers(&mut subscriber), (0..1000).collect::<Vec<_>>());
}

#[test]
fn an_overrun_subscriber_continues_with_the_oldest_and_counts_the_skipped() {
    let directory = TestDirectory::new();
    let options = directory.options().ring_bytes(1 << 14);
    let publisher = Publisher::open(&key("overrun"), &options).unwrap();
    let mut subscriber = Subscriber::attach(&key("overrun"), &options).unwrap();
    publish_numbers(&publisher, 0..1, 64);
    assert_eq!(numbers(&mut subscriber), [0]);
    publish_numbers(&publisher, 1..1000, 64);
    let Next::Sample(first) = subscriber.next(Duration::ZERO).unwrap() else {
        panic!("there are samples");
    };
    let skipped = first.skipped();
    assert_eq!(first.payload()[..8], (skipped + 1).to_le_bytes());
    let rest = numbers(&mut subscriber);
    assert_eq!(rest, (skipped + 2..1000).collect::<Vec<_>>());
    // 128 bytes a record; an eighth of the ring is evicted at once.
    assert!((112..=128).contains(&(rest.len() + 1)), "{}", rest.len());
}

#[test]
fn a_late_subscriber_chooses_where_to_begin() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("late"), &directory.options()).unwrap();
    publish_numbers(&publisher, 0..5, 100);
    let attach = || Subscriber::attach(&key("late"), &directory.options()).unwrap();
    assert_eq!(numbers(&mut attach()), [4]);
    assert_eq!(numbers(&mut attach().from_oldest()), [0, 1, 2, 3, 4]);
    assert_eq!(numbers(&mut attach().from_now()), [] as [u64; 0]);
    let mut latest = attach().from_oldest();
    let sample = latest.latest().unwrap().unwrap();
    assert_eq!((sample.sequence().get(), sample.skipped()), (5, 0));
}

#[test]
fn from_sequence_counts_evicted_samples_as_skipped() {
    let directory = TestDirectory::new();
    let options = directory.options().ring_bytes(1 << 14);
    let publisher = Publisher::open(&key("sequence"), &options).unwrap();
    let from = |sequence| {
        let subscriber = Subscriber::attach(&key("sequence"), &options).unwrap();
        subscriber.from_sequence(sequence)
    };
    assert_eq!(from(1).next_sequence(), Some(1.into()));
    let mut early = from(7);
    publish_numbers(&publisher, 1..11, 100);
    // A sequence that is still to come.
    assert_eq!(numbers(&mut early)[0], 1);
    for sequence in [0, 1, 4, 10] {
        let read = numbers(&mut from(sequence));
        assert_eq!(read, (sequence.max(1)..=10).collect::<Vec<_>>());
    }
    assert_eq!(numbers(&mut from(11)), [] as [u64; 0]);
    assert_eq!(from(u64::MAX).next_sequence(), Some(11.into()));

    // With padding at the end of the ring, and the oldest evicted.
    publish_numbers(&publisher, 11..1001, 200);
    for sequence in [1, 900, 950, 999] {
        let mut subscriber = from(sequence);
        let Next::Sample(first) = subscriber.next(Duration::ZERO).unwrap() else {
            panic!("there are samples");
        };
        assert_eq!(first.sequence().get() - first.skipped(), sequence);
        let rest = numbers(&mut subscriber);
        assert_eq!(
            rest,
            (first.sequence().get() + 1..=1000).collect::<Vec<_>>()
        );
        assert_eq!(subscriber.next_sequence(), Some(1001.into()));
    }

    // Samples skipped before a clearing are counted, even if none follows it.
    publisher.clear().unwrap();
    let cleared = from(1).next(Duration::ZERO).unwrap();
    assert!(
        matches!(cleared, Next::Cleared { skipped: 1000 }),
        "{cleared:?}"
    );
    publish_numbers(&publisher, 1002..1003, 8);
    assert_eq!(numbers(&mut from(1002)), [1002]);
}

#[test]
fn samples_are_read_before_the_end_of_their_publisher_is_reported() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("left"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("left"), &directory.options()).unwrap();
    publish_numbers(&publisher, 0..10, 100);
    drop(publisher);
    assert_eq!(numbers(&mut subscriber), (0..10).collect::<Vec<_>>());
    let mut subscriber = {
        let options = directory.options().persistent(true);
        let publisher = Publisher::open(&key("iterated"), &options).unwrap();
        let subscriber = Subscriber::attach(&key("iterated"), &options).unwrap();
        publish_numbers(&publisher, 0..10, 100);
        subscriber
    };
    assert_eq!(subscriber.iter().map(Result::unwrap).count(), 10);
    assert!(matches!(
        subscriber.next(Duration::ZERO).unwrap(),
        Next::Timeout
    ));
}

#[test]
fn large_samples_are_retained_up_to_retain_bytes() {
    const SIZE: usize = 100_000;
    let directory = TestDirectory::new();
    let options = directory.options().retain_bytes(10 * (100 << 10));
    let publisher = Publisher::open(&key("kept"), &options).unwrap();
    let mut none = Subscriber::attach(&key("kept"), &options).unwrap();
    publish_numbers(&publisher, 0..30, SIZE);
    let kept = numbers(&mut none);
    assert!((10..=13).contains(&kept.len()), "{kept:?}");
    assert_eq!(kept, (30 - kept.len() as u64..30).collect::<Vec<_>>());
    let publisher = Publisher::open(&key("newest"), &directory.options()).unwrap();
    let mut none = Subscriber::attach(&key("newest"), &directory.options()).unwrap();
    publish_numbers(&publisher, 0..30, SIZE);
    let Next::Sample(sample) = none.next(Duration::ZERO).unwrap() else {
        panic!("the newest is always kept");
    };
    assert!(sample.skipped() >= 27, "{}", sample.skipped());
}

#[test]
fn evicted_large_samples_are_skipped_at_once() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("gone"), &directory.options()).unwrap();
    publish_numbers(&publisher, 0..1000, 20_000);
    let late = Subscriber::attach(&key("gone"), &directory.options()).unwrap();
    let kept = numbers(&mut late.from_oldest());
    assert!((1..=3).contains(&kept.len()), "{kept:?}");
    assert_eq!(kept.last(), Some(&999));
}

#[test]
fn small_and_large_samples_keep_their_order() {
    let directory = TestDirectory::new();
    let options = directory.options().retain_bytes(16 << 20);
    let publisher = Publisher::open(&key("mixed"), &options).unwrap();
    let mut subscriber = Subscriber::attach(&key("mixed"), &options).unwrap();
    for number in 0..60 {
        publish_numbers(
            &publisher,
            number..number + 1,
            [8, 20_000, 16_384, 16_385][usize::try_from(number % 4).unwrap()],
        );
    }
    assert_eq!(numbers(&mut subscriber), (0..60).collect::<Vec<_>>());
}

#[test]
fn a_clearing_is_reported_in_order() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("order"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("order"), &directory.options()).unwrap();
    publish_numbers(&publisher, 0..2, 8);
    assert!(matches!(subscriber.next(SOON).unwrap(), Next::Sample(_)));
    publisher.clear().unwrap();
    publish_numbers(&publisher, 2..3, 8);
    // The second sample is erased, although it was not read.
    assert!(matches!(
        subscriber.next(SOON).unwrap(),
        Next::Cleared { skipped: 1 }
    ));
    let Next::Sample(sample) = subscriber.next(SOON).unwrap() else {
        panic!("a sample follows");
    };
    assert_eq!((sample.sequence().get(), sample.skipped()), (4, 0));
    // A later subscriber gets no clearing.
    let mut later = Subscriber::attach(&key("order"), &directory.options())
        .unwrap()
        .from_oldest();
    assert_eq!(numbers(&mut later), [2]);
}

#[test]
fn a_loan_may_grow_beyond_an_inline_payload_and_shrink_back() {
    let directory = TestDirectory::new();
    let publisher = Publisher::open(&key("grows"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("grows"), &directory.options()).unwrap();
    let mut loan = publisher.loan(4).unwrap();
    loan.copy_from_slice(b"abcd");
    loan.resize(1 << 20).unwrap();
    loan.resize(3).unwrap();
    loan.publish(&bytes_metadata()).unwrap();
    assert_eq!(subscriber.latest().unwrap().unwrap().payload(), b"abc");
}

#[test]
fn a_subscriber_that_is_not_woken_finds_a_sample_within_a_second() {
    let directory = TestDirectory::new();
    let options = directory.options().notify(false);
    let publisher = Publisher::open(&key("polled"), &options).unwrap();
    let mut subscriber = Subscriber::attach(&key("polled"), &options).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || subscriber.wait(SOON).unwrap());
        publisher.publish_text("look").unwrap();
        assert_eq!(waiting.join().unwrap(), WaitResult::New);
    });
}

#[test]
fn a_payload_keeps_its_address_when_its_sample_is_moved_or_cloned() {
    for length in [100, 16_384, 1 << 20] {
        let directory = TestDirectory::new();
        let publisher = Publisher::open(&key("stays"), &directory.options()).unwrap();
        let mut subscriber = Subscriber::attach(&key("stays"), &directory.options()).unwrap();
        publisher
            .publish(&bytes_metadata(), &pattern(1, length))
            .unwrap();
        let sample = subscriber.latest().unwrap().unwrap();
        let address = sample.payload().as_ptr().addr();

        let moved = Box::new(sample);
        let clone = Sample::clone(&moved);
        assert_eq!(moved.payload().as_ptr().addr(), address);
        assert_eq!(clone.payload().as_ptr().addr(), address);
        drop(moved);
        // A later sample of the same length has another address.
        for seed in 2..10 {
            publisher
                .publish(&bytes_metadata(), &pattern(seed, length))
                .unwrap();
            let next = subscriber.latest().unwrap().unwrap();
            assert_ne!(next.payload().as_ptr().addr(), address);
        }
        drop((subscriber, publisher));
        let elsewhere = std::thread::spawn(move || {
            let is_whole = clone.payload() == pattern(1, length);
            (clone.payload().as_ptr().addr(), is_whole)
        });
        assert_eq!(elsewhere.join().unwrap(), (address, true));
    }
}
