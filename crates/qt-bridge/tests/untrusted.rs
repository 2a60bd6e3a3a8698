//! Untrusted input from another process of this user: sizes, lengths and values of semaphores.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is tests, also what stands outside the test functions"
)]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use qt_bridge::{
    Form, Kind, Meaning, Poller, Publisher, QtKey, ReadingError, Segment, Semaphore, Stream,
    StreamError, read, read_within, remove,
};
use shm_core::Message;

use common::{TIMEOUT, assert_nothing_left, keys, lock_file, segment_file, with_keys};

/// Longer than any operation takes that does not count to 2³¹.
const AT_ONCE: Duration = Duration::from_secs(4);

/// 3 GiB.
const HUGE: usize = 3 << 30;

/// Returns how many bytes of the segment are in memory.
fn present(key: &QtKey) -> u64 {
    match key.kind() {
        Kind::PosixRealtime => fs::metadata(segment_file(key)).unwrap().blocks() * 512,
        Kind::SystemV => {
            let stat = fs::metadata(key.native_name()).unwrap();
            let number = (0x51 << 24) | ((stat.dev() & 0xff) << 16) | (stat.ino() & 0xffff);
            let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
            let row = table.lines().find_map(|line| {
                let fields: Vec<&str> = line.split_ascii_whitespace().collect();
                (fields[0] == number.to_string()).then(|| fields[14].parse().unwrap())
            });
            row.unwrap()
        }
    }
}

/// Creates a huge segment of which only the start was ever written.
fn sparse(key: &QtKey, beginning: &[u8]) -> Option<Segment<qt_bridge::ReadWrite>> {
    match key.kind() {
        Kind::SystemV => {
            let mut segment = Segment::create(key, HUGE, TIMEOUT).unwrap();
            segment
                .lock(TIMEOUT)
                .unwrap()
                .copy_from(0, beginning)
                .unwrap();
            Some(segment)
        }
        Kind::PosixRealtime => {
            let file = File::create_new(segment_file(key)).unwrap();
            file.set_len(HUGE as u64).unwrap();
            file.write_all_at(beginning, 0).unwrap();
            None
        }
    }
}

#[test]
fn the_size_of_a_sparse_segment_is_not_trusted() {
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let picture = [
        &1u32.to_be_bytes()[..],
        b"\x89PNG\r\n\x1a\n",
        &[0x7f, 0xff, 0xff, 0xff],
    ]
    .concat();
    let lies: [(Form, Vec<u8>); 6] = [
        (Form::QString, length(HUGE - 4).to_vec()),
        (Form::QByteArray, length(HUGE - 4).to_vec()),
        // Below the limit, but never written.
        (Form::QByteArray, length(512 << 20).to_vec()),
        (Form::CString, length(512 << 20).to_vec()),
        (Form::Raw, b"\xff\0\xff".to_vec()),
        (Form::QImage, picture),
    ];
    with_keys(|key| {
        for (form, beginning) in &lies {
            let segment = sparse(key, beginning);
            let began = Instant::now();
            let error = read(key, Some(*form), TIMEOUT).unwrap_err();
            let is_refused = matches!(
                &error,
                ReadingError::Stream {
                    source: StreamError::Limit { .. } | StreamError::Unwritten { .. },
                    ..
                }
            );
            assert!(is_refused, "{key} {form}: {error}");
            assert!(Poller::new(key, Some(*form), TIMEOUT).poll().is_err());
            assert!(began.elapsed() < AT_ONCE, "{key} {form}");
            assert!(present(key) < 1 << 20, "{key} {form}: {}", present(key));
            drop(segment);
            if key.kind() == Kind::PosixRealtime {
                remove(key, true).unwrap();
            }
        }
    });
}

#[test]
fn zeroing_does_not_allocate_memory_that_was_never_written() {
    with_keys(|key| {
        // Several pages.
        let segment = sparse(key, &[0xaa; 20_000]);
        let text = Message::Text("short".into());
        let began = Instant::now();
        let mut publisher = Publisher::new(key, TIMEOUT);
        publisher
            .publish(&Stream::new(&text, Form::QString).unwrap())
            .unwrap();
        assert!(began.elapsed() < AT_ONCE, "{key}");
        assert!(present(key) < 1 << 20, "{key}: {}", present(key));
        let reading = read(key, None, TIMEOUT).unwrap();
        assert_eq!(reading.value.into_message(), Some(text));
        // The bytes after the stream are zeroed anyway.
        let mut theirs = Segment::attach(key, TIMEOUT).unwrap();
        let mut behind = vec![9; 20_000];
        let guard = theirs.lock(TIMEOUT).unwrap();
        guard.copy_to(14, &mut behind).unwrap();
        guard.unlock().unwrap();
        assert!(behind.iter().all(|byte| *byte == 0), "{key}");
        drop((theirs, publisher, segment));
        remove(key, true).ok();
    });
}

#[test]
fn a_limit_bounds_the_copy_and_the_decoded_value() {
    with_keys(|key| {
        let text = Message::Text("字".repeat(1000));
        let stream = Stream::new(&text, Form::QString).unwrap();
        let mut publisher = Publisher::new(key, TIMEOUT);
        publisher.publish(&stream).unwrap();
        for limit in [100, 2500] {
            let error = read_within(key, None, TIMEOUT, limit).unwrap_err();
            assert!(error.to_string().contains(&limit.to_string()), "{error}");
            let mut poller = Poller::new(key, None, TIMEOUT).with_limit(limit);
            assert!(poller.poll().is_err());
        }
        let reading = read_within(key, None, TIMEOUT, 3000).unwrap();
        assert_eq!(reading.value.into_message(), Some(text));
    });
}

/// Values that no Qt program gives a semaphore.
const ABSURD: [u32; 3] = [i32::MAX.cast_unsigned(), u32::MAX, 1 << 20];

fn write_value(file: &Path, value: u32) {
    let file = File::options().write(true).open(file).unwrap();
    file.write_all_at(&value.to_ne_bytes(), 0).unwrap();
}

#[test]
fn a_huge_semaphore_value_is_replaced_instead_of_counted_down() {
    let (directory, keys) = keys();
    for key in keys.iter().filter(|key| key.kind() == Kind::PosixRealtime) {
        for value in ABSURD {
            let theirs = Semaphore::open(key, 1).unwrap();
            write_value(&lock_file(key), value);
            let began = Instant::now();
            let mut ours = Semaphore::create(key, 3).unwrap();
            assert_eq!(ours.value().unwrap(), 3, "{value}");
            drop((ours, theirs));
            let mut segment = Segment::create(key, 8, TIMEOUT).unwrap();
            let mut other = Segment::attach(key, TIMEOUT).unwrap();
            write_value(&lock_file(key), value);
            // The lock is exclusive again.
            let guard = segment.lock(TIMEOUT).unwrap();
            assert!(
                Semaphore::open(key, 1).unwrap().value().unwrap() == 0,
                "{value}"
            );
            guard.unlock().unwrap();
            write_value(&lock_file(key), value);
            assert!(read(key, None, TIMEOUT).is_ok(), "{value}");
            write_value(&lock_file(key), value);
            remove(key, true).unwrap();
            drop((other.lock(TIMEOUT).map(drop), segment));
            drop(other);
            remove(key, true).ok();
            assert!(began.elapsed() < AT_ONCE, "{value}");
        }
        assert_nothing_left(directory.path(), key);
    }
    // System V counts to 32,767.
    let key = &keys[0];
    let mut segment = Segment::create(key, 8, TIMEOUT).unwrap();
    let mut lock = Semaphore::open(key, 1).unwrap();
    lock.release(32_766).unwrap();
    let mut ours = Semaphore::create(key, 2).unwrap();
    assert_eq!(ours.value().unwrap(), 2);
    ours.leave();
    lock.leave();
    assert!(segment.lock(TIMEOUT).is_ok());
}

/// Raises a semaphore repeatedly, as fast as it can.
fn flood(key: &QtKey, is_over: &AtomicBool) {
    let mut held = None;
    while !is_over.load(Ordering::Relaxed) {
        match (key.kind(), &mut held) {
            // The kernel limits `semop` increments of one process, but not `SETVAL`.
            (Kind::SystemV, _) => {
                Semaphore::create(key, 32_000).map(Semaphore::leave).ok();
            }
            (_, None) => held = Semaphore::open(key, 1).ok(),
            (_, Some(semaphore)) => {
                semaphore.release(u16::MAX).ok();
            }
        }
    }
    held.into_iter().for_each(Semaphore::leave);
}

#[test]
fn processes_that_keep_raising_a_lock_do_not_block_others() {
    let (_directory, keys) = keys();
    std::thread::scope(|scope| {
        for key in &keys {
            scope.spawn(move || run_against_flood(key));
        }
    });
}

fn run_against_flood(key: &QtKey) {
    let mut segment = Segment::create(key, 8, TIMEOUT).unwrap();
    let is_over = AtomicBool::new(false);
    // Stops the threads also if an assertion fails.
    let took = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| flood(key, &is_over));
        }
        let began = Instant::now();
        // A System V lock is checked once a second.
        while began.elapsed() < Duration::from_millis(1200) {
            // The outcome depends on the other threads; but each call returns.
            drop(segment.lock(TIMEOUT).map(drop));
            drop(read(key, None, TIMEOUT));
            Semaphore::create(key, 1).map(Semaphore::leave).ok();
        }
        is_over.store(true, Ordering::Relaxed);
        began.elapsed()
    });
    assert!(took < TIMEOUT, "{key}: {took:?}");
    drop(segment);
    remove(key, true).ok();
}

/// Without the guard, an access after truncation raises SIGBUS and kills the program.
#[test]
fn a_lock_whose_file_is_truncated_is_an_error() {
    shm_core::guard_against_truncation().unwrap();
    let (_directory, keys) = keys();
    for key in keys.iter().filter(|key| key.kind() == Kind::PosixRealtime) {
        for is_held in [false, true] {
            let mut segment = Segment::create(key, 8, TIMEOUT).unwrap();
            let cut = || {
                File::options()
                    .write(true)
                    .open(lock_file(key))
                    .unwrap()
                    .set_len(0)
                    .unwrap()
            };
            if is_held {
                let guard = segment.lock(TIMEOUT).unwrap();
                cut();
                assert!(guard.unlock().is_err(), "{key}");
            } else {
                cut();
            }
            let error = segment.lock(TIMEOUT).map(drop).unwrap_err();
            assert_eq!(error.meaning(), Meaning::KeyError, "{key}: {error}");
            drop(segment);
            std::fs::remove_file(lock_file(key)).unwrap();
            remove(key, true).ok();
        }
    }
}
