//! Announcements of changes of a block, and what ends a wait for one.

mod common;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{TestDirectory, key};
use shm_core::{Block, Change, LockError, LockErrorKind, ReadOnly, ReadWrite, segment};

/// The offset of the count of changes (docs/LAYOUT.md, section 3).
const CHANGES: u64 = 0x380;
const SHORT: Duration = Duration::from_millis(20);

/// A block, and a handle that reads it.
fn pair(directory: &TestDirectory) -> (Block<ReadWrite>, Block<ReadOnly>) {
    let writer = Block::create(&key("b"), 8, &directory.options()).expect("the key is free");
    let reader =
        Block::attach_read_only(&key("b"), &directory.options()).expect("it was just created");
    (writer, reader)
}

fn is_not_held(result: Result<(), LockError>) -> bool {
    matches!(&result, Err(error) if *error.kind() == LockErrorKind::NotHeld)
}

#[test]
fn each_announcement_wakes_a_reader_that_sleeps() {
    const ROUNDS: u32 = 50;
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    let (sender, received) = mpsc::channel();
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut seen = 0;
            while seen < ROUNDS {
                let Change::Announced(now) = reader.wait_for_change(seen, None).unwrap() else {
                    panic!("the block is not removed")
                };
                let number = reader.lock().unwrap().ignore_abandonment().read(0);
                sender.send((now, number.unwrap())).unwrap();
                seen = now;
            }
        });
        for round in 1..=ROUNDS {
            let mut guard = writer.lock().unwrap().ignore_abandonment();
            guard.write(0, &u64::from(round)).unwrap();
            guard.announce();
            assert_eq!(received.recv().unwrap(), (round, u64::from(round)));
        }
    });
    // Without a wake-up each round would take up to a second.
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn waiters_of_one_handle_and_of_several_are_woken() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    let (ready, waiting) = mpsc::channel();
    thread::scope(|scope| {
        let wait = || {
            ready.send(()).unwrap();
            reader.wait_for_change(0, None).unwrap()
        };
        let readers = [scope.spawn(wait), scope.spawn(wait)];
        let another = scope.spawn(|| {
            ready.send(()).unwrap();
            writer.wait_for_change(0, None).unwrap()
        });
        waiting.iter().take(3).for_each(drop);
        writer.lock().unwrap().ignore_abandonment().announce();
        for thread in readers.into_iter().chain([another]) {
            assert_eq!(thread.join().unwrap(), Change::Announced(1));
        }
    });
}

#[test]
fn only_an_announcement_ends_a_wait() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    let seen = reader.changes();
    drop(writer.lock().unwrap());
    let other = Block::attach(&key("b"), &directory.options()).unwrap();
    assert!(!other.detach().removed, "detaching is not a change");
    assert_eq!(
        reader.wait_for_change(seen, SHORT).unwrap(),
        Change::Timeout
    );
    for _ in 0..3 {
        writer.lock().unwrap().ignore_abandonment().announce();
    }
    let three = Change::Announced(seen + 3);
    assert_eq!(reader.wait_for_change(seen, None).unwrap(), three);
    assert_eq!(reader.wait_for_change(seen + 1, None).unwrap(), three);
    let none_yet = reader.wait_for_change(seen + 3, Duration::ZERO);
    assert_eq!(none_yet.unwrap(), Change::Timeout);
    assert_eq!(writer.changes(), reader.changes());
    drop(writer.try_lock().unwrap());
}

#[test]
fn a_detached_lock_announces_and_wakes_when_it_is_released() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    assert!(is_not_held(writer.announce()), "not locked");
    let guard = writer.lock().unwrap();
    assert!(is_not_held(writer.announce()), "a guard holds it");
    drop(guard);

    writer.lock_detached(None).unwrap();
    thread::scope(|scope| {
        let other_thread = scope.spawn(|| is_not_held(writer.announce()));
        assert!(other_thread.join().unwrap(), "another thread holds it");
    });
    assert_eq!(reader.changes(), 0);
    let (ready, waiting) = mpsc::channel();
    thread::scope(|scope| {
        let woken = scope.spawn(|| {
            ready.send(()).unwrap();
            reader.wait_for_change(0, None).unwrap()
        });
        waiting.recv().unwrap();
        writer.announce().unwrap();
        writer.unlock_detached().unwrap();
        assert_eq!(woken.join().unwrap(), Change::Announced(1));
    });
    writer.lock_detached(None).unwrap();
    writer.unlock_detached().unwrap();
    assert_eq!(reader.changes(), 1, "counted once");
}

#[test]
fn removal_ends_a_wait() {
    let directory = TestDirectory::new();
    let (_writer, reader) = pair(&directory);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| reader.wait_for_change(0, None).unwrap());
        segment::remove(&key("b"), &directory.options(), segment::Removal::Forced).unwrap();
        assert_eq!(waiting.join().unwrap(), Change::Removed);
    });
    let again = reader.wait_for_change(0, Duration::ZERO).unwrap();
    assert_eq!(again, Change::Removed);
}

#[test]
fn unlinking_the_file_ends_a_wait() {
    let directory = TestDirectory::new();
    let (_writer, reader) = pair(&directory);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| reader.wait_for_change(0, None).unwrap());
        fs::remove_file(directory.file(&key("b"))).unwrap();
        assert_eq!(waiting.join().unwrap(), Change::Removed);
    });
}

#[test]
fn an_announcement_before_the_removal_is_reported_first() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    writer.lock().unwrap().ignore_abandonment().announce();
    segment::remove(&key("b"), &directory.options(), segment::Removal::Forced).unwrap();
    let wait = |seen| reader.wait_for_change(seen, None).unwrap();
    assert_eq!(wait(0), Change::Announced(1));
    assert_eq!(wait(1), Change::Removed);
}

#[test]
fn an_overwritten_change_count_only_ends_a_wait() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    let file = File::options()
        .write(true)
        .open(directory.file(&key("b")))
        .unwrap();
    for forged in [7, u32::MAX, 0x8000_0000] {
        file.write_all_at(&forged.to_le_bytes(), CHANGES).unwrap();
        let change = reader.wait_for_change(1, None).unwrap();
        assert_eq!(change, Change::Announced(forged));
        drop(reader.lock().unwrap());
    }
    file.write_all_at(&u32::MAX.to_le_bytes(), CHANGES).unwrap();
    writer.lock().unwrap().ignore_abandonment().announce();
    let wrapped = reader.wait_for_change(u32::MAX, None).unwrap();
    assert_eq!(wrapped, Change::Announced(0), "the count wraps");
}
