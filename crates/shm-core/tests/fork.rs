//! Handles that come along through a fork say so, and damage nothing of their parent's.
//!
//! A test program of its own with a single test: a fork copies one thread only.
#![expect(unsafe_code, reason = "nothing safe forks")]

mod common;

use std::io::Read;
use std::sync::mpsc;
use std::time::Duration;

use common::{Place, key, octets};
use shm_core::link::{Audience, Seat, Watcher};
use shm_core::{
    LockError, Locked, PublishError, Publisher, ReadError, Semaphore, SemaphoreError, SharedMemory,
    Subscriber,
};

#[test]
fn a_childs_copies_are_refused_and_the_parents_stay_whole() {
    let place = Place::new();
    let block = SharedMemory::create(&key("block"), 8, &place.options()).unwrap();
    let semaphore = Semaphore::create(&key("semaphore"), 2, &place.options()).unwrap();
    semaphore.acquire(1, None).unwrap();
    let publisher = Publisher::open(&key("samples"), &place.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("samples"), &place.options()).unwrap();
    publisher.publish(&octets(), &[1; 10_000]).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    let mut loan = publisher.loan(10_000).unwrap();
    loan.fill(2);
    let guard = block.lock().unwrap();
    let (sender, changes) = mpsc::channel();
    let tell = move |watchers: &[Watcher]| sender.send(watchers.to_vec()).unwrap();
    let audience = Audience::gather(&publisher, tell).unwrap();
    let seat = Seat::take(publisher.id(), &place.options()).unwrap();
    assert_eq!(changes.recv().unwrap().len(), 1);
    let (mut ended, end) = std::io::pipe().unwrap();

    // SAFETY: the child only uses what a fork leaves whole, and ends by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused = matches!(
            publisher.publish_text("x"),
            Err(PublishError::Forked { .. })
        ) && matches!(subscriber.latest(), Err(ReadError::Forked { .. }))
            && matches!(block.try_lock(), Err(LockError::Forked { .. }))
            && matches!(semaphore.release(1), Err(SemaphoreError::Forked { .. }))
            && matches!(semaphore.try_acquire(1), Err(SemaphoreError::Forked { .. }))
            && matches!(semaphore.held(), Err(SemaphoreError::Forked { .. }))
            && sample.payload() == [1; 10_000];
        seat.shown(7, Duration::ZERO);
        drop((
            guard, loan, sample, subscriber, audience, seat, semaphore, end,
        ));
        // It lives on until the parent lets it go, with a copy of every descriptor.
        let _let_go = ended.read(&mut [0]);
        // SAFETY: ends the child without running anything of the parent's.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    // The child's copies said nothing and ended nothing; nor do they keep what ours end.
    seat.shown(8, Duration::ZERO);
    let shown = changes.recv().unwrap()[0].shown.unwrap();
    assert_eq!(shown.sequence, 8);
    drop(seat);
    assert!(changes.recv().unwrap().is_empty());
    let seat = Seat::take(publisher.id(), &place.options()).unwrap();
    assert_eq!(changes.recv().unwrap().len(), 1);
    drop((audience, seat, end));

    let mut status = 0;
    // SAFETY: waits for the child made above; `status` is writable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(
        libc::WEXITSTATUS(status),
        0,
        "the child's copies must say Forked"
    );

    // The child dropped its copies; ours hold what they held.
    assert_eq!((semaphore.available(), semaphore.held().unwrap()), (1, 1));
    let other = SharedMemory::attach(&key("block"), &place.options()).unwrap();
    assert!(
        matches!(other.try_lock(), Err(LockError::WouldBlock { .. })),
        "the lock is still ours"
    );
    drop(guard);
    assert!(matches!(other.try_lock().unwrap(), Locked::Clean(_)));
    let rival = Publisher::open(&key("samples"), &place.options()).unwrap();
    for _ in 0..20 {
        rival.publish(&octets(), &[3; 10_000]).unwrap();
    }
    assert_eq!(sample.payload(), [1; 10_000], "the pin is still ours");
    assert!(loan.iter().all(|&byte| byte == 2), "the loan is still ours");
    loan.publish(&octets()).unwrap();
}
