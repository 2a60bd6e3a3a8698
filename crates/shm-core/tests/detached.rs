//! The lock of a block without guards, alone and mixed with guards.

mod common;

use std::thread;
use std::time::Duration;

use common::{TestDirectory, key};
use shm_core::{Block, ErrorCode, LockError, LockErrorKind, LockState, Locked, ReadWrite};

/// Two handles of one block.
fn pair(directory: &TestDirectory) -> (Block<ReadWrite>, Block<ReadWrite>) {
    let one = Block::create(&key("b"), 8, &directory.options()).expect("the key is free");
    let other = Block::attach(&key("b"), &directory.options()).expect("it was just created");
    (one, other)
}

fn is_not_held(result: Result<(), LockError>) -> bool {
    matches!(&result, Err(error) if *error.kind() == LockErrorKind::NotHeld)
}

#[test]
fn a_detached_lock_excludes_other_handles() {
    let directory = TestDirectory::new();
    let (one, other) = pair(&directory);
    assert!(is_not_held(one.unlock_detached()), "never locked");
    assert_eq!(one.lock_detached(None).unwrap(), LockState::Clean);
    assert!(matches!(
        other.try_lock_detached(),
        Err(error) if *error.kind() == LockErrorKind::WouldBlock
    ));
    assert!(matches!(
        other.lock_detached(Duration::from_millis(20)),
        Err(error) if matches!(error.kind(), LockErrorKind::Timeout { holder: Some(_), .. })
    ));
    assert!(
        is_not_held(other.unlock_detached()),
        "not held through this handle"
    );
    one.unlock_detached().unwrap();
    assert!(is_not_held(one.unlock_detached()), "unlocked already");
    assert_eq!(other.try_lock_detached().unwrap(), LockState::Clean);
    other.unlock_detached().unwrap();
    drop(one.try_lock().unwrap());
}

#[test]
fn detached_locks_and_guards_share_one_lock() {
    let directory = TestDirectory::new();
    let (one, other) = pair(&directory);
    let deadlocks = |error: LockError| error.code() == ErrorCode::WouldDeadlock;

    one.lock_detached(None).unwrap();
    assert!(deadlocks(one.lock().unwrap_err()));
    assert!(deadlocks(one.try_lock().unwrap_err()));
    assert!(deadlocks(one.lock_detached(None).unwrap_err()));
    assert!(other.try_lock().is_err());
    one.unlock_detached().unwrap();

    let guard = one.lock().unwrap();
    assert!(deadlocks(one.lock_detached(None).unwrap_err()));
    assert!(deadlocks(one.try_lock_detached().unwrap_err()));
    assert!(is_not_held(one.unlock_detached()), "a guard holds it");
    assert!(is_not_held(one.mark_repaired()), "a guard holds it");
    assert!(other.try_lock().is_err(), "the guard still holds it");
    drop(guard);
    drop(other.try_lock().unwrap());
}

#[test]
fn only_the_thread_that_locked_can_unlock() {
    let directory = TestDirectory::new();
    let (one, _other) = pair(&directory);
    one.lock_detached(None).unwrap();
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            assert!(is_not_held(one.unlock_detached()));
            assert!(is_not_held(one.mark_repaired()));
            one.try_lock_detached().unwrap_err().code()
        });
        assert_eq!(elsewhere.join().unwrap(), ErrorCode::WouldBlock);
    });
    one.unlock_detached().unwrap();
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            one.lock_detached(None).unwrap();
            one.unlock_detached().unwrap();
        });
        elsewhere.join().unwrap();
    });
}

#[test]
fn increments_under_guards_and_detached_locks_are_not_lost() {
    const ROUNDS: u64 = 2_000;
    let directory = TestDirectory::new();
    let (one, other) = pair(&directory);
    let two_calls = |block: &Block<ReadWrite>| {
        for _ in 0..ROUNDS {
            block.lock_detached(None).unwrap();
            increment(block);
            block.unlock_detached().unwrap();
        }
    };
    let guards = |block: &Block<ReadWrite>| {
        for _ in 0..ROUNDS {
            let mut guard = block.lock().unwrap().ignore_abandonment();
            let seen: u64 = guard.read(0).unwrap();
            guard.write(0, &(seen + 1)).unwrap();
        }
    };
    thread::scope(|scope| {
        for block in [&one, &other] {
            scope.spawn(|| two_calls(block));
            scope.spawn(|| guards(block));
        }
    });
    let guard = one.lock().unwrap().ignore_abandonment();
    assert_eq!(guard.read::<u64>(0).unwrap(), 4 * ROUNDS);
}

#[expect(unsafe_code, reason = "the block's bytes without a guard")]
fn increment(block: &Block<ReadWrite>) {
    let number = block.as_mut_ptr().cast::<u64>();
    // SAFETY: the calling thread holds the lock without a guard; the block has eight bytes and is
    // page-aligned.
    let seen = unsafe { number.read() };
    // SAFETY: as above.
    unsafe { number.write(seen + 1) };
}

#[test]
fn an_abandoned_lock_stays_abandoned_until_repaired() {
    let directory = TestDirectory::new();
    let (successor, holder) = pair(&directory);
    // To other handles this looks like a death.
    std::mem::forget(holder.lock().unwrap());
    drop(holder);
    assert_eq!(
        successor.lock_detached(Duration::from_secs(5)).unwrap(),
        LockState::Abandoned
    );
    successor.unlock_detached().unwrap();
    assert!(matches!(successor.lock().unwrap(), Locked::Abandoned(_)));
    assert_eq!(
        successor.try_lock_detached().unwrap(),
        LockState::Abandoned,
        "not repaired yet"
    );
    successor.mark_repaired().unwrap();
    successor.unlock_detached().unwrap();
    assert_eq!(successor.lock_detached(None).unwrap(), LockState::Clean);
    successor.unlock_detached().unwrap();
    assert!(is_not_held(successor.mark_repaired()));
}

#[test]
fn dropping_a_handle_with_the_lock_leaves_it_abandoned() {
    let directory = TestDirectory::new();
    let (successor, holder) = pair(&directory);
    holder.lock_detached(None).unwrap();
    drop(holder);
    let Locked::Abandoned(abandoned) = successor.try_lock().unwrap() else {
        panic!("the bytes may be half-written")
    };
    drop(abandoned.repaired());

    // Also on another thread than the one that locked.
    let holder = Block::attach(&key("b"), &directory.options()).unwrap();
    holder.lock_detached(None).unwrap();
    thread::spawn(move || assert!(!holder.detach().removed))
        .join()
        .unwrap();
    assert_eq!(successor.try_lock_detached().unwrap(), LockState::Abandoned);
}

#[test]
fn the_address_does_not_change_when_the_handle_moves() {
    let directory = TestDirectory::new();
    let (one, other) = pair(&directory);
    let reader = Block::attach_read_only(&key("b"), &directory.options()).unwrap();
    let address = one.as_ptr();
    assert_eq!(address, one.as_mut_ptr().cast_const());
    let moved = Box::new(one);
    assert_eq!(moved.as_ptr(), address);
    assert_ne!(other.as_ptr(), address, "each handle maps the block itself");

    moved.lock_detached(None).unwrap();
    increment(&moved);
    moved.unlock_detached().unwrap();
    let guard = reader.lock().unwrap().ignore_abandonment();
    assert_eq!(guard.as_ptr(), reader.as_ptr());
    assert_eq!(guard.read::<u64>(0).unwrap(), 1);
}
