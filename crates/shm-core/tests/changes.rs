//! Announced changes of a block: who is woken, by what, and by what not.

mod common;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{TestDirectory, key};
use shm_core::{Block, Change, LockError, LockErrorKind, ReadOnly, ReadWrite, segment};

/// Where the word is (docs/LAYOUT.md, section 3).
const CHANGES: u64 = 0x380;
const MOMENT: Duration = Duration::from_millis(20);

/// A block, and a handle that reads it.
fn pair(directory: &TestDirectory) -> (Block<ReadWrite>, Block<ReadOnly>) {
    let writer = Block::create(&key("b"), 8, &directory.options()).expect("the key is free");
    let reader =
        Block::attach_read_only(&key("b"), &directory.options()).expect("it was just made");
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
    let (sender, told) = mpsc::channel();
    let began = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut seen = 0;
            while seen < ROUNDS {
                let Change::Announced(now) = reader.wait_for_change(seen, None).unwrap() else {
                    panic!("the block stays")
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
            assert_eq!(told.recv().unwrap(), (round, u64::from(round)));
        }
    });
    // Without a wake-up each round would take up to a second.
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn all_that_wait_are_woken_through_one_handle_and_several() {
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
fn only_an_announcement_is_news() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    let seen = reader.changes();
    drop(writer.lock().unwrap());
    let other = Block::attach(&key("b"), &directory.options()).unwrap();
    assert!(!other.detach().removed, "a process that leaves is none");
    assert_eq!(
        reader.wait_for_change(seen, MOMENT).unwrap(),
        Change::Timeout
    );
    for _ in 0..3 {
        writer.lock().unwrap().ignore_abandonment().announce();
    }
    let all = Change::Announced(seen + 3);
    assert_eq!(reader.wait_for_change(seen, None).unwrap(), all);
    assert_eq!(reader.wait_for_change(seen + 1, None).unwrap(), all);
    let none_yet = reader.wait_for_change(seen + 3, Duration::ZERO);
    assert_eq!(none_yet.unwrap(), Change::Timeout);
    assert_eq!(writer.changes(), reader.changes());
    drop(writer.try_lock().unwrap());
}

#[test]
fn a_lock_without_a_guard_announces_too_and_wakes_when_it_is_let_go() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    assert!(is_not_held(writer.announce()), "not locked");
    let guard = writer.lock().unwrap();
    assert!(is_not_held(writer.announce()), "the guard has it");
    drop(guard);

    writer.lock_detached(None).unwrap();
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| is_not_held(writer.announce()));
        assert!(elsewhere.join().unwrap(), "another thread has it");
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
    assert_eq!(reader.changes(), 1, "told once");
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
fn the_loss_of_the_name_ends_a_wait() {
    let directory = TestDirectory::new();
    let (_writer, reader) = pair(&directory);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| reader.wait_for_change(0, None).unwrap());
        fs::remove_file(directory.file(&key("b"))).unwrap();
        assert_eq!(waiting.join().unwrap(), Change::Removed);
    });
}

#[test]
fn what_was_announced_before_the_removal_is_told_first() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    writer.lock().unwrap().ignore_abandonment().announce();
    segment::remove(&key("b"), &directory.options(), segment::Removal::Forced).unwrap();
    let wait = |seen| reader.wait_for_change(seen, None).unwrap();
    assert_eq!(wait(0), Change::Announced(1));
    assert_eq!(wait(1), Change::Removed);
}

#[test]
fn a_word_that_another_program_wrote_is_a_reason_to_look_and_no_more() {
    let directory = TestDirectory::new();
    let (writer, reader) = pair(&directory);
    let file = File::options()
        .write(true)
        .open(directory.file(&key("b")))
        .unwrap();
    for lie in [7, u32::MAX, 0x8000_0000] {
        file.write_all_at(&lie.to_le_bytes(), CHANGES).unwrap();
        let told = reader.wait_for_change(1, None).unwrap();
        assert_eq!(told, Change::Announced(lie));
        drop(reader.lock().unwrap());
    }
    file.write_all_at(&u32::MAX.to_le_bytes(), CHANGES).unwrap();
    writer.lock().unwrap().ignore_abandonment().announce();
    let wrapped = reader.wait_for_change(u32::MAX, None).unwrap();
    assert_eq!(wrapped, Change::Announced(0), "the count begins anew");
}
