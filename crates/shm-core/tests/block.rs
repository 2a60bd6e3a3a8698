//! A block under the lock: mutual exclusion, abandonment, read-only attachers.

mod common;

use std::time::Duration;

use common::{TestDirectory, key};
use shm_core::{AttachErrorKind, Block, ErrorCode, LockErrorKind, Locked};

#[test]
fn create_attach_and_open_or_create_follow_the_rules() {
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
        "one that exists keeps its size"
    );
    assert!(!created.detach().removed);
    assert!(joined.detach().removed, "the last one out removes");
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
        let leaves = guard.write(30, &7u32).unwrap_err();
        assert_eq!(
            (leaves.code(), leaves.os_error()),
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
        panic!("held by the other handle: {refused}")
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
fn threads_and_handles_together_count_exactly() {
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
fn a_panic_lets_go_of_the_lock() {
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
fn a_holder_that_left_with_the_lock_is_found_dead_and_the_heir_repairs() {
    let directory = TestDirectory::new();
    let heir = Block::create(&key("dead"), 8, &directory.options()).unwrap();
    let holder = Block::attach(&key("dead"), &directory.options()).unwrap();
    // A guard that is never dropped, and a handle that is: to the others this
    // is what a death looks like.
    std::mem::forget(holder.lock().unwrap());
    drop(holder);
    let Locked::Abandoned(mut abandoned) = heir.lock_for(Duration::from_secs(5)).unwrap() else {
        panic!("the heir must be told")
    };
    abandoned.fill(1);
    drop(abandoned);
    let Locked::Abandoned(abandoned) = heir.lock().unwrap() else {
        panic!("nobody has said repaired yet")
    };
    drop(abandoned.repaired());
    assert!(matches!(heir.lock().unwrap(), Locked::Clean(_)));
}

#[test]
fn a_slot_claimed_again_settles_what_its_last_holder_left() {
    let directory = TestDirectory::new();
    let _keeper = Block::create(&key("slot"), 8, &directory.options()).unwrap();
    let holder = Block::attach(&key("slot"), &directory.options()).unwrap();
    std::mem::forget(holder.lock().unwrap());
    drop(holder);
    // Takes the very same slot; must neither wait nor think that the lock is its own.
    let next = Block::attach(&key("slot"), &directory.options()).unwrap();
    assert!(matches!(next.try_lock().unwrap(), Locked::Abandoned(_)));
}
