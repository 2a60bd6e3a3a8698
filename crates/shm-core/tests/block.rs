//! A block under its lock: mutual exclusion, abandonment, read-only handles.

mod common;

use std::time::Duration;

use common::{TestDirectory, key};
use shm_core::{AttachErrorKind, Block, ErrorCode, LockErrorKind, Locked};

#[test]
fn create_attach_and_open_or_create_differ_if_the_key_exists() {
    let directory = TestDirectory::new();
    let options = directory.options();
    assert!(matches!(
        Block::attach(&key("b"), &options),
        Err(error) if *error.kind() == AttachErrorKind::NotFound
    ));
    assert!(matches!(
        Block::create(&key("b"), 0, &options),
        Err(error) if matches!(error.kind(), AttachErrorKind::Size { .. })
    ));
    let created = Block::create(&key("b"), 100, &options).unwrap();
    assert!(matches!(
        Block::create(&key("b"), 100, &options),
        Err(error) if *error.kind() == AttachErrorKind::AlreadyExists
    ));
    let joined = Block::open_or_create(&key("b"), 5, &options).unwrap();
    assert_eq!(
        (created.size(), joined.size()),
        (100, 100),
        "an existing block keeps its size"
    );
    assert!(!created.detach().removed);
    assert!(joined.detach().removed, "the last participant removes it");
    assert!(directory.names().is_empty());
}

#[test]
fn bytes_and_values_are_shared() {
    let directory = TestDirectory::new();
    let ours = Block::create(&key("v"), 33, &directory.options()).unwrap();
    let theirs = Block::attach_read_only(&key("v"), &directory.options()).unwrap();
    {
        let mut guard = ours.lock().unwrap().ignore_abandonment();
        assert!(guard.iter().all(|&byte| byte == 0), "a new block is zero");
        guard.write(1, &0x0123_4567_89ab_cdef_u64).unwrap();
        guard.write(29, &[1u8, 2, 3, 4]).unwrap();
        let out_of_bounds = guard.write(30, &7u32).unwrap_err();
        assert_eq!(
            (out_of_bounds.code(), out_of_bounds.os_error()),
            (ErrorCode::InvalidArgument, None)
        );
        assert!(guard.read::<u8>(usize::MAX).is_err());
    }
    let guard = theirs.lock().unwrap().ignore_abandonment();
    assert_eq!(guard.read::<u64>(1).unwrap(), 0x0123_4567_89ab_cdef);
    assert_eq!(guard[29..], [1, 2, 3, 4]);
}

#[test]
fn the_lock_excludes_other_handles_and_other_threads_of_this_one() {
    let directory = TestDirectory::new();
    let one = Block::create(&key("l"), 8, &directory.options()).unwrap();
    let other = Block::attach(&key("l"), &directory.options()).unwrap();
    let guard = one.lock().unwrap();
    assert!(matches!(
        one.try_lock(),
        Err(error) if *error.kind() == LockErrorKind::WouldDeadlock
    ));
    assert!(matches!(
        other.try_lock(),
        Err(error) if *error.kind() == LockErrorKind::WouldBlock
    ));
    let refused = other.lock_for(Duration::from_millis(30)).unwrap_err();
    let LockErrorKind::Timeout {
        holder: Some(holder),
    } = refused.kind()
    else {
        panic!("the other handle holds it: {refused}")
    };
    assert!(holder.process.is_current());
    std::thread::scope(|scope| {
        let same_handle = scope.spawn(
            || matches!(one.try_lock(), Err(error) if *error.kind() == LockErrorKind::WouldBlock),
        );
        assert!(same_handle.join().unwrap());
    });
    drop(guard);
    drop(other.lock().unwrap());
    drop(one.try_lock().unwrap());
}

#[test]
fn increments_of_threads_and_handles_are_not_lost() {
    const ROUNDS: u64 = 5_000;
    let directory = TestDirectory::new();
    let shared = Block::create(&key("count"), 8, &directory.options()).unwrap();
    let count = |block: &Block<_>| {
        for _ in 0..ROUNDS {
            let mut guard = block.lock().unwrap().ignore_abandonment();
            let seen: u64 = guard.read(0).unwrap();
            guard.write(0, &(seen + 1)).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| count(&shared));
            scope.spawn(|| count(&Block::attach(&key("count"), &directory.options()).unwrap()));
        }
    });
    assert_eq!(
        shared
            .lock()
            .unwrap()
            .ignore_abandonment()
            .read::<u64>(0)
            .unwrap(),
        4 * ROUNDS
    );
}

#[test]
fn a_panic_releases_the_lock() {
    let directory = TestDirectory::new();
    let block = Block::create(&key("panic"), 8, &directory.options()).unwrap();
    std::thread::scope(|scope| {
        let failing = scope.spawn(|| {
            let _guard = block.lock().unwrap();
            panic!("on purpose");
        });
        assert!(failing.join().is_err());
    });
    assert!(matches!(block.try_lock().unwrap(), Locked::Clean(_)));
}

#[test]
fn a_lock_whose_holder_detached_is_abandoned_until_repaired() {
    let directory = TestDirectory::new();
    let successor = Block::create(&key("dead"), 8, &directory.options()).unwrap();
    let holder = Block::attach(&key("dead"), &directory.options()).unwrap();
    // A leaked guard and a dropped handle look like a death to other handles.
    std::mem::forget(holder.lock().unwrap());
    drop(holder);
    let Locked::Abandoned(mut abandoned) = successor.lock_for(Duration::from_secs(5)).unwrap()
    else {
        panic!("the lock must be abandoned")
    };
    abandoned.fill(1);
    drop(abandoned);
    let Locked::Abandoned(abandoned) = successor.lock().unwrap() else {
        panic!("not repaired yet")
    };
    drop(abandoned.repaired());
    assert!(matches!(successor.lock().unwrap(), Locked::Clean(_)));
}

#[test]
fn claiming_a_slot_releases_the_lock_of_its_dead_holder() {
    let directory = TestDirectory::new();
    let _keeper = Block::create(&key("slot"), 8, &directory.options()).unwrap();
    let holder = Block::attach(&key("slot"), &directory.options()).unwrap();
    std::mem::forget(holder.lock().unwrap());
    drop(holder);
    // Claims the same slot, and must neither wait nor take the lock for its own.
    let next = Block::attach(&key("slot"), &directory.options()).unwrap();
    assert!(matches!(next.try_lock().unwrap(), Locked::Abandoned(_)));
}
