//! Semaphores: counts, waits, removal, other kinds of segments, untrusted input.

mod common;

use std::fs;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{TestDirectory, key};
use shm_core::segment::{self, Content};
use shm_core::{AttachErrorKind, Block, Publisher, Semaphore, SemaphoreErrorKind, Subscriber};

/// A timeout that no successful wait reaches.
const LONG: Duration = Duration::from_secs(60);
/// The offset of the word.
const WORD: u64 = 0x100;
/// The offset of the records.
const RECORDS: u64 = 0x3c00;

fn counts(directory: &TestDirectory, name: &str) -> (u32, u32) {
    let info = segment::info(&key(name), &directory.options()).expect("it is there");
    match info.content {
        Content::Semaphore { available, held } => (available, held),
        other => panic!("not a semaphore: {other:?}"),
    }
}

/// Waits until a waiter has set its bit in the word.
fn wait_for_a_sleeper(directory: &TestDirectory, name: &str) {
    let file = fs::File::open(directory.file(&key(name))).expect("it is there");
    let mut low = [0; 2];
    while {
        file.read_exact_at(&mut low, WORD).expect("readable");
        low[1] & 0x80 == 0
    } {
        thread::yield_now();
    }
}

#[test]
fn create_open_and_open_or_create_differ_if_the_key_exists() {
    let directory = TestDirectory::new();
    let options = directory.options();
    assert!(matches!(
        Semaphore::open(&key("s"), &options),
        Err(error) if *error.kind() == AttachErrorKind::NotFound
    ));
    assert!(matches!(
        Semaphore::create(&key("s"), 32_768, &options),
        Err(error) if matches!(error.kind(), AttachErrorKind::Units { units: 32_768, .. })
    ));
    let created = Semaphore::create(&key("s"), Semaphore::MAX_UNITS, &options).unwrap();
    assert!(matches!(
        Semaphore::create(&key("s"), 1, &options),
        Err(error) if *error.kind() == AttachErrorKind::AlreadyExists
    ));
    let joined = Semaphore::open_or_create(&key("s"), 5, &options).unwrap();
    assert!(created.created() && !joined.created());
    assert_eq!(
        joined.available(),
        32_767,
        "an existing semaphore keeps its units"
    );
    assert_eq!(joined.key(), &key("s"));
    assert!(!created.detach().removed);
    assert!(joined.detach().removed, "the last participant removes it");
    assert!(directory.names().is_empty());
}

#[test]
fn units_are_counted_across_handles() {
    let directory = TestDirectory::new();
    let one = Semaphore::create(&key("s"), 3, &directory.options()).unwrap();
    let two = Semaphore::open(&key("s"), &directory.options()).unwrap();
    one.acquire(2, None).unwrap();
    assert!(!two.try_acquire(2).unwrap());
    assert!(two.try_acquire(1).unwrap());
    two.acquire(0, None).unwrap();
    assert_eq!((one.held().unwrap(), two.held().unwrap()), (2, 1));
    assert_eq!(counts(&directory, "s"), (0, 3));
    one.release(1).unwrap();
    assert_eq!(counts(&directory, "s"), (1, 2));
    assert_eq!(one.forget(5).unwrap(), 1);
    assert_eq!(counts(&directory, "s"), (1, 1));
    two.release(3).unwrap();
    assert_eq!(counts(&directory, "s"), (4, 0));
    assert!(matches!(
        two.release(32_764),
        Err(error) if matches!(error.kind(), SemaphoreErrorKind::TooMany { units: 32_764, .. })
    ));
    assert!(matches!(
        two.acquire(40_000, None),
        Err(error) if matches!(error.kind(), SemaphoreErrorKind::TooMany { .. })
    ));
    assert_eq!(counts(&directory, "s"), (4, 0));
}

#[test]
fn dropping_a_handle_releases_units_that_were_not_forgotten() {
    let directory = TestDirectory::new();
    let stays = Semaphore::create(&key("s"), 5, &directory.options()).unwrap();
    let dropped = Semaphore::open(&key("s"), &directory.options()).unwrap();
    dropped.acquire(4, None).unwrap();
    assert_eq!(dropped.forget(1).unwrap(), 1);
    assert!(!dropped.detach().removed);
    assert_eq!(stays.available(), 4);

    let persistent = directory.options().persistent(true);
    let keeper = Semaphore::open(&key("s"), &persistent).unwrap();
    stays.acquire(4, None).unwrap();
    drop(stays);
    drop(keeper);
    assert_eq!(counts(&directory, "s"), (4, 0));
    segment::remove(&key("s"), &directory.options(), segment::Removal::IfUnused).unwrap();
}

#[test]
fn a_timeout_names_a_holder() {
    let directory = TestDirectory::new();
    let holder = Semaphore::create(&key("s"), 1, &directory.options()).unwrap();
    let waiter = Semaphore::open(&key("s"), &directory.options()).unwrap();
    holder.acquire(1, None).unwrap();
    let began = Instant::now();
    let refused = waiter.acquire(1, Duration::from_millis(50)).unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert!(
        refused
            .to_string()
            .contains(&std::process::id().to_string()),
        "{refused}"
    );
    let SemaphoreErrorKind::Timeout {
        holder: Some(named),
    } = refused.kind()
    else {
        panic!("a holder: {refused}")
    };
    assert!(named.process.is_current());
    assert_eq!(holder.forget(1).unwrap(), 1);
    assert!(matches!(
        waiter.acquire(1, Duration::ZERO),
        Err(error) if matches!(error.kind(), SemaphoreErrorKind::Timeout { holder: None, .. })
    ));
}

#[test]
fn a_release_wakes_a_waiter_at_once() {
    let directory = TestDirectory::new();
    let server = Semaphore::create(&key("s"), 0, &directory.options()).unwrap();
    let client = Semaphore::open(&key("s"), &directory.options()).unwrap();
    let waiter = thread::spawn(move || {
        client.acquire(3, LONG).unwrap();
        client
    });
    wait_for_a_sleeper(&directory, "s");
    server.release(1).unwrap();
    server.release(2).unwrap();
    let client = waiter.join().unwrap();
    assert_eq!(client.held().unwrap(), 3);
    assert_eq!(client.peers().len(), 0, "of other processes");
}

#[test]
fn removal_ends_a_wait() {
    let directory = TestDirectory::new();
    let ours = Semaphore::create(&key("s"), 0, &directory.options()).unwrap();
    let waiter = thread::spawn(move || (ours.acquire(1, LONG), ours));
    wait_for_a_sleeper(&directory, "s");
    segment::remove(&key("s"), &directory.options(), segment::Removal::Forced).unwrap();
    let (ended, ours) = waiter.join().unwrap();
    assert!(matches!(&ended, Err(error) if *error.kind() == SemaphoreErrorKind::Removed));
    assert!(ours.is_removed());
    assert!(matches!(
        ours.release(1),
        Err(error) if *error.kind() == SemaphoreErrorKind::Removed
    ));
    assert!(matches!(
        ours.try_acquire(1),
        Err(error) if *error.kind() == SemaphoreErrorKind::Removed
    ));
    assert!(matches!(
        ours.forget(1),
        Err(error) if *error.kind() == SemaphoreErrorKind::Removed
    ));
    assert!(!ours.detach().removed, "it is removed already");
}

#[test]
fn operations_fail_after_the_file_was_unlinked() {
    let directory = TestDirectory::new();
    let ours = Semaphore::create(&key("s"), 1, &directory.options()).unwrap();
    fs::remove_file(directory.file(&key("s"))).unwrap();
    let began = Instant::now();
    // Continuous operations, so that few of them read the clock.
    let noticed = loop {
        match ours.acquire(1, None).and_then(|()| ours.release(1)) {
            Ok(()) => assert!(began.elapsed() < LONG, "the removal was not noticed"),
            Err(error) => break error,
        }
    };
    assert_eq!(*noticed.kind(), SemaphoreErrorKind::Removed);
}

#[test]
fn no_more_units_are_held_than_exist() {
    const UNITS: u32 = 3;
    let directory = TestDirectory::new();
    let handles: Vec<_> = (0..3)
        .map(|_| {
            let handle = Semaphore::open_or_create(&key("s"), UNITS, &directory.options());
            Arc::new(handle.unwrap())
        })
        .collect();
    let inside = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..6)
        .map(|number: usize| {
            let handle = Arc::clone(&handles[number % 3]);
            let inside = Arc::clone(&inside);
            thread::spawn(move || {
                let units = if number.is_multiple_of(2) { 1 } else { 2 };
                for _ in 0..3_000 {
                    handle.acquire(units, LONG).unwrap();
                    let now = inside.fetch_add(units, Ordering::SeqCst) + units;
                    assert!(now <= UNITS, "{now} units of {UNITS}");
                    inside.fetch_sub(units, Ordering::SeqCst);
                    handle.release(units).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(counts(&directory, "s"), (UNITS, 0));
}

#[test]
fn opening_another_kind_fails() {
    let directory = TestDirectory::new();
    let _semaphore = Semaphore::create(&key("s"), 1, &directory.options()).unwrap();
    let wrong = [
        Block::attach(&key("s"), &directory.options()).map(drop),
        Publisher::open(&key("s"), &directory.options()).map(drop),
        Subscriber::attach(&key("s"), &directory.options()).map(drop),
    ];
    for wrong in wrong {
        assert!(matches!(&wrong, Err(error) if *error.kind() == AttachErrorKind::WrongKind));
    }
    let _block = Block::create(&key("b"), 8, &directory.options()).unwrap();
    assert!(matches!(
        Semaphore::open(&key("b"), &directory.options()),
        Err(error) if *error.kind() == AttachErrorKind::WrongKind
    ));
}

#[test]
fn arbitrary_words_in_the_file_do_not_panic() {
    let directory = TestDirectory::new();
    for bytes in [
        [0xff; 8],
        [0x80; 8],
        [0, 0, 0, 0, 0, 0, 0xff, 129],
        [1, 0, 0, 0, 0, 0, 2, 77],
    ] {
        let ours = Semaphore::create(&key("s"), 2, &directory.options()).unwrap();
        let theirs = Semaphore::open(&key("s"), &directory.options()).unwrap();
        let file = fs::OpenOptions::new()
            .write(true)
            .open(directory.file(&key("s")))
            .unwrap();
        for record in 0..128 {
            file.write_all_at(&bytes, RECORDS + 8 * record).unwrap();
        }
        file.write_all_at(&bytes, WORD).unwrap();
        let (available, held) = counts(&directory, "s");
        assert!(available <= 32_767 && held <= 128 * 32_767);
        for handle in [&ours, &theirs] {
            let _whatever = handle.held().unwrap();
            let _whatever = handle.try_acquire(1);
            let _whatever = handle.acquire(32_767, Duration::from_millis(1));
            let _whatever = handle.release(1);
            let _whatever = handle.forget(1).unwrap();
            assert!(handle.available() <= 32_767);
        }
        drop(theirs);
        assert!(ours.detach().removed);
    }
}
