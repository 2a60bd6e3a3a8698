//! Handles that a forked child inherits fail, and do not affect those of the parent.
//!
//! A test program of its own with a single test, because a fork copies only one thread.
#![expect(unsafe_code, reason = "fork has no safe wrapper")]

mod common;

use std::io::Read;
use std::sync::mpsc;
use std::time::Duration;

use common::{TestDirectory, bytes_metadata, key};
use shm_core::presence::{PresenceClient, PresenceServer, Viewer};
use shm_core::{
    Block, KeyWatch, LockError, LockErrorKind, LockState, Locked, Notifier, PublishErrorKind,
    Publisher, ReadErrorKind, ReadWrite, Semaphore, SemaphoreErrorKind, Subscriber, WaitSet,
};

#[expect(clippy::unwrap_used, reason = "a test's own helper")]
fn create_waits(
    subscriber: &Subscriber,
    directory: &TestDirectory,
) -> (Notifier, KeyWatch, WaitSet) {
    let notifier = subscriber.notifier().unwrap();
    let watch = KeyWatch::new(&key("to come"), &directory.options()).unwrap();
    let mut set = WaitSet::new();
    set.add(subscriber);
    (notifier, watch, set)
}

fn blocks_are_refused(block: &Block<ReadWrite>, detached: &Block<ReadWrite>) -> bool {
    let is_refused = |error: Option<LockError>| matches!(&error, Some(error) if *error.kind() == LockErrorKind::Forked);
    is_refused(block.try_lock().err())
        && is_refused(block.wait_for_change(0, None).err())
        && is_refused(detached.unlock_detached().err())
        && is_refused(detached.announce().err())
}

fn semaphore_is_refused(semaphore: &Semaphore) -> bool {
    matches!(semaphore.release(1), Err(error) if *error.kind() == SemaphoreErrorKind::Forked)
        && matches!(semaphore.try_acquire(1), Err(error) if *error.kind() == SemaphoreErrorKind::Forked)
        && matches!(semaphore.held(), Err(error) if *error.kind() == SemaphoreErrorKind::Forked)
}

#[test]
fn inherited_handles_fail_in_the_child_and_work_in_the_parent() {
    let directory = TestDirectory::new();
    let block = Block::create(&key("block"), 8, &directory.options()).unwrap();
    let semaphore = Semaphore::create(&key("semaphore"), 2, &directory.options()).unwrap();
    semaphore.acquire(1, None).unwrap();
    let publisher = Publisher::open(&key("samples"), &directory.options()).unwrap();
    let mut subscriber = Subscriber::attach(&key("samples"), &directory.options()).unwrap();
    publisher.publish(&bytes_metadata(), &[1; 10_000]).unwrap();
    let sample = subscriber.latest().unwrap().unwrap();
    let mut loan = publisher.loan(10_000).unwrap();
    loan.fill(2);
    let waiting = create_waits(&subscriber, &directory);
    let guard = block.lock().unwrap();
    let detached = Block::create(&key("detached"), 8, &directory.options()).unwrap();
    assert_eq!(detached.lock_detached(None).unwrap(), LockState::Clean);
    let (sender, changes) = mpsc::channel();
    let tell = move |viewers: &[Viewer]| sender.send(viewers.to_vec()).unwrap();
    let server = PresenceServer::listen(&publisher, tell).unwrap();
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    assert_eq!(changes.recv().unwrap().len(), 1);
    let (mut ended, end) = std::io::pipe().unwrap();

    // SAFETY: the child only uses what is valid after a fork, and ends with _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let refused = matches!(
            publisher.publish_text("x"),
            Err(error) if *error.kind() == PublishErrorKind::Forked
        ) && matches!(subscriber.latest(), Err(error) if *error.kind() == ReadErrorKind::Forked)
            && blocks_are_refused(&block, &detached)
            && semaphore_is_refused(&semaphore)
            && sample.payload() == [1; 10_000];
        client.report(7, Duration::ZERO);
        waiting.0.clear();
        drop(waiting);
        drop((detached, semaphore));
        drop((guard, loan, sample, subscriber, server, client, end));
        // Lives until the parent releases it, with a copy of every descriptor.
        let _end = ended.read(&mut [0]);
        // SAFETY: ends the child without running exit handlers or destructors of the parent.
        unsafe { libc::_exit(i32::from(!refused)) };
    }
    // The child's copies reported and released nothing; nor do they keep what the parent releases.
    client.report(8, Duration::ZERO);
    let shown = changes.recv().unwrap()[0].report.unwrap();
    assert_eq!(shown.sequence, 8);
    drop(client);
    assert!(changes.recv().unwrap().is_empty());
    let client = PresenceClient::connect(publisher.id(), &directory.options()).unwrap();
    assert_eq!(changes.recv().unwrap().len(), 1);
    drop((server, client, end));

    assert_eq!(exit_status(child), 0, "the copies must fail");

    // The child dropped its copies; the parent's handles hold what they held.
    assert_eq!((semaphore.available(), semaphore.held().unwrap()), (1, 1));
    let other = Block::attach(&key("block"), &directory.options()).unwrap();
    assert!(
        matches!(other.try_lock(), Err(error) if *error.kind() == LockErrorKind::WouldBlock),
        "the parent holds it"
    );
    let other_detached = Block::attach(&key("detached"), &directory.options()).unwrap();
    assert!(other_detached.try_lock().is_err(), "the parent holds it");
    detached.unlock_detached().unwrap();
    assert!(matches!(
        other_detached.try_lock().unwrap(),
        Locked::Clean(_)
    ));
    drop(guard);
    assert!(matches!(other.try_lock().unwrap(), Locked::Clean(_)));
    let rival = Publisher::open(&key("samples"), &directory.options()).unwrap();
    for _ in 0..20 {
        rival.publish(&bytes_metadata(), &[3; 10_000]).unwrap();
    }
    assert_eq!(sample.payload(), [1; 10_000], "the pin is held");
    assert!(loan.iter().all(|&byte| byte == 2), "the loan is held");
    loan.publish(&bytes_metadata()).unwrap();
}

fn exit_status(child: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: waits for a child of this process; `status` is writable.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    libc::WEXITSTATUS(status)
}
