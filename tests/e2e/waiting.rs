//! Waiting by descriptor for events of other processes.

use std::time::{Duration, Instant};

use e2e_tests::{Fixture, TIMEOUT};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shm_core::{Next, Notifier, Ready, Subscriber, WaitSet};

use crate::actor::{Actor, key, options};

/// Sleeps until a notifier is readable, and clears it.
fn is_notified(notifier: &Notifier) -> bool {
    let timeout = Timespec::try_from(TIMEOUT).unwrap();
    let readable = poll(&mut [PollFd::new(notifier, PollFlags::IN)], Some(&timeout)).unwrap();
    notifier.clear();
    readable == 1
}

#[test]
fn a_notifier_reports_publications_and_a_killed_publisher() {
    let fixture = Fixture::new();
    let mut actor = Actor::new(&fixture);
    actor.run("open");
    let mut subscriber = Subscriber::attach(&key(&fixture), &options(&fixture)).unwrap();
    let notifier = subscriber.notifier().unwrap();
    let mut set = WaitSet::new();
    let token = set.add(&subscriber);
    actor.run("publish 1 100");
    assert!(is_notified(&notifier));
    assert!(matches!(
        subscriber.next(Duration::ZERO),
        Ok(Next::Sample(_))
    ));
    assert_eq!(set.wait(TIMEOUT), Ready::Sources(&[token]));

    let killed = Instant::now();
    actor.kill();
    loop {
        assert!(is_notified(&notifier), "a publisher died");
        match subscriber.next(Duration::ZERO).unwrap() {
            Next::PublisherGone => break,
            Next::Timeout => {}
            other => panic!("{other:?}"),
        }
    }
    println!("told {:?} after the kill", killed.elapsed());
    assert_eq!(set.wait(TIMEOUT), Ready::Sources(&[token]));
}
