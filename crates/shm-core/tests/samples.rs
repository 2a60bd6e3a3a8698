//! Publishing and reading samples: every size, many readers, clearing, endings.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Place, key, octets, pattern};
use shm_core::{
    Access, ImageMetadata, Message, Metadata, PixelFormat, PublishError, Publisher, ReadError,
    Subscriber, Wait, segment,
};

const SOON: Option<Duration> = Some(Duration::from_secs(10));

#[test]
fn every_size_comes_back_byte_for_byte_while_readers_are_attached() {
    let place = Place::new();
    let publisher = Publisher::open(&key("sizes"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("sizes"), &place.options()).unwrap();
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
        65_536,
        1 << 20,
        (32 << 20) + 3,
        5,
        4097,
        0,
    ];
    for (index, &size) in sizes.iter().enumerate() {
        let payload = pattern(index as u64, size);
        let generation = publisher.publish(&octets(), &payload).unwrap();
        assert_eq!(generation, index as u64 + 1);
        assert_eq!(subscriber.wait(SOON).unwrap(), Wait::New);
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.generation(), generation);
        assert!(sample.writer().is_current());
        assert!(sample.payload() == payload, "size {size} differs in place");
        let mut copy = vec![0; size];
        sample.copy_to(&mut copy).unwrap();
        assert!(copy == payload, "size {size} differs when copied");
        sample.verify().unwrap();
    }
}

#[test]
fn messages_of_each_kind_come_back() {
    let place = Place::new();
    let publisher = Publisher::open(&key("kinds"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("kinds"), &place.options()).unwrap();
    let shape = ImageMetadata::packed(PixelFormat::Bgra8, 50, 30)
        .unwrap()
        .with_source("a.png");
    let messages = [
        Message::Text(String::new()),
        Message::Text("héllo 世界 🦀\n".repeat(3000)),
        Message::Image {
            pixels: pattern(1, shape.payload_bytes()),
            metadata: shape,
        },
        Message::bytes("application/pdf", Some("b.pdf"), pattern(2, 100)),
    ];
    for message in messages {
        publisher.send(&message).unwrap();
        let sample = subscriber.latest().unwrap().unwrap();
        assert_eq!(sample.metadata(), &message.metadata());
        assert_eq!(sample.to_message().unwrap(), message);
    }
}

#[test]
fn metadata_that_does_not_fit_is_refused_and_the_last_sample_stays() {
    let place = Place::new();
    let publisher = Publisher::open(&key("misfit"), &place.options()).unwrap();
    publisher.publish_text("before").unwrap();
    let image = Metadata::Image(ImageMetadata::packed(PixelFormat::Rgb8, 10, 10).unwrap());
    assert!(matches!(
        publisher.publish(&image, &[0; 299]),
        Err(PublishError::Metadata { .. })
    ));
    let mut subscriber = Subscriber::attach(&key("misfit"), &place.options()).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(sample.to_message().unwrap(), Message::Text("before".into()));
}

#[test]
fn text_that_is_no_utf8_is_an_error_of_the_reader_not_a_panic() {
    let place = Place::new();
    let publisher = Publisher::open(&key("latin1"), &place.options()).unwrap();
    publisher.publish(&Metadata::Text, b"caf\xe9").unwrap();
    let mut subscriber = Subscriber::attach(&key("latin1"), &place.options()).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    let error = sample.to_message().unwrap_err();
    assert!(matches!(error, ReadError::Invalid { .. }));
    assert!(error.to_string().contains("byte 3"), "{error}");
}

#[test]
fn a_pinned_sample_stays_as_it_was_while_others_are_published() {
    let place = Place::new();
    let publisher = Publisher::open(&key("pins"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("pins"), &place.options()).unwrap();
    let mut pinned = Vec::new();
    for seed in 0..20 {
        let payload = pattern(seed, 100_000);
        publisher.publish(&octets(), &payload).unwrap();
        pinned.push((subscriber.latest().unwrap().unwrap(), payload));
    }
    // The same region pinned twice by one subscriber, and let go once.
    let again = subscriber.latest().unwrap().unwrap();
    drop(again);
    for seed in 100..200 {
        publisher
            .publish(&octets(), &pattern(seed, 100_000))
            .unwrap();
    }
    for (sample, payload) in &pinned {
        assert!(
            sample.payload() == payload,
            "generation {} changed under its pin",
            sample.generation()
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
fn memory_stays_within_pins_loans_and_three_samples() {
    const SIZE: usize = 4 << 20;
    let place = Place::new();
    let publisher = Publisher::open(&key("bound"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("bound"), &place.options()).unwrap();
    let reserved = || {
        segment::info(&key("bound"), &place.options())
            .unwrap()
            .reserved_bytes
    };
    let mut pinned = Vec::new();
    for _ in 0..10 {
        publisher.publish(&octets(), &vec![1; SIZE]).unwrap();
        pinned.push(subscriber.latest().unwrap().unwrap());
    }
    assert!(
        reserved() <= (10 + 3) * (SIZE as u64 + 8192) + (1 << 16),
        "{} while pinned",
        reserved()
    );
    drop(pinned);
    for _ in 0..40 {
        publisher.publish(&octets(), &vec![2; SIZE]).unwrap();
    }
    assert!(
        reserved() <= 3 * (SIZE as u64 + 8192) + (1 << 18),
        "{} after unpinning",
        reserved()
    );
    for _ in 0..40 {
        publisher.publish(&octets(), &[3; 100]).unwrap();
    }
    assert!(reserved() <= 2 << 20, "{} after small samples", reserved());
}

#[test]
fn a_loan_is_seen_by_nobody_until_published_and_grows_in_place() {
    let place = Place::new();
    let publisher = Publisher::open(&key("loan"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("loan"), &place.options()).unwrap();
    let mut loan = publisher.loan(10).unwrap();
    loan.copy_from_slice(b"0123456789");
    assert!(subscriber.latest().unwrap().is_none());
    loan.resize(1 << 20).unwrap();
    loan[10..].fill(b'x');
    assert_eq!(&loan[..10], b"0123456789");
    loan.resize(20).unwrap();
    drop(publisher.loan(5).unwrap());
    loan.publish(&octets()).unwrap();
    assert_eq!(
        subscriber.latest().unwrap().unwrap().payload(),
        b"0123456789xxxxxxxxxx"
    );
}

#[test]
fn clearing_blanks_for_good_and_wakes() {
    let place = Place::new();
    let publisher = Publisher::open(&key("secret"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("secret"), &place.options()).unwrap();
    let secret = "correct horse battery staple ".repeat(1000);
    publisher.publish_text(&secret).unwrap();
    publisher.publish_text(&secret[..200]).unwrap();
    assert!(subscriber.latest().unwrap().is_some());
    assert_eq!(publisher.clear().unwrap(), 0);
    assert_eq!(subscriber.wait(SOON).unwrap(), Wait::New);
    assert!(subscriber.latest().unwrap().is_none());
    // Nothing of it is left in the file's memory.
    let file = std::fs::File::open(place.file(&key("secret"))).unwrap();
    for region in 0..8u64 {
        let mut bytes = vec![0; 1 << 16];
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
fn clearing_says_how_many_readers_still_hold_a_copy() {
    let place = Place::new();
    let publisher = Publisher::open(&key("held"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("held"), &place.options()).unwrap();
    publisher.publish(&octets(), &[1; 10_000]).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    assert_eq!(publisher.clear().unwrap(), 1);
    assert_eq!(sample.payload(), [1; 10_000]);
    drop(sample);
    assert_eq!(publisher.clear().unwrap(), 0);
}

#[test]
fn waiting_times_out_and_tells_the_end_once() {
    let place = Place::new();
    let options = place.options().persistent(true);
    let publisher = Publisher::open(&key("ends"), &options).unwrap();
    let mut subscriber = Subscriber::attach(&key("ends"), &options).unwrap();
    assert_eq!(
        subscriber.wait(Some(Duration::ZERO)).unwrap(),
        Wait::Timeout
    );
    publisher.publish_text("last words").unwrap();
    drop(publisher);
    assert_eq!(
        subscriber.wait(SOON).unwrap(),
        Wait::New,
        "what was published goes before the end"
    );
    assert!(subscriber.latest().unwrap().is_some());
    assert_eq!(subscriber.wait(SOON).unwrap(), Wait::Ended);
    assert_eq!(
        subscriber.wait(Some(Duration::from_millis(20))).unwrap(),
        Wait::Timeout
    );
    let publisher = Publisher::open(&key("ends"), &options).unwrap();
    assert!(!publisher.created());
    publisher.publish_text("back again").unwrap();
    assert_eq!(subscriber.wait(SOON).unwrap(), Wait::New);
    subscriber.latest().unwrap();
    segment::remove(&key("ends"), &options, true).unwrap();
    assert_eq!(subscriber.wait(SOON).unwrap(), Wait::Orphaned);
    assert!(matches!(
        publisher.publish_text("to nobody"),
        Err(PublishError::Orphaned { .. })
    ));
}

#[test]
fn a_removed_name_is_noticed_within_a_second() {
    let place = Place::new();
    let publisher = Publisher::open(&key("rm"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("rm"), &place.options()).unwrap();
    std::fs::remove_file(place.file(&key("rm"))).unwrap();
    assert_eq!(subscriber.wait(SOON).unwrap(), Wait::Orphaned);
    assert!(matches!(
        publisher.publish_text("x"),
        Err(PublishError::Orphaned { .. })
    ));
    // The name is free: a new segment has nothing to do with the old one.
    let other = Publisher::open(&key("rm"), &place.options()).unwrap();
    assert!(other.created());
    drop(publisher);
    other.publish_text("still here").unwrap();
    assert!(
        Subscriber::attach(&key("rm"), &place.options())
            .unwrap()
            .latest()
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_waiting_subscriber_is_woken_by_a_publication() {
    let place = Place::new();
    let publisher = Publisher::open(&key("wake"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("wake"), &place.options()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || {
            let ended = subscriber.wait(SOON).unwrap();
            (ended, subscriber.latest().unwrap().unwrap().generation())
        });
        publisher.publish_text("good morning").unwrap();
        assert_eq!(waiting.join().unwrap(), (Wait::New, 1));
    });
}

#[test]
fn attaching_waits_for_the_key_to_appear() {
    let place = Place::new();
    let (options, later) = (place.options(), key("later"));
    assert!(matches!(
        Subscriber::attach_within(&later, &options, Some(Duration::from_millis(10))),
        Err(shm_core::AttachError::Timeout { .. })
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
fn publishers_and_readers_at_full_speed_never_tear_a_sample() {
    const ROUNDS: u64 = 3000;
    let place = Place::new();
    let options = place.options();
    let race = key("race");
    let first = Publisher::open(&race, &options).unwrap();
    let done = AtomicBool::new(false);
    let write = |publisher: &Publisher, sizes: [usize; 4]| {
        for round in 0..ROUNDS {
            let size = sizes[usize::try_from(round % 4).unwrap()];
            let mut loan = publisher.loan(size).unwrap();
            loan.copy_from_slice(&pattern(round, size));
            loan[..8].copy_from_slice(&round.to_le_bytes());
            loan.publish(&octets()).unwrap();
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
            assert!(sample.generation() >= last, "generations went back");
            last = sample.generation();
            let payload = sample.payload();
            let round = u64::from_le_bytes(payload[..8].try_into().unwrap());
            assert!(
                payload[8..] == pattern(round, payload.len())[8..],
                "generation {last} is torn"
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
    assert_eq!(
        subscriber.latest().unwrap().unwrap().generation(),
        2 * ROUNDS
    );
}

#[test]
fn who_is_attached_is_told() {
    let place = Place::new();
    let options = place.options().persistent(true);
    let publisher = Publisher::open(&key("roster"), &options).unwrap();
    let subscriber = Subscriber::attach(&key("roster"), &options).unwrap();
    assert!(publisher.others().is_empty(), "others are other processes");
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
        "one process, told of once"
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
    let place = Place::new();
    let options = place.options().reserve(1 << 20);
    let _publisher = Publisher::open(&key("warm"), &options).unwrap();
    let reserved = segment::info(&key("warm"), &options)
        .unwrap()
        .reserved_bytes;
    assert!((3 << 20..4 << 20).contains(&reserved), "{reserved}");
}

#[test]
fn publishers_that_keep_regions_leave_enough_for_all() {
    let place = Place::new();
    let publishers: Vec<_> = (0..128)
        .map(|_| Publisher::open(&key("crowd"), &place.options()).unwrap())
        .collect();
    let mut subscriber = Subscriber::attach(&key("crowd"), &place.options()).unwrap();
    for round in 0..6u64 {
        for publisher in &publishers {
            // Several in a row, so that who can keeps what it used.
            for number in 0..4 {
                let payload = pattern(round + number, 100);
                publisher.publish(&octets(), &payload).unwrap();
                assert!(subscriber.latest().unwrap().unwrap().payload() == payload);
            }
        }
    }
    drop(publishers);
}

#[test]
fn many_small_samples_in_a_row_are_each_what_they_say() {
    let place = Place::new();
    let publisher = Publisher::open(&key("row"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("row"), &place.options()).unwrap();
    let kinds = ["a/x", "a/y", "application/octet-stream"];
    for number in 0..200usize {
        let metadata = Metadata::Bytes {
            media_type: kinds[number / 3 % 3].into(),
            source: (number % 7 == 0).then(|| number.to_string()),
        };
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

#[test]
fn clearing_after_many_small_samples_blanks_them_all() {
    let place = Place::new();
    let publisher = Publisher::open(&key("row"), &place.options()).unwrap();
    for _ in 0..20 {
        publisher
            .publish_text("correct horse battery staple")
            .unwrap();
    }
    assert_eq!(publisher.clear().unwrap(), 0, "what was kept is given back");
    let file = std::fs::File::open(place.file(&key("row"))).unwrap();
    for region in 1..8u64 {
        let mut bytes = vec![0; 8192];
        let read = std::os::unix::fs::FileExt::read_at(&file, &mut bytes, region << 36).unwrap();
        assert!(bytes[..read].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn a_sleeper_notices_in_time_where_nobody_wakes_it() {
    let place = Place::new();
    let options = place.options().polled(true);
    let publisher = Publisher::open(&key("polled"), &options).unwrap();
    let mut subscriber = Subscriber::attach(&key("polled"), &options).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || subscriber.wait(SOON).unwrap());
        publisher.publish_text("look").unwrap();
        assert_eq!(waiting.join().unwrap(), Wait::New);
    });
}
